# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollout that grows by itself: which hosts take a build, and from when on.

Nobody counts the hosts. Each computes its own place, from its machine-id and the build, and begins
once the share of all places that the repository has opened reaches it. The machine-id stays on the
host. With another build other hosts are the first.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Optional

#: A hundredth of a percent is the smallest share.
PLACES = 10_000
MOST_STEPS = 100
#: Ten years.
MOST_HOURS = 87_600
_HOUR = 3600


class RolloutError(Exception):
    """It is no rollout; the message says what is wrong."""


class Step(NamedTuple):
    """From `after` seconds on, the places below `share` are open."""

    share: int
    after: int


@dataclass(frozen=True)
class Rollout:
    """No steps: everybody at once. `started`: seconds since 1970 (UTC)."""

    steps: tuple[Step, ...]
    started: int
    stopped: bool = False


class Turn(NamedTuple):
    """`at`: when it comes or came, in seconds since 1970 (UTC); None if no step opens the place."""

    come: bool
    at: Optional[int]


def _number(value: Any, largest: int) -> Optional[float]:
    """None if it is none, or below 0 or above the largest. Ansible may give it as a text."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        found = float(value) if len(str(value)) <= 20 else math.nan
    except ValueError:
        return None
    return found if 0 <= found <= largest else None


def parse_steps(given: Any) -> tuple[Step, ...]:
    """Of `publish_rollout`, a list of `percent` and `after_hours`. Raises RolloutError."""
    if not isinstance(given, Sequence) or isinstance(given, (str, bytes)):
        raise RolloutError("it is not a list")
    if len(given) > MOST_STEPS:
        raise RolloutError(f"it has {len(given)} steps, and may have {MOST_STEPS}")
    steps: list[Step] = []
    for index, entry in enumerate(given):
        if not isinstance(entry, Mapping) or set(entry) != {"percent", "after_hours"}:
            raise RolloutError(f"[{index}] has to have percent and after_hours, and nothing else")
        percent = _number(entry["percent"], 100)
        hours = _number(entry["after_hours"], MOST_HOURS)
        share = round((percent or 0) * PLACES / 100)
        if share < 1:
            raise RolloutError(f"[{index}].percent has to be from 0.01 to 100")
        if hours is None:
            raise RolloutError(f"[{index}].after_hours has to be from 0 to {MOST_HOURS}")
        step = Step(share, round(hours * _HOUR))
        if steps and (step.share <= steps[-1].share or step.after <= steps[-1].after):
            raise RolloutError(
                f"[{index}] has to have a larger percent and larger after_hours than the step "
                "before it"
            )
        steps.append(step)
    return tuple(steps)


def place(machine_id: str, build_id: str) -> int:
    """Of a host among all places, from 0 to PLACES - 1; the same at any time."""
    text = f"oslab-kernel rollout\n{machine_id.strip()}\n{build_id}\n"
    return int.from_bytes(hashlib.sha256(text.encode("utf-8", "replace")).digest(), "big") % PLACES


def turn(rollout: Rollout, its_place: int, now: float) -> Turn:
    """Whether the turn of a place has come. Whether the rollout is stopped does not matter here."""
    if not rollout.steps:
        return Turn(True, rollout.started)
    for step in rollout.steps:
        if its_place < step.share:
            at = rollout.started + step.after
            return Turn(now >= at, at)
    return Turn(False, None)
