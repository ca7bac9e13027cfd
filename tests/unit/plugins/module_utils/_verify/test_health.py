# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a trial boot changes on a host, and how long the host waits for what comes up late."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Callable, Optional

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._verify import health, health_units
from ansible_collections.oslab.kernel.plugins.module_utils._verify.health_state import Item

FALLBACK, TRIAL = "6.1.0-44-amd64", "6.12.1-x"
RUNS = Item("active (running)")
STARTS = Item("activating (start)")
UNTRIED = Item(health_units.NOT_TRIED, works=False)
CRASHED = "active (running), restarts: 12"


def state(**kinds: dict[str, Item]) -> health.State:
    return health.State(FALLBACK, "before", kinds)


def changed(
    kind: str, before: Optional[Item], now: Optional[Item], name: str = "x"
) -> list[tuple[str, str, str]]:
    """State, before, now of each change."""
    old = state(**{kind: {name: before} if before else {}})
    new = state(**{kind: {name: now} if now else {}})
    return [(one.state, one.before, one.now) for one in health.difference(old, new)]


@pytest.mark.parametrize(
    ("kind", "before", "now", "expected"),
    [
        ("unit", RUNS, RUNS, None),
        ("unit", RUNS, None, ("lost", "active (running)", "inactive")),
        ("unit", RUNS, Item("failed", works=False), ("lost", "active (running)", "failed")),
        # Nobody looks again: it has had its time.
        ("unit", RUNS, STARTS, ("lost", RUNS.text, STARTS.text)),
        ("unit", RUNS._replace(needed=False), STARTS, ("changed", RUNS.text, STARTS.text)),
        ("unit", STARTS, STARTS, None),
        ("unit", RUNS, Item("reloading (reload)"), ("changed", RUNS.text, "reloading (reload)")),
        ("unit", RUNS._replace(may_go=True), None, ("gone", RUNS.text, "inactive")),
        ("unit", RUNS._replace(needed=False), Item("failed", False), ("gone", RUNS.text, "failed")),
        ("unit", RUNS._replace(may_go=True), Item("failed", False), ("lost", RUNS.text, "failed")),
        ("unit", Item("failed", False), Item("failed", False), None),
        ("unit", RUNS, Item(CRASHED), ("changed", RUNS.text, CRASHED)),
        ("unit", Item("active (running), restarts: 1"), Item(CRASHED), None),
        ("unit", Item(CRASHED), RUNS, None),
        ("unit", Item("failed", False), None, ("gone", "failed", "inactive")),
        # It had ended well before, or had waited for its socket.
        ("unit", None, Item("failed", False), ("lost", "inactive", "failed")),
        ("unit", None, Item("failed", False, needed=False), ("new", "inactive", "failed")),
        (
            "unit",
            None,
            Item("deactivating (stop)", False),
            ("new", "inactive", "deactivating (stop)"),
        ),
        ("unit", None, UNTRIED, None),
        ("unit", UNTRIED, UNTRIED, None),
        ("unit", RUNS._replace(may_go=True), UNTRIED, ("lost", RUNS.text, UNTRIED.text)),
        ("device", Item("ahci"), Item("no driver", False), ("lost", "ahci", "no driver")),
        ("device", Item("ahci"), None, ("lost", "ahci", "")),
        # Another name of the same driver, or another driver.
        ("device", Item("e1000"), Item("e1000e"), ("changed", "e1000", "e1000e")),
        ("device", None, Item("no driver", False), None),
        ("device", None, Item("nvme"), ("new", "", "nvme")),
        # Pulled out, or without its driver.
        ("device", Item("usbhid", may_go=True), None, ("gone", "usbhid", "")),
        (
            "device",
            Item("usbhid", may_go=True),
            Item("no driver", False, may_go=True),
            ("lost", "usbhid", "no driver"),
        ),
        (
            "mount",
            Item("ext4"),
            Item("ext4, read-only"),
            ("lost", "ext4", "ext4, read-only"),
        ),
        (
            "mount",
            Item("ext4", needed=False),
            Item("ext4, read-only"),
            ("gone", "ext4", "ext4, read-only"),
        ),
        # It is meant to be so.
        ("mount", Item("squashfs, read-only"), None, ("lost", "squashfs, read-only", "")),
        ("mount", Item("nfs, read-only"), Item("nfs"), ("changed", "nfs, read-only", "nfs")),
        ("dkms_module", Item("loaded", may_go=True), None, ("gone", "loaded", "")),
        (
            "dkms_module",
            Item("loaded", may_go=True),
            Item("not loaded", False),
            ("lost", "loaded", "not loaded"),
        ),
        ("default_route", Item("by a"), Item("by b"), ("changed", "by a", "by b")),
        ("socket", Item("::"), None, ("lost", "::", "")),
        ("socket", Item("::", needed=False), None, ("gone", "::", "")),
    ],
)
def test_what_a_change_is(
    kind: str, before: Optional[Item], now: Optional[Item], expected: Optional[tuple[str, ...]]
) -> None:
    assert changed(kind, before, now) == ([expected] if expected else [])


@pytest.mark.parametrize(
    ("before", "now", "what"),
    [
        *(("tsc", "hpet", "lost"), ("hpet", "acpi_pm", "lost"), ("kvm-clock", "jiffies", "lost")),
        *(
            ("hpet", "tsc", "changed"),
            ("tsc", "kvm-clock", "changed"),
            ("jiffies", "acpi_pm", "changed"),
        ),
    ],
)
def test_a_kernel_that_fell_back_to_a_slower_clock(before: str, now: str, what: str) -> None:
    old, new = (state(system={"clock source": Item(text)}) for text in (before, now))
    assert [one.state for one in health.difference(old, new)] == [what]
    other = [state(module={"clock source": Item(text)}) for text in (before, now)]
    assert [one.state for one in health.difference(*other)] == ["changed"]


MAC = "00:0d:3a:12:34:56"
BY_MAC = (f"IPv4 through {MAC}", f"by 192.0.2.1 on eth0 ({MAC})")
BY_NAME = ("IPv4 through eth0", "by 192.0.2.1 on eth0")


@pytest.mark.parametrize("kind", ["default_route", "route"])
@pytest.mark.parametrize(
    ("before", "now", "same"),
    [
        # A virtual function of the same MAC address has come, or has not come yet.
        (BY_MAC, BY_NAME, True),
        (BY_NAME, BY_MAC, True),
        (BY_NAME, (BY_MAC[0], f"by 192.0.2.2 on eth0 ({MAC})"), False),
        (BY_NAME, (BY_MAC[0], f"by 192.0.2.1 on eth1 ({MAC})"), False),
        (BY_NAME, (f"IPv6 through {MAC}", BY_MAC[1]), False),
    ],
)
def test_a_route_of_a_link_with_another_name(
    kind: str, before: tuple[str, str], now: tuple[str, str], same: bool
) -> None:
    old, new = (state(**{kind: {name: Item(text)}}) for name, text in (before, now))
    assert [one.state for one in health.difference(old, new)] == ([] if same else ["lost", "new"])


def test_what_was_not_read_is_not_compared() -> None:
    """As the units of a host without systemd."""
    full = state(unit={"ssh.service": RUNS}, mount={"/": Item("ext4")})
    assert health.difference(full, state(mount={"/": Item("ext4")})) == []
    assert health.difference(state(mount={"/": Item("ext4")}), full) == []


def test_the_worst_comes_first() -> None:
    before = state(swap={"a": Item("x")}, unit={"z": RUNS}, mount={"/b": Item("x")})
    now = state(swap={"c": Item("x")}, unit={"z": Item("failed", False)}, mount={})
    assert [(one.kind, one.state) for one in health.difference(before, now)] == [
        ("unit", "lost"),
        ("mount", "lost"),
        ("swap", "lost"),
        ("swap", "new"),
    ]


# --- the record ---------------------------------------------------------------------------------


def test_the_record_holds_the_same() -> None:
    whole = state(
        unit={"a": RUNS, "b": Item("failed", works=False, may_go=True)},
        device={"pci é": Item("x", needed=False), "driverless": Item("no driver", works=False)},
    )
    text = health.encoded(whole)
    assert text.isascii()
    assert text.isprintable()
    found = health.decoded(json.loads(text))
    del whole.kinds["device"]["driverless"]
    assert found == whole._replace(left_out=[])


def large(part: float) -> dict[str, Item]:
    return {"x" * int(part * health.MOST_BYTES): RUNS}


@pytest.mark.parametrize(
    ("kinds", "left_out"),
    [
        ({"unit": 0.5, "link": 0.3}, []),
        # What a host needs stays, and of the others as much as there is room for.
        ({"unit": 0.6, "link": 0.2, "disk": 0.3}, ["disk"]),
        ({"unit": 0.8, "link": 0.3, "disk": 0.4}, ["disk", "link"]),
        ({"unit": 0.7, "mount": 0.6, "link": 0.1}, ["unit", "link"]),
        ({"unit": 1.1, "mount": 0.1}, ["unit"]),
    ],
)
def test_a_record_that_is_too_large(kinds: dict[str, float], left_out: list[str]) -> None:
    whole = state(**{kind: large(part) for kind, part in kinds.items()})
    text = health.encoded(whole)
    assert len(text) < health.MOST_BYTES
    found = health.decoded(json.loads(text))
    assert found is not None
    assert found.left_out == left_out
    assert {*found.kinds} == {*kinds} - {*left_out}


def test_how_old_the_record_is(host: Host) -> None:
    assert host.compare()
    assert 0 <= host.age < 60
    for ago in (30 * 86_400, time.time(), -1000, 2 * time.time()):
        # A clock may be wrong in either boot.
        host.recorded_at = time.time() - ago
        host.record()
        assert host.compare()
        assert abs(host.age - min(max(0, ago), time.time())) < 60


def test_what_the_record_has_no_room_for_is_unknown(host: Host) -> None:
    host.write(health.RECORD, health.encoded(state(unit=large(2), mount={"/": Item("x")})))
    found = host.compare()
    assert found is not None
    assert (found["unread"], host.slept) == (["unit"], [])


@pytest.mark.parametrize(
    "change",
    [
        {"release": 5},
        {"release": "../x"},
        {"boot_id": None},
        {"kinds": []},
        {"kinds": {"magic": {}}},
        {"kinds": {"unit": []}},
        {"kinds": {"unit": {"x": "active"}}},
        {"kinds": {"unit": {"x": ["active"]}}},
        {"kinds": {"unit": {"x": [1, 1]}}},
        {"kinds": {"unit": {"x": ["active", True]}}},
        {"kinds": {"unit": {"x": ["active", 8]}}},
        {"time": -1},
        {"time": True},
        {"time": 1.5},
        {"time": 10**15},
        {"left_out": None},
        {"left_out": ["magic"]},
        {"left_out": [{}]},
        {"more": 1},
    ],
)
def test_a_record_of_another_form(change: dict[str, Any]) -> None:
    good = json.loads(health.encoded(state(unit={"x": RUNS})))
    assert health.decoded(good) is not None
    assert health.decoded({**good, **change}) is None
    assert health.decoded([good]) is None


# --- in the trial boot --------------------------------------------------------------------------


class Host:
    """A host in its trial boot, made of files, with a clock of its own."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.now = 100.0
        self.slept: list[float] = []
        self.recorded_at = time.time()
        #: What happens while the host is waited for.
        self.later: Callable[[], None] = lambda: None
        self.units = "Id=x.target\nActiveState=active\n\nId=ssh.service\nActiveState=active\n"
        self.units += "SubState=running\nWantedBy=x.target\n"
        self.boot_seconds = 0.0
        #: Units of which the journal of the boot says that they have failed.
        self.failures: list[str] = []
        self.age = -1
        self.write("run/systemd/system/x", "")
        self.write("proc/1/mountinfo", "30 1 254:1 / / rw - ext4 /dev/vda1 rw\n")
        self.record()
        self.write("proc/cmdline", f"root=/dev/vda1 ro oslab.trial={TRIAL}\n")

    def record(self) -> None:
        """As before the trial boot."""
        self.write("proc/sys/kernel/osrelease", f"{FALLBACK}\n")
        self.write("proc/sys/kernel/random/boot_id", "before\n")
        self.write(
            health.RECORD,
            health.encoded(health.described(self.root, self.ask, lambda: self.recorded_at)),
        )
        self.write("proc/sys/kernel/osrelease", f"{TRIAL}\n")
        self.write("proc/sys/kernel/random/boot_id", "trial\n")

    def write(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def ask(self, argv: Sequence[str], seconds: float) -> str:
        if argv[1] == "show":
            return self.units
        if argv[0] == "journalctl":
            return "".join(json.dumps({"UNIT": one}) + "\n" for one in self.failures)
        self.now += min(self.boot_seconds, seconds)
        return "running\n" if self.boot_seconds <= seconds else ""

    def sleep(self, seconds: float) -> None:
        assert seconds > 0
        self.slept.append(seconds)
        self.now += seconds
        self.later()

    def compare(
        self, seconds: float = 60, kinds: Sequence[str] = health.REQUIRED, allowed: str = ""
    ) -> Optional[dict[str, Any]]:
        wanted = health.Wanted(kinds, [allowed] if allowed else [], seconds)
        found = health.compare(wanted, self.root, self.ask, lambda: self.now, self.sleep)
        if found is not None:
            self.age = found.pop("age")
            found["changes"] = [
                (one["kind"], one["name"], one["now"], one["state"]) for one in found["changes"]
            ]
        return found


LOST = [("unit", "ssh.service", "inactive", "lost")]


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_the_log_alone_waits_for_the_boot_too(host: Host) -> None:
    start, host.boot_seconds = host.now, 9
    health.wait_until_up(60, host.root, host.ask)
    assert host.now - start == 9
    host.write("proc/cmdline", "root=LABEL=x\n")
    health.wait_until_up(60, host.root, host.ask)
    assert host.now - start == 9


def test_a_healthy_host(host: Host) -> None:
    assert host.compare() == {
        **{"problem": "", "release": FALLBACK, "system": "running", "seconds": 0},
        **{"changes": [], "dropped": 0, "unread": []},
    }
    assert host.slept == []


def test_a_unit_that_stays_lost(host: Host) -> None:
    host.units = "Id=ssh.service\nActiveState=inactive\n\nId=x.service\nActiveState=active\n"
    found = host.compare(seconds=20)
    assert found is not None
    assert found["changes"][0] == LOST[0]
    assert found["seconds"] == sum(host.slept) == 20


def test_a_unit_that_comes_up_late(host: Host) -> None:
    usual, host.units = host.units, "Id=ssh.service\nActiveState=failed\nSubState=failed\n"

    def later() -> None:
        host.units = usual if len(host.slept) == 3 else host.units

    host.later = later
    found = host.compare()
    assert found is not None
    assert (found["changes"], len(host.slept)) == ([], 3)


@pytest.mark.parametrize(
    ("every", "most", "state", "watched"),
    [
        # It seems to run whenever it is looked at.
        *((2.2, 99, "lost", 90), (8.0, 99, "lost", 90), (20.0, 99, "lost", 90)),
        # Until its network was there.
        *((2.2, 11, "changed", 45), (1.0, 1, "changed", 25), (9.0, 3, "changed", 60)),
    ],
)
def test_a_unit_that_crashes_again_and_again(
    host: Host, every: float, most: int, state: str, watched: int
) -> None:
    usual = host.units

    def crash() -> None:
        count = min(int((25 + sum(host.slept)) / every), most)
        host.units = f"{usual}NRestarts={count}\n"

    host.later = crash
    crash()
    found = host.compare(seconds=90)
    assert found is not None
    assert [one[3] for one in found["changes"]] == [state]
    assert sum(host.slept) <= watched
    assert (sum(host.slept) >= 85) is (state == "lost")
    # What may be lost is not watched.
    host.slept.clear()
    found = host.compare(seconds=90, allowed="^unit ssh")
    assert found is not None
    assert ([one[3] for one in found["changes"]], host.slept) == (["changed"], [])


WAITS = "Id=wait.service\nActiveState={}\nSubState=dead\nType=oneshot\nWantedBy=x.target\n"
WAITS += "InactiveExitTimestampMonotonic=7\nConditionTimestampMonotonic=7\n"


@pytest.mark.parametrize(
    ("failures", "now", "expected"),
    [
        ([], "failed", [("unit", "wait.service", "failed (dead)", "lost")]),
        (["wait.service"], "failed", [("unit", "wait.service", "failed (dead)", "changed")]),
        (["other.service"], "failed", [("unit", "wait.service", "failed (dead)", "lost")]),
        # It is not started any more, or ended well.
        (["wait.service"], "inactive", []),
        # A session's, and one that was started again.
        (["run-7.service", "ssh.service", ""], "inactive", []),
    ],
)
def test_a_unit_that_had_failed_before_the_trial_boot(
    host: Host, failures: list[str], now: str, expected: list[Any]
) -> None:
    """Somebody has said `systemctl reset-failed` since."""
    usual = host.units
    host.failures = failures
    host.units = f"{usual}\n{WAITS.format('inactive')}"
    host.record()
    host.failures = []
    host.units = f"{usual}\n{WAITS.format(now)}"
    found = host.compare(seconds=5)
    assert found is not None
    assert found["changes"] == expected


def test_a_unit_that_no_boot_starts_may_crash(host: Host) -> None:
    usual = host.units
    host.units = usual.replace("WantedBy=x.target", "WantedBy=")
    host.record()
    host.later = lambda: setattr(host, "units", f"{usual}NRestarts={len(host.slept) + 1}\n")
    host.later()
    found = host.compare(seconds=90)
    assert found is not None
    assert ([one[3] for one in found["changes"]], host.slept) == (["changed"], [])


def test_a_unit_that_is_started_again_at_the_moment(host: Host) -> None:
    usual = host.units
    host.units = usual.replace("active\nSubState=running", "activating\nSubState=auto-restart")
    found = host.compare(seconds=20)
    assert found is not None
    assert [one[3] for one in found["changes"]] == ["lost"]


def test_a_boot_that_does_not_end(host: Host) -> None:
    host.boot_seconds = 1000
    found = host.compare(seconds=30)
    assert found is not None
    # Some time is left for another look.
    assert (found["system"], found["seconds"], found["changes"]) == ("starting", 22, [])


def test_a_unit_behind_one_that_hangs(host: Host) -> None:
    """It is lost with its ports when the time is over, but for what the user allows."""
    host.write("proc/net/tcp", "x\n   0: 00000000:0016 00000000:0000 0A 0:0 0 0 0 0 7\n")
    host.write("proc/7/cgroup", "0::/system.slice/ssh.service\n")
    (host.root / "proc/7/fd").mkdir()
    (host.root / "proc/7/fd/3").symlink_to("socket:[7]")
    host.record()
    host.write("proc/net/tcp", "x\n")
    host.boot_seconds = 1000
    host.units = "Id=ssh.service\nActiveState=inactive\nSubState=dead\nJob=31\n"
    found = host.compare(seconds=40)
    assert found is not None
    queued = ("unit", "ssh.service", "inactive (queued)", "lost")
    assert found["changes"] == [queued, ("socket", "tcp port 22", "", "lost")]
    assert (found["system"], found["seconds"]) == ("starting", 40)
    for choice in ({"allowed": r"^unit ssh\."}, {"kinds": ["socket"]}):
        found = host.compare(seconds=40, **choice)
        assert found is not None
        assert found["changes"] == [queued, ("socket", "tcp port 22", "", "gone")]
    host.units = "Id=x.service\nActiveState=active\n"
    found = host.compare(seconds=40)
    assert found is not None
    assert [one[3] for one in found["changes"]] == ["lost", "lost", "new"]


def test_systemd_that_does_not_answer(host: Host) -> None:
    host.units = ""
    found = host.compare(seconds=5)
    assert found is not None
    assert (found["unread"], found["changes"], sum(host.slept)) == (["unit"], [], 5)


@pytest.mark.parametrize(
    ("kinds", "allowed"),
    [(("mount",), ""), (health.REQUIRED, r"^unit ssh\."), (health.REQUIRED, "ssh")],
)
def test_nothing_waits_for_what_may_be_lost(host: Host, kinds: Sequence[str], allowed: str) -> None:
    host.units = "Id=x.service\nActiveState=active\n"
    found = host.compare(kinds=kinds, allowed=allowed)
    assert found is not None
    assert LOST[0] in found["changes"]
    assert host.slept == []


def test_a_pattern_that_is_none(host: Host) -> None:
    host.units = "Id=x.service\nActiveState=active\n"
    host.compare(seconds=1, allowed="(")
    assert host.slept


def test_many_changes(host: Host) -> None:
    host.units += "".join(f"\nId=n{number}.service\nActiveState=active\n" for number in range(100))
    found = host.compare()
    assert found is not None
    assert (len(found["changes"]), found["dropped"]) == (health.MOST_CHANGES, 20)


def test_in_which_boots_nothing_is_compared(host: Host) -> None:
    host.write("proc/sys/kernel/random/boot_id", "before\n")
    assert host.compare() is None
    host.write("proc/sys/kernel/random/boot_id", "trial\n")
    host.write("proc/cmdline", "root=/dev/vda1 ro\n")
    assert host.compare() is None
    # A person has rebooted the host.
    host.write("proc/cmdline", f"oslab.pending={TRIAL}\n")
    assert host.compare() is not None
    host.write("run/oslab-trial.confirmed", "")
    assert host.compare() is None
    (host.root / "run/oslab-trial.confirmed").unlink()
    (host.root / health.RECORD).unlink()
    assert host.compare() is None


@pytest.mark.parametrize("text", ["", "x", "{}", "[1]", '{"release": "6.1"}'])
def test_a_record_that_nobody_can_read(host: Host, text: str) -> None:
    host.write(health.RECORD, text)
    found = host.compare()
    assert found is not None
    assert found["problem"].startswith("/var/lib/oslab-kernel/health.json ")
    assert found["changes"] == []


def test_a_host_without_systemd(tmp_path: Path) -> None:
    host = Host(tmp_path)
    (tmp_path / "run/systemd/system/x").unlink()
    (tmp_path / "run/systemd/system").rmdir()
    host.write(health.RECORD, health.encoded(state(mount={"/": Item("ext4 of /dev/vda1")})))
    found = host.compare()
    assert found is not None
    assert (found["system"], found["changes"], found["unread"]) == ("", [], [])


def test_what_cannot_be_read_is_left_out(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_root: Path) -> None:
        raise PermissionError

    monkeypatch.setitem(health._READERS, "mount", broken)
    assert "mount" not in health.gather(host.root, host.ask).kinds


def test_a_list_that_is_cut_off_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(health_units, "SHOW", ("sh", "-c", "echo Id=a; sleep 9"))
    assert health._ask(health_units.SHOW, 0.5) == ""
    assert health._ask(("sh", "-c", "echo Id=a"), 9) == "Id=a\n"
    monkeypatch.setattr(health_units, "WAIT", ("sh", "-c", "echo degraded; exit 1"))
    assert health._ask(health_units.WAIT, 9) == "degraded\n"


def test_this_machine() -> None:
    """Whatever it has: the text is what the control node takes, and the difference is nothing."""
    found = health.gather(ask=lambda _argv, _seconds: "")
    assert health.decoded(json.loads(health.encoded(found))) is not None
    assert all(one.kind in health.KINDS for one in health.difference(found, found))
    assert health.difference(found, found) == []
