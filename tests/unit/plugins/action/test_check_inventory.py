# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables are looked at once in a run, groups in each playbook."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible import constants
from ansible.errors import AnsibleUndefinedVariable
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.action import ActionBase
from ansible_collections.oslab.kernel.plugins.action import check_inventory


def action(monkeypatch, tmp_path, looked, unknown=(), builders=()):
    def variables(self, names, given, arguments):
        looked.append(list(names))
        return {"problems": [], "unknown": list(unknown), "taken": {}, "builders": list(builders)}

    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    monkeypatch.setattr(ActionBase, "run", lambda self, tmp, task_vars: {})
    monkeypatch.setattr(
        ActionBase, "validate_argument_spec", lambda self, argument_spec: (None, self._task.args)
    )
    monkeypatch.setattr(check_inventory.ActionModule, "_variables", variables)

    def act(groups, inventory, reached, what="refuse"):
        found = check_inventory.ActionModule.__new__(check_inventory.ActionModule)
        arguments = {"groups": groups, "roles": ["source"], "unknown": what, "others": []}
        found._task = SimpleNamespace(args=arguments)
        return found.run(None, {"groups": inventory, "ansible_play_hosts_all": reached})

    return act


def test_variables_once_and_groups_each_time(monkeypatch, tmp_path):
    looked: list[Any] = []
    act = action(monkeypatch, tmp_path, looked)
    inventory = {"all": ["b", "x"], "kernel_builders": ["b"]}
    assert act({"kernel_builders": []}, inventory, ["b", "x"]) == {"changed": False, "problems": 0}
    second = act({"kernel_targets": []}, inventory, ["b", "x"])
    assert second["failed"]
    assert "no group kernel_targets" in second["msg"]
    assert "ansible_connection: local" in second["msg"]
    # Hosts of neither group are not ours to judge.
    assert looked == [["b"]]


def test_an_ansible_that_is_too_old_is_refused_first(monkeypatch, tmp_path):
    looked: list[Any] = []
    act = action(monkeypatch, tmp_path, looked)
    monkeypatch.setattr(check_inventory, "ansible_version", "2.14.18")
    found = act({}, {"all": ["b"]}, ["b"])
    assert found["failed"]
    assert "the collection needs >=2.16.0" in found["msg"]
    assert looked == []


def test_unknown_names(monkeypatch, tmp_path):
    act = action(monkeypatch, tmp_path, [], ["patch_x is no variable"])
    answers = [act({}, {"all": ["b"]}, ["b"], what) for what in ("refuse", "warn", "ignore")]
    assert [answer.get("failed", False) for answer in answers] == [True, False, False]
    assert "preflight_other_variables" in answers[0]["msg"]
    assert answers[1]["warnings"] == ["patch_x is no variable"]
    assert "warnings" not in answers[2]


class Templar:
    """Of what has no template in it."""

    def copy_with_new_env(self, available_variables):
        return self

    def is_template(self, raw):
        return False

    def template(self, raw):
        if raw == "{{ nope }}":
            raise AnsibleUndefinedVariable("'nope' is undefined")
        return raw


class HostVars(dict):
    def raw_get(self, name):
        return self[name]


ARGUMENTS = {"roles": ["source", "install", "trial"], "others": []}
NOTHING: dict[str, Any] = {"problems": [], "unknown": [], "taken": {}, "builders": []}


def given(variables, groups):
    return {"hostvars": HostVars(variables), "groups": groups}


def check():
    found = check_inventory.ActionModule.__new__(check_inventory.ActionModule)
    found._templar = Templar()
    return found


def looked(variables, groups=None):
    """What is wrong with the variables of the hosts: those of each, by its name."""
    return check()._variables(list(variables), given(variables, groups or {}), ARGUMENTS)


@pytest.mark.parametrize(
    "name", ["deploy_serial", "source_version", "trial_timeout", "trial_health_checks"]
)
def test_a_variable_without_a_value(name):
    (problem,) = looked({"t1": {name: None}})["problems"]
    assert problem.startswith(f"{name} is ")
    assert looked({"t1": {name: "{{ omit }}", "omit": "{{ omit }}"}})["problems"] == []


@pytest.mark.parametrize("name", ["deploy_serial", "deploy_before", "deploy_max_fail_percentage"])
def test_a_template_that_is_needed_now(name):
    (problem,) = looked({"t1": {name: "{{ nope }}"}})["problems"]
    assert problem == f"{name} is '{{{{ nope }}}}': 'nope' is undefined"
    assert looked({"t1": {"source_version": "{{ nope }}"}})["problems"] == []


TARGETS = {"kernel_builders": ["b"], "kernel_targets": ["t1", "t2", "t3"]}


def test_waves_of_another_host_than_the_first():
    hosts = {"b": {}, "t1": {"deploy_serial": 1}, "t2": {"deploy_serial": 5}, "t3": {}}
    (problem,) = looked(hosts, groups=TARGETS)["problems"]
    assert problem == (
        "deploy_serial is 5, but that of t1 counts, the first of kernel_targets (1): set it for "
        "the whole group [t2]"
    )
    hosts = {"b": {}, "t1": {}, "t2": {"deploy_max_fail_percentage": 5}, "t3": {}}
    (problem,) = looked(hosts, groups=TARGETS)["problems"]
    assert "(not set)" in problem


def test_gates_of_another_host_than_the_first():
    mine = [{"name": "x", "http": {"url": "http://x", "headers": {"A": "my-own-word"}}}]
    hosts = {"b": {}, "t1": {"deploy_gates": mine}, "t2": {"deploy_gates": []}, "t3": {}}
    (problem,) = looked(hosts, groups=TARGETS)["problems"]
    assert problem.startswith("deploy_gates is a value that is not shown, but that of t1 counts")
    assert "my-own-word" not in problem


def test_of_gates_in_a_vault_the_reason_is_shown():
    class EncryptedString(str):
        """As ansible-core calls its own."""

    headers = {"A": EncryptedString("my-own-word")}
    gates = [{"name": "x", "http": {"url": "http://x", "headers": headers, "path": "a"}}]
    (problem,) = looked({"t1": {"deploy_gates": gates}})["problems"]
    assert problem.startswith("deploy_gates[0] (x): http: path has no value to compare with")


def test_the_first_target_counts_where_the_limit_leaves_it_out():
    hosts = {"t1": {"deploy_serial": 1}, "t2": {"deploy_serial": 5}}
    (problem,) = check()._variables(["t2"], given(hosts, TARGETS), ARGUMENTS)["problems"]
    assert "that of t1 counts" in problem


@pytest.mark.parametrize(
    ("own", "wrong"),
    [
        (
            {"verify_health_timeout": 600},
            "verify_health_timeout is 600, but trial_timeout is 600: ",
        ),
        ({"verify_health_timeout": 100, "trial_timeout": "90"}, "100, but trial_timeout is 90: "),
        ({"verify_health_timeout": 599}, ""),
        ({"verify_health_timeout": 3600, "trial_timeout": 3601}, ""),
        # Nobody has asked for this wait.
        ({"trial_timeout": 60}, ""),
        ({"verify_health_timeout": "{{ nope }}"}, ""),
    ],
)
def test_a_wait_that_the_trial_boot_does_not_last(own, wrong):
    problems = looked({"t1": own, "t2": {}, "b": {}}, groups=TARGETS)["problems"]
    assert bool(problems) == bool(wrong)
    assert all(wrong in one and one.endswith("[t1]") for one in problems)
    assert looked({"b": own, "t1": {}}, groups=TARGETS)["problems"] == []


def test_a_tarball_that_is_no_builders():
    own = {"source_provider": "file"}
    (problem,) = looked({"b": dict(own), "t1": dict(own)}, groups=TARGETS)["problems"]
    assert problem.startswith("source_file is '': with source_provider file it has to be")
    assert problem.endswith(" [b]")


def test_a_repository_that_is_no_builders():
    own = {"source_provider": "git", "source_git_url": "/x", "source_git_ref": "refs/heads/main"}
    (problem,) = looked({"b": dict(own), "t1": dict(own)}, groups=TARGETS)["problems"]
    assert problem.startswith("source_git_verify is tag, but source_git_ref names a branch")
    assert problem.endswith(" [b]")


def test_the_form_of_a_text():
    (problem,) = looked({"b": {"source_sha256": "abc"}})["problems"]
    assert problem.startswith("source_sha256 is 'abc': it has to be 64")


def test_a_directory_instead_of_a_file(monkeypatch, tmp_path):
    monkeypatch.setattr(
        check_inventory.control_files, "find", lambda action, path, known, roles: path
    )
    (problem,) = looked({"b": {"deploy_before": str(tmp_path)}})["problems"]
    assert problem == f"deploy_before is {str(tmp_path)!r}: it is a directory: name a file in it"


@pytest.mark.parametrize("value", ["x", "5", "false", "", "[]"])
def test_the_place_of_a_misspelt_name(tmp_path, value):
    path = tmp_path / "all.yml"
    path.write_text(f"---\ntrail_reboot: {value}\n")
    (message,) = looked({"b": DataLoader().load_from_file(str(path))})["unknown"]
    assert message == (
        f"trail_reboot ({path}:2) is no variable of the collection: did you mean trial_reboot?"
    )


def test_an_old_name_is_refused_whatever_is_done_about_unknown_ones(tmp_path):
    path = tmp_path / "all.yml"
    path.write_text("---\ninstall_reboot: false\n")
    found = looked({"b": DataLoader().load_from_file(str(path))})
    (problem,) = found["problems"]
    assert problem == (
        f"install_reboot ({path}:2) is no longer read: its name is trial_reboot now. Rename it"
    )
    assert found["unknown"] == []


def test_an_old_name_that_is_the_users_own():
    own = {**ARGUMENTS, "others": ["install_kexec"]}
    variables = given({"b": {"install_kexec": 1}}, {})
    assert check()._variables(["b"], variables, own) == NOTHING


def test_a_misspelt_switch_on_the_command_line():
    place = given({"b": {"trail_reboot": False}}, {})
    place["hostvars"]._variable_manager = SimpleNamespace(_extra_vars={"trail_reboot": False})
    (message,) = check()._variables(["b"], place, ARGUMENTS)["unknown"]
    assert message.startswith("trail_reboot (option -e) is no variable")


def test_variables_of_the_check_itself():
    (problem,) = looked({"b": {"preflight_unknown_variables": "x"}})["problems"]
    assert problem == "preflight_unknown_variables is 'x': it has to be one of refuse, warn, ignore"


@pytest.mark.parametrize("own", [{}, {"deploy_serial": [1, "25%"]}])
def test_waves_that_are_everybodys(own):
    assert looked({name: dict(own) for name in ("b", "t1", "t2")}, groups=TARGETS) == NOTHING


class AnsibleVaultEncryptedUnicode:
    """As ansible-core before 2.19 has it: no text."""

    def __init__(self, text):
        self.text = text

    def __str__(self):
        return self.text


@pytest.mark.parametrize(
    ("name", "text"),
    [("source_version", "6.12.117"), ("version_extraversion", "-x"), ("install_keep", "3")],
)
def test_an_encrypted_value_is_read_as_its_text(name, text):
    assert looked({"t1": {name: AnsibleVaultEncryptedUnicode(text)}}) == NOTHING


@pytest.mark.parametrize("name", ["source_version", "source_sha256", "deploy_serial"])
def test_an_encrypted_value_is_not_shown(name):
    (problem,) = looked({"t1": {name: AnsibleVaultEncryptedUnicode("SEKRET 98")}})["problems"]
    assert problem.startswith(f"{name} is a value that is not shown")


def test_a_password_in_an_address_is_not_shown(tmp_path):
    address = "https://user:sekret@example.org/y.patch"
    found = looked({"t1": {"patch_series": [{"source": address}]}})["problems"]
    assert "sekret" not in str(found)


@pytest.mark.parametrize(
    ("name", "value", "count"),
    [("version_extraversion", -1, 0), ("source_version", 6, 1), ("install_keep", "1e3", 1)],
)
def test_a_number_for_a_text_is_its_text(name, value, count):
    assert len(looked({"t1": {name: value}})["problems"]) == count


class Lookups(Templar):
    def is_template(self, raw):
        return str(raw).startswith("{{")

    def template(self, raw):
        return {"{{ own }}": "/no/such/file"}.get(str(raw), raw)


@pytest.mark.parametrize(
    ("name", "host", "count"),
    [
        ("config_base", "t1", 0),
        ("config_base", "b1", 1),
        ("deploy_before", "t1", 1),
        ("deploy_before", "b1", 0),
    ],
)
def test_a_template_counts_where_it_is_used(name, host, count, monkeypatch):
    monkeypatch.setattr(check_inventory.control_files, "find", lambda *_: "/etc")
    found = check_inventory.ActionModule.__new__(check_inventory.ActionModule)
    found._templar = Lookups()
    groups = {"kernel_builders": ["b1"], "kernel_targets": ["t1"]}
    arguments = {"roles": ["source", "config", "deploy", "preflight"], "others": []}
    variables = {"b1": {}, "t1": {}, host: {name: "{{ own }}"}}
    problems = found._variables(["b1", "t1"], given(variables, groups), arguments)["problems"]
    assert len(problems) == count, problems


def test_waves_of_a_builder_are_nobodys():
    groups = {"kernel_builders": ["b1"], "kernel_targets": ["t1"]}
    assert looked({"b1": {"deploy_serial": 1}, "t1": {}}, groups) == NOTHING


def test_a_source_with_other_bytes_in_a_comment_is_read(tmp_path):
    path = tmp_path / "x.c"
    path.write_bytes(b"/* \xf3 */\nSYSCALL_DEFINE0(x)\n{\n\treturn 0;\n}\n")
    assert check_inventory._definition("patch_syscalls[0]", "x", path) == []


SEVERAL = {"kernel_builders": ["a", "b"], "kernel_targets": ["t1", "t2"]}


def several(**variables):
    """What is wrong with two builders and their targets, and whose kernel each target takes."""
    hosts = {"a": {}, "b": {}, "t1": {}, "t2": {"kernel_from": "b"}}
    for name, own in variables.items():
        hosts[name] = {**hosts[name], **own}
    # The defaults are templates, which nothing evaluates here.
    for name in ("a", "b"):
        own = {"version_extraversion": f"-{name}", "config_targets": [f"t of {name}"]}
        hosts[name] = {
            "source_provider": "kernel_org",
            "source_version": "6.8",
            **own,
            **hosts[name],
        }
    arguments = {"roles": ["source", "version", "patch", "config", "build"], "others": []}
    found = check()._variables(list(hosts), given(hosts, SEVERAL), arguments)
    return {**found, "problems": found["problems"] + found["builders"], "builders": []}


def test_several_builders():
    assert several() == {**NOTHING, "taken": {"t1": "a", "t2": "b"}}


def test_a_builder_that_nobody_is():
    (problem, _nobodys) = several(t2={"kernel_from": "c"}, b={"config_targets": []})["problems"]
    assert problem == (
        "kernel_from is 'c', which is no host of kernel_builders: name one of a, b [t2]"
    )


def test_the_only_builder_is_not_everybody_s_choice():
    hosts = {"a": {}, "t1": {"kernel_from": "b"}}
    groups = {"kernel_builders": ["a"], "kernel_targets": ["t1"]}
    found = check()._variables(list(hosts), given(hosts, groups), ARGUMENTS)
    assert found["problems"] == [
        "kernel_from is 'b', which is no host of kernel_builders: name one of a [t1]"
    ]


def test_who_does_not_build_is_not_refused_for_what_builders_do(monkeypatch, tmp_path):
    act = action(monkeypatch, tmp_path, [], builders=["together"])
    inventory = {"all": ["b", "t"], "kernel_builders": ["b"], "kernel_targets": ["t"]}
    none: list[str] = []
    for groups in ({"kernel_builders": none}, {"kernel_builders": ["build", "config"]}):
        assert "together" in act(groups, inventory, ["b", "t"])["msg"]
    for groups in ({"kernel_targets": none}, {"kernel_builders": ["install"]}):
        assert "failed" not in act(groups, inventory, ["b", "t"])


def test_a_choice_that_no_template_makes():
    (problem,) = several(t2={"kernel_from": "{{ nope }}"})["problems"]
    assert problem == "kernel_from is '{{ nope }}': 'nope' is undefined [t2]"


def test_two_kernels_of_one_release():
    (problem,) = several(b={"version_extraversion": "-a"})["problems"]
    assert problem.startswith("a and b would build different kernels of one release, 6.8.0-a: ")
    differs = {"version_extraversion": "-a", "config_options": {"LOCALVERSION": "-b"}}
    assert several(b=differs)["problems"] == []
    # A lock has a version of its own.
    assert several(b={"version_extraversion": "-a", "build_lock": "b.lock"})["problems"] == []


@pytest.fixture
def any_file(monkeypatch):
    monkeypatch.setattr(check_inventory.control_files, "find", lambda *_: __file__)


def calls(*names):
    return {"verify_calls": [{"name": name, "returns": 0} for name in names]}


def of_calls(**variables):
    problems = several(**variables)["problems"]
    return [problem for problem in problems if problem.startswith("verify_calls")]


@pytest.mark.usefixtures("any_file")
def test_a_call_of_a_syscall_that_the_kernel_will_not_have():
    own = [{"name": "add_three", "source": "/x.c", "kconfig": "X"}]
    hosts: dict[str, Any] = {
        "a": {"patch_syscalls": []},
        "b": {"patch_syscalls_extra": own, "patch_syscalls": []},
    }
    assert of_calls(**hosts, t2=calls("add_three")) == []
    assert of_calls(**hosts, t1=calls("add_three"), t2=calls("add_three", "add_tree")) == [
        "verify_calls[0] calls add_three, which is no syscall of the kernel of a: it has none [t1]",
        "verify_calls[1] calls add_tree, which is no syscall of the kernel of b: it has add_three "
        "[t2]",
    ]
    # A lock has syscalls of its own.
    locked = {"b": {**hosts["b"], "build_lock": "b.lock"}, "a": hosts["a"]}
    assert of_calls(**locked, t2=calls("add_tree")) == []


@pytest.mark.usefixtures("any_file")
def test_two_builders_of_one_build():
    same = {"version_extraversion": "-x", "config_targets": ["t"]}
    assert several(a=same, b=same)["problems"] == []
    (problem,) = several(a=same, b={**same, "patch_sysname": "Other"})["problems"]
    assert "of one release" in problem
    # Each has the hardware of its own targets.
    (problem,) = several(a=same, b={**same, "config_targets": ["u"]})["problems"]
    assert "of one release" in problem
    based = {"config_base": "x.config", "config_localmodconfig": False}
    assert (
        several(a={**same, **based}, b={**same, **based, "config_targets": ["u"]})["problems"] == []
    )


@pytest.mark.usefixtures("any_file")
def test_a_kernel_for_nobody():
    (problem,) = several(b={"config_targets": []}, t2={"kernel_from": ""})["problems"]
    assert problem.startswith("no target takes the kernel of b (kernel_from)")
    pulled = {"config_targets": [], "config_base": "x.config"}
    assert several(b=pulled, t2={"kernel_from": ""})["problems"] == []


def test_builders_are_compared_where_no_target_is_reached():
    hosts: dict[str, dict[str, Any]] = {"a": {}, "b": {}, "t1": {}, "t2": {}}
    for name in ("a", "b"):
        hosts[name] = {
            **{"source_provider": "kernel_org", "source_version": "6.8"},
            **{"version_extraversion": "-x", "config_targets": [f"t of {name}"]},
        }
    arguments = {"roles": ["source", "version", "patch", "config", "build"], "others": []}
    found = check()._variables(["a", "b"], given(hosts, SEVERAL), arguments)
    assert "different kernels of one release" in found["builders"][0]


def test_a_host_that_pulls_chooses_among_what_is_published():
    hosts = {"a": {}, "b": {}, "t1": {"kernel_from": "c"}, "t2": {}}
    found = check()._variables(
        list(hosts), given(hosts, SEVERAL), {"roles": ["pull"], "others": []}
    )
    assert found == NOTHING
