# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of what a trial boot has changed fails a host."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.oslab.kernel.plugins.action import show_checks, syscall_info
from ansible_collections.oslab.kernel.plugins.module_utils._verify import health, report
from ansible_collections.oslab.kernel.plugins.plugin_utils import health as judge
from ansible_collections.oslab.kernel.plugins.plugin_utils import host_answer

ROOT = Path(__file__).resolve().parents[4]
REQUIRED = list(health.REQUIRED)
SSH = {
    **{"kind": "unit", "name": "ssh.service", "before": "active (running)", "now": "failed"},
    "state": "lost",
}
ROUTE = {
    **{"kind": "default_route", "name": "IPv4 through eth0", "before": "by 192.0.2.1", "now": ""},
    "state": "lost",
}
SWAP = {"kind": "swap", "name": "/swap", "before": "file", "now": "", "state": "lost"}
DRIVER = {
    **{"kind": "device", "name": "pci 0000:00:1f.2", "before": "ata_piix", "now": "ahci"},
    "state": "changed",
}
NEWS = {"kind": "socket", "name": "tcp port 9", "before": "", "now": "::", "state": "new"}


def answer(*changes: Any, **more: Any) -> dict[str, Any]:
    return {
        **{"problem": "", "release": "6.1.0-44-amd64", "age": 60, "system": "running"},
        **{"seconds": 3, "changes": [*changes], "dropped": 0, "unread": [], **more},
    }


def verdict(of: Any, required: Any = None, *patterns: str) -> dict[str, Any]:
    allowed = [{"pattern": one, "reason": "known since May"} for one in patterns]
    return judge.verdict(of, judge.Settings(REQUIRED if required is None else required, allowed))


def read(of: dict[str, Any]) -> tuple[Any, str]:
    """Whether it passed, and what the table shows."""
    assert of["checks"][0]["name"] == "health"
    return of["checks"][0]["ok"], of["checks"][0]["actual"]


def test_the_choices_of_the_role() -> None:
    spec = yaml.safe_load((ROOT / "roles/verify/meta/argument_specs.yml").read_text())
    option = spec["argument_specs"]["main"]["options"]["verify_health_required"]
    assert sorted(option["choices"]) == sorted(health.KINDS)
    assert option["default"] == REQUIRED


def test_nothing_has_changed() -> None:
    found = verdict(answer())
    assert found["checks"] == [
        {
            "name": "health",
            "ok": True,
            "expected": "all that worked before",
            "actual": "none lost",
            "tolerance": None,
            "detail": "compared with the boot of 6.1.0-44-amd64; systemd says running, after 3 s",
        }
    ]
    assert report.failures(found["checks"]) == []


@pytest.mark.parametrize(
    ("age", "shown"),
    [
        (0, "amd64; systemd"),
        (3600, "amd64; systemd"),
        (7300, "amd64, 2 h ago; systemd"),
        (21 * 86_400 + 5, "amd64, 21 days ago; systemd"),
    ],
)
def test_an_old_record(age: int, shown: str) -> None:
    """The next reboot was the trial boot, and came weeks later."""
    assert shown in verdict(answer(age=age))["checks"][0]["detail"]


def test_no_trial_boot() -> None:
    assert verdict(None) == {"checks": [], "changes": [], "baseline": "", "system": ""}


def test_what_is_lost_fails_the_host_and_is_named() -> None:
    found = verdict(answer(SWAP, SSH, ROUTE, DRIVER, NEWS))
    assert read(found) == (False, "2 lost (1 gone, 1 changed, 1 new)")
    assert report.failures(found["checks"])[:-1] == [
        "health, unit ssh.service: expected active (running), read failed "
        "(it worked before the trial boot)",
        "health, default route IPv4 through eth0: expected by 192.0.2.1, read absent "
        "(it worked before the trial boot)",
    ]
    assert [one["fails"] for one in found["changes"]] == [True, True, False, False, False]


@pytest.mark.parametrize("state", ["gone", "changed", "new"])
def test_what_is_not_lost_fails_nothing(state: str) -> None:
    assert read(verdict(answer({**SSH, "state": state})))[0] is True


def test_kinds_are_switched(monkeypatch: pytest.MonkeyPatch) -> None:
    assert read(verdict(answer(SSH, SWAP), ["mount"])) == (True, "none lost (2 gone)")
    assert read(verdict(answer(SSH, SWAP), ["swap"])) == (False, "1 lost (1 gone)")
    assert read(verdict(answer(SSH), [])) == (True, "none lost (1 gone)")


@pytest.mark.parametrize("pattern", [r"^unit ssh\.service$", "ssh", "^unit "])
def test_what_is_allowed(pattern: str) -> None:
    found = verdict(answer(SSH), None, "cups", pattern)
    assert read(found) == (True, "none lost (1 allowed)")
    assert found["changes"][0]["reason"] == "known since May"


def test_another_pattern_allows_nothing() -> None:
    assert read(verdict(answer(SSH), None, "^ssh", "failed"))[0] is False


def test_what_is_unknown() -> None:
    found = verdict(answer(problem="no record"))
    assert read(found) == (None, "unknown")
    assert found["checks"][0]["detail"] == "no record"
    assert read(verdict(answer(unread=["unit"]))) == (None, "none lost (unreadable: unit)")
    assert read(verdict(answer(unread=["swap"]))) == (True, "none lost")
    assert read(verdict(answer(SSH, unread=["mount"], dropped=9)))[0] is False


def test_a_table_of_many_losses() -> None:
    lost = [{**SSH, "name": f"{number}.service"} for number in range(40)]
    found = verdict(answer(*lost))
    assert len(found["checks"]) == 11
    assert len(found["changes"]) == 40


# --- what is printed ----------------------------------------------------------------------------


def show(monkeypatch: pytest.MonkeyPatch, of: Any, wanted: str = "failures", *patterns: str) -> str:
    texts: list[str] = []
    monkeypatch.setattr(show_checks.display, "display", texts.append)
    action = show_checks.ActionModule.__new__(show_checks.ActionModule)
    allowed = [{"pattern": one, "reason": "known since May"} for one in patterns]
    question = {"answer": of, "before": None, "required": REQUIRED, "allowed": allowed}
    given = {"title": "web1", "sizes": None, "show": wanted, "fail": False, "kernel_log": None}
    action.act({"checks": [{"name": "release", "ok": True}], "health": question, **given}, {})
    return "\n".join(texts)


def test_a_change_is_shown_although_it_fails_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = show(monkeypatch, answer(DRIVER, NEWS))
    assert "web1: 2 checks, 2 ok\n\nchanged by" in shown
    assert "release" not in shown
    assert "device pci 0000:00:1f.2" in shown
    assert "| ata_piix | ahci | reported" in shown
    assert "tcp port 9" not in shown
    loud = show(monkeypatch, answer(DRIVER), "all")
    assert "release" in loud
    assert "ata_piix" in loud


def test_the_result_of_each_change(monkeypatch: pytest.MonkeyPatch) -> None:
    shown = show(monkeypatch, answer(SSH, ROUTE), "failures", "ssh")
    assert "allowed: known since May" in shown
    assert "FAILED" in shown
    assert show(monkeypatch, answer(NEWS)) == "web1: 2 checks, 2 ok"
    assert show(monkeypatch, None) == "web1: 1 checks, 1 ok"
    many = [{**DRIVER, "name": f"pci {number}"} for number in range(50)]
    assert show(monkeypatch, answer(*many)).endswith("and 20 more")


# --- the form of an answer ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("change", "wrong"),
    [
        ({}, ""),
        ({"changes": [{**SSH, "kind": "magic"}]}, "kind is 'magic', which has to match"),
        ({"changes": [{**SSH, "state": "worse"}]}, "state is 'worse', which has to match"),
        ({"changes": [{**SSH, "name": "a\nb"}]}, "name is 'a\\nb', which has to match"),
        ({"changes": [{"kind": "unit"}]}, "name is missing"),
        ({"changes": [SSH] * 81}, "changes has 81 entries and may have 80"),
        ({"unread": ["x"]}, "unread is 'x', which has to match"),
        ({"age": -1}, "age is -1, which has to match"),
        ({"seconds": "3"}, "seconds is '3' and has to be a number"),
        ({"release": "../x"}, "release is '../x', which has to match"),
    ],
)
def test_the_form_of_an_answer(change: dict[str, Any], wrong: str) -> None:
    given = {"kernel_log": None, "health": {**answer(SSH), **change}}
    assert wrong in host_answer.problem(given, syscall_info.FORMS)
    assert bool(wrong) == bool(host_answer.problem(given, syscall_info.FORMS))
