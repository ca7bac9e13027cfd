# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The archive is read by cpio itself."""

from __future__ import annotations

import stat
import subprocess
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common import cpio

ENTRIES = [
    cpio.directory("dev"),
    cpio.device("dev/kmsg", 1, 11),
    cpio.file("usr/bin/tool", b"#!/bin/sh\n", 0o755),
    cpio.file("lib/odd", b"x" * 4097),
    cpio.file("empty", b""),
]


def read(archive: bytes, *options: str, cwd: Path | None = None) -> str:
    done = subprocess.run(
        ["cpio", "--quiet", *options], input=archive, cwd=cwd, capture_output=True, check=True
    )
    assert done.stderr == b""
    return done.stdout.decode()


def test_cpio_extracts_the_same(tmp_path: Path) -> None:
    archive = cpio.archive(cpio.with_directories(one for one in ENTRIES if one.device == (0, 0)))
    assert len(archive) % 4 == 0
    read(archive, "--extract", cwd=tmp_path)
    assert (tmp_path / "lib/odd").read_bytes() == b"x" * 4097
    assert (tmp_path / "empty").read_bytes() == b""
    tool = tmp_path / "usr/bin/tool"
    assert stat.S_IMODE(tool.stat().st_mode) == 0o755
    assert tool.read_text() == "#!/bin/sh\n"


def test_a_device_has_its_numbers() -> None:
    listed = read(cpio.archive(ENTRIES[:2]), "--list", "--verbose", "--numeric-uid-gid")
    assert "1,  11 Jan  1  1970 dev/kmsg" in listed
    assert listed.splitlines()[1].startswith("crw------- ")


def test_directories_come_first_and_once() -> None:
    names = [entry.name for entry in cpio.with_directories(ENTRIES)]
    assert names == ["dev", "dev/kmsg", "usr", "usr/bin", "usr/bin/tool", "lib", "lib/odd", "empty"]


@pytest.mark.parametrize("entries", [[], ENTRIES])
def test_equal_entries_give_equal_bytes(entries: list[cpio.Entry]) -> None:
    assert cpio.archive(entries) == cpio.archive(list(entries))
