# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Modules in a package, compressed or not."""

from __future__ import annotations

import gzip
import lzma
import subprocess

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import module_file
from ansible_collections.oslab.kernel.plugins.module_utils._build.module_file import ModuleFileError

MODULE = b"\x7fELF" + bytes(range(256)) * 100


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("lib/modules/6/kernel/a.ko", True),
        ("usr/lib/modules/6/kernel/a.ko.xz", True),
        ("lib/modules/6/modules.order", False),
        ("boot/a.ko", False),
    ],
)
def test_what_a_module_is(path: str, expected: bool) -> None:
    assert module_file.is_module(path) is expected


@pytest.mark.parametrize("suffix", ["", ".gz", ".xz", ".zst"])
def test_packed_and_unpacked(suffix: str, monkeypatch: pytest.MonkeyPatch) -> None:
    packed = module_file.pack(f"a.ko{suffix}", MODULE)
    assert module_file.unpack(f"a.ko{suffix}", packed) == MODULE
    # Whatever a user has set for these programs.
    for name, value in {"XZ_DEFAULTS": "-0", "GZIP": "-1", "ZSTD_CLEVEL": "19"}.items():
        monkeypatch.setenv(name, value)
    assert module_file.pack(f"a.ko{suffix}", MODULE) == packed


def test_the_kernel_can_unpack_xz() -> None:
    """It knows no other check than CRC32."""
    packed = module_file.pack("a.ko.xz", MODULE)
    assert packed[:8] == b"\xfd7zXZ\0\0\x01"
    assert lzma.LZMADecompressor().decompress(packed) == MODULE


def test_no_time_is_packed() -> None:
    assert module_file.pack("a.ko.gz", MODULE)[4:8] == bytes(4)
    assert gzip.decompress(module_file.pack("a.ko.gz", MODULE)) == MODULE


@pytest.mark.parametrize("suffix", [".gz", ".xz", ".zst"])
def test_what_is_damaged(suffix: str) -> None:
    with pytest.raises(ModuleFileError, match=r"a\.ko"):
        module_file.unpack(f"a.ko{suffix}", b"nothing")


def test_a_missing_program(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_argv: object, **_more: object) -> None:
        raise FileNotFoundError(2, "No such file or directory", "xz")

    monkeypatch.setattr(subprocess, "run", missing)
    with pytest.raises(ModuleFileError, match="xz"):
        module_file.pack("a.ko.xz", MODULE)
