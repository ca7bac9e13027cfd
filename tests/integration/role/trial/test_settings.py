# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds the settings of a trial, on the real /proc/sys of a network namespace."""

from __future__ import annotations

import contextlib
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import jinja2
import pytest
import yaml
from ansible_collections.oslab.kernel.plugins.plugin_utils.trial_settings import settings

ROLE = Path(__file__).resolve().parents[4] / "roles/trial"
VARS = yaml.safe_load((ROLE / "vars/main.yml").read_text())
# Each namespace has its own of these, so that nothing of this machine's changes. One is unknown.
ARGUMENTS = [
    "quiet",
    "sysctl.net.ipv4.ip_forward=1",
    "sysctl.net.ipv4.conf.all.rp_filter=2",
    "sysctl.net.ipv4.no_such_setting=1",
]
HELD = {"ip_forward": "1", "conf/all/rp_filter": "2"}
OWN = {"ip_forward": "0", "conf/all/rp_filter": "1"}


class Host:
    def __init__(self, root: Path, namespace: int) -> None:
        self._inside = ["nsenter", "--net", f"--target={namespace}"]
        for name, value in OWN.items():
            self.set(name, value)
        self.confirmed = root / "confirmed"
        environment = jinja2.Environment(keep_trailing_newline=True)
        environment.filters["oslab.kernel.trial_settings"] = settings
        template = environment.from_string((ROLE / "templates/trial-settings.j2").read_text())
        self._program = root / "trial-settings"
        self._program.write_text(
            template.render(trial_arguments=ARGUMENTS, trial_confirmed_file=str(self.confirmed))
        )

    def set(self, name: str, value: str) -> None:
        argv = ["sh", "-c", 'echo "$1" >"/proc/sys/net/ipv4/$0"', name, value]
        subprocess.run([*self._inside, *argv], check=True)

    def values(self) -> dict[str, str]:
        argv = ["cat", *(f"/proc/sys/net/ipv4/{name}" for name in OWN)]
        read = subprocess.run([*self._inside, *argv], check=True, capture_output=True, text=True)
        return dict(zip(OWN, read.stdout.split()))

    def until(self, wanted: dict[str, str]) -> None:
        for _attempt in range(300):
            if self.values() == wanted:
                return
            time.sleep(0.1)
        raise AssertionError(self.values())

    @contextlib.contextmanager
    def running(self) -> Iterator[subprocess.Popen[bytes]]:
        argv = [*self._inside, "sh", str(self._program)]
        with subprocess.Popen(argv, stderr=subprocess.PIPE) as process:
            try:
                yield process
            finally:
                process.kill()


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    argv = ["unshare", "--net", "sh", "-c", "echo there; exec sleep 600"]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as keeper:
        try:
            assert keeper.stdout is not None
            if keeper.stdout.readline() != b"there\n":
                pytest.skip("no network namespace can be made here; root can")
            yield Host(tmp_path, keeper.pid)
        finally:
            keeper.kill()


def test_values_of_the_trial_boot_are_held_and_those_of_the_host_restored(host: Host) -> None:
    with host.running() as program:
        host.until(HELD)
        # A program that tunes the host, later, and changes its mind.
        for value in ("0", "1", "0"):
            host.set("conf/all/rp_filter", value)
            host.until(HELD)
        host.confirmed.touch()
        assert program.wait(30) == 0
        assert program.stderr is not None and program.stderr.read() == b""
    assert host.values() == {**OWN, "conf/all/rp_filter": "0"}


def test_they_are_held_where_the_host_goes_down(host: Host) -> None:
    with host.running() as program:
        host.until(HELD)
        program.terminate()
        program.wait(30)
    assert host.values() == HELD


def test_the_rollback_timer_is_on_the_root_file_system() -> None:
    paths = [item["path"] for item in VARS["trial_timer_files"]]
    # That one is read once the trial boot is up: without it the host goes back.
    late = ("trial_rerun_program",)
    programs = [
        value for name, value in VARS.items() if name.endswith("_program") and name not in late
    ]
    assert programs
    for path in [*programs, *(path for path in paths if "{{" not in path)]:
        assert path.startswith("/etc/"), path
    units = {Path(path).name for path in paths}
    assert {"oslab-trial.timer", "oslab-trial.service", "oslab-trial-settings.service"} <= units
    assert set(VARS["trial_units"]) < units
    for name in VARS["trial_units"]:
        assert "WantedBy=sysinit.target" in (ROLE / f"templates/{name}.j2").read_text()
