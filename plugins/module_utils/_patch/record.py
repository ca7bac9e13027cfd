# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which syscalls the role patch has added to a tree, for those who configure and build it.

They are read from the tree, so no later role has the list a second time. All keys of the record are
in `_common/tree_records.py`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    bounded_read,
    tree_records,
)

SYSCALL_NAME = re.compile(r"[a-z_][a-z0-9_]{0,63}")
KCONFIG_SYMBOL = re.compile(r"[A-Z][A-Z0-9_]*")
# It becomes a word of a Makefile, and a goal of make.
SOURCE_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+-]*\.c")


class RecordError(Exception):
    """The record cannot be read; the message says what to do."""


class Added(NamedTuple):
    """A syscall that was added."""

    name: str
    kconfig: str
    source: str  # file name in kernel/
    own: bool  # of the user, not of the collection
    called: bool  # whether verify may call it

    @property
    def object(self) -> str:
        return f"kernel/{self.source[: -len('.c')]}.o"


def entry(syscall: Added) -> dict[str, Any]:
    """As it is written into the record."""
    return syscall._asdict()


def read(tree: Path) -> dict[str, Any]:
    """The whole record; empty if the tree is not patched. Raises RecordError."""
    path = tree / tree_records.PATCH
    try:
        return bounded_read.json_object(path)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise RecordError(f"{path} cannot be read ({error}): run the role patch again") from error


def added(tree: Path) -> list[Added]:
    """The syscalls that a tree has, in the order of the user's list; none without a record.

    Raises RecordError for a record that no role patch writes.
    """
    # Trees of earlier versions have the numbers only.
    entries = read(tree).get("entries", [])
    if not isinstance(entries, list) or not all(map(_is_entry, entries)):
        path = tree / tree_records.PATCH
        raise RecordError(f"{path} lists syscalls in an unknown form: run the role patch again")
    return [Added(**{name: one[name] for name in Added._fields}) for one in entries]


def _is_entry(one: Any) -> bool:
    if not isinstance(one, Mapping):
        return False
    forms = {"name": SYSCALL_NAME, "kconfig": KCONFIG_SYMBOL, "source": SOURCE_NAME}
    texts = all(
        isinstance(one.get(name), str) and form.fullmatch(one[name]) for name, form in forms.items()
    )
    return texts and all(isinstance(one.get(name), bool) for name in ("own", "called"))
