# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which units of systemd a host needs, and how long it is waited for."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._verify import health_units
from ansible_collections.oslab.kernel.plugins.module_utils._verify.health_state import Item


def unit(name: str, state: str = "active", detail: str = "running", **more: str) -> str:
    given = {
        "Type": "simple",
        "Transient": "no",
        "WantedBy": "multi-user.target",
        "RequiredBy": "",
        "TriggeredBy": "",
        **more,
    }
    lines = [f"Id={name}", f"ActiveState={state}", f"SubState={detail}"]
    return "\n".join([*lines, *(f"{key}={value}" for key, value in given.items())]) + "\n\n"


REACHED = unit("multi-user.target", detail="active", WantedBy="") + unit(
    "graphical.target", "inactive", "dead", WantedBy=""
)


def parse(*units: str) -> health_units.Items:
    return health_units.parse("".join([*units, REACHED]))


def states(*units: str) -> dict[str, tuple[str, bool]]:
    return {name: (item.text, item.works) for name, item in parse(*units).items()}


def test_states() -> None:
    assert states(
        unit("ssh.service"),
        unit("a.service", "failed", "failed"),
        unit("b.service", "inactive", "dead"),
        unit("c.service", "activating", "start"),
        unit("d.service", "activating", "auto-restart"),
        unit("e.service", "deactivating", "stop-sigterm"),
        unit("f.service", "", ""),
        unit("g.service", "a\x1bb", ""),
        unit("h.timer", "active", "waiting"),
        unit("getty@tty1.service"),
        unit("i.service", NRestarts="0"),
        unit("j.service", NRestarts="4"),
        unit("k.service", "activating", "auto-restart", NRestarts="7"),
    ) == {
        "ssh.service": ("active (running)", True),
        "h.timer": ("active", True),
        "getty@tty1.service": ("active (running)", True),
        "i.service": ("active (running)", True),
        "j.service": ("active (running), restarts: 4", True),
        "k.service": ("activating (auto-restart), restarts: 7", False),
        "a.service": ("failed", False),
        "c.service": ("activating (start)", True),
        "d.service": ("activating (auto-restart)", False),
        "e.service": ("deactivating (stop-sigterm)", False),
    }


@pytest.mark.parametrize(
    "name",
    [
        "user@1000.service",
        "user-runtime-dir@0.service",
        "run-rf00.service",
        "sshd@3-192.0.2.1:22-192.0.2.2:50124.service",
        "ssh@3-192.0.2.1:22-192.0.2.2:50124.service",
        "session-3.service",
        "systemd-coredump@1.service",
        "systemd-fsck@dev-sda1.service",
        "dbus-:1.2-org.freedesktop.problems@0.service",
        "oslab-trial.timer",
        "getty@tty3.service",
        "oslab-trial-finish.service",
    ],
)
def test_what_no_boot_starts_again(name: str) -> None:
    assert states(unit(name)) == {}


def test_transient_units() -> None:
    assert states(unit("backup.service", Transient="yes")) == {}


@pytest.mark.parametrize(
    ("changes", "needed", "may_go"),
    [
        ({}, True, False),
        # By D-Bus, or by hand.
        ({"WantedBy": ""}, False, False),
        ({"WantedBy": "", "RequiredBy": "multi-user.target"}, True, False),
        # Of a desktop that the host does not have.
        ({"WantedBy": "graphical.target"}, False, False),
        ({"WantedBy": "graphical.target multi-user.target"}, True, False),
        # It ends when it is done, and waits for somebody.
        ({"Type": "oneshot"}, True, True),
        ({"TriggeredBy": "cups.socket"}, True, True),
    ],
)
def test_what_each_boot_starts(changes: dict[str, str], needed: bool, may_go: bool) -> None:
    item = parse(unit("x.service", **changes))["x.service"]
    assert (item.needed, item.may_go) == (needed, may_go)


def test_what_is_queued_behind_another_unit() -> None:
    """It has yet to start, and says nothing of the boot before if it was so there."""
    found = parse(
        unit("nginx.service", "inactive", "dead", Job="312"),
        unit("a.service", "inactive", "dead", Job=""),
        unit("b.service", "inactive", "dead", Job="0"),
        unit("c.service", "failed", "failed", Job="313"),
    )
    assert {name: (item.works, item.needed) for name, item in found.items()} == {
        "nginx.service": (True, False),
        "c.service": (False, True),
    }
    assert found["nginx.service"].text == "inactive (queued)"


@pytest.mark.parametrize(
    ("changes", "found"),
    [
        ({"Type": "oneshot"}, True),
        ({"TriggeredBy": "docker.socket"}, True),
        # Its absence says it.
        ({}, False),
        ({"Type": "oneshot", "WantedBy": "graphical.target"}, False),
        # Its conditions did not hold, or it has run.
        ({"Type": "oneshot", "ConditionTimestampMonotonic": "5"}, False),
        ({"Type": "oneshot", "InactiveExitTimestampMonotonic": "5"}, False),
        ({"Type": "oneshot", "ConditionTimestampMonotonic": ""}, False),
    ],
)
def test_what_a_boot_was_to_start_and_did_not_try(changes: dict[str, str], found: bool) -> None:
    """What it depends on has failed. Without this it would look like one that has ended."""
    times = {"InactiveExitTimestampMonotonic": "0", "ConditionTimestampMonotonic": "0"}
    items = parse(unit("x.service", "inactive", "dead", **{**times, **changes}))
    assert items == ({"x.service": Item(health_units.NOT_TRIED, works=False)} if found else {})


def test_a_module_that_another_kernel_lacks() -> None:
    """It is shown as a module; that the unit fails by it is no other loss."""
    (item,) = parse(unit("systemd-modules-load.service", Type="oneshot")).values()
    assert not item.needed


def test_without_systemd(tmp_path: Path) -> None:
    def never(_argv: Sequence[str], _seconds: float) -> str:
        raise AssertionError("there is no systemd to ask")

    assert health_units.gather(tmp_path, never) is None
    assert health_units.wait_until_up(tmp_path, never, 9) == ""


def test_with_systemd(tmp_path: Path) -> None:
    (tmp_path / "run/systemd/system").mkdir(parents=True)
    asked: list[tuple[str, float]] = []

    def ask(argv: Sequence[str], seconds: float) -> str:
        asked.append((argv[1], seconds))
        return unit("ssh.service") if argv[1] == "show" else "degraded\n"

    assert [*(health_units.gather(tmp_path, ask) or {})] == ["ssh.service"]
    assert health_units.wait_until_up(tmp_path, ask, 9) == "degraded"
    assert asked == [("show", health_units.SECONDS), ("is-system-running", 6.75)]
    # It does not answer, or not in time.
    assert health_units.gather(tmp_path, lambda _argv, _seconds: "") is None
    assert health_units.wait_until_up(tmp_path, lambda _argv, _seconds: "", 9) == "starting"
