# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host answers to host_kernel_info that wants to deceive who reads it."""

from __future__ import annotations

from typing import Any

# A window's title, the clipboard, a colour, the cursor, C1, the direction of writing, nothing.
EVIL = "\x1b]0;mine\x07\x1b]52;c;eA==\x07\x1b[32m\x1b[1A\x9b2J\u202eko\u200b\x7fx\r"
FAKE = "host9 : ok=99 changed=0 unreachable=0 failed=0"
TEXT = f"{EVIL}\n{FAKE}\nend"
INFO: dict[str, Any] = {
    **dict.fromkeys(("sysname", "os_name", "os_id", "os_version_id"), TEXT),
    **{"root_filesystem": TEXT, "root_device": TEXT, "efi": False},
    **{"boot_loader": "grub", "boot_id": ""},
    **{name: [] for name in ("modules", "essential_modules", "oslab_releases")},
    **{"watchdogs": [TEXT], "packages_unfinished": [], "packages_held": []},
    **{name: {} for name in ("packages", "oslab_packages", "free_kib", "files")},
    **dict.fromkeys(("boot_separate", "kexec_reboots", "systemd", "trial_confirmed"), False),
    **{"xen_dom0": False, "dkms_modules": {}, "dkms_automatic": []},
    **dict.fromkeys(("boot_kernel_kib", "loader_kernel_kib", "systemd_version", "time"), 1),
    "uptime": 1,
    **dict.fromkeys(("boot_config", "boot_config_sha256", "oslab", "install_record"), None),
    **dict.fromkeys(("trusted_certificates", "reboot_required", "initrd_program"), None),
    **{"dpkg_architecture": TEXT, "machine": TEXT, "loader_directory": None, "trial": None},
    **{"trial_report": TEXT, "secure_boot": False, "container": False},
    **dict.fromkeys(("boots_default_kernel", "modules_as_wanted", "kernel_log", "health")),
    "release": "6.1.0-44-amd64",
}
