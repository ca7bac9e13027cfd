# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Print what playbooks/doctor.yml has found, and fail if a check failed."""

from __future__ import annotations

import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from ansible.release import __version__ as ansible_version
from ansible.utils.display import Display
from ansible_collections.oslab.kernel.plugins.plugin_utils import doctor_report, kernel_choice
from ansible_collections.oslab.kernel.plugins.plugin_utils.action import ControlAction
from ansible_collections.oslab.kernel.plugins.plugin_utils.collection_version import (
    collection_version,
)

display = Display()
ROOT = Path(__file__).resolve().parents[2]
#: The one list of distributions.
DISTRIBUTIONS = ROOT / "roles/dependencies/vars/main.yml"


def distributions() -> dict[str, Any]:
    known = yaml.safe_load(DISTRIBUTIONS.read_text(encoding="utf-8"))
    found: dict[str, Any] = known["dependencies_distributions"]
    return found


class ActionModule(ControlAction):
    """Runs on the control node, once for all hosts."""

    spec: Mapping[str, Any] = {
        "builders": {"type": "list", "elements": "str", "required": True},
        "targets": {"type": "list", "elements": "str", "required": True},
    }

    def act(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        hostvars = variables["hostvars"]
        all_known = distributions()
        hosts = [(name, doctor_report.BUILDER) for name in arguments["builders"]]
        hosts += [(name, doctor_report.TARGET) for name in arguments["targets"]]
        checks: list[doctor_report.Check] = []
        machines = {}
        for name, part in hosts:
            known = hostvars[name]
            checks += doctor_report.checks(name, part, known, all_known)
            facts = doctor_report.facts_of(part, known)
            machines[name, part] = doctor_report.machine(facts)
        versions = (
            f"oslab.kernel {collection_version()}, ansible-core {ansible_version}, "
            f"Python {platform.python_version()}"
        )
        taken = self._taken(arguments["targets"], hostvars, variables.get("groups") or {})
        lines = doctor_report.header(versions, machines, taken) + doctor_report.table(checks)
        display.display("\n".join(lines))
        return self._result(checks)

    @staticmethod
    def _taken(
        targets: Sequence[str], hostvars: kernel_choice.HostVars, groups: kernel_choice.Groups
    ) -> dict[str, str]:
        """Of several kernels, which one each target takes."""
        if len(kernel_choice.builders(groups)) < 2:
            return {}
        found = {}
        for name in targets:
            builder = kernel_choice.builder_of(name, hostvars, groups)
            known = kernel_choice.published(hostvars.get(builder, {}))
            found[name] = f"{builder} ({known.get('release') or 'nothing published'})"
        return found

    @staticmethod
    def _result(checks: Sequence[doctor_report.Check]) -> dict[str, Any]:
        failures = doctor_report.failures(checks)
        if not failures:
            return {"changed": False, "failures": failures}
        # Ansible prints all of the result of a task that failed, and the table has that already.
        count = f"{len(failures)} of {len(checks)} checks failed"
        return {
            "changed": False,
            "failed": True,
            "msg": f"{count}. The table above has the remedies.",
        }
