# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is asked of the other playbooks, on a host that deploy.yml has been at.

Each runs one and says what is not as it should be; which kernel has to run then, and that it is
the default, is the table's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Callable, Protocol

# What GRUB prints for each kernel that it starts.
# What the role trial reports of a reboot without kexec (boot_entry/load_kexec.yml).
NO_KEXEC = "reboots through firmware and boot loader"
GRUB_SAYS = "Loading Linux "

# A listing, as listing.py prints it: by kind, by name.
Listing = dict[str, dict[str, str]]


class Finished(Protocol):
    """A playbook that has ended."""

    status: int

    def text(self) -> str: ...


class Host(Protocol):
    """The host, and who runs playbooks against it."""

    def shell(self, script: str) -> str: ...

    def play(self, playbook: str, **variables: Any) -> Finished: ...

    def listing(self, *kinds: str) -> Listing: ...

    def serial(self) -> str: ...

    def put_kexec(self) -> None: ...

    def reboot(self) -> None: ...

    # That of the host before anything was done to it.
    stock: Listing


def changed(text: str) -> int:
    """How many tasks of the target have changed something, as the recapitulation counts them."""
    found = re.findall(r"^faulty +: .*changed=(\d+)", text, re.MULTILINE)
    return int(found[-1]) if found else -1


def differences(before: Listing, after: Listing) -> list[str]:
    """What one has and the other has not, or has otherwise."""

    def of(kind: str) -> Iterator[str]:
        old, new = before.get(kind, {}), after.get(kind, {})
        for name in sorted(old.keys() | new.keys()):
            if old.get(name) != new.get(name):
                yield f"{kind}: {name}: {old.get(name, 'none')} was, {new.get(name, 'none')} is"

    return [line for kind in sorted(before.keys() | after.keys()) for line in of(kind)]


def shortened(lines: list[str], count: int = 8) -> list[str]:
    """As many of them as a table bears."""
    more = [f"and {len(lines) - count} more"] if len(lines) > count else []
    return [*lines[:count], *more]


def once(host: Host, playbook: str, **variables: Any) -> list[str]:
    """Run it until there is nothing more to do, which is after once."""
    first = host.play(playbook, **variables)
    if first.status != 0:
        return [f"{playbook} failed"]
    found = [] if changed(first.text()) > 0 else [f"{playbook} has changed nothing"]
    second = host.play(playbook, **variables)
    if second.status != 0 or changed(second.text()) != 0:
        found.append(f"a second {playbook} changed {changed(second.text())}, not 0")
    return found


def failed_units(host: Host) -> list[str]:
    units = host.listing("failed units")["failed units"]
    return [f"{name} has failed" for name in units if name not in host.stock["failed units"]]


def rollback(host: Host) -> list[str]:
    return [*once(host, "rollback.yml"), *failed_units(host)]


def rollback_panics(host: Host) -> list[str]:
    """To a kernel that does not come up: the one that ran stays."""
    if host.play("rollback.yml").status == 0:
        return ["rollback.yml has not failed"]
    return []


def remove(host: Host) -> list[str]:
    found = once(host, "remove.yml")
    return [*found, *shortened(differences(host.stock, host.listing()))]


# Kernels of the collection, as far as the host can tell; the second is installed last.
OLDER = ("6.0.1-oslab", "6.0.2-oslab")
MAKE_OLDER = r"""
set -e
for release in {releases}; do
    place="$(mktemp -d)"
    mkdir -p "$place/DEBIAN" "$place/boot" "$place/lib/modules/$release"
    cp "/boot/vmlinuz-$(uname -r)" "$place/boot/vmlinuz-$release"
    cp "/boot/config-$(uname -r)" "$place/boot/config-$release"
    echo '{{}}' >"$place/lib/modules/$release/oslab-kernel.json"
    cat >"$place/DEBIAN/control" <<END
Package: linux-image-$release
Version: $release-oslab1.0123456789ab
Architecture: amd64
Maintainer: nobody <nobody@example.org>
Description: a kernel
END
    dpkg-deb -Znone -b "$place" /root/keep/older.deb >/dev/null
    dpkg -i /root/keep/older.deb >/dev/null
    sleep 1
done
update-grub 2>/dev/null
"""


def keep(host: Host) -> list[str]:
    """Of three kernels of the collection the one that runs stays, and the one installed last."""
    host.shell(MAKE_OLDER.format(releases=" ".join(OLDER)))
    before = host.listing("packages")["packages"]
    if host.play("deploy.yml", install_keep=1).status != 0:
        return ["deploy.yml failed"]
    gone = sorted(before.keys() - host.listing("packages")["packages"].keys())
    expected = [f"linux-image-{OLDER[0]}"]
    found = [] if gone == expected else [f"{gone or 'nothing'} was removed, not {expected}"]
    left = host.shell(f"ls -d /boot/*-{OLDER[0]} /lib/modules/{OLDER[0]} 2>/dev/null || true")
    if left:
        found.append(f"there still is {left.split()}")
    return found


def kexec(host: Host) -> list[str]:
    """The trial boot without GRUB. What ends it is a full reboot, into the fallback kernel."""
    host.put_kexec()
    host.shell("tar -C / --keep-directory-symlink -xf /root/kexec.tar; ldconfig; kexec --version")
    before = host.serial().count(GRUB_SAYS)
    failed = host.play("deploy.yml", trial_kexec=True, trial_health_checks=["/bin/false"])
    if failed.status == 0 or NO_KEXEC in failed.text():
        return ["the trial was no failure, or not by kexec"]
    between = host.serial().count(GRUB_SAYS)
    # One start by GRUB: the fallback kernel.
    found = [] if between == before + 1 else [f"GRUB started {between - before} kernels, not 1"]
    if host.play("deploy.yml", trial_kexec=True).status != 0:
        return [*found, "deploy.yml failed"]
    if host.serial().count(GRUB_SAYS) != between:
        found.append("the second trial went through GRUB")
    return found


# From Debian 13 on, this unit writes it anew at each boot, as it was.
BLOCK = """
[ -e /lib/systemd/system/grub-common.service ] || stat -c '%Y %Z' /boot/grub/grubenv
sha256sum /boot/grub/grubenv
"""


def confirmed(host: Host) -> list[str]:
    """A good kernel, which GRUB starts by itself after that."""
    found = once(host, "deploy.yml")
    before = host.serial().count(GRUB_SAYS)
    host.reboot()
    if host.serial().count(GRUB_SAYS) != before + 1:
        found.append("the reboot did not go through GRUB")
    return [*found, *failed_units(host)]


def confirmed_pinned(host: Host) -> list[str]:
    """The same where kexec starts the trial boot; GRUB's environment block is as it was."""
    block, before = host.shell(BLOCK), host.serial().count(GRUB_SAYS)
    found = confirmed(host)
    if host.serial().count(GRUB_SAYS) != before + 1:
        found.append("the trial boot went through GRUB")
    if host.shell(BLOCK) != block:
        found.append("the environment block was written")
    return found


# The first four bytes of a variable are its attributes.
VARIABLE = "/sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


def confirmed_secure(host: Host) -> list[str]:
    """The same with Secure Boot, which is still on in the new kernel."""
    found = confirmed(host)
    if host.shell(f"od -An -t u1 -j 4 {VARIABLE}").strip() != "1":
        found.append("Secure Boot is off")
    return found


CASES: dict[str, Callable[[Any], list[str]]] = {
    "rollback": rollback,
    "rollback-panics": rollback_panics,
    "remove": remove,
    "keep": keep,
    "kexec": kexec,
    "confirmed": confirmed,
    "confirmed-pinned": confirmed_pinned,
    "confirmed-secure": confirmed_secure,
}
