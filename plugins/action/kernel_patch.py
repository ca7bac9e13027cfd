# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pass the texts of files on the control node to the module kernel_patch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleError
from ansible_collections.oslab.kernel.plugins.module_utils._patch import patch_file
from ansible_collections.oslab.kernel.plugins.module_utils._source.download import (
    Limits,
    url_opener,
)
from ansible_collections.oslab.kernel.plugins.plugin_utils import control_files, host_answer
from ansible_collections.oslab.kernel.plugins.plugin_utils.action import Action

# The sources and patches of this collection, which are known to compile and to apply.
OURS = Path(__file__).resolve().parents[2] / "files" / "kernel"


class ActionModule(Action):
    """Replace each path among the arguments by the file's name and text."""

    module = "oslab.kernel.kernel_patch"

    def _find(self, path: str) -> str:
        return control_files.find(self, path, self._known)

    def _file(self, path: str, option: str) -> dict[str, str]:
        try:
            found = Path(self._find(path))
            return {"name": found.name, "text": found.read_text(encoding="utf-8")}
        except (AnsibleError, OSError, UnicodeDecodeError) as error:
            raise AnsibleActionFail(f"{option}: cannot read {path}: {error}") from error

    def _is_ours(self, path: str) -> bool:
        return OURS in Path(self._find(path)).resolve().parents

    def _patches(self, entries: list[Any], cache: str) -> list[dict[str, Any]]:
        """All entries are looked at before the first address is asked."""
        try:
            series = [patch_file.parse(entry, index) for index, entry in enumerate(entries)]
        except patch_file.PatchError as error:
            raise AnsibleActionFail(str(error)) from error
        return [self._patch(wanted, Path(cache).expanduser()) for wanted in series]

    def _patch(self, wanted: patch_file.Wanted, cache: Path) -> dict[str, Any]:
        limits = Limits()

        opener = url_opener(limits.timeout)
        try:
            text = patch_file.text_of(wanted, self._find, cache, opener, limits)
        except patch_file.PatchError as error:
            raise AnsibleActionFail(str(error)) from error
        except AnsibleError as error:
            raise AnsibleActionFail(
                f"patch_series: cannot read {wanted.source}: {error}"
            ) from error
        own = wanted.is_url or not self._is_ours(wanted.source)
        return {"source": wanted.source, "own": own, "file": {"name": wanted.name, "text": text}}

    def act(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        self._known = variables
        for option in ("syscalls", "syscalls_extra", "headers"):
            arguments[option] = [
                {**entry, "file": self._file(entry["source"], f"patch_{option}[{index}]")}
                for index, entry in enumerate(arguments.get(option) or [])
            ]
        for entry in [*arguments["syscalls"], *arguments["syscalls_extra"]]:
            entry["own"] = not self._is_ours(entry["source"])
        cache = arguments.pop("cache", None) or "~/.cache/oslab-kernel/patches"
        arguments["patches"] = self._patches(arguments.get("patches") or [], cache)
        # It quotes the source that it could not change.
        return host_answer.plain_messages(self.execute(arguments, variables))
