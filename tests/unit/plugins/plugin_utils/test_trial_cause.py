# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One cause, from what kernels, systemd and the rollback timer really write."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.filter.trial_cause import trial_cause
from ansible_collections.oslab.kernel.plugins.module_utils._evidence import kernel_text
from ansible_collections.oslab.kernel.plugins.plugin_utils import trial_cause as causes
from ansible_collections.oslab.kernel.plugins.plugin_utils.trial_cause import Failure, cause

ROOT = Path(__file__).resolve().parents[4]
LOST = Failure(
    "Fail if another kernel runs", "web1 came back with 6.1.0-44-amd64 and not with 6.12"
)

OOPS = """fault: loading out-of-tree module taints kernel.
BUG: kernel NULL pointer dereference, address: 0000000000000000
#PF: supervisor write access in kernel mode
Oops: 0002 [#1] PREEMPT SMP NOPTI
CPU: 0 PID: 305 Comm: insmod Tainted: G           O       6.12.117-49-usac1 #1
RIP: 0010:misbehave+0x40/0xff0 [fault]
Call Trace:
 <TASK>
 do_one_initcall+0x56/0x260
---[ end trace 0000000000000000 ]---
Kernel panic - not syncing: Fatal exception
Rebooting in 10 seconds..
"""
PANIC = """sysrq: Trigger a crash
Kernel panic - not syncing: sysrq triggered crash
CPU: 1 PID: 196 Comm: sh Not tainted 6.12.117-49-usac1 #1
Call Trace:
"""
STALL = """rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:
rcu: 	1-...0: (1 GPs behind) idle=1b4c/1/0x4000000000000000 softirq=100/100 fqs=7500
Sending NMI from CPU 0 to CPUs 1:
RIP: 0010:misbehave+0x5c/0xff0 [fault]
Kernel panic - not syncing: RCU Stall
"""
LOCKUP = """watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [insmod:305]
RIP: 0010:misbehave+0x5c/0xff0 [fault]
Kernel panic - not syncing: softlockup: hung tasks
"""
HARD = """watchdog: Watchdog detected hard LOCKUP on cpu 1
Kernel panic - not syncing: Hard LOCKUP
"""
HUNG = """INFO: task systemd:1 blocked for more than 120 seconds.
Kernel panic - not syncing: hung_task: blocked tasks
"""
NO_ROOT = """VFS: Cannot open root device "/dev/nowhere" or unknown-block(0,0): error -6
Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)
"""
CORRUPT = """Initramfs unpacking failed: invalid magic at start of compressed archive
Kernel panic - not syncing: VFS: Unable to mount root fs on unknown-block(0,0)
"""
INIT = "Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000000\n"
SYSTEMD = "systemd[1]: Caught <SEGV>, dumped core as pid 312.\nsystemd[1]: Rebooting in 10s...\n"
MEMORY = "Kernel panic - not syncing: System is deadlocked on memory\n"
WARNED = """WARNING: CPU: 0 PID: 1 at kernel/workqueue.c:3023 __queue_work+0x2c1/0x430
Kernel panic - not syncing: kernel: panic_on_warn set ...
"""
ALERT = """Begin: Waiting for root file system ... done.
Gave up waiting for root file system device.  Common problems:
ALERT!  /dev/nowhere does not exist.  Dropping to a shell!
Rebooting automatically due to panic= boot argument
"""
FILES = "EXT4-fs error (device vda1): ext4_lookup:1855: inode #131: comm ls: deleted inode\n"


def report(failed: str = "", waiting: str = "", addresses: str = "", errors: str = "") -> str:
    """As trial-rollback.j2 writes it."""
    lo = "lo               UNKNOWN        127.0.0.1/8 ::1/128 "
    return (
        "6.12.117-49-usac1 was not confirmed within 100 s\n"
        f"failed units:\n{failed}waiting:\n{waiting}addresses:\n{lo}\n{addresses}errors:\n{errors}"
    )


UP = "ens3             UP             10.0.2.15/24 fe80::5054:ff:fe12:3456/64 \n"
DOWN = "ens3             DOWN           \n"
LINK_LOCAL = "ens3             UP             169.254.7.1/16 fe80::5054:ff:fe12:3456/64 \n"
OWN = "301 oslab-trial.service start running\n"
STUCK = f"102 fault.service start running\n2 multi-user.target start waiting\n{OWN}"
WAITS = f"97 systemd-networkd-wait-online.service start running\n{OWN}"
NETWORKING = "networking.service loaded failed failed Raise network interfaces\n"
SSH = "ssh.service loaded failed failed OpenBSD Secure Shell server\n"
DATA = "srv-data.mount loaded failed failed /srv/data\n"
OTHER = "fwupd.service loaded failed failed Firmware update daemon\n"


def log(text: str, source: str = "pstore") -> dict[str, Any]:
    return {"records": [{"source": source, "name": "/x", "lines": text.splitlines()}]}


def kind_of(evidence: dict[str, Any], failure: Failure = LOST) -> tuple[str, str]:
    found = cause(evidence, failure)
    assert found is not None
    assert found.kind in causes.KINDS
    match = causes.NAMED.search(f"x: the kernel was not confirmed. {found.sentence()} More.")
    assert match and match[1] == found.kind
    return found.kind, found.text


@pytest.mark.parametrize("source", ["pstore", "kdump", "serial", "netconsole", "journal"])
@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        (OOPS, ("oops", "BUG: kernel NULL pointer dereference, address: 0000000000000000")),
        (PANIC, ("kernel panic", "Kernel panic - not syncing: sysrq triggered crash")),
        (STALL, ("lockup", "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:")),
        (LOCKUP, ("lockup", "watchdog: BUG: soft lockup - CPU#1 stuck for 26s! [insmod:305]")),
        (HARD, ("lockup", "watchdog: Watchdog detected hard LOCKUP on cpu 1")),
        (HUNG, ("hung task", "INFO: task systemd:1 blocked for more than 120 seconds.")),
        (NO_ROOT, ("root not found", NO_ROOT.splitlines()[1])),
        (CORRUPT, ("initrd", CORRUPT.splitlines()[0])),
        (INIT, ("init ended", INIT.strip())),
        (SYSTEMD + INIT, ("systemd", "systemd[1]: Caught <SEGV>, dumped core as pid 312.")),
        # The kernel killed what it ran in.
        (OOPS.replace("Fatal exception", INIT[28:].strip()), ("oops", OOPS.splitlines()[1])),
        (MEMORY, ("out of memory", MEMORY.strip())),
        (WARNED, ("kernel panic", WARNED.splitlines()[0])),
        # Without a panic.
        (ALERT, ("root not found", "ALERT!  /dev/nowhere does not exist.  Dropping to a shell!")),
        (SYSTEMD, ("systemd", "systemd[1]: Caught <SEGV>, dumped core as pid 312.")),
        (OOPS.partition("Kernel panic")[0], ("oops", OOPS.splitlines()[1])),
        (HUNG.partition("Kernel panic")[0], ("hung task", HUNG.splitlines()[0])),
        (FILES, ("device", FILES.strip())),
    ],
)
def test_what_a_kernel_wrote(text: str, source: str, wanted: tuple[str, str]) -> None:
    evidence = {**log(text, source), "console": {"started": True}}
    assert kind_of(evidence) == wanted


def test_an_oops_names_its_function_and_the_log() -> None:
    found = cause(log(OOPS), LOST)
    assert found is not None
    assert found.sentence() == (
        "Cause: oops: BUG: kernel NULL pointer dereference, address: 0000000000000000 (pstore, /x; "
        "RIP: 0010:misbehave+0x40/0xff0 [fault]; Kernel panic - not syncing: Fatal exception)."
    )


def test_the_text_of_a_program_is_no_panic() -> None:
    text = 'audit: comm="Kernel panic - not syncing: x"\nfoo[3]: BUG: kernel NULL pointer\n'
    assert kind_of(log(text))[0] == "unknown"


@pytest.mark.parametrize(
    ("text", "console", "wanted"),
    [
        ("error: file `/boot/initrd.img-6.12' not found.", {"console": True}, "boot loader"),
        ("error: premature end of file /boot/vmlinuz-6.12.", {}, "boot loader"),
        ("Loading Linux 6.12 ...", {"console": True}, "boot loader"),
        (
            "Loading Linux 6.12 ...\nProbing EDD (edd=off to disable)... ok",
            {"console": True},
            "boot loader",
        ),
        # It prints something, without its first line.
        ("Loading Linux 6.12 ...\nata1: SATA link down", {"console": True}, "unknown"),
        # No kernel of this host prints there.
        ("Loading Linux 6.12 ...", {"console": False}, "unknown"),
        ("Linux version 6.12\nerror: x", {"console": True, "started": True}, "unknown"),
    ],
)
def test_a_boot_loader(text: str, console: dict[str, bool], wanted: str) -> None:
    assert kind_of({**log(text, "serial"), "console": console})[0] == wanted


NO_VIDEO = "error: no suitable video mode found."


@pytest.mark.parametrize(
    "error",
    [
        NO_VIDEO,
        "error: ../../grub-core/video/video.c:762:no suitable video mode found.",
        "error: no video mode activated.",
        "error: can't find command `hwmatch'.",
        "error: terminal `gfxterm' isn't found.",
        "error: serial port `com0' isn't found.",
        "error: file `/boot/grub/fonts/unicode.pf2' not found.",
        "error: file `/boot/grub/locale/en_GB.gmo' not found.",
        "error: diskfilter writes are not supported.",
        "error: sparse file not allowed.",
    ],
)
def test_an_error_of_the_boot_loader_that_ends_nothing(error: str) -> None:
    harmless = {**log(f"{error}\nLoading Linux 6.12 ...", "serial"), "console": {}}
    assert kind_of(harmless)[0] == "unknown"
    ended = "error: file `/boot/initrd.img-6.12' not found."
    both = {**log(f"{error}\n{ended}", "serial"), "console": {}}
    assert kind_of(both) == ("boot loader", ended)


@pytest.mark.parametrize("text", [f"Loading Linux 6.12 ...\n{NO_VIDEO}", "error: out of memory."])
def test_the_boot_loader_of_a_kernel_that_ran_is_no_cause(text: str) -> None:
    """With `quiet` a kernel does not print its first line."""
    serial = {**log(text, "serial"), "console": {"console": True, "read": True}}
    reached = Failure(causes.CHECKS_TASK, "1 of 9 checks failed on w: release: x", reached=True)
    assert kind_of(serial, reached)[0] == "check"
    assert kind_of({**serial, "journal": JOURNAL})[0] == "unit"
    assert kind_of({**serial, "timer": report(addresses=UP)})[0] == "not reached"
    assert kind_of(serial)[0] == "boot loader"


def test_a_kernel_that_left_a_log_elsewhere_was_started() -> None:
    evidence = {**log("Loading Linux 6.12 ...", "serial"), "console": {"console": True}}
    evidence["records"] += log("Linux version 6.12 (x) #1", "journal")["records"]
    assert kind_of(evidence)[0] == "unknown"


@pytest.mark.parametrize(
    ("timer", "wanted"),
    [
        (report(waiting=STUCK), ("unit", "the start of fault.service never ended")),
        (report(waiting=STUCK, addresses=UP), ("unit", "the start of fault.service never ended")),
        (report(DATA, addresses=DOWN), ("unit", "srv-data.mount failed")),
        (report(NETWORKING, OWN), ("no network", "no address but those of lo: ")),
        (report(waiting=WAITS, addresses=DOWN), ("no network", "no address but those of lo: ")),
        (report(addresses=LINK_LOCAL), ("no network", "no address but those of lo: ")),
        (report(SSH, addresses=UP), ("unit", "ssh.service failed")),
        (report(OTHER, OWN, UP), ("not reached", "the host had 10.0.2.15/24 (ens3), and nobody")),
        (report(addresses=UP, errors="write: No space left on device\n"), ("disk full", "write: ")),
        # The host has no `ip`.
        (
            "6.12 was not confirmed within 9 s\n" + "addresses:\nip: not found\n",
            ("not reached", ""),
        ),
    ],
)
def test_a_report_of_the_rollback_timer(timer: str, wanted: tuple[str, str]) -> None:
    kind, text = kind_of({"timer": timer})
    assert (kind, text.startswith(wanted[1])) == (wanted[0], True), text


def test_what_fails_in_each_boot_is_no_cause() -> None:
    known = {"failed_before": ["srv-data.mount", "ssh.service", "fault.service"]}
    timer = report(DATA + SSH, STUCK, UP)
    assert kind_of({"timer": timer})[0] == "unit"
    found = cause({"timer": timer, **known}, LOST)
    assert found is not None
    assert found.kind == "not reached"
    assert "srv-data" not in found.sentence()
    # What fails only there, after that.
    more = DATA.replace("data", "more")
    assert kind_of({"timer": report(DATA + more), **known}) == ("unit", "srv-more.mount failed")


def test_what_fails_in_each_boot_is_no_cause_by_the_journal() -> None:
    known = {"failed_before": ["srv-data.mount", "dev-sdb1.device", r"dev-disk-by\x2did-x.device"]}
    assert kind_of({"journal": JOURNAL, **known}) == ("unit", "local-fs.target failed")
    for waited in (
        "Timed out waiting for device dev-sdb1.device - /dev/sdb1.",
        "Timed out waiting for device /dev/sdb1.",
        "Timed out waiting for device /dev/disk/by-id/x.",
    ):
        only = {**JOURNAL, "units": [], "manager": [waited]}
        assert kind_of({"journal": only})[0] == "device"
        assert kind_of({"journal": only, **known})[0] == "unknown"


def test_what_the_kernel_complains_of_in_each_boot_is_no_cause() -> None:
    reader = "blk_update_request: I/O error, dev sdc, sector 0 op 0x0:(READ) flags 0x0"
    disk = reader.replace("sdc", "sda")
    warn = "WARNING: CPU: 1 PID: 3 at lib/refcount.c:28 refcount_warn_saturate+0xbe/0x110"
    task = "INFO: task x:31 blocked for more than 120 seconds."
    panic = "Kernel panic - not syncing: sysrq triggered crash"
    known = {"complaints_before": [kernel_text.complaint(one) for one in (reader, warn, task)]}
    for lines, alone, then in (
        ((reader,), "device", "unknown"),
        ((reader, disk), "device", "device"),
        ((task,), "hung task", "unknown"),
        ((warn, panic), "kernel panic", "kernel panic"),
    ):
        assert kind_of(log("\n".join(lines)))[0] == alone
        assert kind_of({**log("\n".join(lines)), **known})[0] == then
    assert kind_of({**log(f"{reader}\n{disk}"), **known})[1] == disk
    assert kind_of(log(f"{warn}\n{panic}"))[1] == warn
    assert kind_of({**log(f"{warn}\n{panic}"), **known})[1] == panic


def test_the_last_line_of_a_panic_says_it_too() -> None:
    ended = "---[ end Kernel panic - not syncing: Attempted to kill init! exitcode=0x0000000b ]---"
    assert kind_of(log(f"Linux version 6.12\n{ended}")) == ("init ended", ended)
    assert kind_of(log(f"{HARD}{ended}"))[0] == "lockup"


def test_the_parts_of_the_report_are_those_that_the_role_writes() -> None:
    script = (ROOT / "roles/trial/templates/trial-rollback.j2").read_text(encoding="utf-8")
    assert set(re.findall(r'echo "([a-z, ]+):"', script)) == set(causes._SECTIONS)


@pytest.mark.parametrize(
    ("task", "reason", "wanted"),
    [
        (causes.CHECKS_TASK, "2 of 60 checks failed on web1: x", ("check", "2 of 60 checks")),
        (causes.MODULES_TASK, "modprobe: Module capture_mem_mod not found", ("module", "modprobe")),
        (causes.HEALTH_TASK, "`/bin/false` ended with 1", ("health check", "`/bin/false`")),
        ("Check that the host still answers", "timeout", ("task", "Check that the host")),
    ],
)
def test_what_the_run_found(task: str, reason: str, wanted: tuple[str, str]) -> None:
    kind, text = kind_of({}, Failure(task, reason, reached=True))
    assert (kind, text.startswith(wanted[1])) == (wanted[0], True), text
    # A kernel that died says more, and one that was not reached was not judged.
    assert kind_of(log(PANIC), Failure(task, reason, reached=True))[0] == "kernel panic"
    assert kind_of({}, Failure(task, reason))[0] == "unknown"


WARN = ["WARNING: CPU: 0 PID: 1 at kernel/workqueue.c:3023 __queue_work+0x2c1/0x430", "RIP: x"]


def verified(
    checks: Sequence[tuple[str, Any]] = (),
    complaints: Sequence[tuple[str, str]] = (),
    lost: Sequence[tuple[str, str, str, str]] = (),
) -> dict[str, Any]:
    """As the action show_checks reports it, with what fails nothing besides."""
    row = {"expected": "a", "actual": "b", "tolerance": None, "detail": ""}
    log = [
        {"kind": kind, "name": "at x", "lines": [line, "more"], "fails": True}
        for kind, line in complaints
    ]
    changes = [
        {"kind": kind, "label": f"{kind.replace('_', ' ')} {name}", "before": before, "now": now}
        for kind, name, before, now in lost
    ]
    sums = [{**row, "name": name, "ok": False} for name in ("kernel log", "health")]
    rows = [
        {**row, "name": f"{name}, x get_io_throttle answers", "ok": False}
        for name in ("kernel log", "health")
    ]
    return {
        "checks": [
            *({**row, "name": name, "ok": ok} for name, ok in checks),
            *(sums if complaints or lost else []),
            *(rows if complaints or lost else []),
        ],
        "kernel_log": {"complaints": [{"kind": "oops", "lines": ["no"], "fails": False}, *log]},
        "health": {
            "changes": [
                *({**one, "fails": True} for one in changes),
                {"kind": "swap", "label": "swap /s", "before": "x", "now": "", "fails": False},
            ]
        },
    }


@pytest.mark.parametrize(
    ("found", "kind", "text", "also"),
    [
        (
            verified(checks=[("files on disk", False), ("get_io_throttle answers", False)]),
            "syscall",
            "get_io_throttle answers: expected a, read b",
            ["files on disk: expected a, read b"],
        ),
        (verified(checks=[("my_call answers", False)]), "syscall", "my_call answers: ", []),
        # A name that anybody chose is none of a syscall.
        (verified(checks=[("own get_io_throttle x", False)]), "check", "own get_io_", []),
        (verified(checks=[("/proc/io_throttle rchar", False)]), "module", "/proc/io_throttle", []),
        (verified(complaints=[("warn", WARN[0])]), "kernel log", f"warn: {WARN[0]}", []),
        (verified(complaints=[("oops", "Oops: x")]), "oops", "Oops: x", []),
        (verified(complaints=[("rcu_stall", "rcu: x")]), "lockup", "rcu: x", []),
        (verified(complaints=[("fs_error", "EXT4-fs error")]), "device", "EXT4-fs error", []),
        (
            verified(lost=[("unit", "check-get_io_throttle.service", "active", "failed")]),
            "unit",
            "unit check-get_io_throttle.service: active before, failed now",
            [],
        ),
        (
            verified(lost=[("device", "pci 0000:3b:00.0", "mlx5_core", "no driver")]),
            "device",
            "device pci 0000:3b:00.0: mlx5_core before, no driver now",
            [],
        ),
        (verified(lost=[("default_route", "IPv4", "by x", "")]), "no network", "default route", []),
        (verified(lost=[("dkms_module", "zfs", "loaded", "not loaded")]), "module", "dkms mod", []),
        (
            verified(
                checks=[("release", False), ("sysname", None)],
                complaints=[("warn", WARN[0])],
                lost=[("mount", "/data", "ext4 of /dev/vdb", "")],
            ),
            "kernel log",
            "warn: WARNING",
            ["release: expected a, read b", "mount /data: ext4 of /dev/vdb before, absent now"],
        ),
        (verified(), "check", "why", []),
    ],
)
def test_what_the_verification_found(
    found: dict[str, Any], kind: str, text: str, also: list[str]
) -> None:
    named = causes.cause({}, Failure(causes.CHECKS_TASK, "why", reached=True, verified=found))
    assert named is not None
    assert (named.kind, named.text[: len(text)], [*named.details]) == (kind, text, also)


def test_all_that_was_lost_is_named() -> None:
    lost = [("mount", f"/m{number}", "ext4", "") for number in range(9)]
    found = verified(lost=lost)
    named = causes.cause({}, Failure(causes.CHECKS_TASK, "why", reached=True, verified=found))
    assert named is not None
    assert named.sentence().endswith("mount /m5: ext4 before, absent now; and 3 more).")
    assert named.reason() == "lost: mount /m0: ext4 before, absent now. "


def test_what_the_verification_let_pass_is_no_cause() -> None:
    bad = "BUG: Bad page state in process modprobe  pfn:10a3f4"
    passed = {"kernel_log": {"complaints": [{"lines": [bad], "fails": False}]}, "checks": []}
    failure = Failure("Set the confirmed kernel as the default", "x", reached=True, verified=passed)
    assert kind_of(log(bad), failure)[0] == "task"
    assert kind_of(log(bad), failure._replace(verified={}))[0] == "oops"
    other = "BUG: kernel NULL pointer dereference, address: 0000000000000000"
    assert kind_of(log(f"{bad}\n{other}"), failure) == ("oops", other)


def test_an_oops_that_ended_in_a_panic_is_the_cause_whatever_came_before() -> None:
    """A driver of the fallback kernel has had one of the same name."""
    lines = OOPS.splitlines()[1:]
    known = [kernel_text.complaint(one) for one in lines if kernel_text.complaint(one)]
    evidence = {**log("\n".join(lines)), "complaints_before": known}
    assert kind_of(evidence) == ("oops", lines[0])
    [details] = [cause(evidence, LOST)]
    assert details is not None and "misbehave" in details.sentence()


def test_the_error_of_any_program_is_less_than_no_network() -> None:
    full = "errors:\nmyapp: tmpfs /run/x: No space left on device\n"
    down = report(addresses="lo UNKNOWN 127.0.0.1/8\neth0 DOWN\n") + full
    assert kind_of({"timer": down})[0] == "no network"
    assert kind_of({"timer": report(addresses=UP) + full})[0] == "disk full"


def test_a_report_that_ends_early_does_not_say_that_the_boot_was_complete() -> None:
    text = "6.12 was not confirmed within 900 s\nfailed units:\n"
    kind, said = kind_of({"timer": text})
    assert kind == "not reached"
    assert "ends early" in said and "complete" not in said


def test_a_serial_line_is_quoted_as_far_as_it_is_the_kernels() -> None:
    evidence = {**log("Linux version 6.12 (x)\nubuntu:s3cr3tPW", "serial"), "console": {}}
    named = cause(evidence, LOST)
    assert named is not None
    assert named.kind == "unknown" and "s3cr3tPW" not in named.sentence()
    evidence["records"][0]["last"] = "virtio: x"
    named = cause(evidence, LOST)
    assert named is not None and "last: virtio: x" in named.sentence()


def test_the_tasks_are_those_of_the_roles() -> None:
    names = {
        name
        for path in (ROOT / "roles").glob("*/tasks/**/*.yml")
        for name in re.findall(r"^ *- name: (.*)$", path.read_text(encoding="utf-8"), re.MULTILINE)
    }
    judges = {causes.CHECKS_TASK, causes.MODULES_TASK, causes.HEALTH_TASK, causes.SPACE_TASK}
    assert judges <= names


@pytest.mark.parametrize(
    ("task", "reason", "wanted"),
    [
        (
            "Install the packages",
            "dpkg: cannot copy extracted data: failed to write (No space left on device)",
            "disk full",
        ),
        (causes.SPACE_TASK, "web1: / has 100 MiB free and the kernel needs 400", "disk full"),
        ("Install the packages", "The index names another checksum", None),
        # It says that there is space.
        ("Build the modules of DKMS", "zfs does not build; /boot has 800 MiB free", None),
    ],
)
def test_before_the_trial_boot_the_failure_says_all(
    task: str, reason: str, wanted: str | None
) -> None:
    found = cause({}, Failure(task, reason, booted=False))
    assert (found.kind if found else None) == wanted


def test_free_space_is_no_full_disk_in_a_trial_boot_either() -> None:
    assert kind_of({}, LOST._replace(reason="it has 800 MiB free"))[0] == "unknown"


JOURNAL = {
    "boot_id": "1" * 32,
    "units": ["oslab-x.service", "srv-data.mount", "local-fs.target"],
    "manager": ["Mounting srv-data.mount...", "Reached target emergency.target."],
    "shut_down": False,
}


def test_a_unit_of_the_journal() -> None:
    assert kind_of({"journal": JOURNAL}) == ("unit", "srv-data.mount failed")
    waited = "Timed out waiting for device dev-sdb1.device - /dev/sdb1."
    assert kind_of({"journal": {**JOURNAL, "manager": [waited]}}) == ("device", waited)
    full = "systemd-journald.service: No space left on device"
    assert kind_of({"journal": {**JOURNAL, "manager": [full]}}) == ("disk full", full)


def test_what_is_unknown_is_called_so() -> None:
    found = cause({"kept_by": {"journal": True, "pstore": "efi_pstore", "kdump": False}}, LOST)
    assert found is not None
    assert found.sentence() == (
        "Cause: unknown: nothing was left behind. To learn more next time: trial_serial_log, "
        "trial_netconsole, kdump-tools (README of the role trial)."
    )
    ended = {**JOURNAL, "units": []}
    found = cause({"journal": ended}, LOST)
    assert found is not None
    assert found.text.startswith("its log ends without a reason")
    assert "last: Reached target emergency.target" in found.sentence()
    found = cause({"journal": {**ended, "shut_down": True}}, LOST)
    assert found is not None and "restarted in order" in found.text
    found = cause(log("fine\nreboot: Restarting system\nreboot: machine restart\n"), LOST)
    assert found is not None and "restarted in order" in found.text


def test_of_several_logs_the_first_source_counts() -> None:
    evidence = log(PANIC, "journal")
    evidence["records"] += log(LOCKUP, "serial")["records"] + log(OOPS, "pstore")["records"]
    assert kind_of(evidence)[0] == "oops"
    # The kernel before the rest.
    assert kind_of({**log(PANIC), "timer": report(), "journal": JOURNAL})[0] == "kernel panic"
    # What ended the boot before what else failed in it.
    assert kind_of({"timer": report(addresses=DOWN), "journal": JOURNAL})[0] == "no network"


def test_a_sentence_fits_a_screen_and_is_safe_to_print() -> None:
    evil = "Kernel panic - not syncing: \x1b]0;mine\x07\u202e" + "x" * 9000 + "\nEVIL : ok=1"
    record = {"source": "pstore", "name": "/y" * 900, "lines": [evil, evil]}
    answer = trial_cause({"records": [record], "timer": evil, "journal": None})
    assert len(answer["sentence"]) < 800
    assert "\x1b" not in answer["sentence"] + answer["report"]
    assert "\n" not in answer["sentence"]


def test_the_report_has_all() -> None:
    evidence = {**log(OOPS), "timer": report(SSH), "journal": JOURNAL}
    text = trial_cause(evidence)["report"]
    for part in ("Cause: oops", "--- pstore: /x", "ssh.service", "failed: srv-data.mount"):
        assert part in text
    nothing = {"kind": "", "sentence": "", "reason": "", "report": ""}
    assert trial_cause({}, "x", "y", booted=False) == nothing


def test_a_record_has_the_cause_that_the_task_does_not_say() -> None:
    assert trial_cause(log(PANIC))["reason"] == f"kernel panic: {PANIC.splitlines()[1]}. "
    assert trial_cause({}, causes.HEALTH_TASK, "x", reached=True)["reason"] == ""
    assert trial_cause({})["reason"] == ""


def test_each_kind_is_documented() -> None:
    text = (ROOT / "roles/trial/README.md").read_text(encoding="utf-8")
    assert [kind for kind in causes.KINDS if f"`{kind}`" not in text] == []
