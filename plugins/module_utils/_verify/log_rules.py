# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The complaints of a kernel: by which line each kind begins, and how severe it is.

A rule is one entry of `RULES`; the first one that matches a line decides. Its example is a line as
a kernel prints it, and a unit test of the rule. A pattern begins at the beginning of a line: later
there may be the name of a process, which anybody may choose.
"""

from __future__ import annotations

import re
from typing import NamedTuple, Optional

FATAL, ERROR, WARNING, NOTICE = "fatal", "error", "warning", "notice"
#: The most severe one first.
SEVERITIES = (FATAL, ERROR, WARNING, NOTICE)

KINDS = {
    # The kernel, or a part of it, has stopped.
    "panic": FATAL,
    "oops": FATAL,
    "bug": FATAL,
    "hard_lockup": FATAL,
    # Something is wrong with the kernel or the machine.
    "warn": ERROR,
    "call_trace": ERROR,
    "lockdep": ERROR,
    "atomic": ERROR,
    "soft_lockup": ERROR,
    "workqueue_lockup": ERROR,
    "hung_task": ERROR,
    "rcu_stall": ERROR,
    "kasan": ERROR,
    "kfence": ERROR,
    "kmsan": ERROR,
    "kcsan": ERROR,
    "ubsan": ERROR,
    "bad_memory": ERROR,
    "machine_check": ERROR,
    "io_error": ERROR,
    "fs_error": ERROR,
    "irq": ERROR,
    "module_symbol": ERROR,
    # Something does not work as it could.
    "firmware": WARNING,
    "clocksource": WARNING,
    "oom": WARNING,
    "allocation": WARNING,
    "kmemleak": WARNING,
    "corrected_error": WARNING,
    "transmit_timeout": WARNING,
    "msr_access": WARNING,
    # Usual.
    "optional_firmware": NOTICE,
    "removable_io": NOTICE,
    "taint": NOTICE,
}


class Rule(NamedTuple):
    kind: str
    #: What it captures is the complaint's name, or else the whole line.
    pattern: re.Pattern[str]
    #: A line that a kernel prints.
    example: str
    #: Whether lines that look like a trace belong to it.
    block: bool = False
    #: In a line of its block: what tells one complaint of this kind from another.
    also: Optional[re.Pattern[str]] = None
    #: All lines belong to its block up to the one that begins so.
    until: str = ""


# A name of at most 15 bytes, which anybody may choose.
_PROCESS = r".{0,16}"
_INSTRUCTION = re.compile(r"(?:RIP: [0-9a-f]{4}:|pc : )([\w.]{1,128})\+0x")
# The first function of a trace that is not the one which prints it.
_PRINTERS = r"dump_|show_|__might_|__schedule|schedule|print_|check_preemption|debug_smp|asm_|exc_"
_CALLER = re.compile(rf" {{1,8}}(?!{_PRINTERS})([A-Za-z_][\w.]{{0,127}})\+0x")
_LOCK = re.compile(r"[0-9a-f]{8,16} \((.{1,80}?)\)\{")
_FUNCTION = r"\S{1,200}"
# What the kernel says of a program begins with its name, line breaks included, as in
# `NAME[PID]: segfault at`.
_OF_A_PROCESS = re.compile(r"[\s\S]{0,16}(?:\[\d{1,10}\]| \(\d{1,10}\)):? ")


def _rule(
    kind: str,
    pattern: str,
    example: str,
    *,
    block: bool = False,
    also: Optional[re.Pattern[str]] = None,
    until: str = "",
) -> Rule:
    return Rule(kind, re.compile(pattern), example, block, also, until)


RULES = (
    # kernel/panic.c
    _rule(
        "panic",
        r"Kernel panic - not syncing: (.*)",
        "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)",
        block=True,
    ),
    # arch/x86/mm/fault.c; the address differs each time.
    _rule(
        "oops",
        r"(?:BUG: )?((?:kernel NULL pointer dereference)|(?:[Uu]nable to handle \S+(?: \S+){0,4}))"
        r"(?: for address| at virtual address|, address| at)",
        "BUG: kernel NULL pointer dereference, address: 0000000000000010",
        block=True,
        also=_INSTRUCTION,
    ),
    # arch/x86/kernel/dumpstack.c; before 6.10 without "Oops: " before other words.
    _rule(
        "oops",
        r"(?:Oops: "
        r"|Internal error: )?([A-Za-z][A-Za-z -]{0,60}).{0,120} \[#\d{1,9}\](?: [A-Z_]+)*$",
        "Oops: general protection fault, probably for non-canonical address 0xdead000000000122: "
        "0000 [#1] PREEMPT SMP NOPTI",
        block=True,
        also=_INSTRUCTION,
    ),
    # lib/bug.c
    _rule(
        "bug",
        rf"[Kk]ernel BUG at ({_FUNCTION})",
        "kernel BUG at lib/list_debug.c:56!",
        block=True,
        also=_INSTRUCTION,
    ),
    # kernel/watchdog.c
    _rule(
        "hard_lockup",
        r"(?:NMI )?watchdog: (?:CPU\d+: )?(Watchdog detected hard LOCKUP)",
        "watchdog: Watchdog detected hard LOCKUP on cpu 3",
        block=True,
        also=_INSTRUCTION,
    ),
    _rule(
        "soft_lockup",
        r"(?:NMI )?watchdog: BUG: (soft lockup)",
        "watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [kworker/1:2:84]",
        block=True,
        also=_INSTRUCTION,
    ),
    # kernel/panic.c: since 6.18 the CPU comes last.
    _rule(
        "warn",
        rf"WARNING: (?:CPU: \d+ PID: \d+ )?(at {_FUNCTION}(?: {_FUNCTION}(?: \[\w+\])?)?)",
        "WARNING: CPU: 0 PID: 1 at kernel/workqueue.c:3023 __queue_work+0x2c1/0x430",
        block=True,
    ),
    _rule(
        "warn",
        rf"WARNING: ({_FUNCTION}:\d+ at {_FUNCTION}), CPU#\d+: ",
        "WARNING: mm/page_alloc.c:5226 at __alloc_frozen_pages_noprof+0x2e1/0x350, CPU#1: "
        "modprobe/312",
        block=True,
    ),
    # kernel/locking/lockdep.c
    _rule(
        "lockdep",
        rf"WARNING: ((?:possible (?:circular|recursive|irq)|suspicious RCU|inconsistent lock"
        rf"|bad unlock"
        rf"|bad contention|Nested lock|held lock freed|lock held when|chain_key|\S+-safe -> )"
        rf".{{0,60}}|{_PROCESS}/\d+ still has locks held!)",
        "WARNING: possible circular locking dependency detected",
        block=True,
        also=_LOCK,
        until="stack backtrace:",
    ),
    _rule(
        "lockdep",
        r"\[ BUG: (.{1,60}) \]$",
        "[ BUG: Invalid wait context ]",
        block=True,
        also=_LOCK,
        until="stack backtrace:",
    ),
    _rule(
        "lockdep",
        r"INFO: (trying to register non-static key)|BUG: (MAX_[A-Z_]+ too low!)",
        "INFO: trying to register non-static key.",
        block=True,
        also=_CALLER,
    ),
    # kernel/sched/core.c, lib/smp_processor_id.c, kernel/workqueue.c
    _rule(
        "atomic",
        r"BUG: (sleeping function called from invalid context at \S+|scheduling while atomic"
        r"|scheduling in a non-blocking section|assuming (?:atomic|non migratable) context at \S+"
        r"|using \S+ in preemptible|workqueue leaked (?:atomic|lock))",
        "BUG: sleeping function called from invalid context at kernel/locking/mutex.c:580",
        block=True,
        also=_CALLER,
    ),
    _rule(
        "workqueue_lockup",
        r"BUG: (workqueue lockup - pool)",
        "BUG: workqueue lockup - pool cpus=1 node=0 flags=0x0 nice=0 stuck for 31s!",
        block=True,
    ),
    # kernel/hung_task.c
    _rule(
        "hung_task",
        r"INFO: task (.{1,40}?):\d+(?: <\w+>)? (blocked (?:in I/O wait )?for more than)",
        "INFO: task kworker/u8:3:97 blocked for more than 120 seconds.",
        block=True,
    ),
    # kernel/rcu/tree_stall.h, tasks.h
    _rule(
        "rcu_stall",
        r"(?:rcu: )?INFO: (rcu\w* (?:self-)?detected (?:expedited )?stalls?)",
        "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
        block=True,
    ),
    # mm/kasan, mm/kfence, mm/kmsan, kernel/kcsan
    _rule(
        "kasan",
        r"BUG: KASAN: (.*)",
        "BUG: KASAN: slab-out-of-bounds in ext4_xattr_set_entry+0x1c2e/0x2b70",
        block=True,
    ),
    _rule(
        "kfence",
        r"BUG: KFENCE: (.*)",
        "BUG: KFENCE: use-after-free read in test_use_after_free_read+0xb3/0x143",
        block=True,
    ),
    _rule(
        "kmsan",
        r"BUG: KMSAN: (.*)",
        "BUG: KMSAN: uninit-value in skb_release_data+0x3f2/0x8f0",
        block=True,
    ),
    _rule(
        "kcsan",
        r"BUG: KCSAN: (.*)",
        "BUG: KCSAN: data-race in tick_nohz_stop_tick / tick_sched_timer",
        block=True,
    ),
    # lib/ubsan.c
    _rule(
        "ubsan",
        r"UBSAN: (.*)",
        "UBSAN: shift-out-of-bounds in drivers/ata/libata-core.c:1123:22",
        block=True,
    ),
    # mm/debug.c, mm/page_alloc.c, mm/memory.c, kernel/fork.c, mm/slub.c
    _rule(
        "bad_memory",
        r"BUG: (Bad (?:page state|page map|page cache|rss-counter state)|non-zero pgtables_bytes"
        r"|Dentry .* still in use)|BUG ([\w-]{1,64}) \((?:Not tainted|Tainted: [^)]*)\): (.*)",
        "BUG: Bad page state in process modprobe  pfn:10a3f4",
        block=True,
        also=_CALLER,
    ),
    _rule(
        "bug",
        # kernel/sched/topology.c says this of virtual machines that work.
        r"BUG: (?!arch topology )(\S.*)",
        "BUG: spinlock bad magic on CPU#0, swapper/0/1",
        block=True,
        also=_CALLER,
    ),
    # arch/x86/kernel/cpu/mce, drivers/acpi/apei/ghes.c, drivers/edac, drivers/pci/pcie
    _rule(
        "machine_check",
        r"(?:mce: )?\[Hardware Error\]: CPU \d+: (Machine Check Exception: .*)"
        r"|mce: (?:\[Hardware Error\]: )?(Uncorrected hardware memory error"
        r"|Memory error not recovered"
        r"|Kernel accessed poison)|(?:\{\d+\})?\[Hardware Error\]: event (severity: (?:fatal"
        r"|recoverable))"
        r"|EDAC \S+: \d+ (UE .*)|.{0,80}PCIe Bus Error: (severity=Uncorrec[^,]*, type=.*)",
        "mce: [Hardware Error]: CPU 2: Machine Check Exception: 5 Bank 4: be00000000800400",
        block=True,
    ),
    _rule(
        "corrected_error",
        r"(?:mce: )?\[Hardware Error\]: (Machine check events logged)"
        r"|mce: \[Hardware Error\]: CPU \d+: (Machine Check: .*)|EDAC \S+: \d+ (CE .*)"
        r"|(?:\{\d+\})?\[Hardware Error\]: event (severity: corrected)"
        r"|.{0,80}PCIe Bus Error: (severity=Correct[^,]*, type=.*)",
        "mce: [Hardware Error]: Machine check events logged",
        block=True,
    ),
    # block/blk-mq.c, fs/buffer.c: drives without a medium
    _rule(
        "removable_io",
        r"(?:blk_update_request: )?(?:I/O|critical \w+) error, (dev (?:fd|sr)\d+)"
        r"|Buffer I/O error on (dev (?:fd|sr)\d+)",
        "I/O error, dev fd0, sector 0 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2",
    ),
    _rule(
        "io_error",
        r"(?:blk_update_request: )?((?:I/O|critical \w+(?: \w+)?|recoverable transport|protection"
        r"|timeout|device (?:offline|resource)|invalid|operation not supported|reservation conflict"
        r"|device duration limit exceeded|status) error, dev \S+), sector \d+ op 0x\w+:(\(\w+\))",
        "I/O error, dev sda, sector 2048 op 0x1:(WRITE) flags 0x800 phys_seg 1 prio class 2",
    ),
    _rule(
        "io_error",
        r"(Buffer I/O error on dev(?:ice)? [^,\s]+)",
        "Buffer I/O error on dev sda1, logical block 258, lost async page write",
    ),
    _rule(
        "io_error",
        r"(ata\d+(?:\.\d+)?: exception Emask)|(nvme nvme\d+: I/O) (?:tag )?\d+ .{0,40}(timeout)"
        r"|(nvme nvme\d+: controller is down)|sd \S+ (\[\w+\]) .{0,20}FAILED (Result: \S+)",
        "ata1.00: exception Emask 0x0 SAct 0x0 SErr 0x0 action 0x6 frozen",
    ),
    # fs/ext4/super.c, fs/jbd2, fs/xfs, fs/btrfs/messages.c
    _rule(
        "fs_error",
        r"(EXT[234]-fs error \(device \S+\): \w+"
        r"|EXT[234]-fs \(\S+\): Remounting filesystem read-only"
        r"|Aborting journal on device \S+|JBD2: .*(?:[Ee]rror|corrupt).*)",
        "EXT4-fs error (device sda1): ext4_lookup:1855: inode #131: comm ls: deleted inode "
        "referenced: 140",
    ),
    _rule(
        "fs_error",
        r"(XFS \(\S+\): (?:Metadata (?:corruption|CRC error)|Corruption|Internal error"
        r"|log I/O error"
        r"|metadata I/O error|Filesystem has been shut down|User initiated shutdown"
        r"|[^:]*has been shut down).{0,80}"
        r"|BTRFS(?::)? (?:error|critical)\b.*|F2FS-fs \(\S+\): .*(?:[Cc]orrupt|[Ii]nconsistent).*"
        r"|FAT-fs \(\S+\): error, .*)",
        "XFS (sda2): Metadata corruption detected at xfs_agf_verify+0x5e/0x1a0 [xfs], xfs_agf "
        "block 0x1",
        block=True,
    ),
    # kernel/irq/spurious.c
    _rule(
        "irq",
        r"(irq \d+: nobody cared)",
        'irq 16: nobody cared (try booting with the "irqpoll" option)',
        block=True,
    ),
    # kernel/module: a module of another kernel
    _rule(
        "module_symbol",
        r"([\w-]{1,64}: (?:Unknown symbol \w+|disagrees about version of symbol \w+"
        r"|version magic ))",
        "oslab_mod: Unknown symbol capture_memory_snapshot (err -2)",
    ),
    # drivers/base/firmware_loader: the first one of Debian. cfg80211 has its own without that file.
    _rule(
        "optional_firmware",
        r"(?:.{1,80}: )?(?:firmware: failed to load|Direct firmware load for) "
        r"(regulatory\.db(?:\.p7s)?|iwl-debug-yoyo\.bin) ?",
        "platform regulatory.0: firmware: failed to load regulatory.db (-2)",
    ),
    _rule(
        "firmware",
        r".{1,80}?: (?:firmware: failed to load (\S+) \("
        r"|Direct firmware load for (\S+) failed with error"
        r"|loading (\S+) failed with error)",
        "bnx2 0000:02:00.0: Direct firmware load for bnx2/bnx2-mips-09-6.2.1b.fw failed with "
        "error -2",
    ),
    # kernel/time/clocksource.c, arch/x86/kernel/tsc.c
    _rule(
        "clocksource",
        r"clocksource: timekeeping watchdog on CPU\d+: (Marking clocksource '\S+' as unstable)"
        r"|tsc: (Marking TSC unstable due to .*)",
        "clocksource: timekeeping watchdog on CPU1: Marking clocksource 'tsc' as unstable "
        "because the "
        "skew is too large:",
        block=True,
    ),
    # mm/oom_kill.c, mm/page_alloc.c
    _rule(
        "oom",
        rf"{_PROCESS} (invoked oom-killer): gfp_mask=0x",
        "stress invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO), "
        "order=0, oom_score_adj=0",
        block=True,
    ),
    _rule(
        "oom",
        r"((?:Memory cgroup out of memory|Out of memory(?: \(.{1,40}\))?): Killed) process \d+",
        "Out of memory: Killed process 1302 (stress) total-vm:8392544kB, anon-rss:3905724kB",
    ),
    _rule(
        "allocation",
        rf"{_PROCESS}: (page allocation failure: order:\d+)",
        "kworker/0:1: page allocation failure: order:5, mode:0x40dc0(GFP_KERNEL|__GFP_COMP|"
        "__GFP_ZERO)",
        block=True,
        also=_CALLER,
    ),
    # mm/kmemleak.c
    _rule(
        "kmemleak",
        r"kmemleak: \d+ (new suspected memory leaks)",
        "kmemleak: 3 new suspected memory leaks (see /sys/kernel/debug/kmemleak)",
    ),
    # net/sched/sch_generic.c
    _rule(
        "transmit_timeout",
        r"(?:\S+ \S+ )?(\S+)(?: \(\S+\))?: (?:NETDEV WATCHDOG: )?(?:CPU: \d+: )?(transmit queue"
        r" \d+ timed out)",
        "e1000 0000:00:03.0 eth0: NETDEV WATCHDOG: CPU: 0: transmit queue 0 timed out 5376 ms",
    ),
    # arch/x86/mm/extable.c: registers that a virtual machine does not have
    _rule(
        "msr_access",
        r"unchecked MSR access error: ((?:RDMSR|WRMSR) \w+ 0x[0-9a-f]+)",
        "unchecked MSR access error: WRMSR to 0x199 (tried to write 0x0000000000000800) at rIP: "
        "0xffffffff8a07e4a4 (native_write_msr+0x4/0x20)",
        block=True,
    ),
    # kernel/module/main.c
    _rule(
        "taint",
        r"[\w-]{1,64}: (loading out-of-tree module taints kernel"
        r"|module verification failed: signature"
        r"|module license '.{1,40}' taints kernel|loading test module taints kernel)",
        "capture_mem_mod: loading out-of-tree module taints kernel.",
    ),
    # Nothing before it has said why.
    _rule(
        "call_trace",
        r"(Call Trace:)",
        "Call Trace:",
        block=True,
        also=_CALLER,
    ),
)


class Flag(NamedTuple):
    """A bit of /proc/sys/kernel/tainted."""

    letter: str
    severity: str
    text: str
    #: Complaints that set it: where one of them is in the log, the flag says nothing more.
    kinds: tuple[str, ...] = ()


# kernel/panic.c, in the order of the bits. Modules of this collection are out-of-tree and unsigned.
FLAGS = (
    Flag("P", NOTICE, "a module with a proprietary licence was loaded", ("taint",)),
    Flag("F", WARNING, "a module was loaded by force"),
    Flag("S", WARNING, "the hardware is out of its specification"),
    Flag("R", WARNING, "a module was unloaded by force"),
    Flag("M", ERROR, "the processor reported a machine check", ("machine_check",)),
    Flag("B", ERROR, "memory management found a bad page", ("bad_memory", "kasan", "kfence")),
    Flag("U", NOTICE, "a program asked for this flag"),
    Flag("D", FATAL, "the kernel had an oops or a BUG", ("oops", "bug")),
    Flag("A", NOTICE, "a table of ACPI was replaced"),
    Flag("W", ERROR, "the kernel gave a warning", ("warn", "atomic")),
    Flag("C", NOTICE, "a module of staging was loaded"),
    Flag("I", NOTICE, "a fault of the firmware was worked around"),
    Flag("O", NOTICE, "an out-of-tree module was loaded", ("taint",)),
    Flag("E", NOTICE, "an unsigned module was loaded", ("taint",)),
    Flag("L", ERROR, "a CPU did not schedule for long", ("soft_lockup",)),
    Flag("K", NOTICE, "the kernel was live-patched"),
    Flag("X", NOTICE, "the distribution set this flag"),
    Flag("T", NOTICE, "the layout of structures is random"),
    Flag("N", NOTICE, "a test was run in the kernel", ("taint",)),
    Flag("J", NOTICE, "a program debugged a device's firmware"),
)


def flags(tainted: int) -> list[Flag]:
    """The flags of /proc/sys/kernel/tainted; a bit that no kernel has yet is left out."""
    return [flag for bit, flag in enumerate(FLAGS) if tainted >> bit & 1]


def rule_of(text: str) -> Optional[tuple[Rule, str]]:
    """The rule whose complaint begins with this message, and the complaint's name."""
    if _OF_A_PROCESS.match(text):
        return None
    line = text.split("\n", 1)[0]
    for rule in RULES:
        found = rule.pattern.match(line)
        if found:
            named = [part for part in found.groups() if part]
            return rule, " ".join(named) or line
    return None
