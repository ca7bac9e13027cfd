# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel needs to read the disks of a layout, and the lab's has not.

A kernel is configured after its targets, and the lab's have plain disks. These modules are compiled
against the published headers, from the sources that the kernel was made of.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from ansible_collections.oslab.kernel.tests.system.faults.modules import compile_modules

# Its parts, and what its own options would have made of the headers. What the block layer has only
# for request-based devices (multipath) is not there, and not asked for.
DM = """\
obj-m := dm-mod.o
dm-mod-y := dm.o dm-table.o dm-target.o dm-linear.o dm-stripe.o dm-ioctl.o dm-io.o dm-kcopyd.o \\
	dm-sysfs.o dm-stats.o dm-rq.o dm-io-rewind.o dm-builtin.o
ccflags-y := -include $(src)/more.h
"""
DM_MORE = """\
#define CONFIG_BLK_DEV_DM_MODULE 1
#include <linux/blk-mq.h>
#define blk_insert_cloned_request(...) BLK_STS_IOERR
#define blk_rq_prep_clone(...) (-ENOMEM)
#define blk_rq_unprep_clone(...) do { } while (0)
#define blk_steal_bios(...) do { } while (0)
"""
KBUILD = {"lvm": (DM, DM_MORE)}


def build(layout: str, tree: Path, headers: Path, place: Path) -> Path:
    """A tar of them, as they lie below the root directory."""
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    source = place / "source"
    built = shutil.ignore_patterns("*.o", "*.cmd", "*.ko", "Makefile")
    shutil.copytree(tree / "drivers/md", source, ignore=built)
    makefile, more = KBUILD[layout]
    (source / "Kbuild").write_text(makefile)
    (source / "more.h").write_text(more)
    release = compile_modules(source, headers, place)
    target = place / "root/lib/modules" / release / "updates"
    target.mkdir(parents=True)
    for module in source.glob("*.ko"):
        shutil.copy(module, target)
    archive = place / "modules.tar"
    subprocess.run(["tar", "-cf", str(archive), "-C", str(place / "root"), "."], check=True)
    return archive
