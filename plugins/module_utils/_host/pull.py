# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host that pulls does with the published build: begin, finish, or nothing, and why."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read, json_file
from ansible_collections.oslab.kernel.plugins.module_utils._common.plain_text import shown
from ansible_collections.oslab.kernel.plugins.module_utils._host import failed_builds
from ansible_collections.oslab.kernel.plugins.module_utils._host.packages import INSTALL_RECORD
from ansible_collections.oslab.kernel.plugins.module_utils._host.trial import (
    CONFIRMED,
    PENDING,
    outcome,
    report_of,
    trial_of,
)
from ansible_collections.oslab.kernel.plugins.module_utils._repository import rollout

# Made by trial-on-host, of the role trial: before it repeats the run in the trial boot.
VERIFIED = "run/oslab-trial.verified"
_LIMIT = 64 << 10


class Decision(NamedTuple):
    """`state`: due, finish, trial, pending, left, failed, stopped, waiting. `text`: for people."""

    state: str
    text: str

    @property
    def goes_on(self) -> bool:
        return self.state in ("due", "finish")


class Boot(NamedTuple):
    """What a host's own files tell of its last trial boot."""

    command_line: str
    boot_id: str
    confirmed: bool
    verified: bool
    #: Of the kernel that runs.
    release: str
    #: Of the role install: image (name=version), confirmed, left, trial_boot, failures.
    record: Mapping[str, Any]
    #: Of the rollback timer; None if that has not ended a trial boot.
    report: Optional[str]


def _text(path: Path) -> str:
    try:
        return bounded_read.text(path, _LIMIT)
    except OSError:
        return ""


def read(root: Path = Path("/")) -> Boot:
    """A file that is not there, or is none of ours, tells nothing."""
    return Boot(
        command_line=_text(root / "proc/cmdline"),
        boot_id=_text(root / "proc/sys/kernel/random/boot_id").strip(),
        confirmed=(root / CONFIRMED).exists(),
        verified=(root / VERIFIED).exists(),
        release=_text(root / "proc/sys/kernel/osrelease").strip(),
        record=failed_builds.with_outcome(
            json_file.read(root / INSTALL_RECORD) or {}, outcome(root)
        ),
        report=report_of(root),
    )


def when(seconds: int) -> str:
    return time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(seconds))


def in_trial_boot(boot: Boot) -> bool:
    """Whether this is a trial boot that nothing has confirmed, with a timer or without one."""
    words = bounded_read.words(boot.command_line.replace("\n", " "))
    pending = any(word.startswith(PENDING) for word in words)
    return not boot.confirmed and (pending or trial_of(boot.command_line) is not None)


def _of_trial(boot: Boot, release: str, image: str) -> Optional[Decision]:
    """What a trial boot of the host, now or scheduled, decides; None if there is none."""
    same = boot.record.get("image") == image
    running = trial_of(boot.command_line)
    if running is not None and not boot.confirmed:
        if boot.verified and same and running == release:
            return Decision("finish", f"this is the trial boot of {release}")
        return Decision(
            "trial", f"this is the trial boot of {shown(running)}, which ends by itself"
        )
    if not same or boot.record.get("confirmed"):
        return None
    if f"{PENDING}{release}" in bounded_read.words(boot.command_line.replace("\n", " ")):
        return Decision("finish", f"this is the trial boot of {release}")
    if failed_builds.begun(boot.record) == (image, boot.boot_id):
        return Decision("pending", f"the next boot is the trial boot of {release}")
    return None


def _failure(boot: Boot, image: str, now: float) -> str:
    """Why the trial boot of this build has failed; empty if it has not.

    A panic or a hang leaves no trace but that another kernel runs: no run has recorded it yet.
    """
    facts = {"release": boot.release, "boot_id": boot.boot_id, "trial_report": boot.report}
    day = time.strftime("%Y-%m-%d", time.gmtime(now))
    found = failed_builds.failure_of(failed_builds.settled(boot.record, facts, day), image)
    return "" if found is None else found["reason"] or "the reason is not recorded"


def _was_left(boot: Boot, release: str, image: str) -> bool:
    """Whether somebody has rolled the host back from this build.

    Nothing else of a record tells it: a build that was interrupted during its installation is not
    confirmed either. While the build runs, the rollback is still to come, or it failed.
    """
    return boot.record.get("left") == image and boot.release != release


def decide(
    boot: Boot,
    published: Mapping[str, Any],
    plan: rollout.Rollout,
    its_place: int,
    now: float,
    *,
    retry: bool = False,
) -> Decision:
    """`published`: the description. `retry`: try a build again whose trial boot failed here."""
    release, version = str(published["release"]), str(published["version"])
    image = failed_builds.image_of(release, version)
    if found := _of_trial(boot, release, image):
        return found
    if plan.stopped:
        return Decision("stopped", f"the rollout of {version} is stopped")
    turn = rollout.turn(plan, its_place, now)
    if not turn.come:
        until = (
            f"the turn of this host comes at {when(turn.at)}"
            if turn.at is not None
            else "no step of it has a turn for this host"
        )
        return Decision("waiting", f"the rollout of {version} grows: {until}")
    if not retry and _was_left(boot, release, image):
        return Decision(
            "left", f"{version} was confirmed here and then rolled back: it is not booted again"
        )
    if not retry and (reason := _failure(boot, image, now)):
        reason = shown(reason.strip().rstrip("."))
        return Decision(
            "failed",
            f"the trial boot of {version} ended here without a confirmation ({reason}): it is not "
            "tried again",
        )
    return Decision("due", f"the turn of this host has come for {version}")
