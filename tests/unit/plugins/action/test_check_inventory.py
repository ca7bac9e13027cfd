# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables are looked at once in a run, groups in each playbook."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
from ansible import constants
from ansible.plugins.action import ActionBase
from ansible_collections.oslab.kernel.plugins.action import check_inventory


def action(monkeypatch, tmp_path, looked, unknown=()):
    def variables(self, names, given, arguments):
        looked.append(list(names))
        return {"problems": [], "unknown": list(unknown)}

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
    looked = []
    act = action(monkeypatch, tmp_path, looked)
    inventory = {"all": ["b", "x"], "kernel_builders": ["b"]}
    assert act({"kernel_builders": []}, inventory, ["b", "x"]) == {"changed": False, "problems": 0}
    second = act({"kernel_targets": []}, inventory, ["b", "x"])
    assert second["failed"]
    assert "no group kernel_targets" in second["msg"]
    assert "ansible_connection: local" in second["msg"]
    # Hosts of neither group are not ours to judge.
    assert looked == [["b"]]


def test_unknown_names(monkeypatch, tmp_path):
    act = action(monkeypatch, tmp_path, [], ["patch_x is no variable"])
    told = [act({}, {"all": ["b"]}, ["b"], what) for what in ("refuse", "warn", "ignore")]
    assert [answer.get("failed", False) for answer in told] == [True, False, False]
    assert "preflight_other_variables" in told[0]["msg"]
    assert told[1]["warnings"] == ["patch_x is no variable"]
    assert "warnings" not in told[2]


class Templar:
    """Of what has no template in it."""

    def copy_with_new_env(self, available_variables):
        return self

    def is_template(self, raw):
        return False

    def template(self, raw):
        return raw


def looked(variables, roles=("source", "install"), groups=None):
    """What is wrong with the variables of the hosts: those of each, by its name."""

    class HostVars(dict):
        def raw_get(self, name):
            return self[name]

    action = check_inventory.ActionModule.__new__(check_inventory.ActionModule)
    action._templar = Templar()
    given = {"hostvars": HostVars(variables), "groups": groups or {}}
    return action._variables(list(variables), given, {"roles": list(roles), "others": []})


@pytest.mark.parametrize(
    "name", ["deploy_serial", "source_version", "install_trial_timeout", "install_health_checks"]
)
def test_a_variable_without_a_value(name):
    (told,) = looked({"t1": {name: None}})["problems"]
    assert told.startswith(f"{name} is ")
    assert looked({"t1": {name: "{{ omit }}", "omit": "{{ omit }}"}})["problems"] == []
