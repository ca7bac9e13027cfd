# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What dpkg prints about packages, and what is read from it."""

from __future__ import annotations

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._host.packages import (
    Package,
    parse_packages,
    query_packages,
)


def test_the_rows_of_packages() -> None:
    output = (
        "a 1.0 install ok installed\n"
        "b 2:3~4 hold reinstreq half-installed\n"
        "c  unknown ok not-installed\n"  # never unpacked: no version
        "d 5 deinstall ok config-files\n"
        "d 5 install ok installed\n"  # of another architecture
    )
    found = parse_packages(output)
    assert found == [
        Package("a", "1.0", "install", "ok", "installed"),
        Package("b", "2:3~4", "hold", "reinstreq", "half-installed"),
        Package("d", "5", "deinstall", "ok", "config-files"),
        Package("d", "5", "install", "ok", "installed"),
    ]
    assert [package.installed for package in found] == [True, False, False, True]


@pytest.mark.parametrize("output", ["", "\n", "a\n", "a 1 install ok\n", "a 1 2 install ok x\n"])
def test_what_is_no_row(output: str) -> None:
    assert parse_packages(output) == []


def test_the_columns_that_are_asked_for() -> None:
    form = query_packages()[-1]
    assert form.endswith("${Package} ${Version} ${Status}\\n")
    assert query_packages(["a", "b"]) == ["dpkg-query", "--show", form, "a", "b"]
