# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which builds have failed in their trial boot on a host, by its record (install.json).

The record has `failures`, the last one at the end: of each build `image` (the kernel's package, as
name=version), `date` and `reason`. An earlier version recorded one `failure`. `trial_boot` has the
`image` whose trial boot the next boot is, and in `boot_id` the boot before it. `unwatched` says
that no run waits for it and no timer ends it, or that it may not be the next boot, as with kexec;
`begun`, that such a boot was left for it. `finishes` says that the host itself runs what judges the
kernel. `unjudged` has the `image` whose trial boots ended before a run on the host had judged it,
and how many `times` in a row.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Optional

#: Builds that are remembered; the record is read in each run.
MOST = 20
#: Trial boots of a build in a row that no run on the host has judged. Something that it needs was
#: missing, which may be of any cause; without an end a host would reboot each hour.
MOST_UNJUDGED = 3
# The rollback timer's report has one of these lines if a run on the host itself judged the kernel,
# and if that began and ended, or was ended, before it got there.
_JUDGED = "the verification on the host:"
_UNJUDGED = "the run on the host, which has not judged the kernel:"
#: Of trial-on-host, in the role trial: the host is leaving the boot for the trial boot.
BEGUN = "begun"
_ENDED = (
    "it was neither confirmed nor ended by a run, as after a hang, a panic, a reset or a power cut"
)
_NEVER_JUDGED = f"in {MOST_UNJUDGED} trial boots no run on the host got as far as to judge it"


def image_of(release: str, version: str) -> str:
    """The kernel's package of a build, as records name it."""
    return f"linux-image-{release}={version}"


def is_image_of(image: str, release: str) -> bool:
    """Whether it is one of this release's, of whatever version."""
    return image.startswith(image_of(release, ""))


def failures(record: Mapping[str, Any]) -> list[dict[str, str]]:
    """All of a record, one for each build; what is no failure of ours is left out."""
    listed = record.get("failures")
    found: dict[str, dict[str, str]] = {}
    for one in [record.get("failure"), *(listed if isinstance(listed, list) else [])]:
        if isinstance(one, Mapping) and one.get("image"):
            failure = {name: str(one.get(name, "")) for name in ("image", "date", "reason")}
            # The last one of a build counts, and stands where it was recorded.
            found.pop(failure["image"], None)
            found[failure["image"]] = failure
    return list(found.values())


def failure_of(record: Mapping[str, Any], image: Any) -> Optional[dict[str, str]]:
    """The failure of a build; None if its trial boot has not failed on the host."""
    return next((one for one in failures(record) if one["image"] == image), None)


def begun(record: Mapping[str, Any]) -> tuple[str, str]:
    """The image of the last trial boot, and the boot before it; empty if its end is recorded."""
    found = record.get("trial_boot")
    if not isinstance(found, Mapping):
        return "", ""
    return str(found.get("image", "")), str(found.get("boot_id", ""))


def with_outcome(record: Mapping[str, Any], outcome: Sequence[str]) -> dict[str, Any]:
    """The record, with what trial-on-host knows of the trial boot: whether the host left for it.

    :param outcome: the words of its file: release, state, boot.
    """
    image, boot = begun(record)
    if not image or list(outcome[1:3]) != [BEGUN, boot] or not is_image_of(image, outcome[0]):
        return dict(record)
    return {**record, "trial_boot": {**record["trial_boot"], "begun": True}}


def _says(record: Mapping[str, Any], name: str) -> bool:
    """Of the last trial boot."""
    found = record.get("trial_boot")
    return isinstance(found, Mapping) and found.get(name) is True


def _unjudged(record: Mapping[str, Any], image: str) -> int:
    """How many trial boots of a build in a row no run on the host has judged."""
    found = record.get("unjudged")
    if not isinstance(found, Mapping) or found.get("image") != image:
        return 0
    times = found.get("times")
    return times if isinstance(times, int) and not isinstance(times, bool) else 0


def _verdict(record: Mapping[str, Any], report: Optional[str]) -> str:
    """Of a trial boot that has ended: failed, unjudged, or nothing.

    :param report: of the rollback timer; None if that did not end it.
    """
    if report is None:
        return "failed" if _says(record, "begun") or not _says(record, "unwatched") else ""
    said = report.split("\n")
    if _JUDGED in said:
        return "failed"
    if _UNJUDGED in said:
        return "unjudged"
    return "failed" if _says(record, "finishes") else ""


def settled(record: Mapping[str, Any], facts: Mapping[str, Any], day: str) -> dict[str, Any]:
    """The record, with the end of a trial boot that nothing could record.

    Before the boot ends in which the trial boot was prepared, it is still to come. If its kernel
    runs, a run judges it. If another kernel runs then, it has failed, unless that tells nothing of
    the kernel:

    - The rollback timer has ended it and no run judged it, as a person may have stopped the run
      that was to confirm the kernel. On a host that finishes by itself the run begins once the host
      is up: it has failed if it never began. If it began, it may have lacked anything, a few times.
    - It was unwatched, and may have been rebooted in order, or never have come.

    :param facts: release, boot_id and trial_report, as of the module host_kernel_info.
    :param day: today, as 2026-11-30.
    """
    found = {name: value for name, value in record.items() if name != "failure"}
    known = failures(record)
    image, before = begun(record)
    ended = bool(image) and before != facts["boot_id"]
    if ended and not is_image_of(image, facts["release"]):
        found["trial_boot"] = {}
        reason = ""
        verdict = _verdict(record, facts.get("trial_report"))
        if verdict == "unjudged":
            times = _unjudged(record, image) + 1
            found["unjudged"] = {"image": image, "times": times}
            reason = _NEVER_JUDGED if times >= MOST_UNJUDGED else ""
        elif verdict == "failed":
            reason = _ENDED
        if reason:
            found.pop("unjudged", None)
            known = [one for one in known if one["image"] != image]
            known.append({"image": image, "date": day, "reason": reason})
    if known or "failures" in record:
        found["failures"] = known[-MOST:]
    return found
