# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables of earlier releases that have another name now.

Without a refusal, an inventory with an old name would silently get the default: a host of which the
user wanted no reboot would reboot.
"""

from __future__ import annotations

#: Old name → new name. Most are of the role install, which is install, trial and remove now.
RENAMED = {
    "config_recapture": "config_refresh_targets",
    "install_claim_seconds": "trial_lock_seconds",
    "install_fallback_release": "trial_fallback_release",
    "install_health_checks": "trial_health_checks",
    "install_health_timeout": "trial_health_timeout",
    "install_hook_before": "trial_hook_before",
    "install_kexec": "trial_kexec",
    "install_pending_reboot": "trial_pending_reboot",
    "install_reboot": "trial_reboot",
    "install_reboot_group": "trial_reboot_group",
    "install_reboot_throttle": "trial_reboot_throttle",
    "install_return_timeout": "trial_recover_timeout",
    "install_rollback_release": "trial_rollback_release",
    "install_trial_arguments": "trial_arguments",
    "install_trial_timeout": "trial_timeout",
    "install_trial_watchdog": "trial_watchdog",
    "verify_quiet": "verify_show",
    "verify_report_dir": "report_dir",
}
#: Old names whose values are others now → what to do.
OTHER_VALUES = {
    "verify_quiet": "set verify_show, to failures for true and to all for false",
}


def problem(name: str, origin: str = "") -> str:
    """One sentence for an old name.

    :param origin: where the variable is set, if that is known.
    """
    place = f" ({origin})" if origin else ""
    if name in OTHER_VALUES:
        return f"{name}{place} is no longer read: {OTHER_VALUES[name]}"
    return f"{name}{place} is no longer read: its name is {RENAMED[name]} now. Rename it"
