# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Look at the keys that sign, before anything is done."""

from __future__ import annotations

from typing import Any, Optional

from ansible.plugins.action import ActionBase
from ansible_collections.oslab.kernel.plugins.plugin_utils import control_keys

# Option → variable of the user's.
VARIABLES = {"modules": "build_module_signing_key", "image": "build_image_signing_key"}


class ActionModule(ActionBase):
    """Of a key it returns what may be shown: its certificate's fingerprint and names."""

    TRANSFERS_FILES = False
    _supports_check_mode = True

    def run(
        self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None
    ) -> dict[str, Any]:
        super().run(tmp, task_vars)
        _validation, arguments = self.validate_argument_spec(
            argument_spec={
                "modules": {"type": "str", "default": ""},
                "image": {"type": "str", "default": ""},
                "repository": {"type": "str", "default": ""},
                "check_connection": {"type": "bool", "default": False},
            }
        )
        known = task_vars or {}
        host = str(known.get("inventory_hostname", "the host"))
        signers = {}
        for name, variable in VARIABLES.items():
            if arguments[name]:
                key = control_keys.read(self, arguments[name], variable, known)
                signers[name] = key.certificate.public()
        sent = " and ".join(VARIABLES[name] for name in signers)
        if sent:
            control_keys.refuse_kept_files(sent)
        if sent and arguments["check_connection"]:
            with control_keys.only_by_pipe(self, sent, host):
                pass
        if arguments["repository"]:
            path = arguments["repository"]
            control_keys.check_on_host(self, path, "publish_gpg_key_file", known, host)
        return {"changed": False, "signers": signers}
