# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of GRUB's entries has started the kernel that runs.

Several may load the same kernel, with arguments of their own: `uname -r` does not tell them apart,
the command line does.
"""

from __future__ import annotations

import shlex
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Optional

from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.entry import (
    Entry,
    GrubError,
    Menu,
)
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.script import (
    Word,
    words_after,
)
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.trial import LINUX
from ansible_collections.oslab.kernel.plugins.module_utils._boot.loader import TRIAL

IMAGE = "BOOT_IMAGE="


@dataclass(frozen=True)
class Booted:
    """What runs: `uname -r`, and /proc/cmdline."""

    release: str = ""
    command_line: str = ""

    def words(self) -> tuple[str, list[str]]:
        """The kernel's file, as GRUB calls it, or ''; and the arguments."""
        found = _words(self.command_line)
        images = [word for word in found if word.startswith(IMAGE)]
        # GRUB puts the disk before a path that is not on its root.
        image = images[0][len(IMAGE) :].rpartition(")")[2] if images else ""
        return image, [word for word in found if not word.startswith(IMAGE)]


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()


def _given(entry: Entry) -> list[Word]:
    """The arguments of an entry's kernel."""
    return words_after(entry.body, LINUX)[1:]


def _known(entry: Entry) -> list[str]:
    return [word.text for word in _given(entry) if not word.unknown]


def _passes(entry: Entry, arguments: list[str]) -> bool:
    """Whether the entry gives these arguments; for a variable of GRUB's there may be any."""
    known = _known(entry)
    if len(known) == len(_given(entry)):
        return known == arguments
    rest = iter(arguments)
    return all(word in rest for word in known)


def _lasting(entry: Entry) -> bool:
    """Whether it may be a default: no other system's, no rescue, and not whichever is newest."""
    name = entry.heads[-1].name
    return not (
        name.startswith(("osprober-", "gnulinux-simple-")) or "-recovery-" in name or name == TRIAL
    )


def _loads(entry: Entry, image: str, release: str) -> bool:
    """Whether it loads the kernel that runs."""
    return entry.release == release or PurePosixPath(entry.kernel).name == PurePosixPath(image).name


def _same(menu: Menu, booted: Booted) -> list[Entry]:
    """Those that would have started what runs in the same way."""
    image, arguments = booted.words()
    found = [
        one
        for one in menu.entries
        if _lasting(one) and _loads(one, image, booted.release) and _passes(one, arguments)
    ]
    return [one for one in found if _known(one) == arguments] or found


def entry(menu: Menu, booted: Booted, default: Optional[Entry]) -> Optional[Entry]:
    """The entry that has started what runs; None if it is unknown or the usual one.

    Of several that would have done the same, the present default, then the kernel's usual one.
    Raises GrubError if it is one that cannot be the default.
    """
    usual = menu.find(booted.release)
    found = _same(menu, booted)
    if not found and default and _lasting(default) and default.release == booted.release:
        # Arguments of the trial or of an editor's, or a menu made anew: whoever chose this kernel
        # with arguments of its own keeps them.
        found = [default]
    ordered = [one for one in (default, usual, *found) if one and one in found]
    if not ordered:
        return None
    chosen = next((one for one in ordered if _problem(one, booted.release) == ""), ordered[0])
    if _problem(chosen, booted.release):
        raise GrubError(_problem(chosen, booted.release))
    return None if chosen == usual else chosen


def _problem(found: Entry, release: str) -> str:
    """Why it cannot be the fallback, and what to do; '' if it can."""
    begin = f"{release} was started by GRUB's entry '{found.title}', which"
    if found.release != release:
        return (
            f"{begin} loads {found.kernel}: another kernel as soon as one is installed, so it "
            f"cannot be the one to come back to. Let it load vmlinuz-{release}, with its initrd, "
            "or boot the kernel's usual entry."
        )
    if not found.named:
        return (
            f"{begin} cannot be named as the default. Give it, and each submenu around it, an "
            f"option --id that begins with a letter (in {found.where or 'grub.cfg'}), and run "
            "update-grub."
        )
    return ""
