# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which wave of a play begins, and which hosts were in the one before.

A play with `serial` tells its tasks the hosts of the whole play and of the batch, and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple, Optional


class Wave(NamedTuple):
    #: From 1 on, in this run.
    number: int
    #: Hosts of the wave before that have not failed, and since when they have the kernel, in
    #: seconds since 1970; None for a wave of this run, which ends now.
    before: Mapping[str, Optional[float]]

    @property
    def is_first(self) -> bool:
        """Whether no host has the kernel yet."""
        return self.number == 1 and not self.before

    def ended(self, now: float) -> float:
        """When the wave before ended."""
        return max((now if at is None else at for at in self.before.values()), default=now)

    def soaking(self, now: float, seconds: float) -> list[str]:
        """Hosts of the wave before that have not had the kernel for so long."""
        return [host for host, at in self.before.items() if at is None or at + seconds > now]


def current(
    batch: Sequence[str],
    everyone: Sequence[str],
    active: Sequence[str],
    number_of: Callable[[str], int],
    done: Mapping[str, float],
) -> Wave:
    """The wave that begins.

    :param batch: its hosts.
    :param everyone: those of the play, in the order of the waves.
    :param active: those of the play that have not failed.
    :param number_of: the number of the wave that a host was in.
    :param done: hosts that had the kernel before this run, and since when (seconds since 1970).
        They are the wave before the first one of this run: an earlier run began the deployment.
    """
    earlier = everyone[: everyone.index(batch[0])] if batch[0] in everyone else []
    if not earlier:
        return Wave(1, dict(done))
    numbers = {host: number_of(host) for host in earlier}
    last = max(numbers.values())
    alive = frozenset(active)
    before = [host for host in earlier if numbers[host] == last and host in alive]
    return Wave(max(last, 1) + 1, dict.fromkeys(before))
