# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read on the control node what somebody has published of a build."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible_collections.oslab.kernel.plugins.module_utils._build import published, signatures
from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read, plain_text
from ansible_collections.oslab.kernel.plugins.module_utils._repository import receive
from ansible_collections.oslab.kernel.plugins.plugin_utils import control_files
from ansible_collections.oslab.kernel.plugins.plugin_utils.action import ControlAction

VARIABLE = "build_published"


class ActionModule(ControlAction):
    """The document, and the detached signatures that it names, which stand beside it."""

    spec: Mapping[str, Any] = {
        "document": {"type": "str", "required": True},
        "timeout": {"type": "int", "default": 60},
    }

    def act(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        place, timeout = arguments["document"], arguments["timeout"]
        if not place:
            host = variables.get("inventory_hostname", "the builder")
            raise AnsibleActionFail(
                f"{VARIABLE} is empty on {host}: set it to the .buildinfo of the published build, "
                "or to oslab-kernel.json of the repository (a path on the control node, or an "
                "address)"
            )
        content = self._read(place, timeout, published.LIMIT, variables)
        try:
            # Of several kernels, the one that is called as this builder.
            builder = str(variables.get("inventory_hostname") or "")
            found = published.parse(content.decode("utf-8", "replace"), builder)
        except published.PublishedError as error:
            raise AnsibleActionFail(str(error)) from error
        answer: dict[str, Any] = {
            "changed": False,
            "document": base64.b64encode(content).decode(),
            "build_id": found.build_id,
            "signatures": "",
            "signers": {},
        }
        if found.signatures:
            beside = _beside(place, found.signatures["file"])
            content = self._read(beside, timeout, signatures.LIMIT, variables)
            answer["signatures"] = base64.b64encode(content).decode()
            try:
                signed = signatures.matching(answer["signatures"], found.signatures["sha256"])
            except signatures.SignaturesError as error:
                shown = plain_text.without_password(beside)
                raise AnsibleActionFail(
                    f"{shown}, the detached signatures of {VARIABLE}, cannot be used: {error}"
                ) from error
            answer["signers"] = {
                kind: certificate.public() for kind, certificate in signed.certificates.items()
            }
        return answer

    def _read(self, place: str, timeout: int, limit: int, variables: Mapping[str, Any]) -> bytes:
        try:
            if place.startswith("file://"):
                return bounded_read.content(Path(place[len("file://") :]), limit)
            if "://" in place:
                return receive.document(place, timeout, limit)
            return bounded_read.content(
                Path(control_files.find(self, place, variables)).absolute(), limit
            )
        except (AnsibleError, OSError, receive.ReceiveError) as error:
            shown = plain_text.without_password(place)
            reason = plain_text.sentence(str(error).replace(place, shown))
            raise AnsibleActionFail(f"{VARIABLE}: {shown} cannot be read: {reason}") from None


def _beside(place: str, file: str) -> str:
    """The path or address of a file that a document names."""
    head, slash, _name = place.rpartition("/")
    return f"{head}{slash}{file}"
