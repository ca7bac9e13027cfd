# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the value of a variable comes from, as far as Ansible tells; and trust in templates."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, Callable, Optional

try:  # ansible-core 2.19 and later
    from ansible._internal._datatag._tags import Origin
    from ansible.template import trust_as_template
except ImportError:
    Origin = None
    trust_as_template: Optional[Callable[[str], str]] = None  # type: ignore[no-redef]


#: Classes of ansible-core before 2.19, and since.
_ENCRYPTED = ("AnsibleVaultEncryptedUnicode", "EncryptedString")


def place(path: str, line: Optional[int]) -> str:
    """As somebody would open it from where he is."""
    try:
        near = os.path.relpath(path)
    except ValueError:
        near = path
    shown = near if not near.startswith("..") else str(Path(path))
    return f"{shown}:{line}" if line else shown


def of(value: Any) -> str:
    """`FILE:LINE`, or empty if it is not known."""
    if Origin is not None:
        tag = Origin.get_tag(value)
        if tag is None or not tag.path:
            return str(getattr(tag, "description", None) or "").strip("<>")
        return place(tag.path, tag.line_num)
    position = getattr(value, "ansible_pos", None)
    return place(str(position[0]), position[1]) if position and position[0] else ""


def is_secret(value: Any) -> bool:
    """Whether ansible-vault has encrypted it, or a part of it."""
    if isinstance(value, dict):
        return any(is_secret(part) for part in value.values())
    if isinstance(value, (list, tuple)):
        return any(is_secret(part) for part in value)
    return type(value).__name__ in _ENCRYPTED


def decrypted(value: Any) -> Any:
    """The same with texts for what ansible-vault has encrypted: before 2.19 they were none."""
    if isinstance(value, dict):
        return {name: decrypted(part) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [decrypted(part) for part in value]
    return str(value) if is_secret(value) else value


def trusted(value: Any) -> Any:
    """The same with its texts as templates, which since 2.19 only Ansible's own loader makes."""
    if isinstance(value, dict):
        return {name: trusted(part) for name, part in value.items()}
    if isinstance(value, list):
        return [trusted(part) for part in value]
    if isinstance(value, str) and trust_as_template is not None:
        return trust_as_template(value)
    return value
