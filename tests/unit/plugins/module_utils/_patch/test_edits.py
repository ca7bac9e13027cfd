# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edits of a kernel's files, as texts."""

from __future__ import annotations

import subprocess

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._patch import edits

TABLE = """\
# <number> <abi> <name> <entry point>
0\tcommon\tread\t\t\tsys_read
461\tcommon\tlsm_list_modules\tsys_lsm_list_modules

# a comment before the x32 numbers
512\tx32\trt_sigaction\t\tcompat_sys_rt_sigaction
547\tx32\tpwritev2\t\tcompat_sys_pwritev64v2
# 548 is free
"""


def call(name, number=None, **more):
    text = more.pop("text", f"SYSCALL_DEFINE0({name})\n")
    return edits.Syscall(name, f"{name}.c", text, name.upper(), number, **more)


THREE = [call("one"), call("two"), call("three")]


def numbers(table, calls):
    return edits.choose_numbers(edits.parse_table(table), calls)


def test_numbers_of_the_seed():
    assert numbers(TABLE, THREE) == {"one": 462, "two": 463, "three": 464}


def test_a_gap_that_is_too_small_is_passed_over():
    table = TABLE.replace("461\t", "463\tcommon\tmseal\tsys_mseal\n461\t")
    assert numbers(table, THREE) == {"one": 464, "two": 465, "three": 466}
    assert numbers(table, THREE[:1]) == {"one": 462}


def test_given_numbers_are_kept_free_for_their_owners():
    calls = [call("one"), call("two", 463), call("three")]
    assert numbers(TABLE, calls) == {"one": 464, "two": 463, "three": 465}


def test_taken_number_and_known_name_are_refused():
    with pytest.raises(
        edits.EditError, match=r"\(one\): number 461 is taken by 'lsm_list_modules'"
    ):
        numbers(TABLE, [call("one", 461)])
    with pytest.raises(edits.EditError, match="already has a syscall 'read'"):
        numbers(TABLE, [call("read")])


def test_the_x32_range_is_never_used():
    table = "".join(f"{n}\tcommon\tc{n}\tsys_c{n}\n" for n in range(510))
    assert numbers(table, THREE[:2]) == {"one": 510, "two": 511}
    with pytest.raises(edits.EditError, match="no 3 consecutive numbers"):
        numbers(table, THREE)


def test_table_lines_stand_before_the_x32_ones():
    new = edits.add_table_lines(TABLE, {"one": 462, "two": 463})
    assert new.index("\n462\tcommon\tone\t") < new.index("\n463\tcommon\ttwo\t")
    assert new.index("463\t") < new.index("# a comment before")
    assert edits.parse_table(new)[463] == "two"


def test_prototype_is_read_from_the_definition():
    text = "SYSCALL_DEFINE2(my_call, struct thing  __user *, buf,\n\t\tint, size)\n{"
    parameters = edits.parameters(call("my_call", text=text))
    assert edits.prototype("my_call", parameters) == (
        "asmlinkage long sys_my_call(struct thing __user *buf, int size);\n"
    )
    assert edits.prototype("none", []) == "asmlinkage long sys_none(void);\n"


def test_a_source_without_definition_is_reported_by_its_entry():
    with pytest.raises(edits.EditError) as caught:
        edits.parameters(
            call("one", text="/* SYSCALL_DEFINE0(one) */", where="patch_syscalls_extra[2]")
        )
    assert str(caught.value).startswith(
        "patch_syscalls_extra[2] (one): one.c has no SYSCALL_DEFINEn(one, …)"
    )


def test_a_symbol_of_the_tree_is_refused():
    calls = [call("one", where="patch_syscalls_extra[0]")]
    edits.check_symbols(calls, {"ONE": [edits.KCONFIG], "TWO": ["init/Kconfig"]})
    with pytest.raises(edits.EditError) as caught:
        edits.check_symbols(calls, {"ONE": [edits.KCONFIG, "init/Kconfig"]})
    assert str(caught.value) == (
        "patch_syscalls_extra[0] (one): kconfig 'ONE' is already defined in init/Kconfig; "
        "choose another"
    )


def test_prototypes_go_inside_the_wrapper_and_structs_are_declared_once():
    stock = (
        "\nstruct old;\n#ifndef CONFIG_ARCH_HAS_SYSCALL_WRAPPER\nlong a;\n"
        "#endif /* CONFIG_ARCH_HAS_SYSCALL_WRAPPER */\nrest\n"
    )
    text = "SYSCALL_DEFINE2(one, struct old __user *, a, struct new __user *, b)"
    new = edits.add_prototypes(stock, [call("one", text=text)])
    assert "struct new;\nasmlinkage long sys_one(" in new
    assert new.count("struct old;") == 1
    assert new.index("sys_one") < new.index("#endif")


def test_kconfig_has_a_switch_for_all():
    text = edits.kconfig([call("one", depends="NET", help="First.\n\nSecond.")])
    assert text.count("\tdepends on OSLAB_SYSCALLS\n") == 1
    assert "\tdepends on NET\n" in text
    assert "\t  First.\n\n\t  Second.\n" in text


UTS = '#ifndef UTS_SYSNAME\n#define UTS_SYSNAME "Linux"\n#endif\n'
MAIN = """\
void start_kernel(void)
{
\tchar *command_line;

\tpr_notice("%s", linux_banner);
\tsetup_arch(&command_line);
}
"""


def test_sysname():
    assert '#define UTS_SYSNAME "My Linux"\n' in edits.set_sysname(UTS, "My Linux")
    with pytest.raises(edits.EditError, match=r"include/linux/uts\.h"):
        edits.set_sysname("nothing", "My Linux")


def test_banner_comes_out_of_a_compiled_program_literally(tmp_path):
    banner = '100 % "quoted" \\n %s %d\n\nñ 🚀 end\\\n'
    new = edits.add_banner(MAIN, banner)
    assert new.index("linux_banner") < new.index("quoted") < new.index("setup_arch")
    source = tmp_path / "main.c"
    source.write_text(
        "#include <stdio.h>\n#define pr_notice(...) printf(__VA_ARGS__)\n"
        'static const char linux_banner[] = "";\nstatic void setup_arch(char **c) { (void)c; }\n'
        + new
        + "int main(void) { start_kernel(); return 0; }\n",
        encoding="utf-8",
    )
    program = tmp_path / "main"
    subprocess.run(["cc", "-Wall", "-Werror", "-o", program, source], check=True)
    out = subprocess.run([program], check=True, capture_output=True).stdout.decode()
    assert out == banner


def test_no_banner_changes_nothing():
    assert edits.add_banner(MAIN, "\n") == MAIN


def test_main_without_anchor_is_reported():
    with pytest.raises(edits.EditError, match="start_kernel"):
        edits.add_banner("int x;\n", "hello")
    with pytest.raises(edits.EditError, match="linux_banner"):
        edits.add_banner("void start_kernel(void)\n{\n}\n", "hello")
