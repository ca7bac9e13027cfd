# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""space: what has to be free, file system by file system."""

from __future__ import annotations

from typing import Any

from ansible_collections.oslab.kernel.plugins.plugin_utils.space import needed

MIB = 1024
HOST: dict[str, Any] = {
    "boot_kernel_kib": 60 * MIB,
    "loader_kernel_kib": 0,
    "loader_directory": None,
    "boot_separate": True,
}


def test_boot_counts_for_the_root_where_it_is_a_part_of_it() -> None:
    assert needed(HOST, 300 * MIB, 256, 32) == {"/boot": 92 * MIB, "/": 556 * MIB}
    plain = {**HOST, "boot_separate": False}
    assert needed(plain, 300 * MIB, 256, 32) == {"/boot": 92 * MIB, "/": 648 * MIB}


def test_copies_for_the_boot_loader() -> None:
    host = {**HOST, "loader_kernel_kib": 40 * MIB, "loader_directory": "/boot/efi"}
    expected = {"/boot": 92 * MIB, "/": 556 * MIB, "/boot/efi": 72 * MIB}
    assert needed(host, 300 * MIB, 256, 32) == expected
    there_twice = {**host, "loader_directory": "/boot"}
    assert needed(there_twice, 300 * MIB, 256, 32) == {"/boot": 132 * MIB, "/": 556 * MIB}
    unknown = {**host, "loader_directory": None}
    assert needed(unknown, 300 * MIB, 256, 32) == {"/boot": 92 * MIB, "/": 556 * MIB}
