# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which builds have failed in their trial boot on a host, by its record (install.json).

The record has `failures`, the last one at the end: of each build `image` (the kernel's package, as
name=version), `date` and `reason`. An earlier version recorded one `failure`. `trial_boot` has the
`image` whose trial boot the next boot is, and in `boot_id` the boot before it. `unwatched` says
that no run waits for it and no timer ends it, or that it may not be the next boot, as with kexec.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Optional

#: Builds that are remembered; the record is read in each run.
MOST = 20
# The rollback timer's report has this line if a run on the host itself judged the kernel.
_JUDGED = "the verification on the host:"
_ENDED = (
    "it was neither confirmed nor ended by a run, as after a hang, a panic, a reset or a power cut"
)


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


def is_unwatched(record: Mapping[str, Any]) -> bool:
    """Whether the last trial boot may have ended in good order, unseen."""
    found = record.get("trial_boot")
    return isinstance(found, Mapping) and found.get("unwatched") is True


def settled(record: Mapping[str, Any], facts: Mapping[str, Any], day: str) -> dict[str, Any]:
    """The record, with the end of a trial boot that nothing could record.

    Before the boot ends in which the trial boot was prepared, it is still to come. If its kernel
    runs, a run judges it. If another kernel runs then, it has failed, with two exceptions that tell
    nothing: the rollback timer has ended it and no run judged it, as a person may have stopped the
    run that was to confirm the kernel; or it was unwatched, and may have been rebooted in order.

    :param facts: release, boot_id and trial_report, as of the module host_kernel_info.
    :param day: today, as 2026-11-30.
    """
    found = {name: value for name, value in record.items() if name != "failure"}
    known = failures(record)
    image, before = begun(record)
    ended = bool(image) and before != facts["boot_id"]
    ended = ended and not image.startswith(f"linux-image-{facts['release']}=")
    if ended:
        report = facts.get("trial_report")
        judged = report is not None and _JUDGED in report.split("\n")
        if judged or (report is None and not is_unwatched(record)):
            known = [one for one in known if one["image"] != image]
            known.append({"image": image, "date": day, "reason": _ENDED})
        found["trial_boot"] = {}
    if known or "failures" in record:
        found["failures"] = known[-MOST:]
    return found
