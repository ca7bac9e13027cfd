# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the value of a variable, in one sentence.

Ansible checks a role's variables too, at its beginning and for each host: it then prints the whole
specification. It knows no ranges, and takes the number 6.10 for the text 6.1.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.oslab.kernel.plugins.plugin_utils import variable_types
from ansible_collections.oslab.kernel.plugins.plugin_utils.variable_types import shown

#: Of a value that nobody has to see, in place of its template.
HIDDEN = "vault"
_DAY = 86_400
_YEAR = 366 * _DAY


class Range(NamedTuple):
    low: int
    high: int
    #: Whether 0 says something of its own, below `low`.
    zero: bool = False

    def __str__(self) -> str:
        return f"{'0 or ' if self.zero else ''}{self.low} to {self.high}"

    def has(self, value: float) -> bool:
        return self.low <= value <= self.high or (self.zero and value == 0)


#: Of all options that are whole numbers.
RANGES = {
    "build_jobs": Range(0, 10_000),
    "build_min_free_gib": Range(0, 1_000_000),
    # A build may take some hours, and its root must stay.
    "build_root_keep_days": Range(1, 3650),
    # Within less no host answers again and is verified: each trial boot would fail.
    "trial_timeout": Range(60, _DAY),
    "trial_recover_timeout": Range(30, _DAY),
    "trial_lock_seconds": Range(60, 7 * _DAY),
    "install_clock_tolerance": Range(0, 100 * _YEAR),
    "install_download_size_kib": Range(0, 1 << 40),
    "trial_health_timeout": Range(1, _DAY),
    "install_installed_size_kib": Range(0, 1 << 40),
    "install_keep": Range(0, 1000),
    "install_lock_timeout": Range(0, _DAY),
    "install_min_free_boot_mib": Range(0, 1 << 20),
    "install_min_free_root_mib": Range(0, 1 << 30),
    "install_required_rebuilds": Range(0, 64),
    "install_program_timeout": Range(60, 7 * _DAY),
    "pull_timeout": Range(1, 3600),
    "trial_reboot_throttle": Range(0, 100_000),
    "trial_watchdog": Range(10, _DAY, zero=True),
    "lab_fleet_cpus": Range(1, 512),
    "lab_fleet_memory": Range(128, 1 << 24),
    "lab_fleet_size": Range(0, 200),
    "lab_image_serial": Range(0, 1 << 31),
    "lab_image_size": Range(1024, 1 << 30),
    "lab_vm_boot_timeout": Range(1, _DAY),
    "lab_vm_cpus": Range(1, 512),
    "lab_vm_memory": Range(128, 1 << 24),
    "lab_vm_shutdown_timeout": Range(0, _DAY),
    "lab_vm_ssh_port": Range(0, 65_535),
    "patch_fuzz": Range(0, 2),
    "publish_keep_builds": Range(0, 100_000),
    "publish_lock_timeout": Range(0, _DAY),
    "publish_port": Range(1, 65_535),
    "source_git_timeout": Range(1, _DAY),
    "source_max_size": Range(1 << 20, 1 << 44),
    "source_timeout": Range(1, _DAY),
    "source_tries": Range(1, 100),
    "verify_health_timeout": Range(0, 3600),
    "verify_pid": Range(0, 1 << 22),
    "verify_workload": Range(0, 1_000_000),
}
_PERCENT = re.compile(r"([0-9]{1,9})%")
_NUMBER = re.compile(r"[0-9]{1,9}")


def serial_problem(value: Any) -> Optional[str]:
    """Sizes of the waves."""
    entries = list(value) if isinstance(value, (list, tuple)) else [value]
    for entry in entries or [None]:
        text = "" if isinstance(entry, bool) else str(entry)
        percent = _PERCENT.fullmatch(text)
        if percent and 1 <= int(percent[1]) <= 100:
            continue
        if not _NUMBER.fullmatch(text) or int(text) < 1:
            return (
                f"deploy_serial is {shown('deploy_serial', value)}: it has to be a number of hosts "
                'from 1 on, a share such as "25%", or a list of these, one for each wave'
            )
    return None


def percentage_problem(value: Any) -> Optional[str]:
    text = "" if isinstance(value, bool) else str(value)
    if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,9})?", text) and float(text) <= 100:
        return None
    return (
        f"deploy_max_fail_percentage is {shown('deploy_max_fail_percentage', value)}: it has to be "
        "a number from 0 to 100, without a sign"
    )


#: Of which a play takes one host's, the first target's.
WAVES: dict[str, Callable[[Any], Optional[str]]] = {
    "deploy_serial": serial_problem,
    "deploy_max_fail_percentage": percentage_problem,
}
#: Of these, too; their form is checked as that of any other variable.
OF_THE_FIRST_TARGET = (*WAVES, "deploy_gates", "report_dir")


def _in_range(name: str, value: Any) -> bool:
    try:
        return RANGES[name].has(int(value))
    except (ValueError, OverflowError):  # such as 1e3, which Ansible takes for a number
        return False


def problems(name: str, option: Mapping[str, Any], value: Any, template: str = "") -> list[str]:
    """One sentence for each thing that is wrong.

    :param option: as in `meta/argument_specs.yml`.
    :param template: of which the value was made, if it was one.
    """
    if name in WAVES and value is not None:
        return [problem for problem in [WAVES[name](value)] if problem]
    found = list(variable_types.problems(name, option, value, template))
    if not found and name in RANGES and not _in_range(name, value):
        found = [f"{name} is {shown(name, value, template)}: it has to be {RANGES[name]}"]
    return found
