# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What promtool says of metrics and rules, where Debian's package prometheus is installed."""

from __future__ import annotations

import shutil
import subprocess

import pytest

needs_promtool = pytest.mark.skipif(not shutil.which("promtool"), reason="it needs promtool")


def promtool(*arguments: str, text: str = "") -> str:
    """What it complains of; empty if it does not."""
    done = subprocess.run(
        ["promtool", *arguments],
        input=text.encode(),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return done.stdout.decode() if done.returncode else ""


def complaints(text: str) -> str:
    """Of metrics, their names and units included."""
    return promtool("check", "metrics", text=text)
