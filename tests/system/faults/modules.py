# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules of the tests' own, compiled against the headers that were published."""

from __future__ import annotations

import subprocess
from pathlib import Path


class ModulesError(Exception):
    """Said to the user as it is."""


def compile_modules(source: Path, headers: Path, place: Path) -> str:
    """Compile a directory with a Kbuild or Makefile; the release that its modules are for.

    The package with the headers is unpacked below `place`.
    """
    subprocess.run(["dpkg-deb", "-x", str(headers), str(place / "headers")], check=True)
    [tree] = (place / "headers/usr/src").iterdir()
    argv = ["make", "-s", "-C", str(tree), f"M={source}", "modules"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise ModulesError(f"{source} does not compile:\n{done.stderr[-2000:]}")
    return tree.name.removeprefix("linux-headers-")
