# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host that pulls does in each state that its files can tell of."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._host import pull
from ansible_collections.oslab.kernel.plugins.module_utils._repository.rollout import Rollout, Step

RELEASE, VERSION = "6.12.117-49-usac1", "6.12.117-oslab1.0123456789ab"
IMAGE = f"linux-image-{RELEASE}={VERSION}"
PUBLISHED = {"release": RELEASE, "version": VERSION}
BOOT = "11111111-2222-3333-4444-555555555555"
START = 1_800_000_000
STEPS = (Step(100, 0), Step(10_000, 86_400))
FAILURE = {"image": IMAGE, "reason": "a check failed"}


def decide(root: Path, its_place: int = 0, now: int = START, **options: Any) -> str:
    retry = options.pop("retry", False)
    plan = Rollout(options.pop("steps", STEPS), START, options.pop("stopped", False))
    assert not options
    found = pull.decide(pull.read(root), PUBLISHED, plan, its_place, now, retry=retry)
    assert found.text
    assert found.goes_on is (found.state in ("due", "finish"))
    return found.state


class Host:
    def __init__(self, root: Path) -> None:
        self.root = root
        self.boots()

    def put(self, name: str, text: str) -> None:
        path = self.root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)

    def boots(self, *words: str, boot: str = BOOT, release: str = "6.1.0-38-amd64") -> None:
        self.put("proc/cmdline", f"ro quiet {' '.join(words)}\n")
        self.put("proc/sys/kernel/osrelease", f"{release}\n")
        self.put("proc/sys/kernel/random/boot_id", f"{boot}\n")

    def installed(self, image: str = IMAGE, **more: Any) -> None:
        record = {"image": image, "complete": True, "confirmed": False, **more}
        self.put("var/lib/oslab-kernel/install.json", json.dumps(record))

    def scheduled(self, image: str = IMAGE, boot: str = BOOT, **more: Any) -> None:
        """As the role trial records it, last of all, on a host that finishes by itself."""
        trial = {"image": image, "boot_id": boot, "unwatched": False, "finishes": True}
        self.installed(image, trial_boot={**trial, **more})
        self.outcome("scheduled", boot)

    def outcome(self, state: str, detail: str = BOOT, release: str = RELEASE) -> None:
        self.put("etc/oslab-kernel/trial-outcome", f"{release} {state} {detail}\n")

    def report(self, *lines: str) -> None:
        first = f"{RELEASE} was not confirmed within 600 s"
        self.put("var/lib/oslab-kernel/trial-return.txt", "\n".join([first, *lines, ""]))


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(tmp_path)


def test_a_host_that_has_nothing_yet(host: Host) -> None:
    assert decide(host.root) == "due"
    assert decide(host.root, 100) == "waiting"
    assert decide(host.root, 100, START + 86_400) == "due"
    assert decide(host.root, 9999, steps=STEPS[:1]) == "waiting"
    assert decide(host.root, 9999, steps=()) == "due"
    assert decide(host.root, stopped=True) == "stopped"


def test_it_says_when_its_turn_comes(host: Host) -> None:
    plan = Rollout(STEPS, START)
    found = pull.decide(pull.read(host.root), PUBLISHED, plan, 100, START)
    assert found.text.endswith("the turn of this host comes at 2027-01-16 08:00 UTC")


def test_a_trial_boot_that_is_scheduled_is_left_alone(host: Host) -> None:
    host.scheduled()
    assert decide(host.root) == "pending"
    assert decide(host.root, stopped=True) == "pending"
    # Another build is published meanwhile: that one is deployed.
    host.installed(image=f"linux-image-{RELEASE}=6.12.117-oslab1.aaaaaaaaaaaa")
    assert decide(host.root) == "due"


def test_a_trial_boot_is_left_alone_until_the_host_finishes_it(host: Host) -> None:
    host.scheduled()
    host.boots(f"oslab.trial={RELEASE}", boot="another")
    assert decide(host.root) == "trial"
    host.put("run/oslab-trial.verified", "")
    # Also if it would not begin any more.
    assert decide(host.root) == "finish"
    assert decide(host.root, 9999, stopped=True) == "finish"
    # Another build of the same release was published meanwhile.
    host.installed(image=f"linux-image-{RELEASE}=6.12.117-oslab1.aaaaaaaaaaaa")
    assert decide(host.root) == "trial"
    host.boots("oslab.trial=6.1-other", boot="another")
    host.installed()
    assert decide(host.root) == "trial"


def test_a_confirmed_kernel_still_has_the_marks_of_its_trial_boot(host: Host) -> None:
    host.installed(confirmed=True)
    host.outcome("confirmed", "2026-11-29")
    host.boots(f"oslab.trial={RELEASE}", boot="another")
    host.put("run/oslab-trial.confirmed", "")
    assert decide(host.root) == "due"
    assert decide(host.root, 9999) == "waiting"


# As the rollback has been confirmed, or before, on a host that is its own control node.
@pytest.mark.parametrize("confirmed", [False, True])
def test_a_build_that_somebody_rolled_back_from_is_left(host: Host, confirmed: bool) -> None:
    host.installed(confirmed=confirmed, left=IMAGE)
    host.boots(boot="another")
    assert decide(host.root) == "left"
    assert decide(host.root, retry=True) == "due"
    # It was not rebooted, or it is back.
    host.boots(boot="another", release=RELEASE)
    assert decide(host.root) == "due"
    host.boots(boot="another")
    # The next build is another matter.
    host.installed(image="linux-image-6.1=1", left="linux-image-6.1=1")
    assert decide(host.root) == "due"
    host.installed(left="linux-image-6.1=1")
    assert decide(host.root) == "due"


@pytest.mark.parametrize("complete", [False, True])
@pytest.mark.parametrize("release", [RELEASE, "6.12.0-earlier"])
def test_an_installation_that_was_interrupted_goes_on(
    host: Host, release: str, complete: bool
) -> None:
    """The record names the build before its packages are there; an earlier one was confirmed."""
    host.installed(complete=complete)
    host.put("etc/oslab-kernel/trial-outcome", f"{release} confirmed 2026-11-29\n")
    host.boots(boot="another")
    assert decide(host.root) == "due"


def test_a_trial_boot_without_a_timer_is_finished(host: Host) -> None:
    host.installed()
    host.boots(f"oslab.pending={RELEASE}", boot="another")
    assert decide(host.root, 9999, stopped=True) == "finish"
    host.installed(confirmed=True)
    assert decide(host.root, stopped=True) == "stopped"


def test_a_trial_boot_that_ended_by_itself_is_not_repeated(host: Host) -> None:
    host.scheduled()
    host.boots(boot="another")
    assert decide(host.root) == "failed"
    assert decide(host.root, retry=True) == "due"
    # No failure of a run that would not begin.
    assert decide(host.root, 9999) == "waiting"
    assert decide(host.root, stopped=True) == "stopped"
    # The rollback timer ended it, before a run on the host began.
    host.report("failed units:")
    assert decide(host.root) == "failed"
    # Another build was tried.
    host.installed(image="linux-image-6.1=1")
    assert decide(host.root) == "due"
    # It was confirmed, by another run.
    host.installed(confirmed=True)
    assert decide(host.root) == "due"


def test_a_build_that_failed_stays_refused_after_others(host: Host) -> None:
    for failures in ({"failure": FAILURE}, {"failures": [{"image": "linux-image-6.1=1"}, FAILURE]}):
        host.installed(**failures)
        assert decide(host.root) == "failed"
        assert decide(host.root, retry=True) == "due"
        host.installed(image="linux-image-6.1=1", confirmed=True, **failures)
        assert decide(host.root) == "failed"


def test_a_trial_boot_that_was_taken_back_is_prepared_again(host: Host) -> None:
    """Or that was never asked for: what says that it comes is written last."""
    host.installed(trial_boot={})
    assert decide(host.root) == "due"
    host.boots(boot="another")
    assert decide(host.root) == "due"
    host.outcome("scheduled")
    assert decide(host.root) == "due"


def test_a_kexec_that_never_came_is_no_failure(host: Host) -> None:
    """An ordinary reboot, a power cut in the minute before it, or somebody stopped it."""
    host.scheduled(unwatched=True)
    assert decide(host.root) == "pending"
    host.boots(boot="another")
    assert decide(host.root) == "due"
    # The host left for it.
    host.outcome("begun")
    assert decide(host.root) == "failed"
    # Of an earlier trial boot, or of another kernel.
    host.outcome("begun", "earlier")
    assert decide(host.root) == "due"
    host.outcome("begun", release="6.1-other")
    assert decide(host.root) == "due"


def test_a_trial_boot_that_no_run_has_judged_is_repeated(host: Host) -> None:
    unjudged = "the run on the host, which has not judged the kernel:"
    host.scheduled()
    host.boots(boot="another")
    host.report(unjudged, "the repository did not answer", "failed units:")
    assert decide(host.root) == "due"
    host.report("the verification on the host:", "a check failed", "failed units:")
    assert decide(host.root) == "failed"


@pytest.mark.parametrize("text", ["", "[]", "{", '{"image": [], "failure": 1, "confirmed": {}}'])
def test_files_that_are_none_of_ours(host: Host, text: str) -> None:
    for name in ("var/lib/oslab-kernel/install.json", "etc/oslab-kernel/trial-outcome"):
        host.put(name, text)
    assert decide(host.root) == "due"
