# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the control node takes from the results of a target's tasks."""

from __future__ import annotations

from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._host import apt_removal, secure_boot
from ansible_collections.oslab.kernel.plugins.plugin_utils import doctor_report, this_run
from ansible_collections.oslab.kernel.tests.lib import hostile
from hypothesis import example, given

BY = {"by": {"run": "node 12 34", "text": "Ada on x", "seconds": 100}}


@example({"by": "somebody"})
@example({"by": {"run": "node ² 3"}})
@given(hostile.values(BY))
def test_who_has_a_host(result: Any) -> None:
    found = this_run.lock_holder(result if isinstance(result, dict) else {"by": result})
    if found:
        assert found.seconds // 60 is not None
        this_run.is_gone(found.run)


@given(hostile.texts(f"{this_run.node()} 99999999 1", f"{this_run.node()} ² 1"))
def test_runs(text: str) -> None:
    this_run.is_gone(text)


INFO = {"secure_boot": True, "trusted_certificates": [{"sha256": "0", "subject": "CN=a"}]}
SIGNER = {"sha256": "1", "subject": "CN=b", "issuer": "CN=b"}


@given(hostile.values(INFO))
def test_what_a_firmware_trusts(info: Any) -> None:
    if isinstance(info, dict):
        assert isinstance(secure_boot.problem("host", info, SIGNER), str)


@given(hostile.texts("Remv linux-image-1 [1]\nRemv b [2]\n"))
def test_what_apt_would_remove(text: str) -> None:
    apt_removal.unneeded(lambda _argv: Result(0, text), ["b", "c"], ["c"])


DOCTOR = {
    "doctor_results": {
        "target": {
            "answers": {"ok": True, "detail": ""},
            "root": {"ok": True, "detail": ""},
            "clock": {"ok": False, "detail": "web1: the clock shows 1970. Set it."},
        }
    },
    "doctor_finished": {"target": True},
}


@given(hostile.values(DOCTOR), hostile.texts("web1", "web1: cannot reach http://a:b@c/d"))
def test_what_the_doctor_has_recorded(known: Any, text: str) -> None:
    given_results = known if isinstance(known, dict) else {"doctor_results": known}
    found = doctor_report.checks("web1", "target", given_results, {})
    assert [check.name for check in found] == list(doctor_report.CHECKS["target"])
    found.append(doctor_report.Check(text, "target", "clock", False, text))
    lines = doctor_report.table(found)
    assert all(line.isprintable() and plain_text.width(line) <= 100 for line in lines), lines


MACHINE = {
    **{"release": "6.1", "os_name": "Debian 12", "machine": "x86_64", "dpkg_architecture": "amd64"},
    **{"efi": True, "secure_boot": None, "boot_loader": "grub", "root_filesystem": "ext4"},
    **{"root_device": "/dev/vda1", "free_kib": {"/boot": 4096}},
}


@given(hostile.values(MACHINE))
def test_a_machine_in_a_report(facts: Any) -> None:
    if isinstance(facts, dict):
        lines = doctor_report.header("x", {("web1", "target"): doctor_report.machine(facts)})
        assert all(line.isprintable() and plain_text.width(line) <= 100 for line in lines), lines
