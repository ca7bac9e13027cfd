# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The one error that a person wants to see."""

from __future__ import annotations

from ansible_collections.oslab.kernel.plugins.module_utils._build.log import compiler_error

INTERLEAVED = """\
  CC      fs/namei.o
In file included from ./include/linux/fs.h:5,
                 from fs/open.c:8:
fs/open.c: In function 'do_open':
  CC      fs/pipe.o
fs/open.c:12:9: error: implicit declaration of function 'missing'
   12 |         missing();
      |         ^~~~~~~
  CC      fs/stat.o
  CC      fs/super.o
cc1: some warnings being treated as errors
make[3]: *** [scripts/Makefile.build:229: fs/open.o] Error 1
make[3]: *** Waiting for unfinished jobs....
  AR      kernel/built-in.a
make[2]: *** [scripts/Makefile.build:478: fs] Error 2
make[1]: *** [Makefile:1921: .] Error 2
make: *** [Makefile:234: __sub-make] Error 2
"""


def test_first_error_with_what_led_to_it_and_nothing_else():
    assert compiler_error(INTERLEAVED.splitlines()) == [
        "In file included from ./include/linux/fs.h:5,",
        "                 from fs/open.c:8:",
        "fs/open.c: In function 'do_open':",
        "fs/open.c:12:9: error: implicit declaration of function 'missing'",
        "   12 |         missing();",
        "      |         ^~~~~~~",
        "cc1: some warnings being treated as errors",
        "make[3]: *** [scripts/Makefile.build:229: fs/open.o] Error 1",
    ]


def test_warnings_are_not_errors():
    log = ["a.c:1:1: warning: unused", *INTERLEAVED.splitlines()]
    assert compiler_error(log)[0].startswith("In file included")


def test_errors_of_other_programs():
    for line in (
        'ERROR: modpost: "x" [fs/y.ko] undefined!',
        "ld: kernel/a.o: undefined reference to `b'",
        "dpkg-checkbuilddeps: error: Unmet build dependencies: debhelper-compat (= 12)",
        "fs/a.c:1:10: fatal error: linux/no.h: No such file or directory",
        "cc1: out of memory; Killed signal terminated program cc1",
        "/usr/bin/ld: final link failed: No space left on device",
    ):
        assert (
            compiler_error(["  CC      a.o", line, "make: *** [Makefile:1: x] Error 1"])[0] == line
        )


def test_without_a_known_error_what_came_before_makes_verdict():
    log = ["odd thing", "make: *** [Makefile:1: x] Error 1", "make: *** Waiting"]
    assert compiler_error(log) == log[:2]


def test_without_any_verdict_the_end():
    log = [str(number) for number in range(50)]
    assert compiler_error(log) == log[-20:]


def test_a_long_error_is_cut():
    log = ["a.c:1:1: error: x", *(f"note {number}" for number in range(50))]
    assert len(compiler_error(log)) == 20
