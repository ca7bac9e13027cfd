# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which builder's kernel a target takes, and what builders of one machine have for themselves.

Each host of kernel_builders builds one kernel. Several of these names may be one machine.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._repository.description import (
    FIRST,
    ONLY,
    OTHER,
)

BUILDERS = "kernel_builders"
TARGETS = "kernel_targets"
#: The variable of a target: name of a builder. By default the first one.
CHOICE = "kernel_from"

_UNSAFE = re.compile(r"[^A-Za-z0-9._-]")

Groups = Mapping[str, Sequence[str]]
HostVars = Mapping[str, Mapping[str, Any]]


def builders(groups: Groups) -> list[str]:
    return [str(name) for name in groups.get(BUILDERS) or ()]


def builder_of(name: str, hostvars: HostVars, groups: Groups) -> str:
    """The builder whose kernel a target takes; empty if the inventory has none."""
    chosen = hostvars[name].get(CHOICE) if name in hostvars else ""
    return str(chosen or next(iter(builders(groups)), ""))


def targets_of(builder: str, hostvars: HostVars, groups: Groups) -> list[str]:
    """The targets that take the kernel of a builder, in their order."""
    targets = [str(name) for name in groups.get(TARGETS) or ()]
    # Of the only builder they all take it: the variables of thousands of hosts need not be read.
    if len(builders(groups)) < 2:
        return targets
    return [name for name in targets if builder_of(name, hostvars, groups) == builder]


def published(known: Mapping[str, Any]) -> Mapping[str, Any]:
    """What a builder has published, or else built; empty if this run does not know it.

    :param known: the variables of the builder.
    """
    read = known.get("verify_published") or {}
    return known.get("publish_result") or known.get("build_result") or read.get("description") or {}


def rank(builder: str, groups: Groups) -> str:
    """One of description.RANKS. A play without the group has one builder."""
    names = builders(groups)
    if len(names) < 2:
        return ONLY
    return FIRST if names[0] == builder else OTHER


def part(builder: str) -> str:
    """The name as a part of the name of a file."""
    return _UNSAFE.sub("_", builder)


def suffix(builder: str, groups: Groups) -> str:
    """What the names of a builder's own files end with, so that builders may be one machine.

    The first builder's have no such end: they are where they were when it was the only one.
    """
    return f"-{part(builder)}" if rank(builder, groups) == OTHER else ""


def metrics_files(builder: str, groups: Groups) -> tuple[str, str]:
    """The file of a builder's metrics, and that which it would have with or without others.

    The same series in both would be one metric with two values, of which node_exporter takes one.
    """
    alone, among_others = "oslab-kernel-build.prom", f"oslab-kernel-build-{part(builder)}.prom"
    return (alone, among_others) if rank(builder, groups) == ONLY else (among_others, alone)


def turns(names: Sequence[str], machines: Mapping[str, str]) -> list[list[str]]:
    """Builders that work at the same time: of each machine one, in the order of the names.

    :param machines: of each builder, what is the same for all names of one machine.
    """
    rounds: list[list[str]] = []
    used: dict[str, int] = {}
    for name in names:
        # Of a machine that is not known nobody shares anything.
        machine = machines.get(name) or f"name {name}"
        number = used.get(machine, 0)
        used[machine] = number + 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(name)
    return rounds
