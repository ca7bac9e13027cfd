# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's command line in a trial boot, on hosts that differ."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Callable

import pytest

PLAY = """
- hosts: kernel_targets
  gather_facts: false
  tasks:
    - ansible.builtin.import_role: {name: oslab.kernel.trial, tasks_from: lock}
    - ansible.builtin.debug:
        msg: "WORDS {{ trial_all_arguments | join(' ') }} ENDS"
"""


@pytest.mark.parametrize(
    ("host", "found", "watchdog"),
    [
        ({"systemd_version": 252, "watchdogs": ["iTCO_wdt"]}, 0, ["systemd.watchdog_sec=60"]),
        (
            {"systemd_version": 250, "watchdogs": []},
            1,
            ["modules_load=softdog", "systemd.watchdog_sec=60"],
        ),
        ({"systemd_version": 252, "watchdogs": []}, 0, []),
        # It would not understand.
        ({"systemd_version": 249, "watchdogs": ["iTCO_wdt"]}, 0, []),
        ({"systemd_version": 0, "systemd": False, "watchdogs": ["iTCO_wdt"]}, 0, []),
    ],
)
def test_a_watchdog_that_systemd_wakes(
    tmp_path: Path,
    deploy: Callable[..., tuple[int, str]],
    host: dict[str, Any],
    found: int,
    watchdog: list[str],
) -> None:
    play = tmp_path / "play.yml"
    play.write_text(PLAY)
    known = {
        "install_host_facts": {"systemd": True, **host},
        "trial_softdog_files": {"matched": found},
        "install_release": "6.8",
    }
    _status, output = deploy(
        {"one": {"ansible_connection": "lossy", "lossy_at": "never"}}, play, **known
    )
    words = output.partition("WORDS ")[2].partition(" ENDS")[0].split()
    assert [word for word in words if "softdog" in word or "_sec" in word] == watchdog
    assert {"panic=10", "oslab.trial=6.8"} <= set(words)


def test_a_trial_that_somebody_else_begins_is_no_trial_that_a_timer_ends(
    tmp_path: Path, deploy: Callable[..., tuple[int, str]]
) -> None:
    play = tmp_path / "play.yml"
    play.write_text(PLAY)
    known = {
        "install_host_facts": {"systemd": True, "systemd_version": 252, "watchdogs": []},
        "install_release": "6.8",
        "trial_reboot": False,
    }
    _status, output = deploy(
        {"one": {"ansible_connection": "lossy", "lossy_at": "never"}}, play, **known
    )
    words = output.partition("WORDS ")[2].partition(" ENDS")[0].split()
    assert {"panic=10", "oslab.pending=6.8"} <= set(words)
    assert not any(word.startswith("oslab.trial") for word in words)
