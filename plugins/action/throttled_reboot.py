# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reboot a host as ansible.builtin.reboot does, so many of its group at the same time."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import Any, Optional

from ansible import constants
from ansible.plugins.action.reboot import ActionModule as Reboot
from ansible_collections.oslab.kernel.plugins.plugin_utils import boot_stages, host_answer
from ansible_collections.oslab.kernel.plugins.plugin_utils.throttle import LostError, Throttle

# molly-guard and its like, which ask for the host's name on a terminal, stand in front of reboot
# and shutdown, and in front of neither of these.
SYSTEMCTL = "/bin/systemctl"
INIT = "/sbin/init"
#: Within these the host has to take the order; what it does then, it does by itself.
SECONDS = 60

_REBOOT = (
    "if [ -d /run/systemd/system ]; then set -- {systemd}; else set -- {other}; fi; "
    '{limit} "$@" </dev/null || {failed}'
)
_GIVEN = "{limit} {given} </dev/null || {failed}"
_FAILED = (
    "{{ status=$?; case $status in 124|137) echo 'it did not end within {seconds} s' >&2;; esac; "
    "exit $status; }}"
)


def command(message: str, given: str = "") -> str:
    """For a shell: what reboots the host, asks nothing, reads no terminal and ends in SECONDS."""
    limit = f"/usr/bin/timeout --kill-after=5 {SECONDS}"
    failed = _FAILED.format(seconds=SECONDS)
    if given:
        return _GIVEN.format(limit=limit, given=given, failed=failed)
    systemd = [SYSTEMCTL, "--no-ask-password", f"--message={message}", "reboot"]
    return _REBOOT.format(
        systemd=shlex.join(systemd), other=shlex.join([INIT, "6"]), limit=limit, failed=failed
    )


class ActionModule(Reboot):
    """The `throttle` of a task counts all hosts as one group."""

    def run(
        self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None
    ) -> dict[str, Any]:
        arguments = dict(self._task.args)
        group = str(arguments.pop("group", "") or "")
        at_once = int(arguments.pop("at_once", 0) or 0)
        self._task.args = arguments
        if at_once < 1 or self._task.check_mode:
            return self._reboot(tmp, task_vars)
        # Of this run alone, and gone with it.
        throttle = Throttle(Path(constants.DEFAULT_LOCAL_TMP), group, at_once)
        try:
            with throttle.slot():
                result = self._reboot_or_lose(throttle, tmp, task_vars)
        except LostError as lost:
            of = f" of {group}" if group else ""
            return {
                "changed": False,
                "failed": True,
                "rebooted": False,
                "refused": True,
                "elapsed": 0,
                "msg": f"not rebooted, for {lost}{of} did not come back from its own reboot",
            }
        return result

    def _reboot_or_lose(
        self, throttle: Throttle, tmp: Optional[str], task_vars: Optional[dict[str, Any]]
    ) -> dict[str, Any]:
        name = (task_vars or {}).get("inventory_hostname", "a host")
        try:
            result = self._reboot(tmp, task_vars)
        except BaseException:  # the task's `timeout` is over, too
            throttle.lose(name)
            raise
        if result.get("failed") or result.get("unreachable"):
            throttle.lose(name)
        return result

    def _reboot(self, tmp: Optional[str], task_vars: Optional[dict[str, Any]]) -> dict[str, Any]:
        # It quotes what the host said as it was asked to reboot.
        result: dict[str, Any] = host_answer.plain(super().run(tmp, task_vars))
        if result.get("rebooted") and not result.get("failed") and not self._task.check_mode:
            result["stages"] = self._stages(result.get("elapsed", 0))
            result["answered"] = int(time.time())
        return result

    def _stages(self, elapsed: float) -> dict[str, float]:
        """Nothing fails for want of them."""
        try:
            answer = self._low_level_execute_command(boot_stages.QUESTION, sudoable=False)
        except Exception:  # whatever a connection raises
            return {}
        by_firmware = not self._task.args.get("reboot_command")
        return boot_stages.parse(str(answer.get("stdout", "")), elapsed, firmware_ran=by_firmware)

    # What ansible.builtin.reboot asks itself, answered without a module on the host.

    def get_distribution(self, task_vars: Any) -> dict[str, str]:
        return {"name": "linux", "version": "", "family": "linux"}

    def get_shutdown_command(self, task_vars: Any, distribution: Any) -> str:
        message = str(self._task.args.get("msg", self.DEFAULT_REBOOT_MESSAGE))
        return command(message, str(self._task.args.get("reboot_command") or ""))

    def get_shutdown_command_args(self, distribution: Any) -> str:
        return ""
