# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._smoke import record

PASSED = record.Outcome(record.PASSED, "", "tcg")
FAILED = record.Outcome(record.FAILED, "the kernel stops", "kvm")


def test_what_is_written_is_read(tmp_path: Path) -> None:
    assert record.read(tmp_path) is None
    record.write(tmp_path, FAILED, "a\r\n\x1b[2Jb\n")
    assert record.read(tmp_path) == FAILED
    assert (tmp_path / record.LOG).read_text() == "a\n\\x1b[2Jb\n"
    for name in (record.NAME, record.LOG):
        assert (tmp_path / name).stat().st_mode & 0o777 == 0o644
    record.write(tmp_path, PASSED, "c")
    assert record.read(tmp_path) == PASSED


def test_a_skipped_test_replaces_none_that_was_done(tmp_path: Path) -> None:
    skipped = record.skipped("no QEMU")
    record.write(tmp_path, skipped)
    assert record.read(tmp_path) == skipped
    record.write(tmp_path, FAILED)
    record.write(tmp_path, skipped)
    assert record.read(tmp_path) == FAILED


@pytest.mark.parametrize(
    "text",
    ["", "[]", '{"result": "good", "reason": "", "accelerator": ""}', '{"result": "passed"}'],
)
def test_what_is_no_record_counts_as_none(tmp_path: Path, text: str) -> None:
    (tmp_path / record.NAME).write_text(text)
    assert record.read(tmp_path) is None


def test_an_outcome_of_problems() -> None:
    assert record.of_problems([], "tcg") == PASSED
    found = record.of_problems(["a", "b\x1b", "c", "d"], "tcg")
    assert found.result == record.FAILED
    assert found.reason == "a; b\\x1b; c; and 1 more"


def test_a_long_line_is_kept_by_its_end(tmp_path: Path) -> None:
    record.write(tmp_path, FAILED, "x" * (1 << 20) + "end")
    kept = (tmp_path / record.LOG).read_text()
    assert len(kept) == 1 << 20
    assert kept.endswith("xend")
