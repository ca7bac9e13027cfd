# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of texts that roles would refuse later, some of them on hosts that were changed already.

The values are of the type that their specification names (variable_types).
"""

from __future__ import annotations

import ipaddress
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Callable

from ansible.module_utils.common.validation import check_type_bool
from ansible_collections.oslab.kernel.plugins.module_utils._build import root
from ansible_collections.oslab.kernel.plugins.module_utils._common.checksum import SHA256
from ansible_collections.oslab.kernel.plugins.module_utils._common.name_forms import BUILD_ID
from ansible_collections.oslab.kernel.plugins.module_utils._host import kernel_module
from ansible_collections.oslab.kernel.plugins.module_utils._repository import (
    attestations,
    rollout,
)
from ansible_collections.oslab.kernel.plugins.module_utils._source import git_names
from ansible_collections.oslab.kernel.plugins.module_utils._verify import expected_calls
from ansible_collections.oslab.kernel.plugins.module_utils._verify.checks import proc_entry_problem
from ansible_collections.oslab.kernel.plugins.plugin_utils import gate_entries, netconsole
from ansible_collections.oslab.kernel.plugins.plugin_utils.host_answer import PACKAGE
from ansible_collections.oslab.kernel.plugins.plugin_utils.variable_types import shown

_SHA256 = re.compile(SHA256.pattern, re.IGNORECASE)
_FINGERPRINT = re.compile(r"[0-9A-Fa-f]{40}")
_SUITE = re.compile(r"[a-z][a-z0-9-]*")
# What useradd takes; it becomes a word of commands.
_USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
_MIRROR = re.compile(r"(https?://[^/\s]+|file:///)\S*")
_ARCHIVE = re.compile(_MIRROR.pattern + r"( [a-z][a-z0-9/-]*( [a-z][a-z0-9-]*)+)?")
# Words that only a shell obeys; `;` alone is an argument of find.
_SHELL = re.compile(r"\|\|?|&&?|[0-9]?(>>?|<)\S*|.*[^\\;];|\$\(.*|`.*")


def _texts(form: re.Pattern[str], words: str) -> Callable[[str, Any], Iterator[str]]:
    """Of a text, which may be empty, or of each of a list."""

    def check(name: str, value: Any) -> Iterator[str]:
        entries = enumerate(value) if isinstance(value, (list, tuple)) else [(None, value)]
        for index, entry in entries:
            where = name if index is None else f"{name}[{index}]"
            if (str(entry) or index is not None) and not form.fullmatch(str(entry)):
                yield f"{where} is {shown(name, entry)}: it has to be {words}"

    return check


def _checksums(name: str, value: Mapping[Any, Any]) -> Iterator[str]:
    for key, entry in value.items():
        if not _SHA256.fullmatch(str(entry)):
            yield f"{name}: {key} is {shown(name, entry)}: it has to be {_CHECKSUM}"


def _listen(name: str, value: str) -> Iterator[str]:
    try:
        # After a percent sign Python accepts any text.
        if value and ("%" in value or not ipaddress.ip_address(value)):
            raise ValueError
    except ValueError:
        yield (
            f"{name} is {shown(name, value)}: it has to be an IP address of the builder, 0.0.0.0 "
            "or :: for all, or empty"
        )


def _commands(name: str, value: Sequence[str]) -> Iterator[str]:
    for index, command in enumerate(value):
        where = f"{name}[{index}] is {shown(name, command)}"
        try:
            shlex.split(command)
            words = shlex.split(command, posix=False)
        except ValueError as error:
            yield f"{where}: {error}; quote it as for a shell"
            continue
        # What is in quotes keeps them here, and is an argument that somebody wants.
        for word in (word for word in words[1:] if _SHELL.fullmatch(word)):
            yield (
                f"{where}: no shell runs it, so {word!r} would be an argument; "
                "write `sh -c '…'` for a shell"
            )
            break


def _modules(name: str, value: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for index, entry in enumerate(value):
        problem = kernel_module.malformed(str(entry["name"]), entry.get("params") or {})
        if problem:
            yield f"{name}[{index}] ({shown(name, entry['name'])}): {problem}"


def _proc_entries(name: str, value: Sequence[str]) -> Iterator[str]:
    for index, entry in enumerate(value):
        problem = proc_entry_problem(entry)
        if problem:
            yield f"{name}[{index}] is {shown(name, entry)}: {problem}"


def _calls(name: str, value: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for index, entry in enumerate(value):
        problem = expected_calls.problem(entry)
        if problem:
            yield f"{name}[{index}] ({shown(name, entry['name'])}): {problem}"


def _allowed(name: str, value: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    for index, entry in enumerate(value):
        where, pattern = f"{name}[{index}]", str(entry["pattern"])
        try:
            empty = re.compile(pattern).search("") is not None
        except (re.error, RecursionError, OverflowError) as error:
            yield (
                f"{where}: pattern is {shown(name, pattern)}: {error}; write a regular expression "
                "of Python, in single quotes"
            )
            continue
        if empty:
            yield f"{where}: pattern is {shown(name, pattern)}, which allows everything"
        if not str(entry["reason"]).strip():
            yield f"{where}: reason is empty: say why {shown(name, pattern)} is allowed"


def _absolute(name: str, value: str) -> Iterator[str]:
    """Of a file of tasks: where Ansible looks for one depends on the file that includes it."""
    if value and not value.startswith(("/", "~")):
        yield (
            f"{name} is {shown(name, value)}: give an absolute path, such as "
            f"{{{{ inventory_dir }}}}/{Path(value).name}"
        )


def _host_directory(name: str, value: str) -> Iterator[str]:
    if value and not value.startswith("/"):
        yield f"{name} is {shown(name, value)}: it has to be an absolute path on the host, or empty"


def _rollout(name: str, value: Any) -> Iterator[str]:
    try:
        rollout.parse_steps(value)
    except rollout.RolloutError as error:
        yield f"{name} is {shown(name, value)}: {error}"


def _reboot(name: str, value: Any) -> Iterator[str]:
    try:
        check_type_bool(value)
    except TypeError:
        if value != "ask":
            yield f"{name} is {shown(name, value)}: it has to be true, false or ask"


def _or_auto(name: str, value: Any) -> Iterator[str]:
    try:
        check_type_bool(value)
    except TypeError:
        if value != "auto":
            yield f"{name} is {shown(name, value)}: it has to be auto, true or false"


def _netconsole(name: str, value: str) -> Iterator[str]:
    problem = netconsole.problem(value)
    if problem:
        yield (
            f"{name} is {shown(name, value)}: {problem}; it has to be an IP address, with a port "
            "or without, 'builder' or empty"
        )


def _git_url(name: str, value: str) -> Iterator[str]:
    problem = git_names.url_problem(value) if value else ""
    if problem:
        yield f"{name} cannot be used: {problem}"


def _rebuild_keys(name: str, value: Sequence[str]) -> Iterator[str]:
    seen: dict[str, int] = {}
    for index, entry in enumerate(value):
        if "BEGIN PGP" not in entry and not entry.startswith("/"):
            yield (
                f"{name}[{index}] is {shown(name, entry)}: it has to be a public key in ASCII, "
                "or the absolute path of its file on the control node"
            )
            continue
        try:
            (fingerprint,) = attestations.keyring([entry]).fingerprints
        except attestations.AttestationsError as error:
            yield f"{name}[{index}] is of no use: {error}"
            continue
        if fingerprint in seen:
            yield f"{name}[{index}] is the key of {name}[{seen[fingerprint]}], and would count once"
        seen[fingerprint] = index


def _archives(name: str, value: Sequence[str]) -> Iterator[str]:
    found = False
    for index, entry in enumerate(value):
        problem = root.mirror_problem(str(entry))
        if problem:
            found = True
            yield f"{name}[{index}] cannot be used: {problem}"
    if not found:
        yield from _ARCHIVES(name, value)


def _user(name: str, value: str) -> Iterator[str]:
    if value == "root":
        yield (
            f"{name} is root: name a user without rights, or leave it empty to build as whoever "
            "the play becomes"
        )
    elif value and not _USER.fullmatch(value):
        yield (
            f"{name} is {shown(name, value)}: it has to be a user's name (lower-case letters, "
            "digits, _ and -), or empty"
        )


def _git_ref(name: str, value: str) -> Iterator[str]:
    problem = git_names.ref_problem(value) if value else ""
    if problem:
        yield f"{name} is {shown(name, value)}: {problem}"


_CHECKSUM = "64 hexadecimal digits, as sha256sum prints them"
_NAME = "lower-case letters, digits and -, a letter first"
_ARCHIVES = _texts(
    _ARCHIVE,
    "an address that begins with http://, https:// or file:///, then suite and components if they "
    "are others",
)
FORMS: dict[str, Callable[[str, Any], Iterator[str]]] = {
    "build_attestation_gpg_key": _texts(
        _FINGERPRINT, "a fingerprint, 40 hexadecimal digits, or empty"
    ),
    "build_metrics_dir": _host_directory,
    "build_root_mirrors": _archives,
    "build_root_suite": _texts(_SUITE, _NAME),
    "build_smoke_test_allowed": _allowed,
    "build_state_dir": _host_directory,
    "build_user": _user,
    "deploy_after": _absolute,
    "deploy_before": _absolute,
    "deploy_gates": gate_entries.problems,
    "trial_kexec": _or_auto,
    "trial_reboot": _reboot,
    "trial_health_checks": _commands,
    "trial_hook_before": _absolute,
    "trial_netconsole": _netconsole,
    "install_rebuild_keys": _rebuild_keys,
    "install_packages": _texts(PACKAGE, "a package's name, without a version"),
    "modules_list": _modules,
    "publish_component": _texts(_SUITE, _NAME),
    "publish_gpg_key": _texts(_FINGERPRINT, "a fingerprint, 40 hexadecimal digits, or empty"),
    "publish_listen_address": _listen,
    "publish_metrics_dir": _host_directory,
    "publish_rollout": _rollout,
    "publish_rollout_stopped": _or_auto,
    "publish_service_name": _texts(_SUITE, _NAME),
    "publish_suite": _texts(_SUITE, _NAME),
    "source_git_ref": _git_ref,
    "source_git_url": _git_url,
    "source_known_sha256": _checksums,
    "source_mirrors": _texts(_MIRROR, "an address that begins with https://, http:// or file:///"),
    "source_sha256": _texts(_SHA256, f"{_CHECKSUM}, or empty"),
    "verify_build_id": _texts(
        BUILD_ID, "the first 12 or more of a build's hexadecimal digits, the end of the version"
    ),
    "verify_calls": _calls,
    "verify_health_allowed": _allowed,
    "verify_log_allowed": _allowed,
    "verify_metrics_dir": _host_directory,
    "verify_proc_entries": _proc_entries,
}


#: Of which no sentence quotes a part that may be secret, even if all of the value is.
QUOTES_NO_SECRET = ("deploy_gates",)


def problems(name: str, value: Any) -> list[str]:
    """One sentence for each thing that is wrong with the value of the variable."""
    return list(FORMS[name](name, value)) if name in FORMS else []


def source_file_problem(provider: str, file: str) -> str:
    """Empty if a builder can look for it."""
    if provider != "file" or file.startswith(("/", "~", "$")):
        return ""
    return (
        f"source_file is {shown('source_file', file)}: with source_provider file it has to be the "
        "absolute path of the tarball on the builder"
    )


def source_git_problem(provider: str, url: str, ref: str, verify: str) -> str:
    """Empty if a builder can ask for it; the form of each is checked alone."""
    if provider != "git":
        return ""
    if not url:
        return (
            "source_git_url is empty: with source_provider git it has to be a repository "
            "(https://HOST/PATH, git://HOST/PATH, or an absolute path on the builder)"
        )
    if not ref:
        return (
            "source_git_ref is empty: with source_provider git it has to be a tag, a branch or all "
            "40 digits of a commit"
        )
    return "" if git_names.ref_problem(ref) else git_names.verify_problem(ref, verify)


def source_series_problem(series: str, provider: str, lock: str) -> str:
    """Empty if it is known which release a build has."""
    if series.lower() not in ("true", "yes", "1", "on"):
        return ""
    if provider not in ("kernel_org", "distro_package"):
        return (
            f"source_series is {series}, but source_provider is {provider}: only kernel_org and "
            "distro_package have series of releases"
        )
    if lock:
        return ""
    return (
        f"source_series is {series}, but build_lock is empty: name the lock, such as kernel.lock, "
        "and write it with playbooks/lock.yml, so that a build knows which release it has"
    )
