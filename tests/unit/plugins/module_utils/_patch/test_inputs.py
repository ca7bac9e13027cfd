# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules on what the user may ask for."""

from __future__ import annotations

import hashlib

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._patch import inputs


@pytest.mark.parametrize("value", ["", "-49-usac1", ".1+b2", "-" + "x" * 40])
def test_good_extraversion(value):
    assert inputs.check_extraversion(value, "6.8") == []


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("-49 usac1", "' '"),
        ("-49/usac1", "'/'"),
        ("-49_usac1", "'_'"),
        ("-49-USAC", "'A'"),
        ("-ñ", "'ñ'"),
        ("-a\n", "'\\n'"),
        ("-" + "x" * 64, "at most 64"),
    ],
)
def test_bad_extraversion_is_reported_by_name_and_reason(value, message):
    (problem,) = inputs.check_extraversion(value, "6.8")
    assert problem.startswith("version_extraversion ")
    assert message in problem


def test_release_counts_the_kernels_version_too():
    assert inputs.check_extraversion("-" + "x" * 58, "6.8.0") == []
    assert inputs.check_extraversion("-" + "x" * 58, "6.12.117") != []


def test_release_is_checked_whole():
    assert inputs.check_release("6.8.0-49-usac1") == []
    assert len(inputs.check_release("6.8.0_" + "x" * 64)) == 2


@pytest.mark.parametrize("value", ["Linux", "Usac Linux - 202010856", "ñ" * 32, "100% $x; `y`"])
def test_good_sysname(value):
    assert inputs.check_sysname(value) == []


@pytest.mark.parametrize(
    "value", ["", "  ", "x" * 65, "ñ" * 33, 'a"b', "a'b", "a\nb", "a\\b", "a\x1bb", "a\u2028b"]
)
def test_bad_sysname(value):
    problems = inputs.check_sysname(value)
    assert problems
    assert all(problem.startswith("patch_sysname ") for problem in problems)


def test_banner_takes_what_must_come_out_literally():
    assert inputs.check_banner('100 % "done" \\n\n\nñ 🚀\n') == []
    assert inputs.banner_lines('a\n\n"b"\n') == ["a", "", '"b"']
    assert inputs.banner_lines("\n") == inputs.banner_lines("") == []


@pytest.mark.parametrize("value", ["a\tb", "ok\n\x01" + "3x", "x" * 901, "a\x7f"])
def test_bad_banner(value):
    (problem,) = inputs.check_banner(value)
    assert problem.startswith("patch_banner, line ")


def entry(**changes):
    return {"name": "a_call", "source": "a.c", "kconfig": "A_CALL", "number": "auto", **changes}


@pytest.mark.parametrize(
    "depends",
    [
        "",
        "KEYS",
        "(A || !B) && C",
        'A = "x" && B!=n',
        "$(success,$(NM) --help | grep -q x)",
        "A if B",
        "!!A\n",
    ],
)
def test_good_dependency(depends):
    assert inputs.check_syscalls([entry(depends=depends)]) == []


@pytest.mark.parametrize(
    ("depends", "message"),
    [
        ("KEYS &&", "ends where a symbol is due"),
        ("&& KEYS", "has '&&' where a symbol is due"),
        ("(KEYS", "lacks a ')'"),
        ("KEYS)", "has ')' where && or || is due"),
        ("KEYS NET", "has 'NET' where && or || is due"),
        ("KEYS & NET", "holds '&'"),
        ("KEYS =", "compares with nothing"),
        ("!", "ends where a symbol is due"),
        ("(" * 100, "is too deep"),
    ],
)
def test_bad_dependency_is_reported_by_its_entry(depends, message):
    (problem,) = inputs.check_syscalls([], [entry(depends=depends)])
    assert problem == (
        f"patch_syscalls_extra[0] (a_call): depends {depends!r} {message}: write it as in "
        "'KEYS && !UML'"
    )


def test_the_prefix_of_a_symbol_is_left_out():
    assert inputs.check_syscalls([entry(kconfig="CONFIG_A_CALL", depends="CONFIG_A")]) == []
    (problem,) = inputs.check_syscalls([entry(), entry(name="b", kconfig="CONFIG_A_CALL")])
    assert "kconfig 'A_CALL' is also that of patch_syscalls[0]" in problem
    assert inputs.plain_symbols("CONFIG_A && !CONFIG_B || MY_CONFIG_C") == "A && !B || MY_CONFIG_C"


def test_the_definition_is_reported_by_its_entry_and_file():
    assert inputs.check_definition("x[0]", "one", "one.c", "SYSCALL_DEFINE0(one)") == []
    (problem,) = inputs.check_definition("x[0]", "one", "one.c", "SYSCALL_DEFINE0(two)")
    assert (
        problem == "x[0] (one): one.c has no SYSCALL_DEFINEn(one, …): it has SYSCALL_DEFINE0(two)"
    )


def test_good_syscalls():
    assert inputs.check_syscalls([entry(), entry(name="b", kconfig="B", number=470)]) == []


def test_extra_syscalls_are_named_by_their_list():
    assert inputs.check_syscalls([entry()], [entry(name="b", kconfig="B")]) == []
    (problem,) = inputs.check_syscalls([entry()], [entry(kconfig="B")])
    assert problem == (
        "patch_syscalls_extra[0] (a_call): name 'a_call' is also that of patch_syscalls[0]"
    )


@pytest.mark.parametrize("source", ["a b.c", "$(x).c", "-x.c", ".c", "dir/", ""])
def test_a_source_s_name_becomes_a_word_of_a_makefile(source):
    (problem,) = inputs.check_syscalls([entry(source=source)])
    assert "must be the path of a .c file" in problem


@pytest.mark.parametrize(
    ("entries", "message"),
    [
        ([entry(name="Bad-Name")], "Bad-Name"),
        ([entry(source="a.S")], ".c file"),
        ([entry(kconfig="CONFIG-X")], "CONFIG-X"),
        ([entry(kconfig="OSLAB_SYSCALLS")], "the switch for all syscalls"),
        ([entry(number="512")], "512"),
        ([entry(number="0")], "'0'"),
        ([entry(number="soon")], "soon"),
        ([entry(), entry(kconfig="OTHER")], "name 'a_call' is also that of patch_syscalls[0]"),
        ([entry(), entry(name="b")], "kconfig 'A_CALL' is also"),
        ([entry(number="470"), entry(name="b", kconfig="B", number="470")], "number '470' is"),
    ],
)
def test_bad_syscalls(entries, message):
    (problem,) = inputs.check_syscalls(entries)
    assert problem.startswith("patch_syscalls[")
    assert message in problem


def test_good_patches(tmp_path):
    file = tmp_path / "one.patch"
    file.write_text("--- a\n")
    sha256 = hashlib.sha256(b"--- a\n").hexdigest()
    url = "https://example.org/two.patch"
    assert inputs.check_patches([str(file), "beside/the/playbook.patch"]) == []
    assert inputs.check_patches([{"source": str(file), "sha256": sha256}]) == []
    assert inputs.check_patches([{"source": url, "sha256": "0" * 64}]) == []


def test_bad_patches(tmp_path):
    file = tmp_path / "one.patch"
    file.write_text("--- a\n")
    missing = str(tmp_path / "none.patch")
    problems = inputs.check_patches(
        [
            {"url": "x"},
            "https://example.org/two.patch",
            missing,
            {"source": str(file), "sha256": "0" * 64},
        ]
    )
    assert [problem.split(":")[0] for problem in problems] == [
        "patch_series[0] must be a path, or have 'source' (a path or URL) and 'sha256'",
        "patch_series[1]",
        "patch_series",
        "patch_series",
    ]
    assert missing in problems[2]
    assert "expected 000" in problems[3]


def test_source_version():
    for good in ("6.8", "6.12.5", "6.13-rc2", "10.0"):
        assert inputs.check_source_version(good) == []
    for bad in ("", "6", "v6.8", "6.8/..", "latest", "6.8\n"):
        assert "source_version" in inputs.check_source_version(bad)[0]


def test_the_release_keeps_the_candidate():
    assert inputs.full_release("6.9.0-rc1", "-49-usac1") == "6.9.0-rc1-49-usac1"
    assert inputs.full_release("6.8", "-49-usac1") == "6.8.0-49-usac1"
    assert inputs.makefile_extraversion("6.9.0-rc1", "-49-usac1") == "-rc1-49-usac1"
    assert inputs.makefile_extraversion("6.8.0", "-49-usac1") == "-49-usac1"
    # Its bytes count, as does the third number that source_version leaves out.
    assert inputs.check_extraversion("-" + "x" * 58, "6.9-rc1") != []
    assert inputs.check_extraversion("-" + "x" * 59, "6.8") != []
