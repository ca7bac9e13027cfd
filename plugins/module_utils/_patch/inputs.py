# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the user may ask for: the rules on names, texts and numbers, in one place.

Every function returns a list of complaints, each a sentence that names the variable, what was
given and what it may be. An empty list means that the value is good.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._common import kernel_version
from ansible_collections.oslab.kernel.plugins.module_utils._common.name_forms import PACKAGE
from ansible_collections.oslab.kernel.plugins.module_utils._kconfig import tree
from ansible_collections.oslab.kernel.plugins.module_utils._patch import (
    patch_file,
    record,
    syscall_source,
)

# include/uapi/linux/utsname.h: __NEW_UTS_LEN
UTS_LEN = 64
# kernel/printk: a record holds at most 1,024 bytes with its prefix; longer lines are cut.
BANNER_LINE_BYTES = 900
# 512..547 belong to the x32 ABI (arch/x86/entry/syscalls/syscall_64.tbl).
SYSCALL_NUMBER_MAX = 511
# The switch for all syscalls, in kernel/Kconfig.oslab.
KCONFIG_MENU = "OSLAB_SYSCALLS"

_EXTRAVERSION = re.compile(r"[a-z0-9.+-]*")
_PREFIX = re.compile(r"\bCONFIG_(?=\w)")


def check_extraversion(value: str, kernelversion: str = "") -> list[str]:
    """EXTRAVERSION ends the release: `uname -r` and the name of a Debian package hold it.

    `kernelversion`: the tree's, or source_version, in which a third number may be missing.
    """
    problems: list[str] = []
    if not _EXTRAVERSION.fullmatch(value):
        bad = sorted({repr(char) for char in value if not _EXTRAVERSION.fullmatch(char)})
        problems.append(
            f"version_extraversion {value!r} holds {', '.join(bad)}: only lower-case letters, "
            "digits, '.', '+' and '-' are possible, as it becomes part of a Debian package's name"
        )
    release = full_release(kernelversion, value)
    if len(release.encode()) > UTS_LEN:
        problems.append(
            f"version_extraversion {value!r} makes the release {release!r} "
            f"{len(release.encode())} bytes long: at most {UTS_LEN} are possible"
        )
    return problems


def full_release(kernelversion: str, extraversion: str) -> str:
    """The release of a tree with that version and version_extraversion; the shortest if unknown."""
    try:
        version = kernel_version.parse(kernelversion).full
    except ValueError:
        version = "0.0.0"
    numbers, candidate = kernel_version.split_candidate(version)
    return f"{numbers}{kernel_version.extraversion(candidate, extraversion)}"


def makefile_extraversion(kernelversion: str, extraversion: str) -> str:
    """EXTRAVERSION for the top Makefile: version_extraversion, after a candidate's -rcN."""
    return kernel_version.extraversion(
        kernel_version.split_candidate(kernelversion)[1], extraversion
    )


def check_release(release: str) -> list[str]:
    """The whole release, once the tree is there to tell it."""
    problems: list[str] = []
    if len(release.encode()) > UTS_LEN:
        problems.append(
            f"the kernel's release {release!r} is {len(release.encode())} bytes long: at most "
            f"{UTS_LEN} are possible; shorten version_extraversion"
        )
    if not PACKAGE.fullmatch(f"linux-image-{release}"):
        problems.append(
            f"'linux-image-{release}' is not a valid name of a Debian package: only lower-case "
            "letters, digits, '.', '+' and '-' are possible; change version_extraversion"
        )
    return problems


def check_sysname(value: str) -> list[str]:
    """UTS_SYSNAME: what `uname -s` says."""
    problems: list[str] = []
    size = len(value.encode())
    if not value.strip():
        problems.append("patch_sysname is empty: give 1 to 64 bytes, or 'Linux' for the stock name")
    if size > UTS_LEN:
        problems.append(
            f"patch_sysname {value!r} is {size} bytes long (in UTF-8): at most {UTS_LEN} are "
            "possible"
        )
    bad = sorted({repr(char) for char in value if char in "\"'\\" or not char.isprintable()})
    if bad:
        problems.append(
            f"patch_sysname {value!r} holds {', '.join(bad)}: quotes, backslashes, line breaks "
            "and other control characters are not possible"
        )
    return problems


def banner_lines(value: str) -> list[str]:
    """The boot message's lines; a final line break adds none."""
    return value.rstrip("\n").split("\n") if value.strip("\n") else []


def check_banner(value: str) -> list[str]:
    """The boot message. Quotes, `%` and backslashes are fine: they are escaped for C."""
    problems: list[str] = []
    for number, line in enumerate(banner_lines(value), start=1):
        bad = sorted({repr(char) for char in line if ord(char) < 32 or ord(char) == 127})
        if bad:
            problems.append(
                f"patch_banner, line {number}, holds {', '.join(bad)}: control characters are not "
                "possible"
            )
        size = len(line.encode())
        if size > BANNER_LINE_BYTES:
            problems.append(
                f"patch_banner, line {number}, is {size} bytes long: at most {BANNER_LINE_BYTES} "
                "are possible in one line of the kernel log"
            )
    return problems


def plain_symbols(text: str) -> str:
    """A symbol, or an expression of symbols, without the CONFIG_ that only a .config has."""
    return _PREFIX.sub("", text)


def check_syscalls(
    entries: Iterable[Mapping[str, Any]], extra: Iterable[Mapping[str, Any]] = ()
) -> list[str]:
    """The lists of syscalls to add: names, symbols, numbers, each used once in both."""
    problems: list[str] = []
    seen: dict[tuple[str, object], str] = {}
    listed = [
        *((f"patch_syscalls[{index}]", entry) for index, entry in enumerate(entries)),
        *((f"patch_syscalls_extra[{index}]", entry) for index, entry in enumerate(extra)),
    ]
    for where, entry in listed:
        name = str(entry.get("name", ""))
        symbol = plain_symbols(str(entry.get("kconfig", "")))
        number = str(entry.get("number", "auto"))
        if not record.SYSCALL_NAME.fullmatch(name):
            problems.append(
                f"{where}: name {name!r} is not a C identifier of lower-case letters, digits "
                "and '_'"
            )
        source = Path(str(entry.get("source", ""))).name
        if not record.SOURCE_NAME.fullmatch(source):
            problems.append(
                f"{where} ({name}): source {source!r} must be the path of a .c file, with a name "
                "of letters, digits, '_', '.', '+' and '-'"
            )
        if not record.KCONFIG_SYMBOL.fullmatch(symbol):
            problems.append(
                f"{where} ({name}): kconfig {symbol!r} is not a Kconfig symbol (upper-case "
                "letters, digits and '_', without CONFIG_)"
            )
        elif symbol == KCONFIG_MENU:
            problems.append(
                f"{where} ({name}): kconfig {symbol!r} is the switch for all syscalls; choose "
                "another"
            )
        depends = str(entry.get("depends") or "")
        problem = tree.expression_problem(depends)
        if problem:
            problems.append(
                f"{where} ({name}): depends {depends!r} {problem}: write it as in 'KEYS && !UML'"
            )
        if number != "auto" and not (number.isdigit() and 0 < int(number) <= SYSCALL_NUMBER_MAX):
            problems.append(
                f"{where} ({name}): number {number!r} must be 'auto' or 1 to "
                f"{SYSCALL_NUMBER_MAX} (512 to 547 belong to the x32 ABI)"
            )
        for kind, value in (("name", name), ("kconfig", symbol), ("number", number)):
            if value == "auto":
                continue
            first = seen.setdefault((kind, value), where)
            if first != where:
                problems.append(f"{where} ({name}): {kind} {value!r} is also that of {first}")
    return problems


def check_definition(where: str, name: str, path: str, text: str) -> list[str]:
    """The source of a syscall; `where` is the entry of the list."""
    try:
        syscall_source.parameters(text, name)
    except syscall_source.SourceError as error:
        return [f"{where} ({name}): {path} {error}"]
    return []


def check_patches(entries: Iterable[Any]) -> list[str]:
    """patch_series, as far as it can be checked without a network; run on the control node."""
    problems: list[str] = []
    for index, entry in enumerate(entries):
        try:
            wanted = patch_file.parse(entry, index)
            # A relative path is looked up by the role patch, as Ansible does.
            if not wanted.is_url and Path(wanted.source).is_absolute():
                patch_file.from_file(Path(wanted.source), wanted)
        except patch_file.PatchError as error:
            problems.append(str(error))
    return problems


def check_source_version(value: str) -> list[str]:
    """The version of the kernel, as kernel.org or the distribution's package names it."""
    with contextlib.suppress(ValueError):
        kernel_version.parse(value)
        return []
    return [
        f"source_version {value!r} is not a version of a kernel: give it as in '6.8', '6.12.5' "
        "or '6.13-rc2' (in quotes, so that YAML does not make a number of it)"
    ]
