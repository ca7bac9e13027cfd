# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables of the firmware, as the kernel shows them in files."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._boot import efi_variables

ATTRIBUTES = b"\6\0\0\0"


def write(directory: Path, name: str, value: bytes) -> None:
    efi_variables.path(directory, name).write_bytes(ATTRIBUTES + value)


def test_the_name_has_its_vendor(tmp_path: Path) -> None:
    name = "LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
    assert efi_variables.path(tmp_path, "LoaderInfo") == tmp_path / name
    secure_boot = efi_variables.path(tmp_path, "SecureBoot", efi_variables.GLOBAL)
    assert secure_boot.name == "SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"


def test_the_attributes_are_no_part_of_the_value(tmp_path: Path) -> None:
    write(tmp_path, "A", b"\1\2")
    assert efi_variables.value(tmp_path, "A") == b"\1\2"
    assert efi_variables.value(tmp_path, "B") is None


def test_a_text_is_utf_16(tmp_path: Path) -> None:
    write(tmp_path, "A", "año 6.8\0".encode("utf-16-le"))
    assert efi_variables.text(tmp_path, "A") == "año 6.8"
    assert efi_variables.text(tmp_path, "B") == ""


@pytest.mark.parametrize(
    ("value", "number"), [(b"\1\2", 0x201), (b"\xff" * 8, 2**64 - 1), (b"\1" * 9, 0), (b"", 0)]
)
def test_a_number_has_at_most_eight_bytes(tmp_path: Path, value: bytes, number: int) -> None:
    write(tmp_path, "A", value)
    assert efi_variables.number(tmp_path, "A") == number
    assert efi_variables.number(tmp_path, "B") == 0
