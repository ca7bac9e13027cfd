# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from ansible_collections.oslab.kernel.plugins.plugin_utils.trial_settings import settings


def test_arguments_that_sysctl_may_overrule() -> None:
    assert settings(
        [
            "panic=10",
            "oops=panic",
            "softlockup_panic=1",
            "nmi_watchdog=panic",
            "watchdog_thresh=30",
            "sysctl.kernel.panic_on_rcu_stall=1",
            "panic_on_warn",
        ]
    ) == [
        "kernel/panic=10",
        "kernel/panic_on_oops=1",
        "kernel/softlockup_panic=1",
        "kernel/soft_watchdog=1",
        "kernel/nmi_watchdog=1",
        "kernel/hardlockup_panic=1",
        "kernel/watchdog_thresh=30",
        "kernel/panic_on_rcu_stall=1",
        "kernel/panic_on_warn=1",
    ]


def test_others_are_no_setting() -> None:
    assert not settings(
        ["rcupdate.rcu_cpu_stall_timeout=60", "rd.shell=0", "systemd.crash_reboot=1", "quiet"]
    )


def test_the_last_one_counts() -> None:
    assert settings(["panic=10", "sysctl.kernel.panic=5"]) == ["kernel/panic=5"]


def test_nothing_that_a_shell_would_read() -> None:
    assert not settings(
        ["panic=`id`", "sysctl.kernel.$(id)=1", "sysctl.../../etc/x=1", "sysctl.x=", 'panic="']
    )
