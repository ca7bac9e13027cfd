# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whom a task becomes if no variable names a user."""

from __future__ import annotations

import pytest
from ansible import context
from ansible.module_utils.common.collections import ImmutableDict
from ansible_collections.oslab.kernel.plugins.filter.acting_user import FilterModule


def test_the_user_of_the_variable_or_of_the_call(monkeypatch: pytest.MonkeyPatch) -> None:
    acting_user = FilterModule().filters()["acting_user"]
    assert acting_user("kbuild") == "kbuild"
    assert acting_user("") == "root"
    monkeypatch.setattr(context, "CLIARGS", ImmutableDict(become_user="ada"))
    assert acting_user("kbuild") == "kbuild"
    assert acting_user("") == "ada"
