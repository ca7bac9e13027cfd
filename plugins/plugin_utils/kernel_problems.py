# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong where one inventory has several builders, before any of them builds."""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    kernel_version,
    plain_text,
)
from ansible_collections.oslab.kernel.plugins.plugin_utils import kernel_choice, lock_inputs

#: What decides a build, besides the hardware of the targets.
INPUTS = (
    *lock_inputs.SETTINGS,
    "build_image_signing_key",
    "build_module_signing_key",
    "build_modules_source",
    "build_tools_source",
    "config_base",
    "config_fragments",
    "patch_headers",
    "patch_series",
    "patch_syscalls",
    "patch_syscalls_extra",
    "source_file",
    "source_sha256",
)


_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")


class Builder(NamedTuple):
    """What its variables say of its kernel."""

    name: str
    #: What `uname -r` will print; empty if that is not known yet.
    release: str
    #: The same for equal builds.
    build: str
    #: The file of its lock; empty for none.
    lock: str
    #: Whether there is a configuration to start from.
    has_base: bool


def release(provider: str, version: str, extraversion: str, localversion: str) -> str:
    """As `uname -r` will print it; empty for no version.

    Of a package, a file or a commit, two numbers mean any third one: there it is an `x`.
    """
    try:
        found = kernel_version.parse(version)
    except ValueError:
        return ""
    third = found.patch or ("0" if provider == "kernel_org" else "x")
    extra = kernel_version.extraversion(found.candidate, extraversion)
    return f"{found.series}.{third}{extra}{localversion}"


def choices(taken: Mapping[str, str], builders: Sequence[str]) -> Iterator[tuple[str, str]]:
    """A sentence for each target that takes a kernel that nobody builds, and the target's name.

    :param taken: target → name of a builder.
    """
    for target, builder in taken.items():
        if builder not in builders:
            yield (
                f"{kernel_choice.CHOICE} is {plain_text.shown(repr(builder))}, which is no host of "
                f"{kernel_choice.BUILDERS}: name one of {plain_text.few(builders)}",
                target,
            )


def names(builders: Sequence[str]) -> Iterator[str]:
    """A sentence for each builder whose name is no host in a list of hosts (`hosts:` of a play)."""
    for name in builders:
        if not _NAME.fullmatch(name):
            yield (
                f"{plain_text.shown(repr(name))} of {kernel_choice.BUILDERS} cannot be a builder: "
                "give it a name of letters, digits, '.', '_' and '-'"
            )


def left_out(taken: Mapping[str, str], reached: Collection[str], limit: str) -> Iterator[str]:
    """A sentence for each builder that `--limit` leaves out, and whose kernel a target takes.

    :param taken: reached target → builder.
    :param reached: the hosts that `--limit` leaves.
    """
    for builder in dict.fromkeys(taken.values()):
        if builder not in reached:
            targets = [target for target, chosen in taken.items() if chosen == builder]
            yield (
                f"--limit {limit!r} leaves out {builder}, the builder of "
                f"{plain_text.few(targets, 3)} ({kernel_choice.CHOICE}): add it, as in "
                f"--limit '{limit},{builder}'"
            )


def _same_files(one: Builder, other: Builder) -> Iterator[str]:
    if kernel_choice.part(one.name) == kernel_choice.part(other.name):
        yield (
            f"{one.name} and {other.name} of {kernel_choice.BUILDERS} would have files of the same "
            f"name ({kernel_choice.part(one.name)}): rename one"
        )
    if one.lock and one.lock == other.lock:
        yield (
            f"build_lock is {plain_text.shown(one.lock)} on {one.name} and on {other.name}: each "
            "build has a lock of its own, such as kernel-{{ inventory_hostname }}.lock"
        )


def together(
    builders: Sequence[Builder], reached: Collection[str], taken: Collection[str]
) -> Iterator[str]:
    """A sentence for each pair of builders that cannot be in one inventory, or builder for nobody.

    :param reached: the hosts that `--limit` leaves.
    :param taken: builders whose kernel a target takes.
    """
    for one, other in itertools.combinations(builders, 2):
        yield from _same_files(one, other)
        if one.release and one.release == other.release and one.build != other.build:
            yield (
                f"{one.name} and {other.name} would build different kernels of one release, "
                f"{plain_text.shown(one.release)}: set version_extraversion of each to another "
                "text, such as -49-{{ inventory_hostname }}"
            )
    for one in builders:
        if one.name in reached and one.name not in taken and not one.has_base:
            yield (
                f"no target takes the kernel of {one.name} ({kernel_choice.CHOICE}), and its "
                "config_base is empty, so it has no configuration to start from: set "
                f"{kernel_choice.CHOICE}: {one.name} for a target, or config_base for a kernel "
                f"that hosts pull, or remove it from {kernel_choice.BUILDERS}"
            )
