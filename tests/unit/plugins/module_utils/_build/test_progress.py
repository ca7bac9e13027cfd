# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which objects a build compiles, and how its progress reads."""

from __future__ import annotations

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import progress as build_progress
from ansible_collections.oslab.kernel.plugins.module_utils._build.progress import (
    Progress,
    duration,
    expected_objects,
    parse_step,
)


@pytest.mark.parametrize(
    ("line", "action", "source"),
    [
        ("  CC      init/main.o", "CC", "init/main.c"),
        ("  CC [M]  fs/ext4/inode.o", "CC", "fs/ext4/inode.c"),
        ("  AS      arch/x86/entry/entry_64.o", "AS", "arch/x86/entry/entry_64.S"),
        ("  LD [M]  fs/ext4/ext4.ko", "LD", "fs/ext4/ext4.ko"),
        ("  HOSTCC  scripts/mod/modpost.o", "HOSTCC", "scripts/mod/modpost.o"),
    ],
)
def test_steps(line, action, source):
    step = parse_step(line)
    assert step is not None
    assert (step.action, step.source) == (action, source)


@pytest.mark.parametrize("line", ["fs/a.c:1:2: error: CC", "make[1]: x", "  note: this", "", "  "])
def test_other_lines(line):
    assert parse_step(line) is None


def test_objects_are_read_from_the_makefiles(tmp_path):
    files = {
        "Kbuild": "obj-y += init/ fs/\nobj-$(CONFIG_NET) += net/\n",
        "init/Makefile": "obj-y := main.o \\\n\tversion.o  # both\n",
        "fs/Makefile": (
            "obj-y := open.o\n"
            "obj-$(CONFIG_EXT4) += ext4/\n"
            "obj-$(CONFIG_NFS) += nfs.o\n"
            "obj-${CONFIG_PROC} += proc.o\n"
            "obj-$(subst m,y,$(CONFIG_EXT4)) += quota.o\n"
            "ifeq ($(CONFIG_64BIT),y)\nobj-y += wide.o\nelse\nobj-y += narrow.o\nendif\n"
            "ifdef CONFIG_NONE\nobj-y += none.o\nelse ifdef CONFIG_PROC\nobj-y += some.o\nendif\n"
            "all:\n\techo obj-y\n"
        ),
        "fs/ext4/Makefile": (
            "obj-$(CONFIG_EXT4) += ext4.o\next4-y := a.o b_$(BITS).o\next4-$(CONFIG_ACL) += acl.o\n"
        ),
        "net/Makefile": "obj-y := socket.o\n",
        "lib/Makefile": "lib-y := string.o\nobj-y += sort.o\n",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    config = {"CONFIG_EXT4": "m", "CONFIG_ACL": "y", "CONFIG_PROC": "y", "CONFIG_64BIT": "y"}
    assert expected_objects(tmp_path, config) == {
        *("init/main.o", "init/version.o", "fs/open.o", "fs/proc.o"),
        *("lib/string.o", "lib/sort.o"),
        # Conditions are not evaluated: all branches count.
        *("fs/wide.o", "fs/narrow.o", "fs/none.o", "fs/some.o"),
        *("fs/ext4/a.o", "fs/ext4/b_64.o", "fs/ext4/acl.o", "fs/ext4/ext4.mod.o"),
    }


@pytest.mark.parametrize(
    ("seconds", "text"),
    [(0, "0 s"), (59.9, "59 s"), (60, "1 min 0 s"), (133, "2 min 13 s"), (3840, "1 h 4 min")],
)
def test_duration(seconds, text):
    assert duration(seconds) == text


def compiled(progress, names, start, each=1.0):
    now = start
    for name in names:
        progress.feed(f"  CC      {name}", now)
        now += each
    return now


def names(count, first=0):
    return [f"fs/{n}.o" for n in range(first, first + count)]


def test_a_fresh_build_counts_up_and_estimates_the_time_left():
    progress = Progress(started=0.0, expected=set(names(100)))
    assert progress.describe(3) == "build: preparing, 3 s so far"
    progress.feed("  CC      scripts/mod/empty.o", 4)
    progress.feed("  CC      kernel/bounds.s", 5)
    assert progress.phase == "preparing"
    now = compiled(progress, names(50), 10)
    assert progress.describe(now) == (
        "build: 50 of 100 files (50 %), 1 min 0 s so far, about 58 s left: fs/49.c"
    )


def test_a_continued_build_counts_what_is_there():
    progress = Progress(0.0, set(names(100)), present=set(names(60)))
    now = compiled(progress, names(20, first=60), 0)
    assert "80 of 100 files (80 %)" in progress.describe(now)
    left = progress.seconds_left(now)
    assert left is not None
    assert 20 <= left <= 25


def test_what_is_made_again_is_not_counted_as_missing():
    progress = Progress(0.0, set(names(100)), present=set(names(100)))
    compiled(progress, names(3), 0)
    assert progress.describe(9) == (
        "build: 3 files compiled again, at most 100, 9 s so far: fs/2.c"
    )


def test_a_tree_of_which_nearly_all_is_outdated_promises_no_early_end():
    progress = Progress(0.0, set(names(100)), present=set(names(95)))
    now = compiled(progress, names(30), 0)
    assert progress.describe(now) == (
        "build: 30 files compiled again, at most 100, 30 s so far: fs/29.c"
    )


def test_a_few_that_are_made_in_any_case_do_not_hide_how_far_a_continued_build_is():
    progress = Progress(0.0, set(names(100)), present=set(names(60)))
    now = compiled(progress, [*names(5), *names(20, first=60)], 0)
    assert "80 of 100 files (80 %)" in progress.describe(now)


def test_an_object_that_was_not_expected_corrects_the_total():
    progress = Progress(0.0, set(names(2)))
    compiled(progress, names(3), 0)
    assert "3 of 3 files (100 %)" in progress.describe(3)


def test_the_time_left_is_not_guessed_from_a_few_files():
    progress = Progress(0.0, set(names(100)))
    compiled(progress, names(3), 0)
    assert " left" not in progress.describe(3)


def test_what_follows_the_compiling():
    progress = Progress(0.0, set(names(2)))
    compiled(progress, names(2), 0)
    for line, stage in (
        ("  LD      vmlinux.o", "linking vmlinux"),
        ("  MODPOST Module.symvers", "linking the modules"),
        ("  INSTALL debian/linux-image-6.12/lib/modules/6.12/x.ko", "packaging linux-image-6.12"),
        ("dpkg-deb: building package 'linux-libc-dev' in '../x.deb'.", "packaging linux-libc-dev"),
    ):
        progress.feed(line, 9)
        assert progress.describe(9) == f"build: {stage}, 9 s so far"


def test_what_is_installed_for_the_build_itself_is_no_package():
    progress = Progress(0.0, set(names(2)))
    progress.feed("  INSTALL /tree/tools/objtool/libsubcmd/include/subcmd/help.h", 1)
    progress.feed("  INSTALL libsubcmd_headers", 1)
    assert progress.describe(1) == "build: preparing, 1 s so far"
    compiled(progress, names(1), 2)
    assert "1 of 2 files" in progress.describe(3)


def test_the_boot_loaders_part_is_compiled_after_linking():
    progress = Progress(0.0, set(names(2)))
    compiled(progress, names(1), 1)
    progress.feed("  LD      vmlinux", 2)
    assert "linking" in progress.describe(2)
    compiled(progress, names(1, first=1), 3)
    assert "2 of 2 files" in progress.describe(4)


def test_objects_of_an_earlier_run(tmp_path):
    (tmp_path / "a.o").touch()
    assert build_progress.existing(tmp_path, {"a.o", "b.o"}) == {"a.o"}
