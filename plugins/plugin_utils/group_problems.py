# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Groups without which a playbook would do nothing, or end in the middle."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping, Sequence

from ansible_collections.oslab.kernel.plugins.plugin_utils import kernel_problems
from ansible_collections.oslab.kernel.plugins.plugin_utils.kernel_choice import (
    BUILDERS,
    CHOICE,
    TARGETS,
)

FOR = {
    BUILDERS: "the hosts that build and publish a kernel each",
    TARGETS: "the hosts that get it",
}
EXAMPLE = """\
kernel_builders:
  hosts:
    localhost:
      ansible_connection: local
kernel_targets:
  hosts:
    web1.example.org:"""

#: Tags of the playbooks. Whoever runs others has put them on plays of his own.
BUILD_TAGS = ("dependencies", "source", "version", "patch", "config", "build", "publish")
TAGS = frozenset((*BUILD_TAGS, "install", "modules", "verify"))


def needed(tags: Sequence[str], asked: Collection[str], skipped: Collection[str] = ()) -> bool:
    """Whether a run with the tags `asked` and without `skipped` reaches tasks with `tags`."""
    if not tags:
        return True
    left = set(tags).difference(skipped)
    return bool(left if not asked or not TAGS.issuperset(asked) else left.intersection(asked))


def _absent(name: str, groups: Mapping[str, Sequence[str]]) -> str:
    text = f"the inventory has no group {name} ({FOR.get(name, 'which this playbook needs')})"
    near = difflib.get_close_matches(name, [one for one in groups if one not in FOR], 1, 0.8)
    return f"{text}: is it the group {near[0]}? Rename that to {name}" if near else text


def problems(
    wanted: Mapping[str, Sequence[str]],
    groups: Mapping[str, Sequence[str]],
    reached: Collection[str],
    limit: str = "",
    asked: Collection[str] = (),
    skipped: Collection[str] = (),
    taken: Mapping[str, str] = {},
) -> Iterator[str]:
    """One sentence for each group that is wrong.

    :param wanted: groups, each with the tags of the tasks that need it. CHOICE stands for the
        builders whose kernels the reached targets take, if the inventory has several builders.
    :param groups: all of the inventory, with their hosts.
    :param reached: the hosts that `--limit` leaves.
    :param asked: what `--tags` says.
    :param skipped: what `--skip-tags` says.
    :param taken: of several builders, those whose kernels the reached targets take.
    """
    names = [name for name, tags in wanted.items() if needed(tags, asked, skipped)]
    if names and not groups.get("all"):
        yield "there is no inventory, or no host in it: give one, as in `-i inventory.yml`"
        return
    builders = groups.get(BUILDERS) or ()
    known = {target: builder for target, builder in taken.items() if builder in builders}
    for name in names:
        if name == CHOICE:
            yield from kernel_problems.left_out(known, reached, limit)
            continue
        hosts = groups.get(name)
        if hosts is None:
            yield _absent(name, groups)
        elif not hosts:
            yield f"the group {name} ({FOR.get(name, 'needed')}) has no host: add one to it"
        elif name == BUILDERS and len(hosts) > 1 and taken:
            yield from kernel_problems.left_out(known, reached, limit)
        elif name == BUILDERS and not set(hosts).intersection(reached):
            yield (
                f"--limit {limit!r} leaves out {hosts[0]}, the first host of {name}, which builds "
                f"the kernel and knows what is published: add it, as in "
                f"--limit '{limit},{hosts[0]}'"
            )
        elif not set(hosts).intersection(reached):
            yield (
                f"--limit {limit!r} leaves no host of {name} ({', '.join(hosts[:5])}"
                f"{', …' if len(hosts) > 5 else ''}): name one of them; build.yml alone needs none"
            )


def example_needed(
    wanted: Mapping[str, Sequence[str]], groups: Mapping[str, Sequence[str]]
) -> bool:
    return any(not groups.get(name) for name in wanted if name != CHOICE)
