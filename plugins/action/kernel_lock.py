# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write the lock of a build, or compare what is to be built with it, before anything is done."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Callable, Optional

import yaml
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.utils.display import Display
from ansible_collections.oslab.kernel.plugins.module_utils._build import lock_lines
from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    atomic_file,
    kernel_version,
    plain_text,
)
from ansible_collections.oslab.kernel.plugins.module_utils._patch.patch_file import PatchError
from ansible_collections.oslab.kernel.plugins.plugin_utils import (
    control_files,
    known_variables,
    lock_file,
    lock_inputs,
    variable_origin,
)
from ansible_collections.oslab.kernel.plugins.plugin_utils.action import ControlAction

display = Display()

MODULE = "oslab.kernel.build_inputs_info"
ROOT = Path(__file__).resolve().parents[2]
#: Parts of a lock that only a configured tree tells.
PLANNED = ("build", "source", "environment")
LATER = "not known before a run without --check"
#: Lines that a run prints.
SHOWN = 40


class ActionModule(ControlAction):
    """The lock is on the control node; of the builder it asks what a comparison needs."""

    _requires_connection = True

    spec: Mapping[str, Any] = {
        "state": {"type": "str", "choices": ["read", "matched", "present"], "required": True},
        "path": {"type": "str", "required": True},
        "settings": {"type": "dict", "default": {}},
        "planned": {"type": "dict", "default": {}},
        "stale": {"type": "bool", "default": False},
        "targets": {"type": "dict", "default": {}},
        "base": {"type": "str", "default": ""},
    }

    def act(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        self._known = {
            **variable_origin.trusted(known_variables.defaults(ROOT)),
            **variables,
        }
        self._given = variables
        self._evaluator = self._templar.copy_with_new_env(available_variables=self._known)
        if not arguments["path"]:
            raise AnsibleActionFail(
                "build_lock is empty: set it to the lock's file, such as kernel.lock (a relative "
                "path is beside the inventory), in the inventory, so that builds take the lock"
            )
        path = lock_file.path_of(arguments["path"], variables.get("inventory_dir"))
        try:
            lock = lock_file.read(path)
            if arguments["state"] == "read":
                return self._start(lock)
            if arguments["state"] == "matched":
                return self._matched(path, lock)
            return self._present(path, lock, arguments)
        except (lock_file.LockError, PatchError) as error:
            raise AnsibleActionFail(str(error)) from error

    # --- what there is ---------------------------------------------------------------------

    def _value(self, name: str) -> Any:
        if variable_origin.is_secret(self._known[name]):
            raise AnsibleActionFail(
                f"{name} is encrypted by ansible-vault, and a lock is a file for git: give the "
                "value as it is, or build without build_lock"
            )
        try:
            return variable_origin.decrypted(self._evaluator.template(self._known[name]))
        except AnsibleError as error:
            raise AnsibleActionFail(f"{name} cannot be evaluated: {error}") from error

    def _settings(self) -> dict[str, Any]:
        """All settings, as the roles would get them."""
        options = known_variables.collect(ROOT).options
        found = {}
        for name in lock_inputs.SETTINGS:
            value, kind = self._value(name), str(options[name].get("type", "str"))
            try:
                found[name] = lock_inputs.plain(value, kind)
            except (TypeError, ValueError) as error:
                raise AnsibleActionFail(f"{name} is no {kind}: {error}") from error
        return found

    def _find(self, variable: str) -> Callable[[str], str]:
        role = ROOT / "roles" / variable.partition("_")[0]

        def find(path: str) -> str:
            try:
                return control_files.find(self, path, self._known, [str(role)])
            except AnsibleError as error:
                raise AnsibleActionFail(f"{variable}: cannot read {path}: {error}") from error

        return find

    def _files(self) -> dict[str, Any]:
        """The files on the control node that go into the build."""
        syscalls = [*self._value("patch_syscalls"), *self._value("patch_syscalls_extra")]
        base = str(self._value("config_base"))
        try:
            found: dict[str, Any] = {
                "config": lock_inputs.files(
                    self._value("config_fragments"), self._find("config_fragments")
                ),
                "config_base": lock_inputs.files([base] if base else [], self._find("config_base")),
                "headers": lock_inputs.entries(
                    self._value("patch_headers"), "dest", self._find("patch_headers")
                ),
                "patches": lock_inputs.patches(
                    self._value("patch_series"), self._find("patch_series")
                ),
                "syscalls": lock_inputs.entries(syscalls, "name", self._find("patch_syscalls")),
            }
            for kind in ("modules", "tools"):
                place = str(self._value(f"build_{kind}_source"))
                found[kind] = lock_inputs.directory(Path(place)) if place else {}
        except OSError as error:
            raise AnsibleActionFail(f"a file of the build cannot be read: {error}") from error
        return dict(lock_inputs.plain(found))

    def _builder(self, **asked: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._execute_module(
            module_name=MODULE, module_args=asked, task_vars=self._given
        )
        if answer.get("failed"):
            raise AnsibleActionFail(plain_text.sentence(answer.get("msg", "the module failed")))
        return answer

    @staticmethod
    def _version() -> str:
        """Of this collection. An installed one has only the manifest, a checkout galaxy.yml."""
        for name, way in (("MANIFEST.json", ("collection_info",)), ("galaxy.yml", ())):
            place = ROOT / name
            if place.is_file():
                found: Any = yaml.safe_load(place.read_text(encoding="utf-8"))
                for key in way:
                    found = found[key]
                return str(found["version"])
        return "unknown"

    # --- states ----------------------------------------------------------------------------

    def _start(self, lock: Optional[Mapping[str, Any]]) -> dict[str, Any]:
        """What writing a lock begins with: the settings as they are, the targets of the last."""
        targets = lock["targets"] if lock else {}
        return {"changed": False, "settings": self._settings(), "targets": targets}

    def _matched(self, path: Path, lock: Optional[Mapping[str, Any]]) -> dict[str, Any]:
        """Compare what can be known before anything is done; then, what the roles have to use."""
        if lock is None:
            raise AnsibleActionFail(
                f"build_lock is {path}, and there is no such file: write it with "
                "playbooks/lock.yml, or leave build_lock empty to build without a lock"
            )
        found = lock_lines.differences(lock, {**lock, **self._here(lock), **self._there(lock)})
        if found:
            raise AnsibleActionFail(plain_text.wrapped(lock_lines.refusal(str(path), found)))
        return {"changed": False, "path": str(path), "variables": _variables(lock)}

    def _here(self, lock: Mapping[str, Any]) -> dict[str, Any]:
        """The parts of the lock as the control node has them."""
        # What nobody has set is taken from the lock.
        given = {
            name: value
            for name, value in self._settings().items()
            if name in self._given and name not in lock_inputs.PLACES
        }
        source = dict(lock["source"])
        if self._given.get("source_sha256"):
            source["sha256"] = str(self._value("source_sha256")).lower()
        return {
            "collection": self._version(),
            "files": self._files(),
            "settings": {**lock["settings"], **given},
            "source": source,
        }

    def _there(self, lock: Mapping[str, Any]) -> dict[str, Any]:
        """The parts of the lock as the builder has them; what it has not yet is not compared."""
        environment = dict(lock["environment"])
        toolchain = dict(environment.get("toolchain") or {})
        file = self._value("source_file") if self._provider(lock) == "file" else ""
        in_root = "root" in environment
        answer = self._builder(programs=[] if in_root else sorted(toolchain), file=str(file))
        toolchain.update({name: text for name, text in answer["programs"].items() if text})
        environment["toolchain"] = toolchain
        parts: dict[str, Any] = {
            "environment": environment,
            "build": {**lock["build"], "machine": answer["architecture"]},
        }
        if answer["sha256"]:
            parts["source"] = {**lock["source"], "sha256": answer["sha256"]}
        return parts

    @staticmethod
    def _provider(lock: Mapping[str, Any]) -> str:
        return str(lock["settings"].get("source_provider"))

    def _present(
        self, path: Path, lock: Optional[dict[str, Any]], given: Mapping[str, Any]
    ) -> dict[str, Any]:
        """Write the lock, if its text is another, and print which lines changed."""
        targets = dict(given["targets"])
        if given["base"]:
            targets["base"] = self._builder(base=given["base"])["base"]
        new = {
            **{name: given["planned"].get(name) for name in PLANNED},
            "collection": self._version(),
            "files": self._files(),
            "settings": given["settings"],
            "targets": targets,
        }
        new = dict(lock_inputs.plain(new))
        _refuse_older(lock, new)
        if self._task.check_mode and (given["stale"] or _is_stale(lock, new)):
            new.update(dict.fromkeys(PLANNED, LATER))
        if LATER not in new.values() and not all(new[name] for name in PLANNED):
            raise AnsibleActionFail("the build cannot be planned: run the roles before it first")
        old_text, text = lock_file.encode(lock) if lock else "", lock_file.encode(new)
        changed = old_text != text or lock is None
        if changed and not self._task.check_mode:
            self._write(path, text)
        changes = [
            f"{each.line}: {lock_lines.change(each)}"
            for each in (lock_lines.differences(lock, new) if lock else [])
        ]
        _print(path, changes, changed)
        header = str(path)
        return {
            "changed": changed,
            "changes": changes,
            "path": str(path),
            "diff": {
                "before": old_text,
                "after": text,
                "before_header": header,
                "after_header": header,
            },
        }

    @staticmethod
    def _write(path: Path, text: str) -> None:
        try:
            atomic_file.write(path, text, 0o644)
        except OSError as error:
            raise AnsibleActionFail(f"build_lock {path} cannot be written: {error}") from error


def _variables(lock: Mapping[str, Any]) -> dict[str, Any]:
    """What the roles get instead of what they would find out."""
    settings, source, targets = dict(lock["settings"]), lock["source"], lock["targets"]
    # A distribution's package is of its series, and its checksum says of which release.
    if settings.get("source_series") and settings.get("source_provider") == "kernel_org":
        settings["source_version"] = source["version"]
    if settings.get("source_provider") == "git" and settings.get("source_git_verify") != "tag":
        # A branch goes on; a signed tag is looked up, and its content compared.
        settings["source_git_ref"] = source["commit"]
    first = str(targets.get("base_host") or "")
    others = sorted(name for name in targets.get("hosts") or {} if name != first)
    return {
        **settings,
        "source_sha256": source["sha256"],
        "config_targets": [first, *others] if first else others,
        "config_known": targets,
        "build_locked": {name: lock[name] for name in PLANNED},
    }


def _refuse_older(lock: Optional[Mapping[str, Any]], new: Mapping[str, Any]) -> None:
    """A mirror's old listing, which is signed as well, must not take a series back."""
    if lock is None or not new["settings"].get("source_series") or not new["source"]:
        return
    old, found = str(lock["source"].get("version")), str(new["source"]["version"])
    try:
        before, now = kernel_version.parse(old), kernel_version.parse(found)
    except ValueError:
        return
    if before.series == now.series and int(now.patch or 0) < int(before.patch or 0):
        raise AnsibleActionFail(
            f"source_series: the newest release that was found is {found}, and build_lock has "
            f"{old}: the mirror or the package index is old. Try another mirror (source_mirrors). "
            "To go back on purpose, restore an older lock from git"
        )


def _is_stale(lock: Optional[Mapping[str, Any]], new: Mapping[str, Any]) -> bool:
    """In check mode: whether the tree is of other inputs than those that are there."""
    if lock is None or not all(new[name] for name in PLANNED):
        return True
    return any(lock[name] != new[name] for name in new if name not in PLANNED)


def _print(path: Path, changes: list[str], changed: bool) -> None:
    if not changed:
        return
    shown = [plain_text.sentence(line) for line in changes[:SHOWN]]
    if len(changes) > SHOWN:
        shown.append(f"and {len(changes) - SHOWN} more lines")
    for line in shown or [f"{path} is new"]:
        display.display(f"lock: {line}")
