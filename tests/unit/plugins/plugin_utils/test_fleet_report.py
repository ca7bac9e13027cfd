# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils.fleet_report import report, standing

EVIL = "6.8\x1b[1A\r\u202e\n10 hosts, 10 verified | verified"
ID = "0918e21707e0a83a35ec70e4505a479a"


def verified(downtime: int = 0, rebooted: bool = True) -> dict[str, Any]:
    return {
        "verify_result": {"release": "6.12-x", "manifest": {"build_id": ID}},
        "verify_shown": {"failures": []},
        "trial_result": {"rebooted": rebooted, "downtime": downtime},
    }


def test_where_the_time_went() -> None:
    known = verified(39)
    known["trial_result"]["stages"] = {"kernel": 4.0, "user_space": 26.0}
    lines = report([standing("a", known), standing("b", verified(rebooted=False))])
    assert lines[-2] == "down (median): kernel 4 s, user space until ssh 26 s"


def test_how_long_the_verification_took() -> None:
    known = {name: verified(39) for name in "abc"}
    known["a"]["trial_result"]["verification"] = 40
    known["b"]["trial_result"]["verification"] = 61
    lines = report([standing(name, values) for name, values in known.items()])
    assert lines[-2] == "from the first answer until confirmed (median): 50 s"


def cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.split("|")]


def test_hosts_that_stand_alike_are_one_line() -> None:
    known = {"a": verified(30), "b": verified(41), "c": verified(rebooted=False)}
    lines = report(standing(name, values) for name, values in known.items())
    assert cells(lines[2]) == [
        *("3", "6.12-x", "0918e21707e0", "verified", "30-41 s", "a, b, c"),
    ]
    assert lines[-1] == "3 hosts, 3 verified"
    assert len(lines) == 5


@pytest.mark.parametrize(
    ("known", "state"),
    [
        ({}, "NO ANSWER"),
        ({"verify_result": {"unreachable": True}}, "NO ANSWER"),
        ({"verify_result": {"release": "6.1", "manifest": None}}, "not verified"),
        ({**verified(), "verify_shown": {"failures": ["sysname"]}}, "CHECKS FAILED"),
        ({"trial_failure": "it did not come back"}, "NOT CONFIRMED"),
        # A check run shows nothing.
        ({"verify_result": {"release": "6.1"}, "verify_shown": {"skipped": True}}, "not verified"),
    ],
)
def test_a_host_that_is_not_verified_is_shown(known: dict[str, Any], state: str) -> None:
    lines = report([standing("good", verified()), standing("bad", known)])
    assert state in [cells(line)[3] for line in lines if line.endswith("| bad")]
    assert lines[-1] == "2 hosts, 1 verified"


def test_another_build_is_another_line() -> None:
    other = verified()
    other["verify_result"]["manifest"]["build_id"] = "f" * 64
    lines = report([standing("a", verified()), standing("b", other), standing("c", verified())])
    assert [cells(line)[5] for line in lines[2:4]] == ["a, c", "b"]


def test_it_does_not_grow_with_the_fleet() -> None:
    lines = report(standing(f"web{n}", verified(n % 7)) for n in range(10_000))
    assert len(lines) == 5
    assert cells(lines[2])[4:] == ["0-6 s", "web0, web1, web2, web3, web4, web5 and 9994 more"]


@pytest.mark.parametrize("odd", [EVIL, 7, None, [], {"x": EVIL}])
def test_what_one_host_answers_is_its_own_line(odd: Any) -> None:
    evil = verified()
    evil["verify_result"] = {"release": odd, "manifest": {"build_id": odd}}
    evil["trial_result"] = {"rebooted": odd, "downtime": odd}
    lines = report([standing("good", verified(3)), standing("bad\r", evil)])
    assert all(line.isprintable() for line in lines)
    assert len(lines) == 6
    assert cells(next(line for line in lines if line.endswith("| good")))[4] == "3 s"
    assert lines[2].count("|") == lines[3].count("|") == 5


def test_a_host_that_was_left_out_is_counted() -> None:
    known = {"deploy_excluded": {"failed": True, "msg": "bad is left out"}}
    lines = report([standing("good", verified()), standing("bad", known)])
    assert "EXCLUDED" in [cells(line)[3] for line in lines if line.endswith("| bad")]
    assert lines[-1] == "2 hosts, 1 verified"
    assert standing("good", {**verified(), "deploy_excluded": {"skipped": True}}).outcome.state == (
        "verified"
    )


def test_names_of_hosts_are_not_cut() -> None:
    names = [f"{'x' * 50}{n}.example.org" for n in range(6)]
    assert report(standing(name, verified()) for name in names)[2].endswith(", ".join(names))
