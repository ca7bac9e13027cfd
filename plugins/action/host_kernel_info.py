# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Facts of a host: checked, because they decide what other hosts get, and safe to print."""

from __future__ import annotations

import re
import time
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._common.checksum import SHA256
from ansible_collections.oslab.kernel.plugins.module_utils._common.name_forms import MODULE, RELEASE
from ansible_collections.oslab.kernel.plugins.module_utils._host import failed_builds
from ansible_collections.oslab.kernel.plugins.module_utils._host.dkms import NAME
from ansible_collections.oslab.kernel.plugins.plugin_utils import health, kernel_log
from ansible_collections.oslab.kernel.plugins.plugin_utils.action import HostAction
from ansible_collections.oslab.kernel.plugins.plugin_utils.host_answer import PACKAGE, VERSION, Form

# They become names of files and lines of files on the builder.
_PATH = re.compile(r"/[A-Za-z0-9/.+~_-]{1,255}")
_DIRECTORY = re.compile(r"/[A-Za-z0-9/.+~_-]{0,255}")
_PINNED = re.compile(rf"{PACKAGE.pattern}={VERSION.pattern}")
# Empty where the kernel does not report it.
_BOOT_ID = re.compile(r"[0-9a-f-]{36}|")
_NUMBER = re.compile(r"[0-9]{1,19}")
_LOADER = re.compile(r"grub|systemd-boot")
_INITRD = re.compile(r"update-initramfs|dracut")


FAILURE = {"image": Form(str, like=_PINNED), "date": Form(str), "reason": Form(str)}

# What the role install records; of a kernel that was there before, or of a run that was cut off
# early, it has less.
RECORD = {
    "image": Form(str, like=_PINNED),
    "boot_id": Form(str, like=_BOOT_ID),
    "fallback": Form(str, like=RELEASE),
    "complete": Form(bool),
    "confirmed": Form(bool),
    "left_out": Form(list, str, like=_PINNED),
    # The image that somebody has rolled the host back from.
    "left": Form(str, like=_PINNED),
    # Of trial boots that failed; an earlier version recorded one.
    "failures": Form(list, dict, each=FAILURE),
    "failure": Form(dict, str),
    # Of the one that the next boot is, or was: its image, and the boot before it.
    "trial_boot": Form(
        dict,
        fields={
            "image": Form(str, like=_PINNED),
            "boot_id": Form(str, like=_BOOT_ID),
            "unwatched": Form(bool),
            "finishes": Form(bool),
            "begun": Form(bool),
        },
    ),
    # Trial boots in a row that no run on the host has judged.
    "unjudged": Form(
        dict, fields={"image": Form(str, like=_PINNED), "times": Form(int, like=_NUMBER)}
    ),
    "kernel_log": Form(dict, fields=kernel_log.BASELINE),
    # Of the last trial boot, in seconds, and seconds since 1970.
    "downtime": Form(int, like=_NUMBER),
    "confirmed_time": Form(int, like=_NUMBER),
}

FORMS = {
    "release": Form(str, like=RELEASE),
    "sysname": Form(str),
    "boot_id": Form(str, like=_BOOT_ID),
    "machine": Form(str),
    "os_name": Form(str),
    "os_id": Form(str),
    "os_version_id": Form(str),
    "dpkg_architecture": Form(str, null=True),
    "boot_config": Form(str, null=True, like=_PATH),
    "boot_config_sha256": Form(str, null=True, like=SHA256),
    "modules": Form(list, str, like=MODULE),
    "essential_modules": Form(list, str, like=MODULE),
    "oslab": Form(dict, null=True),
    "packages": Form(dict, str, like=VERSION, keys=PACKAGE),
    "packages_unfinished": Form(list, str, like=PACKAGE),
    "oslab_packages": Form(dict, str, like=VERSION, keys=PACKAGE),
    "oslab_releases": Form(list, str, like=RELEASE),
    "packages_held": Form(list, str, like=PACKAGE),
    "install_record": Form(dict, null=True, fields=RECORD),
    "root_filesystem": Form(str),
    "root_device": Form(str),
    "efi": Form(bool),
    "secure_boot": Form(bool, null=True),
    "trusted_certificates": Form(list, dict, null=True),
    "free_kib": Form(dict, int, like=_NUMBER, keys=_DIRECTORY),
    "boot_separate": Form(bool),
    "boot_kernel_kib": Form(int, like=_NUMBER),
    "initrd_program": Form(str, null=True, like=_INITRD),
    "loader_kernel_kib": Form(int, like=_NUMBER),
    "loader_directory": Form(str, null=True, like=_PATH),
    "boot_loader": Form(str, like=_LOADER),
    "kexec_reboots": Form(bool),
    "xen_dom0": Form(bool),
    "reboot_required": Form(list, str, null=True),
    "dkms_modules": Form(dict, list, keys=NAME),
    "dkms_automatic": Form(list, str, like=NAME),
    "time": Form(int, like=_NUMBER),
    "uptime": Form(int, like=_NUMBER),
    "trial": Form(str, null=True, like=RELEASE),
    "trial_confirmed": Form(bool),
    "trial_report": Form(str, null=True),
    "systemd": Form(bool),
    "systemd_version": Form(int, like=_NUMBER),
    "watchdogs": Form(list, str),
    "files": Form(dict, str, like=SHA256, keys=_PATH, empty=True),
    "container": Form(bool),
    "boots_default_kernel": Form(bool, null=True),
    "modules_as_wanted": Form(bool, null=True),
    "kernel_log": kernel_log.FORM,
    "health": health.RECORD_FORM,
}


class ActionModule(HostAction):
    module = "oslab.kernel.host_kernel_info"
    forms = FORMS
    # The boot message, and the report of the rollback timer.
    lines = ("oslab", "trial_report")

    def act(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        answer = super().act(arguments, variables)
        if answer.get("install_record"):
            # The host's clock may show anything.
            day = time.strftime("%Y-%m-%d")
            record = failed_builds.settled(answer["install_record"], answer, day)
            answer = {**answer, "install_record": record}
        return {**answer, "answered": int(time.time())}
