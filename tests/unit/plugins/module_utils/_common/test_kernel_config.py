# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of a .config."""

from __future__ import annotations

from ansible_collections.oslab.kernel.plugins.module_utils._common import kernel_config

TEXT = """\
# Linux/x86 6.12
CONFIG_A=y
# CONFIG_B is not set
CONFIG_S="a=b"
 CONFIG_NOT_AT_THE_START=y
"""


def test_values_as_they_are_written() -> None:
    assert kernel_config.parse(TEXT) == {"A": "y", "B": "n", "S": '"a=b"'}


def test_a_line_alone() -> None:
    assert kernel_config.entry("CONFIG_A=y\r") == ("A", "y\r")
    assert kernel_config.entry("# CONFIG_A is not set\r") == ("A", "n")
    assert kernel_config.entry("CONFIG_\u00c4=y") is None


def test_a_line_is_read_as_it_was_written() -> None:
    for name, value in kernel_config.parse(TEXT).items():
        assert kernel_config.line(name, value) in TEXT.splitlines()
