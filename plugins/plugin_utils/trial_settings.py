# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kernel arguments whose settings sysctl.d may change again after the kernel has started."""

from __future__ import annotations

import re
from collections.abc import Sequence

# What Documentation/admin-guide/{kernel-parameters.txt,sysctl/kernel.rst} name twice.
_SAME_NAME = {
    "hung_task_panic",
    "panic",
    "panic_on_warn",
    "softlockup_panic",
    "unknown_nmi_panic",
    "watchdog_thresh",
}
# What is found out only where a watchdog runs: the lockup detectors have switches of their own.
_MORE = {
    "oops=panic": {"kernel/panic_on_oops": "1"},
    "softlockup_panic=1": {"kernel/soft_watchdog": "1"},
    "nmi_watchdog=panic": {"kernel/nmi_watchdog": "1", "kernel/hardlockup_panic": "1"},
}
_SYSCTL = "sysctl."
# Nothing that a shell would read.
_PATH = re.compile(r"[A-Za-z0-9_-]+(/[A-Za-z0-9_-]+)+")
_VALUE = re.compile(r"[A-Za-z0-9_,:+-]+")


def settings(arguments: Sequence[str]) -> list[str]:
    """`PATH=VALUE` for each, PATH below /proc/sys; of those that stand twice, the last."""
    found: dict[str, str] = {}
    for argument in arguments:
        name, _equals, value = argument.partition("=")
        if name in _SAME_NAME:
            found[f"kernel/{name}"] = value or "1"
        if name.startswith(_SYSCTL):
            found[name[len(_SYSCTL) :].replace(".", "/")] = value
        found.update(_MORE.get(argument, {}))
    return [
        f"{path}={value}"
        for path, value in found.items()
        if _PATH.fullmatch(path) and _VALUE.fullmatch(value)
    ]
