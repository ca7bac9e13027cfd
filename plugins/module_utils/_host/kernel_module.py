# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A kernel module that is loaded with these parameters, or is not loaded.

What is there is read from /sys/module: modprobe succeeds on a loaded module and ignores the
parameters that it was given, so its exit code says nothing about them.
"""

from __future__ import annotations

import contextlib
import re
import stat
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._common.name_forms import MODULE
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    Runner,
    required_output,
)

_PARAMETER = re.compile(r"[A-Za-z0-9_]+")
# modprobe would read these as something else.
_NO_VALUE = re.compile(r'[\s"#]')
# A page, as sysfs has it.
_LARGEST_PARAMETER = 64 << 10
# Digits of the largest number, with its sign and 0x.
_LONGEST_NUMBER = 64

TRUE_WORDS = ("1", "y", "yes", "on", "true", "t")
FALSE_WORDS = ("0", "n", "no", "off", "false", "f")


class ModuleError(Exception):
    """The module cannot be brought into the wanted state; the text says what to do."""


@dataclass(frozen=True)
class Parameter:
    """A parameter's file in sysfs."""

    value: str
    writable: bool


@dataclass(frozen=True)
class Loaded:
    """A module as the running kernel has it."""

    loaded: bool
    builtin: bool
    parameters: dict[str, Parameter]


@dataclass(frozen=True)
class Plan:
    """What has to be done: `load`, `unload` or both (a reload), or files to write."""

    load: bool = False
    unload: bool = False
    write: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        return bool(self.load or self.unload or self.write)


def spelled(value: Any) -> str:
    """A value as modprobe and sysfs take it."""
    if isinstance(value, bool):
        return "Y" if value else "N"
    if isinstance(value, (list, tuple)):
        return ",".join(spelled(item) for item in value)
    return str(value)


def malformed(name: str, parameters: Mapping[Any, Any]) -> str:
    """What no module or parameter is called, or set to; empty if nothing is."""
    if not MODULE.fullmatch(name):
        return "name has to be a module's, of letters, digits, _ and -"
    for key, value in parameters.items():
        if not _PARAMETER.fullmatch(str(key)) or _NO_VALUE.search(spelled(value)):
            return (
                f"params has {str(key)!r}: {spelled(value)!r}; names take letters, digits and _, "
                "values no spaces, quotes or #"
            )
    return ""


def as_number(text: str) -> Optional[int]:
    """A number as the kernel reads it: a leading 0 is octal, 0x hexadecimal."""
    body = text.strip()
    if len(body) > _LONGEST_NUMBER or not body.isascii() or "_" in body:
        return None
    sign = -1 if body.startswith("-") else 1
    digits = body.lstrip("+-").lower()
    try:
        if digits.startswith("0x"):
            return sign * int(digits[2:], 16)
        if len(digits) > 1 and digits.startswith("0"):
            return sign * int(digits[1:], 8)
        return sign * int(digits, 10)
    except ValueError:
        return None


def same(wanted: str, actual: str) -> bool:
    """Whether sysfs shows `actual` for a parameter that was set to `wanted`."""
    if wanted == actual:
        return True
    if actual in ("Y", "N"):
        words = TRUE_WORDS if actual == "Y" else FALSE_WORDS
        return wanted.lower() in words
    if "," in wanted or "," in actual:
        left, right = wanted.split(","), actual.split(",")
        return len(left) == len(right) and all(map(same, left, right))
    # Most modules print 0444 as 292. One that prints octal also reads octal without the 0.
    octal = as_number("0" + wanted) if wanted and actual[:1] == "0" else None
    number = as_number(actual)
    return number is not None and number in (as_number(wanted), octal)


def read_loaded(name: str, sysfs: Path = Path("/sys/module")) -> Loaded:
    directory = sysfs / name.replace("-", "_")
    # Only a module that was loaded has a state; what is built in has the directory alone.
    loaded = (directory / "initstate").exists()
    parameters: dict[str, Parameter] = {}
    folder = directory / "parameters"
    for file in sorted(folder.iterdir()) if folder.is_dir() else []:
        with contextlib.suppress(OSError):  # one that refuses to be read is not shown
            mode = file.stat().st_mode
            if mode & stat.S_IRUSR:
                value = bounded_read.text(file, _LARGEST_PARAMETER).rstrip("\n")
                parameters[file.name] = Parameter(value, bool(mode & stat.S_IWUSR))
    return Loaded(loaded, directory.is_dir() and not loaded, parameters)


def different(loaded: Loaded, wanted: Mapping[str, str]) -> list[str]:
    """Parameters that sysfs shows with another value. One that it does not show is left alone."""
    return [
        name
        for name, value in wanted.items()
        if name in loaded.parameters and not same(value, loaded.parameters[name].value)
    ]


def make_plan(name: str, loaded: Loaded, state: str, wanted: Mapping[str, str]) -> Plan:
    if state == "unloaded":
        if loaded.builtin:
            raise ModuleError(f"{name} is built into the running kernel and cannot be unloaded.")
        return Plan(unload=loaded.loaded)
    if not loaded.loaded and not loaded.builtin:
        return Plan(load=True)
    wrong = different(loaded, wanted)
    if all(loaded.parameters[parameter].writable for parameter in wrong):
        return Plan(write=tuple(wrong))
    if loaded.builtin:
        raise ModuleError(
            f"{name} is built into the running kernel; {', '.join(wrong)} can only be set on the "
            f"kernel command line ({name}.{wrong[0]}=…)."
        )
    return Plan(load=True, unload=True)


def kernel_log_tail(run: Runner, name: str) -> str:
    """The kernel's last messages about it; modprobe itself reports only 'Invalid argument'."""
    code, out, _err = run(["dmesg"])
    if code != 0:
        return ""
    lines = [line for line in out.splitlines()[-30:] if name in line] or out.splitlines()[-5:]
    return " Kernel log: " + " / ".join(line.strip() for line in lines[-5:]) if lines else ""


def check(run: Runner, name: str, command: Sequence[str], advice: str) -> None:
    def failure(message: str) -> ModuleError:
        return ModuleError(f"{message}.{kernel_log_tail(run, name)} {advice}".strip())

    required_output(run, command, failure)


def apply(
    run: Runner,
    name: str,
    plan: Plan,
    wanted: Mapping[str, str],
    sysfs: Path = Path("/sys/module"),
) -> None:
    if plan.unload:
        check(
            run,
            name,
            ["modprobe", "--remove", name],
            "Stop what uses it (lsmod shows how many do).",
        )
    if plan.load:
        arguments = [f"{parameter}={value}" for parameter, value in wanted.items()]
        check(
            run,
            name,
            ["modprobe", name, *arguments],
            "Check that the running kernel is the one that the module was built for (uname -r), "
            "and the parameters (modinfo).",
        )
    for parameter in plan.write:
        file = sysfs / name.replace("-", "_") / "parameters" / parameter
        try:
            file.write_text(wanted[parameter], encoding="utf-8")
        except OSError as error:
            raise ModuleError(
                f"{name} refuses {parameter}={wanted[parameter]}: {error.strerror}."
                f"{kernel_log_tail(run, name)}"
            ) from error
    if plan.changed and (plan.load or plan.write):
        verify(name, read_loaded(name, sysfs), wanted)


def verify(name: str, loaded: Loaded, wanted: Mapping[str, str]) -> None:
    if not loaded.loaded and not loaded.builtin:
        raise ModuleError(f"modprobe {name} succeeded, but the kernel does not have the module.")
    wrong = [
        f"{parameter} is {loaded.parameters[parameter].value}, not {wanted[parameter]}"
        for parameter in different(loaded, wanted)
    ]
    if wrong:
        raise ModuleError(f"{name} did not take its parameters: {'; '.join(wrong)}.")


def refuse_unknown(run: Runner, name: str, wanted: Mapping[str, str], release: str) -> None:
    """The kernel ignores a parameter that a module does not have, so it is reported here."""
    code, out, _err = run(["modinfo", "--field", "parm", name])
    if code != 0:
        raise ModuleError(
            f"The running kernel {release} has no module {name}. Boot the kernel that it was built "
            f"for, or install the package that has it, linux-modules-oslab-{release} for ours."
        )
    names = [line.partition(":")[0] for line in out.splitlines() if line.strip()]
    unknown = [parameter for parameter in wanted if parameter not in names]
    if unknown:
        raise ModuleError(
            f"{name} has no parameter {', '.join(unknown)}; it has: {', '.join(names) or 'none'}."
        )
