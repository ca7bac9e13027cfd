# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The units of systemd: which are active, which have failed, and which each boot starts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Callable, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common.bounded_read import lines
from ansible_collections.oslab.kernel.plugins.module_utils._verify.health_state import Item, Items

#: The output of a program that may run for so many seconds; empty if it does not start.
Ask = Callable[[Sequence[str], float], str]

SHOW = (
    *("systemctl", "show", "--no-pager"),
    "--property=Id,ActiveState,SubState,Type,Transient,WantedBy,RequiredBy,TriggeredBy",
    *("*.service", "*.socket", "*.path", "*.timer"),
)
WAIT = ("systemctl", "is-system-running", "--wait")
SECONDS = 30.0
_RUNS = "run/systemd/system"

_WORD = re.compile(r"[a-z-]{1,40}")
# Instances for a session, a user, a connection or a dump, and what systemd-run names; ours.
_EPHEMERAL = re.compile(
    r"run-|session-|user@|user-runtime-dir@|sshd?@|sshd-unix|systemd-coredump@|systemd-fsck"
    r"|systemd-backlight@|systemd-rfkill|dbus-:|packagekit|apt-daily|snap-|oslab-|ansible-async"
    r"|getty@tty[2-9]|autovt@|docker-[0-9a-f]{64}|libpod-|crio-|cri-containerd-"
)


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


def _item(unit: dict[str, str]) -> Optional[Item]:
    state, detail = unit.get("ActiveState", ""), unit.get("SubState", "")
    # One that waits for its start may need its time; one that starts again and again does not work.
    starting = state in ("activating", "reloading") and detail != "auto-restart"
    if state == "inactive" or not _WORD.fullmatch(state):
        return None
    # `enabled` may be said of one that only D-Bus starts.
    at_boot = bool(unit.get("WantedBy") or unit.get("RequiredBy"))
    # What ends when it is done, or waits for somebody to need it, has failed only if it says so.
    ends = unit.get("Type") == "oneshot" or bool(unit.get("TriggeredBy"))
    # Whether a timer waits or runs is no difference.
    is_service = unit.get("Id", "").endswith(".service")
    text = f"{state} ({detail})" if is_service and detail not in ("", state) else state
    return Item(text, works=state == "active" or starting, needed=at_boot, may_go=ends)


def parse(text: str) -> Items:
    """Units that are not inactive, from the output of `systemctl show`."""
    found: Items = {}
    for unit in _blocks(text):
        name = unit.get("Id", "")
        if not name or _EPHEMERAL.match(name) or unit.get("Transient") == "yes":
            continue
        item = _item(unit)
        if item:
            found[name] = item
    return found


def gather(root: Path, ask: Ask) -> Optional[Items]:
    """None without systemd, or if it does not answer."""
    return (parse(ask(SHOW, SECONDS)) or None) if is_there(root) else None


def wait_until_up(root: Path, ask: Ask, seconds: float) -> str:
    """Wait until the boot is done, for so long: what systemd says of it, `starting` if it is not.

    Empty without systemd.
    """
    if not is_there(root):
        return ""
    word = ask(WAIT, seconds).strip()
    return word if _WORD.fullmatch(word) else "starting"
