# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that are accepted, and what looks like one."""

from __future__ import annotations

import re

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common import name_forms


@pytest.mark.parametrize(
    ("form", "names"),
    [
        (name_forms.RELEASE, ["6.1.0-50-amd64", "6.8~rc3+deb_1", "6" * 64]),
        (name_forms.MODULE, ["snd-hda_intel", "8021q", "X" * 64]),
        (name_forms.PACKAGE, ["linux-image-6.8.0", "g++-12", "0ad"]),
    ],
)
def test_names(form: re.Pattern[str], names: list[str]) -> None:
    assert [name for name in names if form.fullmatch(name)] == names


@pytest.mark.parametrize(
    ("form", "names"),
    [
        (name_forms.RELEASE, ["", "-x", ".", "../6.8", "6 8", "6.8\n", "6" * 65]),
        (name_forms.MODULE, ["", "a b", "a.ko", "../a", "a\n", "x" * 65]),
        (name_forms.PACKAGE, ["", "a", "-a", "A1", "a_b", "a/b", "a\n", "a" * 101]),
    ],
)
def test_what_is_none(form: re.Pattern[str], names: list[str]) -> None:
    assert [name for name in names if form.fullmatch(name)] == []
