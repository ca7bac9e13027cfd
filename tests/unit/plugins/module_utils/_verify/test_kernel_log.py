# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The log is read whole, within limits, and taken apart into complaints that have names."""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._verify import kernel_log
from ansible_collections.oslab.kernel.plugins.module_utils._verify.kernel_log import (
    Log,
    Output,
    Record,
)

WARN = """\
------------[ cut here ]------------
refcount_t: underflow; use-after-free.
WARNING: CPU: 1 PID: 312 at lib/refcount.c:28 refcount_warn_saturate+0xbe/0x110
Modules linked in: oslab_mod(OE+) virtio_net ext4
CPU: 1 PID: 312 Comm: modprobe Tainted: G           OE      6.12.117-49-usac1 #1
Hardware name: QEMU Standard PC (Q35 + ICH9, 2009), BIOS 1.16.2-debian-1.16.2-1 04/01/2014
RIP: 0010:refcount_warn_saturate+0xbe/0x110
Code: 01 01 e8 d5 2f a9 ff 0f 0b c3 cc cc cc cc 80 3d 4e 2d 6c 01 00
RSP: 0018:ffffb1c0003cfc38 EFLAGS: 00010286
RAX: 0000000000000000 RBX: ffff9e2ac1a8f800 RCX: 0000000000000027
Call Trace:
 <TASK>
 ? __warn+0x7d/0xc0
 ? refcount_warn_saturate+0xbe/0x110
 oslab_init+0x5c/0x1000 [oslab_mod]
 do_one_initcall+0x5b/0x310
 </TASK>
---[ end trace 0000000000000000 ]---
"""
OOPS = """\
BUG: kernel NULL pointer dereference, address: 0000000000000010
#PF: supervisor read access in kernel mode
#PF: error_code(0x0000) - not-present page
PGD 0 P4D 0
Oops: 0000 [#1] PREEMPT SMP NOPTI
CPU: 0 PID: 411 Comm: cat Not tainted 6.12.117-49-usac1 #1
RIP: 0010:show_memory+0x1c/0x90 [capture_mem_mod]
Code: 00 00 48 8b 07
Call Trace:
 <TASK>
 seq_read_iter+0x11f/0x460
 </TASK>
Modules linked in: capture_mem_mod(OE)
CR2: 0000000000000010
---[ end trace 0000000000000000 ]---
RIP: 0010:show_memory+0x1c/0x90 [capture_mem_mod]
note: cat[411] exited with irqs disabled
"""
LOCKDEP = """\
======================================================
WARNING: possible circular locking dependency detected
6.12.117-49-usac1 #1 Tainted: G           OE
------------------------------------------------------
kworker/0:1/12 is trying to acquire lock:
ffff8881057c2cb0 (&fs_info->reloc_mutex){+.+.}-{3:3}, at: record_root_in_trans+0x68/0x90

but task is already holding lock:
ffff888105ab9868 (btrfs_trans_num_writers){++++}-{0:0}, at: join_transaction+0x29/0x4e0

which lock already depends on the new lock.


the existing dependency chain (in reverse order) is:

-> #1 (btrfs_trans_num_writers){++++}-{0:0}:
       join_transaction+0x1c0/0x4e0

other info that might help us debug this:

 Possible unsafe locking scenario:

 *** DEADLOCK ***

2 locks held by kworker/0:1/12:

stack backtrace:
CPU: 0 PID: 12 Comm: kworker/0:1 Tainted: G           OE      6.12.117 #1
Call Trace:
 <TASK>
 dump_stack_lvl+0x5d/0x80
 check_noncircular+0x148/0x160
 </TASK>
"""
HUNG = """\
INFO: task kworker/u8:3:97 blocked for more than 120 seconds.
      Tainted: G           OE      6.12.117-49-usac1 #1
"echo 0 > /proc/sys/kernel/hung_task_timeout_secs" disables this message.
task:kworker/u8:3    state:D stack:0     pid:97    tgid:97    ppid:2      flags:0x00004000
Workqueue: writeback wb_workfn (flush-254:0)
Call Trace:
 <TASK>
 __schedule+0x3c4/0xb30
 </TASK>
"""
STALL = """\
rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
rcu: \t1-...!: (1 GPs behind) idle=8b4c/1/0x4000000000000000 softirq=1093/1094 fqs=0
rcu: \t(detected by 0, t=15002 jiffies, g=541, q=2 ncpus=2)
Sending NMI from CPU 0 to CPUs 1:
NMI backtrace for cpu 1
CPU: 1 PID: 210 Comm: insmod Tainted: G           OE      6.12.117-49-usac1 #1
RIP: 0010:spin_init+0x7/0x1000 [spin]
Call Trace:
 <TASK>
 do_one_initcall+0x5b/0x310
 </TASK>
rcu: rcu_preempt kthread timer wakeup didn't happen for 15001 jiffies! g541 f0x0
rcu: \tPossible timer handling issue on cpu=0 timer-softirq=377
"""
KASAN = """\
==================================================================
BUG: KASAN: slab-out-of-bounds in oslab_write+0x5a/0x90 [oslab_mod]
Write of size 1 at addr ffff888101f8a37f by task cat/201

CPU: 0 PID: 201 Comm: cat Not tainted 6.12.117 #1
Call Trace:
 <TASK>
 dump_stack_lvl+0x5d/0x80
 kasan_report+0xd8/0x110
 oslab_write+0x5a/0x90 [oslab_mod]
 </TASK>

Allocated by task 201:
 kasan_save_stack+0x30/0x50

The buggy address belongs to the object at ffff888101f8a300
 which belongs to the cache kmalloc-128 of size 128
Memory state around the buggy address:
 ffff888101f8a280: fc fc fc fc fc fc fc fc fc fc fc fc fc fc fc fc
>ffff888101f8a300: 00 00 00 00 00 00 00 00 00 00 00 00 00 00 00 07
                                                                ^
==================================================================
Disabling lock debugging due to kernel taint
"""
UBSAN = """\
------------[ cut here ]------------
UBSAN: shift-out-of-bounds in drivers/ata/libata-core.c:1123:22
shift exponent 40 is too large for 32-bit type 'int'
CPU: 1 PID: 1 Comm: swapper/0 Not tainted 6.12.117 #1
Call Trace:
 <TASK>
 dump_stack_lvl+0x5d/0x80
 </TASK>
---[ end trace ]---
"""
MCE = """\
mce: [Hardware Error]: CPU 2: Machine Check Exception: 5 Bank 4: be00000000800400
mce: [Hardware Error]: RIP !INEXACT! 10:<ffffffff81b5d5b5> {acpi_idle_do_entry+0x45/0x60}
mce: [Hardware Error]: TSC 1b0a5a6e2c ADDR ffffff81b5d5b5 MISC ffff
mce: [Hardware Error]: PROCESSOR 0:306c3 TIME 1700000000 SOCKET 0 APIC 2 microcode 28
"""
OOM = """\
stress invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_COMP), order=0
CPU: 0 PID: 1302 Comm: stress Not tainted 6.12.117 #1
Call Trace:
 <TASK>
 dump_header+0x43/0x1c0
 </TASK>
Mem-Info:
active_anon:120 inactive_anon:963345 isolated_anon:0
 active_file:11 inactive_file:0 isolated_file:0
Tasks state (memory values in pages):
[  pid  ]   uid  tgid total_vm      rss pgtables_bytes swapents oom_score_adj name
[   1302]     0  1302  2098136   976431  7880704        0             0 stress
oom-kill:constraint=CONSTRAINT_NONE,nodemask=(null),cpuset=/,mems_allowed=0,global_oom
Out of memory: Killed process 1302 (stress) total-vm:8392544kB, anon-rss:3905724kB
"""
CLOCK = """\
clocksource: timekeeping watchdog on CPU1: Marking clocksource 'tsc' as unstable because the skew:
clocksource:                       'hpet' wd_nsec: 511893010 wd_now: 1f wd_last: 1e mask: ffffffff
clocksource:                       'tsc' cs_nsec: 480083411 cs_now: 2f cs_last: 2e mask: ffffffff
"""
REST = """\
irq 16: nobody cared (try booting with the "irqpoll" option)
CPU: 0 PID: 0 Comm: swapper/0 Not tainted 6.12.117 #1
Call Trace:
 <IRQ>
 __report_bad_irq+0x33/0xb0
 </IRQ>
handlers:
[<00000000a1b2c3d4>] usb_hcd_irq [usbcore]
Disabling IRQ #16
"""
DUPLICATE = """\
sysfs: cannot create duplicate filename '/class/net/e'
CPU: 1 UID: 0 PID: 200 Comm: modprobe Tainted: G        W          6.12.117 #1
Hardware name: QEMU Standard PC (Q35 + ICH9, 2009), BIOS 1.16.2-debian-1.16.2-1 04/01/2014
Call Trace:
 <TASK>
 dump_stack_lvl+0x5d/0x80
 sysfs_warn_dup.cold+0x17/0x23
 sysfs_do_create_link_sd+0xc5/0xd0
 </TASK>
"""
NEXT = "EXT4-fs (vda1): mounted filesystem with ordered data mode. Quota mode: none."


def records(text: str, seconds: int = 5, **more: Any) -> list[Record]:
    return [Record(seconds * 1_000_000, line, **more) for line in text.splitlines()]


def found(text: str) -> list[kernel_log.Group]:
    return kernel_log.groups(records(text))


# --- complaints ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "kind", "name", "last"),
    [
        (WARN, "warn", "at lib/refcount.c:# refcount_warn_saturate", ""),
        (OOPS, "oops", "kernel NULL pointer dereference in show_memory", ""),
        (
            LOCKDEP,
            "lockdep",
            "possible circular locking dependency detected in &fs_info->reloc_mutex",
            "",
        ),
        (HUNG, "hung_task", "kworker/u#:# blocked for more than", " </TASK>"),
        (STALL, "rcu_stall", "rcu_preempt detected stalls", ""),
        (KASAN, "kasan", "slab-out-of-bounds in oslab_write [oslab_mod]", ""),
        (UBSAN, "ubsan", "shift-out-of-bounds in drivers/ata/libata-core.c:#:#", "---[ end trace"),
        (MCE, "machine_check", "Machine Check Exception (Bank 4)", "mce: [Hardware Error]: P"),
        (CLOCK, "clocksource", "Marking clocksource 'tsc' as unstable", "clocksource:   "),
        (REST, "irq", "irq #: nobody cared", "Disabling IRQ #16"),
    ],
)
def test_a_report_is_one_complaint(text: str, kind: str, name: str, last: str) -> None:
    (one,) = found(f"{NEXT}\n{text}{NEXT}\n{NEXT}\n{NEXT}\n{NEXT}\n")
    assert (one.kind, one.name, one.count, one.seconds) == (kind, name, 1, 5)
    assert one.lines[-1].startswith(last)
    assert len(one.lines) <= kernel_log.MOST_LINES
    assert NEXT not in one.lines


def test_the_message_of_a_warning_comes_after_its_first_line() -> None:
    (one,) = found(WARN)
    assert one.lines[0].startswith("WARNING: CPU: 1 PID: 312 at lib/refcount.c:28")
    assert one.lines[1] == "refcount_t: underflow; use-after-free."


def test_a_kill_and_what_asked_for_it_are_two_complaints() -> None:
    assert [(one.kind, one.name) for one in found(OOM)] == [
        ("oom", "Out of memory: Killed"),
        ("oom", "invoked oom-killer"),
    ]


def test_complaints_of_one_name_are_one_group() -> None:
    again = WARN.replace("PID: 312", "PID: 999").replace("CPU: 1", "CPU: 0").replace(":28", ":31")
    (one,) = kernel_log.groups([*records(WARN), *records(again, 90)])
    assert (one.count, one.seconds) == (2, 5)
    assert "PID: 312" in one.lines[0]


def test_two_functions_are_two_groups() -> None:
    other = WARN.replace("refcount_warn_saturate", "another_function")
    assert len(found(WARN + other)) == 2
    assert len(found(OOPS + OOPS.replace("show_memory", "show_usage"))) == 2
    assert len(found(LOCKDEP + LOCKDEP.replace("reloc_mutex", "other_mutex"))) == 2


def test_another_complaint_within_a_trace() -> None:
    error = "I/O error, dev sda, sector 8 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2\n"
    lines = WARN.splitlines(keepends=True)
    for place in range(1, len(lines)):
        kinds = [
            (one.kind, one.count) for one in found("".join([*lines[:place], error, *lines[place:]]))
        ]
        assert sorted(kinds) == [("io_error", 1), ("warn", 1)], place


def test_an_invalid_opcode_is_that_of_the_bug_before_it() -> None:
    text = """\
------------[ cut here ]------------
kernel BUG at lib/list_debug.c:56!
Oops: invalid opcode: 0000 [#1] PREEMPT SMP NOPTI
CPU: 0 UID: 0 PID: 1 Comm: swapper/0 Not tainted 6.12.117 #1
RIP: 0010:__list_del_entry_valid_or_report+0xa0/0xd0
Call Trace:
 <TASK>
Kernel panic - not syncing: Fatal exception
"""
    assert [(one.kind, one.name) for one in found(text)] == [
        ("bug", "lib/list_debug.c:#! in __list_del_entry_valid_or_report"),
        ("panic", "Fatal exception"),
    ]


def test_a_trace_without_a_beginning() -> None:
    text = "Call Trace:\n <TASK>\n dump_stack_lvl+0x5d/0x80\n ? x+0x1/0x2\n strange+0x1/0x2 [mod]\n"
    (one,) = found(text)
    assert (one.kind, one.name) == ("call_trace", "Call Trace: in strange")


def test_a_trace_that_nothing_has_announced() -> None:
    """It belongs to no complaint that has a trace already, or never has one."""
    before = {
        "warn": WARN,
        "oops": OOPS,
        "kasan": KASAN,
        "machine_check": MCE,
        "clocksource": CLOCK,
        "hung_task": HUNG,
        "rcu_stall": STALL,
        "corrected_error": "mce: [Hardware Error]: Machine check events logged\n",
        "msr_access": "unchecked MSR access error: RDMSR from 0x1 at rIP: 0x2\n"
        "Call Trace:\n <TASK>\n f+0x1/0x2\n",
        "lockdep": "WARNING: lock held when returning to user space!\n#0: x\n",
    }
    for kind, text in before.items():
        for between in ("", f"{NEXT}\n", f"{NEXT}\n{NEXT}\n"):
            kinds = [(one.kind, one.name) for one in found(text + between + DUPLICATE)]
            assert [one for one, _name in kinds] == [kind, "call_trace"], (kind, between)
            assert kinds[1][1] == "Call Trace: in sysfs_warn_dup"
    (_one, other) = found(DUPLICATE + DUPLICATE.replace("sysfs_warn_dup", "g"))
    assert other.lines[:2] == [
        "Call Trace:",
        "sysfs: cannot create duplicate filename '/class/net/e'",
    ]


def test_a_report_that_has_no_trace_of_its_own() -> None:
    logged = "mce: [Hardware Error]: Machine check events logged\n"
    ended = "WARNING: CPU: 0 PID: 1 at f+0x1/0x2\n---[ end trace 0000000000000000 ]---\n"
    for before in (logged, ended):
        _sysfs, only = DUPLICATE.split("\n", 1)
        assert [one.kind for one in found(before + only)][1:] == ["call_trace"]


def test_a_report_ends_where_the_head_of_another_trace_is() -> None:
    access = "unchecked MSR access error: RDMSR from 0x1 at rIP: 0x2\nCall Trace:\n f+0x1/0x2\n"
    one, _other = found(access + DUPLICATE)
    assert one.lines == access.splitlines()


def test_traces_that_a_report_asks_for_are_its_own() -> None:
    trace = "CPU: 1 PID: 7 Comm: a Not tainted 6.12.117 #1\nCall Trace:\n <TASK>\n g+0x1/0x2\n"
    dump = "rcu: Stack dump where RCU GP kthread last ran:\n"
    for text in (STALL + dump + trace, STALL + f"{NEXT}\n" + dump + trace):
        assert [one.kind for one in found(text)] == ["rcu_stall"]
    more = HUNG + "1 lock held by a/7:\nNMI backtrace for cpu 1\n" + trace
    assert [one.kind for one in found(more)] == ["hung_task"]


def test_what_another_boot_has_ended_with() -> None:
    text = """\
BERT: Error records from previous boot:
[Hardware Error]: event severity: fatal
[Hardware Error]:  Error 0, type: fatal
"""
    assert [one.kind for one in found(text)] == ["earlier_error"]
    assert [one.kind for one in found(text + "BERT: Total records found: 1\n" + MCE)] == [
        "earlier_error",
        "machine_check",
    ]
    decoded = "[Hardware Error]: Uncorrected, software containable error.\n"
    assert [one.kind for one in found(text + f"{NEXT}\n" + decoded)][1:] == ["machine_check"]
    now = "{1}[Hardware Error]: event severity: fatal\n"
    assert [one.kind for one in found(text + now)] == ["earlier_error", "machine_check"]


def test_machine_checks_of_two_banks_are_two_complaints() -> None:
    assert len(found(MCE + MCE.replace("Bank 4", "Bank 1"))) == 2
    assert len(found(MCE + MCE.replace("CPU 2", "CPU 3"))) == 1


def test_what_tells_two_complaints_of_a_kind_apart() -> None:
    function = UBSAN.replace(
        " dump_stack_lvl", " dump_stack_lvl+0x1/0x2\n ubsan_epilogue+0x5/0x30\n {}"
    )
    one = function.replace("{}+", "f+").replace(
        "\n f+0x5d/0x80", "\n __ubsan_handle_x.cold+0x1/0x2\n f+0x1/0x2"
    )
    (group,) = found(one)
    assert group.name == "shift-out-of-bounds in drivers/ata/libata-core.c:#:# in f"
    assert len(found(one + one.replace(" f+0x1", " g+0x1"))) == 2
    slab = "BUG kmalloc-{} (Not tainted): Redzone overwritten\n"
    assert len(found(slab.format(64) + slab.format(128))) == 2


def test_a_device_is_named_by_what_it_is() -> None:
    line = "Buffer I/O error on dev {}, logical block 0, async page read\n"
    text = line.format("sdc") + line.format("sdd") + line.format("nvme0n1") + line.format("nvme3n1")

    def identity(group: str, name: str) -> str:
        return f"{group} naa.5" if name.startswith("sd") else name

    names = [(one.name, one.count) for one in kernel_log.groups(records(text), identity)]
    assert names == [
        ("Buffer I/O error (disk naa.5)", 2),
        ("Buffer I/O error (nvme0n1)", 1),
        ("Buffer I/O error (nvme3n1)", 1),
    ]
    long = kernel_log.groups(records("UBSAN: " + "x" * 500), identity)
    assert len(long[0].name) == kernel_log.NAME_LENGTH


def test_what_a_host_reports_has_the_devices_of_sysfs(tmp_path: Path) -> None:
    wwid = tmp_path / "sys/class/block/sdc/wwid"
    wwid.parent.mkdir(parents=True)
    wwid.write_text("naa.5000\n")
    log = Log(records("Buffer I/O error on dev sdc, logical block 0\n"), True)
    (one,) = kernel_log.gather(tmp_path, lambda: log)["complaints"]
    assert one["name"] == "Buffer I/O error (naa.5000)"


def test_what_programs_write_to_the_log_is_not_the_kernel_s() -> None:
    assert kernel_log.groups(records(WARN, kernel=False)) == []


def test_a_fragment_begins_nothing_and_ends_nothing() -> None:
    first, *others = records(HUNG)
    (one,) = kernel_log.groups([first, Record(0, "WARNING: x", fragment=True), *others])
    assert one.lines[1] == "WARNING: x"
    assert kernel_log.groups([first._replace(fragment=True)]) == []


def test_a_trace_that_does_not_end() -> None:
    text = "BUG: KASAN: x in f+0x1/0x2\n" + " f+0x1/0x2\n" * 5000
    (one,) = found(text + WARN.splitlines()[2])[:1]
    assert len(one.lines) == kernel_log.MOST_LINES
    assert [one.kind for one in found(text + WARN)] == ["kasan", "warn"]
    endless = LOCKDEP.partition("stack")[0] + "x\n" * 400
    assert [one.kind for one in found(endless + WARN)] == ["lockdep", "warn"]
    assert [one.kind for one in found(endless + "Call Trace:\n")] == ["lockdep", "call_trace"]


# --- names --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("at kernel/a.c:12 f+0x1/0x22 [m]", "at kernel/a.c:7 f+0x9a/0xff [m]"),
        ("f.constprop.0+0x1/0x2", "f.isra.12+0x4/0x5"),
        ("f.cold+0x1/0x2", "f+0x1/0x2"),
        ("x (Tainted: G           OE     ): y", "x (Not tainted): y"),
        ("task a:12 at ffff888105ab9868", "task a:9 at ffff9e2ac1a8f800"),
        ("CPU#1  stuck for 23s!", "CPU#0 stuck for 26s!"),
    ],
)
def test_the_name_is_the_same_in_another_boot(one: str, other: str) -> None:
    assert kernel_log.normalised(one) == kernel_log.normalised(other)


def test_a_name_is_short_and_words_stay() -> None:
    assert len(kernel_log.normalised("word " * 5000)) <= kernel_log.NAME_LENGTH
    assert kernel_log.normalised("a decade of feedback in f") == "a decade of feedback in f"


def test_a_fingerprint_depends_on_kind_and_name() -> None:
    prints = {kernel_log.fingerprint(*pair) for pair in (("a", "b"), ("a", "c"), ("b", "b"))}
    assert len(prints) == 3
    assert all(kernel_log.FINGERPRINT.fullmatch(one) for one in prints)
    kernel_log.fingerprint("a", "\udce4")


# --- the answer ---------------------------------------------------------------------------------


def test_the_most_severe_ones_are_reported() -> None:
    many = "".join(
        f"a 0000: Direct firmware load for {chr(97 + n // 26)}{chr(97 + n % 26)}.fw failed with"
        " error -2\n"
        for n in range(kernel_log.MOST_GROUPS + 10)
    )
    answer = kernel_log.answer(Log(records(many + OOPS + WARN), True, ["x"]), 4096)
    assert [one["kind"] for one in answer["complaints"]][:3] == ["oops", "warn", "firmware"]
    assert len(answer["complaints"]) == kernel_log.MOST_GROUPS
    assert (answer["dropped"], answer["tainted"], answer["complete"]) == (12, 4096, True)
    json.dumps(answer)


def test_lines_are_short() -> None:
    (one,) = kernel_log.answer(Log(records("UBSAN: " + "x" * 5000), True), 0)["complaints"]
    assert len(one["lines"][0]) == kernel_log.LENGTH


# --- reading ------------------------------------------------------------------------------------


def test_a_record_of_the_ring_buffer() -> None:
    data = b"4,339,5140900,-,caller=T1;A Z\\xc3\\xbcrich \\x5c and\\x0amore\n SUBSYSTEM=acpi\n"
    number, record = kernel_log.parse_record(data) or (0, None)
    assert number == 339
    assert record == Record(5140900, "A Zürich \\ and\nmore")


@pytest.mark.parametrize(
    ("head", "kernel", "fragment"),
    [
        (b"0,1,2,-", True, False),
        (b"7,1,2,c", True, True),
        (b"12,1,2,-", False, False),
        (b"30,1,2,-", False, False),
    ],
)
def test_who_wrote_it(head: bytes, kernel: bool, fragment: bool) -> None:
    parsed = kernel_log.parse_record(head + b";x\n")
    assert parsed
    assert (parsed[1].kernel, parsed[1].fragment) == (kernel, fragment)


@pytest.mark.parametrize(
    "data",
    [b"", b";", b"x", b"1,2,3;x", b"-1,2,3,-;x", b"1,2,x,-;x", b"1,2," + b"9" * 5000 + b",-;x"],
)
def test_no_record(data: bytes) -> None:
    assert kernel_log.parse_record(data) is None


class Ring:
    """os.read of a descriptor that gives these records, or errors, one after the other."""

    def __init__(self, *answers: Any) -> None:
        self.answers = list(answers)

    def __call__(self, _descriptor: int, _size: int) -> bytes:
        answer = self.answers.pop(0) if self.answers else BlockingIOError()
        if isinstance(answer, OSError):
            raise answer
        return bytes(answer)


def ring(monkeypatch: pytest.MonkeyPatch, *answers: Any, **more: Any) -> Log:
    monkeypatch.setattr(os, "read", Ring(*answers))
    return kernel_log.read_kmsg(os.devnull, **more)


def test_the_ring_buffer_from_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    log = ring(monkeypatch, b"6,0,0,-;Linux version 6\n", b"6,1,7,-;x\n")
    assert log.complete
    assert [record.text for record in log.records] == ["Linux version 6", "x"]


@pytest.mark.parametrize(
    "answers",
    [
        (b"6,17,0,-;x\n", b"6,18,7,-;x\n"),
        (b"6,0,0,-;x\n", OSError(errno.EPIPE, "x"), b"6,1,7,-;x\n"),
        (b"6,0,0,-;x\n", b"6,2,7,-;x\n"),
        (),
    ],
)
def test_a_ring_buffer_that_lost_something(answers: Any, monkeypatch: Any) -> None:
    log = ring(monkeypatch, *answers)
    assert not log.complete
    assert log.ended


def test_where_a_gap_of_the_ring_buffer_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = OSError(errno.EPIPE, "x")
    log = ring(monkeypatch, b"6,0,0,-;a\n", b"6,1,1,-;b\n", lost, b"6,7,7,-;c\n", b"6,8,8,-;d\n")
    assert [record.text for record in log.records[log.whole_from :]] == ["c", "d"]
    assert len(log.records) == 4


def test_a_log_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kernel_log, "MOST_RECORDS", 10)
    endless = [b"6,%d,0,-;x\n" % number for number in range(100)]
    log = ring(monkeypatch, *endless)
    assert len(log.records) == 10
    assert not log.complete
    assert not log.ended
    times = iter(range(0, 1000, 20))
    log = ring(monkeypatch, *endless, clock=lambda: float(next(times)))
    assert len(log.records) < 10
    assert not log.complete


def test_another_error_is_raised(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(PermissionError):
        ring(monkeypatch, PermissionError(errno.EPERM, "x"))


JOURNAL = b"\n".join(
    json.dumps(entry).encode()
    for entry in (
        {"MESSAGE": "Linux version 6.12", "_SOURCE_MONOTONIC_TIMESTAMP": "0"},
        {
            "MESSAGE": "from a program",
            "SYSLOG_FACILITY": "3",
            "_SOURCE_MONOTONIC_TIMESTAMP": "1",
        },
        {"MESSAGE": [90, 252], "_SOURCE_MONOTONIC_TIMESTAMP": "2"},
        {"MESSAGE": None, "_SOURCE_MONOTONIC_TIMESTAMP": "3"},
        {"MESSAGE": "late", "SYSLOG_FACILITY": "0", "_SOURCE_MONOTONIC_TIMESTAMP": "900"},
    )
)


def test_the_journal() -> None:
    assert kernel_log.parse_journal(b"no JSON\n[]\n" + JOURNAL) == [
        Record(0, "Linux version 6.12"),
        Record(1, "from a program", kernel=False),
        Record(2, "Z\ufffd"),
        Record(3, ""),
        Record(900, "late"),
    ]


def journal(whole: bytes = b"", *, cut: bytes = b"", end: bytes = b"") -> Any:
    """What journalctl prints: the beginning, or else the end, the last one first."""

    def run(argv: Any) -> Output:
        assert argv[0] == "journalctl"
        if argv[-1] == "--reverse":
            return Output(end or b"\n".join(whole.split(b"\n")[::-1]), whole=bool(whole))
        return Output(whole or cut, whole=bool(whole))

    return run


def test_the_journal_has_what_the_ring_buffer_lost() -> None:
    lost = Log([Record(800, "x"), Record(900, "late")], False, ["/dev/kmsg"])
    log = kernel_log.read(lambda: lost, journal(JOURNAL))
    assert log.complete
    assert log.sources == ["/dev/kmsg", "the journal"]
    assert [record.text for record in log.records][-3:] == ["", "x", "late"]


def test_a_journal_that_begins_late_completes_nothing() -> None:
    lost = Log([Record(800, "x")], False, ["/dev/kmsg"])
    assert not kernel_log.read(lambda: lost, journal(JOURNAL.split(b"\n", 1)[1])).complete
    assert kernel_log.read(lambda: lost, journal()) is lost


# As systemd-journald notes it.
GAP = {"MESSAGE": "Missed 7 kernel messages", "MESSAGE_ID": "e9bf28e6e834481bb6f48f548ad13606"}


def entries(*moments: int | None) -> bytes:
    """Messages at these moments; None: where some are missing."""
    return b"\n".join(
        json.dumps(
            GAP
            if moment is None
            else {
                "MESSAGE": "Linux version 6.12" if moment == 0 else f"at {moment}",
                "_SOURCE_MONOTONIC_TIMESTAMP": str(moment),
            }
        ).encode()
        for moment in moments
    )


@pytest.mark.parametrize(
    ("run", "complete", "moments"),
    [
        (journal(entries(0, 1, 2, 8, 9)), True, [0, 1, 2, 8, 9]),
        # It ends before the ring buffer begins.
        (journal(entries(0, 1, 2)), False, [0, 1, 2, 8, 9]),
        # It was cut, too late to matter.
        (journal(cut=entries(0, 1, 2, 8)), True, [0, 1, 2, 8, 9]),
        # It was cut before; its end has the rest, or has not.
        (journal(cut=entries(0, 1, 2), end=entries(9, 8, 3, 2, 1)), True, [0, 1, 2, 3, 8, 9]),
        (journal(cut=entries(0, 1, 2), end=entries(9, 8, 5, 4)), False, [0, 1, 2, 4, 5, 8, 9]),
        (journal(cut=entries(0, 1, 2), end=entries(5, 4, 2)), False, [0, 1, 2, 4, 5, 8, 9]),
        (journal(cut=entries(0, 1, 2)), False, [0, 1, 2, 8, 9]),
        (journal(cut=entries(1, 2), end=entries(9, 8, 2)), False, [1, 2, 8, 9]),
        # The journal itself lacks something, or only what the ring buffer has.
        (journal(entries(0, 1, None, 2, 8, 9)), False, [0, 1, 2, 8, 9]),
        (journal(entries(0, 1, 2, None, 8, 9)), False, [0, 1, 2, 8, 9]),
        (journal(entries(0, 1, 2, 8, None, 9)), True, [0, 1, 2, 8, 9]),
        (journal(cut=entries(0, None, 2), end=entries(9, 8, 3, 2)), False, [0, 2, 3, 8, 9]),
        (journal(cut=entries(0, 1, 2), end=entries(9, 8, None, 2)), False, [0, 1, 2, 8, 9]),
        (journal(cut=entries(0, 1, 2), end=entries(9, None, 8, 2)), True, [0, 1, 2, 8, 9]),
    ],
)
def test_a_journal_that_is_cut(run: Any, complete: bool, moments: list[int]) -> None:
    lost = Log([Record(8, "x"), Record(9, "y")], False, ["/dev/kmsg"])
    log = kernel_log.read(lambda: lost, run)
    assert log.complete is complete
    assert [record.microseconds for record in log.records] == moments


def test_too_many_records_in_the_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    lost = Log([Record(8, "x")], False, ["/dev/kmsg"])
    monkeypatch.setattr(kernel_log, "MOST_RECORDS", 3)
    assert not kernel_log.read(lambda: lost, journal(entries(0, 1, 2, 5, 7, 8))).complete
    assert not kernel_log.read(lambda: Log([], False), journal(entries(0, 1, 2, 5, 7, 8))).complete


def test_a_gap_in_the_ring_buffer() -> None:
    gap = Log([Record(1, "a"), Record(3, "b"), Record(8, "x")], False, whole_from=2)
    log = kernel_log.read(lambda: gap, journal(entries(0, 1, 2, 3, 5, 8)))
    assert log.complete
    assert [record.microseconds for record in log.records] == [0, 1, 2, 3, 5, 8]
    # What is before the gap stays where the journal has less.
    log = kernel_log.read(lambda: gap, journal(entries(0, 1)))
    assert not log.complete
    assert [record.text for record in log.records] == ["Linux version 6.12", "a", "b", "x"]


def test_a_ring_buffer_that_was_not_read_to_its_end() -> None:
    cut = Log([Record(8, "x")], False, ended=False)
    assert not kernel_log.read(lambda: cut, journal(entries(0, 1, 8))).complete


def test_a_complete_ring_buffer_needs_no_journal() -> None:
    whole = Log([Record(0, "x")], True)
    assert kernel_log.read(lambda: whole, lambda _argv: pytest.fail("asked")) is whole


def test_the_journal_alone() -> None:
    def denied() -> Log:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    assert kernel_log.read(denied, journal(JOURNAL)).complete
    assert not kernel_log.read(denied, journal(cut=JOURNAL)).complete
    log = kernel_log.read(denied, journal())
    assert (log.complete, log.records) == (False, [])
    assert log.problem == "/dev/kmsg cannot be read: Operation not permitted"
    empty = kernel_log.read(lambda: Log([], False), journal())
    assert empty.problem == "/dev/kmsg is empty, and there is no journal"


def test_the_output_of_a_program_has_limits() -> None:
    def run(program: str, **more: Any) -> bytes:
        return kernel_log.limited_output([sys.executable, "-c", program], **more)

    assert run("print('x')") == b"x\n"
    started = time.monotonic()
    assert len(run("while True: print('x' * 1000)", limit=5000, seconds=60.0)) == 5000
    assert run("import time; print('x', flush=True); time.sleep(60)", seconds=2.0) == b"x\n"
    assert time.monotonic() - started < 30
    assert kernel_log.limited_output(["/no/such/program"]) == b""

    def is_whole(program: str, **more: Any) -> bool:
        return kernel_log.output([sys.executable, "-c", program], **more).whole

    assert is_whole("print('x')")
    assert not is_whole("print('x', flush=True); raise SystemExit(1)")
    assert not is_whole("print('x' * 6000)", limit=5000)
    assert not is_whole("import time; time.sleep(60)", seconds=0.5)
    assert not kernel_log.output(["/no/such/program"]).whole
    # All of it, or nothing.
    assert run("print('x')", whole=True) == b"x\n"
    assert run("print('x', flush=True); raise SystemExit(1)", whole=True) == b""
    assert run("while True: print('x' * 1000)", limit=5000, whole=True) == b""
    slow = "import time; print('x', flush=True); time.sleep(60)"
    assert run(slow, seconds=2.0, whole=True) == b""


def test_the_taint(tmp_path: Path) -> None:
    assert kernel_log.read_tainted(tmp_path) == 0
    path = tmp_path / "proc/sys/kernel/tainted"
    path.parent.mkdir(parents=True)
    for text, value in (("12288\n", 12288), ("x", 0), ("²", 0), ("9" * 5000, 0)):
        path.write_text(text)
        assert kernel_log.read_tainted(tmp_path) == value


GOOD: dict[str, Any] = {
    "release": "6.1.0-44-amd64",
    "tainted": 0,
    "complaints": ["warn:0123456789abcdef"],
}


@pytest.mark.parametrize(
    ("record", "sound"),
    [
        ({"kernel_log": GOOD}, True),
        ({"kernel_log": {**GOOD, "complete": False}}, True),
        ({"kernel_log": {**GOOD, "complete": 1}}, False),
        ({"kernel_log": {"release": "6.1", "complete": True}}, False),
        ({}, False),
        ({"kernel_log": []}, False),
        ({"kernel_log": {**GOOD, "release": "a b"}}, False),
        ({"kernel_log": {**GOOD, "tainted": True}}, False),
        ({"kernel_log": {**GOOD, "tainted": -1}}, False),
        ({"kernel_log": {**GOOD, "complaints": ["x\n"]}}, False),
        ({"kernel_log": {**GOOD, "complaints": GOOD["complaints"] * 1000}}, False),
        ({"kernel_log": {**GOOD, "more": 1}}, False),
    ],
)
def test_the_recorded_baseline(tmp_path: Path, record: Any, sound: bool) -> None:
    assert kernel_log.recorded_baseline(tmp_path) is None
    path = tmp_path / kernel_log.INSTALL_RECORD
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps(record))
    found = kernel_log.recorded_baseline(tmp_path)
    assert found == (record["kernel_log"] if sound else None)


@pytest.mark.skipif(not os.access("/dev/kmsg", os.R_OK), reason="no /dev/kmsg")
def test_this_machine() -> None:
    answer = kernel_log.gather()
    assert answer["records"] > 0 or answer["problem"]
