# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the tests of a booted machine share."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Callable

import pytest
import yaml

TESTS = Path(__file__).resolve().parent
ROOT = TESTS.parents[2]
GUEST = (TESTS / "guest.py").read_text()

# An expression of guest.py, its JSON value in the machine.
Guest = Callable[[str], Any]
Setting = Callable[[str], Any]


@pytest.fixture(scope="module")
def guest(host: Any) -> Guest:
    """Evaluate an expression with guest.py in front of it, inside the machine, as root."""

    def evaluate(expression: str) -> Any:
        source = f"{GUEST}\nprint(json.dumps({expression}))\n"
        ended = host.run("python3 -c %s", source)
        assert ended.rc == 0, ended.stderr
        return json.loads(ended.stdout)

    return evaluate


@pytest.fixture(scope="module")
def manifest(host: Any) -> dict[str, Any]:
    """What the running kernel says about itself."""
    release = host.check_output("uname -r")
    found: dict[str, Any] = json.loads(
        host.check_output("cat /lib/modules/%s/oslab-kernel.json", release)
    )
    return found


@pytest.fixture(scope="module")
def complaints(host: Any) -> Callable[[], str]:
    """What the kernel has complained about since it booted."""
    words = (
        r"BUG:|WARNING:|INFO:|Oops|Call Trace|suspicious RCU|scheduling while atomic"
        r"|general protection|unable to handle|refcount_t:"
    )
    return lambda: str(host.run("dmesg | grep -E %s", words).stdout)


@pytest.fixture(scope="module")
def setting(host: Any) -> Setting:
    """A variable as the inventory sets it, or else its role's default: nothing is repeated here."""
    inventory = host.ansible.get_variables() if os.environ.get("MOLECULE_INVENTORY_FILE") else {}

    def look_up(name: str) -> Any:
        if name in inventory:
            return inventory[name]
        role = name.split("_", 1)[0]
        return yaml.safe_load((ROOT / f"roles/{role}/defaults/main.yml").read_text())[name]

    return look_up
