# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The version of this collection."""

from __future__ import annotations

import json
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parents[2]


def collection_version() -> str:
    """Of an installed collection, or of a checkout."""
    installed, checkout = ROOT / "MANIFEST.json", ROOT / "galaxy.yml"
    if installed.is_file():
        return str(json.loads(installed.read_text(encoding="utf-8"))["collection_info"]["version"])
    if checkout.is_file():
        return str(yaml.safe_load(checkout.read_text(encoding="utf-8"))["version"])
    return "of unknown version"
