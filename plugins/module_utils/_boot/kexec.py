# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments with which kexec starts a kernel as the boot loader would."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path


class KexecError(Exception):
    """kexec cannot do what the loader does; the text says why."""


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
    """As the kernel reads it, and loaders write it."""
    return f'"{word}"' if " " in word else word
