# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build roots: file systems made of Debian packages by mmdebstrap, each under its own hash.

In the directory of the roots:

    ID/             a root, named by the hash of its packages: `tree` and `root.json`
    HASH.json       which root was made of these inputs (suite, mirrors, names of packages, …)
    lock            held while a root is made or removed
    .making-…       a root that is not finished

A root is never changed. The same inputs give the same root until a new one is asked for, so that
no build changes because the archive did.
"""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timezone
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._build import lock_lines
from ansible_collections.oslab.kernel.plugins.module_utils._build.environment import (
    BWRAP,
    ENTER,
    ENTER_SCRIPT,
    RECORD,
    TREE,
    UID,
)
from ansible_collections.oslab.kernel.plugins.module_utils._build.identity import json_sha256
from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    atomic_file,
    bounded_read,
    json_file,
    lock,
    plain_text,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    FullRunner,
    output_summary,
)
from ansible_collections.oslab.kernel.plugins.module_utils._source import workdir

# Raise it when the same packages give another root.
FORMAT = 1
MMDEBSTRAP = "mmdebstrap"
VARIANT = "apt"
# The latest time of a file that is no package's own: the same in each root.
EPOCH = "1"
DAY = 86400
LISTS = "var/lib/apt/lists"
_MAKING = ".making-"
_HASH = re.compile(r"[0-9a-f]{64}")
# A directory of snapshot.debian.org's layout, whose index has expired long ago.
_SNAPSHOT = re.compile(r"/[0-9]{8}T[0-9]{6}Z(/|$)")
_ANY_TIME = "YYYYMMDDTHHMMSSZ"
# How apt names a package, or the file of one, that the archive does not have.
_GONE = re.compile(
    r"Unable to locate package (\S+)|Package '?([^\s']+)'? has no installation candidate"
    r"|Depends:? ([a-z0-9][a-z0-9+.-]+).*\s+but (?:it is not|none of the choices are) installable"
    r"|Failed to fetch \S+/([^/_\s]+)_[^/\s]*\.deb +(?:404|Failed to stat)"
)
# Lines with a reason. mmdebstrap's own repeat the whole command that failed.
_ERROR = re.compile(
    r"(?!.*(?:apt-get --yes|apt-get update |mmdebstrap failed))"
    r"(?:W: GPG error|W: OpenPGP|Err|E|dpkg: error)[: ]"
)
_FOR_ARCHITECTURE = re.compile(r":[a-z0-9-]+$")


class RootError(Exception):
    """The root cannot be made; the message says what to do."""


class Archive(NamedTuple):
    """A distribution's own archive."""

    keyring: str
    package: str  # that has the keyring
    entries: Sequence[str]  # address, suite, components; {suite} is the release's name


_DEBIAN = Archive(
    "/usr/share/keyrings/debian-archive-keyring.gpg",
    "debian-archive-keyring",
    (
        "http://deb.debian.org/debian {suite} main",
        "http://deb.debian.org/debian {suite}-updates main",
        "http://deb.debian.org/debian-security {suite}-security main",
    ),
)
_UBUNTU = Archive(
    "/usr/share/keyrings/ubuntu-archive-keyring.gpg",
    "ubuntu-keyring",
    (
        "http://archive.ubuntu.com/ubuntu {suite} main universe",
        "http://archive.ubuntu.com/ubuntu {suite}-updates main universe",
        "http://security.ubuntu.com/ubuntu {suite}-security main universe",
    ),
)
ARCHIVES = {"bookworm": _DEBIAN, "trixie": _DEBIAN, "jammy": _UBUNTU, "noble": _UBUNTU}


def mirror_problem(entry: str) -> str:
    """Why the address cannot be one that each root and each .buildinfo names; otherwise empty."""
    return plain_text.account_problem(entry, "a copy on the builder (file:///path)")


@dataclass(frozen=True)
class Request:
    """What the user asks for. Raises RootError."""

    suite: str
    architecture: str
    packages: Sequence[str]
    mirrors: Sequence[str] = ()
    keyring: str = ""

    def __post_init__(self) -> None:
        for index, entry in enumerate(self.mirrors):
            problem = mirror_problem(entry)
            if problem:
                raise RootError(f"build_root_mirrors[{index}] cannot be used: {problem}")

    @property
    def key_file(self) -> Path:
        return Path(self.keyring or self._archive("build_root_keyring").keyring)

    @property
    def keyring_package(self) -> str:
        return "" if self.keyring else self._archive("build_root_keyring").package

    @property
    def sources(self) -> list[str]:
        """Lines of a sources.list."""
        return [_source(entry, self.suite) for entry in self._entries()]

    @property
    def verified_sources(self) -> list[str]:
        """The same, each bound to the keyring.

        mmdebstrap only adds the keyring to the keys that the builder trusts anyway.
        """
        return [_source(entry, self.suite, self.key_file) for entry in self._entries()]

    def _entries(self) -> list[str]:
        entries = self.mirrors or self._archive("build_root_mirrors").entries
        return [entry.replace("{suite}", self.suite) for entry in entries]

    def _archive(self, variable: str) -> Archive:
        if self.suite not in ARCHIVES:
            raise RootError(
                f"build_root_suite is {self.suite}, and the archives of {', '.join(ARCHIVES)} are "
                f"known: set {variable}, or choose one of these"
            )
        return ARCHIVES[self.suite]


def _source(entry: str, suite: str, keyring: Optional[Path] = None) -> str:
    """`ADDRESS [SUITE COMPONENT…]` as a line of a sources.list."""
    address, *rest = entry.split()
    if keyring:
        # apt reads packages of file: where they are, and mmdebstrap finds none of them in the root.
        address = re.sub("^file:", "copy:", address)
    options = ["check-valid-until=no"] if _SNAPSHOT.search(address) else []
    if keyring:
        options.append(f'signed-by="{keyring}"')
    shown = f"[{' '.join(options)}] " if options else ""
    return f"deb {shown}{address} {' '.join(rest or [suite, 'main'])}"


def inputs_sha256(request: Request, keyring_sha256: str) -> str:
    values = {**asdict(request), "packages": sorted(set(request.packages))}
    values["mirrors"] = request.sources
    return json_sha256([FORMAT, VARIANT, keyring_sha256, values])


def root_id(architecture: str, packages: Sequence[Mapping[str, str]]) -> str:
    """Of what the root consists of, wherever that was fetched from."""
    return json_sha256([FORMAT, VARIANT, EPOCH, architecture, list(packages)])


def locked(record: Mapping[str, Any]) -> dict[str, Any]:
    """What a lock says of a root."""
    return {
        **{name: record[name] for name in ("id", "suite", "architecture")},
        # Of an archive at that time the same root can be made again.
        "snapshot": record.get("snapshot", ""),
        "packages": {
            f"{each['name']}:{each['architecture']}": {
                "version": each["version"],
                "sha256": each["sha256"],
            }
            for each in record["packages"]
        },
    }


def _unexpected(expected: Mapping[str, Any], packages: Mapping[str, Any]) -> str:
    """Which packages of the archive are others than those of the lock, and what helps."""
    name = "environment.root.packages"
    old, new = {name: expected.get("packages", {})}, {name: packages}
    changes = lock_lines.differences(old, new)
    versions = [each for each in changes if each.line.endswith(".version")] or changes
    shown = "; ".join(line[len("- ") :] for line in lock_lines.listed(versions, "locked"))
    time = expected.get("snapshot") or _ANY_TIME
    return (
        f"the archive of the build root has not the packages of build_lock: {shown}. Set "
        "build_root_mirrors to the archives of that time (docs/how-to/lock-a-build.md), such as "
        f"https://snapshot.debian.org/archive/debian/{time}/, or write a new lock with "
        "playbooks/lock.yml"
    )


def archive_date(lists: Path) -> str:
    """When the newest of the indexes was made, as snapshot.debian.org writes it; or empty."""
    dates = []
    for path in sorted(lists.glob("*Release")):
        with path.open(encoding="utf-8", errors="replace") as stream:
            for line in stream:
                if line.startswith("Date:"):
                    with contextlib.suppress(ValueError, TypeError, OverflowError):
                        found = parsedate_to_datetime(line.partition(":")[2].strip())
                        dates.append(found.astimezone(timezone.utc).strftime("%Y%m%dT%H%M%SZ"))
                    break
    return max(dates, default="")


# --- what a root consists of -------------------------------------------------------------------


def paragraphs(lines: Iterable[str], wanted: Sequence[str]) -> Iterator[dict[str, str]]:
    """The wanted fields of each paragraph of a file that dpkg or an archive has written."""
    found: dict[str, str] = {}
    for line in lines:
        if not line.strip():
            if found:
                yield found
            found = {}
            continue
        name, separator, value = line.partition(":")
        if separator and name in wanted:
            found[name] = value.strip()
    if found:
        yield found


def _checksums(lists: Path) -> dict[tuple[str, str, str], str]:
    """Package, version and architecture → SHA-256, from the archives' signed indexes."""
    found = {}
    for path in sorted(lists.glob("*_Packages")):
        with path.open(encoding="utf-8", errors="replace") as stream:
            names = ("Package", "Version", "Architecture", "SHA256")
            for each in paragraphs(stream, names):
                if len(each) == len(names):
                    key = (each["Package"], each["Version"], each["Architecture"])
                    found[key] = each["SHA256"]
    return found


def installed(tree: Path) -> list[dict[str, str]]:
    """The packages of a root, each with the checksum of its archive."""
    checksums = _checksums(tree / LISTS)
    packages = []
    with (tree / "var/lib/dpkg/status").open(encoding="utf-8", errors="replace") as stream:
        for each in paragraphs(stream, ("Package", "Version", "Architecture", "Status")):
            if not each.get("Status", "").endswith(" installed"):
                continue
            key = (each["Package"], each["Version"], each["Architecture"])
            if key not in checksums:
                raise RootError(
                    f"no index of build_root_mirrors has {key[0]} {key[1]}, which is in the root: "
                    "run it again"
                )
            names = ("name", "version", "architecture", "sha256")
            packages.append(dict(zip(names, (*key, checksums[key]))))
    return sorted(packages, key=lambda each: (each["name"], each["architecture"]))


# --- what the builder needs --------------------------------------------------------------------


def _number(path: str) -> Optional[int]:
    try:
        return int(bounded_read.text(Path(path)))
    except (OSError, ValueError):
        return None


def namespace_problem(uid: int, number: Callable[[str], Optional[int]] = _number) -> Optional[str]:
    """Why the builder's kernel lets this user make no user namespace."""
    if number("/proc/sys/user/max_user_namespaces") == 0:
        return (
            "the builder's kernel allows no user namespaces, which a build root needs: run "
            "'sysctl -w user.max_user_namespaces=10000', or set build_environment: host"
        )
    if uid != 0 and number("/proc/sys/kernel/unprivileged_userns_clone") == 0:
        return (
            "the builder allows user namespaces to root only: run "
            "'sysctl -w kernel.unprivileged_userns_clone=1', or set build_environment: host"
        )
    if uid != 0 and number("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == 1:
        return (
            "the builder's AppArmor allows user namespaces to root only (Ubuntu from 24.04 on): "
            "give /usr/bin/bwrap a profile with 'userns,' in /etc/apparmor.d, or run 'sysctl -w "
            "kernel.apparmor_restrict_unprivileged_userns=0', or set build_environment: host"
        )
    return None


def missing(request: Request, find: Callable[[str], Optional[str]]) -> list[str]:
    """Packages that the builder lacks."""
    programs = {MMDEBSTRAP: MMDEBSTRAP, BWRAP: "bubblewrap"}
    lacking = [package for program, package in programs.items() if not find(program)]
    if not request.key_file.is_file() and request.keyring_package:
        lacking.append(request.keyring_package)
    return lacking


def check_keyring(request: Request) -> None:
    if request.keyring and not request.key_file.is_file():
        raise RootError(
            f"build_root_keyring {request.keyring} is not on the builder: name the file with the "
            "archive's public keys there"
        )


def check_namespaces(run: FullRunner, uid: int) -> None:
    problem = namespace_problem(uid)
    if problem:
        raise RootError(problem)
    argv = [BWRAP, "--unshare-all", "--unshare-user", "--uid", str(UID), "--ro-bind", "/", "/"]
    done = run([*argv, "--", "true"])
    if done.status != 0:
        raise RootError(
            f"bwrap cannot make a namespace on the builder: {output_summary(done.out, done.err)}. "
            "In a container, allow user namespaces (its seccomp profile); or set "
            "build_environment: host"
        )


# --- the roots of a builder --------------------------------------------------------------------


class Roots:
    """The directory of the roots."""

    def __init__(self, directory: Path, uid: int) -> None:
        self.directory = directory
        self.uid = uid

    def find(self, request: Request) -> Optional[dict[str, Any]]:
        """The root that was made of these inputs; None if there is none, or only a part."""
        if not request.key_file.is_file():
            return None
        mark = inputs_sha256(request, bounded_read.sha256(request.key_file))
        name = (json_file.read(self.directory / f"{mark}.json") or {}).get("id")
        return self.read(name) if isinstance(name, str) else None

    def read(self, name: str) -> Optional[dict[str, Any]]:
        """The root of this ID; None if there is none, or only a part."""
        place = self.directory / name
        if not _HASH.fullmatch(name):
            return None
        record = json_file.read(place / RECORD)
        if record is None or record.get("id") != name or not (place / TREE / "usr").is_dir():
            return None
        return {**record, "directory": str(place)}

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """One maker at a time; what one who was killed has left is removed."""
        workdir.check(self.directory, "build_root_dir", self.uid)
        workdir.make(self.directory)
        with lock.held(self.directory / "lock", purpose="makes a build root"):
            for path in self.directory.glob(f"{_MAKING}*"):
                shutil.rmtree(path)
            yield

    def use(self, name: str) -> None:
        """Note that a build uses it now, and how this collection enters it."""
        place = self.directory / name
        script = place / ENTER
        if not script.is_file() or script.read_bytes() != ENTER_SCRIPT:
            atomic_file.write(script, ENTER_SCRIPT.decode(), 0o644)
        os.utime(place / RECORD)

    def unused(self, days: int, now: float, used: str = "") -> list[str]:
        """Roots that no build has used for so many days."""
        names = []
        for path in sorted(self.directory.glob("*")) if self.directory.is_dir() else []:
            if not _HASH.fullmatch(path.name) or path.name == used:
                continue
            try:
                last = (path / RECORD).stat().st_mtime
            except FileNotFoundError:
                last = path.stat().st_mtime
            if last < now - days * DAY:
                names.append(path.name)
        return names

    def remove(self, names: Sequence[str]) -> None:
        """They lose their names first, so that no half of one can be taken for a root."""
        for name in names:
            gone = Path(tempfile.mkdtemp(prefix=_MAKING, dir=self.directory))
            (self.directory / name).rename(gone / "old")
            shutil.rmtree(gone)
        for path in self.directory.glob("*.json"):
            if (json_file.read(path) or {}).get("id") in names:
                path.unlink()

    def make(
        self, request: Request, run: FullRunner, expected: Optional[Mapping[str, Any]] = None
    ) -> tuple[dict[str, Any], bool]:
        """Make a root of what the archive has now: (the root, whether it is a new one).

        `expected`: what a lock says of it (`locked`); another root is not kept. Raises RootError.
        """
        new = Path(tempfile.mkdtemp(prefix=_MAKING, dir=self.directory))
        try:
            new.chmod(workdir.DIRECTORY)
            tree = new / TREE
            tree.mkdir(workdir.DIRECTORY)
            _unpack(_bootstrap(request, new, run, expected or {}), tree, run)
            packages = installed(tree)
            snapshot = archive_date(tree / LISTS)
            for path in (tree / LISTS).iterdir():
                if path.is_file():
                    path.unlink()
            keyring_sha256 = bounded_read.sha256(request.key_file)
            record = {
                "id": root_id(request.architecture, packages),
                "suite": request.suite,
                "architecture": request.architecture,
                "mirrors": request.sources,
                "keyring_sha256": keyring_sha256,
                "packages": packages,
                "snapshot": snapshot,
            }
            if expected and expected.get("id") != record["id"]:
                raise RootError(_unexpected(expected, locked(record)["packages"]))
            json_file.write(new / RECORD, record)
            name = str(record["id"])
            is_new = self.read(name) is None
            if is_new:
                os.sync()  # tens of thousands of files
                if (self.directory / name).exists():
                    self.remove([name])
                new.rename(self.directory / name)
            mark = inputs_sha256(request, keyring_sha256)
            json_file.write(self.directory / f"{mark}.json", {"id": name})
            atomic_file.sync(self.directory)
            return {**record, "directory": str(self.directory / name)}, is_new
        finally:
            shutil.rmtree(new, ignore_errors=True)


def command(request: Request, tar: Path, uid: int) -> list[str]:
    """Of mmdebstrap. It installs nothing that is only recommended, and never asks."""
    return [
        MMDEBSTRAP,
        f"--mode={'root' if uid == 0 else 'unshare'}",
        f"--variant={VARIANT}",
        "--format=tar",
        f"--architectures={request.architecture}",
        f"--keyring={request.key_file}",
        f"--include={','.join(sorted(set(request.packages)))}",
        # Their checksums are read from the indexes.
        "--skip=cleanup/apt/lists",
        # The indexes' names, and their contents, are those of files that are not compressed.
        '--aptopt=Acquire::GzipIndexes "false"',
        '--aptopt=Acquire::Retries "3"',
        '--aptopt=Acquire::http::Timeout "60"',
        request.suite,
        str(tar),
        *request.verified_sources,
    ]


def _bootstrap(request: Request, new: Path, run: FullRunner, expected: Mapping[str, Any]) -> Path:
    tar = new / "root.tar"
    argv = command(request, tar, os.geteuid())
    done = run(argv, None, {"SOURCE_DATE_EPOCH": EPOCH, "DEBIAN_FRONTEND": "noninteractive"})
    if done.status != 0:
        there = _without_gone(expected.get("packages", {}), done.both)
        if there != expected.get("packages", {}):
            raise RootError(_unexpected(expected, there))
        raise RootError(_failure(request, done.both))
    return tar


def _without_gone(packages: Mapping[str, Any], output: str) -> dict[str, Any]:
    """The locked packages without those that apt did not find in the archive."""
    gone = {name for match in _GONE.finditer(output) for name in match.groups() if name}
    return {name: each for name, each in packages.items() if name.partition(":")[0] not in gone}


def _errors(output: str) -> str:
    """What the programs name as the fault; without that, the last lines."""
    found = [line.strip() for line in output.splitlines() if _ERROR.match(line)]
    shown = "\n".join(dict.fromkeys(found)) or output
    return output_summary("", shown, lines=8, length=900).rstrip(".")


def _failure(request: Request, output: str) -> str:
    said = _errors(output)
    sources = "; ".join(request.sources)
    if re.search(r"Could not (resolve|connect)|Connection (failed|refused|timed out)", output):
        return f"the archive of the build root cannot be reached ({sources}): {said}. Set " + (
            "build_root_mirrors to one that the builder reaches"
        )
    if re.search(r"NO_PUBKEY|EXPKEYSIG|BADSIG|is not signed", output):
        return (
            f"{request.key_file} does not verify the archive of the build root ({sources}): "
            f"{said}. Update the package with the keyring, or set build_root_keyring"
        )
    # The last is what apt 3.0 says of a wrong checksum on the builder's own file system.
    if re.search(r"Hash Sum mismatch|File has unexpected size|copy:\S+ +Undetermined Er", output):
        return (
            "a file of the build root's archive is not the one that the signed index names "
            f"({sources}): {said}. Run it again in an hour if the archive is being updated, or "
            "set build_root_mirrors to another one"
        )
    if re.search(r"Release file for .* is expired", output):
        return (
            f"the index of the build root's archive has expired ({sources}): {said}. Set "
            "build_root_mirrors to an archive that is kept up to date, or to a snapshot with its "
            f"time in the address, such as …/archive/debian/{_ANY_TIME}"
        )
    return (
        f"mmdebstrap made no build root of {request.suite} from {sources}: {said}. If a package is "
        "not found, see dependencies_extra_packages and build_root_mirrors"
    )


def _unpack(tar: Path, tree: Path, run: FullRunner) -> None:
    """All of it belongs to whoever builds: inside, that is the user of the build.

    Without devices, and without bits that let anybody become or write for another user.
    """
    argv = ["tar", "--extract", f"--file={tar}", f"--directory={tree}", "--no-same-owner"]
    argv += ["--no-same-permissions", "--exclude=./dev/*"]
    done = run(argv)
    if done.status != 0:
        raise RootError(f"the build root cannot be unpacked: {output_summary(done.out, done.err)}")
    tar.unlink()
    workdir.tighten(tree, os.geteuid())
