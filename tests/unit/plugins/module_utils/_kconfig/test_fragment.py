# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._kconfig import fragment

FILES = Path(__file__).resolve().parents[5] / "roles/config/files"


def test_the_lines_of_a_fragment() -> None:
    text = (
        "# a comment\n\n"
        "CONFIG_NET=y\r\n"
        "  # CONFIG_XEN is not set\n"
        'CONFIG_DEFAULT_HOSTNAME="a lab"\n'
        'CONFIG_LOCALVERSION=""\n'
        "CONFIG_NR_CPUS=8\n"
        "# CONFIG_NET is not set\n"
    )
    assert fragment.options(text) == {
        "NET": "n",
        "XEN": "n",
        "DEFAULT_HOSTNAME": "a lab",
        "LOCALVERSION": "",
        "NR_CPUS": "8",
    }


def test_the_last_of_two_is_last_in_the_order_too() -> None:
    found = fragment.options("CONFIG_A=y\nCONFIG_B=y\nCONFIG_A=y\n")
    assert list(found) == ["B", "A"]


@pytest.mark.parametrize(
    "line",
    [
        "# CONFIG_A is not set.",
        "#CONFIG_A is not set",
        "#  CONFIG_A is not set",
        "NET=y",
        "CONFIG_NET y",
        "CONFIG_NET",
        "config_net=y",
        "-CONFIG_A=y",
    ],
)
def test_a_line_that_is_none_is_named(line: str) -> None:
    with pytest.raises(fragment.FragmentError, match=re.escape(f"line 2 is '{line}'")):
        fragment.options(f"# CONFIG_A is not set\n{line}\n")


@pytest.mark.parametrize("path", sorted(FILES.glob("*.config")), ids=lambda path: path.name)
def test_ours_name_each_symbol_once_and_in_order(path: Path) -> None:
    parts = path.read_text(encoding="utf-8").split("\n\n")
    names = [list(fragment.options(part)) for part in parts]
    assert sum(map(len, names)) == len(fragment.options("\n".join(parts))) > 50
    for part in names:
        switched_off = [name for name in part if name not in ("PROCESSOR_SELECT", "MODVERSIONS")]
        assert switched_off == sorted(switched_off)
