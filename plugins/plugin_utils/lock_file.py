# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock as a file: YAML for git, the same text for the same content.

build        what the build id is made of, and the id
collection   version of this collection
environment  `toolchain` (program → version), or `root`: the packages of the build root
files        checksums of the files on the control node that go into the build
format       of this file
settings     variable → value, of those that decide what is built
source       version, checksum, signer and commit
targets      `hosts`: the collected hardware; `base_host`, `base`: whose configuration, its text
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

import yaml

#: Raise it when the file gets another form.
FORMAT = 1
HEADER = """\
# The inputs of a kernel's build, written by playbooks/lock.yml. Commit this file; do not edit it.
# With `build_lock` playbooks/build.yml builds exactly this, or names the line that differs.
---
"""
SECTIONS = ("build", "collection", "environment", "files", "settings", "source", "targets")
MAPPINGS = tuple(name for name in SECTIONS if name != "collection")
#: Bytes; that of a fleet with thousands of hosts has some millions.
LARGEST = 64 << 20


class LockError(Exception):
    """The lock cannot be used; the message says what to do."""


class _Dumper(yaml.SafeDumper):
    """Texts with several lines as they are, so that git shows the line that changed."""

    def ignore_aliases(self, data: Any) -> bool:
        del data
        return True

    def increase_indent(self, flow: bool = False, indentless: bool = False) -> None:
        """Lists are indented, as linters of YAML ask for it."""
        del indentless
        super().increase_indent(flow, False)


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Dumper.add_representer(str, _text)


def path_of(value: str, inventory_dir: Optional[str]) -> Path:
    """The file that `build_lock` names: a relative path is beside the inventory."""
    path = Path(value).expanduser()
    return path if path.is_absolute() else Path(inventory_dir or ".") / path


def encode(lock: Mapping[str, Any]) -> str:
    """The text of the file."""
    text: str = yaml.dump(
        {**lock, "format": FORMAT},
        Dumper=_Dumper,
        sort_keys=True,
        default_flow_style=False,
        allow_unicode=True,
        width=100,
    )
    return HEADER + text


def decode(text: str, shown: str) -> dict[str, Any]:
    """What is in it. `shown`: the file's name for messages. Raises LockError."""
    again = f"restore build_lock {shown} from git, or write it anew with playbooks/lock.yml"
    try:
        found = yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise LockError(f"build_lock {shown} is no YAML ({reason}): {again}") from error
    if not isinstance(found, dict) or "format" not in found:
        raise LockError(f"build_lock {shown} is no lock of playbooks/lock.yml: {again}")
    if found["format"] != FORMAT:
        raise LockError(
            f"build_lock {shown} has the format {found['format']!r:.20}, and this version of the "
            f"collection reads {FORMAT}: install the version that it names (collection: "
            f"{found.get('collection')!s:.40}), or write it anew with playbooks/lock.yml"
        )
    lacking = [name for name in SECTIONS if name not in found]
    lacking += [name for name in MAPPINGS if not isinstance(found.get(name, {}), dict)]
    if lacking:
        raise LockError(f"build_lock {shown} lacks {', '.join(lacking)}: {again}")
    return {name: found[name] for name in SECTIONS}


def read(path: Path) -> Optional[dict[str, Any]]:
    """The lock in a file; None if there is no such file. Raises LockError."""
    try:
        if path.stat().st_size > LARGEST:
            raise LockError(f"build_lock {path} has more than {LARGEST} bytes: it is no lock")
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise LockError(f"build_lock {path} cannot be read: {error}") from error
    return decode(text, str(path))
