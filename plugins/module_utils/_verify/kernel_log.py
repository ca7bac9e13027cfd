# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel has complained of since the boot: its log, taken apart into complaints.

A complaint is its first line and the trace that follows. Complaints of one name are one group,
with the lines of the first. A name has no numbers and addresses, so that it is the same in another
boot and, mostly, in another kernel; a device is named by what it is. The control node decides
whether a group is new, and what that means.
"""

from __future__ import annotations

import errno
import functools
import itertools
import os
import re
import selectors
import subprocess
import time
from collections.abc import Iterator, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read, journal_json
from ansible_collections.oslab.kernel.plugins.module_utils._common.name_forms import RELEASE
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import locale_environment
from ansible_collections.oslab.kernel.plugins.module_utils._host.packages import INSTALL_RECORD
from ansible_collections.oslab.kernel.plugins.module_utils._verify import log_devices, log_rules
from ansible_collections.oslab.kernel.plugins.module_utils._verify.log_rules import (
    MANY_TRACES,
    NO_TRACE,
    Found,
    Rule,
)

KMSG = "/dev/kmsg"
# What systemd-journald itself notes where the ring buffer was overwritten before it could read it.
_MISSED = "e9bf28e6e834481bb6f48f548ad13606"
#: All messages of the kernel in this boot, also those of level debug, and where some are missing.
JOURNAL = (
    *("journalctl", "--boot", "--output=json", "--no-pager", "--quiet"),
    "--output-fields=MESSAGE,MESSAGE_ID,SYSLOG_FACILITY,_SOURCE_MONOTONIC_TIMESTAMP",
    *("_TRANSPORT=kernel", "+", "_TRANSPORT=driver", f"MESSAGE_ID={_MISSED}"),
)
# Of the log that is read: a ring buffer has some hundred KiB, a journal of months more.
MOST_RECORDS = 200_000
MOST_BYTES = 32 << 20
SECONDS = 30.0
# Of what is reported.
MOST_GROUPS = 60
MOST_LINES = 16
LENGTH = 240
NAME_LENGTH = 200
# Of a report that does not end: a trace after so many lines is another one.
_LONGEST_BLOCK = 250
# Between the line "cut here" and the one that says what happened.
_LONGEST_HEAD = 8
_RECORD = 16384
_LINE = 2048

_ESCAPE = re.compile(rb"\\x([0-9a-fA-F]{2})")
_CUT = "------------[ cut here ]"
_END = "---[ end trace"
_KERNEL_START = "Linux version "

# The lines of traces.
_TRACE = re.compile(
    r"\s|$|=====|-----|---\[ end trace|#####|clocksource: {2}|<|\[<|\? |->|>|\.\.\.|"
    r"(?:CPU|PID|UID|Comm|Hardware name|Call [Tt]race|Workqueue|Modules linked in"
    r"|Unloaded tainted|RIP|RSP"
    r"|RAX|RDX|RBP|R\d\d|FS|CS|ES|DS|CR\d|DR\d|PKRU|Code|Tainted|irq event|hardirqs|softirqs"
    r"|Sending NMI"
    r"|NMI backtrace|rcu|task|stack backtrace|pc|lr|sp|x\d\d?|pstate|note|Oops|KASAN|PGD|#PF"
    r"|Mem-Info"
    r"|Kernel Offset|Disabling lock debugging|Disabling IRQ|handlers|Freed by|Allocated by"
    r"|The buggy"
    r"|Memory state|which belongs|Showing all|\"echo|oom-kill|Node \d|Tasks state|\[ {0,8}pid"
    r"|(?:mce: |\{\d+\})?\[Hardware Error\])(?!\w)|"
    r"[0-9a-f]{8,16}(?::|  ?[0-9a-f]{2} )"
)
# Of a report that has its own words: so many other lines do not end a block.
_SLACK = 3
# Where a trace begins that no line has announced, and what announces one more of the same report.
_TRACE_HEAD = re.compile(r"CPU: \d{1,5} .{0,60}?Comm: ")
_TRACE_OF_OTHERS = re.compile(r"Sending NMI|NMI backtrace|task:|rcu: ")
# A trace of another kind may begin within a block; its first line decides.
_WITHIN = re.compile(r"(?:Oops|invalid opcode|Internal error|general protection fault|KASAN: )")

_NAME_STEPS = (
    (re.compile(r"\.(?:isra|constprop|part|cold|llvm)(?:\.\d+)*"), ""),
    (re.compile(r"(?:Not tainted|Tainted: [A-Z ]{1,40})"), ""),
    (re.compile(r"\b(?:0x)?[0-9a-f]{8,}\b|\b0x[0-9a-f]+\b"), "#"),
    (re.compile(r"\+#/#"), ""),
    (re.compile(r"[0-9]+"), "#"),
    (re.compile(r"\s+"), " "),
)
_FINGERPRINT_DIGITS = 16
FINGERPRINT = re.compile(r"[a-z_]{1,32}:[0-9a-f]{16}")


class Record(NamedTuple):
    """A message of the kernel's log."""

    #: Time since the boot.
    microseconds: int
    text: str
    #: Whether the kernel itself wrote it, and no program to /dev/kmsg.
    kernel: bool = True
    #: Whether it goes on with a line that another message has cut off.
    fragment: bool = False
    #: Whether it is none, and messages were lost here.
    gap: bool = False


class Log(NamedTuple):
    """The messages of this boot, the first one first."""

    records: Sequence[Record]
    #: Whether the log begins with the boot, was read to its end, and lacks nothing between.
    complete: bool
    sources: Sequence[str] = ()
    #: Why nothing could be read; empty if something was.
    problem: str = ""
    #: Whether it was read to its end.
    ended: bool = True
    #: From this record on nothing is missing.
    whole_from: int = 0


class Output(NamedTuple):
    """What a program has printed."""

    data: bytes
    #: Whether that is all of it: the program has ended by itself and without an error.
    whole: bool


class Group:
    """Complaints of one kind and name."""

    def __init__(self, kind: str, name: str, seconds: int) -> None:
        self.kind, self.name, self.seconds = kind, name, seconds
        self.count = 1
        self.lines: list[str] = []

    def answer(self) -> dict[str, Any]:
        return {
            "kind": self.kind,
            "name": self.name,
            "count": self.count,
            "seconds": self.seconds,
            "lines": self.lines,
        }


# --- names --------------------------------------------------------------------------------------


def normalised(text: str) -> str:
    """A text without what differs from boot to boot: numbers, addresses, offsets, taints."""
    text = text[:_LINE]
    for pattern, replacement in _NAME_STEPS:
        text = pattern.sub(replacement, text)
    return text.strip()[:NAME_LENGTH]


def fingerprint(kind: str, name: str) -> str:
    """What a baseline keeps of a group."""
    digest = sha256(f"{kind} {name}".encode("utf-8", "surrogateescape")).hexdigest()
    return f"{kind}:{digest[:_FINGERPRINT_DIGITS]}"


# --- from records to complaints -----------------------------------------------------------------


class _Open:
    """The complaint whose trace is being read."""

    def __init__(self, found: Found, record: Record) -> None:
        self.found, self.rule = found, found.rule
        self.seconds = record.microseconds // 1_000_000
        self.lines: list[str] = []
        self.length = 0
        #: Lines that are not of a trace: the last ones, and whether there are any since its trace.
        self.foreign = 0
        self.interrupted = False
        self.slack = 0 if self.rule.traces == NO_TRACE else _SLACK
        self.has_trace = self.rule.kind == "call_trace"
        self.also = ""
        self.until = self.rule.until

    def add(self, text: str) -> None:
        self.length += 1
        if self.rule.also and not self.also and self.length > 1:
            found = self.rule.also.match(text)
            self.also = found[1] if found else ""
        if self.until and text.startswith(self.until):
            self.until = ""
        if len(self.lines) < MOST_LINES:
            self.lines.append(text[:LENGTH].replace("\t", " "))

    def has(self, text: str) -> bool:
        """Whether a line belongs to its block, or may."""
        if self.until:
            self.foreign = 0
        elif not _TRACE.match(text):
            self.foreign += 1
            self.interrupted = True
        elif _TRACE_HEAD.match(text) and not self._may_have_a_trace():
            return False
        else:
            self.foreign = 0
            if self.rule.traces == MANY_TRACES and _TRACE_OF_OTHERS.match(text):
                self.interrupted = False
        return self.foreign <= self.slack

    def _may_have_a_trace(self) -> bool:
        """Whether the next trace may be its own, and not one that nothing has announced."""
        if self.length >= _LONGEST_BLOCK or self.rule.traces == NO_TRACE:
            return False
        if self.until or not self.has_trace:
            return True
        return self.rule.traces == MANY_TRACES and not self.interrupted

    def takes_trace(self) -> bool:
        """Whether a trace that begins now is its own; from then on it has one."""
        own = self._may_have_a_trace()
        if own and not self.until:
            self.has_trace, self.interrupted = True, False
        return own

    def trace(self) -> list[str]:
        """Its lines, without those at the end that are not of it."""
        if self.length > MOST_LINES:
            return self.lines
        return self.lines[: max(1, len(self.lines) - min(self.foreign, self.slack))]

    def name(self, device: str) -> str:
        """Its name, with the device as it is and all else without numbers."""
        name = normalised(f"{self.found.name} in {self.also}" if self.also else self.found.name)
        return f"{name[: NAME_LENGTH - len(device) - 3]} ({device})" if device else name


def _as_named(_kind: str, name: str) -> str:
    return name


class _Complaints:
    """The complaints of a log that is read record by record."""

    def __init__(self, identity: Callable[[str, str], str]) -> None:
        self.found: dict[tuple[str, str], Group] = {}
        self._identity = functools.lru_cache(maxsize=None)(identity)
        self._trace: Optional[_Open] = None
        #: What stands between "cut here" and the first line of a WARN.
        self._head: Optional[list[str]] = None
        #: The last line that is not of a trace.
        self._before = ""

    def read(self, record: Record) -> None:
        lines = [line[:_LINE] for line in record.text.split("\n")]
        text = lines[0]
        if text.startswith(_CUT):
            self.close()
            self._head = []
            return
        found = None if record.fragment else log_rules.rule_of(record.text[:_LINE])
        if found and self._trace and _goes_on(self._trace, found.rule, text):
            found = None
        if found:
            self._begin(found, record, text)
        elif self._trace and (record.fragment or self._trace.has(text)):
            self._go_on(self._trace, lines)
        elif self._head is not None and len(self._head) < _LONGEST_HEAD:
            self._head.append(text)
        else:
            self.close()
            self._head = None
        if not _TRACE.match(text):
            self._before = text

    def _begin(self, found: Found, record: Record, text: str) -> None:
        one = _Open(found, record)
        one.add(text)
        if not found.rule.block:
            self._add(one)
            return
        self.close()
        self._trace = one
        if found.rule.kind == "call_trace" and self._head is None and self._before:
            # What it is about, mostly.
            one.add(self._before)
        for line in self._head or ():
            one.add(line)
        self._head = None

    def _go_on(self, trace: _Open, lines: Sequence[str]) -> None:
        for line in lines:
            trace.add(line)
        if lines[0].startswith(_END):
            self.close()

    def close(self) -> None:
        if self._trace:
            self._add(self._trace)
        self._trace = None

    def _add(self, one: _Open) -> None:
        device = one.found.device and self._identity(one.found.group, one.found.device)
        key = (one.rule.kind, one.name(device))
        if key in self.found:
            self.found[key].count += 1
        else:
            group = self.found[key] = Group(*key, one.seconds)
            group.lines = one.trace()


def groups(
    records: Sequence[Record], identity: Callable[[str, str], str] = _as_named
) -> list[Group]:
    """The complaints in the log, in the order in which they began.

    `identity` says what a device is, by the group of a rule's pattern and the name in the message.
    """
    complaints = _Complaints(identity)
    for record in records:
        if record.kernel:
            complaints.read(record)
    complaints.close()
    return [*complaints.found.values()]


def _goes_on(trace: _Open, rule: Rule, text: str) -> bool:
    """Whether a line that could begin a complaint is a part of the one before it."""
    if rule.kind == "call_trace":
        return trace.takes_trace()
    if rule.kind == "oops" and trace.rule.kind in ("oops", "bug"):
        return bool(_WITHIN.match(text)) and trace.length <= _LONGEST_HEAD
    # The firmware's record of another boot. That of this one has a number or `mce:` before it.
    return trace.rule.kind == "earlier_error" and text.startswith("[Hardware Error]")


def answer(
    log: Log, tainted: int, identity: Callable[[str, str], str] = _as_named
) -> dict[str, Any]:
    """What a host reports of its log: the most severe groups, if there are many."""
    every = groups(log.records, identity)
    severities = [*log_rules.SEVERITIES]
    ranked = sorted(every, key=lambda one: severities.index(log_rules.KINDS[one.kind]))
    return {
        "complete": log.complete,
        "sources": [*log.sources],
        "problem": log.problem,
        "records": len(log.records),
        "complaints": [one.answer() for one in ranked[:MOST_GROUPS]],
        "dropped": max(0, len(every) - MOST_GROUPS),
        "tainted": tainted,
    }


# --- reading ------------------------------------------------------------------------------------


def parse_record(data: bytes) -> Optional[tuple[int, Record]]:
    """The sequence number and message of one record of /dev/kmsg; None if it is none."""
    head, separator, body = data.partition(b";")
    fields = head.split(b",")
    # A number of the kernel has at most 20 digits.
    if (
        not separator
        or len(fields) < 4
        or not all(one.isdigit() and len(one) <= 20 for one in fields[:3])
    ):
        return None
    # ` KEY=value` lines follow. A line break of the message is an escape.
    text = body.split(b"\n", 1)[0]
    literal = _ESCAPE.sub(lambda match: bytes([int(match.group(1), 16)]), text)
    record = Record(
        int(fields[2]),
        literal.decode("utf-8", "replace"),
        kernel=int(fields[0]) >> 3 == 0,
        fragment=fields[3][:1] in (b"c", b"+"),
    )
    return int(fields[1]), record


def read_kmsg(path: str = KMSG, clock: Callable[[], float] = time.monotonic) -> Log:
    """The messages in the kernel's ring buffer. Raises OSError if it cannot be read."""
    records: list[Record] = []
    first, expected = 0, 0
    ended, whole_from = True, 0
    deadline = clock() + SECONDS
    size = 0
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        while True:
            if len(records) >= MOST_RECORDS or size > MOST_BYTES or clock() > deadline:
                ended = False
                break
            try:
                data = os.read(descriptor, _RECORD)
            except BlockingIOError:
                break
            except OSError as error:
                # Messages were overwritten meanwhile: the next one shows how many.
                if error.errno != errno.EPIPE:
                    raise
                expected = -1
                continue
            if not data:
                break
            size += len(data)
            parsed = parse_record(data)
            if parsed is None:
                continue
            number, record = parsed
            if not records:
                first = number
            elif number != expected:
                whole_from = len(records)
            expected = number + 1
            records.append(record)
    finally:
        os.close(descriptor)
    complete = bool(records) and ended and first == whole_from == 0
    return Log(records, complete, [path], ended=ended, whole_from=whole_from)


def parse_journal(data: bytes) -> list[Record]:
    """The messages of `journalctl --output=json`; lines that hold none are left out."""
    entries = itertools.islice(journal_json.entries(data), MOST_RECORDS)
    return [*map(_journal_record, entries)]


def _journal_record(entry: dict[str, Any]) -> Record:
    if entry.get("MESSAGE_ID") == _MISSED:
        return Record(0, "", kernel=False, gap=True)
    stamp = str(entry.get("_SOURCE_MONOTONIC_TIMESTAMP", ""))
    digits = stamp.isascii() and stamp.isdigit() and len(stamp) <= 20
    return Record(
        int(stamp) if digits else 0,
        journal_json.message(entry),
        kernel=str(entry.get("SYSLOG_FACILITY", "0")) == "0",
    )


def output(argv: Sequence[str], limit: int = MOST_BYTES, seconds: float = SECONDS) -> Output:
    """The beginning of what a program prints, within so much time; empty if it does not start."""
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=locale_environment(),
        )
    except OSError:
        return Output(b"", whole=False)
    data = bytearray()
    deadline = time.monotonic() + seconds
    try:
        for chunk in _chunks(process, deadline):
            data += chunk
            if len(data) >= limit:
                break
        whole = len(data) < limit and _ends_well(process, deadline)
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
    return Output(bytes(data[:limit]), whole)


def limited_output(
    argv: Sequence[str], limit: int = MOST_BYTES, seconds: float = SECONDS, *, whole: bool = False
) -> bytes:
    """What `output` has read. `whole`: empty unless that is all of it."""
    found = output(argv, limit, seconds)
    return found.data if found.whole or not whole else b""


def _ends_well(process: subprocess.Popen[bytes], deadline: float) -> bool:
    try:
        return process.wait(max(0.1, deadline - time.monotonic())) == 0
    except subprocess.TimeoutExpired:
        return False


def _chunks(process: subprocess.Popen[bytes], deadline: float) -> Iterator[bytes]:
    if process.stdout is None:
        raise AssertionError("stdout is a pipe")
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while selector.select(max(0.0, deadline - time.monotonic())):
            chunk = os.read(process.stdout.fileno(), 1 << 16)
            if not chunk:
                return
            yield chunk


class _Journal(NamedTuple):
    """The messages from before a moment, the first one first."""

    records: Sequence[Record]
    #: Whether they begin with the boot and lack nothing up to that moment.
    complete: bool


def _read_journal(moment: Optional[int], run: Callable[[Sequence[str]], Output]) -> _Journal:
    """From its beginning, and where that is too much for the limits, also from its end.

    `moment` is that of the first record of the ring buffer; None if there is none.
    """

    def earlier(records: Sequence[Record]) -> list[Record]:
        return [
            one for one in records if not one.gap and (moment is None or one.microseconds < moment)
        ]

    def is_late(records: Sequence[Record]) -> bool:
        """Whether the journal goes on where the ring buffer begins, without a gap up to there."""
        for one in records:
            if one.gap:
                return False
            if moment is not None and one.microseconds >= moment:
                return True
        return moment is None

    printed = run(JOURNAL)
    read = parse_journal(printed.data)
    found = earlier(read)
    begins = any(one.text.startswith(_KERNEL_START) for one in found[:50] if one.kernel)
    if printed.whole and len(read) < MOST_RECORDS:
        return _Journal(found, begins and is_late(read))
    if moment is not None and is_late(read):
        return _Journal(found, begins)
    begins = begins and not any(one.gap for one in read)
    last = found[-1].microseconds if found else -1
    end = parse_journal(run((*JOURNAL, "--reverse")).data)[::-1]
    # Both parts have some messages if none lies between them.
    joined = bool(end) and end[0].microseconds <= last
    more = [one for one in earlier(end) if one.microseconds > last]
    return _Journal([*found, *more], begins and joined and is_late(end))


def merged(ring: Log, run: Callable[[Sequence[str]], Output]) -> Log:
    """The ring buffer, and before it what only the journal still has."""
    whole = ring.records[ring.whole_from :]
    journal = _read_journal(whole[0].microseconds if whole else None, run)
    if not journal.records:
        return ring
    earlier: Sequence[Record] = journal.records
    if ring.whole_from and not journal.complete:
        # What the ring buffer has from before the gap is more than the journal may have.
        whole = ring.records
        earlier = [one for one in earlier if one.microseconds < whole[0].microseconds]
    complete = journal.complete and ring.ended
    return Log([*earlier, *whole], complete, [*ring.sources, "the journal"])


def read(
    kmsg: Callable[[], Log] = read_kmsg,
    run: Callable[[Sequence[str]], Output] = lambda argv: output(argv, seconds=SECONDS / 2),
) -> Log:
    """The log of this boot; the journal is asked only if the ring buffer has lost something."""
    problem = ""
    try:
        ring = kmsg()
    except OSError as error:
        ring = Log([], complete=False)
        problem = f"{KMSG} cannot be read: {error.strerror}"
    if ring.complete:
        return ring
    log = merged(ring, run)
    if log.records:
        return log
    return log._replace(problem=problem or f"{KMSG} is empty, and there is no journal")


def read_tainted(root: Path = Path("/")) -> int:
    """The flags of the running kernel; 0 where they cannot be read."""
    try:
        text = bounded_read.text(root / "proc/sys/kernel/tainted", 1 << 10).strip()
    except OSError:
        return 0
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 20 else 0


def is_baseline(value: Any) -> bool:
    """Whether it is what a deployment keeps of an earlier log: see plugin_utils/kernel_log.py."""
    return (
        isinstance(value, dict)
        # Earlier versions did not say whether that log was complete.
        and {*value} - {"complete"} == {"release", "tainted", "complaints"}
        and type(value.get("complete", False)) is bool
        and isinstance(value["release"], str)
        and RELEASE.fullmatch(value["release"]) is not None
        and type(value["tainted"]) is int
        and 0 <= value["tainted"] < 1 << 64
        and isinstance(value["complaints"], list)
        and len(value["complaints"]) <= MOST_GROUPS
        and all(isinstance(one, str) and FINGERPRINT.fullmatch(one) for one in value["complaints"])
    )


def recorded_baseline(root: Path = Path("/")) -> Optional[dict[str, Any]]:
    """What the role install has recorded of the log of the kernel that ran before; None without."""
    try:
        record = bounded_read.json_object(root / INSTALL_RECORD, 1 << 20)
    except (OSError, ValueError):
        return None
    value = record.get("kernel_log")
    return value if is_baseline(value) else None


def gather(root: Path = Path("/"), read_log: Callable[[], Log] = read) -> dict[str, Any]:
    """What a host reports of its kernel's log."""
    identity = functools.partial(log_devices.identity, root=root)
    return answer(read_log(), read_tainted(root), identity)
