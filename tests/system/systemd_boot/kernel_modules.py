# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a kernel needs on a host that systemd-boot starts, and the lab's has not.

A kernel is configured after its targets, and the lab's have neither an ESP nor EFI. These modules
are compiled against the published headers, from the sources that the kernel was made of.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from ansible_collections.oslab.kernel.tests.system.faults.modules import compile_modules

KBUILD = {
    "Kbuild": "obj-m := fat/ efivarfs/ nls/\n",
    "fat/Kbuild": "obj-m := fat.o vfat.o\nccflags-y := -include $(src)/../more.h\n"
    "fat-y := cache.o dir.o fatent.o file.o inode.o misc.o nfs.o\nvfat-y := namei_vfat.o\n",
    "efivarfs/Kbuild": "obj-m := efivarfs.o\nefivarfs-y := inode.o file.o super.o vars.o\n",
    "nls/Kbuild": "obj-m := nls_cp437.o nls_ascii.o nls_utf8.o\n",
}
# As Debian has it; a kernel without a file system that needs it has not this kind of direct I/O.
MORE = """#include <linux/fs.h>
#define CONFIG_FAT_DEFAULT_CODEPAGE 437
#define CONFIG_FAT_DEFAULT_IOCHARSET "ascii"
#define blockdev_direct_IO(...) 0
"""


def build(tree: Path, headers: Path, place: Path) -> Path:
    """A tar of them, as they lie below the root directory."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    source = place / "source"
    for name in ("fat", "efivarfs", "nls"):
        shutil.copytree(
            tree / "fs" / name, source / name, ignore=shutil.ignore_patterns("*.o", "*.cmd")
        )
    (source / "more.h").write_text(MORE)
    for name, text in KBUILD.items():
        (source / name).write_text(text)
    release = compile_modules(source, headers, place)
    target = place / "root/lib/modules" / release / "updates"
    target.mkdir(parents=True)
    for module in source.rglob("*.ko"):
        shutil.copy(module, target)
    archive = place / "modules.tar"
    subprocess.run(["tar", "-cf", str(archive), "-C", str(place / "root"), "."], check=True)
    return archive
