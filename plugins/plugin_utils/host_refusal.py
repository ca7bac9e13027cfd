# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a kernel is not installed on a host, before anything is changed there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._host import failed_builds, secure_boot

MACHINE = "machine"
ARCHITECTURE = "architecture"
SECURE_BOOT = "Secure Boot"
INITRD = "initrd"
HELD = "held packages"
TOPICS = (MACHINE, ARCHITECTURE, SECURE_BOOT, INITRD, HELD)


def refusal(
    facts: Mapping[str, Any],
    host: str,
    missing: Sequence[str],
    signer: Optional[Mapping[str, str]],
    image: str = "",
    topics: Sequence[str] = (),
) -> str:
    """The first reason, with what to do; empty if there is none.

    :param facts: the answer of the module host_kernel_info.
    :param missing: packages to install, as name=version.
    :param signer: certificate of the image, as in the manifest of a build.
    :param image: the kernel's package, as name=version; empty if it is tried again even if an
        earlier trial boot of it failed on this host.
    :param topics: those of TOPICS that count; all if there are none.
    """
    failed = _failed_before(facts.get("install_record") or {}, host, image)
    found = reasons(facts, host, missing, signer)
    return next((text for topic, text in found if not topics or topic in topics), failed)


def _failed_before(record: Mapping[str, Any], host: str, image: str) -> str:
    failure = failed_builds.failure_of(record, image) if image else None
    if failure is None:
        return ""
    reason = (failure["reason"] or "the reason is not recorded").strip().rstrip(".")
    return (
        f"{host} has failed in its trial boot of this build ({image.partition('=')[2]}) on "
        f"{failure['date'] or 'an unknown day'}: {reason}. The build is not tried there again. "
        "Deploy another one, or set install_retry_failed to true."
    )


def reasons(
    facts: Mapping[str, Any], host: str, missing: Sequence[str], signer: Optional[Mapping[str, str]]
) -> Iterator[tuple[str, str]]:
    """All of them, each with its topic, which is one of TOPICS."""
    if facts.get("container"):
        yield (
            MACHINE,
            f"{host} is a container and runs its host's kernel. Remove it from kernel_targets.",
        )
    if facts.get("xen_dom0"):
        yield (
            MACHINE,
            f"{host} is a Xen host (dom0). Its trial boot and its fallback kernel would be started "
            "without Xen, and its guests would not run. Remove it from kernel_targets, or boot it "
            "without Xen first.",
        )
    machine, architecture = facts.get("machine"), facts.get("dpkg_architecture")
    if (machine, architecture) != ("x86_64", "amd64"):
        yield (
            ARCHITECTURE,
            f"{host} is {machine} with packages for {architecture or 'no Debian architecture'}; "
            "the kernel is for x86_64 with amd64.",
        )
    untrusted = secure_boot.problem(host, facts, signer)
    if untrusted:
        yield SECURE_BOOT, untrusted
    if not missing:
        return
    if facts.get("initrd_program") is None:
        yield (
            INITRD,
            f"{host} has neither initramfs-tools nor dracut. Without an initrd the kernel would "
            "not find its root disk; install initramfs-tools there.",
        )
    wanted = [package.partition("=")[0] for package in missing]
    held = [name for name in wanted if name in (facts.get("packages_held") or [])]
    if held:
        yield (
            HELD,
            f"{host} holds {', '.join(held)}, of which another version is wanted. Run "
            f"`apt-mark unhold {' '.join(held)}`, or remove the host from kernel_targets.",
        )
