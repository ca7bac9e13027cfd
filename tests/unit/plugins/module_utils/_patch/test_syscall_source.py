# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The definition of a syscall is what the compiler sees of it."""

from __future__ import annotations

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._patch import syscall_source as source

GOOD = "SYSCALL_DEFINE1(add, long, a)\n{\n\treturn a;\n}\n"


def error_message(text):
    with pytest.raises(source.SourceError) as caught:
        source.parameters(text, "add")
    return str(caught.value)


def test_parameters():
    text = "SYSCALL_DEFINE2(add, struct thing  __user *, buf,\n\t\tint, size)\n{"
    assert source.parameters(text, "add") == [("struct thing __user *", "buf"), ("int", "size")]
    assert source.parameters("SYSCALL_DEFINE0(add)", "add") == []
    assert source.parameters("SYSCALL_DEFINE1 ( add , typeof(f(0, 1)), a )", "add") == [
        ("typeof(f(0, 1))", "a")
    ]


@pytest.mark.parametrize(
    "text",
    [
        f"/* {GOOD} */",
        "// SYSCALL_DEFINE1(add, long, a)\n",
        "// so \\\nSYSCALL_DEFINE1(add, long, a)\n",
        f"#if 0\n{GOOD}#endif\n",
        f"# if (0)\n#ifdef X\n#endif\n{GOOD}#endif\n",
        f"#if 1\n#else\n{GOOD}#endif\n",
        f"#if X\n#elif 0\n{GOOD}#endif\n",
        f"/* never closed {GOOD}",
        'char *s = "SYSCALL_DEFINE1(add, long, a)";',
        "#define MINE SYSCALL_DEFINE1(add, long, a)\n",
        "asmlinkage long sys_add(long a);",
        "COMPAT_SYSCALL_DEFINE1(add, long, a)",
        "",
    ],
)
def test_what_is_not_compiled_does_not_count(text):
    assert error_message(text) == (
        "has no SYSCALL_DEFINEn(add, …): none is outside of comments and `#if 0`"
    )


@pytest.mark.parametrize(
    "text",
    [
        f"/* x */ {GOOD}",
        f"#if 0\n#else\n{GOOD}#endif\n",
        f"#if 0\n#elif X\n{GOOD}#endif\n",
        f"#ifdef X\n{GOOD}#endif\n",
        f"#if 0\nlong x;\n#endif\n{GOOD}",
        f'char *s = "/*";\n{GOOD}',
        f"char c = '\"';\n{GOOD}",
        f"#error don't\n{GOOD}",
        f"#endif\n{GOOD}",
        GOOD.replace("\n", "\r\n"),
    ],
)
def test_what_may_be_compiled_counts(text):
    assert source.parameters(text, "add") == [("long", "a")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("SYSCALL_DEFINE2(other, int, a, int, b)", "it has SYSCALL_DEFINE2(other, …)"),
        ("SYSCALL_DEFINE7(add, " + ", ".join(["int, a"] * 7) + ")", "takes at most 6 arguments"),
        ("SYSCALL_DEFINEn(add, int, a)", "takes at most 6 arguments"),
        ("SYSCALL_DEFINE(add, int, a, int, b)", "write SYSCALL_DEFINE2"),
        ("SYSCALL_DEFINE3(add, int, a, int, b)", "of 2 arguments, not 3: write type, comma, name"),
        ("SYSCALL_DEFINE2(add, int a, int b)", "of 2 parts behind its name, not 4: write type"),
        ("SYSCALL_DEFINE1(add, int a, int b)", "of 2 parts behind its name, not 2: write type"),
        ("SYSCALL_DEFINE2(add, int, a, int *)", "of 3 parts behind its name, not 4: write type"),
        ("".join(f"SYSCALL_DEFINE0(c{n})\n" for n in range(5)), "SYSCALL_DEFINE0(c2) and 2 more"),
    ],
)
def test_what_is_wrong_is_reported(text, words):
    assert words in error_message(text)
