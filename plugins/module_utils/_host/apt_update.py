# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Update apt's package index, and report why packages in it would not be installed."""

from __future__ import annotations

import fnmatch
import os
import re
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Callable, NamedTuple

from ansible_collections.oslab.kernel.plugins.module_utils._common import apt_answers, bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._common.plain_text import few
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Runner, output_summary
from ansible_collections.oslab.kernel.plugins.module_utils._host import (
    apt_config,
    apt_lock,
    apt_repository,
)
from ansible_collections.oslab.kernel.plugins.module_utils._host.packages import (
    parse_packages,
    query_packages,
)

_SHOWN = 3  # sources, or packages, in a sentence
_LONGEST_NAME = 256  # of a package, or of an expression for some
_PREFERENCES_BYTES = 1 << 20
_UPDATE = (
    "apt-get",
    "update",
    # Also what fails "for the moment", as a name that is not found.
    "--option",
    "APT::Update::Error-Mode=any",
    # Three, and the pauses between them, tell nothing more.
    "--option",
    "Acquire::Retries=1",
)
# By the names under which they are asked for.
_PROXIES = {
    "HTTP": "Acquire::http::Proxy",
    "HTTPS": "Acquire::https::Proxy",
    "AUTO": "Acquire::http::Proxy-Auto-Detect",
}
_ADVICE = (
    "Check the network and the proxy, or correct or remove that source in /etc/apt/sources.list or "
    "/etc/apt/sources.list.d"
)
# Err:1 http://host/debian bookworm InRelease
_FAILED = re.compile(r"^Err:\d+ (.+)$")
# "     6.12-1 -1", " *** 6.12-1 500 (phased 10%)"; deeper are the sources that have it.
_VERSION = re.compile(r"^ (?:\*\*\*|   ) (\S+) (-?\d+)(?: |$)")
_PACKAGE = re.compile(r"^(\S+):$")
_FIELD = re.compile(r"^([A-Za-z-]+):[ \t]*(.*)$")


class AptError(Exception):
    """A sentence with what to do."""


class PinnedError(AptError):
    """apt's preferences are the reason."""


class Record(NamedTuple):
    """Of a file of apt's preferences."""

    file: str
    packages: str
    priority: int


def failures(out: str, err: str) -> list[str]:
    """What `apt-get update` could not fetch, each with the reason, in the order of its output."""
    found: list[str] = []
    open_entry = False
    for line in out.splitlines():
        failed = _FAILED.match(line)
        if failed:
            found.append(failed[1].strip())
            open_entry = True
        elif open_entry and line.startswith("  "):
            joint = " " if ": " in found[-1] else ": "
            found[-1] += joint + " ".join(line.split())
        else:
            open_entry = False
    errors = apt_answers.errors(err)
    named = [error for error in errors if "Some index files failed" not in error]
    return found or named or [output_summary(out, err)]


def _few(texts: Sequence[str]) -> str:
    return few([text.rstrip(".") for text in texts], _SHOWN, "; ")


def _proxy(run: Runner) -> str:
    """The proxy of apt, and the setting that names it; '' if none."""
    configured = apt_config.values(run, _PROXIES)
    found = [(configured[name], option) for name, option in _PROXIES.items() if name in configured]
    for variable in ("http_proxy", "https_proxy"):
        if not found and os.environ.get(variable):
            found = [(os.environ[variable], variable)]
    value, where = next(iter(found), ("", ""))
    if value in ("", "DIRECT", "false"):
        return ""
    # Without scheme, user and password.
    shown = re.sub(r"^[a-z0-9]+://(?:[^/]*@)?", "", value).rstrip("/")
    name = f"that {value} names" if where == _PROXIES["AUTO"] else shown
    return f"{name} ({where})"


def update(
    run: Runner, source: str, lock_seconds: float, sleep: Callable[[float], None] = time.sleep
) -> None:
    """Fetch the index, of the one file `source` if it is given. Raises AptError."""
    argv = [*_UPDATE]
    if source:
        argv += ["--option", f"Dir::Etc::SourceList={source}"]
        argv += ["--option", "Dir::Etc::SourceParts=/dev/null"]
        argv += ["--option", "APT::Get::List-Cleanup=0"]
    code, out, err = apt_lock.run_when_free(run, argv, lock_seconds, sleep)
    if code == 0:
        return
    if apt_lock.held(err):
        raise AptError(
            f"another program has held apt's lock for {lock_seconds:g} s "
            f"({_few(failures('', err))}). Wait for it, or end it"
        )
    reason = f"apt cannot fetch the index of packages: {_few(failures(out, err))}"
    if not source:
        raise AptError(f"{reason}. {_ADVICE}")
    proxy = _proxy(run)
    if proxy:
        reason += (
            f". apt goes through the proxy {proxy}: if that cannot reach the repository, write "
            'Acquire::http::Proxy::HOST "DIRECT"; with its host into a file in /etc/apt/apt.conf.d'
        )
    raise AptError(reason)


def priorities(policy: str) -> dict[str, dict[str, int]]:
    """By name and version, what `apt-cache policy NAME…` prints."""
    found: dict[str, dict[str, int]] = {}
    name = ""
    for line in policy.splitlines():
        package = _PACKAGE.match(line)
        version = _VERSION.match(line)
        if package:
            name = package[1]
            found[name] = {}
        elif version and name:
            found[name][version[1]] = int(version[2][:12])
    return found


def pinned_away(wanted: Sequence[str], policy: str) -> dict[str, int]:
    """Of `wanted`, NAME or NAME=VERSION: those that have versions, each of a priority below 0."""
    known = priorities(policy)
    found = {}
    for package in wanted:
        name, _, version = package.partition("=")
        ranks = known.get(name, {})
        ranks = {version: ranks[version]} if version in ranks else {} if version else ranks
        if ranks and max(ranks.values()) < 0:
            found[name] = max(ranks.values())
    return found


def records(text: str, file: str) -> Iterator[Record]:
    """Those of one file of preferences; what apt could not read is left out."""
    fields: dict[str, str] = {}
    for line in [*text.splitlines(), ""]:
        field = _FIELD.match(line)
        if field:
            fields[field[1].lower()] = field[2].strip()
        if line.strip():
            continue
        number = re.match(r"-?\d{1,9}$", fields.get("pin-priority", ""))
        if number and fields.get("package"):
            yield Record(file, fields["package"], int(number[0]))
        fields = {}


def covers(record: Record, name: str) -> bool:
    """Whether a record may be about a package. Of expressions and of sources it is not known."""
    return any(
        word.startswith(("/", "src:")) or fnmatch.fnmatchcase(name, word)
        for word in record.packages.split()
        if len(word) <= _LONGEST_NAME
    )


def _preferences(run: Runner) -> list[Path]:
    """The files that apt reads, by its own word, in its order."""
    places = apt_config.values(
        run, {"FILE": "Dir::Etc::Preferences/f", "PARTS": "Dir::Etc::PreferencesParts/d"}
    )
    parts = Path(places.get("PARTS", "/etc/apt/preferences.d"))
    inside = sorted(parts.iterdir()) if parts.is_dir() else []
    return [
        path
        for path in [Path(places.get("FILE", "/etc/apt/preferences")), *inside]
        if path.is_file() and path.suffix in ("", ".pref")
    ]


def _culprits(run: Runner, names: Sequence[str]) -> list[str]:
    found = []
    for path in _preferences(run):
        try:
            text = bounded_read.content(path, _PREFERENCES_BYTES).decode(errors="replace")
        except OSError:
            continue
        found += [
            f"'Package: {record.packages[:80]}' in {path} ({record.priority})"
            for record in records(text, str(path))
            if record.priority < 0 and any(covers(record, name) for name in names)
        ]
    return found


def check_pins(run: Runner, wanted: Sequence[str]) -> None:
    """Raises PinnedError where apt has a package, and its preferences forbid to install it."""
    if not wanted:
        return
    names = [package.partition("=")[0] for package in wanted]
    _code, out, _err = run(["apt-cache", "policy", *names])
    away = pinned_away(wanted, out)
    if not away:
        return
    shown = _few([f"{name} (priority {rank})" for name, rank in away.items()])
    culprits = _culprits(run, list(away))
    where = _few(culprits) if culprits else "no file that could be read"
    raise PinnedError(
        f"apt's preferences forbid to install {shown}: the records that may do so are {where}. "
        f"Remove the record, or put one for these packages before it; `apt-cache policy "
        f"{next(iter(away))}` shows what holds"
    )


def check_limit(run: Runner, url: str, path: str) -> None:
    """Raises PinnedError where apt may install packages of a repository that `path` forbids."""
    code, out, err = run(["apt-cache", "policy"])
    if code != 0:
        raise PinnedError(f"apt-cache policy failed: {output_summary(out, err).rstrip('.')}")
    problem = apt_repository.pin_problem(out, url, path)
    if problem:
        raise PinnedError(problem)


def installed(run: Runner, packages: Sequence[str]) -> bool:
    """Whether all of them are."""
    names = [package.partition("=")[0] for package in packages]
    if not names:
        return False
    known = parse_packages(run(query_packages(names)).out)
    return set(names) <= {package.name for package in known if package.installed}


def age(state: Path, now: float) -> float:
    """Seconds since the index was fetched, by the files below /var/lib/apt; infinite if never."""
    for name in ("periodic/update-success-stamp", "lists"):
        with suppress(OSError):
            return now - (state / name).stat().st_mtime
    return float("inf")
