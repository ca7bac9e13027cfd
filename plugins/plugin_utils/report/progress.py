# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a report has to know of the plays before: their hosts and waves.

A play knows its own hosts only, and those that an earlier play lost are no part of it. So each call
adds what it knows to a file in the directory of the run, which is gone when the run ends.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

from ansible_collections.oslab.kernel.plugins.module_utils._common import atomic_file

NAME = "oslab-report.json"


class Progress(NamedTuple):
    """Names of hosts."""

    #: All of the run, in the order in which the plays had them.
    hosts: Sequence[str]
    #: Those that Ansible works on no more.
    lost: Sequence[str]
    #: Those of each wave.
    waves: Sequence[Sequence[str]]


def add(
    directory: Path, hosts: Sequence[str], answering: Sequence[str], wave: Sequence[str]
) -> Progress:
    """What is known of the run with this play.

    :param directory: that of the run, in which nobody else writes.
    :param hosts: of the play.
    :param answering: those of them that Ansible still works on.
    :param wave: those that were worked on at the same time; empty outside of waves.
    """
    path = directory / NAME
    known = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    before = Progress(known.get("hosts", []), known.get("lost", []), known.get("waves", []))
    there = set(answering)
    # A host that a play has lost is in no later one.
    gone = {*before.lost, *(name for name in hosts if name not in there)}
    names = list(dict.fromkeys([*before.hosts, *hosts]))
    progress = Progress(
        names,
        [name for name in names if name in gone],
        [*before.waves, list(wave)] if wave else before.waves,
    )
    atomic_file.write(path, json.dumps(progress._asdict()), durable=False)
    return progress
