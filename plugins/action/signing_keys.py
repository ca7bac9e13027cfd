# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the signing keys before anything is changed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible_collections.oslab.kernel.plugins.plugin_utils import control_keys
from ansible_collections.oslab.kernel.plugins.plugin_utils.action import ControlAction
from ansible_collections.oslab.kernel.plugins.plugin_utils.refusals import refusals

# Option → variable of the user's.
VARIABLES = {"modules": "build_module_signing_key", "image": "build_image_signing_key"}


class ActionModule(ControlAction):
    """Of a key it returns what is public: its certificate's fingerprint and names."""

    # The key of the repository is on the builder.
    _requires_connection = True

    spec: Mapping[str, Any] = {
        "modules": {"type": "str", "default": ""},
        "image": {"type": "str", "default": ""},
        "image_signer": {"type": "dict", "default": {}},
        "repository": {"type": "str", "default": ""},
        "check_connection": {"type": "bool", "default": False},
        "targets": {"type": "list", "elements": "str", "default": []},
    }

    def act(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        host = str(variables.get("inventory_hostname", "the host"))
        signers = {}
        for name, variable in VARIABLES.items():
            if arguments[name]:
                key = control_keys.read(self, arguments[name], variable, variables)
                signers[name] = key.certificate.public()
        sent = " and ".join(VARIABLES[name] for name in signers)
        if sent:
            control_keys.refuse_kept_files(sent)
        if sent and arguments["check_connection"]:
            with control_keys.only_by_pipe(self, sent, host):
                pass
        if arguments["repository"]:
            path = arguments["repository"]
            control_keys.check_on_host(self, path, "publish_gpg_key_file", variables, host)
        signer = signers.get("image") or arguments["image_signer"] or None
        found = refusals(variables.get("hostvars", {}), arguments["targets"], signer)
        return {"changed": False, "signers": signers, **found}
