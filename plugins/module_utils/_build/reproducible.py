# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What would make two builds of the same inputs differ, and how it is kept out of the packages.

Most of it is in the environment of the build. The rest is done by some programs that stand before
the system's in the build's PATH: so the kernel's sources stay as they are, in every version.
"""

from __future__ import annotations

import shlex
import time
from collections.abc import Mapping, Sequence
from datetime import datetime, timezone
from email.utils import format_datetime
from pathlib import Path
from typing import Callable, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._source import workdir

# Variables of compiler flags; the last is what libsubcmd of 6.1 looks at, which is in objtool.
FLAGS = ("KCFLAGS", "KAFLAGS", "HOSTCFLAGS", "HOSTCXXFLAGS", "EXTRA_CFLAGS")

# Name → script. `@REAL@` is the system's program.
PROGRAMS = {
    "ccache": """#!/bin/sh
# What an assembler reads by .incbin is in no compiler's list of headers, by which ccache goes: it
# would give out objects with the contents of another build, the compressed kernel's among them.
for argument do
	case $argument in
	*.[cS])
		if grep -q '[.]incbin' "$argument" 2> /dev/null; then
			exec "$@"
		fi
	esac
done
exec @REAL@ "$@"
""",
    "date": """#!/bin/sh
# The kernel's scripts/package/mkdebian dates the changelog of all packages so.
[ "$*" != -R ] || set -- -R "--date=@$SOURCE_DATE_EPOCH"
exec @REAL@ "$@"
""",
    "dpkg-deb": """#!/bin/sh
# dpkg-deb lowers time stamps that are later than the source's. Earlier ones depend on the builder's
# clock, and on whether a file is the tarball's own or was written again with the same text.
set -e
for argument do
	if [ -d "$argument/DEBIAN" ]; then
		find "$argument" -exec touch --no-dereference "--date=@$SOURCE_DATE_EPOCH" {} +
	fi
done
exec @REAL@ "$@"
""",
    # Before the size of the package is computed.
    "dpkg-gencontrol": """#!/bin/sh
set -e
for argument do
	case $argument in
	-P*)
		directory=${argument#-P}
		# Of linux-headers: how its files were made, with the paths of this build. Only a build
		# of the kernel itself would read that.
		if [ -d "$directory/usr/src" ]; then
			find "$directory/usr/src" -type f '(' -name '*.cmd' -o -name '*.s' ')' -delete
		fi
		# An option that was set and no longer is keeps its empty file there: a tree that was
		# configured before would have more of them than a new one.
		for options in "$directory"/usr/src/*/include/config; do
			[ -f "$options/auto.conf" ] || continue
			find "$options" -maxdepth 1 -type f -empty -name '[A-Z0-9]*' -printf 'CONFIG_%f\\n' |
				awk -F= 'NR == FNR { set[$1]; next } !($1 in set)' "$options/auto.conf" - |
				(cd "$options" && sed 's/^CONFIG_//' | xargs -r -d '\\n' rm -f --)
		done
		# builddeb of 6.1 lists files in the order in which the file system has them.
		if [ -f "$directory/DEBIAN/md5sums" ]; then
			(cd "$directory" && find . -type f ! -path './DEBIAN/*' -printf '%P\\0' |
				sort -z | xargs -r0 md5sum) > "$directory/DEBIAN/md5sums"
		fi
	esac
done
exec @REAL@ "$@"
""",
    "od": """#!/bin/sh
# The kernel's scripts/gen-randstruct-seed.sh: structures would be laid out anew in each build.
case "$*" in
*" /dev/urandom") printf %s "$OSLAB_SEED" | sha256sum | cut -c 1-64 ;;
*) exec @REAL@ "$@" ;;
esac
""",
    "pahole": """#!/bin/sh
# Threads number types in the order in which they come by them. From 6.10 on the kernel asks for
# threads only where pahole can put that right.
case "$*" in
*reproducible_build*) ;;
*)
	for argument do
		shift
		case $argument in
		-j*|--jobs*) ;;
		*) set -- "$@" "$argument" ;;
		esac
	done
esac
exec @REAL@ "$@"
""",
}


def directory(work: Path) -> Path:
    """Of the programs; the first in the build's PATH."""
    return work / "bin"


def write_programs(work: Path, find: Callable[[str], Optional[str]]) -> None:
    """`find` tells where the system's are; what it has not is not stood in for."""
    place = directory(work)
    workdir.make(place)
    for name, text in PROGRAMS.items():
        real, script = find(name), place / name
        if real is None:
            script.unlink(missing_ok=True)
            continue
        script.write_text(text.replace("@REAL@", shlex.quote(real)), encoding="utf-8")
        script.chmod(0o755)


def timestamp(epoch: int) -> str:
    """As `date` writes it; not by strftime, which speaks the language of the user."""
    text = time.asctime(time.gmtime(epoch))
    return f"{text[:-4]}UTC {text[-4:]}"


def changelog_date(epoch: int) -> str:
    """As `date -R` writes it."""
    return format_datetime(datetime.fromtimestamp(epoch, timezone.utc))


def flags(tree: Path, work: Path, config: Mapping[str, str]) -> dict[str, str]:
    """Of the compilers: neither debug information nor __FILE__ tell where it was built."""
    names = {}
    # make goes to the tree by its name, the compiler asks where it is.
    for path, name in ((tree, "."), (work, "./oslab")):
        names[str(path)] = names[str(path.resolve())] = name
    maps = [f"-ffile-prefix-map={path}={name}" for path, name in names.items()]
    found = {name: list(maps) for name in FLAGS}
    # GCC before 12 hands only these on to the assembler.
    found["KAFLAGS"] += [f"-fdebug-prefix-map={path}={name}" for path, name in names.items()]
    if config.get("CONFIG_GCC_PLUGIN_LATENT_ENTROPY") == "y":
        found["KCFLAGS"].append("-frandom-seed=oslab")
    return {name: " ".join(values) for name, values in found.items()}


def make_arguments(arguments: Sequence[str], values: Mapping[str, str]) -> list[str]:
    """The user's; where they state flags, which win over the environment, with its own as well."""
    return [
        f"{argument} {values[argument.partition('=')[0]]}"
        if argument.partition("=")[0] in FLAGS
        else argument
        for argument in arguments
    ]


def environment(
    tree: Path, work: Path, config: Mapping[str, str], epoch: int, seed: str
) -> dict[str, str]:
    return {
        "LC_ALL": "C",
        "TZ": "UTC",
        # Settings of the user's for dpkg-buildpackage and dpkg-buildflags are read from here.
        "XDG_CONFIG_HOME": str(work),
        "LOCALVERSION": "",
        "SOURCE_DATE_EPOCH": str(epoch),
        "KBUILD_BUILD_TIMESTAMP": timestamp(epoch),
        "KBUILD_BUILD_USER": "oslab",
        "KBUILD_BUILD_HOST": "kernel",
        "KBUILD_BUILD_VERSION": "1",
        # What is compressed by several threads is cut into pieces.
        "DPKG_DEB_THREADS_MAX": "1",
        "OSLAB_SEED": seed,
        **flags(tree, work, config),
    }
