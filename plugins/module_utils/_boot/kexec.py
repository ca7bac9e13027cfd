# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The arguments with which kexec starts a kernel as the boot loader would."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ansible_collections.oslab.kernel.plugins.module_utils._host.devices import read

LOADED = "sys/kernel/kexec_loaded"
LOCKDOWN = "sys/kernel/security/lockdown"
# Settings of sysctl that only get stricter, each with the value that forbids a load.
FORBIDDEN = {"kexec_load_disabled": "1", "kexec_load_limit_reboot": "0"}


class KexecError(Exception):
    """kexec cannot do what the loader does; the text says why."""


@dataclass(frozen=True)
class Image:
    kernel: Path
    initrd: Path
    arguments: tuple[str, ...]

    def load(self) -> list[str]:
        """The command, as kexec-tools has it."""
        return [
            "kexec",
            "--load",
            str(self.kernel),
            f"--initrd={self.initrd}",
            f"--command-line={' '.join(map(_quoted, self.arguments))}",
        ]


def _quoted(word: str) -> str:
    """As the kernel reads it, and loaders write it."""
    return f'"{word}"' if " " in word else word


def problem(root: Path = Path("/")) -> tuple[str, str]:
    """Why a host can start no kernel by kexec, and what to do about it; both are empty if it can.

    What the kernel alone knows shows when one is loaded.
    """
    # What no package mends comes first.
    if not (root / LOADED).exists():
        return "its kernel has no kexec", "Boot a kernel with CONFIG_KEXEC"
    if any(f"[{level}]" in read(root / LOCKDOWN) for level in ("integrity", "confidentiality")):
        return (
            "its kernel is locked down, as with Secure Boot, and takes none by kexec",
            "Switch Secure Boot off",
        )
    for name, forbids in FORBIDDEN.items():
        if read(root / "proc/sys/kernel" / name).strip() == forbids:
            return (
                f"kernel.{name} is {forbids}, until the next boot",
                "Take that out of /etc/sysctl.d, and reboot the host",
            )
    if not any((root / directory / "kexec").exists() for directory in ("sbin", "usr/sbin")):
        return (
            "it has no kexec-tools",
            "Install that package, with LOAD_KEXEC=false in /etc/default/kexec",
        )
    if not (root / "run/systemd/system").is_dir():
        return "it is not run by systemd", "Install systemd"
    return "", ""
