# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdict on a run of the debug kernel: what it lets pass, and what it does not."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.tests.lib import kernel_trees
from ansible_collections.oslab.kernel.tests.system.debug_kernel import run

BAR = "[   20.000001] " + "=" * 66 + "\n"
QUIET = {
    "plain": "[    0.100000] Linux version\n[    1.9] clocksource: Switched to clocksource tsc\n",
    "kasan": "[    0.1] kasan: KernelAddressSanitizer initialized (generic)\n"
    "[    0.2] kmemleak: Kernel memory leak detector initialized (mem pool available: 1)\n",
    "kcsan": "[    0.100000] kcsan: enabled early\n",
    "rt": "[    0.000000] Linux version 6.12 #1 SMP PREEMPT_RT\n",
    "hpet": "[    0.1] tsc: Marking TSC unstable due to boot parameter\n"
    "[    0.2] clocksource: Switched to clocksource hpet\n",
    "up": "[    0.1] Kernel command line: console=ttyS0 track_syscall_usage.enabled=0\n",
    **dict.fromkeys(("noio", "x32", "lto"), "[    0.100000] Linux version\n"),
}
SLEEP = "[   21.5] BUG: sleeping function called from invalid context at kernel/some.c:1\n"


def race(one: str, other: str, inside: str = "") -> str:
    return (
        f"{BAR}[   20.1] BUG: KCSAN: data-race in {one} / {other}\n[   20.2]  {one}+0x10/0x20\n"
        f"{inside}[   20.3]  {other}+0x30/0x40\n{BAR}"
    )


def wrong(variant: str, console: str, *tap: str) -> list[str]:
    result = run.Result()
    for line in tap or ("ok 1 something", "# end 0 /pids", "# done"):
        result.take(line)
    problems: list[str] = run.verdict(result, variant, console, ["/pids"])
    return problems


@pytest.mark.parametrize("variant", QUIET)
def test_a_quiet_run_passes(variant: str) -> None:
    assert wrong(variant, QUIET[variant]) == []


@pytest.mark.parametrize(
    ("variant", "line"),
    [
        ("kasan", "KernelAddress"),
        ("kasan", "leak"),
        ("kcsan", "kcsan"),
        ("plain", "tsc"),
        ("rt", "RT"),
        ("up", "enabled=0"),
        ("hpet", "TSC"),
        ("hpet", "hpet"),
    ],
)
def test_a_kernel_that_does_not_look_fails(variant: str, line: str) -> None:
    lines = [text for text in QUIET[variant].splitlines(keepends=True) if line not in text]
    assert any("the log has no" in text for text in wrong(variant, "".join(lines)))


@pytest.mark.parametrize(
    "complaint",
    [
        SLEEP,
        "[   21.5] BUG: KASAN: slab-use-after-free in show+0x1/0x2 [some_module]\n",
        "[   21.5] WARNING: possible circular locking dependency detected\n",
        "[   21.5] INFO: task some:1 blocked for more than 120 seconds.\n",
        "[   21.5] UBSAN: array-index-out-of-bounds in kernel/some.c:1:2\n",
        "[   21.5] Kernel panic - not syncing: kernel: panic_on_warn set ...\n",
    ],
)
@pytest.mark.parametrize("variant", ["plain", "kasan", "kcsan"])
def test_any_complaint_fails(variant: str, complaint: str) -> None:
    assert wrong(variant, QUIET[variant] + complaint) == [f"kernel log: {complaint.strip()}"]


def test_each_variant_has_its_file_and_is_known() -> None:
    files = {path.stem for path in run.HERE.glob("*.config")} - {"base"}
    assert files == set(run.VARIANTS) == set(QUIET)


@pytest.mark.parametrize(
    ("variant", "reason", "wrong_then"),
    [
        ("x32", "x32: this kernel runs no such programs", True),
        ("plain", "i386: the compiler makes no such programs", True),
        ("plain", "x32: this kernel runs no such programs", False),
        ("up", "no CPU can go offline here", False),
        ("plain", "no CPU can go offline here", True),
        ("rt", "no io_uring (Function not implemented)", True),
        ("kasan", "whether memory leaks: KASAN keeps what is freed", False),
    ],
)
def test_what_a_variant_is_for_may_not_be_skipped(
    variant: str, reason: str, wrong_then: bool
) -> None:
    tap = (f"ok 1 # SKIP {reason}", "# end 0 /pids", "# done")
    assert bool(wrong(variant, QUIET[variant], *tap)) == wrong_then


@pytest.mark.parametrize(
    ("llvm", "clang"),
    [("1", "clang"), ("-19", "clang-19"), ("/opt/llvm/bin/", "/opt/llvm/bin/clang")],
)
def test_the_llvm_that_the_user_names_is_taken(
    llvm: str, clang: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "LLVM", llvm)
    assert run.llvm_program("clang") == clang


def test_a_program_learns_what_the_kernel_was_built_without() -> None:
    options = argparse.Namespace(only=["io"], times=1, calls=1, seed=1)
    assert run.commands(run.numbers_for("noio", ["1", "2", "3"]), options) == [
        ["/io", "1", "2", "-3", "/tmp"]
    ]
    assert run.numbers_for("plain", ["1", "2", "3"]) == ["1", "2", "3"]


def test_a_later_line_of_a_configuration_wins_and_each_has_to_hold() -> None:
    base = "CONFIG_SMP=y\n# a remark\nCONFIG_PREEMPT=y\nCONFIG_CFI_CLANG=y\n"
    wanted = kernel_trees.wanted_lines([base, "# CONFIG_SMP is not set\n# CONFIG_OLD is not set"])
    assert list(wanted.values()) == [
        "# CONFIG_SMP is not set", "CONFIG_PREEMPT=y", "CONFIG_CFI_CLANG=y",
        "# CONFIG_OLD is not set",
    ]  # fmt: skip
    fine = kernel_trees.wanted_lines(["CONFIG_PREEMPT=y\nCONFIG_CFI=y\n"])
    assert kernel_trees.lost_lines(wanted, fine) == []
    other = kernel_trees.wanted_lines(["CONFIG_SMP=y\nCONFIG_CFI_CLANG=y\n"])
    assert kernel_trees.lost_lines(wanted, other) == [
        "# CONFIG_SMP is not set",
        "CONFIG_PREEMPT=y",
    ]


def test_a_tree_is_configured_by_make_and_what_make_says_is_shown(tmp_path: Path) -> None:
    config, wanted = tmp_path / "small.config", tmp_path / "wanted.config"
    config.write_text("CONFIG_SMP=y\n")
    makefile = tmp_path / "Makefile"
    makefile.write_text("allnoconfig:\n\tcp $(KCONFIG_ALLCONFIG) .config\n")
    kernel_trees.configure(tmp_path, [config], wanted)
    assert (tmp_path / ".config").read_text() == wanted.read_text() == "CONFIG_SMP=y\n"
    makefile.write_text("allnoconfig:\n\techo no flex; exit 1\n")
    with pytest.raises(kernel_trees.TreeError, match="allnoconfig failed:\nno flex"):
        kernel_trees.configure(tmp_path, [config], wanted)
    makefile.write_text("allnoconfig:\n\techo > .config\n")
    with pytest.raises(kernel_trees.TreeError, match="does not take CONFIG_SMP=y"):
        kernel_trees.configure(tmp_path, [config], wanted)


def test_races_of_others_are_reported_and_pass(capsys: pytest.CaptureFixture[str]) -> None:
    assert wrong("kcsan", QUIET["kcsan"] + race("tick_one", "tick_other")) == []
    printed = capsys.readouterr().out
    assert "1 data races" in printed
    assert "tick_one / tick_other" in printed


@pytest.mark.parametrize(
    "names", [("oslab_read_io_stats", "exit_one"), ("exit_one", "__x64_sys_track_syscall_usage")]
)
def test_races_with_ours_on_either_side_fail(names: tuple[str, str]) -> None:
    assert len(wrong("kcsan", QUIET["kcsan"] + race(*names))) == 1


def test_a_complaint_in_the_middle_of_a_race_of_others_fails() -> None:
    console = QUIET["kcsan"] + race("tick_one", "tick_other", SLEEP)
    assert wrong("kcsan", console) == [f"kernel log: {SLEEP.strip()}"]


@pytest.mark.parametrize(
    "tap",
    [
        ("not ok 1 something", "# end 0 /pids", "# done"),
        ("ok 1 something", "# end 1 /pids", "# done"),
        ("ok 1 something", "# end 139 /pids", "# done"),
        ("ok 1 something", "# done"),
        ("ok 1 something", "# end 0 /pids"),
    ],
)
def test_tests_that_fail_or_do_not_end_fail_the_run(tap: tuple[str, ...]) -> None:
    assert len(wrong("plain", QUIET["plain"], *tap)) == 1


ENTRY = "[   20.2]  asm_sysvec_apic_timer_interrupt+0x16/0x20\n"


def test_a_race_of_an_interrupt_is_not_of_the_code_that_it_interrupted() -> None:
    ours = "[   20.2]  oslab_show+0x19/0x20 [system_stats]\n"
    quiet = QUIET["kcsan"]
    assert wrong("kcsan", quiet + race("hrtimer_active", "other", ENTRY + ours)) == []
    # What the interrupt itself calls, and the other side of the race, are looked at.
    assert wrong("kcsan", quiet + race("hrtimer_active", "other", ours + ENTRY))
    other_side = "[   20.2] \n[   20.2] write to 0x1 of 8 bytes by task 1 on cpu 0:\n"
    assert wrong("kcsan", quiet + race("hrtimer_active", "other", ENTRY + other_side + ours))
