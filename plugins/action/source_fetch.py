# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Download a kernel's source on the builder and report the progress."""

from __future__ import annotations

import shlex
from pathlib import Path
from typing import Any

from ansible.utils.display import Display
from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text
from ansible_collections.oslab.kernel.plugins.module_utils._source.lock import lock_of
from ansible_collections.oslab.kernel.plugins.plugin_utils import host_answer
from ansible_collections.oslab.kernel.plugins.plugin_utils.action import Action

display = Display()

# Seconds between two lines; the first one comes soon, to show that something happens.
FIRST_LINE = 3
NEXT_LINES = 10
LONGEST = 24 * 3600

# Waits on the builder, where a second costs nothing. The lock file is there, held by the module
# and with its last word in it, as long as the download goes on.
WATCH = """
n=0
while [ $n -lt {seconds} ]; do
  sleep 1; n=$((n+1))
  [ -e {lock} ] || exit 0
  ( flock -n 9 ) 9<{lock} && exit 0
done
cat {lock}
"""
# So often nobody held the lock although the job has not ended; it takes a moment to begin.
LOST_LIMIT = 30


class ActionModule(Action):
    module = "oslab.kernel.source_fetch"

    def act(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        if self._task.check_mode or arguments.get("state", "present") != "present":
            return self._module(arguments, variables)
        found = self._module({**arguments, "state": "cached"}, variables)
        if found.get("failed") or found.get("cached"):
            return found
        return self._download(arguments, str(found["path"]), variables)

    def _module(self, arguments: dict[str, Any], variables: Any, **more: Any) -> dict[str, Any]:
        return host_answer.plain_messages(self.execute(arguments, variables, **more))

    def _download(self, arguments: dict[str, Any], path: str, variables: Any) -> dict[str, Any]:
        self._task.async_val = LONGEST
        try:
            job = self._module(arguments, variables, wrap_async=True)
        finally:
            self._task.async_val = 0
        if "ansible_job_id" not in job:
            return job
        name = plain_text.sentence(Path(path).name)
        display.display(f"source: downloading {name}")
        lost = 0
        for seconds in (FIRST_LINE, *[NEXT_LINES] * (LONGEST // NEXT_LINES)):
            line = self._look(str(lock_of(Path(path))), seconds)
            status = self._job("status", job, variables)
            if status.get("finished"):
                self._job("cleanup", job, variables)
                return {k: v for k, v in status.items() if k not in _OF_THE_JOB}
            if line:
                display.display(f"source: {name}: {line}")
            lost = 0 if line else lost + 1
            if lost > LOST_LIMIT:
                break
        self._job("cleanup", job, variables)
        return {
            "failed": True,
            "msg": f"the download of {name} was killed. The same call goes on where it stopped.",
        }

    def _look(self, lock: str, seconds: int) -> str:
        """The download's last word; empty if none is going on."""
        command = WATCH.strip().format(lock=shlex.quote(lock), seconds=seconds)
        return plain_text.sentence(self._low_level_execute_command(command)["stdout"])

    def _job(self, mode: str, job: dict[str, Any], variables: Any) -> dict[str, Any]:
        return host_answer.plain_messages(
            self._execute_module(
                module_name="ansible.legacy.async_status",
                module_args={
                    "jid": job["ansible_job_id"],
                    "mode": mode,
                    "_async_dir": self.get_shell_option("async_dir", default="~/.ansible_async"),
                },
                task_vars=variables,
            )
        )


_OF_THE_JOB = ("ansible_job_id", "started", "finished", "results_file", "stdout", "stderr",
               "stdout_lines", "stderr_lines", "erased")  # fmt: skip
