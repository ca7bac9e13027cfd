# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host keeps what failed there through deployments of other builds, and what hung it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.oslab.kernel.tests.lib.playbook import (
    ROOT,
    run_playbook,
    write_inventory,
)
from ansible_collections.oslab.kernel.tests.lib.trial_host import (
    Deployment,
    deploy,
    needs_simulation,
)

PACKAGE = "linux-image-6.12.117-49-usac1"
MANIFEST = json.loads((ROOT / "bench/fleet/answers.json").read_text(encoding="utf-8"))["manifest"]
BUILD = f"{PACKAGE}={MANIFEST['version']}"
EARLIER = {"image": f"{PACKAGE}=1", "date": "2026-11-01", "reason": "A check failed."}
BEFORE = "01234567-89ab-cdef-0123-456789abcdef"


def after_a_hang(image: str, failures: list[Any], **variables: Any) -> Deployment:
    """The trial boot of this build hung, and somebody reset the host."""
    record = {
        **{"image": image, "boot_id": BEFORE, "fallback": "6.1", "complete": True},
        **{"confirmed": False, "failures": failures},
        "trial_boot": {"image": image, "boot_id": BEFORE},
    }
    return deploy({"stock": [], "new": [], "record": record, "variables": variables})


def images(done: Deployment) -> list[str]:
    return [one["image"] for one in done.record["failures"]]


@needs_simulation
def test_the_same_build_is_refused() -> None:
    done = after_a_hang(BUILD, [EARLIER])
    assert done.status != 0
    said = " ".join(done.output.split())
    assert f"has failed in its trial boot of this build ({MANIFEST['version']}) on 20" in said
    assert "as after a hang, a panic, a reset or a power cut. The build is not tried" in said
    assert "Install the packages" not in said


@needs_simulation
def test_another_build_is_prepared_for_its_trial_boot() -> None:
    done = after_a_hang(f"{PACKAGE}=2", [EARLIER], trial_reboot=False)
    assert done.status == 0, done.output
    assert images(done) == [f"{PACKAGE}=1", f"{PACKAGE}=2"]
    # The record that a run which finds another boot reads.
    assert done.record["complete"]
    begun = done.record["trial_boot"]
    here = {"image": BUILD, "boot_id": done.record["boot_id"]}
    assert begun == {**here, "unwatched": True, "finishes": False}
    assert begun["boot_id"] != BEFORE


@needs_simulation
def test_a_build_that_is_confirmed_is_forgotten() -> None:
    done = after_a_hang(BUILD, [EARLIER], install_retry_failed=True)
    assert done.status == 0, done.output
    assert (done.record["image"], done.record["confirmed"]) == (BUILD, True)
    assert images(done) == [f"{PACKAGE}=1"]
    assert not done.record["trial_boot"]


# --- what is recorded before the reboot ---------------------------------------------------------


def recorded(
    tmp_path: Path, hosts: dict[str, dict[str, Any]], name: str
) -> dict[str, list[tuple[str, Any]]]:
    """By their names, what the tasks of a run write for hosts: the files' names and contents.

    :param name: of the variable that has these files.
    """
    role = {"name": "oslab.kernel.trial", "tasks_from": "unlock", "rolespec_validate": False}
    write = {
        "dest": f"{tmp_path}/{{{{ inventory_hostname }}}}.out",
        "content": f"{{{{ {name} | to_json }}}}",
        "mode": "0600",
    }
    tasks = [{"ansible.builtin.import_role": role, "when": False}, {"ansible.builtin.copy": write}]
    book = tmp_path / "play.json"
    book.write_text(
        json.dumps([{"hosts": "kernel_targets", "gather_facts": False, "tasks": tasks}])
    )
    common = {
        **{"install_record_file": "/x", "install_image": BUILD, "trial_boot_loader": {}},
        "install_release": "6.12.117-49-usac1",
        "install_host_facts": {"boot_id": BEFORE, "systemd": True},
    }
    known = {name: {**common, **variables} for name, variables in hosts.items()}
    done = run_playbook(
        book, inventory=write_inventory(tmp_path / "hosts.json", kernel_targets={"hosts": known})
    )
    assert done.status == 0, done.output
    files = {path.stem: json.loads(path.read_text()) for path in tmp_path.glob("*.out")}
    return {
        name: [
            (one["path"], json.loads(one["content"]) if one["path"] == "/x" else one["content"])
            for one in files[name]
        ]
        for name in hosts
    }


DEPLOYMENT = {"trial_repeats": True}
KEXEC = {"trial_boot_loader": {"needs_kexec": "it cannot write"}}


def test_the_record_says_that_the_next_boot_is_the_trial_boot(tmp_path: Path) -> None:
    finishes = {**DEPLOYMENT, "trial_finish_on_host": True}
    hosts: dict[str, dict[str, Any]] = {
        "deployed": {**DEPLOYMENT, "install_record": {"failures": [EARLIER]}},
        "finishes": finishes,
        "kexec": {**finishes, **KEXEC},
        # No kexec is loaded there, as the boot loader starts it.
        "needless": {**finishes, "trial_kexec": True},
        "later": {**DEPLOYMENT, "trial_reboot": False},
        "reset": {**DEPLOYMENT, **KEXEC, "trial_reboot": False},
        "rolledback": {"install_record": {"image": BUILD}},
    }
    found = recorded(tmp_path, hosts, "trial_begun_records")
    trial = {"image": BUILD, "boot_id": BEFORE, "finishes": False, "unwatched": True}
    begun = {"complete": True, "trial_boot": trial}
    # This machine is its own control node: no run waits for its reboot.
    assert found["deployed"] == [("/x", {"failures": [EARLIER], **begun})]
    assert found["later"] == [("/x", begun)]
    outcome = ("/etc/oslab-kernel/trial-outcome", f"6.12.117-49-usac1 scheduled {BEFORE}\n")
    for name, unwatched in (("finishes", False), ("kexec", True), ("needless", False)):
        own = {**trial, "finishes": True, "unwatched": unwatched}
        assert found[name] == [("/x", {"complete": True, "trial_boot": own}), outcome]
    # A reset starts the default, so it is no trial boot.
    assert found["reset"] == []
    assert found["rolledback"] == []


def test_an_earlier_trial_boot_is_taken_away_before(tmp_path: Path) -> None:
    earlier = {"install_record": {"image": BUILD, "trial_boot": {"image": BUILD, "boot_id": ""}}}
    hosts: dict[str, dict[str, Any]] = {
        "deployed": {**DEPLOYMENT, **earlier},
        "rolledback": earlier,
        # It boots the other kernel later, and this run does not see it.
        "rollsback": {"trial_rolls_back": True, "install_record": {"image": BUILD}},
        "untouched": {**DEPLOYMENT, "install_record": {}},
    }
    found = recorded(tmp_path, hosts, "trial_earlier_record")
    assert found["deployed"] == [("/x", {"image": BUILD, "trial_boot": {}})]
    assert found["rolledback"] == found["deployed"]
    assert found["rollsback"] == [("/x", {"image": BUILD, "left": BUILD, "trial_boot": {}})]
    assert found["untouched"] == []


def test_what_says_that_the_trial_boot_comes_is_written_last() -> None:
    """A run that is killed before that leaves no failure; the host is rebooted after it."""
    tasks = yaml.safe_load((ROOT / "roles/trial/tasks/boot/start.yml").read_text(encoding="utf-8"))
    names = [task["name"] for task in tasks]
    recorded_at = names.index("Record that the trial boot comes")
    assert names[recorded_at + 1 :] == [
        "Schedule the reboot into the kernel",
        "Reboot into the kernel",
    ]
    before = (ROOT / "roles/trial/tasks").rglob("install.yml")
    texts = [path.read_text(encoding="utf-8") for path in before]
    assert not any("trial_begun" in text for text in texts)
    paths = yaml.safe_load((ROOT / "roles/trial/vars/main.yml").read_text(encoding="utf-8"))
    files = [one["path"] for one in paths["trial_finish_files"] + paths["trial_timer_files"]]
    assert "{{ trial_outcome_file }}" not in files
    # What is taken back goes in the other order.
    recover = (ROOT / "roles/trial/tasks/recover.yml").read_text(encoding="utf-8")
    parts = ("scheduled", "Record that the trial boot does not come", "Cancel the one-shot")
    places = [recover.index(part) for part in parts]
    assert places == sorted(places)
