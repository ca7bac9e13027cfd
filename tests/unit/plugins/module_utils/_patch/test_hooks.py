# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""In which function a hook is, by the patch and in the patched file."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._patch import hooks as patch_hooks
from ansible_collections.oslab.kernel.plugins.module_utils._patch.hooks import Hook

PATCHES = Path(__file__).resolve().parents[5] / "files/kernel/patches"
COUNT = "oslab_count(OSLAB_USAGE_OPEN);"

SOURCE = """\
long helper(int a);
static const struct ops some = {
\t.open\t= helper,
};

SYSCALL_DEFINE2(open, const char __user *, name,
\t\tint, flags)
{
\tif (flags)
\t\tgoto out;
out:
\toslab_count(OSLAB_USAGE_OPEN);
\treturn helper(1);
}
EXPORT_SYMBOL(helper);

COMPAT_SYSCALL_DEFINE1(open, int, flags)
{
\toslab_count(OSLAB_USAGE_OPEN);
\treturn helper(2);
}

noinline static int copy_args(struct args *to,
\t\t\t      const void __user *from)
{
\toslab_count_clone(to->flags);
\treturn 0;
}

\toslab_count(OSLAB_USAGE_OPEN);
"""


def test_each_hook_of_a_source() -> None:
    assert patch_hooks.hooks_in(SOURCE) == [
        Hook("SYSCALL_DEFINE2(open)", COUNT),
        Hook("COMPAT_SYSCALL_DEFINE1(open)", COUNT),
        Hook("copy_args", "oslab_count_clone(to->flags);"),
        Hook(None, COUNT),
    ]


PATCH = """\
 a.c | 2 ++
diff --git a/a.c b/a.c
--- a/a.c
+++ b/a.c
@@ -8,3 +8,4 @@ SYSCALL_DEFINE1(other, int, a)
 \tint b;

+\toslab_count(OSLAB_USAGE_READ);
 \treturn 0;
@@ -8,9 +9,10 @@ static int before(void)
 \treturn 0;
 }

 SYSCALL_DEFINE1(open, int, a)
 {
+\toslab_count(OSLAB_USAGE_OPEN);
-\toslab_count(OSLAB_USAGE_WRITE);
 \treturn 0;
 }
+\toslab_count(OSLAB_USAGE_FORK);
diff --git a/b.c b/b.c
--- a/b.c
+++ b/b.c
@@ -1,1 +1,2 @@ int in_b(void)
+\toslab_count(OSLAB_USAGE_OPEN);
 \treturn 0;
--
2.39.5
"""


def test_each_hook_of_a_patch() -> None:
    assert patch_hooks.hooks_added(PATCH, "a.c") == [
        Hook("SYSCALL_DEFINE1(other)", "oslab_count(OSLAB_USAGE_READ);"),
        Hook("SYSCALL_DEFINE1(open)", COUNT),
        Hook(None, "oslab_count(OSLAB_USAGE_FORK);"),
    ]
    assert patch_hooks.hooks_added(PATCH, "b.c") == [Hook("in_b", COUNT)]


@pytest.mark.parametrize("patch", sorted(PATCHES.glob("*.patch")), ids=lambda patch: patch.name)
def test_the_patches_of_the_collection_name_the_function_of_each_hook(patch: Path) -> None:
    text = patch.read_text(encoding="utf-8")
    paths = [line[len("+++ b/") :] for line in text.splitlines() if line.startswith("+++ b/")]
    hooks = [hook for path in paths for hook in patch_hooks.hooks_added(text, path)]
    assert hooks
    assert [hook for hook in hooks if hook.function is None] == []
    assert len(hooks) == sum(
        line.startswith("+") and "oslab_count" in line for line in text.splitlines()
    )


ADDS = """\
--- a/a.c
+++ b/a.c
@@ -1,3 +1,4 @@ SYSCALL_DEFINE1(open, int, a)
+\toslab_count(OSLAB_USAGE_OPEN);
 \treturn 0;
"""
BEFORE = "".join(
    f"SYSCALL_DEFINE1({name}, int, a)\n{{\n%s\treturn 0;\n}}\n\n" for name in ("close", "open")
)
LINE = f"\t{COUNT}\n"


def test_a_hook_in_another_function_is_seen() -> None:
    before = BEFORE % ("", "")
    assert patch_hooks.misplaced(ADDS, "a.c", before, BEFORE % ("", LINE)) == []
    assert patch_hooks.misplaced(ADDS, "a.c", before, BEFORE % (LINE, "")) == [
        f"a.c: '{COUNT}' belongs in SYSCALL_DEFINE1(open), but is in SYSCALL_DEFINE1(close)"
    ]
    assert patch_hooks.misplaced(ADDS, "a.c", before, before + LINE) == [
        f"a.c: '{COUNT}' belongs in SYSCALL_DEFINE1(open), but is in no function"
    ]


def test_hooks_that_were_there_before_are_others_own() -> None:
    assert patch_hooks.misplaced(ADDS, "a.c", BEFORE % (LINE, ""), BEFORE % (LINE, LINE)) == []
    assert patch_hooks.misplaced(ADDS, "a.c", BEFORE % ("", LINE), BEFORE % (LINE, LINE)) != []


def test_a_patch_that_names_no_function_is_refused() -> None:
    text = ADDS.replace(" SYSCALL_DEFINE1(open, int, a)", "")
    (sentence,) = patch_hooks.misplaced(text, "a.c", BEFORE % ("", ""), BEFORE % (LINE, ""))
    assert "does not say which function" in sentence
