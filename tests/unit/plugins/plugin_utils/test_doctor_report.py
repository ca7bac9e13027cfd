# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the doctor says of a host: by what was recorded, and by the facts."""

from __future__ import annotations

from typing import Any, Optional

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils import doctor_report
from ansible_collections.oslab.kernel.plugins.plugin_utils.doctor_report import (
    BUILDER,
    CHECKS,
    TARGET,
    Check,
    checks,
    distribution,
    failures,
    header,
    machine,
    table,
)

KNOWN_DISTRIBUTIONS: dict[str, dict[str, list[str]]] = {
    "debian-12": {"tested": ["builder", "target"]},
    "ubuntu-24.04": {"tested": []},
}
FACTS: dict[str, Any] = {
    "release": "6.8.0-45-generic",
    "os_name": "Ubuntu 24.04.1 LTS",
    "os_id": "ubuntu",
    "os_version_id": "24.04",
    "machine": "x86_64",
    "dpkg_architecture": "amd64",
    "efi": True,
    "secure_boot": False,
    "trusted_certificates": None,
    "boot_loader": "grub",
    "root_filesystem": "ext4",
    "root_device": "/dev/vda1",
    "free_kib": {"/boot": 409600, "/": 2097152},
    "container": False,
    "xen_dom0": False,
    "initrd_program": "update-initramfs",
    "packages_held": [],
    "reboot_required": None,
    "dkms_modules": {},
}
GOOD = {"ok": True, "detail": ""}


def known(part: str = TARGET, facts: Optional[dict[str, Any]] = None, **results: Any) -> Any:
    """Of a host on which all went well but for what is named, `_` for a space."""
    # Of these nothing is recorded: the facts are judged.
    judged = ("distribution", *doctor_report.host_refusal.TOPICS)
    recorded = {name: GOOD for name in CHECKS[part] if name not in judged}
    recorded.update({name.replace("_", " "): result for name, result in results.items()})
    place = "doctor_builder_facts" if part == BUILDER else "install_host_facts"
    return {
        "doctor_results": {part: {name: one for name, one in recorded.items() if one}},
        "doctor_finished": {part: True},
        "install_missing": ["linux-image-6.12=1"],
        place: {**FACTS, **(facts or {})},
    }


def found(part: str = TARGET, **given: Any) -> dict[str, Check]:
    made = checks("web1", part, known(part, **given), KNOWN_DISTRIBUTIONS)
    assert [check.name for check in made] == list(CHECKS[part])
    return {check.name: check for check in made}


@pytest.mark.parametrize("part", [BUILDER, TARGET])
def test_a_good_host_passes_all(part: str) -> None:
    assert [check.name for check in found(part).values() if check.ok is not True] == []


@pytest.mark.parametrize(
    ("facts", "ok", "detail"),
    [
        ({"os_id": "debian", "os_version_id": "12"}, True, "debian-12: tested"),
        ({}, True, "ubuntu-24.04: believed to work, not tested (docs/reference/compatibility.md)"),
        ({"os_version_id": "25.10"}, False, "web1 runs ubuntu-25.10. Tested as a "),
        ({"os_id": "", "os_version_id": ""}, False, "web1 runs an unknown distribution."),
    ],
)
def test_a_distribution(facts: dict[str, Any], ok: bool, detail: str) -> None:
    for part in (BUILDER, TARGET):
        check = found(part, facts=facts)["distribution"]
        assert check.ok is ok
        assert detail in check.detail


def test_all_faults_of_the_facts_at_once() -> None:
    bad = {"container": True, "machine": "aarch64", "initrd_program": None, "secure_boot": True}
    of_host = found(facts=bad)
    failed = [check.name for check in of_host.values() if check.ok is False]
    assert failed == ["machine", "architecture", "Secure Boot", "initrd"]
    assert "build_image_signing_key" in of_host["Secure Boot"].detail


def test_a_certificate_that_the_firmware_knows() -> None:
    enforced = {"secure_boot": True, "trusted_certificates": [{"sha256": "1", "subject": "CN=a"}]}
    host = {**known(facts=enforced), "doctor_signer": {"sha256": "1", "issuer": "CN=b"}}
    of_host = {one.name: one.ok for one in checks("web1", TARGET, host, KNOWN_DISTRIBUTIONS)}
    assert of_host["Secure Boot"] is True


def test_a_recorded_problem_is_a_fail_and_hides_no_other() -> None:
    of_host = found(
        clock={"ok": False, "detail": "web1: the clock shows 1970. Set it."},
        free_space={"ok": False, "detail": "web1: /boot is full."},
    )
    failed = [check.name for check in of_host.values() if check.ok is False]
    assert failed == ["free space", "clock"]
    assert of_host["DKMS"].ok is True


@pytest.mark.parametrize("odd", [{"ok": "yes"}, {"ok": 1}, {}, {"detail": ""}, "x", True, []])
def test_only_a_plain_yes_is_a_pass(odd: Any) -> None:
    assert found(clock=odd or {"x": 1})["clock"].ok is False


def test_what_was_not_recorded_is_no_pass() -> None:
    assert found(clock=None)["clock"] == Check("web1", TARGET, "clock", None, "not checked")
    assert "nothing is published yet" in found(repository=None)["repository"].detail


@pytest.mark.parametrize("failed", ["answers", "root", "host facts"])
def test_what_could_not_be_checked_names_the_reason(failed: str) -> None:
    """No facts of an earlier time are judged."""
    order = list(CHECKS[TARGET])
    recorded = {name: GOOD for name in order[: order.index(failed)]}
    recorded[failed] = {"ok": False, "detail": "no route to host"}
    host = {"doctor_results": {TARGET: recorded}, "install_host_facts": {**FACTS, "failed": True}}
    made = checks("web1", TARGET, host, KNOWN_DISTRIBUTIONS)
    assert [check.name for check in made if check.ok is False] == [failed]
    rest = made[order.index(failed) + 1 :]
    assert {(check.ok, check.detail) for check in rest} == {(None, f"see {failed}")}


@pytest.mark.parametrize("nothing", [{}, {"doctor_results": 5}, {"doctor_finished": []}])
def test_a_host_that_was_lost_fails(nothing: dict[str, Any]) -> None:
    for host in (nothing, {**known(), "doctor_finished": {}}):
        made = checks("web1", TARGET, host, KNOWN_DISTRIBUTIONS)
        assert made[0].ok is False
        assert "web1 was lost before its checks ended" in made[0].detail


def test_a_host_that_was_lost_in_the_middle() -> None:
    host = known(clock=None, DKMS=None)
    made = checks("web1", TARGET, {**host, "doctor_finished": {}}, KNOWN_DISTRIBUTIONS)
    rest = {check.name: check.detail for check in made if check.ok is None}
    assert rest == {"clock": "see answers", "DKMS": "see answers"}


def test_facts_that_were_refused_are_not_judged() -> None:
    assert doctor_report.facts_of(TARGET, {"install_host_facts": {**FACTS, "failed": True}}) == {}
    refused = found(host_facts={"ok": False, "detail": "release is 5"})
    assert refused["distribution"][3:] == (None, "see host facts")


def test_notes_of_checks_that_passed() -> None:
    of_host = found(facts={"reboot_required": ["libc6"], "dkms_modules": {"zfs/2.1": []}})
    assert of_host["pending reboot"].detail.startswith("one is pending (libc6);")
    assert of_host["DKMS"].detail == "builds zfs/2.1"
    unnamed = found(facts={"reboot_required": []})["pending reboot"]
    assert "(/run/reboot-required)" in unnamed.detail


# --- what is printed ----------------------------------------------------------------------------


def test_the_size_of_a_kernel_that_is_not_published_is_not_known() -> None:
    unpublished = {**known(), "install_missing": ["linux-image-RELEASE="]}
    of_host = {
        one.name: one.detail for one in checks("web1", TARGET, unpublished, KNOWN_DISTRIBUTIONS)
    }
    assert "known once one is published" in of_host["free space"]
    assert found()["free space"].detail == ""


def test_a_machine() -> None:
    assert machine(FACTS) == (
        "Ubuntu 24.04.1 LTS; kernel 6.8.0-45-generic; x86_64 (amd64); UEFI, Secure Boot off; "
        "loaded by grub; root ext4 on /dev/vda1; free: /boot 400 MiB, / 2048 MiB"
    )
    assert "; BIOS; " in machine({**FACTS, "efi": False})
    assert "Secure Boot unknown" in machine({**FACTS, "secure_boot": None})
    assert "Secure Boot on" in machine({**FACTS, "secure_boot": True})
    assert machine({}) == ""


def test_the_machines_on_top() -> None:
    lines = header(
        "oslab.kernel 1",
        {("a", BUILDER): "", ("a", TARGET): machine(FACTS), ("b", TARGET): ""},
    )
    assert lines[0] == "oslab.kernel 1"
    assert [line[:2] for line in lines[1:]] == ["a:", "  ", "b:", ""]
    assert lines[3] == "b: no facts"


def test_a_table() -> None:
    long = "web1: " + "the clock is wrong and somebody has to set it. " * 4
    lines = table(
        [
            Check("web1", TARGET, "answers", True, ""),
            Check("web1", TARGET, "clock", False, long),
            Check("web2", TARGET, "answers", False, "web2 does not answer"),
            Check("web2", TARGET, "root", None, "see answers"),
            Check("web2", TARGET, "clock", None, "see answers"),
        ]
    )
    assert lines[0].split() == ["check", "|", "result", "|", "detail"]
    assert lines[2:4] == ["web1 (target)", "answers         | PASS   |"]
    assert lines[4].startswith("clock           | FAIL   | web1: the clock is wrong")
    assert lines[5].startswith("                |        | ")
    assert "2 others        | -      | see answers" in lines
    assert lines[-1] == "5 checks, 1 PASS, 2 FAIL, 2 not checked"
    assert max(map(len, lines)) == 100


EVIL = "a\x1b[1A\r\n\u202e| PASS | 文字" * 20


def test_texts_of_others_are_plain_and_fit() -> None:
    rows = table([Check(EVIL, TARGET, "clock", False, EVIL)])
    top = header(EVIL, {(EVIL, TARGET): machine({**FACTS, "os_name": EVIL})})
    assert all(line.isprintable() for line in rows + top)
    assert all(doctor_report.plain_text.width(line) <= 100 for line in rows + top)
    assert {line.count("|") for line in rows} == {0, 2}


@pytest.mark.parametrize(
    "text",
    [
        "cannot fetch https://bob:s3cret@example.org/x.",
        "cannot fetch https://s3cret@example.org/x.",
        "x" * 570 + " https://bob:s3cretS3cretS3cretS3cretS3cret@example.org/",
    ],
)
def test_no_passwords(text: str) -> None:
    check = Check("web1", TARGET, "repository", False, text)
    for shown in ("\n".join(table([check])), *failures([check])):
        assert "s3cret" not in shown
        assert "bob" not in shown


def test_a_distribution_is_tested_as_what_it_was() -> None:
    known = {"debian-13": {"tested": ["target"]}}
    facts = {"os_id": "debian", "os_version_id": "13"}
    assert distribution("web1", TARGET, facts, known) == (True, "debian-13: tested")
    assert "believed" in distribution("web1", BUILDER, facts, known)[1]
