# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host remembers each build that has failed there, also one that hung it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._host import failed_builds

A, B = "linux-image-6.12-x=1", "linux-image-6.12-x=2"
FAILURE = {"image": A, "date": "2026-11-29", "reason": "2 checks failed."}
OTHER = {"image": B, "date": "2026-11-30", "reason": "It hung."}
BEGUN: dict[str, Any] = {
    "image": A,
    "confirmed": False,
    "trial_boot": {"image": A, "boot_id": "first"},
}
FACTS: dict[str, Any] = {**{"release": "6.1", "boot_id": "third", "trial_report": None}}
DAY = "2026-12-01"


def settled(record: dict[str, Any], facts: dict[str, Any]) -> dict[str, Any]:
    return failed_builds.settled(record, facts, DAY)


def test_the_record_of_an_earlier_version() -> None:
    assert failed_builds.failures({"image": A, "failure": FAILURE}) == [FAILURE]
    assert failed_builds.failures({"image": A, "failure": {}}) == []
    found = settled({"image": A, "failure": FAILURE}, FACTS)
    assert found == {"image": A, "failures": [FAILURE]}
    found = settled({"failure": FAILURE, "failures": [OTHER]}, FACTS)
    assert found == {"failures": [FAILURE, OTHER]}
    # It had neither.
    assert settled({"image": A}, FACTS) == {"image": A}


def test_each_build_has_its_own_failure() -> None:
    record = {"image": "linux-image-6.13=1", "failures": [FAILURE, OTHER]}
    assert failed_builds.failure_of(record, A) == FAILURE
    assert failed_builds.failure_of(record, B) == OTHER
    assert failed_builds.failure_of(record, "linux-image-6.13=1") is None
    again = {**FAILURE, "reason": "again"}
    assert failed_builds.failures({"failures": [FAILURE, OTHER, again]}) == [OTHER, again]


def test_a_trial_boot_that_nobody_watched_tells_nothing() -> None:
    """It may have been rebooted in order, before anybody looked."""
    unwatched = {**BEGUN, "trial_boot": {**BEGUN["trial_boot"], "unwatched": True}}
    assert "failures" not in settled(unwatched, FACTS)
    assert settled(unwatched, FACTS)["trial_boot"] == {}
    watched = {**BEGUN, "trial_boot": {**BEGUN["trial_boot"], "unwatched": False}}
    assert len(settled(watched, FACTS)["failures"]) == 1
    judged = {**FACTS, "trial_report": "the verification on the host:\n"}
    assert len(settled(unwatched, judged)["failures"]) == 1


def test_a_kexec_that_the_host_left_for_has_come() -> None:
    unwatched = {**BEGUN, "trial_boot": {**BEGUN["trial_boot"], "unwatched": True}}
    left = failed_builds.with_outcome(unwatched, ("6.12-x", "begun", "first"))
    assert failed_builds.failure_of(settled(left, FACTS), A)
    for words in ((), ("6.12-x", "scheduled", "first"), ("6.12-x", "begun", "0"), ("6", "begun")):
        assert failed_builds.with_outcome(unwatched, words) == unwatched
    assert failed_builds.with_outcome({"image": A}, ("6.12-x", "begun", "first")) == {"image": A}


def test_a_host_that_finishes_by_itself() -> None:
    finishes = {**BEGUN, "trial_boot": {**BEGUN["trial_boot"], "finishes": True}}
    # It never got as far as to begin the run.
    hung = {**FACTS, "trial_report": "6.12-x was not confirmed within 900 s\nfailed units:\n"}
    assert failed_builds.failure_of(settled(finishes, hung), A)
    # The run began, and lacked something. Once more after that it may have been the kernel.
    unjudged = "the run on the host, which has not judged the kernel:"
    report = {**FACTS, "trial_report": f"6.12-x\n{unjudged}\nno network\n"}
    found = finishes
    for times in (1, 2):
        found = settled(found, report)
        assert failed_builds.failures(found) == []
        assert found["unjudged"] == {"image": A, "times": times}
        found = {**found, "trial_boot": finishes["trial_boot"]}
    found = settled(found, report)
    failure = failed_builds.failure_of(found, A)
    assert failure
    assert failure["reason"] == "in 3 trial boots no run on the host got as far as to judge it"
    assert "unjudged" not in found
    # Of another build, or of nobody.
    others: tuple[Any, ...] = ({"image": B, "times": 2}, {"image": A, "times": "2"}, [])
    for other in others:
        assert settled({**finishes, "unjudged": other}, report)["unjudged"]["times"] == 1


def test_the_oldest_ones_are_dropped() -> None:
    many = [{**FAILURE, "image": f"linux-image-6.12-x={number}"} for number in range(50)]
    found = settled({"failures": many}, FACTS)
    assert found["failures"] == many[-failed_builds.MOST :]


@pytest.mark.parametrize(
    "record",
    [
        {"failure": 1, "failures": "x", "trial_boot": []},
        {"failure": {"image": []}, "failures": [1, None, {}, {"reason": "x"}], "trial_boot": 7},
    ],
)
def test_what_is_no_record_of_ours(record: dict[str, Any]) -> None:
    assert failed_builds.failures(record) == []
    assert failed_builds.begun(record) == ("", "")


@pytest.mark.parametrize(
    "facts",
    [
        {},
        # The host itself judged the kernel, and the judgement hung.
        {"trial_report": "6.12-x was not confirmed within 900 s\nthe verification on the host:\n"},
    ],
)
def test_a_trial_boot_that_nothing_recorded_has_failed(facts: dict[str, Any]) -> None:
    found = settled({**BEGUN, "failures": [OTHER]}, {**FACTS, **facts})
    assert [one["image"] for one in found["failures"]] == [B, A]
    assert found["failures"][1]["date"] == DAY
    assert "as after a hang, a panic, a reset or a power cut" in found["failures"][1]["reason"]
    # Once.
    assert found["trial_boot"] == {}
    assert settled(found, {**FACTS, "boot_id": "fourth"}) == found


@pytest.mark.parametrize(
    ("record", "facts"),
    [
        # The trial boot is still to come, or it is now.
        (BEGUN, {"boot_id": "first"}),
        (BEGUN, {"release": "6.12-x"}),
        # The run that was to confirm the kernel was stopped; the rollback timer ended the boot.
        (BEGUN, {"trial_report": "6.12-x was not confirmed within 900 s\nfailed units:\n"}),
        # It was confirmed, or the failure is recorded.
        ({**BEGUN, "trial_boot": {}}, {}),
        # The record of an earlier version.
        ({"image": A, "boot_id": "first", "complete": True, "confirmed": False}, {}),
    ],
)
def test_a_trial_boot_that_did_not_fail(record: dict[str, Any], facts: dict[str, Any]) -> None:
    found = settled(record, {**FACTS, **facts})
    assert failed_builds.failures(found) == []


def test_a_kernel_whose_name_begins_as_that_of_the_one_that_runs() -> None:
    found = settled(BEGUN, {**FACTS, "release": "6.12"})
    assert failed_builds.failure_of(found, A)
