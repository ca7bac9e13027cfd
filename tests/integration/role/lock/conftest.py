# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two builders of the fake tree."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.tests.lib.locked_builder import PATCH, Builder, target


@pytest.fixture
def alice(tmp_path: Path, fake_tarball: Path) -> Builder:
    """Her targets answer."""
    made = Builder(tmp_path / "alice", fake_tarball)
    made.patch.write_text(PATCH)
    made.targets = {
        "alpha": target(modules=["ext4"], essential_modules=["virtio_blk"]),
        "beta": target("CONFIG_NET=y\n" * 12, modules=["xfs"], essential_modules=[]),
    }
    return made


@pytest.fixture
def bob(tmp_path: Path, alice: Builder) -> Builder:
    """He has what is in git, an empty directory, and no targets."""
    made = Builder(tmp_path / "bob/somewhere/else", alice.tarball)
    shutil.copy(alice.patch, made.patch)
    return made
