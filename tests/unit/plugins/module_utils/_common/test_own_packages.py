# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and versions of the packages that a build makes."""

from __future__ import annotations

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common import own_packages


def test_a_version_can_be_a_debian_version() -> None:
    version = own_packages.version("6.12.117", "0123456789abcdef")
    assert version == "6.12.117-oslab1.0123456789ab"
    assert own_packages.is_ours(version)


@pytest.mark.parametrize("version", ["6.12-1", "6.12-oslab1.0123456789abc", "6.12-oslab1.01\n"])
def test_a_version_that_is_not_ours(version: str) -> None:
    assert not own_packages.is_ours(version)


def test_packages_of_a_kernel() -> None:
    assert own_packages.of_kernel("6.12-x") == [
        "linux-image-6.12-x",
        "linux-headers-6.12-x",
        "linux-modules-oslab-6.12-x",
        "linux-image-6.12-x-dbg",
    ]
