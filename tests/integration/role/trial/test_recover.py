# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept of a failure: a sentence, and on the host what must not be tried again.

Each failure is that of a host of one run.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from ansible_collections.oslab.kernel.tests.lib.many_hosts import Said, play, run_plays

RECOVER = {"name": "oslab.kernel.trial", "tasks_from": "recover"}
TASKS: list[dict[str, Any]] = [
    {
        "block": [{"name": "Ask", "ansible.builtin.fail": {"msg": "{{ asked }}"}}],
        "rescue": [{"ansible.builtin.include_role": RECOVER}],
    },
    {
        "ansible.builtin.debug": {
            "msg": "KEPT {{ trial_failure }} ENDS {{ trial_outcome | default('') }}"
        }
    },
]
IMAGE = "linux-image-6.12=1"
RECORD = {"image": IMAGE, "complete": True, "confirmed": False}
#: By its name, the variables of each host.
HOSTS: dict[str, dict[str, Any]] = {}


class Recovered(NamedTuple):
    said: Said
    record: Path


def failed(message: str, **variables: Any) -> str:
    """The name of a host on which something failed in this way."""
    name = f"host{len(HOSTS) + 1}"
    HOSTS[name] = {"asked": message, **variables}
    return name


@pytest.fixture(scope="module")
def recovered(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Recovered]:
    directory = tmp_path_factory.mktemp("recover")
    # All hosts are this machine.
    hosts = {
        name: {
            **variables,
            "trial_lock_file": str(directory / f"{name}.lock"),
            "install_record_file": str(directory / name),
        }
        for name, variables in HOSTS.items()
    }
    answers = run_plays(directory, [play(list(hosts), TASKS)], hosts)
    return {name: Recovered(answers[name], directory / name) for name in hosts}


def elsewhere(message: str) -> str:
    """Somebody else's host is left as it is."""
    return failed(message, trial_lock={"by": {"text": "Ada elsewhere"}})


@pytest.mark.parametrize(
    ("name", "message"),
    [
        (elsewhere("`/bin/false` ended with 1"), "`/bin/false` ended with 1"),
        (elsewhere("Run update-grub."), "Run update-grub"),
    ],
)
def test_a_failure(recovered: dict[str, Recovered], name: str, message: str) -> None:
    assert f"KEPT Ask: {message}. ENDS" in recovered[name].said.text


def after_boot(**known: Any) -> str:
    facts = {"install_record": RECORD, "boot_loader": "grub", "systemd": False}
    return failed(
        "2 checks failed",
        install_host_facts=facts,
        install_release="6.12",
        install_image=IMAGE,
        **known,
    )


@pytest.mark.parametrize(
    ("name", "recorded"),
    [
        (after_boot(trial_rebooted={"rebooted": True}), True),
        # On a host that finishes its trial boot by itself.
        (after_boot(trial_unconfirmed=True), True),
        # Nothing was booted.
        (after_boot(trial_rebooted={"rebooted": False}), False),
        (after_boot(), False),
        # A rollback, to another kernel.
        (after_boot(trial_rebooted={"rebooted": True}, trial_release="6.1"), False),
    ],
)
def test_a_trial_boot_that_failed_is_recorded(
    recovered: dict[str, Recovered], name: str, recorded: bool
) -> None:
    said, path = recovered[name]
    assert path.exists() == recorded, said.text
    if recorded:
        found = json.loads(path.read_text())
        assert {name: found[name] for name in RECORD} == RECORD
        (failure,) = found["failures"]
        assert failure["image"] == IMAGE
        assert failure["reason"] == "Ask: 2 checks failed."
        assert found["trial_boot"] == {}


EARLIER = {"image": "linux-image-6.11=1", "date": "2026-11-01", "reason": "It hung."}
BOOT_ID = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()


def stopped(boot_id: str = BOOT_ID, trial_boot: Any = None, **known: Any) -> str:
    """A failure while the host still runs its fallback kernel, or does again."""
    loader = {"loader": "grub", "releases": [], "default": "", "changed": True}
    record = {**RECORD, "complete": False, "failures": [EARLIER]}
    record.update({"trial_boot": trial_boot} if trial_boot else {})
    return failed(
        "the reboot was refused",
        ansible_connection="hostile",
        hostile_answers=json.dumps({"boot_entry": loader}),
        install_host_facts={"boot_id": boot_id, "boot_loader": "grub", "systemd": False},
        install_record=record,
        install_release="6.12",
        install_image=IMAGE,
        trial_release="6.12",
        trial_fallback="6.1",
        **known,
    )


FULL = failed(
    "the pin was not written",
    ansible_connection="hostile",
    hostile_answers=json.dumps({"boot_entry": {"failed": True, "msg": "No space left on device"}}),
    install_host_facts={"boot_id": BOOT_ID, "boot_loader": "grub", "systemd": False},
    install_record=RECORD,
    install_release="6.12",
    install_image=IMAGE,
    trial_rebooted={"rebooted": True},
    trial_release="6.12",
    trial_fallback="6.1",
)


def test_a_host_that_answers_is_not_called_lost(recovered: dict[str, Recovered]) -> None:
    text = recovered[FULL].said.text
    assert "does not answer" not in text
    assert "The host answers and runs" in text
    assert "Cancel the one-shot boot entry: No space left on device" in text
    # The disk, not the build, may be what failed.
    assert not recovered[FULL].record.exists()


@pytest.mark.parametrize(
    ("name", "complete"),
    [
        # The boot entry is cancelled, so the next boot is no trial boot.
        (stopped(trial_timer_written={}), True),
        # Of an earlier run.
        (stopped(trial_boot={"image": IMAGE, "boot_id": BOOT_ID}), False),
        # A reboot whose end nobody saw: a later run finds out what became of it.
        (stopped("another", trial_timer_written={}), None),
        # None was prepared.
        (stopped(), None),
    ],
)
def test_a_trial_boot_that_does_not_come(
    recovered: dict[str, Recovered], name: str, complete: bool | None
) -> None:
    said, path = recovered[name]
    assert path.exists() is (complete is not None), said.text
    if complete is not None:
        changes = {"complete": complete, "failures": [EARLIER], "trial_boot": {}}
        assert json.loads(path.read_text()) == {**RECORD, **changes}
