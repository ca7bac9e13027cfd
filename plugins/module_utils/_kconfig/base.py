# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a target's own configuration may say about the kernel that a builder compiles for all.

kbuild copies each string of a .config into include/config/auto.conf, which make expands, without
quotes since 5.18, and into shell lines. Others name files that the builder puts into the image. So
a string of a target would be code, or a way to read the builder's files. A target's numbers, and
what it has on, off or as a module, cannot do that.

A configuration of the user's own is not passed through here; its strings are checked in the end, as
all are (`unsafe`).
"""

from __future__ import annotations

import re
from typing import NamedTuple

from ansible_collections.oslab.kernel.plugins.module_utils._common import kernel_config

#: Bytes of a configuration; a distribution's has some 280,000.
MAX_SIZE = 4 * 1024 * 1024

#: Characters that make, or a shell in a line of a Makefile, takes for more than text.
UNSAFE = "$`;\"'\\#|&<>"

# Levels, decimal and hexadecimal numbers.
_PLAIN = re.compile(r"[ymn]|-?[0-9]{1,20}|0[xX][0-9a-fA-F]{1,16}")
_UNSAFE = re.compile(f"[{re.escape(UNSAFE)}\\x00-\\x1f\\x7f-\\x9f\\u2028\\u2029]")

# Strings that a target may give, with all that they may be. None names a file or a program.
_STRINGS = {
    "ANDROID_BINDER_DEVICES": r"[a-z0-9,]{0,64}",
    "DEFAULT_HOSTNAME": r"\(none\)|[A-Za-z0-9.-]{1,64}",
    "EXFAT_DEFAULT_IOCHARSET": r"[a-z0-9-]{1,16}",
    "FAT_DEFAULT_IOCHARSET": r"[a-z0-9-]{1,16}",
    # With what confines programs, or none of it would be active.
    "LSM": (
        r"(?=.*\blockdown\b)(?=.*\byama\b)(?=.*\b(apparmor|selinux)\b)"
        r"[a-z]{1,16}(,[a-z]{1,16}){0,15}"
    ),
    "NLS_DEFAULT": r"[a-z0-9-]{1,16}",
    "RTC_HCTOSYS_DEVICE": r"rtc[0-9]",
    "RTC_SYSTOHC_DEVICE": r"rtc[0-9]",
}

# Switches that overrule what a host is started with, use a file that a string names, or lock every
# host down. They are the user's to set.
_NOT_A_TARGETS = frozenset(
    {
        "ACPI_CUSTOM_DSDT",
        "BOOT_CONFIG_EMBED",
        "BOOT_CONFIG_FORCE",
        "CMDLINE_BOOL",
        "CMDLINE_EXTEND",
        "CMDLINE_FORCE",
        "CMDLINE_OVERRIDE",
        "INIT_STACK_NONE",
        "IOMMU_DEFAULT_PASSTHROUGH",
        "LKDTM",
        "LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY",
        "LOCK_DOWN_KERNEL_FORCE_INTEGRITY",
        "MODULE_SIG_FORCE",
        "RCU_TORTURE_TEST",
        "STATIC_USERMODEHELPER",
        "X86_INTEL_TSX_MODE_ON",
    }
)

# Protections that Kconfig has on by default, and Debian and Ubuntu have on. A target cannot switch
# them off for the others.
_PROTECTIONS = frozenset(
    {
        "64BIT",
        "BPF_UNPRIV_DEFAULT_OFF",
        "BUG",
        "CPU_IBPB_ENTRY",
        "CPU_IBRS_ENTRY",
        "CPU_MITIGATIONS",
        "CPU_SRSO",
        "CPU_UNRET_ENTRY",
        "PAGE_TABLE_ISOLATION",
        "RANDOMIZE_BASE",
        "RANDOMIZE_KSTACK_OFFSET",
        "RANDOMIZE_KSTACK_OFFSET_DEFAULT",
        "RANDOMIZE_MEMORY",
        "RELOCATABLE",
        "RETHUNK",
        "RETPOLINE",
        "SECCOMP",
        "SECCOMP_FILTER",
        "SPECULATION_MITIGATIONS",
        "STACKPROTECTOR",
        "STACKPROTECTOR_STRONG",
        "STRICT_DEVMEM",
        "STRICT_KERNEL_RWX",
        "STRICT_MODULE_RWX",
        "VMAP_STACK",
        "X86_UMIP",
    }
)
_PROTECTION_PREFIX = "MITIGATION_"


class Accepted(NamedTuple):
    """A configuration without what a target may not say; `refused`: symbol to value as written."""

    text: str
    refused: dict[str, str]


def from_target(text: str) -> Accepted:
    """Rewrite what a target may state in a form of our own, so that no line can be two.

    What is left out has its default in the tree's Kconfig, unless the user sets it. Raises
    ValueError if the text is longer than any configuration.
    """
    if len(text) > MAX_SIZE:
        raise ValueError(f"it has {len(text)} bytes, a configuration has at most {MAX_SIZE}")
    kept: dict[str, str] = {}
    refused: dict[str, str] = {}
    for line in text.split("\n"):
        found = kernel_config.entry(line)
        if not found:
            continue
        name, value = found[0], found[1].rstrip("\r")
        into, other = (kept, refused) if _is_a_targets(name, value) else (refused, kept)
        other.pop(name, None)
        into[name] = value
    lines = [f"{kernel_config.line(name, value)}\n" for name, value in kept.items()]
    return Accepted("".join(lines), refused)


def _is_a_targets(name: str, value: str) -> bool:
    if name == "DEFAULT_MMAP_MIN_ADDR":
        # Below it a mistake of the kernel's with a null pointer can be used.
        return value.isdigit() and len(value) < 10 and int(value) >= 32768
    if name in _NOT_A_TARGETS:
        return value == "n"
    if value == "n" and (name in _PROTECTIONS or name.startswith(_PROTECTION_PREFIX)):
        return False
    if _PLAIN.fullmatch(value):
        return True
    pattern = _STRINGS.get(name)
    return pattern is not None and re.fullmatch(f'"(?:{pattern})"', value) is not None


def unsafe_character(text: str) -> str:
    """The first character of a string symbol's value that is not safe in a build; '' if none is."""
    found = _UNSAFE.search(text)
    return found[0] if found else ""


def unsafe(text: str) -> list[str]:
    """Lines of a finished .config that a build must not see: a message each, with the symbol."""
    messages = []
    for line in text.split("\n"):
        if not line or line.startswith("#"):
            continue
        name, value = kernel_config.entry(line) or ("", "")
        if not name:
            messages.append(f"{line[:60]!r} is no line of a configuration")
        elif value.startswith('"') and value.endswith('"') and len(value) > 1:
            character = unsafe_character(value[1:-1])
            if character:
                messages.append(f"{name}: {_reason(character)}")
        elif not _PLAIN.fullmatch(value):
            messages.append(f"{name}: {value[:60]!r} is neither a level, a number nor a string")
    return messages


def _reason(character: str) -> str:
    return f"its value has {character!r}, which make or a shell could take for more than text"


def require_safe(name: str, text: str) -> None:
    """Raises ValueError for a value of a string symbol that is not safe in a build."""
    character = unsafe_character(text)
    if character:
        raise ValueError(f"{name}: {_reason(character)}. Leave that character out")
