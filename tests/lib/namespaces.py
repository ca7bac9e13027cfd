# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Marks of tests that need namespaces, which a container may not allow, not even to root."""

from __future__ import annotations

import os
import subprocess

import pytest


def _works(*argv: str) -> bool:
    try:
        return subprocess.run(argv, capture_output=True, check=False).returncode == 0
    except FileNotFoundError:
        return False


_MOUNTS = _works("unshare", "--mount", "true")
_BWRAP = _works("bwrap", "--unshare-all", "--unshare-user", "--ro-bind", "/", "/", "true")

needs_mounts = pytest.mark.skipif(not _MOUNTS, reason="a mount namespace cannot be made")
# Root enters a build root from a mount namespace of its own.
needs_bwrap = pytest.mark.skipif(
    not _BWRAP or (os.geteuid() == 0 and not _MOUNTS),
    reason="no bubblewrap, or no namespaces",
)
