# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The C of files/kernel, held against real kernel trees.

OSLAB_KERNEL_TREES names them: directories of unpacked, unmodified trees, separated by colons.
They are only read. What needs one is skipped without; what compiles in them needs
OSLAB_KERNEL_BUILD=1 as well (minutes, and some 2 GB in the temporary directory for each).
OSLAB_SPARSE is the sparse to use; 7.x needs a newer one than Debian 12 has.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[3]
KERNEL = ROOT / "files" / "kernel"

TREES = [Path(name) for name in os.environ.get("OSLAB_KERNEL_TREES", "").split(":") if name]


@pytest.fixture(params=[*TREES] or [Path()], ids=lambda tree: tree.name, scope="session")
def tree(request: pytest.FixtureRequest) -> Path:
    """An unmodified kernel tree, to read from."""
    if not TREES:
        pytest.skip("OSLAB_KERNEL_TREES names no kernel tree")
    return Path(request.param)


@pytest.fixture(scope="session")
def kernel() -> Path:
    """files/kernel"""
    return KERNEL
