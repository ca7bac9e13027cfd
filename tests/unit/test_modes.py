# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is left on a host has a stated mode; the umask of whoever calls may be 077."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]
WRITE = ("assemble", "blockinfile", "copy", "deb822_repository", "file", "get_url", "lineinfile",
         "replace", "template", "unarchive")  # fmt: skip
LISTS = ("block", "rescue", "always", "tasks", "pre_tasks", "post_tasks", "handlers")
# Directories that are made with the umask of a module that sets it, or are the user's own.
UMASK_IS_SET = {
    # the job of a build
    "_build/buildinfo.py", "_build/run.py", "_build/deb.py",
    # modules that set it; the latter's are set afterwards
    "_patch/apply.py", "_repository/publish.py",
    # the lab, of whoever runs it
    "_lab/qemu.py", "_lab/recipe.py", "_lab/image.py", "_lab/vm.py", "_lab/vagrant.py",
}  # fmt: skip


def tasks(entries: Any) -> Iterator[dict[str, Any]]:
    for entry in entries if isinstance(entries, list) else []:
        yield entry
        for name in LISTS:
            yield from tasks(entry.get(name))


def test_every_task_that_writes_states_a_mode() -> None:
    found = [*ROOT.glob("roles/*/tasks/**/*.yml"), *ROOT.glob("roles/*/handlers/*.yml")]
    found += ROOT.glob("playbooks/**/*.yml")
    missing, seen = [], 0
    for path in sorted(found):
        for task in tasks(yaml.safe_load(path.read_text(encoding="utf-8"))):
            for module in WRITE:
                arguments = task.get(f"ansible.builtin.{module}")
                if arguments is None or arguments.get("state") in ("absent", "link"):
                    continue
                seen += 1
                if "mode" not in arguments:
                    missing.append(f"{path.relative_to(ROOT)}: {task.get('name')}")
    assert missing == []
    # The module config_files accepts no file without a mode.
    assert seen > 10


def mode_is_stated(function: ast.AST, call: ast.Call) -> bool:
    """By the call, or by a chmod in the same function."""
    if call.args or any(word.arg == "mode" for word in call.keywords):
        return True
    return any(
        isinstance(node, ast.Attribute) and node.attr == "chmod" for node in ast.walk(function)
    )


def test_every_directory_that_plugins_make_has_a_mode() -> None:
    missing = []
    for path in sorted(ROOT.glob("plugins/**/*.py")):
        if "/".join(path.parts[-2:]) in UMASK_IS_SET:
            continue
        tree = ast.parse(path.read_text(encoding="utf-8"))
        for function in ast.walk(tree):
            if not isinstance(function, ast.FunctionDef):
                continue
            for node in ast.walk(function):
                if (
                    isinstance(node, ast.Call)
                    and isinstance(node.func, ast.Attribute)
                    and node.func.attr in ("mkdir", "makedirs")
                    and not mode_is_stated(function, node)
                ):
                    missing.append(f"{path.relative_to(ROOT)}:{node.lineno}")
    assert missing == []


def test_nothing_is_moved_with_the_mode_of_the_umask() -> None:
    """AnsibleModule.atomic_move gives a new file the mode that the umask leaves."""
    users = {
        path.name
        for path in ROOT.glob("plugins/**/*.py")
        if "atomic_move(" in path.read_text(encoding="utf-8")
    }
    assert not users  # atomic_file.write states the mode
