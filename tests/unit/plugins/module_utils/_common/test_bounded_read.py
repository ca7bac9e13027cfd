# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files and texts of others: what is in them, up to a limit. test_bounds has hostile ones."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read


def test_limits_are_exact(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"12345")
    assert bounded_read.content(path, 5) == b"12345"
    with pytest.raises(OSError, match="larger than 4 bytes"):
        bounded_read.content(path, 4)
    with pytest.raises(OSError, match="larger than 4 bytes"):
        bounded_read.sha256(path, 4)


def test_the_end_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"x" * 200_000 + b"12345")
    assert bounded_read.end(path, 3) == b"345"
    assert len(bounded_read.end(path, 200_004)) == 200_004
    assert bounded_read.end(path, 1 << 20) == path.read_bytes()
    (tmp_path / "link").symlink_to("/dev/zero")
    with pytest.raises(OSError, match="not a regular file"):
        bounded_read.end(tmp_path / "link", 3)


def test_proc_is_read_to_its_end() -> None:
    assert bounded_read.text(Path("/proc/self/status")).startswith("Name:")
    assert bounded_read.text(Path("/proc/sys/kernel/osrelease")).strip()


@pytest.mark.parametrize("text", ['"\\ud800"', "NaN", "-Infinity", "1e999", "[" * 33 + "]" * 33])
def test_json_that_nobody_else_takes(text: str) -> None:
    with pytest.raises(ValueError):
        bounded_read.parse_json(text)
    assert bounded_read.parse_json("[" * 32 + "]" * 32)


def test_the_checksum_of_a_file(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(b"0" * 200_000)
    assert bounded_read.sha256(path) == hashlib.sha256(b"0" * 200_000).hexdigest()


def test_only_a_newline_ends_a_line_and_only_blanks_part_words() -> None:
    assert bounded_read.lines("a\u2028b\r\n\nc\n") == ["a\u2028b\r", "", "c"]
    assert bounded_read.lines("") == []
    assert bounded_read.words(" a\t\tb\xa0c ") == ["a", "b\xa0c"]


def test_an_object_of_json(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_text('{"a": [1]}')
    assert bounded_read.json_object(path) == {"a": [1]}
    path.write_text(json.dumps([1]))
    with pytest.raises(ValueError, match="not a JSON object"):
        bounded_read.json_object(path)
