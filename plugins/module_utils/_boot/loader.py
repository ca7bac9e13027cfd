# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface of all boot loaders: request and plan."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Callable, Protocol

from ansible_collections.oslab.kernel.plugins.module_utils._boot.kexec import Image

# The entry for the trial boot.
TRIAL = "oslab-trial"
# Nothing that GRUB's shell or the kernel would read as anything but a part of a word.
_ARGUMENT = re.compile(r"[A-Za-z0-9_.,:=/+@%~!^-]+")

# A word of a command line, quotes and all, as GRUB and the kernel separate them.
_WORD = re.compile(r"""(?:"(?:\\.|[^"\\])*"?|'[^']*'?|\\.|[^\s"'\\])+""")
# What comes after it is init's.
_FOR_INIT = "--"


class LoaderError(Exception):
    """The loader cannot do what was asked; the text says why and what to do."""


@dataclass(frozen=True)
class Request:
    """The options of the module."""

    state: str = "present"
    release: str = ""
    arguments: Sequence[str] = ()
    flush: bool = True
    # In check mode: what an earlier step would have made is not missed.
    predict: bool = False
    # With the state restored: the default from before; empty for none.
    entry: str = ""


@dataclass(frozen=True)
class Choice:
    """The configured choice of the loader."""

    default_entry: str = ""
    next_entry: str = ""
    # The text of the file with the trial entry.
    trial: str = ""
    # That of the file of settings that belongs to the collection.
    settings: str = ""


@dataclass(frozen=True)
class Plan:
    """The answer to a request, and what is still to be done for it, in this order."""

    before: Choice
    after: Choice
    entry: str = ""
    options: str = ""
    steps: list[Callable[[], object]] = field(default_factory=list)


class Loader(Protocol):
    """A boot loader, as it is now."""

    name: str

    @property
    def honours_default(self) -> bool:
        """Whether what is chosen is what boots by default."""

    @property
    def default_problem(self) -> str:
        """Why it would not, once it is configured to, and what to do; empty if it would."""

    @property
    def trial_problem(self) -> str:
        """Why no trial boot is possible here, and what to do; empty if one is."""

    @property
    def needs_kexec(self) -> str:
        """Why kexec has to start a trial boot, as the loader boots none once; empty if it does."""

    def entry_command(self, release: str) -> str:
        """What makes the entry of a kernel, as a person calls it."""

    def releases(self) -> list[str]:
        """The kernels that can be booted."""

    def entry_problem(self, release: str) -> str:
        """Why the entry of a kernel would not boot by itself, or be no default, and what to do;
        empty if it would, or there is none."""

    def release_of(self, entry: str) -> str:
        """The kernel of an entry; empty if there is none."""

    def plan(self, request: Request) -> Plan:
        """The steps, and the state after them."""

    def image(self, release: str, arguments: Sequence[str]) -> Image:
        """A kernel with its initrd and arguments."""


def require_arguments(arguments: Sequence[str]) -> None:
    """Refuse those that a loader or the kernel would take for something else."""
    bad = [argument for argument in arguments if not _ARGUMENT.fullmatch(argument)]
    if bad:
        raise LoaderError(
            f"These would not get to the kernel as they are written: {', '.join(bad)}. "
            "An argument has no spaces, quotes or other characters that a shell would read."
        )


def with_arguments(line: str, arguments: Sequence[str]) -> str:
    """A command line with more arguments: before `--`, as the kernel reads nothing after it."""
    end = next((m.start() for m in _WORD.finditer(line) if m[0] == _FOR_INIT), len(line))
    return " ".join(filter(None, (line[:end].rstrip(), *arguments, line[end:])))


def with_words(words: Sequence[str], arguments: Sequence[str]) -> tuple[str, ...]:
    """The same of a line that is separated already."""
    end = words.index(_FOR_INIT) if _FOR_INIT in words else len(words)
    return (*words[:end], *arguments, *words[end:])
