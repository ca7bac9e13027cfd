#!/usr/bin/env python3
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For `make … VARS=FILE`: check the file before Ansible reads it, and list a tree's syscalls."""

from __future__ import annotations

import sys
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "collections"))

from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    bounded_read,
    tree_records,
)

EXAMPLE = "See docs/how-to/add-a-syscall.md for an example."


def problem(name: str) -> str:
    """What is wrong with a file of variables, or empty. Ansible tells what is wrong in it."""
    path = Path(name).expanduser()
    if not path.is_file():
        return f"there is no such file in {Path.cwd()}. Give an absolute path. {EXAMPLE}"
    try:
        node = yaml.compose(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        return f"it is no YAML: {error}"
    if node is None or (isinstance(node, yaml.ScalarNode) and not node.value):
        return f"the file is empty. It begins with a line `patch_syscalls_extra:`. {EXAMPLE}"
    encrypted = isinstance(node, yaml.ScalarNode) and node.value.startswith("$ANSIBLE_VAULT")
    if not isinstance(node, yaml.MappingNode) and not encrypted:
        return f"it has no variables. It begins with a line `patch_syscalls_extra:`. {EXAMPLE}"
    return ""


def listed(tree: Path) -> list[str]:
    """A line for each syscall that the roles patch and config have put into the tree."""
    record = bounded_read.json_object(tree / tree_records.PATCH)
    config = set((tree / ".config").read_text(encoding="utf-8").splitlines())
    lines = []
    for entry in record["entries"]:
        name, symbol = entry["name"], f"CONFIG_{entry['kconfig']}"
        value = f"{symbol}=y" if f"{symbol}=y" in config else f"{symbol} is not set"
        number = record["syscalls"][name]
        lines.append(f"{name}: number {number}, {value}, kernel/{entry['source']}")
    return lines


def main(command: str, path: str) -> int:
    if command == "list":
        print("\n".join(listed(Path(path))))
        return 0
    message = problem(path)
    if message:
        print(f"VARS={path}: {message}", file=sys.stderr)
    return int(bool(message))


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
