# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Gather what a host runs and what a kernel for it must have. Only reads."""

from __future__ import annotations

import contextlib
import os
import platform
import re
import shlex
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._boot import efi_variables
from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    boot_id,
    bounded_read,
    own_packages,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    manifest as kernel_manifest,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.bounded_read import lines, words
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Runner
from ansible_collections.oslab.kernel.plugins.module_utils._host import failed_builds
from ansible_collections.oslab.kernel.plugins.module_utils._host.boot_space import (
    boot_facts,
    loader_directory,
)
from ansible_collections.oslab.kernel.plugins.module_utils._host.devices import (
    ModuleIndex,
    canonical,
    essential_modules,
    is_there,
    parse_mounts,
    read,
)
from ansible_collections.oslab.kernel.plugins.module_utils._host.dkms import dkms_facts
from ansible_collections.oslab.kernel.plugins.module_utils._host.packages import (
    INSTALL_RECORD,
    parse_packages,
    query_packages,
)
from ansible_collections.oslab.kernel.plugins.module_utils._host.readiness import pending_facts
from ansible_collections.oslab.kernel.plugins.module_utils._host.secure_boot import (
    trusted_certificates,
)
from ansible_collections.oslab.kernel.plugins.module_utils._host.trial import (
    outcome as trial_outcome,
)
from ansible_collections.oslab.kernel.plugins.module_utils._host.trial import (
    systemd_version,
    trial_facts,
)

# Of what describes a kernel or its installation: some KiB.
_LARGEST_RECORD = 1 << 20
# A configuration has some 300 KiB.
_LARGEST_CONFIG = 16 << 20
_NO_PACKAGES: dict[str, Any] = {
    "packages": {},
    "packages_unfinished": [],
    "packages_held": [],
    "oslab_packages": {},
}


class Host(NamedTuple):
    """The host to read; unit tests pass a directory and functions of their own."""

    run: Runner
    root: Path = Path("/")
    machine: Callable[[], str] = platform.machine
    statvfs: Callable[[str], Any] = os.statvfs
    time: Callable[[], float] = time.time


def parse_os_release(text: str) -> dict[str, str]:
    """Variable -> value; a value that no shell would read stands as it is written."""
    values = {}
    for line in lines(text):
        name, separator, value = line.strip().partition("=")
        if separator and not name.startswith("#"):
            try:
                values[name] = "".join(shlex.split(value))
            except ValueError:
                values[name] = value
    return values


def _efi(root: Path) -> bool:
    """Whether the machine was started by EFI."""
    return (root / efi_variables.DIRECTORY).parent.is_dir()


def _secure_boot(root: Path) -> bool | None:
    """False without EFI; None where EFI does not report it."""
    if not _efi(root):
        return False
    value = efi_variables.value(root / efi_variables.DIRECTORY, "SecureBoot", efi_variables.GLOBAL)
    return bool(value[0]) if value else None


def _uptime(text: str) -> int:
    """Whole seconds of /proc/uptime; 0 for what is none."""
    found = re.match(r"([0-9]{1,10})[. ]", text)
    return int(found[1]) if found else 0


def _container(root: Path) -> bool:
    marks = ("run/systemd/container", ".dockerenv", "run/.containerenv")
    if any((root / mark).exists() for mark in marks):
        return True
    environment = read(root / "proc/1/environ").split("\0")
    return any(entry.startswith("container=") for entry in environment)


def _object(path: Path, without: str, warnings: list[str]) -> dict[str, Any] | None:
    """A JSON object; None, with a warning that names the consequence, if the file holds none."""
    if not is_there(path):
        return None
    try:
        return bounded_read.json_object(path, _LARGEST_RECORD)
    except (OSError, ValueError) as error:
        warnings.append(f"{path} cannot be read, so {without}: {error}")
        return None


def dpkg_facts(run: Runner, packages: Sequence[str]) -> dict[str, Any]:
    """Of all that dpkg has heard of: versions of `packages`, and what is not as it should be."""
    known = parse_packages(run(query_packages()).out_if_ok)
    return {
        "packages": {
            one.name: one.version for one in known if one.name in packages and one.installed
        },
        # As `dpkg --audit` sees it.
        "packages_unfinished": sorted(
            one.name
            for one in known
            if one.error != "ok" or one.status not in ("installed", "config-files", "not-installed")
        ),
        "oslab_packages": {
            one.name: one.version
            for one in known
            if own_packages.is_ours(one.version) and one.status != "config-files"
        },
        "packages_held": sorted(one.name for one in known if one.want == "hold"),
    }


def oslab_releases(root: Path) -> list[str]:
    """Our kernels, the one that was installed last first."""
    manifests = []
    for manifest in kernel_manifest.find(root):
        with contextlib.suppress(OSError):  # gone meanwhile, or a link that leads nowhere
            # dpkg keeps the time of the package's making; that of the inode is the installation's.
            manifests.append((manifest.stat().st_ctime_ns, manifest.parent.name))
    return [name for _time, name in sorted(manifests, reverse=True)]


def install_record(root: Path, warnings: list[str]) -> dict[str, Any] | None:
    found = _object(
        root / INSTALL_RECORD, "the kernel counts as not yet booted from its packages", warnings
    )
    return None if found is None else failed_builds.with_outcome(found, trial_outcome(root))


def _sum(path: Path, warnings: list[str], limit: int = bounded_read.HASHED) -> Optional[str]:
    """sha256 of a file; None if it is not there, with a warning if something else is."""
    if not is_there(path):
        return None
    try:
        return bounded_read.sha256(path, limit)
    except OSError as error:
        warnings.append(f"{path} counts as not there: {error.strerror}")
        return None


def gather(
    host: Host, packages: Sequence[str] = (), files: Sequence[str] = ()
) -> tuple[dict[str, Any], list[str]]:
    """The facts, and warnings about what was there but could not be read."""
    root = host.root
    warnings: list[str] = []
    proc, sysfs = root / "proc", root / "sys"
    release = read(proc / "sys/kernel/osrelease").strip()
    modules_dir = root / "lib/modules" / release
    os_release = parse_os_release(
        read(root / "etc/os-release") or read(root / "usr/lib/os-release")
    )
    boot_config = root / "boot" / f"config-{release}"
    config_sha256 = _sum(boot_config, warnings, _LARGEST_CONFIG)
    loaded_from = loader_directory(root, host.run)
    free_kib = {}
    for directory in filter(None, ("/boot", "/", loaded_from)):
        try:
            stats = host.statvfs(str(root / directory.lstrip("/")))
        except OSError:
            continue
        free_kib[directory] = stats.f_bavail * stats.f_frsize // 1024
    loaded = sorted(
        canonical(words(line)[0]) for line in lines(read(proc / "modules")) if words(line)
    )
    trial = trial_facts(root)
    mounts = parse_mounts(read(proc / "self/mountinfo"))
    facts = {
        "release": release,
        "sysname": read(proc / "sys/kernel/ostype").strip(),
        "boot_id": read(root / boot_id.PATH).strip(),
        "machine": host.machine(),
        "os_name": os_release.get("PRETTY_NAME", ""),
        "os_id": os_release.get("ID", ""),
        "os_version_id": os_release.get("VERSION_ID", ""),
        "dpkg_architecture": host.run(["dpkg", "--print-architecture"]).out_if_ok.strip() or None,
        "boot_config": str(boot_config) if config_sha256 else None,
        "boot_config_sha256": config_sha256,
        "modules": loaded,
        "essential_modules": essential_modules(
            sysfs,
            mounts,
            ModuleIndex(modules_dir),
            read(proc / "crypto"),
        ),
        "oslab": _object(
            modules_dir / kernel_manifest.NAME, "the kernel counts as not ours", warnings
        ),
        "oslab_releases": oslab_releases(root),
        **(dpkg_facts(host.run, packages) if packages else _NO_PACKAGES),
        "files": {name: _sum(root / name.lstrip("/"), warnings) for name in files},
        "install_record": install_record(root, warnings),
        "root_filesystem": mounts["/"].fstype if "/" in mounts else "",
        "root_device": mounts["/"].source if "/" in mounts else "",
        "efi": _efi(root),
        "secure_boot": _secure_boot(root),
        "trusted_certificates": trusted_certificates(root),
        "free_kib": free_kib,
        "loader_directory": loaded_from,
        **boot_facts(root),
        **trial,
        "systemd_version": (
            systemd_version(host.run(["systemctl", "--version"]).out_if_ok)
            if trial["systemd"]
            else 0
        ),
        **pending_facts(root, host.time()),
        "uptime": _uptime(read(proc / "uptime")),
        **dkms_facts(root),
        "container": _container(root),
    }
    return facts, warnings
