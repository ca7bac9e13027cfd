# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to the host, one after the other, and how it has to be then."""

from __future__ import annotations

import contextlib
import re
import subprocess
from dataclasses import dataclass, field
from typing import Any, Callable, Protocol

from ansible_collections.oslab.kernel.tests.system.faults import cases

LEFT_OUT = re.compile(
    # It changes with each boot, and is gone with it.
    r"/boot/efi/loader/random-seed|systemd-bless-boot\.service: static"
    # GRUB is there, too, and its own hook writes what nobody reads: that it is UEFI now.
    r"|/boot/grub/grub\.cfg"
    # What is said to stay, and what a stage put there.
    r"|/etc/kernel/(cmdline|tries)"
)


class Host(cases.Host, Protocol):
    """The host, and what is to be known of it."""

    release: str

    def look(self) -> dict[str, Any]: ...

    def wait(self) -> None: ...

    def put_modules(self) -> None: ...

    def arguments(self, more: tuple[str, ...]) -> list[str]: ...


@dataclass
class Found:
    """How it went."""

    observed: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)


def judge(host: Host, found: Found, new: bool) -> dict[str, Any]:
    """It runs this kernel, which is what systemd-boot starts if nobody does anything."""
    host.wait()
    seen = host.look()
    found.observed.append(f"runs {seen['release']} by {seen['selected']},")
    found.observed.append(f"default {' '.join(seen['default']) or 'none'}.")
    wrong = {
        "another kernel runs": (seen["release"] == host.release) != new,
        "the default is another one": seen["default"] != [seen["release"]],
        f"the default lacks {seen['lacking']}": seen["lacking"],
        f"{seen['next']} is to be booted next": seen["next"],
        f"the trial boot has left {seen['entries']}": any(
            "trial" in name for name in seen["entries"]
        ),
        "the arguments of a trial boot are in an entry": "oslab.trial" in str(seen["options"]),
        "it was not loaded by systemd-boot": not seen["loader"].startswith("systemd-boot"),
    }
    found.problems += [text for text, is_so in wrong.items() if is_so]
    return seen


def failing(host: Host, found: Found, **variables: Any) -> None:
    """A deployment that has to end with the fallback kernel."""
    before = host.look()["boot_id"]
    run = host.play("deploy.yml", **variables)
    if run.status == 0:
        found.problems.append("the playbook calls that a success")
    if judge(host, found, new=False)["boot_id"] == before:
        found.problems.append("it was never rebooted")


# What the host is like, how that is undone, and what has to be said.
REFUSED = (
    ("umount /boot/efi", "mount /boot/efi", "The ESP is not found, or not mounted"),
    (
        "mount -o remount,ro /sys/firmware/efi/efivars",
        "mount -o remount,rw /sys/firmware/efi/efivars",
        "efivars is mounted read-only. Mount it read-write",
    ),
    (
        "mv /boot/efi/loader/entries/*.conf /root/keep/",
        "mv /root/keep/*.conf /boot/efi/loader/entries/",
        "has no entry of systemd-boot; there are entries for none",
    ),
)


def refused(host: Host) -> Found:
    """It could not recover from a trial boot, and nothing is done to it."""
    found = Found()
    for inject, heal, message in REFUSED:
        host.shell(inject)
        run = host.play("deploy.yml")
        if run.status == 0 or message not in " ".join(run.text().split()):
            found.problems.append(f"after `{inject}` the playbook does not say: {message}")
        host.shell(f"{heal}; sync")
    after = host.listing("packages", "units")
    found.problems += cases.differences({kind: host.stock[kind] for kind in after}, after)
    return found


def health(host: Host) -> Found:
    """A check of the host's health fails."""
    found = Found()
    failing(host, found, trial_health_checks=["/bin/false"], trial_health_timeout=5)
    # systemd would have said that of a boot whose entry is counted.
    if "Mark the Current Boot Loader Entry as Good" in host.serial():
        found.problems.append("systemd has called the trial boot a good one")
    return found


def init_ends(host: Host) -> Found:
    """A kernel that panics, as it has no init."""
    found = Found()
    failing(host, found, trial_arguments=host.arguments(("init=/bin/true",)))
    if "Kernel panic" not in host.serial():
        found.problems.append("there was no panic")
    return found


def update_in_trial(host: Host) -> Found:
    """A good kernel, whose entry is made anew in its trial boot, with the arguments of that."""
    found = confirmed(host)
    host.shell('update-initramfs -u -k "$(uname -r)" >/dev/null 2>&1; sync')
    judge(host, found, new=True)
    return found


def confirmed(host: Host) -> Found:
    """A good kernel, and a second run that finds nothing to do."""
    found = Found()
    found.problems += cases.once(host, "deploy.yml")
    seen = judge(host, found, new=True)
    if not seen["record"].get("confirmed"):
        found.problems.append("it is not recorded as confirmed")
    return found


def reboots(host: Host) -> Found:
    """An ordinary reboot of the kernel that was confirmed."""
    found = Found()
    before = host.look()["boot_id"]
    with contextlib.suppress(subprocess.SubprocessError):
        host.shell("systemctl reboot --no-block; sleep 120")
    seen = judge(host, found, new=True)
    if seen["boot_id"] == before or seen["trial"]:
        found.problems.append("that was no ordinary reboot")
    return found


def rollback(host: Host) -> Found:
    """Back to the previous kernel, which is confirmed then."""
    found = Found()
    found.problems += cases.once(host, "rollback.yml")
    judge(host, found, new=False)
    return found


def remove(host: Host) -> Found:
    """Nothing of ours is left."""
    found = Found()
    found.problems += cases.once(host, "remove.yml")
    host.wait()
    seen = host.look()
    found.observed.append(f"runs {seen['release']}; entries: {' '.join(seen['entries'])}.")
    if seen["default"] or len(seen["entries"]) != 1 or host.release in str(seen["entries"]):
        found.problems.append("systemd-boot is not as it was")
    found.problems += cases.shortened(
        [
            line
            for line in cases.differences(host.stock, host.listing())
            if not LEFT_OUT.search(line)
        ]
    )
    return found


def counted(host: Host) -> Found:
    """The host counts the boots of each new kernel: /etc/kernel/tries."""
    host.shell("echo 3 >/etc/kernel/tries; sync")
    # Removed with all else of that kernel.
    host.put_modules()
    found = confirmed(host)
    name = next((name for name in host.look()["entries"] if host.release in name), "")
    if "+" in name:
        found.problems.append(f"{name} still has tries left, as one that is not confirmed")
    return found


STAGES: dict[str, Callable[[Any], Found]] = {
    "refused": refused,
    "health": health,
    "init-ends": init_ends,
    "confirmed": update_in_trial,
    "reboots": reboots,
    "rollback": rollback,
    "remove": remove,
    "counted": counted,
    "remove-new": remove,
}
