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
from ansible.utils.display import Display
from ansible_collections.oslab.kernel.plugins.plugin_utils import (
    boot_stages,
    host_answer,
    reboot_states,
)
from ansible_collections.oslab.kernel.plugins.plugin_utils.throttle import LostError, Throttle

display = Display()

# molly-guard and its like, which ask for the host's name on a terminal, stand in front of reboot
# and shutdown, and in front of neither of these.
SYSTEMCTL = "/bin/systemctl"
INIT = "/sbin/init"
#: Within these the host has to take the order; what it does then, it does by itself.
SECONDS = 60

# Since systemd 254 a reboot starts a kernel that somebody has loaded by kexec.
_REBOOT = (
    "if [ -d /run/systemd/system ]; then export SYSTEMCTL_SKIP_AUTO_KEXEC=1; set -- {systemd}; "
    "else set -- {other}; fi; "
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


def _size(path: str) -> int:
    """Bytes of a file on the control node; 0 if there is none."""
    try:
        return Path(path).expanduser().stat().st_size
    except (OSError, RuntimeError):
        return 0


class ActionModule(Reboot):
    """The `throttle` of a task counts all hosts as one group."""

    # Of a host that no run names yet.
    _state = reboot_states.HostState("a host", "", 0.0, 0.0)

    def run(
        self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None
    ) -> dict[str, Any]:
        host = str((task_vars or {}).get("inventory_hostname", "a host"))
        self._state = self._state._replace(host=host)
        arguments = dict(self._task.args)
        group = str(arguments.pop("group", "") or "")
        at_once = int(arguments.pop("at_once", 0) or 0)
        serial_log = arguments.pop("serial_log", None)
        self._task.args = arguments
        seen = {"serial_size": _size(str(serial_log))} if serial_log else {}
        return {**self._in_turn(group, at_once, tmp, task_vars), **seen}

    def _in_turn(
        self, group: str, at_once: int, tmp: Optional[str], task_vars: Optional[dict[str, Any]]
    ) -> dict[str, Any]:
        if at_once < 1 or self._task.check_mode:
            return self._reboot(tmp, task_vars)
        # Of this run alone, and gone with it.
        throttle = Throttle(Path(constants.DEFAULT_LOCAL_TMP), group, at_once)
        self._show(reboot_states.WAITING)
        try:
            with throttle.slot():
                result = self._reboot_or_lose(throttle, tmp, task_vars)
        except LostError as lost:
            self._show(reboot_states.REFUSED)
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
        try:
            result = self._reboot(tmp, task_vars)
        except BaseException:  # the task's `timeout` is over, too
            throttle.lose(self._state.host)
            raise
        if result.get("failed") or result.get("unreachable"):
            throttle.lose(self._state.host)
        return result

    def _reboot(self, tmp: Optional[str], task_vars: Optional[dict[str, Any]]) -> dict[str, Any]:
        try:
            # It quotes what the host said as it was asked to reboot.
            result: dict[str, Any] = host_answer.plain(super().run(tmp, task_vars))
        except BaseException:  # the task's `timeout` is over, too
            self._show(reboot_states.LOST)
            raise
        if not result.get("failed"):
            self._show(reboot_states.UP)
        else:
            refused = not result.get("rebooted", True)
            self._show(reboot_states.REFUSED if refused else reboot_states.LOST)
        if result.get("rebooted") and not result.get("failed") and not self._task.check_mode:
            result["stages"] = self._stages(result.get("elapsed", 0))
            result["answered"] = int(time.time())
        return result

    def _show(self, state: str) -> None:
        """To whom waits for the reboot; nothing fails for want of it."""
        if self._task.check_mode or state == self._state.state:
            return
        now = time.time()
        begins = not self._state.began or state == reboot_states.DOWN
        self._state = self._state._replace(
            state=state, at=now, began=now if begins else self._state.began
        )
        place = reboot_states.directory(str(constants.DEFAULT_LOCAL_TMP))
        try:
            reboot_states.write(place, self._state)
        except OSError:  # nobody reads them
            # Most hosts get their turn at once.
            if state != reboot_states.WAITING:
                seconds = reboot_states.clock(self._state.seconds(now))
                display.display(f"{self._state.host}: {state} ({seconds})")

    def _stages(self, elapsed: float) -> dict[str, float]:
        """Nothing fails for want of them."""
        try:
            answer = self._low_level_execute_command(boot_stages.QUESTION, sudoable=False)
        except Exception:  # whatever a connection raises
            return {}
        by_firmware = not self._task.args.get("reboot_command")
        return boot_stages.parse(str(answer.get("stdout", "")), elapsed, firmware_ran=by_firmware)

    # Steps of ansible.builtin.reboot, by which the host's state is known.

    def perform_reboot(self, task_vars: Any, distribution: Any) -> dict[str, Any]:
        self._show(reboot_states.DOWN)
        result: dict[str, Any] = super().perform_reboot(task_vars, distribution)
        return result

    def check_boot_time(self, distribution: Any, previous_boot_time: str) -> None:
        try:
            super().check_boot_time(distribution, previous_boot_time)
        except ValueError:  # it answers, and is still in the same boot
            raise
        except Exception:
            self._show(reboot_states.SILENT)
            raise

    # What ansible.builtin.reboot asks itself, answered without a module on the host.

    def get_distribution(self, task_vars: Any) -> dict[str, str]:
        return {"name": "linux", "version": "", "family": "linux"}

    def get_shutdown_command(self, task_vars: Any, distribution: Any) -> str:
        message = str(self._task.args.get("msg", self.DEFAULT_REBOOT_MESSAGE))
        return command(message, str(self._task.args.get("reboot_command") or ""))

    def get_shutdown_command_args(self, distribution: Any) -> str:
        return ""
