# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Each word of the tables has its effect on what is known of a menu."""

from __future__ import annotations

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import quirks
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.entry import parse_menu
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.settings import Winner

ENTRY = "menuentry b --id b {\n linux /b\n}\n"


def question(commands: str) -> str:
    menu = parse_menu(f"{commands}\n{ENTRY}")
    return menu.question(menu.entries[0])


@pytest.mark.parametrize("name", quirks.REMEDIES)
def test_the_remedy_is_in_the_message(name: str) -> None:
    remedy = quirks.REMEDIES[name]
    problem = Winner(f"/etc/default/grub.d/{name}", "1").problem
    assert f"{remedy[0].upper()}{remedy[1:]}" in problem


@pytest.mark.parametrize("command", sorted({*quirks.HARMLESS} - {"menuentry"}))
def test_a_harmless_command_sets_no_superusers(command: str) -> None:
    assert question(f"{command} $superusers superusers") == ""
    assert question("another $superusers superusers") != ""


@pytest.mark.parametrize("command", quirks.GIVES)
def test_a_variable_that_a_command_gives_is_not_known(command: str) -> None:
    assert question("set a=5\nset timeout=$a") == ""
    assert question(f"set a=5\n{command} a\nset timeout=$a") != ""


@pytest.mark.parametrize("command", quirks.UNKNOWN)
def test_what_runs_something_else_may_ask(command: str) -> None:
    assert f"has `{command} x`, which is not followed" in question(f"{command} x")
