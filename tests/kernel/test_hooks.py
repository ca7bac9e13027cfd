# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The counting hooks: the patch applies as it stands, and each hook is in its function."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

OPEN = "oslab_count(OSLAB_USAGE_OPEN);"
FORK = "oslab_count(OSLAB_USAGE_FORK);"
HOOKS = {
    "fs/open.c": {
        "open": OPEN,
        "openat": OPEN,
        "openat2": OPEN,
        "compat open": OPEN,
        "compat openat": OPEN,
        "creat": OPEN,
    },
    "fs/read_write.c": {
        "read": "oslab_count(OSLAB_USAGE_READ);",
        "write": "oslab_count(OSLAB_USAGE_WRITE);",
    },
    "kernel/fork.c": {
        "fork": FORK,
        "vfork": FORK,
        "clone": "oslab_count_clone(args.flags);",
        "clone3": "oslab_count_clone(kargs.flags);",
    },
    "arch/x86/kernel/sys_ia32.c": {"compat ia32_clone": "oslab_count_clone(args.flags);"},
}


def hooks_by_function(text: str) -> dict[str, str]:
    """Syscall → the hook in its body; a hook anywhere else is an entry of its own."""
    found: dict[str, str] = {}
    function = "outside"
    for number, line in enumerate(text.splitlines(), start=1):
        start = re.match(r"(COMPAT_)?SYSCALL_DEFINE\d\((\w+)", line)
        if start:
            function = ("compat " if start.group(1) else "") + start.group(2)
        elif line == "}":
            function = "outside"
        elif "oslab_count" in line:
            key = function if function not in found else f"{function}, line {number}"
            found[key] = line.strip()
    return found


@pytest.fixture
def patched(tree: Path, kernel: Path, tmp_path: Path) -> Path:
    """The touched files alone, patched without any fuzz."""
    for name in HOOKS:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(tree / name, tmp_path / name)
    for patch in sorted((kernel / "patches").glob("*.patch")):
        done = subprocess.run(
            ["patch", "-p1", "--fuzz=0", "--forward", "--batch", "-i", str(patch)],
            cwd=tmp_path, capture_output=True, text=True, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout
    return tmp_path


@pytest.mark.parametrize("name", HOOKS)
def test_each_hook_is_in_its_function(patched: Path, name: str) -> None:
    text = (patched / name).read_text(encoding="utf-8")
    assert hooks_by_function(text) == HOOKS[name]
    assert text.count("#include <linux/oslab.h>\n") == 1


def test_nothing_else_is_touched(patched: Path, tree: Path) -> None:
    for name in HOOKS:
        kept = [
            line
            for line in (patched / name).read_text(encoding="utf-8").splitlines()
            if "oslab" not in line
        ]
        stock = (tree / name).read_text(encoding="utf-8").splitlines()
        assert [line for line in kept if line] == [line for line in stock if line]


def test_a_misplaced_hook_is_seen() -> None:
    text = "SYSCALL_DEFINE1(close, int, fd)\n{\n\toslab_count(OSLAB_USAGE_OPEN);\n}\n"
    assert hooks_by_function(text) == {"close": OPEN}
    assert hooks_by_function("int f(void)\n{\n\toslab_count(X);\n}\n") == {
        "outside": "oslab_count(X);"
    }
