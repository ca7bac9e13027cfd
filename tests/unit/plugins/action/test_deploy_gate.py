# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which gates a wave has, who is asked to answer, and what is returned."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Optional

import pytest
from ansible_collections.oslab.kernel.plugins.action import deploy_gate
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result

SOAK = {"name": "soak", "soak": 600}
CHECK = {"name": "check", "command": ["check"], "limit": 0}
EARLY = {"name": "early", "command": ["early"], "limit": 0, "before_first": True}
NOW = 1_000_000


class World:
    def __init__(self, status: int = 0) -> None:
        self.status, self.passed = status, 0.0

    def now(self) -> float:
        return NOW + self.passed

    monotonic = now

    def sleep(self, seconds: float) -> None:
        self.passed += seconds

    def run(self, argv: Any, seconds: float) -> Result:
        return Result(self.status, "", "disk full")


@pytest.fixture
def printed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    texts: list[str] = []
    monkeypatch.setattr(deploy_gate.display, "display", texts.append)
    return texts


def act(
    part: str,
    batch: str = "b",
    soak: Optional[dict[str, Any]] = None,
    hosts: Optional[dict[str, Any]] = None,
    done: tuple[str, ...] = (),
    gates: Any = (SOAK, CHECK, EARLY),
    world: Any = None,
    check: bool = False,
) -> dict[str, Any]:
    action = deploy_gate.ActionModule.__new__(deploy_gate.ActionModule)
    action._task = SimpleNamespace(check_mode=check)
    fake: Any = world or World()
    action.world = fake
    known: dict[str, Any] = {name: {} for name in (*"abcd", *done)}
    known["a"]["deploy_gate_result"] = {"wave": 1}
    variables = {
        "hostvars": {**known, **(hosts or {})},
        "groups": {"oslab_current": list(done)} if done else {},
        "ansible_play_batch": list(batch),
        "ansible_play_hosts_all": [*"abcd"],
        "ansible_play_hosts": [*"abcd"],
    }
    arguments = {"gates": list(gates), "part": part, "soak": soak or {}}
    return action.act(arguments, variables)


def test_the_first_wave_has_only_gates_that_say_so(printed: list[str]) -> None:
    assert act("soak", "a")["ask"] == []
    result = act("others", "a")
    assert result["wave"] == 1
    assert [gate["name"] for gate in result["gates"]] == ["early"]
    assert printed == ["Wave 1, gate 'early' (command: early): yes after 0 s: early ended with 0"]


def test_a_later_wave_has_them_all(printed: list[str]) -> None:
    world = World()
    soak = act("soak", world=world)
    assert (soak["wave"], soak["ask"], soak["since"]) == (2, ["a"], NOW)
    assert world.passed == 600
    answered = {"b": {"deploy_asked": {"results": [{"item": "a", "elapsed": 0}]}}}
    result = act("others", soak=soak, hosts=answered, world=world)
    assert "failed" not in result
    assert [gate["name"] for gate in result["gates"]] == ["soak", "check", "early"]
    assert len(printed) == 4  # one of them at the beginning of the soak


def test_no_names_the_gate_and_the_answer(printed: list[str]) -> None:
    result = act("others", gates=[CHECK], world=World(status=3))
    assert result["failed"]
    assert "The gate 'check' (command: check) says no: check ended with 3" in result["msg"]
    assert result["gates"][0]["passed"] is False


@pytest.mark.parametrize(
    "answer",
    [
        [],
        [{"item": "a", "msg": "timed out waiting for ping module test"}],
        [{"item": "a", "unreachable": True}],
        [{"item": "a", "skipped": True}],
        [{"item": "b"}],
    ],
)
def test_a_host_that_does_not_answer_after_the_soak(answer: Any, printed: list[str]) -> None:
    soak = act("soak")
    result = act("others", soak=soak, hosts={"b": {"deploy_asked": {"results": answer}}})
    assert result["failed"]
    assert "The gate 'soak' (soak) says no: at its end a did not answer." in result["msg"]
    (gate,) = result["gates"]
    assert not gate["passed"]


def facts(answered: Any, uptime: Any) -> dict[str, Any]:
    return {"install_host_facts": {"answered": answered, "uptime": uptime}}


def test_a_second_run_has_the_hosts_of_the_first_before_it(printed: list[str]) -> None:
    world = World()
    hosts = {"x": facts(NOW, 9000), "y": facts(NOW, 500)}
    soak = act("soak", "a", hosts=hosts, done=("x", "y"), world=world)
    # No second soak: the last host has run for 500 of the 600 seconds.
    assert world.passed == 100
    assert soak["ask"] == ["y"]
    assert soak["since"] == NOW - 500
    over = World()
    assert act("soak", "a", hosts={"x": facts(NOW, 9000)}, done=("x",), world=over)["ask"] == []
    assert over.passed == 0


@pytest.mark.parametrize("odd", [None, {}, facts("x", "y"), facts(NOW, None), facts(NOW, -1e9)])
def test_odd_facts_make_nobody_wait_longer(odd: Any, printed: list[str]) -> None:
    world = World()
    known = odd if isinstance(odd, dict) else {"install_host_facts": odd}
    act("soak", "a", hosts={"x": known}, done=("x",), world=world)
    assert world.passed <= 600


def test_check_mode_asks_nothing(printed: list[str]) -> None:
    world = World(status=1)
    soak = act("soak", check=True, world=world)
    result = act("others", check=True, world=world)
    assert soak["predicted"] == [{"name": "soak", "kind": "soak"}]
    assert [gate["name"] for gate in result["predicted"]] == ["check", "early"]
    assert printed[0] == "Wave 2 would wait for gate 'soak' (soak: 600 s), at most 600 s"
    assert world.passed == 0
    assert "failed" not in result


def test_what_is_no_gate_is_refused_here_too() -> None:
    result = act("others", gates=[{"name": "x"}])
    assert result["failed"]
    assert result["msg"].startswith("deploy_gates: it has to have one of")
