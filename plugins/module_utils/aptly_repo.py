# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Keep a set of .debs in an aptly repository, and the published copy of it current.

aptly publishes into a directory that nobody reads, because it changes several files one after the
other. From there the repository is brought to where it is served (repository_tree).

What is served is judged by what stands in the served directory, not by what a past run
remembers: a run that was killed between adding and publishing is finished by the next one.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, NamedTuple

from ansible_collections.oslab.kernel.plugins.module_utils import (
    repository_builds,
    repository_tree,
)
from ansible_collections.oslab.kernel.plugins.module_utils.checksum import file_sha256

Runner = Callable[[Sequence[str]], "tuple[int, str, str]"]

# aptly's name of the directory that it publishes into, in its configuration and its commands.
ENDPOINT = "staging"
STORAGE = f"filesystem:{ENDPOINT}"


class AptlyError(Exception):
    """A command failed or the input cannot be published; the text says what to do."""


class Key(NamedTuple):
    """What tells one package file from another."""

    name: str
    version: str
    architecture: str
    sha256: str


@dataclass(frozen=True)
class Deb:
    """A .deb file and what its control data say."""

    key: Key
    path: str
    size: int
    installed_size_kib: int


@dataclass(frozen=True)
class Target:
    """Where and how one repository is published."""

    name: str
    root: str
    distribution: str
    component: str
    architectures: tuple[str, ...]
    gpg_key: str
    label: str
    keep_builds: int = 0

    @property
    def public(self) -> Path:
        return Path(self.root) / "public"

    @property
    def staging(self) -> Path:
        return Path(self.root) / ENDPOINT


@dataclass(frozen=True)
class Plan:
    """What has to be done. `replace`: same name and version as a stored one, other bytes.

    `remove`: versions beyond the limit. `order`: all that stay, as they were published.
    """

    create: bool
    add: tuple[Deb, ...]
    replace: tuple[Deb, ...]
    publish_reason: str
    remove: tuple[str, ...] = ()
    order: tuple[str, ...] = ()

    @property
    def changed(self) -> bool:
        return bool(self.create or self.add or self.replace or self.remove or self.publish_reason)


def parse_stanzas(text: str) -> list[dict[str, str]]:
    """Paragraphs of a Debian control file; continuation lines are joined by newlines."""
    stanzas: list[dict[str, str]] = []
    current: dict[str, str] = {}
    field = ""
    for line in text.splitlines():
        if not line.strip():
            if current:
                stanzas.append(current)
            current, field = {}, ""
        elif line[0] in " \t":
            if field:
                current[field] += "\n" + line.strip()
        else:
            field, _mark, value = line.partition(":")
            current[field] = value.strip()
    if current:
        stanzas.append(current)
    return stanzas


def check(run: Runner, command: Sequence[str]) -> str:
    """Standard output of a command that has to succeed."""
    code, out, err = run(command)
    if code != 0:
        detail = (err.strip() or out.strip() or "no output").splitlines()
        raise AptlyError(f"{' '.join(command)} failed ({code}): {' / '.join(detail[-5:])}")
    return out


def read_deb(run: Runner, path: str) -> Deb:
    file = Path(path)
    if not file.is_file():
        raise AptlyError(f"{path}: there is no such file; build the packages first")
    stanzas = parse_stanzas(check(run, ["dpkg-deb", "--field", path]))
    control = stanzas[0] if stanzas else {}
    missing = [name for name in ("Package", "Version", "Architecture") if not control.get(name)]
    if missing:
        raise AptlyError(f"{path}: its control data have no {', '.join(missing)}")
    return Deb(
        key=Key(control["Package"], control["Version"], control["Architecture"], file_sha256(file)),
        path=path,
        size=file.stat().st_size,
        installed_size_kib=int(control.get("Installed-Size", "0")),
    )


def parse_search(text: str) -> set[Key]:
    """The lines that `SEARCH_FORMAT` makes."""
    keys = set()
    for line in text.splitlines():
        fields = line.split("\t")
        if len(fields) == len(Key._fields):
            keys.add(Key(*fields))
    return keys


SEARCH_FORMAT = "{{.Package}}\t{{.Version}}\t{{.Architecture}}\t{{.SHA256}}"


def index_keys(stanzas: Iterable[dict[str, str]]) -> set[Key]:
    return {
        Key(
            stanza.get("Package", ""),
            stanza.get("Version", ""),
            stanza.get("Architecture", ""),
            stanza.get("SHA256", ""),
        )
        for stanza in stanzas
    }


def served_filenames(target: Target) -> dict[Key, str]:
    """Where each published package stands below `public`."""
    found: dict[Key, str] = {}
    suite = target.public / "dists" / target.distribution / target.component
    for index in suite.glob("binary-*/Packages"):
        for stanza in parse_stanzas(index.read_text(encoding="utf-8")):
            found.update(dict.fromkeys(index_keys([stanza]), stanza.get("Filename", "")))
    return found


def conflicts(stored: set[Key], debs: Iterable[Deb]) -> tuple[list[Deb], list[Deb]]:
    """Split what is not stored yet: new ones, and ones whose version is taken by other bytes."""
    taken = {key[:3] for key in stored}
    fresh: list[Deb] = []
    replaced: list[Deb] = []
    for deb in debs:
        if deb.key in stored:
            continue
        (replaced if deb.key[:3] in taken else fresh).append(deb)
    return fresh, replaced


def signer(run: Runner, file: Path) -> str:
    """Fingerprint of the primary key that made a valid signature on `file`, or ''."""
    code, out, _err = run(["gpg", "--batch", "--status-fd", "1", "--verify", str(file)])
    if code != 0:
        return ""
    for line in out.splitlines():
        fields = line.split()
        if fields[:2] == ["[GNUPG:]", "VALIDSIG"]:
            return fields[-1]
    return ""


def stale_reason(run: Runner, target: Target, stored: set[Key], wanted: set[Key]) -> str:
    """Why the served directory is not what it should be; '' if it is.

    The files of `wanted` are read in full, those of earlier builds judged by their size.
    """
    suite = target.public / "dists" / target.distribution
    release = suite / "InRelease"
    if not release.is_file():
        return "nothing is published yet"
    if signer(run, release) != target.gpg_key:
        return f"the index is not signed by {target.gpg_key}"
    signed = release.read_text(encoding="utf-8", errors="replace")
    served: set[Key] = set()
    for architecture in target.architectures:
        name = f"{target.component}/binary-{architecture}/Packages"
        index = suite / name
        if not index.is_file() or f" {file_sha256(index)} " not in signed:
            return f"{name} is not the one that was signed"
        stanzas = parse_stanzas(index.read_text(encoding="utf-8"))
        served |= index_keys(stanzas)
        damaged = [file for file in map(_damage(target, wanted), stanzas) if file]
        if damaged:
            return f"{', '.join(damaged)}: missing or changed"
    if served != stored:
        return "the index lists other packages than the repository holds"
    return ""


def _damage(target: Target, wanted: set[Key]) -> Callable[[dict[str, str]], str]:
    def check_stanza(stanza: dict[str, str]) -> str:
        name = stanza.get("Filename", "-")
        pooled = target.public / name
        if not pooled.is_file() or str(pooled.stat().st_size) != stanza.get("Size"):
            return name
        if wanted & index_keys([stanza]) and file_sha256(pooled) != stanza.get("SHA256"):
            return name
        return ""

    return check_stanza


class Aptly:
    """The aptly commands that are needed, on one configuration file."""

    def __init__(self, run: Runner, config: str, target: Target) -> None:
        self.run = run
        self.config = config
        self.target = target

    def _aptly(self, *arguments: str) -> str:
        return check(self.run, ["aptly", f"-config={self.config}", *arguments])

    def exists(self) -> bool:
        return self.target.name in self._aptly("repo", "list", "-raw").split()

    def stored(self) -> set[Key]:
        # aptly says "no results" by its exit code, so an empty repository is no error.
        code, out, err = self.run(
            [
                "aptly",
                f"-config={self.config}",
                "repo",
                "search",
                f"-format={SEARCH_FORMAT}",
                self.target.name,
                "Name",
            ]
        )
        if code != 0 and "no results" not in (out + err).lower():
            raise AptlyError(f"aptly repo search {self.target.name} failed: {(err or out).strip()}")
        return parse_search(out)

    def plan(self, debs: Sequence[Deb]) -> Plan:
        exists = self.exists()
        stored = self.stored() if exists else set()
        fresh, replaced = conflicts(stored, debs)
        wanted = {deb.key.version for deb in debs}
        recorded = repository_builds.read_order(Path(self.target.root))
        order = repository_builds.new_order(recorded, {key.version for key in stored}, wanted)
        remove = repository_builds.surplus(order, self.target.keep_builds, wanted)
        if not exists or fresh or replaced:
            reason = "packages were added"
        elif remove:
            reason = "old builds were removed"
        else:
            reason = stale_reason(self.run, self.target, stored, {deb.key for deb in debs})
        left = tuple(version for version in order if version not in remove)
        return Plan(not exists, tuple(fresh), tuple(replaced), reason, tuple(remove), left)

    def published(self) -> bool:
        entries = json.loads(self._aptly("publish", "list", "-json") or "[]") or []
        return any(
            (entry.get("Distribution"), entry.get("Prefix"), entry.get("Storage"))
            == (self.target.distribution, ".", STORAGE)
            for entry in entries
        )

    def apply(self, plan: Plan) -> None:
        target = self.target
        if plan.create:
            self._aptly(
                "repo",
                "create",
                f"-distribution={target.distribution}",
                f"-component={target.component}",
                target.name,
            )
        debs = [*plan.add, *plan.replace]
        if debs:
            replace = ["-force-replace=true"] if plan.replace else []
            self._aptly("repo", "add", *replace, target.name, *[deb.path for deb in debs])
            missing = [deb.path for deb in debs if deb.key not in self.stored()]
            if missing:
                raise AptlyError(f"aptly did not take {', '.join(missing)}")
        for version in plan.remove:
            self._aptly("repo", "remove", target.name, f"$Version (= {version})")
        if plan.publish_reason:
            # Read before the index changes: clients may just be fetching these.
            before = set(served_filenames(target).values())
            self._publish()
            repository_tree.bring(target.staging, target.public, before)
        if list(plan.order) != repository_builds.read_order(Path(target.root)):
            repository_builds.write_order(Path(target.root), plan.order)
        if plan.remove:
            self._aptly("db", "cleanup")

    def _publish(self) -> None:
        target = self.target
        # The served pool may hold other bytes under a replaced file's name, also when an
        # earlier run was killed after the replacement; aptly overwrites only if told to.
        common = [
            "-batch",
            f"-gpg-key={target.gpg_key}",
            "-skip-contents",
            "-force-overwrite",
        ]
        if self.published():
            self._aptly("publish", "update", *common, target.distribution, f"{STORAGE}:.")
            return
        self._aptly(
            "publish",
            "repo",
            *common,
            "-acquire-by-hash",
            # apt takes a package from here only when it is asked for by its version, so that
            # an upgrade of the host never changes its kernel.
            "-notautomatic=yes",
            f"-architectures={','.join(target.architectures)}",
            f"-distribution={target.distribution}",
            f"-component={target.component}",
            f"-origin={target.label}",
            f"-label={target.label}",
            target.name,
            f"{STORAGE}:.",
        )
