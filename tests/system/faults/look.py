# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on the host under test: how it is, as JSON. Shares no code with what is tested."""

from __future__ import annotations

import json
import os
import re
import subprocess
from pathlib import Path
from typing import Any

GRUB = Path("/boot/grub")
STATE = Path("/var/lib/oslab-kernel")


def read(path: Path) -> str:
    try:
        return path.read_text(errors="replace")
    except OSError:
        return ""


def grub_variables() -> dict[str, str]:
    lines = read(GRUB / "grubenv").splitlines()
    return dict(line.split("=", 1) for line in lines if "=" in line and line[0] != "#")


def default_kernel(variables: dict[str, str]) -> str:
    """The release that GRUB boots when nobody does anything."""
    menu = read(GRUB / "grub.cfg")
    # Of the header: where an entry is booted once, and else.
    named = re.findall(r'^ *set default="([^"]*)"', menu, re.MULTILINE)[-1:]
    chosen = variables.get("saved_entry", "") if named == ["${saved_entry}"] else "".join(named)
    if chosen and not chosen.isdigit():
        wanted = chosen.rsplit(">", 1)[-1]
        entry = menu[menu.find(f"'{wanted}' {{") :] if f"'{wanted}' {{" in menu else ""
    else:
        entry = menu
    found = re.search(r"^\s*linux\s+\S*/vmlinuz-(\S+)", entry, re.MULTILINE)
    return found.group(1) if found else ""


def lacking(release: str) -> list[str]:
    """What that kernel would not boot without."""
    wanted = [Path(f"/boot/{kind}-{release}") for kind in ("vmlinuz", "initrd.img")]
    wanted.append(Path(f"/lib/modules/{release}/modules.dep"))
    return [str(path) for path in wanted if not path.is_file() or path.stat().st_size == 0]


def look() -> dict[str, Any]:
    variables = grub_variables()
    default = default_kernel(variables)
    audit = subprocess.run(["dpkg", "--audit"], capture_output=True, text=True, check=False)
    try:
        record = json.loads(read(STATE / "install.json"))
    except ValueError:
        record = {}
    program = Path("/etc/oslab-kernel/trial-on-host")
    status = ""
    if program.exists():
        status = subprocess.run(
            [str(program), "status"], capture_output=True, text=True, check=False
        ).stdout
    unit = ["systemctl", "is-active", "oslab-trial-finish.service"]
    finishing = subprocess.run(unit, capture_output=True, text=True, check=False).stdout.strip()
    return {
        "status": status,
        "finishing": finishing in ("active", "activating"),
        "release": os.uname().release,
        "boot_id": read(Path("/proc/sys/kernel/random/boot_id")).strip(),
        "trial": "oslab.trial=" in read(Path("/proc/cmdline")),
        "confirmed": Path("/run/oslab-trial.confirmed").exists(),
        "default": default,
        "lacking": lacking(default),
        "next": variables.get("next_entry", ""),
        "audit": (audit.stdout + audit.stderr).strip(),
        "record": record,
        "report": read(STATE / "trial-return.txt")[:2000],
    }


print(json.dumps(look()))
