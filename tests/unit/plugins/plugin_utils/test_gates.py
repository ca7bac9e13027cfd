# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gates in a world without time: a pause moves its clock."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from typing import Any, Callable, Optional

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.plugin_utils import gate_entries, gates
from ansible_collections.oslab.kernel.plugins.plugin_utils.gate_kinds import (
    BODY,
    GateError,
    InterruptedByUserError,
    Reply,
    Seen,
)

# A Friday.
NOW = datetime(2026, 11, 27, 8, 0, tzinfo=timezone.utc).timestamp()
TOKEN = "abc-token-def"
URL = "https://prometheus.example/api/v1/query"


class World:
    """Answers by the seconds that have passed."""

    def __init__(self) -> None:
        self.passed = 0.0
        self.pauses: list[float] = []
        self.replies: Callable[[float], Any] = lambda passed: Reply(200)
        self.results: Callable[[float], Any] = lambda passed: Result(0)
        self.typed: Callable[[float], Any] = lambda passed: None
        #: How long somebody needs to type that.
        self.typing = 5.0
        self.files: dict[str, tuple[float, Seen]] = {}
        self.asked: list[Any] = []

    def now(self) -> float:
        return NOW + self.passed

    def monotonic(self) -> float:
        return 1e6 + self.passed

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.pauses.append(seconds)
        self.passed += seconds

    def _answer(self, answer: Any, *question: Any) -> Any:
        self.asked.append(question)
        found = answer(self.passed)
        if isinstance(found, Exception):
            raise found
        return found

    def http(self, url: str, headers: Mapping[str, str]) -> Reply:
        found: Reply = self._answer(self.replies, url, dict(headers))
        return found

    def run(self, argv: Sequence[str], seconds: float) -> Result:
        found: Result = self._answer(self.results, tuple(argv), seconds)
        return found

    def file(self, path: str) -> Optional[Seen]:
        since, seen = self.files.get(path, (float("inf"), Seen(0, "")))
        return seen if self.passed >= since else None

    def ask(self, question: str, seconds: float) -> Optional[str]:
        found: Optional[str] = self._answer(self.typed, question, seconds)
        if found is not None:
            self.passed += min(self.typing, seconds)
        return found


@pytest.fixture
def world() -> World:
    return World()


def after(seconds: float, then: Any, before: Any) -> Callable[[float], Any]:
    return lambda passed: then if passed >= seconds else before


def asked(
    world: World, *entries: dict[str, Any], since: float = NOW
) -> tuple[list[gates.Outcome], list[str]]:
    told: list[str] = []
    known = [
        gate_entries.parse({"name": f"g{number}", **given}) for number, given in enumerate(entries)
    ]
    return gates.evaluate(known, world, since, told.append), told


def one(world: World, since: float = NOW, **given: Any) -> gates.Outcome:
    (outcome,), _told = asked(world, given, since=since)
    return outcome


# --- soak -----------------------------------------------------------------------------------------


def test_a_soak_lasts_from_the_end_of_the_wave_before(world: World) -> None:
    outcome = one(world, since=NOW - 100, soak=600)
    assert outcome.passed
    assert outcome.waited == world.passed == 500
    world = World()
    assert one(world, since=NOW - 600, soak=600).passed
    assert world.passed == 0


def test_a_clock_that_is_set_makes_nobody_wait_longer(world: World) -> None:
    assert one(world, since=NOW + 10_000, soak=600).passed
    assert world.passed == 600


# --- window ---------------------------------------------------------------------------------------


def test_a_window_is_waited_for(world: World) -> None:
    outcome = one(world, window={"from": "09:00", "to": "10:00"}, limit=3600)
    assert outcome.passed
    assert world.passed == 3600
    assert max(world.pauses) <= 60
    assert outcome.answer == "it is fri 2026-11-27 09:00 UTC"


def test_a_window_beyond_the_limit_is_not_waited_for(world: World) -> None:
    outcome = one(world, window={"from": "09:00", "to": "10:00"}, limit=3599)
    assert not outcome.passed
    assert world.passed == 0
    assert "it is fri 2026-11-27 08:00 UTC, and the window opens fri 2026-11-27 09:00 UTC" in (
        outcome.message()
    )


# --- approval -------------------------------------------------------------------------------------


def test_a_file_has_to_be_written_after_the_wave_before(world: World) -> None:
    world.files["/run/ok"] = (0, Seen(NOW - 60, "anna"))
    given: dict[str, Any] = {"approval": {"file": "/run/ok"}, "limit": 100}
    outcome = one(world, **given)
    assert not outcome.passed
    assert outcome.waited == world.passed == 100
    assert "/run/ok is older than the end of the wave before" in outcome.message()
    assert "run `touch /run/ok`" in outcome.message()
    world.files["/run/ok"] = (130, Seen(NOW + 130, "anna"))
    outcome = one(world, **given)
    assert outcome.passed
    assert outcome.answer == "/run/ok is there, written by anna"
    assert 130 <= world.passed < 150


def test_somebody_answers(world: World) -> None:
    given: dict[str, Any] = {"approval": {"prompt": "Go on?"}, "limit": 100}
    for typed, expected in (("y", True), (" YES\r", True), ("n", False), ("no", False)):
        world.typed = after(0, typed, "")
        outcome = one(world, **given)
        assert outcome.passed is expected
        assert outcome.waited == 5
        assert world.asked[-1] == ("Go on?", 100)
    assert "the terminal answered no" in outcome.message()


def test_an_answer_that_is_none_is_asked_again_within_the_limit(world: World) -> None:
    world.typed = after(0, "\x1b[2Jperhaps", "")
    outcome = one(world, approval={"prompt": "Go on?"}, limit=12)
    assert not outcome.passed
    assert world.passed == 12
    assert [seconds for _question, seconds in world.asked] == [12, 7, 2]
    assert "'\\\\x1b[2jperhaps', not yes or no" in outcome.answer


def test_what_was_typed_without_an_end_is_no_approval(world: World) -> None:
    """At the limit, the terminal gives what is there: no key has ended it."""
    world.typed, world.typing = after(0, "ye", ""), 1000
    outcome = one(world, approval={"prompt": "Go on?"}, limit=10)
    assert not outcome.passed
    assert world.passed == 10


def test_without_a_terminal_a_prompt_is_a_no(world: World) -> None:
    outcome = one(world, approval={"prompt": "Go on?"}, limit=100)
    assert not outcome.passed
    assert world.passed == 0
    assert "there is no terminal to ask at" in outcome.message()
    # Unless there is a file, which is waited for.
    world.files["/run/ok"] = (30, Seen(NOW + 30, "anna"))
    assert one(world, approval={"prompt": "Go on?", "file": "/run/ok"}, limit=100).passed
    assert world.passed == 30


def test_a_file_that_is_there_spares_the_question(world: World) -> None:
    world.files["/run/ok"] = (0, Seen(NOW, "anna"))
    assert one(world, approval={"prompt": "Go on?", "file": "/run/ok"}).passed
    assert world.asked == []


def test_ctrl_c_at_the_question_is_a_no(world: World) -> None:
    world.typed = after(0, InterruptedByUserError(), "")
    outcome = one(world, approval={"prompt": "Go on?", "file": "/run/ok"}, limit=100)
    assert not outcome.passed
    assert world.passed == 0
    assert "somebody pressed Ctrl-C" in outcome.message()


# --- command --------------------------------------------------------------------------------------


def test_a_command_is_run_until_it_ends_as_expected(world: World) -> None:
    world.results = after(35, Result(2), Result(0, "", "not\x1b[2J yet\n"))
    (outcome,), told = asked(world, {"command": ["/opt/check", "--token=x"], "rc": 2, "limit": 99})
    assert outcome.passed
    assert world.passed == 40
    assert told == [
        "Waiting at most 99 s for gate 'g0' (command: check): check ended with 0, not with 2: "
        "not\\x1b[2J yet"
    ]
    assert outcome.line() == "gate 'g0' (command: check): yes after 40 s: check ended with 2"


def test_a_command_that_never_does(world: World) -> None:
    world.results = after(0, Result(1, "bad"), None)
    outcome = one(world, command=["check"], limit=25)
    assert not outcome.passed
    assert world.pauses == [10, 10, 5]
    # The limit, or what one answer may take.
    assert [seconds for _argv, seconds in world.asked] == [30, 30, 30, 30]
    world.asked.clear()
    assert not one(world, command=["check"], limit=100).passed
    assert [seconds for _argv, seconds in world.asked][:3] == [100, 90, 80]


def test_a_limit_of_zero_asks_once(world: World) -> None:
    world.results = after(0, GateError("check did not end within 30 s"), None)
    outcome = one(world, command=["check"], limit=0)
    assert not outcome.passed
    assert world.pauses == []
    assert len(world.asked) == 1
    assert "says no: check did not end within 30 s. It was waited for 0 s of" in outcome.message()


# --- http -----------------------------------------------------------------------------------------

ALERT = {"metric": {"alertname": "Down"}, "value": [1, "1"]}


def prometheus(*alerts: Any) -> Reply:
    return Reply(200, json.dumps({"status": "success", "data": {"result": alerts}}).encode())


def query(**given: Any) -> dict[str, Any]:
    headers = {"Authorization": f"Bearer {TOKEN}"}
    return {"http": {"url": f"{URL}?query=ALERTS", "headers": headers, **given}, "limit": 20}


def test_alerts_that_end(world: World) -> None:
    world.replies = after(15, prometheus(), prometheus(ALERT))
    (outcome,), told = asked(world, query(path="data.result", value=[]))
    assert outcome.passed
    assert world.passed == 20
    assert world.asked[0][1] == {"Authorization": f"Bearer {TOKEN}"}
    assert outcome.answer == "data.result is []"
    assert (
        'data.result is [{"metric": {"alertname": "Down"}, "value": [1, "1"]}], not []' in told[0]
    )


def test_an_alert_that_stays(world: World) -> None:
    world.replies = after(0, prometheus(ALERT), None)
    outcome = one(world, **query(path="data.result", value=[]))
    assert not outcome.passed
    assert world.passed == 20
    # The query is left out: there are servers that want a token there.
    assert f"gate 'g0' (http: {URL}) says no: data.result is" in outcome.message()


@pytest.mark.parametrize(
    ("path", "value", "expected"),
    [
        ("data.result.0.value.1", "1", True),
        ("data.result.0.value.1", 1, True),
        ("data.result.0.value.0", "1", True),
        ("data.result.0.value.0", True, False),
        ("data.result.0.value.1", 0, False),
        ("data.result.0", {"value": [1, "1"], "metric": {"alertname": "Down"}}, True),
        ("data.result.1", {}, False),
        ("data.result.-1", ALERT, False),
        ("data.result.x", "", False),
        ("status.0", "s", False),
        ("status", "success", True),
    ],
)
def test_paths(world: World, path: str, value: Any, expected: bool) -> None:
    world.replies = after(0, prometheus(ALERT), None)
    assert one(world, **query(path=path, value=value)).passed is expected


@pytest.mark.parametrize(
    ("body", "value", "expected"),
    [(b" OK\n", "OK", True), (b"3\n", 3, True), (b"[]", [], True), (b"false", False, True),
     (b"OKAY", "OK", False), (b"\xff", "OK", False)],
)  # fmt: skip
def test_whole_answers(world: World, body: bytes, value: Any, expected: bool) -> None:
    world.replies = after(0, Reply(200, body), None)
    assert one(world, **query(value=value)).passed is expected


@pytest.mark.parametrize(
    ("reply", "message"),
    [
        (Reply(503), "HTTP status 503"),
        (Reply(302), "HTTP status 302: redirections are not followed"),
        (Reply(200, b"[]" * BODY), f"the answer has more than {BODY} bytes"),
        (Reply(200, b"<html>"), "the answer is no JSON"),
        (Reply(200, b"[" * 100_000), "the answer is no JSON"),
        (Reply(200, b'{"data": NaN}'), "the answer is no JSON"),
        (Reply(200, b"\xff\xfe"), "the answer is no JSON"),
        (Reply(200, b'{"a": 1}'), "the answer has no data"),
        (Reply(200, b'{"data": "\\u001b[2J\\u202e"}'), 'data is "\\u001b[2J\\u202e", not []'),
        (Reply(200, json.dumps({"data": "x" * 9999}).encode()), 'data is "xxx'),
        (GateError("no whole answer within 30 s"), "no whole answer within 30 s"),
    ],
)
def test_hostile_answers(world: World, reply: Any, message: str) -> None:
    world.replies = after(0, reply, None)
    outcome = one(world, **query(path="data", value=[]))
    assert not outcome.passed
    assert message in outcome.answer
    assert len(outcome.answer) < 300
    assert "\x1b" not in outcome.answer


@pytest.mark.parametrize("before", range(90, 121, 3))
def test_headers_that_come_back_are_not_shown(world: World, before: int) -> None:
    """Not even in part, where a text is cut."""
    echo = json.dumps({"data": before * "x" + TOKEN}).encode()
    for reply in (Reply(200, echo), GateError(f"refused: Bearer {TOKEN}")):
        world.replies = after(0, reply, None)
        outcomes, told = asked(world, query(path="data", value=f"Bearer {TOKEN}"))
        everything = f"{[one.as_dict() for one in outcomes]} {outcomes[0].message()} {told}"
        assert "abc-t" not in everything
        assert "***" in everything or before > 110
    assert TOKEN not in repr(one(world, **query(path="data", value=1)))


def test_a_secret_that_json_writes_in_another_way(world: World) -> None:
    secret = 'quo"ted\\-secret'
    world.replies = after(0, Reply(200, json.dumps({"data": secret}).encode()), None)
    given = {"url": URL, "headers": {"X-Key": secret}, "path": "data", "value": 1}
    outcome = one(world, http=given, limit=0)
    assert outcome.answer == 'data is "***", not 1'


# --- several --------------------------------------------------------------------------------------


def test_the_first_no_ends_it(world: World) -> None:
    world.results = after(0, Result(1), None)
    commands: list[dict[str, Any]] = [
        {"command": ["a"], "rc": 1}, {"command": ["b"], "limit": 0}, {"command": ["c"]},
    ]  # fmt: skip
    outcomes, _told = asked(world, *commands)
    assert [outcome.passed for outcome in outcomes] == [True, False]
    assert [argv for argv, _seconds in world.asked] == [("a",), ("b",)]


def test_gates_that_need_no_wait_are_asked_once(world: World) -> None:
    asked(world, {"command": ["a"]}, query(), {"window": {}}, {"command": ["b"]})
    assert len(world.asked) == 3


def test_while_one_is_waited_for_another_may_change_its_mind(world: World) -> None:
    """At 08:40 somebody approves, as the window has been closed for ten minutes."""
    world.files["/run/ok"] = (2400, Seen(NOW + 2400, "anna"))
    window = {"window": {"to": "08:30"}, "limit": 3600}
    approval = {"approval": {"file": "/run/ok"}}
    outcomes, _told = asked(world, window, approval)
    assert [outcome.passed for outcome in outcomes] == [False, True]
    assert "the window opens sat 2026-11-28 00:00 UTC" in outcomes[0].answer


def test_an_approval_is_not_asked_for_twice(world: World) -> None:
    world.typed, world.typing = after(0, "yes", ""), 2400
    # 08:40: it fires; 08:41: it is well.
    world.results = lambda passed: Result(2400 <= passed < 2460)
    commands = {"command": ["alerts"], "limit": 100}
    outcomes, _told = asked(world, commands, {"approval": {"prompt": "Go?"}})
    assert [outcome.passed for outcome in outcomes] == [True, True]
    assert [question[0] for question in world.asked].count("Go?") == 1
    assert outcomes[0].waited == 60


def test_gates_that_change_their_minds_for_ever_have_a_limit(world: World) -> None:
    """Each is well for ten seconds, never both."""
    world.results = lambda passed: Result(int(passed // 10) % 2)
    first, second = {"command": ["a"], "limit": 100}, {"command": ["b"], "rc": 1, "limit": 100}
    outcomes, _told = asked(world, first, second)
    assert not all(outcome.passed for outcome in outcomes)
    assert world.passed <= 200


def test_what_is_kept_of_a_gate(world: World) -> None:
    assert one(world, command=["a"], limit=9).as_dict() == {
        **{"name": "g0", "kind": "command", "limit": 9, "passed": True, "waited": 0},
        "answer": "a ended with 0",
    }
