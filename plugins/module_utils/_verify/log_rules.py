# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The complaints of a kernel: by which line each kind begins, and how severe it is.

A rule is one entry of `RULES`; the first one that matches a line decides. Its example is a line as
a kernel prints it, and a unit test of the rule. A pattern begins at the beginning of a line: later
there may be the name of a process, which anybody may choose.

A pattern's group with a name is not part of the complaint's name: `kept` is added to it as it is,
and the others (`disk`, `ata`, `nvme`, `link`) name a device, which log_devices.py identifies.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
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
    "module_signature": ERROR,
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
    "unsupported_io": NOTICE,
    "earlier_error": NOTICE,
    "taint": NOTICE,
}


# How many traces a complaint's report has.
NO_TRACE, ONE_TRACE, MANY_TRACES = 0, 1, 2


class Rule(NamedTuple):
    kind: str
    #: What its groups without a name capture is the complaint's name, or else the whole line.
    pattern: re.Pattern[str]
    #: A line that a kernel prints.
    example: str
    #: Whether lines that look like a trace belong to it.
    block: bool = False
    #: In a line of its block: what tells one complaint of this kind from another.
    also: Optional[re.Pattern[str]] = None
    #: All lines belong to its block up to the one that begins so.
    until: str = ""
    traces: int = ONE_TRACE
    #: Whether no name of a process can make this line, although one may stand at its beginning.
    certain: bool = False
    #: How its name begins.
    prefix: str = ""


class Found(NamedTuple):
    """The rule whose complaint begins with a line, and what the line says."""

    rule: Rule
    name: str
    #: The pattern's group that names a device, or `kept`; empty if it has none.
    group: str = ""
    #: What that group has captured.
    device: str = ""


# A name of at most 15 bytes, which anybody may choose.
_PROCESS = r".{0,16}"
_INSTRUCTION = re.compile(r"(?:RIP: [0-9a-f]{4}:|pc : )([\w.]{1,128})\+0x")
# The first function of a trace that is not the one which prints it.
_PRINTERS = (
    r"dump_|show_|__might_|__schedule|schedule|print_|check_preemption|debug_smp|asm_|exc_|_*ubsan_"
)
_CALLER = re.compile(rf" {{1,8}}(?!{_PRINTERS})([A-Za-z_][\w.]{{0,127}})\+0x")
_LOCK = re.compile(r"[0-9a-f]{8,16} \((.{1,80}?)\)\{")
_FUNCTION = r"\S{1,200}"
_MODULE = r" \[[\w-]+\]"
_PCI = r"[0-9a-f]{4,8}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]"
_OF_PCI = rf"(?:[\w-]{{1,40}} (?P<kept>{_PCI}): )?"
_DISK = r"(?P<disk>[^\s,():]{1,64})"
_JOURNAL_DISK = r"(?P<disk>(?:dm-\d+|[^\s-]{1,64}))"
_IN_TREE = (
    r"(?:arch|block|certs|crypto|drivers|fs|init|ipc|io_uring|kernel|lib|mm|net|security|sound|virt)"
    r"/\S{1,200}"
)
_IO_PREFIX = r"(?:blk_update_request: )?"
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
    traces: int = ONE_TRACE,
    certain: bool = False,
    prefix: str = "",
) -> Rule:
    return Rule(kind, re.compile(pattern), example, block, also, until, traces, certain, prefix)


RULES = (
    # kernel/panic.c
    _rule(
        "panic",
        r"Kernel panic - not syncing: (.*)",
        "Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)",
        block=True,
        traces=MANY_TRACES,
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
        traces=MANY_TRACES,
        also=_INSTRUCTION,
    ),
    _rule(
        "soft_lockup",
        r"(?:NMI )?watchdog: BUG: (soft lockup)",
        "watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [kworker/1:2:84]",
        block=True,
        traces=MANY_TRACES,
        also=_INSTRUCTION,
    ),
    # kernel/panic.c: since 6.19 the function comes after the file, and the CPU last. Both forms get
    # the same name, that of the older one.
    _rule(
        "warn",
        rf"WARNING: (?:(?:\./)?({_FUNCTION}:\d+) )?at ({_FUNCTION}?(?:{_MODULE})?),? CPU#\d+: ",
        "WARNING: mm/page_alloc.c:5226 at __alloc_frozen_pages_noprof+0x2e1/0x350, CPU#1: "
        "modprobe/312",
        block=True,
        prefix="at ",
    ),
    _rule(
        "warn",
        rf"WARNING: (?:CPU: \d+ PID: \d+ )?at (?:\./)?({_FUNCTION}(?: {_FUNCTION}(?:{_MODULE})?)?)",
        "WARNING: CPU: 0 PID: 1 at kernel/workqueue.c:3023 __queue_work+0x2c1/0x430",
        block=True,
        prefix="at ",
    ),
    # kernel/locking/lockdep.c
    _rule(
        "lockdep",
        r"WARNING: ((?:possible (?:circular|recursive|irq)|suspicious RCU|inconsistent lock"
        r"|bad unlock|bad contention|Nested lock|held lock freed|chain_key|\S+-safe -> )"
        r".{0,60})",
        "WARNING: possible circular locking dependency detected",
        block=True,
        also=_LOCK,
        until="stack backtrace:",
    ),
    _rule(
        "lockdep",
        rf"WARNING: {_PROCESS}/\d+ (still has locks held!)",
        "WARNING: kworker/0:1/12 still has locks held!",
        block=True,
        also=_LOCK,
        until="stack backtrace:",
        certain=True,
    ),
    # Without a trace.
    _rule(
        "lockdep",
        r"WARNING: (lock held when returning to user space!)",
        "WARNING: lock held when returning to user space!",
        block=True,
        also=_LOCK,
        traces=NO_TRACE,
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
        traces=MANY_TRACES,
    ),
    # kernel/hung_task.c
    _rule(
        "hung_task",
        r"INFO: task (.{1,40}?):\d+(?: <\w+>)? (blocked (?:in I/O wait )?for more than)",
        "INFO: task kworker/u8:3:97 blocked for more than 120 seconds.",
        block=True,
        certain=True,
        traces=MANY_TRACES,
    ),
    # kernel/rcu/tree_stall.h, tasks.h
    _rule(
        "rcu_stall",
        r"(?:rcu: )?INFO: (rcu\w* (?:self-)?detected (?:expedited )?stalls?)",
        "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
        block=True,
        traces=MANY_TRACES,
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
    # lib/ubsan.c, which prints the path that the compiler was given: each build of a distribution
    # has a directory of its own.
    _rule(
        "ubsan",
        rf"UBSAN: (?:(.{{1,80}}? in )/\S{{1,200}}?/({_IN_TREE})|(.*))",
        "UBSAN: shift-out-of-bounds in drivers/ata/libata-core.c:1123:22",
        block=True,
        also=_CALLER,
    ),
    # mm/debug.c, mm/page_alloc.c, mm/memory.c, kernel/fork.c, mm/slub.c
    _rule(
        "bad_memory",
        r"BUG: (Bad (?:page state|page map|page cache|rss-counter state)|non-zero pgtables_bytes)"
        r"|BUG: (Dentry )\S{1,40}\{.* (still in use) ",
        "BUG: Bad page state in process modprobe  pfn:10a3f4",
        block=True,
        also=_CALLER,
    ),
    # The number in the names of random caches is another one in each boot.
    _rule(
        "bad_memory",
        r"BUG (?:kmalloc-rnd-\d+-)?(?P<kept>\S{1,64}) \((?:Not tainted|Tainted: [^)]*)\): (.*)",
        "BUG kmalloc-64 (Not tainted): Redzone overwritten",
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
    # drivers/acpi/apei/bert.c: what another boot has ended with
    _rule(
        "earlier_error",
        r"BERT: (Error records from previous boot)",
        "BERT: Error records from previous boot:",
        block=True,
        traces=NO_TRACE,
    ),
    # arch/x86/kernel/cpu/mce, mm/memory-failure.c, drivers/acpi/apei/ghes.c, drivers/edac/mce_amd.c
    _rule(
        "machine_check",
        r"(?:mce: )?\[Hardware Error\]: CPU \d+: (Machine Check Exception): \S+ (?P<kept>Bank \d+)",
        "mce: [Hardware Error]: CPU 2: Machine Check Exception: 5 Bank 4: be00000000800400",
        block=True,
        traces=NO_TRACE,
    ),
    _rule(
        "machine_check",
        r"mce: (?:\[Hardware Error\]: )?(Uncorrected hardware memory error"
        r"|Memory error not recovered|Kernel accessed poison)"
        r"|(?:\{\d+\})?\[Hardware Error\]: event (severity: (?:fatal|recoverable))"
        r"|\[Hardware Error\]: (System Fatal error|Uncorrected, [\w ]{1,40} error)\."
        r"|Memory failure: 0x[0-9a-f]+: (recovery action for .{1,60}: (?:Failed|Ignored))",
        "[Hardware Error]: Uncorrected, software containable error.",
        block=True,
        traces=NO_TRACE,
    ),
    # drivers/edac/edac_mc.c
    _rule(
        "machine_check",
        r"EDAC \S+: \d+ (UE .*?)(?: on (?P<kept>.{1,80}?) \(|$)",
        "EDAC MC0: 1 UE memory read error on CPU_SrcID#0_MC#0_Chan#1_DIMM#0 (channel:1 slot:0)",
        block=True,
        traces=NO_TRACE,
    ),
    # drivers/pci/pcie
    _rule(
        "machine_check",
        rf"{_OF_PCI}.{{0,80}}PCIe Bus Error: (severity=Uncorrec[^,]*, type=[^,]*)",
        "pcieport 0000:00:1c.0: PCIe Bus Error: severity=Uncorrectable (Fatal), "
        "type=Transaction Layer, (Requester ID)",
        block=True,
        traces=NO_TRACE,
    ),
    _rule(
        "corrected_error",
        r"(?:mce: )?\[Hardware Error\]: (Machine check events logged)"
        r"|mce: \[Hardware Error\]: CPU \d+: (Machine Check: .*)"
        r"|(?:\{\d+\})?\[Hardware Error\]: event (severity: corrected)"
        r"|\[Hardware Error\]: ((?:Deferred|Corrected) error, no action required)"
        r"|Memory failure: 0x[0-9a-f]+: (recovery action for .{1,60}: (?:Recovered|Delayed))",
        "mce: [Hardware Error]: Machine check events logged",
        block=True,
        traces=NO_TRACE,
    ),
    _rule(
        "corrected_error",
        r"EDAC \S+: \d+ (CE .*?)(?: on (?P<kept>.{1,80}?) \(|$)",
        "EDAC MC0: 1 CE memory read error on CPU_SrcID#0_MC#0_Chan#1_DIMM#0 (channel:1 slot:0)",
        block=True,
        traces=NO_TRACE,
    ),
    _rule(
        "corrected_error",
        rf"{_OF_PCI}.{{0,80}}PCIe Bus Error: (severity=Correct[^,]*, type=[^,]*)",
        "pcieport 0000:00:1c.0: PCIe Bus Error: severity=Corrected, type=Physical Layer, "
        "(Receiver ID)",
        block=True,
        traces=NO_TRACE,
    ),
    # block/blk-mq.c, fs/buffer.c: drives without a medium
    _rule(
        "removable_io",
        rf"{_IO_PREFIX}[\w/ ]{{1,40}} error, (dev (?:fd|sr)\d+)"
        r"|Buffer I/O error on (dev (?:fd|sr)\d+)",
        "I/O error, dev fd0, sector 0 op 0x0:(READ) flags 0x0 phys_seg 1 prio class 2",
    ),
    # What a device need not have: the kernel then writes zeroes itself, and discards nothing.
    _rule(
        "unsupported_io",
        rf"{_IO_PREFIX}((?:operation not supported|critical target) error), dev {_DISK}, "
        r"sector \d+ op 0x\w+:(\((?:DISCARD|SECURE_ERASE|WRITE_SAME|WRITE_ZEROES)\))",
        "operation not supported error, dev loop0, sector 13872 op 0x9:(WRITE_ZEROES) flags "
        "0x8000800 phys_seg 0 prio class 0",
    ),
    # block/blk-core.c has the words before "error".
    _rule(
        "io_error",
        rf"{_IO_PREFIX}([A-Za-z][\w/ ]{{1,40}} error), dev {_DISK}, sector \d+ op 0x\w+:(\(\w+\))",
        "I/O error, dev sda, sector 2048 op 0x1:(WRITE) flags 0x800 phys_seg 1 prio class 2",
    ),
    _rule(
        "io_error",
        rf"(Buffer I/O error) on dev(?:ice)? {_DISK}",
        "Buffer I/O error on dev sda1, logical block 258, lost async page write",
    ),
    # drivers/ata/libata-*.c
    _rule(
        "io_error",
        r"(?P<ata>ata\d+(?:\.\d+)?): (exception Emask|COMRESET failed|failed to IDENTIFY|qc timeout"
        r"|reset failed, giving up|revalidation failed|disable device)",
        "ata1.00: exception Emask 0x0 SAct 0x0 SErr 0x0 action 0x6 frozen",
    ),
    # drivers/nvme/host
    _rule(
        "io_error",
        r"nvme (?P<nvme>nvme\d+): (?:(I/O )(?:tag )?\d+ .{0,100}?(timeout)|(controller is down"
        r"|Device not ready|Removing after probe failure|Disabling device after reset failure"
        r"|Identify Controller failed))",
        "nvme nvme0: I/O tag 321 (c141) opcode 0x9 (Dataset Management) QID 13 timeout, aborting",
    ),
    # drivers/scsi/scsi_logging.c
    _rule(
        "io_error",
        r"sd \S+ \[(?P<disk>\w+)\] .{0,20}FAILED (Result: \S+)",
        "sd 0:0:0:0: [sda] tag#9 FAILED Result: hostbyte=DID_OK driverbyte=DRIVER_OK cmd_age=3s",
    ),
    # drivers/scsi/scsi_error.c
    _rule(
        "io_error",
        r"\w{1,16} \S{1,40}: (?:\[(?P<disk>\w+)\] )?"
        r"(Device offlined - not ready after error recovery)",
        "sd 2:0:0:0: Device offlined - not ready after error recovery",
    ),
    # drivers/md
    _rule(
        "io_error",
        rf"md/\w+:\S{{1,40}}: (Disk failure) on {_DISK}, disabling device",
        "md/raid1:md0: Disk failure on sdb1, disabling device.",
    ),
    _rule(
        "io_error",
        rf"md: (kicking non-fresh) {_DISK} from array|(md: super_written gets error)",
        "md: kicking non-fresh sdb1 from array!",
    ),
    # fs/ext4/super.c, fs/jbd2: the journal's inode follows the device.
    _rule(
        "fs_error",
        rf"(EXT[234]-fs error) \(device {_DISK}\)(?::| in) (\w+)",
        "EXT4-fs error (device sda1): ext4_lookup:1855: inode #131: comm ls: deleted inode "
        "referenced: 140",
    ),
    # fs/squashfs, drivers/md/dm-verity-target.c: both name no disk, or one by its number.
    _rule(
        "fs_error",
        r"(SQUASHFS error: .*)",
        "SQUASHFS error: Unable to read page, block 1f1a6, size 4b4c",
    ),
    _rule(
        "fs_error",
        r"(device-mapper: verity: )\S{1,20} (\w+ block \d+ is corrupted)",
        "device-mapper: verity: 254:0: data block 1 is corrupted",
    ),
    _rule(
        "fs_error",
        rf"(EXT[234]-fs) \({_DISK}\): (Remounting filesystem read-only)",
        "EXT4-fs (sda1): Remounting filesystem read-only",
    ),
    _rule(
        "fs_error",
        rf"(JBD2: .*(?:[Ee]rror|corrupt).*) (?:for|on) {_JOURNAL_DISK}",
        "JBD2: Error -5 detected when updating journal superblock for sda1-8.",
    ),
    _rule(
        "fs_error",
        rf"(Aborting journal) on device {_JOURNAL_DISK}|(JBD2: .*(?:[Ee]rror|corrupt).*)",
        "Aborting journal on device dm-0-8.",
    ),
    # fs/xfs, fs/btrfs/messages.c, fs/f2fs, fs/fat
    _rule(
        "fs_error",
        rf"(XFS) \({_DISK}\): ((?:Metadata (?:corruption|CRC error)|Corruption|Internal error"
        r"|[Ll]og I/O [Ee]rror|metadata I/O error|Filesystem has been shut down"
        r"|User initiated shutdown|[^:]*has been shut down).{0,80})",
        "XFS (sda2): Metadata corruption detected at xfs_agf_verify+0x5e/0x1a0 [xfs], xfs_agf "
        "block 0x1",
        block=True,
    ),
    _rule(
        "fs_error",
        r"(BTRFS:? (?:error|critical))(?: \(device (?P<disk>[^\s,():]{1,64})[^)]{0,20}\))?:?"
        r"(?: bdev \S+)?(.*)",
        "BTRFS error (device sda1 state EA): bdev /dev/sda1 errs: wr 0, rd 1, flush 0",
        block=True,
    ),
    # Older kernels and single messages call it a warning.
    _rule(
        "fs_error",
        r"(BTRFS warning)(?: \(device (?P<disk>[^\s,():]{1,64})[^)]{0,20}\))?: "
        r"(csum failed|checksum (?:error|verify failed))",
        "BTRFS warning (device sda1): csum failed root 5 ino 257 off 0 csum 0x1 expected csum 0x2",
    ),
    # module/os/linux/zfs/zfs_debug.c and spl-err.c of OpenZFS
    _rule(
        "fs_error",
        r"WARNING: (Pool '.{1,256}' has encountered an uncorrectable I/O failure)",
        "WARNING: Pool 'tank' has encountered an uncorrectable I/O failure and has been suspended.",
    ),
    _rule(
        "fs_error",
        rf"(F2FS-fs) \({_DISK}\): (.*(?:[Cc]orrupt|[Ii]nconsistent).*)",
        "F2FS-fs (sda1): inconsistent node block, node_type:0, nid:4",
        block=True,
    ),
    _rule(
        "fs_error",
        rf"(FAT-fs) \({_DISK}\): (error, .*)",
        "FAT-fs (sda1): error, fat_get_cluster: invalid cluster chain (i_pos 0)",
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
    # kernel/module/main.c, kernel/bpf/btf.c: a module that was built with another configuration
    _rule(
        "module_symbol",
        r"(module [\w-]{1,64}: \.gnu\.linkonce\.this_module section size must match)"
        r"|(failed to validate module \[[\w-]{1,64}\] BTF)",
        "failed to validate module [zfs] BTF: -22",
    ),
    # kernel/module/signing.c, security/lockdown: a module with the wrong signature, or none
    _rule(
        "module_signature",
        r"(?:[\w-]{1,64}: )?[Ll]oading of ((?:unsigned )?module(?: with \w+ \w+)?) is rejected"
        r"|Lockdown: .{0,16}: (unsigned module) loading is restricted",
        "Loading of unsigned module is rejected",
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
        traces=NO_TRACE,
    ),
    # mm/oom_kill.c, mm/page_alloc.c
    _rule(
        "oom",
        rf"{_PROCESS} (invoked oom-killer): gfp_mask=0x",
        "stress invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE|__GFP_COMP|__GFP_ZERO), "
        "order=0, oom_score_adj=0",
        block=True,
        certain=True,
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
        certain=True,
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
        r"(?:\S+ \S+ )?(?P<link>[^\s:]+)(?: \(\S+\))?: (?:NETDEV WATCHDOG: )?(?:CPU: \d+: )?"
        r"(transmit queue \d+ timed out)",
        "e1000 0000:00:03.0 eth0: NETDEV WATCHDOG: CPU: 0: transmit queue 0 timed out 5376 ms",
    ),
    # drivers/net/ethernet/intel
    _rule(
        "transmit_timeout",
        r"\S{1,40} \S{1,40} (?P<link>[^\s:]+): (Detected (?:Hardware Unit Hang|Tx Unit Hang))",
        "e1000e 0000:00:1f.6 eno1: Detected Hardware Unit Hang:",
    ),
    # arch/x86/mm/extable.c: registers that a virtual machine does not have
    _rule(
        "msr_access",
        r"unchecked MSR access error: ((?:RDMSR|WRMSR) \w+) (?P<kept>0x[0-9a-f]+)",
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
        r"(Call [Tt]race:)",
        "Call Trace:",
        block=True,
        traces=MANY_TRACES,
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


# Complaints that never come without one of these flags.
ALWAYS_TAINT = {"warn": "WI", "oops": "D", "kasan": "B", "kfence": "B", "soft_lockup": "L"}


def flags(tainted: int) -> list[Flag]:
    """The flags of /proc/sys/kernel/tainted; a bit that no kernel has yet is left out."""
    return [flag for bit, flag in enumerate(FLAGS) if tainted >> bit & 1]


def _first(rules: Iterable[Rule], line: str) -> Optional[Found]:
    for rule in rules:
        match = rule.pattern.match(line)
        if match:
            (group, device), *_more = [*match.groupdict().items(), ("", "")]
            at = rule.pattern.groupindex.get(group)
            named = [part for number, part in enumerate(match.groups(), 1) if part and number != at]
            name = f"{rule.prefix}{' '.join(named) or line}"
            return Found(rule, name, group if device else "", device or "")
    return None


def rule_of(text: str) -> Optional[Found]:
    """The rule whose complaint begins with this message, and the complaint's name."""
    if not _OF_A_PROCESS.match(text):
        found = _first(RULES, text.split("\n", 1)[0])
        if found or "\n" not in text:
            return found
    # The name of a process may look so, too, in a message that begins with the kernel's own words.
    return _first(_CERTAIN, text.replace("\n", " "))


_CERTAIN = tuple(rule for rule in RULES if rule.certain)
