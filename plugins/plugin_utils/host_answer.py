# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Is what a host reported of itself, or has recorded, of the shape that the roles use?

Whoever is root on a host writes what it answers. Names go into commands and paths, on that host; a
wrong one ends its own run with a sentence.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import Any, Callable

Check = Callable[[Any], bool]

#: No kernel's name is longer (utsname).
_RELEASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+~_:@=,%^-]{0,63}")
_PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9+.-]{0,254}")
_VERSION = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+:~-]{0,254}")
_PINNED = re.compile(rf"{_PACKAGE.pattern}={_VERSION.pattern}")
_BOOT_ID = re.compile(r"[0-9a-f-]{36}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
# Printable, without the characters that move a terminal's cursor.
_TEXT = re.compile(r"[^\x00-\x1f\x7f-\x9f]{0,4096}")
_PATH = re.compile(r"/[^\x00-\x1f\x7f-\x9f]{0,4095}")
_SHOWN = 60


def _like(pattern: re.Pattern[str]) -> Check:
    return lambda value: isinstance(value, str) and pattern.fullmatch(value) is not None


def _or_none(check: Check) -> Check:
    return lambda value: value is None or check(value)


def _listed(check: Check) -> Check:
    return lambda value: isinstance(value, list) and all(map(check, value))


def _mapped(key: Check, check: Check) -> Check:
    return lambda value: (
        isinstance(value, dict)
        and all(map(key, value))
        and all(check(item) for item in value.values())
    )


def _bool(value: Any) -> bool:
    return isinstance(value, bool)


def _number(value: Any) -> bool:
    return isinstance(value, int) and not _bool(value) and 0 <= value < 1 << 63


def _fields(checks: Mapping[str, Check]) -> Check:
    return lambda value: isinstance(value, dict) and not _wrong(value, checks, all_of=False)


def _wrong(found: Mapping[str, Any], checks: Mapping[str, Check], all_of: bool = True) -> str:
    """The first field that is missing or wrong; empty if none is."""
    for name, check in checks.items():
        if name not in found:
            if all_of:
                return name
        elif not check(found[name]):
            return name
    return ""


_release, _package, _version, _text = map(_like, (_RELEASE, _PACKAGE, _VERSION, _TEXT))

RECORD: dict[str, Check] = {
    "image": _like(_PINNED),
    "boot_id": _like(_BOOT_ID),
    "fallback": _release,
    "complete": _bool,
    "confirmed": _bool,
}
ORIGIN: dict[str, Check] = {
    "names": _listed(_package),
    "packages": _mapped(_package, _version),
    "saved_entry": _text,
    "directories": _listed(_like(_PATH)),
}
#: What the role install uses of the answer of host_kernel_info.
ANSWER: dict[str, Check] = {
    "release": _release,
    "boot_id": _like(_BOOT_ID),
    "sysname": _text,
    "machine": _text,
    "dpkg_architecture": _or_none(_text),
    "boot_loader": lambda value: value in ("grub", "systemd-boot"),
    "initrd_program": lambda value: value in (None, "update-initramfs", "dracut"),
    "container": _bool,
    "kexec_reboots": _bool,
    "packages": _mapped(_package, _version),
    "packages_unfinished": _listed(_package),
    "packages_held": _listed(_package),
    "oslab_packages": _mapped(_package, _version),
    "oslab_releases": _listed(_release),
    "oslab": _or_none(lambda value: isinstance(value, dict)),
    "install_record": _or_none(_fields(RECORD)),
    "files": _mapped(_like(_PATH), _or_none(_like(_SHA256))),
    "free_kib": _mapped(_like(_PATH), _number),
    "loader_directory": _or_none(_like(_PATH)),
    "boot_separate": _bool,
    "boot_kernel_kib": _number,
    "loader_kernel_kib": _number,
    "reboot_required": _or_none(_listed(_text)),
    "time": _number,
    "trial": _or_none(_release),
    "trial_confirmed": _bool,
    "trial_report": _or_none(lambda value: isinstance(value, str)),
    "systemd": _bool,
    "systemd_version": _number,
    "watchdogs": _listed(_text),
}
_RECORDED = "/var/lib/oslab-kernel/install.json"


def _shown(value: Any) -> str:
    """Short, on one line, without anything that a terminal acts on."""
    text = ascii(value)
    return text if len(text) <= _SHOWN else f"{text[: _SHOWN - 1]}..."


def problem(answer: Any, host: str) -> str:
    """What is wrong with the answer of host_kernel_info; empty if nothing is."""
    if not isinstance(answer, dict):
        return f"{host} reported {_shown(answer)} of itself, which is no description of a host."
    name = _wrong(answer, ANSWER)
    if not name:
        return ""
    record = answer.get(name)
    if name == "install_record" and isinstance(record, dict):
        field = _wrong(record, RECORD, all_of=False)
        return (
            f"{host}: {_RECORDED} has {_shown(record[field])} as {field}, which this role does not "
            "write. Remove that file on the host; the kernel then counts as not booted yet."
        )
    found = _shown(record) if name in answer else "nothing"
    return (
        f"{host} reported {found} as {name}, which the role install cannot use. Look at the host: "
        "what runs there as root has changed its answer, or a name there is out of the ordinary."
    )


def origin_problem(content: str, host: str, path: str) -> str:
    """What is wrong with the record of how a host was, in base64; empty if nothing is."""
    field, found = "", None
    try:
        found = json.loads(base64.b64decode(content).decode("utf-8"))
        wrong = not isinstance(found, dict)
    except (ValueError, RecursionError):
        wrong = True
    if not wrong and isinstance(found, dict):
        field = _wrong(found, ORIGIN, all_of=False)
        wrong = bool(field)
    if not wrong:
        return ""
    what = f"has {_shown(found[field])} as {field}" if field and found else "is not a JSON object"
    return (
        f"{host}: {path} {what}; it records how the host was, and this role did not write that. "
        "Remove that file on the host: then everything is removed, and no earlier version of a "
        "package is put back."
    )
