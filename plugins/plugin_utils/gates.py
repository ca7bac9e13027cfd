# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gates before a wave: what has to be the case before more hosts get a kernel.

A gate is an entry of `deploy_gates`, of one kind. It is asked until it says yes, but not longer
than its limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Callable, NamedTuple

from ansible_collections.oslab.kernel.plugins.plugin_utils.gate_kinds import (
    Answer,
    Condition,
    GateError,
    Http,
    InterruptedByUserError,
    Moment,
    World,
)

LIMIT = 3600  # seconds, where a gate names none


@dataclass(frozen=True)
class Gate:
    name: str
    condition: Condition
    #: Seconds.
    limit: int = LIMIT
    before_first: bool = False

    def __str__(self) -> str:
        return f"gate {self.name!r} ({self.condition.kind}: {self.condition})"


_UNTOUCHED = "No host of this wave was changed, and hosts of earlier waves stay as they are."
_AGAIN = (
    "Then run the same command again: it goes on with the hosts that are left, and asks the gates "
    """before them. To go on without gates, add `-e '{"deploy_gates": []}'`."""
)


def silent_message(name: str, hosts: str) -> str:
    """Of a soak at whose end hosts of the wave before do not answer."""
    return (
        f"The gate {name!r} (soak) says no: at its end {hosts} did not answer. {_UNTOUCHED} "
        f"Find out why: they run the new kernel, which may be the reason. {_AGAIN}"
    )


class Outcome(NamedTuple):
    """What became of a gate."""

    gate: Gate
    passed: bool
    answer: str
    #: Seconds, over all times that it was asked.
    waited: float
    #: Whether time has passed for want of a yes, the last time.
    paused: bool = False

    def line(self) -> str:
        verdict = "yes" if self.passed else "no"
        return f"{self.gate}: {verdict} after {self.waited:.0f} s: {self.answer}"

    def message(self) -> str:
        """Of a gate that has said no: why, and what to do."""
        waited = f"{self.waited:.0f} s of at most {self.gate.limit} s"
        return (
            f"The {self.gate} says no: {self.answer}. It was waited for {waited}. "
            f"{_UNTOUCHED} {self.gate.condition.remedy}. {_AGAIN}"
        )

    def as_dict(self) -> dict[str, Any]:
        return {
            "name": self.gate.name,
            "kind": self.gate.condition.kind,
            "limit": self.gate.limit,
            "passed": self.passed,
            "waited": int(self.waited),
            "answer": self.answer,
        }


#: Is called with a line for people.
Tell = Callable[[str], None]


def _asked(gate: Gate, world: World, moment: Moment) -> Answer:
    try:
        return gate.condition.ask(world, moment)
    except GateError as error:
        text = str(error)
        hidden = gate.condition.hidden(text) if isinstance(gate.condition, Http) else text
        return Answer(False, hidden)
    except InterruptedByUserError:
        return Answer(False, "somebody pressed Ctrl-C", final=True)


def wait(gate: Gate, world: World, since: float, tell: Tell, spent: float = 0.0) -> Outcome:
    """Ask until the answer is yes, or cannot become it within what is left of the limit.

    :param since: when the wave before ended, in seconds since 1970.
    :param tell: is called with a line for people before the first pause.
    :param spent: seconds that were waited for this gate before.
    """
    begun = world.monotonic() - spent
    told = False
    while True:
        left = gate.limit - (world.monotonic() - begun)
        answer = _asked(gate, world, Moment(since, left))
        waited = world.monotonic() - begun
        if answer.passed or answer.final or waited >= gate.limit:
            # A person's answer takes time as well.
            paused = told or (gate.condition.lasting and waited - spent >= 1)
            return Outcome(gate, answer.passed, answer.text, waited, paused)
        if not told:
            tell(f"Waiting at most {gate.limit - spent:.0f} s for {gate}: {answer.text}")
            told = True
        world.sleep(min(answer.pause, gate.limit - waited))


def evaluate(gates: Sequence[Gate], world: World, since: float, tell: Tell) -> list[Outcome]:
    """What became of each gate, up to the first that says no.

    While one is waited for, another one may change its mind: a window closes, an alert fires. So
    after a wait the others are asked again, until none has to be waited for.
    """
    outcomes: dict[int, Outcome] = {}
    # Numbers of questions: the last one to each gate, and the last one that was waited for.
    question, waited_for = 0, 0
    asked: dict[int, int] = {}
    while True:
        due = [
            number
            for number, gate in enumerate(gates)
            if number not in asked or (asked[number] < waited_for and not gate.condition.lasting)
        ]
        for number in due:
            before = outcomes.get(number)
            outcome = wait(gates[number], world, since, tell, before.waited if before else 0.0)
            outcomes[number] = outcome
            question += 1
            asked[number] = question
            if outcome.paused:
                waited_for = question
            if not outcome.passed:
                due = []
                break
        if not due:
            return [outcomes[number] for number in sorted(outcomes)]
