# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The GNU build id is the one that binutils read."""

from __future__ import annotations

import re
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common import elf_notes

ID = bytes(range(20))


def note(name: bytes, kind: int, content: bytes) -> bytes:
    def padded(part: bytes) -> bytes:
        return part + b"\0" * (-len(part) % 4)

    head = struct.pack("=III", len(name), len(content), kind)
    return head + padded(name) + padded(content)


GNU = note(b"GNU\0", 3, ID)
# As a kernel has them: others before it, one with a content of 41 bytes.
KERNEL = (
    note(b"Xen\0", 6, b"linux\0") + note(b"Xen\0", 10, b"x" * 41) + GNU + note(b"Linux\0", 1, b"")
)


def test_it_is_found_among_others():
    assert elf_notes.gnu_build_id(KERNEL) == ID.hex()


def test_others_are_not_taken_for_it():
    assert elf_notes.gnu_build_id(note(b"Xen\0", 3, ID) + note(b"GNU\0", 1, ID)) == ""


@pytest.mark.parametrize("length", range(len(GNU)))
def test_what_is_cut_off_is_none(length):
    assert elf_notes.gnu_build_id(GNU[:length]) == ""


@pytest.mark.parametrize("size", [0xFFFFFFFF, 1000])
def test_a_size_past_the_end_is_none(size):
    assert elf_notes.gnu_build_id(struct.pack("=III", 4, size, 3) + b"GNU\0" + ID) == ""


@pytest.mark.parametrize("bits", ["-m64", "-m32"])
def test_files_as_readelf_reads_them(tmp_path, bits):
    program = tmp_path / "program"
    command = ["gcc", bits, "-nostdlib", "-Wl,--build-id=sha1,-e0", "-xc", "-", "-o", program]
    made = subprocess.run(command, input="int x;", text=True, capture_output=True, check=False)
    if made.returncode:
        pytest.skip(made.stderr[-100:])
    done = subprocess.run(["readelf", "-n", program], text=True, capture_output=True, check=True)
    found = re.findall(r"Build ID: (\w+)", done.stdout)
    assert [elf_notes.file_build_id(program)] == found


def test_files_that_are_none(tmp_path):
    whole = Path(sys.executable).resolve().read_bytes()
    for number, content in enumerate([b"", b"#!/bin/sh\n", b"\x7fELF", whole[:40], whole[:70]]):
        path = tmp_path / str(number)
        path.write_bytes(content)
        assert elf_notes.file_build_id(path) == ""
    assert elf_notes.file_build_id(tmp_path / "missing") == ""
