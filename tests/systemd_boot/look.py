# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on the host under test: how it is, as JSON. Shares no code with what is tested."""

from __future__ import annotations

import json
import os
import re
from pathlib import Path
from typing import Any

VARIABLES = Path("/sys/firmware/efi/efivars")
VENDOR = "4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
ESP = Path("/boot/efi")
STATE = Path("/var/lib/oslab-kernel")


def read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def variable(name: str) -> str:
    try:
        content = (VARIABLES / f"{name}-{VENDOR}").read_bytes()
    except OSError:
        return ""
    return content[4:].decode("utf-16-le").rstrip("\0")


def field(entry: Path, name: str) -> str:
    found = re.search(rf"^{name}\s+(.*)$", read(entry), re.MULTILINE)
    return found.group(1).strip() if found else ""


def look() -> dict[str, Any]:
    entries = sorted((ESP / "loader/entries").glob("*.conf"))
    default = [entry for entry in entries if entry.name == variable("LoaderEntryDefault")]
    try:
        record = json.loads(read(STATE / "install.json"))
    except ValueError:
        record = {}
    return {
        "release": os.uname().release,
        "boot_id": read(Path("/proc/sys/kernel/random/boot_id")).strip(),
        "loader": variable("LoaderInfo"),
        "arguments": read(Path("/proc/cmdline")).strip(),
        "trial": "oslab.trial=" in read(Path("/proc/cmdline")),
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
        "record": record,
        "report": read(STATE / "trial-return.txt")[:2000],
    }


print(json.dumps(look()))
