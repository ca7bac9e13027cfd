# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel has complained of since the boot: its log, taken apart into complaints.

A complaint is its first line and the trace that follows. Complaints of one name are one group,
with the lines of the first. A name has no numbers and addresses, so that it is the same in another
boot and, mostly, in another kernel. The control node decides whether a group is new, and what that
means.
"""

from __future__ import annotations

import errno
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
from ansible_collections.oslab.kernel.plugins.module_utils._verify import log_rules
from ansible_collections.oslab.kernel.plugins.module_utils._verify.log_rules import Rule

KMSG = "/dev/kmsg"
#: All messages of the kernel in this boot, also those of level debug.
JOURNAL = (
    *("journalctl", "--dmesg", "--boot", "--output=json", "--no-pager", "--quiet"),
    "--output-fields=MESSAGE,SYSLOG_FACILITY,_SOURCE_MONOTONIC_TIMESTAMP",
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


class Log(NamedTuple):
    """The messages of this boot, the first one first."""

    records: Sequence[Record]
    #: Whether the log begins with the boot, and was read to its end.
    complete: bool
    sources: Sequence[str] = ()
    #: Why nothing could be read; empty if something was.
    problem: str = ""


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

    def __init__(self, rule: Rule, name: str, record: Record) -> None:
        self.rule, self.name = rule, name
        self.seconds = record.microseconds // 1_000_000
        self.lines: list[str] = []
        self.length = 0
        self.foreign = 0
        self.also = ""
        self.until = rule.until

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
        if self.until or _TRACE.match(text):
            self.foreign = 0
        else:
            self.foreign += 1
        return self.foreign <= _SLACK

    def trace(self) -> list[str]:
        """Its lines, without those at the end that are not of it."""
        if self.length > MOST_LINES:
            return self.lines
        return self.lines[: max(1, len(self.lines) - min(self.foreign, _SLACK))]

    def full_name(self) -> str:
        return normalised(f"{self.name} in {self.also}" if self.also else self.name)


def groups(records: Sequence[Record]) -> list[Group]:
    """The complaints in the log, in the order in which they began."""
    found: dict[tuple[str, str], Group] = {}

    def close(one: Optional[_Open]) -> None:
        if one is None:
            return
        key = (one.rule.kind, one.full_name())
        if key in found:
            found[key].count += 1
        else:
            group = found[key] = Group(*key, one.seconds)
            group.lines = one.trace()

    trace: Optional[_Open] = None
    head: Optional[list[str]] = None
    for record in records:
        if not record.kernel:
            continue
        lines = record.text.split("\n")
        text = lines[0][:_LINE]
        if text.startswith(_CUT):
            # The message of a WARN stands between this line and its first one.
            close(trace)
            trace, head = None, []
            continue
        matched = None if record.fragment else log_rules.rule_of(record.text[:_LINE])
        if matched and trace and _goes_on(trace, matched[0], text):
            matched = None
        if matched and not matched[0].block:
            single = _Open(*matched, record)
            single.add(text)
            close(single)
        elif matched:
            close(trace)
            trace = _Open(*matched, record)
            trace.add(text)
            for line in head or ():
                trace.add(line)
            head = None
        elif trace and (record.fragment or trace.has(text)):
            for line in lines:
                trace.add(line[:_LINE])
        elif head is not None and len(head) < _LONGEST_HEAD:
            head.append(text)
        else:
            close(trace)
            trace, head = None, None
    close(trace)
    return [*found.values()]


def _goes_on(trace: _Open, rule: Rule, text: str) -> bool:
    """Whether a line that could begin a complaint is a part of the one before it."""
    if rule.kind == "call_trace":
        return trace.length < _LONGEST_BLOCK
    if rule.kind == "oops" and trace.rule.kind in ("oops", "bug"):
        return bool(_WITHIN.match(text)) and trace.length <= _LONGEST_HEAD
    # One report has a line for each of its registers.
    return rule.kind == trace.rule.kind == "machine_check" and trace.length < MOST_LINES


def answer(log: Log, tainted: int) -> dict[str, Any]:
    """What a host reports of its log: the most severe groups, if there are many."""
    every = groups(log.records)
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
    expected = 0
    complete = True
    deadline = clock() + SECONDS
    size = 0
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        while True:
            if len(records) >= MOST_RECORDS or size > MOST_BYTES or clock() > deadline:
                complete = False
                break
            try:
                data = os.read(descriptor, _RECORD)
            except BlockingIOError:
                break
            except OSError as error:
                # Messages were overwritten meanwhile: the next one shows how many.
                if error.errno != errno.EPIPE:
                    raise
                complete = False
                continue
            if not data:
                break
            size += len(data)
            parsed = parse_record(data)
            if parsed is None:
                continue
            complete = complete and parsed[0] == expected
            expected = parsed[0] + 1
            records.append(parsed[1])
    finally:
        os.close(descriptor)
    return Log(records, complete and bool(records), [path])


def parse_journal(data: bytes) -> list[Record]:
    """The messages of `journalctl --output=json`; lines that hold none are left out."""
    records = []
    for entry in journal_json.entries(data):
        records.append(_journal_record(entry))
        if len(records) >= MOST_RECORDS:
            break
    return records


def _journal_record(entry: dict[str, Any]) -> Record:
    stamp = str(entry.get("_SOURCE_MONOTONIC_TIMESTAMP", ""))
    digits = stamp.isascii() and stamp.isdigit() and len(stamp) <= 20
    return Record(
        int(stamp) if digits else 0,
        journal_json.message(entry),
        kernel=str(entry.get("SYSLOG_FACILITY", "0")) == "0",
    )


def limited_output(
    argv: Sequence[str], limit: int = MOST_BYTES, seconds: float = SECONDS, *, whole: bool = False
) -> bytes:
    """The beginning of what a program prints, within so much time; empty if it does not start.

    `whole`: empty, too, unless it ends by itself and without an error.
    """
    try:
        process = subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env=locale_environment(),
        )
    except OSError:
        return b""
    data = bytearray()
    deadline = time.monotonic() + seconds
    try:
        for chunk in _chunks(process, deadline):
            data += chunk
            if len(data) >= limit:
                break
        if whole and (len(data) >= limit or not _ends_well(process, deadline)):
            return b""
    finally:
        process.kill()
        process.wait()
        if process.stdout:
            process.stdout.close()
    return bytes(data[:limit])


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


def merged(ring: Log, journal: Sequence[Record]) -> Log:
    """The ring buffer, and before it what only the journal still has."""
    first = ring.records[0].microseconds if ring.records else None
    earlier = [one for one in journal if first is None or one.microseconds < first]
    if not earlier:
        return ring
    begins = any(one.text.startswith(_KERNEL_START) for one in earlier[:50] if one.kernel)
    return Log([*earlier, *ring.records], begins, [*ring.sources, "the journal"])


def read(
    kmsg: Callable[[], Log] = read_kmsg,
    journal: Callable[[], bytes] = lambda: limited_output(JOURNAL),
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
    log = merged(ring, parse_journal(journal()))
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
        and set(value) == {"release", "tainted", "complaints"}
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
    return answer(read_log(), read_tainted(root))
