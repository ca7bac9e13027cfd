# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each rule knows its complaint, and none takes an ordinary line for one."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._verify import log_rules

NUMBERS = range(len(log_rules.RULES))


def kind_and_name(line: str) -> Optional[tuple[str, str]]:
    found = log_rules.rule_of(line)
    return (found[0].kind, found[1]) if found else None


@pytest.mark.parametrize("number", NUMBERS, ids=lambda n: log_rules.RULES[n].kind)
def test_the_example_of_a_rule_is_known_by_this_rule(number: int, monkeypatch: Any) -> None:
    rule = log_rules.RULES[number]
    found = log_rules.rule_of(rule.example)
    assert found
    assert found[0] is rule
    known = kind_and_name(rule.example)
    others = tuple(one for one in log_rules.RULES if one is not rule)
    monkeypatch.setattr(log_rules, "RULES", others)
    assert kind_and_name(rule.example) != known, "another rule does the same"


def test_each_kind_has_a_rule_and_a_severity() -> None:
    assert {rule.kind for rule in log_rules.RULES} == set(log_rules.KINDS)
    assert set(log_rules.KINDS.values()) == set(log_rules.SEVERITIES)


def test_the_documentation_has_the_severities() -> None:
    readme = (Path(__file__).resolve().parents[5] / "roles/verify/README.md").read_text()
    for severity in log_rules.SEVERITIES:
        kinds = [f"`{kind}`" for kind, one in log_rules.KINDS.items() if one == severity]
        assert f"| `{severity}` | {', '.join(kinds)} |" in readme


# Lines of the same kinds from other kernels and drivers.
@pytest.mark.parametrize(
    ("line", "kind", "name"),
    [
        ("BUG: unable to handle page fault for address: ffffb1c0", "oops", "unable to handle page"),
        ("BUG: unable to handle kernel paging request at ffff8800", "oops", "unable to handle ker"),
        (
            "Unable to handle kernel NULL pointer dereference at virtual address 0000000000000008",
            "oops",
            "Unable to handle kernel NULL pointer dereference",
        ),
        ("Oops: 0002 [#1] PREEMPT SMP NOPTI", "oops", "Oops"),
        ("general protection fault: 0000 [#1] SMP PTI", "oops", "general protection fault"),
        ("Internal error: Oops: 0000000096000004 [#1] SMP", "oops", "Oops"),
        ("invalid opcode: 0000 [#2] PREEMPT SMP NOPTI", "oops", "invalid opcode"),
        ("Kernel BUG at do_one_initcall+0x5b/0x310 [verbose", "bug", "do_one_initcall+0x5b/0x310"),
        ("NMI watchdog: BUG: soft lockup - CPU#0 stuck for 23s! [x:1]", "soft_lockup", "soft lo"),
        ("WARNING: CPU: 3 PID: 9 at foo_init+0x12/0x20 [foo]", "warn", "at foo_init+0x12/0x20"),
        (
            "WARNING: CPU: 3 PID: 9 at drivers/a b.c:1 foo_init+0x12/0x20 [foo]",
            "warn",
            "at drivers/a",
        ),
        ("WARNING: possible recursive locking detected", "lockdep", "possible recursive locking"),
        ("WARNING: suspicious RCU usage", "lockdep", "suspicious RCU usage"),
        ("WARNING: inconsistent lock state", "lockdep", "inconsistent lock state"),
        ("WARNING: bad unlock balance detected!", "lockdep", "bad unlock balance"),
        ("WARNING: HARDIRQ-safe -> HARDIRQ-unsafe lock order detected", "lockdep", "HARDIRQ-safe"),
        ("WARNING: kworker/0:1/12 still has locks held!", "lockdep", "still has locks held!"),
        ("BUG: MAX_LOCKDEP_ENTRIES too low!", "lockdep", "MAX_LOCKDEP_ENTRIES too low!"),
        ("BUG: scheduling while atomic: swapper/0/0/0x00000100", "atomic", "scheduling while at"),
        (
            "BUG: using smp_processor_id() in preemptible [00000000] code: modprobe/7",
            "atomic",
            "using smp_processor_id() in preemptible",
        ),
        ("INFO: task x:12 <writer> blocked for more than 120 seconds.", "hung_task", "x blocked"),
        ("rcu: INFO: rcu_sched self-detected stall on CPU", "rcu_stall", "rcu_sched self-detected"),
        ("INFO: rcu_tasks detected stalls on tasks:", "rcu_stall", "rcu_tasks detected stalls"),
        (
            "rcu: INFO: rcu_preempt detected expedited stalls on CPUs/tasks: { 1-.... }",
            "rcu_stall",
            "rcu_preempt detected expedited stalls",
        ),
        (
            "BUG kmalloc-64 (Tainted: G    B   W  O     ): Redzone overwritten",
            "bad_memory",
            "Redzone overwritten",
        ),
        ("BUG: Bad rss-counter state mm:00000000c1 type:MM_ANONPAGES val:1", "bad_memory", "Bad r"),
        ("mce: Uncorrected hardware memory error in user-access at 1f", "machine_check", "Uncorr"),
        ("{1}[Hardware Error]: event severity: recoverable", "machine_check", "severity: recov"),
        ("{1}[Hardware Error]: event severity: corrected", "corrected_error", "severity: corr"),
        ("EDAC MC0: 1 UE memory read error on CPU_SrcID#0", "machine_check", "UE memory read"),
        ("EDAC MC0: 1 CE memory read error on CPU_SrcID#0", "corrected_error", "CE memory read"),
        (
            "pcieport 0000:00:1c.0: PCIe Bus Error: severity=Uncorrectable (Fatal), type=Trans",
            "machine_check",
            "severity=Uncorrectable (Fatal), type=Trans",
        ),
        (
            "pcieport 0000:00:1c.0: PCIe Bus Error: severity=Corrected, type=Physical Layer",
            "corrected_error",
            "severity=Corrected",
        ),
        (
            "blk_update_request: I/O error, dev sdb, sector 8 op 0x0:(READ) flags 0x0 phys_seg 1",
            "io_error",
            "I/O error (READ)",
        ),
        (
            "critical medium error, dev nvme0n1, sector 8 op 0x0:(READ) flags 0x0 phys_seg 1",
            "io_error",
            "critical medium error (READ)",
        ),
        ("Buffer I/O error on dev sr0, logical block 0, async page read", "removable_io", "dev sr"),
        (
            "sd 0:0:0:0: [sda] tag#9 FAILED Result: hostbyte=DID_OK driver",
            "io_error",
            "Result: host",
        ),
        ("nvme nvme0: I/O 23 QID 4 timeout, aborting", "io_error", "I/O  timeout"),
        ("EXT4-fs (sda1): Remounting filesystem read-only", "fs_error", "EXT4-fs Remounting file"),
        ("Aborting journal on device dm-0-8.", "fs_error", "Aborting journal"),
        ("BTRFS error (device sda1): bdev /dev/sda1 errs: wr 0", "fs_error", "BTRFS error"),
        (
            "BTRFS: error (device sda1) in btrfs_run:1: errno=-5 IO failure",
            "fs_error",
            "BTRFS: error",
        ),
        (
            "XFS (dm-1): Filesystem has been shut down due to log error",
            "fs_error",
            "XFS Filesystem",
        ),
        ("x: version magic '6.1 SMP' should be '6.8 SMP'", "module_symbol", "x: version magic"),
        (
            "iwlwifi 0000:01:00.0: firmware: failed to load iwlwifi-cc-77.ucode (-2)",
            "firmware",
            "iwlwifi-cc-77.ucode",
        ),
        (
            "platform regulatory.0: Direct firmware load for regulatory.db failed with error -2",
            "optional_firmware",
            "regulatory.db",
        ),
        ("tsc: Marking TSC unstable due to clocksource watchdog", "clocksource", "Marking TSC uns"),
        ("Memory cgroup out of memory: Killed process 7 (x) total-vm:1kB", "oom", "Memory cgroup"),
        (
            "x: module verification failed: signature and/or required key missing - tainting",
            "taint",
            "module verification failed",
        ),
        ("zfs: module license 'CDDL' taints kernel.", "taint", "module license 'CDDL' taints"),
        # Since 6.19.
        (
            "WARNING: drivers/net/foo.c:12 at foo_probe+0x12/0x30 [foo-1], CPU#0: modprobe/312",
            "warn",
            "at drivers/net/foo.c:12 foo_probe+0x12/0x30 [foo-1]",
        ),
        (
            "WARNING: at foo_probe+0x12/0x30 [foo], CPU#0: a b/312",
            "warn",
            "at foo_probe+0x12/0x30 [foo]",
        ),
        (
            "WARNING: CPU: 0 PID: 1 at ./include/a.h:7 f+0x1/0x2",
            "warn",
            "at include/a.h:7 f+0x1/0x2",
        ),
        ("WARNING: lock held when returning to user space!", "lockdep", "lock held when returning"),
        (
            "BUG: Dentry 00000000a{i=1,n=a b}  still in use (1) [unmount",
            "bad_memory",
            "Dentry  still",
        ),
        (
            "INFO: task x:12 blocked in I/O wait for more than 120 seconds.",
            "hung_task",
            "x blocked in I/O wait for more than",
        ),
        (
            "critical target error, dev sda, sector 2048 op 0x3:(DISCARD) flags 0x800 phys_seg 1",
            "unsupported_io",
            "critical target error (DISCARD)",
        ),
        (
            "critical target error, dev sda, sector 2048 op 0x1:(WRITE) flags 0x800 phys_seg 1",
            "io_error",
            "critical target error (WRITE)",
        ),
        (
            "I/O error, dev sda, sector 2048 op 0x9:(WRITE_ZEROES) flags 0x800 phys_seg 1",
            "io_error",
            "I/O error (WRITE_ZEROES)",
        ),
        (
            "kernel resource error, dev sda, sector 10 op 0x1:(WRITE) flags 0x0",
            "io_error",
            "kernel resource error (WRITE)",
        ),
        (
            "nvme nvme0: Device not ready; aborting initialisation, CSTS=0x0",
            "io_error",
            "Device not",
        ),
        ("ata1: COMRESET failed (errno=-16)", "io_error", "COMRESET failed"),
        ("ata1.00: failed to IDENTIFY (I/O error, err_mask=0x4)", "io_error", "failed to IDENTIFY"),
        (
            "XFS (dm-0): Log I/O Error (0x2) detected at xlog_ioend_work+0x6e/0x70 [xfs]",
            "fs_error",
            "XFS Log I/O Error",
        ),
        ("[Hardware Error]: System Fatal error.", "machine_check", "System Fatal error"),
        (
            "[Hardware Error]: Deferred error, no action required.",
            "corrected_error",
            "Deferred error, no action required",
        ),
        (
            "Memory failure: 0x12345: recovery action for dirty LRU page: Failed",
            "machine_check",
            "recovery action for dirty LRU page: Failed",
        ),
        (
            "Memory failure: 0x12345: recovery action for dirty LRU page: Recovered",
            "corrected_error",
            "recovery action for dirty LRU page: Recovered",
        ),
        (
            "foo: loading of module with unavailable key is rejected",
            "module_signature",
            "module with unavailable key",
        ),
        (
            "Lockdown: modprobe: unsigned module loading is restricted; see man kernel_lockdown.7",
            "module_signature",
            "unsigned module",
        ),
        ("Call trace:", "call_trace", "Call trace:"),
    ],
)
def test_other_forms(line: str, kind: str, name: str) -> None:
    known = kind_and_name(line)
    assert known
    assert known[0] == kind
    assert known[1].startswith(name)


@pytest.mark.parametrize(
    ("line", "group", "device"),
    [
        ("I/O error, dev nvme0n1, sector 8 op 0x0:(READ) flags 0x0", "disk", "nvme0n1"),
        ("Buffer I/O error on dev cciss/c0d0p1, logical block 8", "disk", "cciss/c0d0p1"),
        ("Buffer I/O error on device sdc, logical block 0", "disk", "sdc"),
        ("EXT4-fs error (device dm-7): ext4_lookup:1855: inode #131", "disk", "dm-7"),
        ("Aborting journal on device dm-0-8.", "disk", "dm-0"),
        ("Aborting journal on device nvme0n1p1-8.", "disk", "nvme0n1p1"),
        ("JBD2: Error -5 detected when updating journal superblock for sda1-8.", "disk", "sda1"),
        ("XFS (dm-1): Corruption of in-memory data detected.", "disk", "dm-1"),
        ("BTRFS error (device sda1 state EA): bdev /dev/sda1 errs: wr 0", "disk", "sda1"),
        ("BTRFS: error (device sda1) in btrfs_run:1: errno=-5 IO failure", "disk", "sda1"),
        ("BTRFS critical: unable to find chunk", "", ""),
        ("sd 0:0:0:0: [sdb] tag#9 FAILED Result: hostbyte=DID_OK", "disk", "sdb"),
        ("md/raid1:md0: Disk failure on sdb1, disabling device.", "disk", "sdb1"),
        ("ata5.00: exception Emask 0x0 SAct 0x0", "ata", "ata5.00"),
        ("ata5: exception Emask 0x0 SAct 0x0", "ata", "ata5"),
        ("nvme nvme1: I/O 23 QID 4 timeout, aborting", "nvme", "nvme1"),
        ("NETDEV WATCHDOG: eth0 (e1000): transmit queue 0 timed out", "link", "eth0"),
        (
            "e1000 0000:00:03.0 eth1: NETDEV WATCHDOG: transmit queue 0 timed out 5 ms",
            "link",
            "eth1",
        ),
        ("BUG kmalloc-64 (Not tainted): Redzone overwritten", "kept", "kmalloc-64"),
        ("BUG kmalloc-rnd-05-64 (Not tainted): Redzone overwritten", "kept", "64"),
        (
            "mce: [Hardware Error]: CPU 2: Machine Check Exception: 5 Bank 4: be00000000800400",
            "kept",
            "Bank 4",
        ),
        ("EDAC MC0: 1 UE memory read error on DIMM A1 (channel:1 slot:0)", "kept", "DIMM A1"),
        (
            "pcieport 0000:00:1c.0: PCIe Bus Error: severity=Uncorrectable (Fatal), type=T",
            "kept",
            "0000:00:1c.0",
        ),
        ("unchecked MSR access error: WRMSR to 0x199 (tried to write 0x0)", "kept", "0x199"),
    ],
)
def test_the_device(line: str, group: str, device: str) -> None:
    found = log_rules.rule_of(line)
    assert found
    assert (found.group, found.device) == (group, device)
    assert not device or device not in found.name


@pytest.mark.parametrize(
    "text",
    [
        "INFO: task [1] x:97 blocked for more than 120 seconds.",
        "INFO: task a\nb:97 blocked for more than 120 seconds.",
        "INFO: task x (1) :97 blocked for more than 120 seconds.",
        "a[1]  invoked oom-killer: gfp_mask=0x140dca(GFP_HIGHUSER_MOVABLE), order=0",
        "\n[1] : page allocation failure: order:5, mode:0x40dc0(GFP_KERNEL)",
        "WARNING: [1] x/12 still has locks held!",
    ],
)
def test_a_program_cannot_hide_a_complaint_by_its_name(text: str) -> None:
    assert kind_and_name(text)


# What kernels of Debian say at each boot, or on machines where nothing is wrong.
ORDINARY = """\
Linux version 6.1.0-44-amd64 (debian-kernel@lists.debian.org) (gcc-12 (Debian 12.2.0-14) 12.2.0)
Command line: BOOT_IMAGE=/boot/vmlinuz-6.1.0-44-amd64 root=/dev/vda1 ro panic=10 oops=panic
BIOS-provided physical RAM map:
BIOS-e820: [mem 0x0000000000000000-0x000000000009fbff] usable
DMI not present or invalid.
tsc: Fast TSC calibration failed
tsc: Unable to calibrate against PIT
tsc: Detected 2399.996 MHz processor
tsc: Fast TSC calibration using PIT
Warning: unable to open an initial console.
ACPI BIOS Error (bug): Could not resolve symbol [\\_SB.PCI0], AE_NOT_FOUND (20220331/psargs-330)
ACPI Error: Aborting method \\_SB.PC00._OSC due to previous error (AE_NOT_FOUND)
ACPI: Interpreter enabled
[Firmware Bug]: TSC_DEADLINE disabled due to Errata; please update microcode to version: 0x52
Spectre V1 : Mitigation: usercopy/swapgs barriers and __user pointer sanitization
Spectre V2 : WARNING: Unprivileged eBPF is enabled with eIBRS on, data leaks possible!
MDS: Vulnerable: Clear CPU buffers attempted, no microcode
Register File Data Sampling: Vulnerable: No microcode
mce: CPU0: Thermal monitoring enabled (TM1)
MCE: In-kernel MCE decoding enabled.
mce: [Hardware Error]: TSC 0
RAS: Correctable Errors collector initialized.
EDAC MC: Ver: 3.0.0
rcu: Preemptible hierarchical RCU implementation.
rcu: RCU calculated value of scheduler-enlistment delay is 25 jiffies.
rcu: \tRCU restricting CPUs from NR_CPUS=8192 to nr_cpu_ids=2.
NMI watchdog: Enabled. Permanently consumes one hw-PMU counter.
NMI watchdog: Perf NMI watchdog permanently disabled
watchdog: Delayed init of the lockup detector failed: -19
clocksource: tsc: mask: 0xffffffffffffffff max_cycles: 0x2298375bd0, max_idle_ns: 440795208267 ns
clocksource: Switched to clocksource kvm-clock
clocksource: Checking clocksource tsc synchronization from CPU 1 to CPUs 0,2-3.
random: crng init done
Lockdown: swapper/0: hibernation is restricted; see man kernel_lockdown.7
integrity: Couldn't get size: 0x800000000000000e
Loading compiled-in X.509 certificates
cfg80211: Loading compiled-in X.509 certificates for regulatory database
cfg80211: failed to load regulatory.db
i8042: PNP: No PS/2 controller found.
EXT4-fs (vda1): mounted filesystem with ordered data mode. Quota mode: none.
EXT4-fs (vda1): re-mounted. Quota mode: none.
EXT4-fs (vda1): recovery complete
EXT4-fs (vda1): warning: mounting unchecked fs, running e2fsck is recommended
FAT-fs (vda15): Volume was not properly unmounted. Some data may be corrupt. Please run fsck.
XFS (sda2): Mounting V5 Filesystem
XFS (sda2): Ending clean mount
BTRFS info (device sda3): disk space caching is enabled
sd 0:0:0:0: [sda] Write cache: enabled, read cache: enabled, doesn't support DPO or FUA
sr 1:0:0:0: [sr0] scsi3-mmc drive: 4x/4x cd/rw xa/form2 tray
ata2.00: ATAPI: QEMU DVD-ROM, 2.5+, max UDMA/100
nvme nvme0: 4/0/0 default/read/poll queues
e1000 0000:00:03.0 eth0: Intel(R) PRO/1000 Network Connection
IPv6: ADDRCONF(NETDEV_CHANGE): eth0: link becomes ready
audit: type=1400 audit(1.5:2): apparmor="STATUS" operation="profile_load" name="BUG: KASAN: x"
systemd[1]: Inserted module 'autofs4'
perf: interrupt took too long (2503 > 2500), lowering kernel.perf_event_max_sample_rate to 79750
hrtimer: interrupt took 5124823 ns
workqueue: drm_fb_helper_damage_work hogged CPU for >10000us 4 times, consider switching to WQ
INFO: NMI handler (perf_event_nmi_handler) took too long to run: 1.312 msecs
process 'ada/run' started with executable stack
warning: `prog' uses 32-bit capabilities (legacy support in use)
x86/split lock detection: warning about user-space split_locks
Disabling lock debugging due to kernel taint
capture_mem_mod: /proc/capture_mem ready
oom_reaper: reaped process 1302 (stress), now anon-rss:0kB, file-rss:0kB, shmem-rss:0kB
pstore: Using crash dump compression: deflate
Rebooting in 10 seconds..
kmemleak: Kernel memory leak detector initialized (mem pool available: 15679)
"""


@pytest.mark.parametrize("line", ORDINARY.splitlines())
def test_an_ordinary_line(line: str) -> None:
    assert kind_and_name(line) is None


@pytest.mark.parametrize(
    "text",
    [
        # Fifteen bytes are anybody's choice.
        "BUG: KASAN: x[312]: segfault at 0 ip 000055d6 sp 00007ffe error 4 in x[55d6+1000]",
        "BUG: KASAN:\nx y[312]: segfault at 0 ip 000055d6 sp 00007ffe error 4 in x[55d6+1000]",
        "UBSAN: a (312): drop_caches: 3",
        "Oops: 0 [#1][5]: segfault at 0 ip 00005 sp 00007 error 4",
        "traps: a: 0000 [#1][12] trap invalid opcode ip:55 sp:7f error:0 in a[55+1]",
        "BUG: x[12] vsyscall attempted with vsyscall=none ip:ffff cs:33 sp:7f ax:0 si:0 di:0",
        "INFO: task [12]: segfault at 0 ip 000055d6 sp 00007ffe error 4 in x[55d6+1000]",
        "the first line\nBUG: KASAN: slab-out-of-bounds in f+0x1/0x2",
        "Call\nTrace:",
    ],
)
def test_a_program_cannot_make_a_complaint_by_its_name(text: str) -> None:
    assert kind_and_name(text) is None


def test_the_letters_of_a_taint() -> None:
    letters = "PFSRMBUDAWCIOELKXTNJ"
    assert "".join(flag.letter for flag in log_rules.FLAGS) == letters
    # As the kernel counts: 512 is W, 4096 is O, 8192 is E.
    assert [flag.letter for flag in log_rules.flags(512 + 4096 + 8192)] == ["W", "O", "E"]
    assert log_rules.flags(0) == []
    assert log_rules.flags(1 << 63) == []


def test_which_kinds_never_come_without_a_flag() -> None:
    letters = {flag.letter for flag in log_rules.FLAGS}
    assert {*log_rules.ALWAYS_TAINT} <= {*log_rules.KINDS}
    assert {*"".join(log_rules.ALWAYS_TAINT.values())} <= letters


def test_what_modules_of_the_collection_set_is_only_noted() -> None:
    assert {flag.severity for flag in log_rules.flags(4096 + 8192)} == {log_rules.NOTICE}
    assert all({*flag.kinds} <= {*log_rules.KINDS} for flag in log_rules.FLAGS)
