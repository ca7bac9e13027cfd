# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which other files a GRUB configuration runs, and what it runs that is unknown here.

Only names that begin with the directory of grub.cfg are followed: what else a name means hangs on
disks and variables that GRUB alone knows.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Callable, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import quirks
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import script as grub_script
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.script import Word
from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read, plain_text

# More than any configuration has; a file counts each time that it is run.
FILES = 64
_COLLECTED = 1024
# Where GRUB has the place of grub.cfg.
PLACES = ("prefix", "config_directory", "config_file")
_SOURCE = ("source", ".")
_BESIDE = re.compile(r"\$(?:prefix|config_directory|\{prefix\}|\{config_directory\})/(.+)")
_NAMED_AFTER = re.compile(r"\$(?:config_file|\{config_file\})([^/\w][^/]*)")
_VARIABLE = re.compile(r"\$(?:\w|\{)")
_SHOWN = 60


def _name(text: str) -> str:
    """Of a file, from the directory of grub.cfg; '' if it is unknown."""
    found, after = _BESIDE.fullmatch(text), _NAMED_AFTER.fullmatch(text)
    name = found[1] if found else f"grub.cfg{after[1]}" if after else ""
    parts = [part for part in name.split("/") if part not in ("", ".")]
    known = ".." not in parts and "$" not in name and "\0" not in name
    return "/".join(parts) if known else ""


def sourced(command: Sequence[Word]) -> Optional[str]:
    """The file that a command runs; '' if it is unknown, None if it runs none."""
    if len(command) < 2 or command[0].text not in _SOURCE:
        return None
    return _name(command[1].text)


def names(line: str) -> list[str]:
    """The files that a line runs, as far as it is known."""
    # Quotes may be anywhere in a word.
    if line.startswith("#") or "$" not in line:
        return []
    commands = (grub_script.command(one) for one in grub_script.statements(line))
    return [name for name in map(sourced, filter(None, commands)) if name]


def unknown(command: Sequence[Word]) -> str:
    """The command, if what it runs or sets is unknown; '' if it is known."""
    name = command[0].text
    first = command[1].text if len(command) > 1 else ""
    # What is before the '=' of an assignment.
    variable = (first if name == "set" else name).partition("=")[0]
    hidden = (
        name in quirks.UNKNOWN
        or sourced(command) == ""
        or (command[0].unknown and bool(_VARIABLE.search(name.partition("=")[0])))
        or (name == "set" and command[1:2] != [] and bool(_VARIABLE.search(variable)))
        or ("=" in (first if name == "set" else name) and variable in PLACES)
        or (name in ("load_env", "read", "for") and any(one.text in PLACES for one in command))
        or (name == "load_env" and _another_block(command))
    )
    return shown(command) if hidden else ""


def _another_block(command: Sequence[Word]) -> bool:
    """Whether it is read from a file of its own, and not the one that update-grub knows of."""
    texts = [word.text for word in command]
    file = any(text in ("-f", "--file") or text.startswith(("-f", "--file=")) for text in texts)
    return file and not any("env_block" in text for text in texts)


def shown(command: Sequence[Word]) -> str:
    return plain_text.cut(" ".join(word.text for word in command), _SHOWN)


def collect(text: str, known: Mapping[str, str], read: Callable[[str], str]) -> dict[str, str]:
    """The texts of all files that are run, by their names. Raises ValueError if it is too much."""
    files: dict[str, str] = {}
    waiting = [text]
    size = 0
    while waiting:
        for line in grub_script.logical_lines(waiting.pop()):
            for name in names(line):
                if name in files:
                    continue
                files[name] = known[name] if name in known else read(name)
                size += len(files[name])
                if len(files) > _COLLECTED or size > bounded_read.TEXT:
                    raise ValueError("it runs more, or larger, files than are read")
                waiting.append(files[name])
    return files
