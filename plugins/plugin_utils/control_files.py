# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files on the control node that variables name."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleError, AnsibleFileNotFound
from ansible.plugins.action import ActionBase

ROLES = Path(__file__).resolve().parents[2] / "roles"


def _beside(path: str, task_vars: Mapping[str, Any]) -> list[Path]:
    """Where it is beside the inventory; Ansible itself does not look there."""
    directory = task_vars.get("inventory_dir")
    return [] if not directory or path.startswith(("/", "~")) else [Path(str(directory)) / path]


def find(
    action: ActionBase, path: str, task_vars: Mapping[str, Any], roles: Sequence[str] = ()
) -> str:
    """As `ansible.builtin.copy` finds it, in the role and beside the playbook; then the inventory.

    :param roles: directories of roles in which it is looked for too.

    Raises AnsibleError with the places.
    """
    beside = _beside(path, task_vars)
    try:
        if not roles:
            return str(action._find_needle("files", path))
        stack = [*roles, *action._task.get_search_path()]
        return str(action._loader.path_dwim_relative_stack(stack, "files", path))
    except AnsibleFileNotFound as error:
        for candidate in beside:
            if candidate.exists():
                return str(candidate)
        places = [*(str(place) for place in getattr(error, "paths", None) or ()), *map(str, beside)]
        raise AnsibleError(_not_found(places, bool(beside))) from None


def _not_found(places: Sequence[str], beside: bool) -> str:
    directories = list(dict.fromkeys(str(Path(place).parent) for place in places))
    # Nobody's files are in the collection's roles; so the message leaves these out.
    elsewhere = [name for name in directories if ROLES not in Path(name).resolve().parents]
    if not elsewhere:
        return "there is no such file on the control node"
    remedy = ", or put the file beside the inventory" if beside else ""
    return (
        f"there is no such file on the control node. Give an absolute path{remedy}. "
        f"It was looked for in {', '.join(elsewhere)}"
    )


def kind_problem(name: str, path: str) -> str:
    """Of a path that is there: empty if it is what the variable has to name."""
    if name in DIRECTORIES:
        return "" if Path(path).is_dir() else "it is no directory on the control node"
    return "it is a directory: name a file in it" if Path(path).is_dir() else ""


def named_in(name: str, value: Any) -> Iterator[tuple[str, str]]:
    """Paths in the value of a variable, each with the words for where it stands."""
    if name in ("patch_syscalls", "patch_syscalls_extra", "patch_headers"):
        for index, entry in enumerate(value):
            if entry.get("source"):
                yield f"{name}[{index}].source", str(entry["source"])
    elif name == "patch_series":
        for index, entry in enumerate(value):
            source = entry.get("source") if isinstance(entry, Mapping) else entry
            if source and "://" not in str(source):
                yield f"{name}[{index}]", str(source)
    elif name == "config_fragments":
        for index, entry in enumerate(value):
            yield f"{name}[{index}]", str(entry)
    elif name in FILES and value:
        yield name, str(value)


#: Variables whose files are found by `find`, so beside the inventory as well.
FOUND = (
    "config_base",
    "config_fragments",
    "patch_headers",
    "patch_series",
    "patch_syscalls",
    "patch_syscalls_extra",
)
#: Variables that are the path of one file or directory on the control node; empty for none.
DIRECTORIES = (
    "build_modules_source",
    "build_tools_source",
    "patch_files",
    "publish_attestations",
)
FILES = (
    *DIRECTORIES,
    "config_base",
    "deploy_after",
    "deploy_before",
    "trial_hook_before",
    "source_autosigner_key",
    "source_developer_keys",
)
#: These are keys as well, and read.
KEYS = ("build_module_signing_key", "build_image_signing_key")
