# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report has to know of the plays before: their hosts, waves and gates.

A play knows its own hosts only, and those that an earlier play lost are no part of it. So each call
adds what it knows to a file in the directory of the run, which is gone when the run ends.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.oslab.kernel.plugins.module_utils._common import atomic_file

NAME = "oslab-report.json"


class Progress(NamedTuple):
    """Names of hosts, and gates."""

    #: All of the run, in the order in which the plays had them.
    hosts: Sequence[str]
    #: Those that Ansible works on no more.
    lost: Sequence[str]
    #: Those of each wave.
    waves: Sequence[Sequence[str]]
    #: What became of each gate, with the number of the wave that waited for it.
    gates: Sequence[Mapping[str, Any]] = ()
    #: Those of the wave that has begun and not ended. Of a wave that is lost nobody tells the end.
    begun: Sequence[str] = ()


def _read(path: Path) -> Progress:
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    return Progress(*(known.get(name, []) for name in Progress._fields))


def _write(path: Path, progress: Progress) -> None:
    atomic_file.write(path, json.dumps(progress._asdict()), durable=False)


def add_gates(directory: Path, wave: int, gates: Sequence[Mapping[str, Any]]) -> None:
    """Keep what became of the gates before a wave, in place of what was known of them.

    :param directory: that of the run, in which nobody else writes.
    :param gates: each as the action deploy_gate returns it.
    """
    before = _read(directory / NAME)
    kept = [gate for gate in before.gates if gate["wave"] != wave]
    new = [{**gate, "wave": wave} for gate in gates]
    _write(directory / NAME, before._replace(gates=[*kept, *new]))


def add(
    directory: Path,
    hosts: Sequence[str],
    answering: Sequence[str],
    wave: Sequence[str],
    *,
    begins: bool = False,
) -> Progress:
    """What is known of the run with this play.

    :param directory: that of the run, in which nobody else writes.
    :param hosts: of the play.
    :param answering: those of them that Ansible still works on.
    :param wave: those that are worked on at the same time; empty outside of waves.
    :param begins: whether the wave begins. Otherwise it has ended.
    """
    path = directory / NAME
    before = _read(path)
    there = set(answering)
    # A host that a play has lost is in no later one.
    gone = {*before.lost, *(name for name in hosts if name not in there)}
    names = list(dict.fromkeys([*before.hosts, *hosts]))
    progress = Progress(
        names,
        [name for name in names if name in gone],
        # The wave that ends is there, with the hosts that it has lost meanwhile.
        [*before.waves, list(wave)] if wave and not before.begun else before.waves,
        before.gates,
        list(wave) if begins else [],
    )
    _write(path, progress)
    return progress
