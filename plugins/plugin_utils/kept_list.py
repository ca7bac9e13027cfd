# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of a build's files that build_files_info has kept on the control node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail


def read(path: str) -> dict[str, Any]:
    """The list in a file. Raises AnsibleActionFail if it holds none."""
    try:
        files = json.loads(Path(path).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise AnsibleActionFail(
            f"files_path: {path} is not what build_files_info has kept in this run: {error}"
        ) from error
    if not isinstance(files, dict):
        raise AnsibleActionFail(f"files_path: {path} holds no list of files")
    return files
