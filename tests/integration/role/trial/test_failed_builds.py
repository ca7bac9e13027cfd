# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host keeps what failed there through deployments of other builds, and what hung it."""

from __future__ import annotations

import json
from typing import Any

from ansible_collections.oslab.kernel.tests.lib.playbook import ROOT
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
    assert begun == {"image": BUILD, "boot_id": done.record["boot_id"]}
    assert begun["boot_id"] != BEFORE


@needs_simulation
def test_a_build_that_is_confirmed_is_forgotten() -> None:
    done = after_a_hang(BUILD, [EARLIER], install_retry_failed=True)
    assert done.status == 0, done.output
    assert (done.record["image"], done.record["confirmed"]) == (BUILD, True)
    assert images(done) == [f"{PACKAGE}=1"]
    assert not done.record["trial_boot"]
