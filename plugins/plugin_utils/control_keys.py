# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing keys of the user's: files on the control node."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import lookup_loader
from ansible_collections.oslab.kernel.plugins.module_utils import signing_key
from ansible_collections.oslab.kernel.plugins.module_utils.signing_key import SigningKey


class Secret(str):
    """A text that does not show itself where arguments are printed, as with ANSIBLE_DEBUG."""

    def __repr__(self) -> str:
        return "'(secret)'"


def read(action: ActionBase, path: str, variable: str, task_vars: dict[str, Any]) -> SigningKey:
    """The key of a file, which ansible-vault may have encrypted; refused if it is of no use."""
    try:
        found = action._find_needle("files", path)
        # The lookup knows vaults in every release of Ansible.
        lookup = lookup_loader.get(
            "ansible.builtin.file", loader=action._loader, templar=action._templar
        )
        (text,) = lookup.run([found], variables=task_vars)
    except (AnsibleError, OSError) as error:
        raise AnsibleActionFail(
            f"{variable}: cannot read {path} on the control node: {error}"
        ) from None
    try:
        return signing_key.parse(str(text), variable, datetime.now(timezone.utc))
    except signing_key.SigningKeyError as error:
        raise AnsibleActionFail(f"{error} (the file is {path})") from None
