# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Hand the module kernel_patch the texts of files that are on the control node."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase


class ActionModule(ActionBase):
    """Replace each path among the arguments by the file's name and text."""

    TRANSFERS_FILES = False

    def _file(self, path: str, option: str) -> dict[str, str]:
        try:
            found = Path(self._find_needle("files", path))
            return {"name": found.name, "text": found.read_text(encoding="utf-8")}
        except (AnsibleError, OSError, UnicodeDecodeError) as error:
            raise AnsibleActionFail(f"{option}: cannot read {path}: {error}") from error

    def run(
        self, tmp: Optional[str] = None, task_vars: Optional[dict[str, Any]] = None
    ) -> dict[str, Any]:
        result: dict[str, Any] = super().run(tmp, task_vars)
        arguments = dict(self._task.args)
        for option in ("syscalls", "headers"):
            arguments[option] = [
                {**entry, "file": self._file(entry["source"], f"patch_{option}")}
                for entry in arguments.get(option) or []
            ]
        arguments["patches"] = [
            {"source": path, "file": self._file(path, "patch_series")}
            for path in arguments.get("patches") or []
        ]
        result.update(
            self._execute_module("oslab.kernel.kernel_patch", arguments, task_vars=task_vars)
        )
        return result
