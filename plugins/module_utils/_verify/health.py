# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host had before a trial boot and has no longer in it, and the other way round.

Before the trial boot the host describes itself, and the role trial leaves that on its disk. In the
trial boot the host compares. Things come up late: as long as something is missing that would fail
the host, it looks again, within a limit. What the difference means is decided on the control node.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import boot_id, bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._common.name_forms import RELEASE
from ansible_collections.oslab.kernel.plugins.module_utils._host.devices import is_there, read
from ansible_collections.oslab.kernel.plugins.module_utils._host.trial import is_unconfirmed
from ansible_collections.oslab.kernel.plugins.module_utils._verify import (
    health_state,
    health_units,
)
from ansible_collections.oslab.kernel.plugins.module_utils._verify.health_state import Item, Items
from ansible_collections.oslab.kernel.plugins.module_utils._verify.health_units import Ask
from ansible_collections.oslab.kernel.plugins.module_utils._verify.kernel_log import limited_output

#: Where the role trial leaves what a host has said of itself.
RECORD = "var/lib/oslab-kernel/health.json"

DEVICE, MOUNT, DEFAULT_ROUTE, UNIT, SOCKET = "device", "mount", "default_route", "unit", "socket"
DKMS_MODULE = "dkms_module"
SYSTEM = "system"
_READERS: dict[str, Callable[[Path], Optional[Items]]] = {
    DEVICE: health_state.devices,
    MOUNT: health_state.mounts,
    DEFAULT_ROUTE: health_state.default_routes,
    SOCKET: health_state.sockets,
    DKMS_MODULE: health_state.dkms_modules,
    "swap": health_state.swap,
    "disk": health_state.disks,
    "link": health_state.links,
    "address": health_state.addresses,
    "route": health_state.routes,
    "name_server": health_state.name_servers,
    "module": health_state.modules,
    "dkms": health_state.dkms,
    SYSTEM: health_state.system,
}
KINDS = (UNIT, *_READERS)
#: What a host cannot do without.
REQUIRED = (DEVICE, MOUNT, DEFAULT_ROUTE, UNIT, SOCKET, DKMS_MODULE)

LOST, GONE, CHANGED, NEW = "lost", "gone", "changed", "new"
STATES = (LOST, GONE, CHANGED, NEW)
_ROUTES = (DEFAULT_ROUTE, "route")
_THROUGH = " through "
_MAC = re.compile(r" \([0-9A-Fa-f:]+\)")
_WORDS = {UNIT: "inactive"}

# Of what is kept and reported.
LENGTH = 160
MOST_ITEMS = 2000
MOST_CHANGES = 80
MOST_BYTES = 256 << 10
_PROGRAM_BYTES = 8 << 20
_MOST_SECONDS = 99_999_999_999
# Between two looks.
_PAUSES = (1.0, 2.0, 3.0, 5.0)
# How long a unit is watched that had to be started again, and never before the trial boot: it may
# seem to run between two crashes. The second is for one that has crashed as often as `_OFTEN`.
_WATCHED, _WATCHED_LONGER = 20.0, 40.0
_OFTEN = 3


class State(NamedTuple):
    """What a host is in one boot."""

    release: str
    boot_id: str
    #: By kind; one that could not be read is not there.
    kinds: Mapping[str, Items]
    #: Kinds of which there was too much for the record.
    left_out: Sequence[str] = ()
    #: When it said so, in seconds since 1970.
    time: int = 0


class Change(NamedTuple):
    kind: str
    name: str
    #: Empty if it was not there.
    before: str
    now: str
    state: str

    def label(self) -> str:
        """In this the patterns of a user are looked for."""
        return f"{self.kind.replace('_', ' ')} {self.name}"


class Wanted(NamedTuple):
    """For what it is worth to wait, and how long."""

    kinds: Collection[str]
    #: Patterns of what may be missing.
    allowed: Sequence[str]
    seconds: float


def _ask(argv: Sequence[str], seconds: float) -> str:
    # Of a list that is cut off, what is missing would be lost. `degraded` comes with an error.
    whole = argv != health_units.WAIT
    return limited_output(argv, _PROGRAM_BYTES, seconds, whole=whole).decode("utf-8", "replace")


def _read(kind: str, root: Path, ask: Ask, units: Optional[Items]) -> Optional[Items]:
    if kind == UNIT:
        return health_units.gather(root, ask)
    return health_state.sockets(root, units) if kind == SOCKET else _READERS[kind](root)


def gather(root: Path = Path("/"), ask: Ask = _ask, now: Callable[[], float] = time.time) -> State:
    """The host as it is now."""
    kinds: dict[str, Items] = {}
    for kind in KINDS:
        try:
            items = _read(kind, root, ask, kinds.get(UNIT))
        except (OSError, ValueError, RuntimeError):
            continue
        if items is not None:
            kinds[kind] = {
                name[:LENGTH]: item._replace(text=item.text[:LENGTH])
                for name, item in sorted(items.items())
            }
    release = read(root / "proc/sys/kernel/osrelease").strip()
    return State(release, read(root / boot_id.PATH).strip(), kinds, time=_seconds(now()))


def described(
    root: Path = Path("/"), ask: Ask = _ask, now: Callable[[], float] = time.time
) -> State:
    """The host as it is now, and which units have failed in this boot and are inactive now.

    For the record: where these fail again, the new kernel is not the reason.
    """
    state = gather(root, ask, now)
    units = state.kinds.get(UNIT)
    if units is None:
        return state
    inactive = [name for name in health_units.had_failed(root, ask) if name not in units]
    more = {
        name[:LENGTH]: Item(health_units.HAD_FAILED, works=False, needed=False) for name in inactive
    }
    return state._replace(kinds={**state.kinds, UNIT: {**units, **more}})


def _seconds(value: float) -> int:
    """Of a clock that may not be set."""
    return min(max(0, int(value)), _MOST_SECONDS)


# --- the record ---------------------------------------------------------------------------------


def encoded(state: State) -> str:
    """As text of one line, for the record, without the kinds for which it has no room."""
    kinds = {
        kind: {
            name: [item.text, int(item.works) + 2 * int(item.needed) + 4 * int(item.may_go)]
            for name, item in [*items.items()][:MOST_ITEMS]
            # What nothing drives now may be so in the other kernel, too.
            if item.works or (kind != DEVICE and item.text != health_units.NOT_TRIED)
        }
        for kind, items in state.kinds.items()
    }
    sizes = {kind: len(_line(items)) for kind, items in kinds.items()}
    # What a host needs goes last, of the others the largest first.
    order = sorted(sizes, key=lambda kind: (kind in REQUIRED, -sizes[kind]))
    left_out: list[str] = []
    while True:
        text = _line(
            {
                **{"release": state.release, "boot_id": state.boot_id, "time": state.time},
                **{"left_out": left_out, "kinds": kinds},
            }
        )
        # The file has a line end, too.
        if len(text) < MOST_BYTES or not order:
            return text
        left_out.append(order.pop(0))
        del kinds[left_out[-1]]


def _line(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))


_FIELDS = {"release", "boot_id", "time", "left_out", "kinds"}


def decoded(value: Any) -> Optional[State]:
    """None for anything that `encoded` does not write."""
    if not isinstance(value, dict) or set(value) != _FIELDS:
        return None
    release, boot, kinds = value["release"], value["boot_id"], value["kinds"]
    left_out, seconds = value["left_out"], value["time"]
    if not isinstance(release, str) or not RELEASE.fullmatch(release) or not _is_time(seconds):
        return None
    if not isinstance(left_out, list) or not all(one in KINDS for one in left_out):
        return None
    if not isinstance(boot, str) or not isinstance(kinds, dict) or not {*kinds} <= {*KINDS}:
        return None
    found: dict[str, Items] = {}
    for kind, items in kinds.items():
        if not isinstance(items, dict) or not all(map(_is_item, items.values())):
            return None
        found[kind] = {
            name: Item(text, bool(flags & 1), bool(flags & 2), bool(flags & 4))
            for name, (text, flags) in items.items()
        }
    # Each once, whoever wrote it.
    return State(release, boot, found, [kind for kind in KINDS if kind in left_out], seconds)


def _is_time(value: Any) -> bool:
    return type(value) is int and 0 <= value <= _MOST_SECONDS


def _is_item(value: Any) -> bool:
    return (
        isinstance(value, list)
        and len(value) == 2
        and isinstance(value[0], str)
        and type(value[1]) is int
        and 0 <= value[1] < 8
    )


def recorded(root: Path = Path("/")) -> Optional[State]:
    """What the host was before the trial boot that is going on; None in any other boot.

    Raises ValueError if there is a record that nobody can read.
    """
    path = root / RECORD
    if not is_there(path) or not is_unconfirmed(root):
        return None
    try:
        state = decoded(bounded_read.json_object(path, MOST_BYTES))
    except OSError as error:
        raise ValueError(f"/{RECORD} cannot be read: {error.strerror}") from error
    except ValueError as error:
        raise ValueError(f"/{RECORD} cannot be read: {error}") from error
    if state is None:
        raise ValueError(f"/{RECORD} holds nothing that a host has said of itself")
    return None if state.boot_id == read(root / boot_id.PATH).strip() else state


# --- the difference -----------------------------------------------------------------------------


def _new(kind: str, name: str, now: Item) -> Optional[Change]:
    """What a host did not say of itself before."""
    if kind == UNIT and not now.works:
        if now.text == health_units.NOT_TRIED:
            return None
        # It was not active: it had ended well, or waited for its socket or timer.
        lost = now.needed and not now.text.startswith("deactivating")
        return Change(kind, name, _WORDS[UNIT], now.text, LOST if lost else NEW)
    # A device that nothing drives is none, before and now.
    return Change(kind, name, "", now.text, NEW) if now.works or kind != DEVICE else None


def _works_worse(kind: str, name: str, before: Item, now: Item) -> bool:
    """Whether it works, and a part of it does not any more."""
    if (kind, name) == (SYSTEM, health_state.CLOCK_SOURCE):
        return health_state.is_slower_clock(now.text, before.text)
    return kind == MOUNT and health_state.is_read_only_now(now.text, before.text)


def _change(kind: str, name: str, before: Optional[Item], now: Optional[Item]) -> Optional[Change]:
    if before is None:
        return _new(kind, name, now) if now is not None else None
    text = now.text if now else _WORDS.get(kind, "")
    if before.works and (now is None or not now.works):
        lost = before.needed and not (now is None and before.may_go)
        return Change(kind, name, before.text, text, LOST if lost else GONE)
    if now is None:
        unusual = kind == UNIT and before.text == health_units.HAD_FAILED
        return None if unusual else Change(kind, name, before.text, text, GONE)
    if kind == UNIT and health_units.is_starting(now) and not health_units.is_starting(before):
        # It has had its time when nobody looks again.
        return Change(kind, name, before.text, text, LOST if before.needed else CHANGED)
    if _works_worse(kind, name, before, now):
        return Change(kind, name, before.text, text, LOST if before.needed else GONE)
    if kind == UNIT and health_units.restarts(before.text):
        same = health_units.without_restarts(text) == health_units.without_restarts(before.text)
    else:
        same = text == before.text
    return None if same else Change(kind, name, before.text, text, CHANGED)


def _with_old_names(old: Items, new: Items) -> Items:
    """Routes that are the same by the link's name: its MAC address may be that of two links now."""
    gone = {_route(name, item): name for name, item in old.items() if name not in new}
    found = {}
    for name, item in new.items():
        earlier = None if name in old else gone.get(_route(name, item))
        if earlier is None:
            found[name] = item
        else:
            found[earlier] = item._replace(text=old[earlier].text)
    return found


def _route(name: str, item: Item) -> tuple[str, str]:
    return name.partition(_THROUGH)[0], _MAC.sub("", item.text)


def difference(before: State, now: State) -> list[Change]:
    """What has changed in what both could read: the worst first."""
    found = []
    for kind in KINDS:
        old, new = before.kinds.get(kind), now.kinds.get(kind)
        if old is None or new is None:
            continue
        if kind in _ROUTES:
            new = _with_old_names(old, new)
        for name in sorted({*old, *new}):
            change = _change(kind, name, old.get(name), new.get(name))
            if change:
                found.append(change)
    return _sorted(found)


def _sorted(changes: Iterable[Change]) -> list[Change]:
    return sorted(changes, key=lambda one: (STATES.index(one.state), KINDS.index(one.kind)))


def _late_sockets(changes: Sequence[Change], wanted: Wanted, now: State) -> list[Change]:
    """Nothing is lost of sockets while a unit has yet to start and the user does not mind that."""
    units = now.kinds.get(UNIT, {})
    starting = [
        one
        for one in changes
        if one.kind == UNIT and one.before and one.name in units
        if health_units.is_starting(units[one.name])
    ]
    if all(one.state == LOST and _matters(one, wanted) for one in starting):
        return [*changes]
    return _sorted(
        one._replace(state=GONE) if (one.kind, one.state) == (SOCKET, LOST) else one
        for one in changes
    )


class _Crash(NamedTuple):
    """What was seen of a unit that systemd had to start again."""

    restarts: int
    #: When it had crashed so often.
    since: float
    #: Whether that was more often than when it was seen first.
    again: bool


def _crashed(before: str, now: str) -> int:
    """How often systemd has started a unit again, if it never had to before the trial boot."""
    return 0 if health_units.restarts(before) else health_units.restarts(now)


class _Crashes:
    """Units that each boot starts, and that systemd had to start again in this one alone."""

    def __init__(self, wanted: Wanted, units: Items) -> None:
        self._wanted = wanted
        self._units = units
        self._seen: dict[str, _Crash] = {}
        #: Those that may crash again at any moment.
        self._watched: set[str] = set()

    def look(self, changes: Sequence[Change], now: float) -> bool:
        """Whether it is worth to look again."""
        self._watched.clear()
        for one in changes:
            before = self._units.get(one.name) if one.kind == UNIT else None
            count = _crashed(one.before, one.now) if before and before.needed else 0
            if not count or one.state == LOST or not _matters(one, self._wanted):
                continue
            seen = self._seen.get(one.name)
            if seen is None or count != seen.restarts:
                seen = self._seen[one.name] = _Crash(count, now, seen is not None)
            if now - seen.since < (_WATCHED if count < _OFTEN else _WATCHED_LONGER):
                self._watched.add(one.name)
        return bool(self._watched)

    def judged(self, changes: Sequence[Change]) -> list[Change]:
        """Lost is what has crashed while it was watched, and did not stay up."""
        lost = {name for name in self._watched if self._seen[name].again}
        return _sorted(
            one._replace(state=LOST) if one.kind == UNIT and one.name in lost else one
            for one in changes
        )


def _matters(change: Change, wanted: Wanted) -> bool:
    return change.kind in wanted.kinds and not any(
        _matches(pattern, change) for pattern in wanted.allowed
    )


def _matches(pattern: str, change: Change) -> bool:
    try:
        return re.search(pattern, change.label()) is not None
    except (re.error, RecursionError, OverflowError):  # which the control node has refused
        return False


def wait_until_up(seconds: float, root: Path = Path("/"), ask: Ask = _ask) -> None:
    """Wait until the boot is done, in an unconfirmed trial boot."""
    if is_unconfirmed(root):
        health_units.wait_until_up(root, ask, seconds)


def compare(
    wanted: Wanted,
    root: Path = Path("/"),
    ask: Ask = _ask,
    clock: Callable[[], float] = time.monotonic,
    sleep: Callable[[float], None] = time.sleep,
) -> Optional[dict[str, Any]]:
    """What a host reports in its trial boot; None in any other boot."""
    answer: dict[str, Any] = {
        **{"problem": "", "release": "", "age": 0, "system": "", "seconds": 0},
        **{"changes": [], "dropped": 0, "unread": []},
    }
    try:
        before = recorded(root)
    except ValueError as error:
        return {**answer, "problem": str(error)[:LENGTH]}
    if before is None:
        return None
    start = clock()
    system = health_units.wait_until_up(root, ask, wanted.seconds)
    looks = 0
    crashes = _Crashes(wanted, before.kinds.get(UNIT, {}))
    while True:
        now = gather(root, ask)
        changes = difference(before, now)
        left = start + wanted.seconds - clock()
        unread = [kind for kind in KINDS if kind in before.kinds and kind not in now.kinds]
        awaited = any(one.state == LOST and _matters(one, wanted) for one in changes)
        awaited = crashes.look(changes, clock()) or awaited
        if left <= 0 or not (awaited or {*unread} & {*wanted.kinds}):
            break
        sleep(min(_PAUSES[min(looks, len(_PAUSES) - 1)], left))
        looks += 1
    changes = _late_sockets(crashes.judged(changes), wanted, now)
    return {
        **answer,
        "release": before.release,
        "age": max(0, now.time - before.time),
        "system": system,
        "seconds": int(clock() - start),
        "changes": [one._asdict() for one in changes[:MOST_CHANGES]],
        "dropped": max(0, len(changes) - MOST_CHANGES),
        "unread": [kind for kind in KINDS if kind in unread or kind in before.left_out],
    }
