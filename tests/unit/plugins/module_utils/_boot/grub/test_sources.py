# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which files a configuration runs, and what cannot be known; GRUB itself is asked in
test_grub_access and test_grub_emulated."""

from __future__ import annotations

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import script as grub_script
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.sources import (
    collect,
    names,
    shown,
    unknown,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("source ${config_directory}/custom.cfg", ["custom.cfg"]),
        (". $prefix/d//./u.cfg", ["d/u.cfg"]),
        ('if true; then source "${prefix}/a"; . $prefix/b; fi', ["a", "b"]),
        ("'sour'ce $prefix/a", ["a"]),
        ("source ${config_file}.users", ["grub.cfg.users"]),
        ("source $prefix/../a", []),
        ("source $prefix/$a", []),
        ("source $prefixed/a", []),
        ("source /boot/grub/a", []),
        ("# source $prefix/a", []),
        ("echo source $prefix/a", []),
    ],
)
def test_the_files_of_a_line(line: str, found: list[str]) -> None:
    assert names(line) == found


@pytest.mark.parametrize(
    ("line", "hidden"),
    [
        ("source /boot/grub/a", True),
        ("source (hd0)/a", True),
        ("source $d/a", True),
        ("eval x", True),
        ("normal", True),
        ("$command a", True),
        ("${a}b=c", True),
        ("set ${a}b=c", True),
        ("set prefix=(hd0)/grub", True),
        ("config_directory=/x", True),
        ("load_env -f $prefix/x", True),
        ('load_env -f "${env_block}"', False),
        ("load_env", False),
        ("source $prefix/a", False),
        ("set a=$b", False),
        ("set", False),
        ("a=${b}", False),
        ("[ $a = $b ]", False),
        ("search --no-floppy --fs-uuid --set=root $hint x", False),
        ("export prefix", False),
    ],
)
def test_a_command_that_cannot_be_known(line: str, hidden: bool) -> None:
    assert bool(unknown(grub_script.statements(line)[0])) is hidden


def test_a_long_command_fits_a_screen() -> None:
    assert len(shown(grub_script.statements(f"eval {'x' * 500}")[0])) == 60


def test_files_are_collected_once_each() -> None:
    texts = {"a": "source $prefix/b\nsource $prefix/a\n", "b": "source $prefix/c\n", "c": ""}
    read: list[str] = []

    def text_of(name: str) -> str:
        read.append(name)
        return texts[name]

    assert collect("source $prefix/a\n", {"c": "true\n"}, text_of) == {**texts, "c": "true\n"}
    assert read == ["a", "b"]


def test_no_more_is_read_than_is_reasonable() -> None:
    with pytest.raises(ValueError, match="more, or larger"):
        collect("source $prefix/0\n", {}, lambda name: f"source $prefix/{int(name) + 1}\n")
    with pytest.raises(ValueError, match="more, or larger"):
        collect("source $prefix/0\n", {}, lambda _name: " " * (bounded_read.TEXT + 1))
