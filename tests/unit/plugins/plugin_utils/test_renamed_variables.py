# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables of earlier releases: each leads to a variable that exists."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils import (
    known_variables,
    renamed_variables,
)

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="module")
def known() -> known_variables.Known:
    return known_variables.collect(ROOT)


@pytest.mark.parametrize(("old", "new"), sorted(renamed_variables.RENAMED.items()))
def test_each_new_name_is_an_option_and_no_old_one_is(
    known: known_variables.Known, old: str, new: str
) -> None:
    assert new in known.options
    assert not known.has(old)


def test_an_old_name_is_refused_with_the_new_one() -> None:
    assert renamed_variables.problem("install_reboot", "hosts.yml:3") == (
        "install_reboot (hosts.yml:3) is no longer read: its name is trial_reboot now. Rename it"
    )
    assert renamed_variables.problem("install_reboot") == (
        "install_reboot is no longer read: its name is trial_reboot now. Rename it"
    )
