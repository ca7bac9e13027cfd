# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lock as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils import lock_file

CONFIG = 'CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C="a b"\n'
LOCK: dict[str, Any] = {
    **{name: {} for name in lock_file.MAPPINGS},
    "collection": "0.2.0",
    "settings": {"b": "6.10", "a": "n", "on": True, "none": None},
    "targets": {"base": CONFIG, "hosts": {"x": {"modules": ["b", "a"]}}},
}


def test_what_is_written_is_read() -> None:
    assert lock_file.decode(lock_file.encode(LOCK), "x") == LOCK


@pytest.mark.parametrize(
    "text",
    ["a\tb\nc\n", " first\nsecond\n", "end \nx", "\n", "\x07\n", "é\n🚀\n", "a\r\nb\n", "---\n"],
)
def test_each_text_comes_back(text: str) -> None:
    lock = {**LOCK, "targets": {"base": text}}
    assert lock_file.decode(lock_file.encode(lock), "x") == lock


def test_the_same_content_is_the_same_text() -> None:
    shuffled = dict(reversed(LOCK.items()))
    shuffled["settings"] = dict(reversed(LOCK["settings"].items()))
    assert lock_file.encode(shuffled) == lock_file.encode(LOCK)


def test_a_configuration_has_its_lines() -> None:
    text = lock_file.encode(LOCK)
    assert "\n  base: |\n    CONFIG_A=y\n    # CONFIG_B is not set\n" in text
    assert "\n      modules:\n        - b\n        - a\n" in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("<<<<<<< HEAD\nformat: 1\n", "is no"),
        ("a: [\n", "is no YAML"),
        ("[]", "is no lock of"),
        ("format: 2\ncollection: 9.1\n", "has the format 2, .*collection: 9.1"),
        ("format: 1\n", "lacks build, collection"),
        (lock_file.encode({**LOCK, "files": []}), "lacks files"),
        ("!!python/object/apply:os.system [id]", "is no YAML"),
    ],
)
def test_what_is_no_lock(text: str, message: str) -> None:
    with pytest.raises(lock_file.LockError, match=message) as caught:
        lock_file.decode(text, "kernel.lock")
    assert "lock.yml" in str(caught.value)


def test_a_missing_file_is_none(tmp_path: Path) -> None:
    assert lock_file.read(tmp_path / "x") is None
    (tmp_path / "x").write_bytes(b"\xff\n")
    with pytest.raises(lock_file.LockError, match="cannot be read"):
        lock_file.read(tmp_path / "x")


def test_a_relative_path_is_beside_the_inventory() -> None:
    assert lock_file.path_of("kernel.lock", "/inventory") == Path("/inventory/kernel.lock")
    assert lock_file.path_of("/x/kernel.lock", "/inventory") == Path("/x/kernel.lock")
    assert lock_file.path_of("~/kernel.lock", None) == Path.home() / "kernel.lock"
