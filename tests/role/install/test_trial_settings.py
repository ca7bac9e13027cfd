# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What holds the settings of a trial: a shell runs it on files that stand for those of /proc."""

from __future__ import annotations

import subprocess
import time
from pathlib import Path
from typing import Callable

import jinja2
import yaml
from ansible_collections.oslab.kernel.plugins.plugin_utils.trial_settings import settings

ROLE = Path(__file__).resolve().parents[3] / "roles/install"
DEFAULTS = yaml.safe_load((ROLE / "defaults/main.yml").read_text())
VARS = yaml.safe_load((ROLE / "vars/main.yml").read_text())
# By hand: what hosts have that were tuned or hardened.
OWN = {"panic": "0", "panic_on_oops": "0", "soft_watchdog": "0", "watchdog_thresh": "30"}


class Host:
    def __init__(self, root: Path) -> None:
        self.kernel = root / "proc/sys/kernel"
        self.kernel.mkdir(parents=True)
        (root / "proc/cmdline").write_text("quiet\n")
        for name, value in OWN.items():
            (self.kernel / name).write_text(value + "\n")
        self.confirmed = root / "confirmed"
        environment = jinja2.Environment(keep_trailing_newline=True)
        environment.filters["oslab.kernel.trial_settings"] = settings
        text = environment.from_string((ROLE / "templates/trial-settings.j2").read_text()).render(
            install_trial_arguments=DEFAULTS["install_trial_arguments"],
            install_confirmed_file=str(self.confirmed),
        )
        self.program = root / "trial-settings"
        self.program.write_text(text.replace("/proc/", f"{root}/proc/"))
        self.program.chmod(0o755)

    def values(self) -> dict[str, str]:
        return {name: (self.kernel / name).read_text().strip() for name in OWN}

    def until(self, wanted: Callable[[], bool]) -> None:
        for _attempt in range(300):
            if wanted():
                return
            time.sleep(0.1)
        raise AssertionError(self.values())


HELD = {"panic": "10", "panic_on_oops": "1", "soft_watchdog": "1", "watchdog_thresh": "30"}


def test_the_trials_values_are_held_and_the_hosts_put_back(tmp_path: Path) -> None:
    host = Host(tmp_path)
    with subprocess.Popen(["sh", str(host.program)], stderr=subprocess.PIPE) as running:
        try:
            host.until(lambda: host.values() == HELD)
            # A program that tunes the host, later.
            (host.kernel / "panic").write_text("77\n")
            host.until(lambda: host.values() == HELD)
            host.confirmed.touch()
            assert running.wait(30) == 0
        finally:
            running.kill()
        assert host.values() == {**OWN, "panic": "77"}
        # Settings that this kernel has not are no matter.
        assert running.stderr is not None and running.stderr.read() == b""


def test_they_are_held_where_the_host_goes_down(tmp_path: Path) -> None:
    host = Host(tmp_path)
    with subprocess.Popen(["sh", str(host.program)]) as running:
        try:
            host.until(lambda: host.values() == HELD)
            running.terminate()
            running.wait(30)
        finally:
            running.kill()
        assert host.values() == HELD


def test_what_leads_back_is_on_the_root_file_system() -> None:
    paths = [item["path"] for item in VARS["install_guard_files"]]
    programs = [value for name, value in VARS.items() if name.endswith("_program")]
    assert programs
    for path in [*programs, *(path for path in paths if "{{" not in path)]:
        assert path.startswith("/etc/"), path
    units = {Path(path).name for path in paths}
    assert {"oslab-trial.timer", "oslab-trial.service", "oslab-trial-settings.service"} <= units
    timer = (ROLE / "templates/oslab-trial.timer.j2").read_text()
    assert "Wants=oslab-trial-settings.service" in timer
