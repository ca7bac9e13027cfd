# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a trial boot failed: one cause, by what it left behind.

The first of these that the evidence has is the cause. What a dying kernel wrote says more than what
was noticed from outside, and a thing that explains the others comes before them:

1. a panic: what the kernel complained of right before it, or else the panic itself;
2. the boot loader: its error on the serial console, or a kernel that printed nothing there;
3. what the run found in the trial boot: what the kernel complained of, a syscall, a module or
   another check, what the host has lost, a health check;
4. a root file system that was not found, a systemd that crashed, an oops without a panic;
5. a CPU or a task that hung;
6. a full disk, by the failed task or by systemd's own messages;
7. what the rollback timer reported: a mount or a unit that failed or never ended, no network, a
   full disk, or a host that nothing reached;
8. a unit that failed, a device with errors, by the journal;
9. unknown. Then the remedy names what would leave something next time.

What is wrong in other boots of the host, too, is no cause: a unit that fails there, and what the
kernel complains of there. Nor is the boot loader of a kernel that ran.

Of several logs, that of pstore comes first, then kdump, the serial console, netconsole and the
journal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read, plain_text
from ansible_collections.oslab.kernel.plugins.module_utils._evidence import kernel_text
from ansible_collections.oslab.kernel.plugins.module_utils._verify import health, log_rules
from ansible_collections.oslab.kernel.plugins.module_utils._verify import report as checks_text

PANIC, OOPS, LOCKUP, HUNG_TASK = "kernel panic", "oops", "lockup", "hung task"
MEMORY, ROOT, INITRD, INIT = "out of memory", "root not found", "initrd", "init ended"
SYSTEMD, LOADER, DISK, DEVICE = "systemd", "boot loader", "disk full", "device"
NETWORK, NOT_REACHED, UNIT = "no network", "not reached", "unit"
MODULE, SYSCALL, CHECK, HEALTH, TASK = "module", "syscall", "check", "health check", "task"
LOG, LOST = "kernel log", "lost"
UNKNOWN = "unknown"
KINDS = (
    *(PANIC, OOPS, LOCKUP, HUNG_TASK, MEMORY, ROOT, INITRD, INIT, SYSTEMD, LOADER, DISK, DEVICE),
    *(NETWORK, NOT_REACHED, UNIT, MODULE, SYSCALL, CHECK, HEALTH, LOG, LOST, TASK, UNKNOWN),
)
#: How a message names it; what reads the message looks for that.
BEGINNING = "Cause: "
NAMED = re.compile(rf"{BEGINNING}({'|'.join(KINDS)})(?=[:. ])")

# Tasks of roles/verify, modules and trial that judge a trial boot, by the end of their names.
# SPACE_TASK judges a host before that.
CHECKS_TASK = "Show the table of checks, and fail if one failed"
MODULES_TASK = "Load, change or unload the modules, now and at boot"
HEALTH_TASK = "Run the health checks"
SPACE_TASK = "Check free space"

_SOURCES = ("pstore", "kdump", "serial", "netconsole", "journal")
# Lines between a complaint and the panic that it ends in: traces of all CPUs.
_BEFORE_PANIC = 250
# Lines from "BUG: …" to "Oops: …".
_ANNOUNCED = 8
_DETAIL = 120
_LINE = 240
# The last line of a panic says it once more, where the first one is lost.
_PANIC = re.compile(r"(?:---\[ end )?Kernel panic - not syncing: (.{0,500}?)(?: \]---)?$")
# By what the panic says, the cause; and what the kernel said before it, if it did.
_PANICS = (
    (re.compile(r"softlockup|.{0,20}[Hh]ard LOCKUP|RCU [Ss]tall"), LOCKUP),
    (re.compile(r"hung_task"), HUNG_TASK),
    (re.compile(r"Out of memory|System is deadlocked on memory"), MEMORY),
    (re.compile(r"VFS: (?:Unable to mount root|Cannot open root device)"), ROOT),
    (re.compile(r"Attempted to kill (?:init|the idle)|No working init|Requested init"), INIT),
)
_COMPLAINTS = {
    OOPS: ("oops", "bug", "kasan", "bad_memory", "machine_check"),
    LOCKUP: ("soft_lockup", "hard_lockup", "rcu_stall", "workqueue_lockup"),
    HUNG_TASK: ("hung_task",),
    PANIC: ("warn",),
}
_CORRUPT_INITRD = re.compile(r"Initramfs unpacking failed|rootfs image is not initramfs")
_WHERE = re.compile(r"(?:RIP: [0-9a-f]{4}:|pc : )(?!0x)")
_ROOT = (
    re.compile(r"ALERT! {1,4}\S{1,200} does not exist"),
    re.compile(r"Gave up waiting for (?:the )?root"),
    re.compile(r"(?:dracut|Warning: ).{0,80} does not exist"),
)
_SYSTEMD = re.compile(
    r"(?:systemd\[1\]: |\[!!!!!!\] )?(?:Caught <\w{1,16}>|Freezing execution|Crash file)"
)
_GRUB_ERROR = re.compile(r"error: {1,2}\S")
# GRUB goes on after these: of its screen, its terminals, its fonts and translations, of a block
# that it cannot write, and of a command that it does not have. Newer versions name their source.
_HARMLESS_ERROR = re.compile(
    r"error: {1,2}(?:\S{1,200}:\d{1,6}:)?(?:"
    r"no suitable video mode found|no video mode activated|can't find command `"
    r"|terminal `[^']{1,80}' isn't found|serial port `[^']{1,80}' isn't found"
    r"|(?:diskfilter writes are not supported|sparse file not allowed|environment block too small)"
    r"|file `\S{0,200}/(?:fonts|locale|themes)/[^']{0,200}' not found)"
)
# What GRUB and the kernel's EFI stub print before the kernel.
_LOADING = re.compile(r" {0,80}(?:Booting |Loading |EFI stub: |error: |Press any key|Probing EDD)")
_FULL = re.compile(r"No space left on device|[Ff]ile ?system (?:is )?full")
_WAITED = re.compile(r"Timed out waiting for device (\S{1,200})")
# Names of checks; those of syscalls of one's own have the second form.
_SYSCALL = re.compile(
    r"(?:capture_memory_snapshot|track_syscall_usage|get_io_throttle) |\w+ answers$"
)
_PROC = re.compile(r"/proc/\w+ ")
_OF_DIFFERENCES = re.compile(rf"(?:{'|'.join(checks_text.SUMS)})(?:,|$)")
# Of kinds of complaints and losses: which cause they are.
_OF_COMPLAINTS = {
    **{kind: cause for cause in (OOPS, LOCKUP, HUNG_TASK) for kind in _COMPLAINTS[cause]},
    **{"oom": MEMORY, "io_error": DEVICE, "fs_error": DEVICE},
}
_OF_LOSSES = {
    **{health.DEVICE: DEVICE, health.DEFAULT_ROUTE: NETWORK, health.UNIT: UNIT},
    **{health.DKMS_MODULE: MODULE, "dkms": MODULE, "module": MODULE},
}
# Further ones that the message names.
_ALSO = 5

_RESTARTED = re.compile(r"reboot: (?:Restarting system|machine restart)")

_SECTIONS = (
    *("the verification on the host", "the run on the host, which has not judged the kernel"),
    *("failed units", "waiting", "addresses", "errors"),
)
_NETWORK_UNIT = re.compile(
    r"(?:systemd-networkd|NetworkManager|networking|network-online|ifup@|dhc|wait-online|netplan)"
)
_MOUNT_UNIT = re.compile(r"\S+\.(?:mount|device|swap)|systemd-fsck\S*|\S*emergency\S*")
_SSH_UNIT = re.compile(r"sshd?\.(?:service|socket)")
_OWN_UNIT = "oslab-"


_NOTHING: Mapping[str, Any] = {}


class Failure(NamedTuple):
    """What failed in the run."""

    task: str = ""
    reason: str = ""
    #: Whether the kernel of the trial boot was started, or was to be.
    booted: bool = True
    #: Whether the run found the host in its trial boot.
    reached: bool = False
    #: What the verification there has reported, as the action show_checks returns it.
    verified: Mapping[str, Any] = _NOTHING


class Cause(NamedTuple):
    """One of KINDS, and the line that says it."""

    kind: str
    text: str = ""
    #: The log that has the line, and where that is.
    source: str = ""
    details: Sequence[str] = ()
    remedy: str = ""

    def sentence(self) -> str:
        """For a message, in one line that is safe to print."""
        parts = [self.source, *self.details] if self.source else [*self.details]
        more = (
            f" ({'; '.join(plain_text.sentence(one, _DETAIL) for one in parts)})" if parts else ""
        )
        text = plain_text.sentence(self.text, _LINE).rstrip(".")
        remedy = f" {self.remedy}" if self.remedy else ""
        return f"{BEGINNING}{self.kind}: {text}{more}.{remedy}"

    def reason(self) -> str:
        """The same for a record, before the failed task; empty where that says all."""
        if self.kind in (MODULE, SYSCALL, CHECK, HEALTH, TASK, UNKNOWN):
            return ""
        return f"{self.kind}: {plain_text.sentence(self.text, _DETAIL).rstrip('.')}. "


class _Log(NamedTuple):
    source: str
    name: str
    lines: Sequence[str]
    #: The last line that a message may show.
    last: str
    #: What the kernel complains of in other boots (kernel_text.complaint).
    before: frozenset[str] = frozenset()

    def first(self, kinds: Sequence[str], start: int = 0, end: Optional[int] = None) -> int:
        """The number of the first line with a complaint of these kinds that is new, or -1."""
        for number, line in enumerate(self.lines[start:end], start):
            if _is_a(line, kinds) and kernel_text.complaint(line) not in self.before:
                return number
        return -1

    def ended_by(self, kinds: Sequence[str], start: int, end: int) -> int:
        """The same of what ended in a panic: it may be called as one of another boot was."""
        new = self.first(kinds, start, end)
        if new >= 0:
            return new
        found = [n for n in range(start, end) if _is_a(self.lines[n], kinds)]
        # An oops is announced in several lines.
        return next((n for n in found if found[-1] - n <= _ANNOUNCED), -1)

    def cause(self, kind: str, text: str, details: Sequence[str] = ()) -> Cause:
        return Cause(kind, text, f"{self.source}, {self.name}", details)


def _last(record: Mapping[str, Any]) -> str:
    """On a serial console programs print, too."""
    if record["source"] == "serial":
        return str(record.get("last", ""))
    return str(record["lines"][-1]) if record["lines"] else ""


def _accepted(verified: Mapping[str, Any]) -> Iterator[str]:
    """What the verification of this boot has let pass."""
    for one in (verified.get("kernel_log") or {}).get("complaints", ()):
        if not one.get("fails"):
            yield from filter(None, map(kernel_text.complaint, map(str, one.get("lines", ()))))


def _logs(evidence: Mapping[str, Any], verified: Mapping[str, Any] = _NOTHING) -> list[_Log]:
    before = frozenset((*evidence.get("complaints_before", ()), *_accepted(verified)))
    logs = [
        _Log(str(one["source"]), str(one["name"]), one["lines"], _last(one), before)
        for one in evidence.get("records", [])
    ]
    known = [one for one in logs if one.source in _SOURCES]
    return sorted(known, key=lambda one: _SOURCES.index(one.source))


def _is_a(line: str, kinds: Sequence[str]) -> bool:
    found = log_rules.rule_of(line[:_LINE])
    return bool(found) and found is not None and found[0].kind in kinds


def _where(lines: Sequence[str]) -> list[str]:
    """The function in which it happened."""
    return [line for line in lines if _WHERE.match(line)][:1]


# --- the kernel ---------------------------------------------------------------------------------


def _panic(log: _Log) -> Optional[Cause]:
    found = ((n, match) for n, line in enumerate(log.lines) if (match := _PANIC.match(line)))
    at, panicked = next(found, (-1, None))
    if panicked is None:
        return None
    panic, message = log.lines[at], panicked[1]
    begin = max(0, at - _BEFORE_PANIC)
    kind = next((kind for pattern, kind in _PANICS if pattern.match(message)), PANIC)
    # An oops may end in the death of init; a lockup has its own words.
    for named in (OOPS, kind) if kind in (PANIC, INIT) else (kind,):
        kinds = _COMPLAINTS.get(named, ())
        # A warning of each boot has not ended this one.
        start = log.first(kinds, begin, at) if named == PANIC else log.ended_by(kinds, begin, at)
        if start >= 0:
            return log.cause(named, log.lines[start], [*_where(log.lines[start:at]), panic])
    crash = next((line for line in log.lines[begin:at] if _SYSTEMD.match(line)), "")
    if kind == INIT and crash:
        return log.cause(SYSTEMD, crash, [panic])
    corrupt = next((line for line in log.lines[:at] if _CORRUPT_INITRD.search(line)), "")
    if corrupt and kind in (ROOT, INIT):
        return log.cause(INITRD, corrupt, [panic])
    return log.cause(kind, panic, _where(log.lines[at:]))


def _oops(log: _Log) -> Optional[Cause]:
    at = log.first(_COMPLAINTS[OOPS])
    return log.cause(OOPS, log.lines[at], _where(log.lines[at:])) if at >= 0 else None


def _hung(log: _Log) -> Optional[Cause]:
    for kind in (LOCKUP, HUNG_TASK):
        at = log.first(_COMPLAINTS[kind])
        if at >= 0:
            return log.cause(kind, log.lines[at], _where(log.lines[at:]))
    return None


def _start(log: _Log) -> Optional[Cause]:
    """What comes between the kernel and the services."""
    for pattern in _ROOT:
        for line in log.lines:
            if pattern.search(line):
                return log.cause(ROOT, line)
    for line in log.lines:
        if _SYSTEMD.match(line):
            return log.cause(SYSTEMD, line)
    return None


def _device(log: _Log) -> Optional[Cause]:
    at = log.first(("io_error", "fs_error"))
    return log.cause(DEVICE, log.lines[at]) if at >= 0 else None


def _was_started(evidence: Mapping[str, Any], failure: Failure) -> bool:
    """Whether the kernel of the trial boot ran: something of it, or in it, was seen.

    With `quiet` it does not print its first line on a console.
    """
    console = evidence.get("console") or {}
    return bool(
        failure.reached
        or console.get("started")
        or evidence.get("journal")
        or evidence.get("timer")
        or any(one.source != "serial" for one in _logs(evidence))
    )


def _loader(evidence: Mapping[str, Any], failure: Failure) -> Optional[Cause]:
    """The boot loader has its say on a serial console alone."""
    log = next((one for one in _logs(evidence) if one.source == "serial"), None)
    if log is None or _was_started(evidence, failure):
        return None
    errors = (line for line in log.lines if _GRUB_ERROR.search(line))
    error = next((line for line in errors if not _HARMLESS_ERROR.search(line)), "")
    if error:
        return log.cause(LOADER, error)
    prints = (evidence.get("console") or {}).get("console")
    # A kernel that prints elsewhere starts in silence, too.
    if prints and all(_LOADING.match(line) for line in log.lines[-1:]):
        return log.cause(LOADER, "it started the kernel, which printed nothing")
    return None


# --- the run ------------------------------------------------------------------------------------


def _judged(failure: Failure) -> Optional[Cause]:
    """What the run found wrong with a trial boot that it reached."""
    if not failure.reached:
        return None
    if failure.task.endswith(CHECKS_TASK):
        found = [*_wrong(failure.verified)]
        if not found:
            return Cause(CHECK, failure.reason)
        more = [one.text for one in found[1 : _ALSO + 1]]
        more += [f"and {len(found) - _ALSO - 1} more"] if len(found) > _ALSO + 1 else []
        return found[0]._replace(details=more)
    if failure.task.endswith(MODULES_TASK):
        return Cause(MODULE, failure.reason)
    if failure.task.endswith(HEALTH_TASK):
        return Cause(HEALTH, failure.reason)
    return None


def _wrong(verified: Mapping[str, Any]) -> Iterator[Cause]:
    """Each finding that fails the trial boot; what may explain the others comes first."""
    for one in (verified.get("kernel_log") or {}).get("complaints", ()):
        if one.get("fails"):
            yield _complaint(
                str(one.get("kind")), next(iter(one.get("lines", ())), one.get("name"))
            )
    checks = [one for one in verified.get("checks", ()) if _is_of_the_kernel(one)]
    # Each syscall has many checks.
    for one in sorted(checks, key=lambda one: not _SYSCALL.match(str(one["name"]))):
        name = str(one["name"])
        kind = SYSCALL if _SYSCALL.match(name) else MODULE if _PROC.match(name) else CHECK
        yield Cause(kind, next(iter(checks_text.failures([one]))))
    for one in (verified.get("health") or {}).get("changes", ()):
        if one.get("fails"):
            text = (
                f"{one.get('label')}: {one.get('before')} before, {one.get('now') or 'absent'} now"
            )
            yield Cause(_OF_LOSSES.get(str(one.get("kind")), LOST), text)


def _is_of_the_kernel(check: Mapping[str, Any]) -> bool:
    """Whether it failed, and is no row of the kernel log or of the health difference."""
    return checks_text.outcome(check) is False and not _OF_DIFFERENCES.match(str(check.get("name")))


def _complaint(kind: str, line: Any) -> Cause:
    known = _OF_COMPLAINTS.get(kind, LOG)
    return Cause(known, f"{kind.replace('_', ' ')}: {line}" if known == LOG else str(line))


def _full(lines: Sequence[str], source: str) -> Optional[Cause]:
    found = next((line for line in lines if _FULL.search(line)), "")
    return Cause(DISK, found, source) if found else None


# --- the rollback timer -------------------------------------------------------------------------


def sections(report: str) -> dict[str, list[str]]:
    """The parts of the rollback timer's report (roles/trial/templates/trial-rollback.j2)."""
    found: dict[str, list[str]] = {}
    part: list[str] = []
    for line in bounded_read.lines(report):
        name = line.rstrip(":")
        if line.endswith(":") and name in _SECTIONS and name not in found:
            part = found[name] = []
        elif line.strip():
            part.append(line.strip())
    return found


def _jobs(lines: Sequence[str]) -> list[str]:
    """Units whose start never ended."""
    words = [bounded_read.words(line) for line in lines]
    return [one[1] for one in words if len(one) == 4 and one[2:] == ["start", "running"]]


def _new(evidence: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """Those of these units that fail in no other boot of the host, without ours."""
    known = {*evidence.get("failed_before", ())}
    return [name for name in names if name not in known and not name.startswith(_OWN_UNIT)]


def _failed_units(lines: Sequence[str]) -> list[str]:
    names = [next(iter(bounded_read.words(line)), "") for line in lines]
    return [name for name in names if "." in name]


def _addresses(lines: Sequence[str]) -> Optional[list[str]]:
    """Those by which the host can be reached; None if the report does not tell."""
    found = []
    told = False
    for line in lines:
        name, *others = bounded_read.words(line) or [""]
        if name == "lo":
            told = True
            continue
        found += [
            f"{one} ({name.partition('@')[0]})"
            for one in others
            if "/" in one and not one.startswith(("fe80:", "169.254."))
        ]
    return found if told or found else None


def _unit_of(jobs: Sequence[str], failed: Sequence[str], addresses: Optional[Sequence[str]]) -> str:
    """What is wrong with a unit that explains why nobody reached the host; empty if none does."""
    mounts = [name for name in failed if _MOUNT_UNIT.fullmatch(name)]
    if mounts:
        return f"{mounts[0]} failed"
    for name in jobs:
        if not _NETWORK_UNIT.search(name):
            return f"the start of {name} never ended"
    if addresses == []:
        return ""
    # Others may have failed before, too.
    guilty = [name for name in failed if addresses is None or _SSH_UNIT.fullmatch(name)]
    return f"{guilty[0]} failed" if guilty else ""


def _timer(evidence: Mapping[str, Any]) -> Optional[Cause]:
    report = str(evidence.get("timer") or "")
    if not report.strip():
        return None
    parts = sections(report)
    failed = _new(evidence, _failed_units(parts.get("failed units", ())))
    jobs = _new(evidence, _jobs(parts.get("waiting", ())))
    addresses = _addresses(parts.get("addresses", ()))
    source = "the rollback timer's report"
    details = [f"failed: {plain_text.few(failed, 3)}"] if failed else []
    unit = _unit_of(jobs, failed, addresses)
    if unit:
        return Cause(UNIT, unit, source)
    if addresses == []:
        shown = plain_text.few(parts.get("addresses", ()), 3, "; ")
        return Cause(NETWORK, f"no address but those of lo: {shown}", source, details)
    if not {"waiting", "addresses"} <= {*parts}:
        text = "nobody confirmed the kernel, and this report ends early, as where systemd hangs"
        return Cause(NOT_REACHED, text, source, details)
    had = f"the host had {plain_text.few(addresses, 3)}" if addresses else "the boot was complete"
    text = f"{had}, and nobody confirmed the kernel"
    remedy = "Look at ssh and the firewall in the next trial boot."
    return Cause(NOT_REACHED, text, source, details, remedy)


# --- the journal --------------------------------------------------------------------------------


def _device_unit(name: str) -> str:
    """Older versions of systemd name the path instead of the unit."""
    if not name.startswith("/"):
        return name
    path = name.rstrip(".").strip("/").replace("-", r"\x2d")
    return f"{path.replace('/', '-')}.device"


def _units(evidence: Mapping[str, Any]) -> Optional[Cause]:
    journal = evidence.get("journal") or {}
    source = f"journalctl --boot={journal.get('boot_id', '')}"
    for line in journal.get("manager", ()):
        waited = _WAITED.search(line)
        if waited and _new(evidence, [_device_unit(waited[1])]):
            return Cause(DEVICE, line, source)
    units = _new(evidence, journal.get("units", ()))
    if not units:
        return None
    more = [f"then {plain_text.few(units[1:], 3)}"] if units[1:] else []
    return Cause(UNIT, f"{units[0]} failed", source, more)


def _remedy(evidence: Mapping[str, Any]) -> str:
    """What would leave something, of what this host does not have."""
    kept = evidence.get("kept_by") or {}
    ways = []
    if not (evidence.get("console") or {}).get("read"):
        ways.append("trial_serial_log")
    if not any(one.get("source") == "netconsole" for one in evidence.get("records", ())):
        ways.append("trial_netconsole")
    if not kept.get("pstore"):
        ways.append("pstore")
    if not kept.get("kdump"):
        ways.append("kdump-tools")
    if not kept.get("journal"):
        ways.append("a persistent journal (/var/log/journal)")
    if not ways:
        return ""
    return f"To learn more next time: {', '.join(ways)} (README of the role trial)."


def _unknown(evidence: Mapping[str, Any], failure: Failure) -> Cause:
    journal = evidence.get("journal") or {}
    if failure.reached and (journal.get("shut_down") or not journal):
        return Cause(TASK, f"{failure.task or 'a task'} failed in the trial boot")
    remedy = _remedy(evidence)
    logs = _logs(evidence)
    manager = [*journal.get("manager", ())]
    if manager:
        ends, source = manager[-1], f"journalctl --boot={journal.get('boot_id', '')}"
    elif logs and logs[0].lines:
        ends, source = logs[0].last, f"{logs[0].source}, {logs[0].name}"
    else:
        return Cause(UNKNOWN, "nothing was left behind", remedy=remedy)
    ordered = journal.get("shut_down") or any(
        _RESTARTED.match(line) for log in logs for line in log.lines[-3:]
    )
    text = (
        "the host was restarted in order, and its log does not say why"
        if ordered
        else "its log ends without a reason, as after a reset, a watchdog or a power cut"
    )
    return Cause(UNKNOWN, text, source, [f"last: {ends}"] if ends else [], remedy)


# --- all ----------------------------------------------------------------------------------------


def _found(evidence: Mapping[str, Any], failure: Failure) -> Iterator[Optional[Cause]]:
    """In the order of the module's docstring."""
    logs = _logs(evidence, failure.verified)
    yield from map(_panic, logs)
    yield _loader(evidence, failure)
    yield _judged(failure)
    yield from map(_start, logs)
    yield from map(_oops, logs)
    yield from map(_hung, logs)
    journal = evidence.get("journal") or {}
    report = bounded_read.lines(str(evidence.get("timer") or ""))
    yield _full([failure.reason], "")
    yield _full(journal.get("manager", ()), "the journal of the trial boot")
    timer = _timer(evidence)
    yield timer if timer and timer.kind != NOT_REACHED else None
    # The error of any program, whose disk may be a small one.
    yield _full(report, "the rollback timer's report")
    yield timer
    yield _units(evidence)
    yield from map(_device, logs)


def cause(evidence: Mapping[str, Any], failure: Failure) -> Optional[Cause]:
    """The cause; None if nothing was booted, and the failed task says all."""
    if not failure.booted:
        if failure.task.endswith(SPACE_TASK):
            return Cause(DISK, failure.reason)
        return _full([failure.reason], "")
    return next(filter(None, _found(evidence, failure)), None) or _unknown(evidence, failure)


def report(evidence: Mapping[str, Any], found: Cause) -> str:
    """All of the evidence, for a file that a person reads."""
    lines = [found.sentence(), ""]
    for log in _logs(evidence):
        lines += [f"--- {log.source}: {log.name}", *log.lines, ""]
    journal = evidence.get("journal") or {}
    if journal:
        lines += [f"--- systemd, journalctl --boot={journal.get('boot_id', '')}"]
        lines += [f"failed: {unit}" for unit in journal.get("units", ())]
        lines += [*journal.get("manager", ()), ""]
    if evidence.get("timer"):
        lines += ["--- rollback timer", str(evidence["timer"]).rstrip("\n"), ""]
    return plain_text.lines("\n".join(lines)) + "\n"
