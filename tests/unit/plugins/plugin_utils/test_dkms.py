# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""dkms: which modules a kernel has not."""

from __future__ import annotations

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils.dkms import unbuilt


@pytest.mark.parametrize(
    ("modules", "automatic", "missing"),
    [
        ({}, [], []),
        ({"zfs/2": ["old"]}, ["zfs/2"], ["zfs/2"]),
        ({"zfs/2": ["old", "new"]}, ["zfs/2"], []),
        # Neither is it used nor would DKMS build it.
        ({"manual/1": ["older"]}, [], []),
        ({"manual/1": ["old"]}, [], ["manual/1"]),
        ({"never/1": []}, ["never/1"], ["never/1"]),
        # Another version of the same module will do.
        ({"zfs/1": ["old"], "zfs/2": ["new"]}, ["zfs/2"], []),
    ],
)
def test_what_is_missing(
    modules: dict[str, list[str]], automatic: list[str], missing: list[str]
) -> None:
    info = {"release": "old", "dkms_modules": modules, "dkms_automatic": automatic}
    assert unbuilt(info, "new") == missing
