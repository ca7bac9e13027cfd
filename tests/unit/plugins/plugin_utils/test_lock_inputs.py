# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which settings and files of the control node a lock has."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.oslab.kernel.plugins.module_utils._patch.patch_file import PatchError
from ansible_collections.oslab.kernel.plugins.plugin_utils import known_variables, lock_inputs

ROOT = Path(__file__).resolve().parents[4]
A = hashlib.sha256(b"a").hexdigest()
# Roles whose variables decide what is built.
ROLES = ("build", "config", "patch", "source", "version")
# Variables of theirs that do not: where, how fast and from where; or that a lock has otherwise.
# What a smoke test finds out is no part of a build.
ELSEWHERE = {
    "build_smoke_test", "build_smoke_test_allowed", "build_ccache_preprocess", "build_reuse",
    "build_attestation", "build_attestation_gpg_home",
    "build_lock", "build_locked", "build_published", "build_user", "source_user",
    "build_published_packages", "config_known", "config_targets", "config_excluded_targets",
    "config_refresh_targets", "source_sha256", "source_known_sha256", "source_file",
}  # fmt: skip
FILES = {
    "build_modules_source", "build_tools_source", "config_base", "config_fragments", "patch_files",
    "patch_headers", "patch_series", "patch_syscalls", "patch_syscalls_extra",
}  # fmt: skip
# In the build id by what comes of them: compression, signers, arguments that playbooks hand on.
BY_RESULT = {
    "build_compression", "build_image_signing_key", "build_module_signing_key",
    "config_debug_info", "config_environment", "config_make_args", "config_module_signing",
}  # fmt: skip
PLACES_AND_LIMITS = (
    "_dir", "_tree", "_store", "_jobs", "_force", "_size", "_timeout", "_tries", "_mirrors",
    "_keyring", "_days", "_refresh", "_gib", "_hosts", "_remote", "_cache", "_ccache", "_workdir",
    "_distribute", "_keys", "_key", "_fingerprints", "_fingerprint", "_signature",
)  # fmt: skip


def test_no_variable_that_decides_what_is_built_is_forgotten() -> None:
    """A new variable is in a lock, or here, with the reason."""
    known = known_variables.collect(ROOT)
    names = {name for name, role in known.roles.items() if role in ROLES}
    left = {
        name
        for name in names - set(lock_inputs.SETTINGS) - ELSEWHERE - FILES - BY_RESULT
        if not name.endswith(PLACES_AND_LIMITS)
    }
    assert left == set()
    assert set(lock_inputs.SETTINGS) <= set(known.options)


def test_the_playbook_takes_each_setting_from_the_lock() -> None:
    text = (ROOT / "playbooks/tasks/compare_with_lock.yml").read_text(encoding="utf-8")
    (task,) = [one for one in yaml.safe_load(text) if one["name"] == "Use what the lock has"]
    facts = task["ansible.builtin.set_fact"]
    more = {"source_sha256", "config_targets", "config_known", "build_locked"}
    assert set(facts) == {*lock_inputs.SETTINGS, *more}
    for name, value in facts.items():
        assert value == f"{{{{ build_lock_read.variables.{name} }}}}"


@pytest.mark.parametrize(
    ("value", "kind", "found"),
    [("yes", "bool", True), (6.12, "str", "6.12"), ("a,b", "list", ["a", "b"]), ("2", "int", 2)],
)
def test_a_value_has_the_type_of_its_variable(value: Any, kind: str, found: Any) -> None:
    assert lock_inputs.plain(value, kind) == found
    assert type(lock_inputs.plain(value, kind)) is type(found)


def test_patches(tmp_path: Path) -> None:
    (tmp_path / "a.patch").write_bytes(b"a")
    series = ["a.patch", {"source": "https://example.org/b.patch", "sha256": "B" * 64}]
    assert lock_inputs.patches(series, lambda name: str(tmp_path / name)) == [
        {"name": "a.patch", "sha256": A},
        {"name": "b.patch", "sha256": "b" * 64},
    ]
    with pytest.raises(PatchError):
        lock_inputs.patches(["https://example.org/x.patch"], str)


def test_entries_have_all_but_their_path(tmp_path: Path) -> None:
    (tmp_path / "a.c").write_bytes(b"a")
    entry = {"name": "x", "kconfig": "X", "source": "a.c", "number": 470}
    assert lock_inputs.entries([entry], "name", lambda name: str(tmp_path / name)) == [
        {"name": "x", "kconfig": "X", "number": 470, "sha256": A}
    ]
    header = {"source": "a.c", "dest": "include/x.h"}
    assert lock_inputs.entries([header], "dest", lambda name: str(tmp_path / name)) == [
        {"name": "include/x.h", "sha256": A}
    ]


def test_what_make_has_left_is_no_source(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("a.c", "a.o", "sub/b.c", ".a.o.cmd"):
        (tmp_path / name).write_bytes(b"a")
    assert lock_inputs.directory(tmp_path) == {"a.c": A, "sub/b.c": A}
