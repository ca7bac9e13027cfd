# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Start a build on the builder and report its progress."""

from __future__ import annotations

import contextlib
import json
import shlex
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.utils.display import Display
from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text
from ansible_collections.oslab.kernel.plugins.plugin_utils import control_keys, host_answer
from ansible_collections.oslab.kernel.plugins.plugin_utils.action import Action

display = Display()

# Seconds between two lines; the first one comes soon, to show that something happens.
FIRST_LINE = 5
NEXT_LINES = 20

# Waits on the builder, where a second costs nothing, and not here, where each look at it costs a
# connection. Ends early when the build does. The order at the end matters: a build writes its
# outcome before it lets go of the lock.
WATCH = """
cd {directory} || exit 1
n=0
while [ $n -lt {seconds} ] && [ ! -e outcome.json ]; do
  flock -n lock true && break
  touch watched; sleep 1; n=$((n+1))
done
state=running
flock -n lock true && state=gone
[ -e outcome.json ] && state=outcome
echo $state
case $state in outcome) cat outcome.json ;; running) cat status.json ;; esac
"""


class ActionModule(Action):
    module = "oslab.kernel.kernel_build"

    def act(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        arguments["detach"] = True
        named = []
        for option in ("module_signing_key", "image_signing_key"):
            path = arguments.pop(option, None)
            if path:
                variable = f"build_{option}"
                key = control_keys.read(self, path, variable, variables)
                arguments[option] = control_keys.Secret(key.text)
                named.append(variable)
        result = host_answer.plain_messages(self._start(arguments, " and ".join(named), variables))
        job = result.pop("job", None)
        if result.get("failed") or not job:
            return result
        display.display(f"build: Linux {result['release']} ({job['build_id'][:12]})")
        display.display(f"build: all that the compiler says is in {result['log']}")
        return {**result, **self._wait(job["directory"], result["log"])}

    def _start(
        self, arguments: dict[str, Any], keys: str, variables: dict[str, Any]
    ) -> dict[str, Any]:
        """Run the module. `keys`: the variables whose private keys are among the arguments."""
        host = str(variables.get("inventory_hostname", "the builder"))
        by_pipe = control_keys.only_by_pipe(self, keys, host) if keys else contextlib.nullcontext()
        with by_pipe:
            return self.execute(arguments, variables)

    def _wait(self, directory: str, log: str) -> dict[str, Any]:
        """Watch the build until it ends; its outcome."""
        seconds = FIRST_LINE
        shown = ""
        while True:
            state, answer = self._look(directory, seconds)
            seconds = NEXT_LINES
            if state == "outcome":
                return host_answer.plain_messages(answer)
            if state == "gone":
                return {
                    "failed": True,
                    "msg": f"the build was killed: see {log}. The same call continues it.",
                }
            line = plain_text.sentence(answer.get("line", ""))
            if line and line != shown:
                display.display(line)
                shown = line

    def _look(self, directory: str, seconds: int) -> tuple[str, dict[str, Any]]:
        command = WATCH.strip().format(directory=shlex.quote(directory), seconds=seconds)
        try:
            result = self._low_level_execute_command(command)
        except AnsibleConnectionFailure:
            # The build goes on for a while without being watched.
            self._connection.reset()
            result = self._low_level_execute_command(command)
        output = str(result["stdout"])
        state, *lines = output.splitlines() or [""]  # a terminal ends its lines with \r\n
        if state == "gone":
            return state, {}
        try:
            return state, json.loads("\n".join(lines))
        except ValueError:
            raise AnsibleActionFail(
                "cannot see how far the build is: "
                f"{plain_text.sentence(output + str(result['stderr']))}"
            ) from None
