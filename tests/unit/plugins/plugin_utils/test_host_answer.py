# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""host_answer: texts of a host are safe to print, and an answer of the wrong form is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.oslab.kernel.plugins.action import host_kernel_info, syscall_info
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._host import facts as facts_of
from ansible_collections.oslab.kernel.plugins.module_utils._verify import health, kernel_log
from ansible_collections.oslab.kernel.plugins.modules import host_kernel_info as module
from ansible_collections.oslab.kernel.plugins.plugin_utils import host_answer

EVIL = "a\x1b[2J\nok: [web1]"


def test_all_texts_of_an_answer() -> None:
    answer = {
        "release": EVIL,
        EVIL: [{EVIL: EVIL}, (EVIL, 5, None, True)],
        "msg": EVIL,
        "manifest": {"banner": EVIL},
        "stdout": EVIL,
        "diff": {"before": EVIL},
        "warnings": [EVIL],
    }
    lined, line = "a\\x1b[2J\nok: [web1]", "a\\x1b[2J\\nok: [web1]"
    assert host_answer.plain(answer, ["manifest"]) == {
        "release": line,
        line: [{line: line}, (line, 5, None, True)],
        "msg": "a\\x1b[2J ok: [web1]",
        "manifest": {"banner": lined},
        "stdout": lined,
        "diff": {"before": lined},
        "warnings": [line],
    }


def test_what_a_builder_returns_stays_and_its_messages_have_lines() -> None:
    answer = {"manifest": {"banner": EVIL}, "msg": EVIL, "failed": True}
    assert host_answer.plain_messages(answer) == {**answer, "msg": "a\\x1b[2J\nok: [web1]"}


def test_errors_and_warnings_that_are_objects() -> None:
    messages = pytest.importorskip("ansible.module_utils._internal._messages")
    error = messages.ErrorSummary(
        event=messages.Event(msg=EVIL, formatted_traceback=f"in x\n{EVIL}")
    )
    plain = host_answer.plain({"exception": error, "warnings": [error]})
    for found in (plain["exception"], *plain["warnings"]):
        assert isinstance(found, messages.ErrorSummary)
        assert found.event.msg == "a\\x1b[2J ok: [web1]"
        assert found.event.formatted_traceback == "in x\na\\x1b[2J\nok: [web1]"


# --- the form -----------------------------------------------------------------------------------


@pytest.fixture
def facts(tmp_path: Path) -> dict[str, Any]:
    """Of a host that has nothing but a kernel's name."""
    release = tmp_path / "proc/sys/kernel/osrelease"
    release.parent.mkdir(parents=True)
    release.write_text("6.1.0-44-amd64\n")
    host = facts_of.Host(lambda _argv: Result(127), root=tmp_path)
    found = facts_of.gather(host, ["linux-image-x"], ["/etc/hosts"])[0]
    line = "UBSAN: shift-out-of-bounds in drivers/ata/libata-core.c:1123:22"
    log = kernel_log.Log([kernel_log.Record(0, line)], True, [kernel_log.KMSG])
    found["kernel_log"] = kernel_log.gather(tmp_path, lambda: log)
    found["health"] = health.encoded(health.gather(tmp_path, lambda _argv, _seconds: ""))
    return {**found, "boots_default_kernel": None, "modules_as_wanted": None}


def test_what_the_module_returns_has_the_form(facts: dict[str, Any]) -> None:
    # The control node adds when the answer came.
    documented = set(yaml.safe_load(module.RETURN)) - {"answered"}
    assert set(host_kernel_info.FORMS) == set(facts) == documented
    assert host_answer.problem(facts, host_kernel_info.FORMS) == ""


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"release": 5}, "release is 5 and has to be text"),
        ({"release": None}, "release is None"),
        ({"release": "../../etc"}, "release is '../../etc', which has to match"),
        ({"release": EVIL}, r"release is 'a\x1b[2J\nok: [web1]', which has to match"),
        ({"modules": "ext4"}, "modules is 'ext4' and has to be a list"),
        ({"modules": ["ext4", {}]}, "has to have text in it"),
        ({"essential_modules": ["ext4 1 0\nx"]}, r"essential_modules is 'ext4 1 0\nx'"),
        ({"boot_config": "/etc/x\ny"}, "boot_config is"),
        ({"free_kib": {"/": "much"}}, "has to have a number in it"),
        ({"time": True}, "time is True and has to be a number"),
        ({"trusted_certificates": ["x"]}, "has to have a dictionary in it"),
        ({"secure_boot": "no"}, "secure_boot is 'no' and has to be yes or no"),
    ],
)
def test_an_answer_of_another_form(
    facts: dict[str, Any], change: dict[str, Any], wrong: str
) -> None:
    assert wrong in host_answer.problem({**facts, **change}, host_kernel_info.FORMS)


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({"complaints": None}, "in kernel_log, complaints is None and has to be a list"),
        ({"complaints": ["x"]}, "has to have a dictionary in it"),
        ({"complaints": [{}] * 61}, "complaints has 61 entries and may have 60"),
        ({"complaints": [{}]}, "in kernel_log, in complaints, kind is missing"),
        ({"kind": "no kind"}, "kind is 'no kind', which has to match panic|oops"),
        ({"name": "a\nb"}, "name is 'a\\nb', which"),
        ({"name": "x" * 3000}, "name is 'xxx"),
        ({"count": -1}, "count is -1, which has to match"),
        ({"lines": ["x"] * 17}, "lines has 17 entries and may have 16"),
        ({"lines": ["x" * 3000]}, "lines is 'xxx"),
        ({"lines": [5]}, "lines is [5] and has to have text in it"),
        ({"tainted": "1"}, "tainted is '1' and has to be a number"),
        ({"sources": ["x"] * 3}, "sources has 3 entries and may have 2"),
        ({"baseline": {"complaints": ["x"]}}, "in baseline, complaints is 'x', which"),
    ],
)
def test_a_log_of_another_form(facts: dict[str, Any], change: dict[str, Any], wrong: str) -> None:
    log = facts["kernel_log"]
    for name, value in change.items():
        (log["complaints"][0] if name in log["complaints"][0] else log)[name] = value
    for action in (host_kernel_info, syscall_info):
        assert wrong in host_answer.problem(facts, action.FORMS)


BOOT = "01234567-89ab-cdef-0123-456789abcdef"
RECORD = {
    "image": "linux-image-6.12.117-49-usac1=6.12.117-oslab1.0123456789ab",
    "boot_id": BOOT,
    "fallback": "6.1.0-38-amd64",
    "complete": True,
    "confirmed": False,
    "failures": [{"image": "linux-image-6.1=1", "date": "2026-11-29", "reason": "It hung."}],
    "trial_boot": {"image": "linux-image-6.1=2", "boot_id": BOOT},
    "kernel_log": {
        "release": "6.1.0-38-amd64",
        "tainted": 0,
        "complaints": ["firmware:0123456789abcdef"],
    },
}


def test_what_hosts_answer(facts: dict[str, Any]) -> None:
    full = {
        **facts,
        "packages": {"libstdc++6": "1:12.2.0-14+deb12u1", "oslab-kernel-tools": "6.12~rc1-1"},
        "oslab_releases": ["6.12.117-49-usac1", "6.6.0-rc1+"],
        "install_record": RECORD,
        "files": {"/etc/x": "ab" * 32, "/etc/y": None},
        "free_kib": {"/": 0, "/boot": 1 << 40},
        "reboot_required": ["linux-base"],
        "watchdogs": ["iTCO_wdt"],
        "dkms_modules": {"zfs/2.1.11": ["6.1.0-38-amd64"], "wl/6.30.223.271+bdcom": []},
        "dkms_automatic": ["zfs/2.1.11"],
        "boot_id": BOOT,
        "trial": "6.12.117-49-usac1",
        "initrd_program": "dracut",
    }
    assert host_answer.problem(full, host_kernel_info.FORMS) == ""
    # Of a kernel that was there before, or of a run that was cut off early.
    less = {**full, "install_record": {"complete": True, "failures": [], "trial_boot": {}}}
    assert host_answer.problem(less, host_kernel_info.FORMS) == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("release", "-rf"),
        ("release", "6.1\nGRUB_X=1"),
        ("release", "6" * 65),
        ("boot_id", "{{ lookup('pipe', 'id') }}"),
        ("boot_loader", "lilo"),
        ("initrd_program", "sh"),
        ("packages", ["linux-image"]),
        ("packages", {"x": None}),
        ("packages_unfinished", ["--force-all"]),
        ("dkms_modules", {"../x": []}),
        ("dkms_automatic", ["-m"]),
        ("packages_held", "all"),
        ("oslab_packages", {"-oDPkg::Pre-Invoke::=id": "1"}),
        ("oslab_releases", [".."]),
        ("files", {"/etc/x": 1}),
        ("free_kib", {"/": True}),
        ("free_kib", {"/": -1}),
        ("health", "x\ny"),
        ("health", "x" * 300_000),
        ("health", {}),
        ("time", 1 << 70),
        ("trial", "a b"),
        ("systemd", "yes"),
        ("systemd_version", -1),
        ("watchdogs", None),
        ("trial_report", 7),
        ("install_record", {**RECORD, "image": "linux-image-6.1"}),
        ("install_record", {**RECORD, "image": ["linux-image-6.1=1"]}),
        ("install_record", {**RECORD, "fallback": "../6.1"}),
        ("install_record", {**RECORD, "fallback": "\n"}),
        ("install_record", {**RECORD, "complete": "no"}),
        ("install_record", {**RECORD, "confirmed": None}),
        ("install_record", {**RECORD, "failures": ["x"]}),
        ("install_record", {**RECORD, "failures": [{"image": "linux-image-6.1=1"}]}),
        ("install_record", {**RECORD, "failures": [{"image": "x", "date": "", "reason": ""}]}),
        ("install_record", {**RECORD, "trial_boot": {"image": "linux-image-6.1"}}),
        ("install_record", {**RECORD, "trial_boot": {"boot_id": ["x"]}}),
    ],
)
def test_what_cannot_be_used(facts: dict[str, Any], name: str, value: Any) -> None:
    wrong = host_answer.problem({**facts, name: value}, host_kernel_info.FORMS)
    assert wrong.startswith((f"{name} is ", f"in {name}, "))
    assert wrong.isprintable()
    assert len(wrong) < 300


def test_one_that_lacks_something(facts: dict[str, Any]) -> None:
    for name in host_kernel_info.FORMS:
        less = {key: value for key, value in facts.items() if key != name}
        assert host_answer.problem(less, host_kernel_info.FORMS) == f"{name} is missing"


def test_no_answer_brings_facts() -> None:
    """Ansible would make variables of them, stronger than the inventory's."""
    answer = {"ansible_facts": {"build_make_args": ["--eval=$(shell id)"]}, "changed": False}
    assert host_answer.plain(answer) == {"changed": False}
    assert host_answer.plain_messages(answer) == {"changed": False}
