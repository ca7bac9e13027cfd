# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at the keys that sign a build, on the control node, before anything is done."""

from __future__ import annotations

from typing import Any, Optional

from ansible.plugins.action import ActionBase
from ansible_collections.oslab.kernel.plugins.plugin_utils import control_keys


class ActionModule(ActionBase):
    """Of a key it returns what may be told: its certificate's fingerprint and names."""

    TRANSFERS_FILES = False
    _requires_connection = False
    _supports_check_mode = True

    def run(
        self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None
    ) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(
            argument_spec={
                "modules": {"type": "str", "default": ""},
                "image": {"type": "str", "default": ""},
            }
        )
        signers = {}
        for name, variable in (
            ("modules", "build_module_signing_key"),
            ("image", "build_image_signing_key"),
        ):
            if arguments[name]:
                key = control_keys.read(self, arguments[name], variable, task_vars or {})
                signers[name] = key.certificate.public()
        return {"changed": False, "signers": signers}
