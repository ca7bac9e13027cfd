# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The units of systemd: which are active, which have failed, and which each boot starts."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import Callable, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import journal_json
from ansible_collections.oslab.kernel.plugins.module_utils._common.bounded_read import lines, words
from ansible_collections.oslab.kernel.plugins.module_utils._verify.health_state import Item, Items

#: All output of a program that may run for so many seconds; empty if it does not start or end.
Ask = Callable[[Sequence[str], float], str]

SHOW = (
    # Also the inactive ones that a pattern matches.
    *("systemctl", "show", "--all", "--no-pager"),
    "--property=Id,ActiveState,SubState,Type,Transient,WantedBy,RequiredBy,TriggeredBy,Job"
    ",NRestarts,InactiveExitTimestampMonotonic,ConditionTimestampMonotonic",
    *("*.service", "*.socket", "*.path", "*.timer", "*.target"),
)
WAIT = ("systemctl", "is-system-running", "--wait")
SECONDS = 30.0
# The newest of this boot.
FAILURES = (
    *("journalctl", "--no-pager", "--quiet", "--boot", "--lines=500"),
    *("--output=json", "--output-fields=UNIT", "_PID=1"),
    f"MESSAGE_ID={journal_json.JOB_FAILED}",
    f"MESSAGE_ID={journal_json.UNIT_FAILED}",
)
# Of the time to wait for the boot: what is left is for another look.
_MOST_LEFT, _SHARE_LEFT = 10.0, 0.25
_RUNS = "run/systemd/system"
_COUNT = re.compile(r"[1-9][0-9]{0,9}")
# How often systemd has started it again because it had ended.
_RESTARTS = ", restarts: "
#: It waits for its start, behind another unit.
QUEUED = "inactive (queued)"
#: The boot was to start it, and did not even look at its conditions: what it needs has failed.
NOT_TRIED = "inactive (not tried)"

#: It has failed in this boot, and somebody has reset that, or it ended well later.
HAD_FAILED = "inactive (had failed)"

_WORD = re.compile(r"[a-z-]{1,40}")
# Instances for a session, a user, a connection or a dump, and what systemd-run names; ours.
_EPHEMERAL = re.compile(
    r"run-|session-|user@|user-runtime-dir@|sshd?@|sshd-unix|systemd-coredump@|systemd-fsck"
    r"|systemd-backlight@|systemd-rfkill|dbus-:|packagekit|apt-daily|snap-|oslab-|ansible-async"
    r"|getty@tty[2-9]|autovt@|docker-[0-9a-f]{64}|libpod-|crio-|cri-containerd-"
)


# It fails if another kernel lacks one of the modules that a file lists, which is shown as `module`.
_OF_NO_USE = ("systemd-modules-load.service",)


def is_there(root: Path) -> bool:
    """Whether systemd runs the host."""
    return (root / _RUNS).is_dir()


def _blocks(text: str) -> Iterator[dict[str, str]]:
    block: dict[str, str] = {}
    for line in [*lines(text), ""]:
        name, mark, value = line.partition("=")
        if mark:
            block[name] = value
        elif block:
            yield block
            block = {}


def _has_job(unit: dict[str, str]) -> bool:
    return unit.get("Job", "") not in ("", "0")


def _is_reached(unit: dict[str, str]) -> bool:
    return unit.get("ActiveState", "") in ("active", "activating", "reloading") or _has_job(unit)


def _is_untried(unit: dict[str, str]) -> bool:
    times = ("InactiveExitTimestampMonotonic", "ConditionTimestampMonotonic")
    return all(unit.get(name) == "0" for name in times)


def _item(unit: dict[str, str], reached: Collection[str]) -> Optional[Item]:
    state, detail = unit.get("ActiveState", ""), unit.get("SubState", "")
    if state == "inactive" and _has_job(unit):
        # Before a trial boot that says nothing of whether it would have worked.
        return Item(QUEUED, needed=False)
    # One that waits for its start may need its time; one that starts again and again does not work.
    starting = state in ("activating", "reloading") and detail != "auto-restart"
    if not _WORD.fullmatch(state):
        return None
    # `enabled` may be said of one that only D-Bus starts, or of one that a target wants which this
    # host never reaches.
    wanters = words(f"{unit.get('WantedBy', '')} {unit.get('RequiredBy', '')}")
    at_boot = any(one in reached for one in wanters)
    # What ends when it is done, or waits for somebody to need it, has failed only if it says so.
    ends = unit.get("Type") == "oneshot" or bool(unit.get("TriggeredBy"))
    if state == "inactive":
        return Item(NOT_TRIED, works=False) if ends and at_boot and _is_untried(unit) else None
    # Whether a timer waits or runs is no difference.
    is_service = unit.get("Id", "").endswith(".service")
    text = f"{state} ({detail})" if is_service and detail not in ("", state) else state
    count = unit.get("NRestarts", "")
    if _COUNT.fullmatch(count):
        text += f"{_RESTARTS}{count}"
    needed = at_boot and unit.get("Id") not in _OF_NO_USE
    return Item(text, works=state == "active" or starting, needed=needed, may_go=ends)


def parse(text: str) -> Items:
    """Units that are not inactive, or are to start, from the output of `systemctl show`."""
    found: Items = {}
    units = [*_blocks(text)]
    reached = {unit.get("Id", "") for unit in units if _is_reached(unit)}
    for unit in units:
        name = unit.get("Id", "")
        if not name or name.endswith(".target") or unit.get("Transient") == "yes":
            continue
        item = None if _EPHEMERAL.match(name) else _item(unit, reached)
        if item:
            found[name] = item
    return found


def without_restarts(text: str) -> str:
    return text.partition(_RESTARTS)[0]


def restarts(text: str) -> int:
    """What a text of this module says of that."""
    count = text.partition(_RESTARTS)[2]
    return int(count) if _COUNT.fullmatch(count) else 0


def is_starting(item: Item) -> bool:
    """Whether it has yet to start; one that starts again and again does not work."""
    return item.works and item.text.startswith(("activating", QUEUED)) and not restarts(item.text)


def gather(root: Path, ask: Ask) -> Optional[Items]:
    """None without systemd, or if it does not answer."""
    return (parse(ask(SHOW, SECONDS)) or None) if is_there(root) else None


def had_failed(root: Path, ask: Ask) -> list[str]:
    """Units that have failed in this boot, as far as the journal tells."""
    if not is_there(root):
        return []
    entries = journal_json.entries(ask(FAILURES, SECONDS).encode())
    names = [str(entry.get("UNIT") or "") for entry in entries]
    return [*dict.fromkeys(name for name in names if name and not _EPHEMERAL.match(name))]


def wait_until_up(root: Path, ask: Ask, seconds: float) -> str:
    """Wait until the boot is done: what systemd says of it, `starting` if it is not.

    It does not take all of these seconds. Empty without systemd.
    """
    if not is_there(root):
        return ""
    word = ask(WAIT, seconds - min(_MOST_LEFT, _SHARE_LEFT * seconds)).strip()
    return word if _WORD.fullmatch(word) else "starting"
