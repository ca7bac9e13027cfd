# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is wrong with the value of a variable, in one sentence.

Ansible checks a role's variables too, at its beginning and for each host: it then prints the whole
specification. It knows no ranges, and takes the number 6.10 for the text 6.1.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping
from typing import Any, NamedTuple, Optional

from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible.module_utils.errors import (
    ArgumentTypeError,
    ArgumentValueError,
    ElementError,
)

_WORDS = {
    "bool": "true or false",
    "dict": "a mapping, with lines as `name: value`",
    "float": "a number",
    "int": "a whole number",
    "list": "a list",
    "path": "a path",
    "str": "a text",
}
_LENGTH = 60
#: How much of a key has to be the same for it to be the one that is meant.
_LIKE = 0.6
#: Of a value that nobody has to see, in place of its template.
HIDDEN = "vault"
_SECRET = re.compile(r"pass|secret|token|vault|private", re.IGNORECASE)
# A name and a password in an address.
_ACCOUNT = re.compile(r"//[^/@\s]*@")
_DAY = 86_400
_YEAR = 366 * _DAY


class Range(NamedTuple):
    low: int
    high: int
    #: Whether 0 says something of its own, below `low`.
    zero: bool = False

    def __str__(self) -> str:
        return f"{'0 or ' if self.zero else ''}{self.low} to {self.high}"

    def has(self, value: float) -> bool:
        return self.low <= value <= self.high or (self.zero and value == 0)


#: Of all options that are whole numbers.
RANGES = {
    "build_jobs": Range(0, 10_000),
    "build_min_free_gib": Range(0, 1_000_000),
    # Within less no host answers again and is verified: each trial would fail.
    "install_trial_timeout": Range(60, _DAY),
    "install_return_timeout": Range(30, _DAY),
    "install_claim_seconds": Range(60, 7 * _DAY),
    "install_clock_tolerance": Range(0, 100 * _YEAR),
    "install_download_size_kib": Range(0, 1 << 40),
    "install_health_timeout": Range(1, _DAY),
    "install_installed_size_kib": Range(0, 1 << 40),
    "install_keep": Range(0, 1000),
    "install_lock_timeout": Range(0, _DAY),
    "install_min_free_boot_mib": Range(0, 1 << 20),
    "install_min_free_root_mib": Range(0, 1 << 30),
    "install_program_timeout": Range(60, 7 * _DAY),
    "install_reboot_throttle": Range(0, 100_000),
    "install_trial_watchdog": Range(10, _DAY, zero=True),
    "lab_fleet_cpus": Range(1, 512),
    "lab_fleet_memory": Range(128, 1 << 24),
    "lab_fleet_size": Range(0, 200),
    "lab_image_serial": Range(0, 1 << 31),
    "lab_image_size": Range(1024, 1 << 30),
    "lab_vm_boot_timeout": Range(1, _DAY),
    "lab_vm_cpus": Range(1, 512),
    "lab_vm_memory": Range(128, 1 << 24),
    "lab_vm_shutdown_timeout": Range(0, _DAY),
    "lab_vm_ssh_port": Range(0, 65_535),
    "publish_keep_builds": Range(0, 100_000),
    "publish_lock_timeout": Range(0, _DAY),
    "publish_port": Range(1, 65_535),
    "source_max_size": Range(1 << 20, 1 << 44),
    "source_timeout": Range(1, _DAY),
    "source_tries": Range(1, 100),
    "verify_pid": Range(0, 1 << 22),
    "verify_workload": Range(0, 1_000_000),
}
_PERCENT = re.compile(r"([0-9]{1,9})%")
_NUMBER = re.compile(r"[0-9]{1,9}")


def shown(name: str, value: Any, template: str = "") -> str:
    """The value as a message may quote it: short, and no secret."""
    if _SECRET.search(f"{name} {template}"):
        return "a value that is not shown"
    text = _ACCOUNT.sub("//***@", repr(value))
    return text if len(text) <= _LENGTH else f"{text[:_LENGTH]}…"


def _unquoted(name: str, value: Any, quoted: str) -> Optional[str]:
    """YAML makes numbers and switches of texts without quotes, and the text is lost."""
    if isinstance(value, bool):
        return f"{name} is {str(value).lower()}, not a text: write it in quotes"
    if isinstance(value, float):
        version = "version" in name or "sha256" in name
        example = "6.10" if version else value
        lost = " (of 6.10 YAML makes 6.1)" if version else ""
        return (
            f"{name} is the number {value}, not a text{lost}: write it in quotes, as in "
            f"{quoted.format(example)}"
        )
    return None


def _wrong_kind(name: str, kind: str, value: Any, quoted: str) -> Optional[str]:
    """What Ansible would convert without a word."""
    if value is None:
        return f"{name} is set, but has no value: give one, or remove the line"
    if kind in ("str", "path"):
        problem = _unquoted(name, value, f'{name}: "{{}}"')
        if problem or not isinstance(value, (Mapping, list, tuple)):
            return problem
    elif kind == "dict" and isinstance(value, Mapping):
        for key in value:
            problem = _unquoted(f"the key {key} of {name}", key, '"{}": …')
            if problem:
                return problem
        return None
    elif kind != "int" or not isinstance(value, bool):
        return None
    return f"{name} is {quoted}: it has to be {_WORDS[kind]}"


def _list_problem(name: str, option: Mapping[str, Any], value: Any, quoted: str) -> Optional[str]:
    """Of a list of mappings whose keys are known: which entry it is, and what of it."""
    keys = option.get("options")
    if option.get("type") != "list" or option.get("elements") != "dict" or not keys:
        return None
    if isinstance(value, Mapping):
        return f"{name} is one mapping, not a list: begin each entry with `- `"
    if not isinstance(value, (list, tuple)):
        return None
    for index, entry in enumerate(value):
        found = _entry_problem(f"{name}[{index}]", keys, entry)
        if found:
            return found
    return None


def _entry_problem(where: str, keys: Mapping[str, Any], entry: Any) -> Optional[str]:
    if not isinstance(entry, Mapping):
        return f"{where} is {shown(where, entry)}: it has to be {_WORDS['dict']}"
    name = entry.get("name")
    label = f"{where} ({name[:_LENGTH]})" if isinstance(name, str) else where
    for key in entry:
        if key not in keys:
            like = difflib.get_close_matches(str(key), [*keys], 1, _LIKE)
            meant = f"did you mean {like[0]}?" if like else f"there are {', '.join(keys)}"
            return f"{label} has {key!r}, which is no key of it: {meant}"
    for key, sub in keys.items():
        if sub.get("required") and key not in entry:
            return f"{label} has no {key}: add a line `{key}: …`"
        kind = sub.get("type", "str")
        value = entry.get(key)
        # One that may be left out may be left empty.
        if kind in ("str", "path") and key in entry and (value is not None or sub.get("required")):
            problem = _wrong_kind(f"{where}: {key}", kind, value, shown(key, value))
            if problem:
                return problem
    return None


def serial_problem(value: Any) -> Optional[str]:
    """Sizes of the waves."""
    entries = list(value) if isinstance(value, (list, tuple)) else [value]
    for entry in entries or [None]:
        text = "" if isinstance(entry, bool) else str(entry)
        percent = _PERCENT.fullmatch(text)
        if percent and 1 <= int(percent[1]) <= 100:
            continue
        if not _NUMBER.fullmatch(text) or int(text) < 1:
            return (
                f"deploy_serial is {shown('deploy_serial', value)}: it has to be a number of hosts "
                'from 1 on, a share such as "25%", or a list of these, one for each wave'
            )
    return None


def percentage_problem(value: Any) -> Optional[str]:
    text = "" if isinstance(value, bool) else str(value)
    if re.fullmatch(r"[0-9]{1,3}(\.[0-9]{1,9})?", text) and float(text) <= 100:
        return None
    return (
        f"deploy_max_fail_percentage is {shown('deploy_max_fail_percentage', value)}: it has to be "
        "a number from 0 to 100, without a sign"
    )


def _refused(name: str, option: Mapping[str, Any], value: Any, quoted: str) -> Optional[str]:
    """What Ansible's own check says, in a sentence."""
    result = ArgumentSpecValidator({name: dict(option)}).validate({name: value})
    kind = option.get("type", "str")
    for error in result.errors.errors:
        if isinstance(error, ArgumentValueError) and option.get("choices"):
            choices = ", ".join(str(choice) or '""' for choice in option["choices"])
            several = " only" if kind == "list" else " one of"
            return f"{name} is {quoted}: it has to be{several} {choices}"
        if isinstance(error, ArgumentTypeError) or (
            isinstance(error, ElementError) and not option.get("options")
        ):
            each = (
                f" of {_WORDS[option['elements']]} each"
                if option.get("elements")
                in (
                    "int",
                    "dict",
                )
                else ""
            )
            return f"{name} is {quoted}: it has to be {_WORDS.get(kind, kind)}{each}"
        said = " ".join(str(error.msg).split())
        return f"{name}: {_ACCOUNT.sub('//***@', said)[:300]}"
    return None


def problem(name: str, option: Mapping[str, Any], value: Any, template: str = "") -> Optional[str]:
    """One sentence, or None.

    :param option: as in `meta/argument_specs.yml`.
    :param template: of which the value was made, if it was one.
    """
    if name == "deploy_serial":
        return serial_problem(value)
    if name == "deploy_max_fail_percentage":
        return percentage_problem(value)
    quoted = shown(name, value, template)
    kind = option.get("type", "str")
    found = (
        _wrong_kind(name, kind, value, quoted)
        or _list_problem(name, option, value, quoted)
        or _refused(name, option, value, quoted)
    )
    if found is None and name in RANGES and not RANGES[name].has(int(value)):
        found = f"{name} is {quoted}: it has to be {RANGES[name]}"
    return found
