# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pass the options of configuration fragments on the control node to the module kconfig."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible_collections.oslab.kernel.plugins.module_utils._kconfig import fragment
from ansible_collections.oslab.kernel.plugins.plugin_utils import control_files
from ansible_collections.oslab.kernel.plugins.plugin_utils.action import BuilderAction


class ActionModule(BuilderAction):
    """Messages of Kconfig are made safe to print."""

    module = "oslab.kernel.kconfig"

    def _options(self, path: str, where: str, variables: dict[str, Any]) -> dict[str, str]:
        try:
            found = Path(control_files.find(self, path, variables))
            return fragment.options(found.read_text(encoding="utf-8"))
        except (AnsibleError, OSError, UnicodeDecodeError, fragment.FragmentError) as error:
            raise AnsibleActionFail(f"{where}: cannot read {path}: {error}") from error

    def act(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        optional = dict(arguments.get("optional") or {})
        for index, path in enumerate(arguments.pop("fragments", None) or []):
            for name, value in self._options(
                str(path), f"config_fragments[{index}]", variables
            ).items():
                # Last in the order, too: of the members of a choice the last one counts.
                optional.pop(name, None)
                optional[name] = value
        return super().act({**arguments, "optional": optional}, variables)
