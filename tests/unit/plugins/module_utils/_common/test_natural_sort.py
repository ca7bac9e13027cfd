# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Releases in the order of people."""

from __future__ import annotations

from ansible_collections.oslab.kernel.plugins.module_utils._common.natural_sort import (
    natural_key,
)


def test_numbers_count_as_numbers() -> None:
    releases = ["6.10", "6.9", "6.1.0-9-amd64", "6.1.0-38-amd64", "next", "6.1"]
    assert sorted(releases, key=natural_key) == [
        "next", "6.1", "6.1.0-9-amd64", "6.1.0-38-amd64", "6.9", "6.10",
    ]  # fmt: skip


def test_what_only_looks_like_a_number() -> None:
    # int() refuses both.
    assert sorted(["²", "9" * 5000, "1"], key=natural_key) == ["9" * 5000, "²", "1"]
