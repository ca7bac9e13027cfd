# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many hosts in one run of a playbook, each for one case of a test: starting it costs most."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from ansible_collections.oslab.kernel.tests.lib.playbook import (
    CONNECTIONS,
    run_playbook,
    write_inventory,
)

RESULT = re.compile(r"(?:ok|changed|skipping|fatal): \[([\w-]+)\]")
OTHER = re.compile(r"(?:TASK|PLAY|RUNNING HANDLER) |\[(?:ERROR|WARNING)\]|included: ")


@dataclass
class Said:
    """What was printed of one host, its lines joined; and whether it failed."""

    text: str
    failed: bool


def by_host(output: str) -> dict[str, Said]:
    tasks, _recap, counts = output.partition("\nPLAY RECAP ")
    lines: dict[str, list[str]] = {}
    host = ""
    for line in tasks.splitlines():
        begins = RESULT.match(line)
        if begins or OTHER.match(line):
            host = begins[1] if begins else ""
        lines.setdefault(host, []).append(line)
    failed = dict(re.findall(r"^([\w-]+) +: .*\bfailed=(\d+)", counts, re.MULTILINE))
    return {
        name: Said(" ".join(" ".join(lines.get(name, [])).split()), int(count) > 0)
        for name, count in failed.items()
    }


#: A run ends where each host of a play has failed; this one has nothing to do.
BYSTANDER = "bystander"


def play(hosts: list[str], tasks: list[dict[str, Any]]) -> dict[str, Any]:
    block = {"when": f"inventory_hostname != '{BYSTANDER}'", "block": tasks}
    return {"hosts": ":".join([*hosts, BYSTANDER]), "gather_facts": False, "tasks": [block]}


def run_plays(
    directory: Path, plays: list[dict[str, Any]], hosts: dict[str, dict[str, Any]]
) -> dict[str, Said]:
    """Hosts that have variables of their own and are this machine."""
    book = directory / "plays.yml"
    book.write_text(yaml.safe_dump(plays))
    targets = {"hosts": {**hosts, BYSTANDER: {}}}
    inventory = write_inventory(directory / "hosts.json", kernel_targets=targets)
    done = run_playbook(book, inventory=inventory, ANSIBLE_CONNECTION_PLUGINS=str(CONNECTIONS))
    found = by_host(done.output)
    assert set(found) >= set(hosts), done.output
    return found
