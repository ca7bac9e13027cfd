# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The identity of a boot."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common import boot_id


def test_it_is_that_of_the_root(tmp_path: Path) -> None:
    path = tmp_path / boot_id.PATH
    with pytest.raises(OSError, match="boot_id"):
        boot_id.read(tmp_path)
    path.parent.mkdir(parents=True)
    path.write_text("f3b0\n")
    assert boot_id.read(tmp_path) == "f3b0"


def test_this_machine_has_one() -> None:
    assert len(boot_id.read()) == 36
