# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Add a set of .debs to an aptly repository, and update the published copy of it.

aptly publishes into a directory that nobody reads, because it changes several files one after the
other. From there the repository is brought to where it is served (publish.py).

What is served is judged by what stands in the served directory, not by what a past run
remembers: a run that was killed between adding and publishing is finished by the next one.

apt-ftparchive would make the indexes from a directory of packages. Kept is aptly, because it also
has the pool (a package in several suites is one file), by-hash indexes and the signing: without it
these would be code of this collection. What is checked around it would be needed in any case.
"""

from __future__ import annotations

import contextlib
import json
import re
import shutil
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePosixPath
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    atomic_file,
    bounded_read,
    gpg_status,
    own_packages,
    owned_file,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.checksum import SHA256
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    Runner,
    output_summary,
    required_output,
)
from ansible_collections.oslab.kernel.plugins.module_utils._repository import (
    errors,
    publish,
    retention,
)

# aptly's name of the directory that it publishes into, in its configuration and its commands.
ENDPOINT = "staging"
STORAGE = f"filesystem:{ENDPOINT}"
# Copies that nobody else can change, while they are compared and added.
INCOMING = "incoming"
# Beside the packages: what the indexes and aptly's database may grow by, in bytes.
MARGIN = 4 << 20

# As dpkg has them, and shorter: these become names of files.
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9+._-]{0,199}")
_VERSION = re.compile(r"[0-9][A-Za-z0-9+.~:-]{0,199}")
_SIZE = re.compile(r"[0-9]{1,15}")
NOTHING = "Nothing was published."


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
    #: Of whose kernel the packages are, and whether there are other builders.
    kernel: str = ""
    shared: bool = False
    #: To whom the files have to belong that are added; None for anybody.
    owner: Optional[int] = None

    @property
    def public(self) -> Path:
        return Path(self.root) / "public"

    @property
    def staging(self) -> Path:
        return Path(self.root) / ENDPOINT


@dataclass(frozen=True)
class Plan:
    """What has to be done. `replace`: same name and version as a stored one, other bytes.

    `remove`: versions beyond the limit. `order`: all that stay, as they were published. `wanted`:
    the packages that this run is about, stored already or not.
    """

    create: bool
    add: tuple[Deb, ...]
    replace: tuple[Deb, ...]
    publish_reason: str
    remove: tuple[str, ...] = ()
    order: retention.Order = field(default_factory=dict)
    wanted: tuple[Key, ...] = ()

    @property
    def changed(self) -> bool:
        return bool(self.create or self.add or self.replace or self.remove or self.publish_reason)


def parse_stanzas(text: str) -> list[dict[str, str]]:
    """Paragraphs of a Debian control file; continuation lines are joined by newlines.

    Lines end where dpkg and aptly end them: not at a form feed or another of Unicode's separators.
    """
    stanzas: list[dict[str, str]] = []
    current: dict[str, str] = {}
    field = ""
    for line in text.split("\n"):
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


def _control(path: str, text: str) -> dict[str, str]:
    """The control data of one package, each field of which is there once."""
    names = [line.partition(":")[0].lower() for line in text.split("\n") if line[:1].strip()]
    twice = sorted({name for name in names if names.count(name) > 1})
    stanzas = parse_stanzas(text)
    if twice or len(stanzas) > 1:
        what = f"state {', '.join(twice)} twice" if twice else "are of several packages"
        raise AptlyError(f"{path}: its control data {what}; build the packages again. {NOTHING}")
    return stanzas[0] if stanzas else {}


def _check_control(path: str, control: Mapping[str, str]) -> None:
    missing = [name for name in ("Package", "Version", "Architecture") if not control.get(name)]
    if missing:
        raise AptlyError(f"{path}: its control data have no {', '.join(missing)}")
    patterns = {
        "Package": _NAME,
        "Version": _VERSION,
        "Architecture": _NAME,
        "Installed-Size": _SIZE,
    }
    for name, pattern in patterns.items():
        value = control.get(name, "0")
        if not pattern.fullmatch(value):
            raise AptlyError(
                f"{path}: its control data have the {name} {value[:80]!r}, which no package may "
                f"have; build the packages again. {NOTHING}"
            )


def read_deb(run: Runner, path: str, owner: Optional[int] = None) -> Deb:
    """What a file holds. `owner`: to whom it has to belong. Raises AptlyError, OSError."""
    file = Path(path)
    if not file.is_file():
        raise AptlyError(f"{path}: there is no such file; build the packages first")
    owned_file.check(file, owner)
    control = _control(path, required_output(run, ["dpkg-deb", "--field", path], AptlyError))
    _check_control(path, control)
    return Deb(
        key=Key(
            control["Package"],
            control["Version"],
            control["Architecture"],
            bounded_read.sha256(file),
        ),
        path=path,
        size=file.stat().st_size,
        installed_size_kib=int(control.get("Installed-Size", "0")),
    )


class Expected(NamedTuple):
    version: str
    sha256: str


def parse_expected(packages: Mapping[str, Any], version: str) -> dict[str, Expected]:
    """What a build says of its packages: name → {sha256, …}; all have one version."""
    found = {}
    for name, about in packages.items():
        digest = about.get("sha256") if isinstance(about, Mapping) else None
        if not isinstance(digest, str) or not SHA256.fullmatch(digest):
            raise AptlyError(
                f"expected has for {name} the sha256 {digest!r}, which has to be 64 hexadecimal "
                f"digits; build again. {NOTHING}"
            )
        found[name] = Expected(version, digest)
    return found


def check_names(names: Iterable[str], release: str) -> None:
    """Raise AptlyError if a build's record has another package than a kernel's build makes.

    Hosts without pins would take a newer bash from here, too.
    """
    own = {*own_packages.of_kernel(release), own_packages.TOOLS, "linux-libc-dev"}
    for name in names:
        if name not in own:
            raise AptlyError(
                f"publish_build has {name[:80]!r}, which is no package of the kernel {release} "
                f"({', '.join(sorted(own))}). Build again. {NOTHING}"
            )


def check_expected(debs: Sequence[Deb], expected: Mapping[str, Expected], all_read: bool) -> None:
    """Raise AptlyError unless these are the packages that were built, each once.

    `all_read`: every file could be read, so that a package that is missing is an error.
    """
    seen: dict[str, str] = {}
    for deb in debs:
        wanted = expected.get(deb.key.name)
        if wanted is None:
            raise AptlyError(
                f"{deb.path} holds the package {deb.key.name}, which publish_build does not have "
                f"({', '.join(sorted(expected)) or 'none at all'}). Build again. {NOTHING}"
            )
        if deb.key.name in seen:
            raise AptlyError(
                f"{deb.path} and {seen[deb.key.name]} both hold the package {deb.key.name}. "
                f"Build again. {NOTHING}"
            )
        seen[deb.key.name] = deb.path
        if (deb.key.version, deb.key.sha256) != wanted:
            raise AptlyError(
                f"{deb.path} is not the file that publish_build describes ({deb.key.name} "
                f"{wanted.version}, sha256 {wanted.sha256}): it has version {deb.key.version}, "
                f"sha256 {deb.key.sha256}. Build again. {NOTHING}"
            )
    missing = sorted(set(expected) - set(seen))
    if missing and all_read:
        raise AptlyError(f"No file holds {', '.join(missing)}. Build again. {NOTHING}")


def pooled_name(deb: Deb) -> str:
    """The file's name in the pool, as Debian's tools make it; an epoch is left out."""
    version = deb.key.version.partition(":")[2] or deb.key.version
    return f"{deb.key.name}_{version}_{deb.key.architecture}.deb"


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


def is_pooled(name: str) -> bool:
    """Whether it is a path in the pool, which leads nowhere else."""
    parts = PurePosixPath(name).parts
    return parts[:1] == ("pool",) and ".." not in parts and name.isprintable()


def served_filenames(target: Target, top: Optional[Path] = None) -> dict[Key, str]:
    """Where each published package stands below `public`, or another directory."""
    found: dict[Key, str] = {}
    suite = (top or target.public) / "dists" / target.distribution / target.component
    for index in suite.glob("binary-*/Packages"):
        for stanza in parse_stanzas(index.read_text(encoding="utf-8", errors="replace")):
            name = stanza.get("Filename", "")
            if is_pooled(name):
                found.update(dict.fromkeys(index_keys([stanza]), name))
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
    valid = [one["VALIDSIG"][-1] for one in gpg_status.signatures(out) if one.get("VALIDSIG")]
    return valid[0] if valid else ""


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
        if not index.is_file() or f" {bounded_read.sha256(index)} " not in signed:
            return f"{name} is not the one that was signed"
        stanzas = parse_stanzas(index.read_text(encoding="utf-8", errors="replace"))
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
        if not is_pooled(name):
            return repr(name[:80])
        if not pooled.is_file() or str(pooled.stat().st_size) != stanza.get("Size"):
            return name
        if wanted & index_keys([stanza]) and bounded_read.sha256(pooled) != stanza.get("SHA256"):
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
        try:
            argv = ["aptly", f"-config={self.config}", *arguments]
            return required_output(self.run, argv, AptlyError)
        except AptlyError as error:
            remedy = errors.remedy(str(error), self.target.root)
            raise AptlyError(f"{error}. {remedy}" if remedy else str(error)) from error

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
            raise AptlyError(
                f"aptly repo search {self.target.name} failed: {output_summary(out, err)}"
            )
        return parse_search(out)

    def plan(self, debs: Sequence[Deb], kept: Collection[str] = ()) -> Plan:
        """What has to be done. `kept`: versions that are not removed, however old they are."""
        published = (*self.target.architectures, "all")
        for deb in debs:
            if deb.key.architecture not in published:
                raise AptlyError(
                    f"{deb.path} is for {deb.key.architecture}, and the repository is for "
                    f"{', '.join(self.target.architectures)}. Build again. {NOTHING}"
                )
        exists = self.exists()
        stored = self.stored() if exists else set()
        fresh, replaced = conflicts(stored, debs)
        wanted = {deb.key.version for deb in debs}
        recorded = retention.read_order(Path(self.target.root))
        target, versions = self.target, {key.version for key in stored}
        order = retention.new_order(recorded, versions, wanted, target.kernel)
        needed = {*wanted, *kept}
        remove = retention.surplus(order, target.keep_builds, needed, by_builder=target.shared)
        if not exists or fresh or replaced:
            reason = "packages were added"
        elif remove:
            reason = "old builds were removed"
        else:
            reason = stale_reason(self.run, self.target, stored, {deb.key for deb in debs})
        left = {version: name for version, name in order.items() if version not in remove}
        return Plan(
            not exists,
            tuple(fresh),
            tuple(replaced),
            reason,
            tuple(remove),
            left,
            tuple(deb.key for deb in debs),
        )

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
            self._check_space(debs)
            with self._copies(debs) as copies:
                self._add(copies, bool(plan.replace))
        for version in plan.remove:
            self._aptly("repo", "remove", target.name, f"$Version (= {version})")
        if plan.publish_reason:
            # Read before the index changes: clients may just be fetching these.
            before = set(served_filenames(target).values())
            self._publish()
            self._check_staged(plan.wanted)
            publish.update(target.staging, target.public, before)
        recorded = retention.read_order(Path(target.root))
        if [*plan.order.items()] != [*recorded.items()]:
            retention.write_order(Path(target.root), plan.order)
        if plan.remove:
            self._aptly("db", "cleanup")

    def _check_space(self, debs: Sequence[Deb]) -> None:
        """Check the space before anything is written: a full disk can break aptly's database."""
        root = self.target.root
        needed = sum(deb.size for deb in debs) + MARGIN
        free = shutil.disk_usage(root).free
        if free < needed:
            raise AptlyError(
                f"Cannot publish into {root}: {free >> 20} MiB are free there, and "
                f"{(needed >> 20) + 1} MiB are needed. "
                + errors.remedy("no space left on device", root)
            )

    @contextlib.contextmanager
    def _copies(self, debs: Sequence[Deb]) -> Iterator[list[Deb]]:
        """Copies that are what was read, and that stay so: the store may be another user's."""
        target = self.target
        incoming = Path(target.root) / INCOMING
        shutil.rmtree(incoming, ignore_errors=True)  # of a run that was killed
        incoming.mkdir(mode=0o700)
        incoming.chmod(0o700)
        try:
            copies = []
            for deb in debs:
                path = incoming / pooled_name(deb)
                owned_file.copy(Path(deb.path), path, target.owner)
                path.chmod(0o644)
                atomic_file.sync(path)
                copy = read_deb(self.run, str(path))
                if copy.key != deb.key:
                    raise AptlyError(
                        f"{deb.path} was changed while it was published: it had sha256 "
                        f"{deb.key.sha256}, and then {copy.key.sha256}. Build again. {NOTHING}"
                    )
                copies.append(replace(copy, path=str(path)))
            yield copies
        finally:
            shutil.rmtree(incoming, ignore_errors=True)

    def _add(self, copies: Sequence[Deb], replacing: bool) -> None:
        """Add them, and nothing else. aptly links its pool to these very files."""
        before = self.stored()
        options = ["-remove-files=true", *(["-force-replace=true"] if replacing else [])]
        self._aptly("repo", "add", *options, self.target.name, *[deb.path for deb in copies])
        after = self.stored()
        wanted = {deb.key for deb in copies}
        if not wanted - after and not (after - before) - wanted:
            return
        for key in sorted(after - before):
            query = f"{key.name} (= {key.version}) {{{key.architecture}}}"
            self._aptly("repo", "remove", self.target.name, query)
        taken = ", ".join(f"{key.name} {key.version}" for key in sorted(after - before))
        raise AptlyError(
            f"aptly took {taken or 'nothing'} for {', '.join(Path(d.path).name for d in copies)}: "
            f"build again. {NOTHING}"
        )

    def _check_staged(self, wanted: Iterable[Key]) -> None:
        """What was signed is compared with the files before anybody is served it."""
        staged = served_filenames(self.target, self.target.staging)
        if set(staged) != self.stored():
            raise AptlyError(
                f"aptly made an index in {self.target.staging} that does not list what the "
                f"repository holds: see whether another program uses {self.target.root}. {NOTHING}"
            )
        for key in wanted:
            file = self.target.staging / staged.get(key, "-")
            if not file.is_file() or bounded_read.sha256(file) != key.sha256:
                raise AptlyError(
                    f"{file} is not {key.name} {key.version} as it was built (sha256 "
                    f"{key.sha256}): the disk or somebody changed {self.target.root}/pool. Move "
                    f"db, pool and staging in {self.target.root} away and publish again. {NOTHING}"
                )

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
