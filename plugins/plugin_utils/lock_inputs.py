# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the control node has of a lock: the settings and files that go into a build."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Callable

from ansible.module_utils.common.validation import (
    check_type_bool,
    check_type_dict,
    check_type_int,
    check_type_list,
    check_type_str,
)
from ansible_collections.oslab.kernel.plugins.module_utils._build import identity
from ansible_collections.oslab.kernel.plugins.module_utils._patch import patch_file

#: Variables that decide what is built, besides those that name files.
SETTINGS = (
    "build_debug_package",
    "build_environment",
    "build_make_args",
    "build_root_suite",
    "config_default_options",
    "config_keep_modules",
    "config_localmodconfig",
    "config_options",
    "config_options_extra",
    "config_required",
    "dependencies_extra_packages",
    "patch_banner",
    "patch_fuzz",
    "patch_sysname",
    "source_git_ref",
    "source_git_url",
    "source_git_verify",
    "source_package",
    "source_provider",
    "source_series",
    "source_version",
    "version_extraversion",
)
#: Where something is fetched from, which its checksum decides: another place may be used.
PLACES = ("source_git_url",)

_TYPES: dict[str, Callable[[Any], Any]] = {
    "bool": check_type_bool,
    "dict": check_type_dict,
    "int": check_type_int,
    "list": check_type_list,
    "str": lambda value: check_type_str(value, allow_conversion=True),
}


def plain(value: Any, kind: str = "raw") -> Any:
    """The value as YAML has it, of the type that its specification names. Raises TypeError."""
    typed = _TYPES.get(kind, lambda same: same)(value)
    return json.loads(json.dumps(typed))


def _checksum(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def directory(path: Path) -> dict[str, str]:
    """Name → checksum of each source in a directory, as the build id counts them."""
    return {
        file.relative_to(path).as_posix(): _checksum(file)
        for file in sorted(path.rglob("*"))
        if file.is_file() and not identity.left_by_make(file.name)
    }


def patches(series: Sequence[Any], find: Callable[[str], str]) -> list[dict[str, str]]:
    """Of patch_series. The checksum of an address is the one that the entry has to state.

    Raises PatchError, OSError, and what `find` raises.
    """
    found = []
    for index, entry in enumerate(series):
        wanted = patch_file.parse(entry, index)
        checksum = wanted.sha256 if wanted.is_url else _checksum(Path(find(wanted.source)))
        found.append({"name": wanted.name, "sha256": checksum})
    return found


def entries(
    given: Sequence[Mapping[str, Any]], key: str, find: Callable[[str], str]
) -> list[dict[str, Any]]:
    """Of syscalls or headers: all that an entry says, with a checksum instead of its source.

    `key`: of what names an entry. Raises OSError, and what `find` raises.
    """
    return [
        {
            **{name: value for name, value in entry.items() if name not in ("source", key)},
            "name": entry[key],
            "sha256": _checksum(Path(find(str(entry["source"])))),
        }
        for entry in given
    ]


def files(names: Sequence[str], find: Callable[[str], str]) -> list[dict[str, str]]:
    """Of files that only have a name. Raises OSError, and what `find` raises."""
    return [{"name": Path(name).name, "sha256": _checksum(Path(find(name)))} for name in names]
