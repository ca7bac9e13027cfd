# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What playbooks/doctor.yml has found: machine facts, and a line for each check of each host."""

from __future__ import annotations

import itertools
import re
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text
from ansible_collections.oslab.kernel.plugins.plugin_utils import host_refusal

BUILDER, TARGET = "builder", "target"
ANSWERS, ROOT, FACTS, DISTRIBUTION = "answers", "root", "host facts", "distribution"
REPOSITORY = "repository"
DKMS, PENDING, SPACE = "DKMS", "pending reboot", "free space"

#: Checks in the order of the table. What is in neither the playbook nor `judged` stays "-".
CHECKS: Mapping[str, Sequence[str]] = {
    BUILDER: (
        *(ANSWERS, ROOT, FACTS, DISTRIBUTION),
        *("packages", SPACE, "build root", "signing keys", "smoke test", "source"),
        *(REPOSITORY, "publication"),
    ),
    TARGET: (
        *(ANSWERS, ROOT, FACTS, DISTRIBUTION),
        *host_refusal.TOPICS,
        *("boot loader", "kexec-tools", "trial boot", "repeated run", "netconsole"),
        *(SPACE, "clock", DKMS, PENDING),
        *("deployment lock", REPOSITORY),
    ),
}
# Without these nothing else of a host can be checked.
_FIRST = (ANSWERS, ROOT, FACTS)
_NOT_CHECKED = "not checked"
# Why a host was not asked.
_UNASKED = {(TARGET, REPOSITORY): "nothing is published yet, or install_transport is 'copy'"}

WIDTH = 100
_NAME = max(len(name) for names in CHECKS.values() for name in names)
_RESULTS = {True: "PASS", False: "FAIL", None: "-"}
_RESULT = 6  # columns of the heading
_DETAIL = WIDTH - _NAME - _RESULT - 2 * len(" | ")
_KIB_OF_MIB = 1024

# The user and the password of an address, also where the text was cut before the `@`.
_LOGIN = re.compile(r"://[^/\s@]*@")
_CUT_LOGIN = re.compile(r"://[^/\s@:]*:[^/\s@]*…$")


class Check(NamedTuple):
    """One line. `ok` is None for a check that was not made."""

    host: str
    part: str
    name: str
    ok: Optional[bool]
    detail: str


#: ID-VERSION_ID to `tested`, parts that were, as in roles/dependencies/vars/main.yml.
Distributions = Mapping[str, Mapping[str, Any]]


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[str]:
    return [str(one) for one in value] if isinstance(value, (list, tuple)) else []


def safe(text: Any) -> str:
    """In one line, and without the passwords of addresses."""
    line = plain_text.sentence(text)
    return _CUT_LOGIN.sub("://…", _LOGIN.sub("://", line))


def facts_of(part: str, known: Mapping[str, Any]) -> Mapping[str, Any]:
    """The facts of a host in this run; empty without an answer of host_kernel_info."""
    name = "doctor_builder_facts" if part == BUILDER else "install_host_facts"
    facts = _dict(known.get(name))
    return facts if "release" in facts and not facts.get("failed") else {}


def distribution(
    host: str, part: str, facts: Mapping[str, Any], all_known: Distributions
) -> tuple[bool, str]:
    """Whether it is one that the collection knows, and how well it knows it."""
    parts = (facts.get("os_id"), facts.get("os_version_id"))
    name = "-".join(str(part) for part in parts if part)
    known = all_known.get(name)
    if known is None:
        tested = [one for one, about in all_known.items() if part in about.get("tested", ())]
        believed = [one for one in all_known if one not in tested]
        return False, (
            f"{host} runs {name or 'an unknown distribution'}. Tested as a {part}: "
            f"{', '.join(tested)}; believed to work: {', '.join(believed)}. Use one of these, or "
            "remove the host from the inventory."
        )
    if part in known.get("tested", ()):
        return True, f"{name}: tested"
    return True, f"{name}: believed to work, not tested (docs/reference/compatibility.md)"


def _judged(
    host: str, part: str, known: Mapping[str, Any], all_known: Distributions
) -> Iterator[tuple[str, tuple[bool, str]]]:
    """What the facts alone say."""
    facts = facts_of(part, known)
    yield DISTRIBUTION, distribution(host, part, facts, all_known)
    if part == BUILDER:
        return
    found: dict[str, list[str]] = {topic: [] for topic in host_refusal.TOPICS}
    missing, signer = _list(known.get("install_missing")), _dict(known.get("doctor_signer"))
    for topic, text in host_refusal.reasons(facts, host, missing, signer):
        found[topic].append(text)
    for topic, texts in found.items():
        yield topic, (not texts, " ".join(texts))


def _note(name: str, part: str, facts: Mapping[str, Any], known: Mapping[str, Any]) -> str:
    """What a check that passed leaves to say."""
    if (name, part) == (SPACE, TARGET) and any(
        one.endswith("=") for one in _list(known.get("install_missing"))
    ):
        return "without the packages of the kernel: their size is known once one is published"
    if name == PENDING and facts.get("reboot_required") is not None:
        packages = plain_text.few(_list(facts["reboot_required"])) or "/run/reboot-required"
        return f"one is pending ({packages}); the reboot into the new kernel serves both"
    if name == DKMS and facts.get("dkms_modules"):
        return f"builds {plain_text.few(sorted(map(str, _dict(facts['dkms_modules']))))}"
    return ""


def _recorded(part: str, known: Mapping[str, Any]) -> dict[str, tuple[Optional[bool], str]]:
    """What the playbook has recorded. Anything else than a plain yes is no pass."""
    found = {}
    for name, one in _dict(_dict(known.get("doctor_results")).get(part)).items():
        ok = _dict(one).get("ok", False)
        found[str(name)] = (ok if ok is None else ok is True, str(_dict(one).get("detail", "")))
    return found


def checks(host: str, part: str, known: Mapping[str, Any], all_known: Distributions) -> list[Check]:
    """All checks of a host in one of its parts.

    :param known: the variables of the host.
    """
    found = _recorded(part, known)
    facts = facts_of(part, known)
    if facts and found.get(FACTS, (False, ""))[0]:
        for name, judgement in _judged(host, part, known, all_known):
            found.setdefault(name, judgement)
    failed = next((name for name in _FIRST if not found.get(name, (False, ""))[0]), "")
    if not _dict(known.get("doctor_finished")).get(part) and not any(
        found.get(name, (True, ""))[0] is False for name in _FIRST
    ):
        found[ANSWERS] = (
            False,
            f"{host} was lost before its checks ended. Read what Ansible printed about it above, "
            "and run this again.",
        )
        failed = ANSWERS
    made = []
    for name in CHECKS[part]:
        missing = (None, f"see {failed}" if failed else _UNASKED.get((part, name), _NOT_CHECKED))
        ok, detail = found.get(name, missing)
        made.append(
            Check(host, part, name, ok, detail or (_note(name, part, facts, known) if ok else ""))
        )
    return made


# --- machine facts ------------------------------------------------------------------------------


def _firmware(facts: Mapping[str, Any]) -> str:
    if not facts.get("efi"):
        return "BIOS"
    enforced = facts.get("secure_boot")
    state = "unknown" if enforced is None else "on" if enforced else "off"
    return f"UEFI, Secure Boot {state}"


def _free(facts: Mapping[str, Any]) -> str:
    found = []
    for directory, kib in _dict(facts.get("free_kib")).items():
        mib = kib // _KIB_OF_MIB if isinstance(kib, int) else "?"
        found.append(f"{directory} {mib} MiB")
    return ", ".join(found) or "unknown"


def machine(facts: Mapping[str, Any]) -> str:
    """The machine in one line; empty without facts."""
    if not facts:
        return ""
    system = facts.get("os_name") or facts.get("os_id") or "unknown system"
    root = f"{facts.get('root_filesystem') or 'unknown'} on {facts.get('root_device') or 'unknown'}"
    parts = (
        system,
        f"kernel {facts.get('release')}",
        f"{facts.get('machine')} ({facts.get('dpkg_architecture') or 'no dpkg'})",
        _firmware(facts),
        f"loaded by {facts.get('boot_loader')}",
        f"root {root}",
        f"free: {_free(facts)}",
    )
    return safe("; ".join(str(part) for part in parts))


# --- the table ----------------------------------------------------------------------------------


def _wrapped(text: str, width: int) -> list[str]:
    """Lines of at most `width` columns; at least one."""
    found = textwrap.wrap(text, width, break_on_hyphens=False) or [""]
    if all(plain_text.width(line) <= width for line in found):
        return found
    # Letters that take two columns.
    return textwrap.wrap(text, width // 2, break_on_hyphens=False)


def _row(name: str, result: str, detail: str) -> list[str]:
    first, *more = _wrapped(safe(detail).replace("|", "\\x7c"), _DETAIL)
    lines = [f"{name:{_NAME}} | {result:{_RESULT}} | {first}"]
    lines += [f"{'':{_NAME}} | {'':{_RESULT}} | {line}" for line in more]
    return [line.rstrip() for line in lines]


def table(found: Sequence[Check]) -> list[str]:
    """Columns of check, result and remedy; a line with the name above those of each host.

    Checks that were not made for one reason are one line.
    """
    rule = "=" * WIDTH
    lines = [*_row("check", "result", "detail"), rule]
    for (host, part), of_host in itertools.groupby(found, lambda check: (check.host, check.part)):
        lines += _wrapped(f"{plain_text.cell(host)} ({part})", WIDTH)
        for (ok, reason), alike in itertools.groupby(of_host, _kind):
            rows = list(alike)
            if ok is None and len(rows) > 1:
                lines += _row(f"{len(rows)} others", _RESULTS[None], reason)
            else:
                for check in rows:
                    lines += _row(check.name, _RESULTS[check.ok], check.detail)
    passed = sum(check.ok is True for check in found)
    failed = sum(check.ok is False for check in found)
    unmade = len(found) - passed - failed
    total = f"{len(found)} checks, {passed} PASS, {failed} FAIL"
    return [*lines, rule, f"{total}, {unmade} not checked" if unmade else total]


def _kind(check: Check) -> tuple[Optional[bool], str]:
    return check.ok, check.detail if check.ok is None else ""


def header(
    versions: str,
    machines: Mapping[tuple[str, str], str],
    taken: Mapping[str, str] = MappingProxyType({}),
) -> list[str]:
    """The programs, and a paragraph for each host; a host of both parts is one.

    :param taken: of each target, whose kernel it takes.
    """
    lines = _wrapped(safe(versions), WIDTH)
    shown: dict[str, str] = {}
    for (host, _part), text in machines.items():
        shown[host] = shown.get(host) or text
    for host, text in shown.items():
        told = f"{plain_text.cell(host)}: {text or 'no facts'}"
        if host in taken:
            told += f"; takes the kernel of {safe(taken[host])}"
        first, *more = _wrapped(told, WIDTH - 2)
        lines += [first, *(f"  {line}" for line in more)]
    return [*lines, ""]


def failures(found: Sequence[Check]) -> list[str]:
    return [
        safe(f"{check.host}, {check.name}: {check.detail}") for check in found if check.ok is False
    ]
