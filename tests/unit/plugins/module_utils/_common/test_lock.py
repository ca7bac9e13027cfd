# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A lock that says who holds it."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common.lock import HeldError, held


def test_the_holder_is_named_and_the_next_one_takes_its_place(tmp_path: Path) -> None:
    path = tmp_path / "lock"
    with (
        held(path, 0, "with 6.8"),
        pytest.raises(HeldError, match=rf"process {os.getpid()} on .*, since .*, with 6.8"),
        held(path, 0.3, "with 6.12"),
    ):
        pass
    with held(path, 0, "with 6.12"):
        assert "with 6.12" in path.read_text()
        assert "6.8" not in path.read_text()


def test_others_cannot_hold_it(tmp_path):
    """Who can open a file for reading can lock it."""
    path = tmp_path / "lock"
    path.touch()
    path.chmod(0o666)
    with held(path, 1, "a test"):
        assert path.stat().st_mode & 0o777 == 0o600
