# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's command line in a trial boot, on hosts that differ: each is a host of one run."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.oslab.kernel.tests.lib.many_hosts import Said, play, run_plays

SHOWN = "WORDS {{ trial_all_arguments | join(' ') }} {{ trial_has_timer }} ENDS"
TASKS: list[dict[str, Any]] = [
    {"ansible.builtin.import_role": {"name": "oslab.kernel.trial", "tasks_from": "lock"}},
    {"ansible.builtin.debug": {"msg": SHOWN}, "vars": {"trial_repeats": True}},
]
#: By its name, the variables of each host.
HOSTS: dict[str, dict[str, Any]] = {}
Answers = dict[str, Said]


def host(facts: dict[str, Any], **variables: Any) -> str:
    """The name of a host that is like this."""
    name = f"host{len(HOSTS) + 1}"
    HOSTS[name] = {
        "ansible_connection": "lossy",
        "lossy_at": "never",
        "install_host_facts": {
            **{"systemd": True, "systemd_version": 252, "watchdogs": [], "trial": None},
            **facts,
        },
        "install_release": "6.8",
        **variables,
    }
    return name


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> Answers:
    directory = tmp_path_factory.mktemp("arguments")
    # All hosts are this machine.
    hosts = {
        name: {**variables, "trial_lock_file": str(directory / name)}
        for name, variables in HOSTS.items()
    }
    return run_plays(directory, [play(list(hosts), TASKS)], hosts)


def words(said: Said) -> list[str]:
    """The command line, and whether a timer ends the trial boot."""
    assert not said.failed, said.text
    return said.text.rpartition("WORDS ")[2].partition(" ENDS")[0].split()


def watched(version: int, watchdogs: list[str], found: int = 0, **facts: Any) -> str:
    facts = {"systemd_version": version, "watchdogs": watchdogs, **facts}
    return host(facts, trial_softdog_files={"matched": found})


@pytest.mark.parametrize(
    ("name", "watchdog"),
    [
        (watched(252, ["iTCO_wdt"]), ["systemd.watchdog_sec=60"]),
        (watched(250, [], found=1), ["modules_load=softdog", "systemd.watchdog_sec=60"]),
        (watched(252, []), []),
        # It would not understand.
        (watched(249, ["iTCO_wdt"]), []),
        (watched(0, ["iTCO_wdt"], systemd=False), []),
    ],
)
def test_a_watchdog_that_systemd_wakes(answers: Answers, name: str, watchdog: list[str]) -> None:
    found = words(answers[name])
    assert [word for word in found if "softdog" in word or "_sec" in word] == watchdog
    assert {"panic=10", "oslab.trial=6.8"} <= set(found)


BEGUN_ELSEWHERE = host({}, trial_reboot=False)


def test_a_trial_that_somebody_else_begins_is_no_trial_that_a_timer_ends(answers: Answers) -> None:
    found = words(answers[BEGUN_ELSEWHERE])
    assert {"panic=10", "oslab.pending=6.8"} <= set(found)
    assert not any(word.startswith("oslab.trial") for word in found)


def local(systemd: bool = True, **variables: Any) -> str:
    """A host that the run is on."""
    return host({"systemd": systemd}, ansible_connection="local", **variables)


@pytest.mark.parametrize(
    ("name", "argument", "timer"),
    [
        (local(trial_finish_on_host=True), "trial", "True"),
        (local(trial_finish_on_host=True, trial_reboot="ask"), "trial", "True"),
        # Nothing would end the trial boot, or finish it.
        (local(), "pending", "False"),
        (local(trial_finish_on_host=True, systemd=False), "pending", "False"),
    ],
)
def test_the_trial_boot_of_a_host_that_finishes_it_has_a_timer(
    answers: Answers, name: str, argument: str, timer: str
) -> None:
    assert words(answers[name])[-2:] == [f"oslab.{argument}=6.8", timer]
