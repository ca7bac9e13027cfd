# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What playbooks hand to each other, which no syntax check sees."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

PLAYBOOKS = Path(__file__).resolve().parents[2] / "playbooks"


def imports(book: str) -> list[dict[str, Any]]:
    plays = yaml.safe_load((PLAYBOOKS / book).read_text(encoding="utf-8"))
    return [play for play in plays if "ansible.builtin.import_playbook" in play]


@pytest.mark.parametrize("book", ["rollback.yml", "remove.yml"])
def test_restore_hosts_is_given_what_it_reads(book: str) -> None:
    (imported,) = imports(book)
    assert imported["ansible.builtin.import_playbook"] == "restore_hosts.yml"
    text = (PLAYBOOKS / "restore_hosts.yml").read_text(encoding="utf-8")
    assert set(imported["vars"]) == set(re.findall(r"\brestore_(?!hosts)\w+", text))
    tasks = PLAYBOOKS / "tasks" / imported["vars"]["restore_tasks"]
    assert yaml.safe_load(tasks.read_text(encoding="utf-8"))


def test_every_playbook_checks_the_inventory_first() -> None:
    """Itself, or by another playbook, which it imports."""
    checks = {"preflight.yml"}
    books = {path.name: imports(path.name) for path in PLAYBOOKS.glob("*.yml")}
    for _depth in books:
        checks |= {
            book
            for book, imported in books.items()
            if imported and imported[0]["ansible.builtin.import_playbook"] in checks
        }
    assert set(books) - checks == set()
