# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on the host under test: the state of systemd-boot, as JSON.

Shares no code with what is tested.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

VARIABLES = Path("/sys/firmware/efi/efivars")
VENDOR = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
ESP = Path("/boot/efi")


def variable(name: str) -> str:
    try:
        content = (VARIABLES / f"{name}-{VENDOR}").read_bytes()
    except OSError:
        return ""
    return content[4:].decode("utf-16-le").rstrip("\0")


def field(entry: Path, name: str) -> str:
    found = re.search(rf"^{name}\s+(.*)$", entry.read_text(errors="replace"), re.MULTILINE)
    return found.group(1).strip() if found else ""


def look() -> dict[str, Any]:
    entries = sorted((ESP / "loader/entries").glob("*.conf"))
    default = [entry for entry in entries if entry.name == variable("LoaderEntryDefault")]
    return {
        "loader": variable("LoaderInfo"),
        "entries": [entry.name for entry in entries],
        "options": {entry.name: field(entry, "options") for entry in entries},
        "selected": variable("LoaderEntrySelected"),
        "default": [field(entry, "version") for entry in default],
        "lacking": [
            field(entry, key)
            for entry in default
            for key in ("linux", "initrd")
            if not (ESP / field(entry, key).lstrip("/")).is_file()
        ],
        "next": variable("LoaderEntryOneShot"),
    }


print(json.dumps(look()))
