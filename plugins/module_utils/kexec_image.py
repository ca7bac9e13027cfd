# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What kexec has to be told to start a kernel as GRUB's entry for it would."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from ansible_collections.oslab.kernel.plugins.module_utils.grub_trial import INITRD, LINUX


class KexecError(Exception):
    """kexec cannot do what GRUB does; the text says why."""


@dataclass(frozen=True)
class Image:
    kernel: Path
    initrd: Path
    arguments: tuple[str, ...]

    def load(self) -> list[str]:
        """The command, as kexec-tools has it."""
        return [
            "kexec",
            "--load",
            str(self.kernel),
            f"--initrd={self.initrd}",
            f"--command-line={' '.join(map(_quoted, self.arguments))}",
        ]


def _quoted(word: str) -> str:
    """As the kernel reads it, and GRUB writes it."""
    return f'"{word}"' if " " in word else word


def _words(body: Sequence[str], commands: Sequence[str]) -> list[str]:
    for line in body:
        words = line.split(None, 1)
        if len(words) == 2 and words[0] in commands:
            return shlex.split(words[1])
    return []


def image(body: Sequence[str], arguments: Sequence[str], boot: Path = Path("/boot")) -> Image:
    """Of the lines of the kernel's usual entry, and what it is told besides.

    GRUB's paths may begin at /boot, a file system of its own.
    """
    linux, initrds = _words(body, LINUX), _words(body, INITRD)
    if not linux or len(initrds) != 1:
        raise KexecError(f"its entry has {len(initrds)} initrds, and kexec takes one")
    # What GRUB would put in there, such as the console's state, is not known outside it.
    plain = [word for word in linux[1:] if "$" not in word]
    kernel, initrd = (boot / PurePosixPath(name).name for name in (linux[0], initrds[0]))
    return Image(kernel, initrd, (*plain, *arguments))
