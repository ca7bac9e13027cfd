# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a report: what is in them, and how they come to be there."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ansible_collections.oslab.kernel.plugins.module_utils._common import atomic_file
from ansible_collections.oslab.kernel.plugins.plugin_utils.report import junit, model, page

# They quote the logs of hosts.
_FILE, _DIRECTORY = 0o640, 0o750


def contents(report: model.Report) -> dict[str, str]:
    """By the names of the files."""
    return {
        "report.html": page.render(report),
        "report.json": json.dumps(report, ensure_ascii=False, indent=1) + "\n",
        "report.xml": junit.render(report),
    }


def _give(path: Path) -> None:
    """Root leaves no file of its own in a directory of a user."""
    owner = path.parent.stat()
    if os.geteuid() == 0 and owner.st_uid != 0:
        os.chown(path, owner.st_uid, owner.st_gid, follow_symlinks=False)


def write(directory: Path, texts: dict[str, str]) -> list[Path]:
    """Each file replaces the earlier one in one step. Raises OSError."""
    made = [one for one in (directory, *directory.parents) if not one.exists()]
    for one in reversed(made):
        one.mkdir(mode=_DIRECTORY)
        _give(one)
    written = []
    for name, text in texts.items():
        path = directory / name
        atomic_file.write(path, text, _FILE, durable=False)
        _give(path)
        written.append(path)
    return written
