# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Version, release and lists of objects in the Makefiles of a kernel."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common import kernel_makefile
from ansible_collections.oslab.kernel.plugins.module_utils._common.kernel_makefile import (
    MakefileError,
)

TOP = """\
# SPDX-License-Identifier: GPL-2.0
VERSION = 6
PATCHLEVEL = 12
SUBLEVEL = 117
EXTRAVERSION = -rc1-49-usac1
NAME = Baby Opossum Posse
"""


def test_the_version_with_and_without_what_others_append() -> None:
    found = kernel_makefile.version(TOP)
    assert found == ("6.12.117", "-rc1-49-usac1")
    assert found.kernelversion == "6.12.117-rc1-49-usac1"
    assert found.upstream == "6.12.117-rc1"
    assert kernel_makefile.version(TOP.replace(" -rc1-49-usac1", "")).kernelversion == "6.12.117"


@pytest.mark.parametrize("name", ["VERSION", "PATCHLEVEL", "SUBLEVEL"])
def test_another_makefile_is_refused(name: str) -> None:
    with pytest.raises(MakefileError, match=f"no line '{name} = …'"):
        kernel_makefile.version(TOP.replace(f"\n{name} =", "\nOTHER ="))


def test_the_version_of_a_tree(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        kernel_makefile.read_version(tmp_path)
    (tmp_path / "Makefile").write_text(TOP)
    assert kernel_makefile.read_version(tmp_path).numbers == "6.12.117"
    (tmp_path / "Makefile").write_text(TOP + "#" * kernel_makefile.LIMIT)
    with pytest.raises(OSError, match="larger than"):
        kernel_makefile.read_version(tmp_path)


def test_extraversion_is_kept() -> None:
    stock = "A = 1\nEXTRAVERSION =\nB = 2\n"
    assert kernel_makefile.keep_extraversion(stock, "EXTRAVERSION = -x\\1\n") == (
        "A = 1\nEXTRAVERSION = -x\\1\nB = 2\n"
    )
    assert kernel_makefile.keep_extraversion(stock, "") == stock


def test_the_release(tmp_path: Path) -> None:
    assert kernel_makefile.release(tmp_path, "6.8.0", "") == "6.8.0"
    (tmp_path / "localversion-b").write_text("-b\n")
    (tmp_path / "localversion-a").write_text("-rt1\n")
    (tmp_path / "localversion-a~").write_text("-old\n")
    found = kernel_makefile.release(tmp_path, "6.8.0-usac", '"-cloud"', "-y")
    assert found == "6.8.0-usac-rt1-b-cloud-y"


def test_lists_of_objects() -> None:
    text = (
        "obj-y := main.o \\\n\tversion.o  # both\n"
        "  obj-${CONFIG_NFS} += nfs.o\n"
        "all:\n\techo obj-y\n"
        "name := net\nobj-$(CONFIG_NET) += $(name).o $(other).o\n"
        "ext4-objs = a.o\n"
    )
    assert list(kernel_makefile.object_lists(text)) == [
        ("obj", "y", ["main.o", "version.o"]),
        ("obj", "CONFIG_NFS", ["nfs.o"]),
        ("obj", "CONFIG_NET", ["net.o", "$(other).o"]),
        ("ext4", "objs", ["a.o"]),
    ]


@pytest.mark.parametrize("text", ["obj-y" * 20_000, "obj-y += " + "a" * 70_000, "-" * 60_000, ""])
def test_what_no_kernel_has_is_no_list(text: str) -> None:
    assert not list(kernel_makefile.object_lists(text))
