# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The counting hooks: the patch applies as it stands, and each hook is in its function."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._patch import apply, hooks
from ansible_collections.oslab.kernel.tests.lib.default_plan import default_plan
from ansible_collections.oslab.kernel.tests.lib.kernel_trees import ROOT, run

PATCHES = list(default_plan(ROOT).patches)
FILES = sorted({path for patch in PATCHES for path in patch.touches()})
# What a hook in a function of such a name has to count.
COUNTED = {
    "OPEN": r"\((open|openat|openat2|creat)\)$",
    "READ": r"\(read\)$",
    "WRITE": r"\(write\)$",
    "FORK": r"\(v?fork\)$",
    "clone": r"clone",
}


@pytest.fixture(scope="module")
def patched(tree: Path) -> dict[str, str]:
    """The touched files, patched as a user's tree is."""
    return apply.apply_patches(apply.Tree(tree), PATCHES, run)


@pytest.mark.parametrize("name", FILES)
def test_each_hook_is_in_the_function_that_the_patch_names(
    patched: dict[str, str], name: str
) -> None:
    named = [hook for patch in PATCHES for hook in hooks.hooks_added(patch.text, name)]
    assert hooks.hooks_in(patched[name]) == named
    assert patched[name].count("#include <linux/oslab.h>\n") == 1


@pytest.mark.parametrize("name", FILES)
def test_each_hook_counts_what_its_function_is(name: str) -> None:
    for patch in PATCHES:
        for function, line in hooks.hooks_added(patch.text, name):
            what = re.search(r"oslab_count(?:_(clone)\(|\(OSLAB_USAGE_(\w+))", line)
            assert what, line
            assert re.search(COUNTED[what.group(1) or what.group(2)], function or ""), line


def test_nothing_else_is_touched(patched: dict[str, str], tree: Path) -> None:
    for name in FILES:
        kept = [line for line in patched[name].splitlines() if "oslab" not in line]
        stock = (tree / name).read_text(encoding="utf-8").splitlines()
        assert [line for line in kept if line] == [line for line in stock if line]
