# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""boot_config_info: what is no configuration is not kept as one."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.oslab.kernel.plugins.action.boot_config_info import ActionModule
from ansible_collections.oslab.kernel.plugins.module_utils._kconfig import base

GOOD = "# comment\n" + "".join(f"CONFIG_A{number}=y\n" for number in range(10))


def wrong(content: object) -> str:
    return ActionModule.__new__(ActionModule).wrong({"content": content})


def encoded(text: bytes) -> str:
    return base64.b64encode(text).decode()


def test_a_configuration() -> None:
    assert wrong(encoded(GOOD.encode())) == ""


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "has to be text"),
        ("%%%", "no text in base64"),
        (encoded(b"\xff\xfe"), "no text in base64"),
        ("", "fewer than"),
        (encoded(b"#" * 100), "fewer than"),
        (encoded(b"# CONFIG_MODULES is not set\n"), "fewer than"),
        (encoded(b"#" * (base.MAX_SIZE + 1)), "more than"),
    ],
)
def test_what_is_none(content: object, message: str) -> None:
    assert message in wrong(content)
