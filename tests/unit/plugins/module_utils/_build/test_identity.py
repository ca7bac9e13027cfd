# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The identity of a build."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import identity

MAKEFILE = "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 117\nEXTRAVERSION = -49-usac1\nNAME = x\n"

INPUTS = identity.Inputs(
    machine="amd64",
    version="6.12.117",
    release="6.12.117-49-usac1",
    source_sha256="a",
    source_date_epoch=1,
    patch_sha256="b",
    config_sha256="c",
    toolchain={"gcc": "gcc 12", "ld": "ld 2.40"},
    modules_sha256="d",
    tools_sha256="e",
    make_args=[],
    debug_package=False,
    stated_sha256="f",
)


def test_same_inputs_same_id():
    again = dataclasses.replace(INPUTS, toolchain={"ld": "ld 2.40", "gcc": "gcc 12"})
    assert again.build_id == INPUTS.build_id
    assert len(INPUTS.build_id) == 64


@pytest.mark.parametrize("field", [field.name for field in dataclasses.fields(INPUTS)])
def test_each_input_counts(field):
    others: dict[str, Any] = {"make_args": ["X=1"], "toolchain": {"gcc": "gcc 13"}}
    other = others.get(field, "other")
    assert dataclasses.replace(INPUTS, **{field: other}).build_id != INPUTS.build_id


def test_comments_and_order_of_a_configuration_do_not_count():
    one = "# made today\nCONFIG_A=y\n\n# CONFIG_B is not set\n"
    two = "# CONFIG_B is not set\n# Linux/x86 6.12\nCONFIG_A=y\n"
    first, second = (identity.parse_config(text) for text in (one, two))
    assert first == {"CONFIG_A": "y", "CONFIG_B": "n"}
    assert identity.config_sha256(first) == identity.config_sha256(second)
    changed = identity.parse_config(one.replace("CONFIG_A=y", "CONFIG_A=m"))
    assert identity.config_sha256(changed) != identity.config_sha256(first)


def test_directory_hash_covers_names_modes_and_contents(tmp_path):
    seen = {identity.directory_sha256(tmp_path)}

    def changed():
        before = len(seen)
        seen.add(identity.directory_sha256(tmp_path))
        return len(seen) > before

    (tmp_path / "a.c").write_text("1")
    assert changed()
    (tmp_path / "a.c").write_text("2")
    assert changed()
    (tmp_path / "a.c").rename(tmp_path / "b.c")
    assert changed()
    (tmp_path / "b.c").chmod(0o755)
    assert changed()
    (tmp_path / "b.c").chmod(0o775)  # another umask
    assert not changed()


def test_what_a_build_leaves_among_sources_does_not_count(tmp_path):
    (tmp_path / "a.c").write_text("1")
    before = identity.directory_sha256(tmp_path)
    for name in ("a.o", "a.ko", ".a.o.cmd", "a.mod.c", "modules.order", "Module.symvers"):
        (tmp_path / name).write_text("left")
    assert identity.directory_sha256(tmp_path) == before
