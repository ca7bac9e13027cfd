# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A rollout to two machines that pull: nobody deploys to them, and nobody confirms their kernel."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
import uuid
from pathlib import Path
from typing import Any, Callable

import pytest
import testinfra

ROOT = Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "collections"))

from ansible_collections.oslab.kernel.plugins.module_utils._repository import rollout  # noqa: E402

SERVICE = "oslab-kernel-pull.service"
SECONDS = 2400
STEPS = [{"percent": 50, "after_hours": 0}, {"percent": 100, "after_hours": 900}]
ALL = [{"percent": 100, "after_hours": 0}]
Change = Callable[..., None]


@pytest.fixture(scope="module")
def inventory(request: pytest.FixtureRequest) -> str:
    return str(request.config.getoption("--ansible-inventory"))


@pytest.fixture(scope="module")
def first(inventory: str) -> Any:
    """The machine whose turn comes with the first step."""
    return testinfra.get_host("ansible://pull-1", ansible_inventory=inventory)


@pytest.fixture(scope="module")
def other(inventory: str) -> Any:
    return testinfra.get_host("ansible://pull-2", ansible_inventory=inventory)


@pytest.fixture(scope="module")
def published() -> dict[str, Any]:
    root = Path("/var/lib/oslab-kernel/lab/repository-molecule-pull/public")
    found: dict[str, Any] = json.loads((root / "oslab-kernel.json").read_text())
    return found


@pytest.fixture(scope="module")
def change(inventory: str) -> Change:
    """Change the rollout, as docs/how-to/pull.md has it."""

    def run(steps: list[dict[str, int]], stopped: bool) -> None:
        variables = {"publish_rollout": steps, "publish_rollout_stopped": stopped}
        done = subprocess.run(
            ["ansible-playbook", "-i", inventory, str(ROOT / "playbooks/rollout.yml"),
             "-e", json.dumps(variables)],
            env={**os.environ, "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
                 "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections")},
            capture_output=True, text=True, check=False, timeout=600, stdin=subprocess.DEVNULL,
        )  # fmt: skip
        assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]

    return run


def boot_id(host: Any) -> str:
    return str(host.check_output("cat /proc/sys/kernel/random/boot_id"))


def release(host: Any) -> str:
    return str(host.check_output("uname -r"))


def status(host: Any) -> str:
    """What the host says of its last deployment."""
    done = host.run("LC_ALL=C.UTF-8 /etc/oslab-kernel/trial-on-host status")
    return " ".join(str(done.stdout).split())


def pull(host: Any) -> str:
    """Let the service run to its end; what it has written to the journal."""
    began = host.check_output("date +%s")
    host.check_output("systemctl start %s", SERVICE)
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        state = host.run("systemctl is-active %s", SERVICE).stdout.strip()
        if state in ("inactive", "failed"):
            break
        time.sleep(3)
    host.run("systemctl reset-failed %s", SERVICE)
    # Of the machine-id of before, too.
    log = host.check_output(
        "journalctl --merge --no-pager -o cat -u %s --since=@%s", SERVICE, began
    )
    return " ".join(str(log).split())


def pull_and_reboot(host: Any, words: str) -> None:
    """Start the service, which ends in a reboot, and wait until the host says this of it."""
    before = boot_id(host)
    host.check_output("systemctl start %s", SERVICE)
    deadline = time.monotonic() + SECONDS
    seen = ""
    while time.monotonic() < deadline:
        time.sleep(10)
        try:
            seen = status(host)
            if boot_id(host) != before and words in seen:
                return
        except (AssertionError, RuntimeError) as error:
            seen = str(error)
    log = host.run("journalctl --merge --no-pager -o cat -n 60 -u %s", SERVICE).stdout
    raise AssertionError(f"{seen[-1500:]}\n{log[-3000:]}")


def test_each_has_its_place(first: Any, other: Any, published: dict[str, Any]) -> None:
    half = rollout.PLACES // 2
    for host, wanted in ((first, True), (other, False)):
        machine = uuid.uuid4().hex
        while (rollout.place(machine, published["build_id"]) < half) != wanted:
            machine = uuid.uuid4().hex
        host.check_output("echo %s > /etc/machine-id", machine)


def test_a_stopped_rollout_begins_nowhere(first: Any, other: Any) -> None:
    for host in (first, other):
        text = pull(host)
        assert "stopped" in text and "changed=0" in text, text[-1500:]
        assert "oslab" not in host.check_output("ls /boot")


def test_the_first_step_is_the_turn_of_one(
    first: Any, other: Any, published: dict[str, Any], change: Change
) -> None:
    change(STEPS, stopped=False)
    before = release(other)
    text = pull(other)
    assert "changed=0" in text and "turn" in text, text[-1500:]
    pull_and_reboot(first, "was verified and confirmed")
    assert release(first) == published["release"]
    assert release(other) == before


def test_another_run_changes_nothing(first: Any) -> None:
    before = boot_id(first)
    text = pull(first)
    assert "changed=0" in text and "failed=0" in text, text[-1500:]
    assert boot_id(first) == before


def test_a_stop_comes_before_the_turn(other: Any, change: Change) -> None:
    change(ALL, stopped=True)
    before = boot_id(other)
    text = pull(other)
    assert "stopped" in text and "changed=0" in text, text[-1500:]
    assert boot_id(other) == before


def test_a_build_that_failed_there_is_not_tried_again(
    other: Any, published: dict[str, Any], change: Change
) -> None:
    change(ALL, stopped=False)
    settings = "/etc/oslab-kernel/pull.yml"
    other.check_output("echo '    trial_health_checks: [/bin/false]' >> %s", settings)
    stock = release(other)
    pull_and_reboot(other, "was not confirmed")
    assert release(other) == stock
    other.check_output("sed -i /trial_health_checks/d %s", settings)
    before = boot_id(other)
    text = pull(other)
    assert "failed=1" in text, text[-1500:]
    assert "install_retry_failed" in text, text[-1500:]
    assert boot_id(other) == before


def test_it_is_tried_again_on_request(other: Any, published: dict[str, Any]) -> None:
    other.check_output("echo '    install_retry_failed: true' >> /etc/oslab-kernel/pull.yml")
    pull_and_reboot(other, "was verified and confirmed")
    assert release(other) == published["release"]
