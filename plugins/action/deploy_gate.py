# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Wait for the gates before a wave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.utils.display import Display
from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text
from ansible_collections.oslab.kernel.plugins.plugin_utils import (
    gate_entries,
    gate_kinds,
    gates,
    variable_origin,
    waves,
)
from ansible_collections.oslab.kernel.plugins.plugin_utils.action import ControlAction
from ansible_collections.oslab.kernel.plugins.plugin_utils.gate_world import ControlNode
from ansible_collections.oslab.kernel.plugins.plugin_utils.report import progress

display = Display()
#: The targets that have the kernel already; playbooks/find_hosts.yml makes it.
DONE = "oslab_current"
#: What tasks of playbooks/deploy_hosts.yml have registered.
ASKED, RESULT = "deploy_asked", "deploy_gate_result"


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _number(value: Any) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 0


def _since(known: Mapping[str, Any]) -> float:
    """When the kernel of a host began to run, by the clock of the control node."""
    facts = _dict(known.get("install_host_facts"))
    return float(_number(facts.get("answered")) - _number(facts.get("uptime")))


def wave_of(variables: Mapping[str, Any]) -> waves.Wave:
    hostvars = variables["hostvars"]
    done = (variables.get("groups") or {}).get(DONE) or ()
    return waves.current(
        variables["ansible_play_batch"],
        variables["ansible_play_hosts_all"],
        variables["ansible_play_hosts"],
        lambda host: _number(_dict(hostvars[host].get(RESULT)).get("wave")),
        {host: _since(hostvars[host]) for host in done},
    )


def silent(variables: Mapping[str, Any], asked: Sequence[str]) -> list[str]:
    """Of the hosts that were asked, those of which no host of this wave has an answer."""
    hostvars = variables["hostvars"]
    answering = {
        result.get("item")
        for host in variables["ansible_play_batch"]
        for result in _dict(hostvars[host].get(ASKED)).get("results") or ()
        if not (result.get("msg") or result.get("unreachable") or result.get("skipped"))
    }
    return [host for host in asked if host not in answering]


class ActionModule(ControlAction):
    """Runs on the control node, once for all hosts of a wave."""

    spec: Mapping[str, Any] = {
        "gates": {"type": "list", "elements": "dict", "required": True},
        "part": {"type": "str", "choices": ["soak", "others"], "required": True},
        "soak": {"type": "dict", "default": {}},
    }
    world: gate_kinds.World = ControlNode()

    def act(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        try:
            entries = variable_origin.decrypted(arguments["gates"])
            known = [gate_entries.parse(entry) for entry in entries]
        except ValueError as error:
            return {"changed": False, "failed": True, "msg": f"deploy_gates: {error}"}
        wave = wave_of(variables)
        soaks = arguments["part"] == "soak"
        ours = [
            gate
            for gate in known
            if isinstance(gate.condition, gate_kinds.Soak) == soaks
            and (gate.before_first or not wave.is_first)
        ]
        if self._task.check_mode:
            return self._predict(ours, wave)
        if soaks:
            result = self._soak(ours, wave)
        else:
            result = self._others(ours, wave, arguments["soak"], variables)
        if result["gates"]:
            progress.add_gates(Path(constants.DEFAULT_LOCAL_TMP), wave.number, result["gates"])
        return result

    @staticmethod
    def _predict(ours: Sequence[gates.Gate], wave: waves.Wave) -> dict[str, Any]:
        for gate in ours:
            display.display(f"Wave {wave.number} would wait for {gate}, at most {gate.limit} s")
        waited_for = [{"name": gate.name, "kind": gate.condition.kind} for gate in ours]
        return {"changed": False, "wave": wave.number, "predicted": waited_for, "ask": []}

    def _evaluated(
        self, ours: Sequence[gates.Gate], wave: waves.Wave, since: float
    ) -> dict[str, Any]:
        outcomes = gates.evaluate(ours, self.world, since, display.display)
        for outcome in outcomes:
            display.display(f"Wave {wave.number}, {outcome.line()}")
        result = {
            "changed": False,
            "wave": wave.number,
            "since": since,
            "gates": [outcome.as_dict() for outcome in outcomes],
        }
        wrong = next((outcome for outcome in outcomes if not outcome.passed), None)
        if wrong is not None:
            result.update(failed=True, msg=wrong.message())
        return result

    def _soak(self, ours: Sequence[gates.Gate], wave: waves.Wave) -> dict[str, Any]:
        now = self.world.now()
        soaks = [gate.condition for gate in ours if isinstance(gate.condition, gate_kinds.Soak)]
        result = self._evaluated(ours, wave, wave.ended(now))
        # Those that have had the kernel for longer have just answered.
        longest = max((soak.seconds for soak in soaks), default=0)
        return {
            **result,
            "ask": wave.soaking(now, longest) if soaks else [],
            "answer_within": max((soak.answer for soak in soaks), default=0),
        }

    def _others(
        self,
        ours: Sequence[gates.Gate],
        wave: waves.Wave,
        soak: Mapping[str, Any],
        variables: Mapping[str, Any],
    ) -> dict[str, Any]:
        soaked = list(soak.get("gates") or ())
        gone = silent(variables, soak.get("ask") or ())
        if gone:
            names = plain_text.few(gone)
            soaked[-1] = {**soaked[-1], "passed": False, "answer": f"no answer of {names}"}
            return {
                "changed": False,
                "failed": True,
                "wave": wave.number,
                "gates": soaked,
                "msg": gates.silent_message(str(soaked[-1]["name"]), names),
            }
        since = float(soak.get("since") or self.world.now())
        result = self._evaluated(ours, wave, since)
        return {**result, "gates": [*soaked, *result["gates"]]}
