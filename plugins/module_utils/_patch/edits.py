# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The edits that turn a stock kernel tree into ours, as pure functions on texts.

Each takes the stock text of one file and gives the new one, or raises EditError where the file
does not look as expected. Nothing here reads or writes a disk: see kernel_patch for that.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import manifest
from ansible_collections.oslab.kernel.plugins.module_utils._patch import inputs, syscall_source
from ansible_collections.oslab.kernel.plugins.module_utils._patch.inputs import (
    SYSCALL_NUMBER_MAX,
    banner_lines,
)
from ansible_collections.oslab.kernel.plugins.module_utils._patch.syscall_source import Parameter

TABLE = "arch/x86/entry/syscalls/syscall_64.tbl"
PROTOTYPES = "include/linux/syscalls.h"
NOT_IMPLEMENTED = "kernel/sys_ni.c"
OBJECTS = "kernel/Makefile"
KCONFIG = "kernel/Kconfig.oslab"
KCONFIG_PARENT = "init/Kconfig"
UTS = "include/linux/uts.h"
START = "init/main.c"
# The architecture's Makefile is read by the top one in every version; the top one itself belongs
# to whoever sets EXTRAVERSION.
INSTALL = "arch/x86/Makefile"
TOP = "Makefile"

# The seed's first number; free numbers are looked for from here on.
FIRST_NUMBER = 462

KCONFIG_MENU = inputs.KCONFIG_MENU


class EditError(Exception):
    """A file of the tree is not as expected; the message says which and what was looked for."""


@dataclass(frozen=True)
class Syscall:
    """A syscall to add. `number` is None for the first free one."""

    name: str
    source: str  # file name in kernel/
    text: str  # the C source
    kconfig: str
    number: Optional[int] = None
    depends: str = ""
    help: str = ""
    own: bool = True  # its source is the user's, not of the collection
    called: bool = True  # whether verify may call it
    where: str = "patch_syscalls"  # the entry in the user's variables

    @property
    def label(self) -> str:
        """Before a message about it."""
        return f"{self.where} ({self.name})"


def c_string(text: str) -> str:
    """`text` as a C string literal. UTF-8 stays as it is; the kernel log carries bytes."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


# --- the system's name and the boot message ---------------------------------------------------


def set_sysname(stock: str, sysname: str) -> str:
    """Replace UTS_SYSNAME in include/linux/uts.h."""
    new, count = re.subn(
        r'^(#define[ \t]+UTS_SYSNAME[ \t]+)".*"[ \t]*$',
        lambda match: match.group(1) + c_string(sysname),
        stock,
        flags=re.MULTILINE,
    )
    if count != 1:
        raise EditError(f"{UTS}: expected one line '#define UTS_SYSNAME \"…\"', found {count}")
    return new


def add_banner(stock: str, banner: str) -> str:
    """Print the boot message in start_kernel(), right after the kernel's own banner."""
    lines = banner_lines(banner)
    if not lines:
        return stock
    start = re.search(r"^[^\n;]*\bstart_kernel\(void\)[^\n;(]*\n\{", stock, re.MULTILINE)
    if not start:
        raise EditError(f"{START}: no definition of start_kernel(void)")
    anchor = re.compile(r'^([ \t]*)pr_notice\("%s", linux_banner\);\n', re.MULTILINE).search(
        stock, start.end()
    )
    if not anchor:
        raise EditError(f"{START}: no 'pr_notice(\"%s\", linux_banner);' in start_kernel()")
    indent = anchor.group(1)
    # "%s" so that a '%' of the user's is no conversion.
    calls = "".join(f'{indent}pr_notice("%s\\n", {c_string(line)});\n' for line in lines)
    return stock[: anchor.end()] + calls + stock[anchor.end() :]


# --- the syscalls -----------------------------------------------------------------------------


def parse_table(stock: str) -> dict[int, str]:
    """Number → name of every entry, of any ABI."""
    entries: dict[int, str] = {}
    for line in stock.splitlines():
        fields = line.split("#", 1)[0].split()
        if len(fields) >= 3 and fields[0].isdigit():
            entries[int(fields[0])] = fields[2]
    if not entries:
        raise EditError(f"{TABLE}: no entries found")
    return entries


def choose_numbers(table: dict[int, str], syscalls: Sequence[Syscall]) -> dict[str, int]:
    """A number for each syscall: the given ones, and one run of free ones for the others."""
    by_name = {name: number for number, name in table.items()}
    for call in syscalls:
        if call.name in by_name:
            raise EditError(
                f"{call.label}: the tree already has a syscall {call.name!r} (number "
                f"{by_name[call.name]}); choose another name"
            )
        if call.number is not None and call.number in table:
            raise EditError(
                f"{call.label}: number {call.number} is taken by {table[call.number]!r} in this "
                "tree; choose another or 'auto'"
            )
    taken = set(table) | {call.number for call in syscalls if call.number is not None}
    automatic = [call for call in syscalls if call.number is None]
    chosen = {call.name: call.number for call in syscalls if call.number is not None}
    first = FIRST_NUMBER
    while any(first + offset in taken for offset in range(len(automatic))):
        first += 1
    if first + len(automatic) - 1 > SYSCALL_NUMBER_MAX:
        raise EditError(
            f"patch_syscalls: no {len(automatic)} consecutive numbers are free between "
            f"{FIRST_NUMBER} and {SYSCALL_NUMBER_MAX} in this tree; give numbers"
        )
    for offset, call in enumerate(automatic):
        chosen[call.name] = first + offset
    # In the order of the list, which is also the order of the files that name them.
    return {call.name: chosen[call.name] for call in syscalls}


def add_table_lines(stock: str, numbers: dict[str, int]) -> str:
    """Add the entries at their place in the order of numbers."""
    lines = stock.splitlines(keepends=True)
    for name, number in sorted(numbers.items(), key=lambda item: item[1]):
        place = 0
        for index, line in enumerate(lines):
            fields = line.split()
            if fields and fields[0].isdigit() and int(fields[0]) < number:
                place = index + 1
        tabs = "\t" * max(1, 3 - len(name) // 8)
        lines.insert(place, f"{number}\tcommon\t{name}{tabs}sys_{name}\n")
    return "".join(lines)


def parameters(call: Syscall) -> list[Parameter]:
    """As the source defines them."""
    try:
        return syscall_source.parameters(call.text, call.name)
    except syscall_source.SourceError as error:
        raise EditError(f"{call.label}: {call.source} {error}") from error


def check_symbols(syscalls: Sequence[Syscall], defined: Mapping[str, Sequence[str]]) -> None:
    """Refuse a symbol that the tree has: it would be one option with two meanings.

    `defined`: symbol to the Kconfig files that define it.
    """
    for call in syscalls:
        others = [path for path in defined.get(call.kconfig, ()) if path != KCONFIG]
        if others:
            raise EditError(
                f"{call.label}: kconfig {call.kconfig!r} is already defined in {others[0]}; "
                "choose another"
            )


def prototype(name: str, parameters: Sequence[Parameter]) -> str:
    """The declaration of the entry point, with one tab before continuation lines."""
    spelled = [
        f"{item.type}{item.name}" if item.type.endswith("*") else f"{item.type} {item.name}"
        for item in parameters
    ] or ["void"]
    head = f"asmlinkage long sys_{name}("
    line = head + ", ".join(spelled) + ");"
    if len(line) <= 80:
        return line + "\n"
    return head + (",\n\t\t\t").join(spelled) + ");\n"


def add_prototypes(stock: str, syscalls: Sequence[Syscall]) -> str:
    """Declare the entry points where the architecture's wrapper leaves them to this header."""
    anchor = "#endif /* CONFIG_ARCH_HAS_SYSCALL_WRAPPER */\n"
    place = stock.rfind(anchor)
    if place < 0:
        raise EditError(f"{PROTOTYPES}: no line {anchor.strip()!r}")
    structs: dict[str, None] = {}
    declarations = ""
    for call in syscalls:
        found = parameters(call)
        for item in found:
            structs.update(dict.fromkeys(re.findall(r"\b(?:struct|union) \w+", item.type)))
        declarations += prototype(call.name, found)
    forward = "".join(f"{struct};\n" for struct in structs if f"\n{struct};\n" not in stock[:place])
    return stock[:place] + forward + declarations + "\n" + stock[place:]


def add_not_implemented(stock: str, syscalls: Sequence[Syscall]) -> str:
    """-ENOSYS where Kconfig leaves a syscall out."""
    lines = "".join(f"COND_SYSCALL({call.name});\n" for call in syscalls)
    return f"{stock.rstrip()}\n\n{lines}" if lines else stock


def add_objects(stock: str, syscalls: Sequence[Syscall]) -> str:
    """Build the sources in kernel/."""
    lines = "".join(
        f"obj-$(CONFIG_{call.kconfig}) += {call.source[: -len('.c')]}.o\n" for call in syscalls
    )
    return f"{stock.rstrip()}\n\n{lines}" if lines else stock


def kconfig(syscalls: Sequence[Syscall]) -> str:
    """kernel/Kconfig.oslab: one switch for all, one for each."""
    text = (
        "# SPDX-License-Identifier: GPL-2.0-only\n"
        f"menuconfig {KCONFIG_MENU}\n"
        '\tbool "Additional system calls"\n'
        # User mode Linux has X86_64 too, and none of the entry code.
        "\tdepends on X86_64 && !UML\n"
        "\tdefault y\n"
        "\thelp\n"
        "\t  System calls that are not part of the stock kernel. Without this\n"
        "\t  option none of them, nor any of their hooks, is compiled.\n"
    )
    for call in syscalls:
        text += f'\nconfig {call.kconfig}\n\tbool "{call.name}() system call"\n'
        text += f"\tdepends on {KCONFIG_MENU}\n"
        if call.depends:
            text += f"\tdepends on {call.depends}\n"
        text += "\tdefault y\n"
        if call.help:
            text += "\thelp\n" + "".join(
                f"\t  {line}\n" if line else "\n" for line in call.help.strip().splitlines()
            )
    return text


def source_kconfig(stock: str) -> str:
    """Make init/Kconfig read the new file."""
    return f'{stock.rstrip()}\n\nsource "{KCONFIG}"\n'


def add_manifest_rule(stock: str) -> str:
    """Make modules_install, and so the image package, install the manifest."""
    return (
        stock.rstrip()
        + f"""

# The manifest says what this kernel was made of; it travels with the modules.
ifndef KBUILD_EXTMOD
ifneq ($(wildcard $(srctree)/{manifest.NAME}),)
PHONY += oslab_manifest_install
oslab_manifest_install:
	$(Q)install -D -m 0644 $(srctree)/{manifest.NAME} $(MODLIB)/{manifest.NAME}

modules_install: oslab_manifest_install
endif
endif
"""
    )
