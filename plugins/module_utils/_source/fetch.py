# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fetch a kernel's source from the first mirror whose copy passes verification."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Callable, Optional
from urllib.parse import urlsplit

from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    atomic_file,
    bounded_read,
    json_file,
    kernel_version,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.plain_text import (
    without_password,
)
from ansible_collections.oslab.kernel.plugins.module_utils._source.archive import (
    ArchiveError,
    checked,
    decompressed,
)
from ansible_collections.oslab.kernel.plugins.module_utils._source.download import (
    DownloadError,
    Limits,
    MissingError,
    Opener,
    Progress,
    download,
    probe,
    read,
)
from ansible_collections.oslab.kernel.plugins.module_utils._source.openpgp import (
    Feed,
    Keys,
    SignatureError,
    verify_clearsigned,
    verify_detached,
)

LISTING = "sha256sums.asc"
LISTING_SIZE = 16 << 20
SIGNATURE_SIZE = 64 << 10


class FetchError(Exception):
    """No mirror had the file; the message names each with what was wrong there."""


@dataclass(frozen=True)
class Policy:
    """What makes a tarball the right one."""

    sha256: str = ""  # pinned; empty if not
    developers: Keys = field(default_factory=lambda: Keys("", ()))
    autosigner: Keys = field(default_factory=lambda: Keys("", ()))
    # A pinned tarball is also taken from a mirror that has no signatures.
    unsigned_if_pinned: bool = True

    @property
    def signature_required(self) -> bool:
        return not (self.sha256 and self.unsigned_if_pinned)

    def accepts(self, proof: Proof) -> bool:
        """Whether what an earlier run verified is enough."""
        if self.sha256 and proof.sha256 != self.sha256:
            return False
        if self.autosigner and not self.sha256 and not self.autosigner.counts(proof.listed_by):
            return False
        signed = self.developers.counts(proof.signed_by)
        return signed or (not proof.signed_by and not self.signature_required)


@dataclass(frozen=True)
class Proof:
    """What is known of a tarball; kept beside it, so that nobody has to be asked again."""

    sha256: str
    url: str = ""
    signed_by: str = ""  # fingerprint of the developer's key
    listed_by: str = ""  # fingerprint of the key that signed sha256sums.asc


@dataclass
class Fetched:
    path: str
    proof: Proof
    changed: bool = False
    attempts: list[dict[str, str]] = field(default_factory=list)


@dataclass(frozen=True)
class Means:
    """How the outside is reached; replaced in tests."""

    opener: Opener
    feed: Feed
    limits: Limits = field(default_factory=Limits)
    progress: Progress = lambda done, total, url: None
    show_status: Callable[[str], None] = lambda text: None


# --- names -------------------------------------------------------------------------------------


def kernel_org_directory(version: str) -> str:
    """Where kernel.org and its mirrors keep a version: v6.x/ and so on."""
    return f"v{version.split('.', 1)[0]}.x"


def kernel_org_tarball(version: str) -> str:
    return f"linux-{version}.tar.xz"


def mirrors_with(mirrors: Sequence[str], version: str) -> list[str]:
    """The mirrors that can have a version. Raises FetchError if it is a candidate and none can.

    kernel.org has no tarballs of release candidates, only what its git server makes of their tags.
    A mirror of the user's may have one, laid out as a release.
    """
    if not kernel_version.parse(version).candidate:
        return list(mirrors)
    left = [mirror for mirror in mirrors if not _is_kernel_org(mirror)]
    if not left:
        raise FetchError(
            f"source_version {version} is a release candidate, of which kernel.org's mirrors have "
            f"no tarball: {_candidate_remedy(version)}"
        )
    return left


def _is_kernel_org(mirror: str) -> bool:
    try:
        host = urlsplit(mirror).hostname or ""
    except ValueError:
        return False
    return f".{host}".endswith(".kernel.org")


def _candidate_remedy(version: str) -> str:
    name = kernel_version.parse(version).upstream
    return (
        f"download https://git.kernel.org/torvalds/t/linux-{name}.tar.gz to the builder, check "
        "it, and set source_provider: file, source_file to its path and source_sha256"
    )


def base_of(mirror: str, version: str) -> str:
    return f"{mirror.rstrip('/')}/{kernel_org_directory(version)}"


def record_of(tarball: Path) -> Path:
    return tarball.with_name(f"{tarball.name}.proof.json")


def part_of(tarball: Path) -> Path:
    return tarball.with_name(f".{tarball.name}.part")


def listed_sha256(listing: str, name: str) -> Optional[str]:
    """The checksum of `name` in a listing of sha256sum's form."""
    match = re.search(rf"^([0-9a-f]{{64}})[ \t]+\*?{re.escape(name)}\r?$", listing, re.MULTILINE)
    return match.group(1) if match else None


# --- what is there already ---------------------------------------------------------------------


def cached(tarball: Path, policy: Policy) -> Optional[Proof]:
    """The proof of a tarball that needs no mirror: verified before, or of the pinned checksum."""
    if not tarball.is_file():
        return None
    actual = bounded_read.sha256(tarball)
    try:
        proof = Proof(**bounded_read.json_object(record_of(tarball)))
        if not all(isinstance(value, str) for value in asdict(proof).values()):
            raise TypeError("it is not all texts")
    except (OSError, ValueError, TypeError):
        proof = Proof("")
    if proof.sha256 != actual:
        proof = Proof(actual)
    return proof if policy.accepts(proof) else None


# --- one mirror --------------------------------------------------------------------------------


def _listed(base: str, name: str, policy: Policy, means: Means) -> Proof:
    """The checksum that the mirror's listing gives, and whose word that is."""
    # To a checksum that is pinned a listing adds nothing; other people's mirrors sign their own.
    if not policy.signature_required or (policy.sha256 and not policy.autosigner):
        return Proof(policy.sha256)
    try:
        message = read(f"{base}/{LISTING}", means.opener, means.limits, LISTING_SIZE)
    except MissingError:
        if policy.autosigner:
            raise
        return Proof("")
    if policy.autosigner:
        try:
            by, text = verify_clearsigned(policy.autosigner, message, means.feed)
        except SignatureError as error:
            raise SignatureError(f"{LISTING}: {error}") from error
    else:
        by, text = "", message.decode("utf-8", "replace")
    found = listed_sha256(text, name)
    if not found:
        raise FetchError(f"{LISTING} does not list {name}")
    if policy.sha256 and found != policy.sha256:
        raise FetchError(f"{LISTING} says that the sha256 is {found}, expected {policy.sha256}")
    return Proof(found, listed_by=by)


def _signature(base: str, version: str, policy: Policy, means: Means) -> bytes:
    if not policy.developers and not policy.signature_required:
        return b""
    url = f"{base}/linux-{version}.tar.sign"
    try:
        return read(url, means.opener, means.limits, SIGNATURE_SIZE)
    except MissingError as error:
        if policy.signature_required:
            raise FetchError(f"no signature: {error} ({without_password(url)})") from error
        return b""


def _prove(file: Path, signature: bytes, wanted: str, policy: Policy, means: Means) -> Proof:
    """Checksum first, then the contents: what has the wrong bytes is not even decompressed."""
    actual = bounded_read.sha256(file)
    if wanted and actual != wanted:
        raise FetchError(f"sha256 is {actual}, expected {wanted}")
    means.show_status("downloaded; checking what it holds and who signed it")
    contents = checked(decompressed(file, means.limits.size))
    if not signature:
        for _chunk in contents:
            pass
        return Proof(actual)
    return Proof(
        actual, signed_by=verify_detached(policy.developers, signature, contents, means.feed)
    )


def _from_mirror(mirror: str, version: str, tarball: Path, policy: Policy, means: Means) -> Fetched:
    base, part = base_of(mirror, version), part_of(tarball)
    url = f"{base}/{tarball.name}"
    listed = _listed(base, tarball.name, policy, means)
    signature = _signature(base, version, policy, means)

    def prove(file: Path) -> Proof:
        proof = _prove(file, signature, listed.sha256, policy, means)
        return Proof(proof.sha256, without_password(url), proof.signed_by, listed.listed_by)

    if tarball.is_file() and listed.sha256 in ("", bounded_read.sha256(tarball)):
        try:  # there, but nobody has vouched for it yet
            return Fetched(str(tarball), prove(tarball))
        except (FetchError, ArchiveError, SignatureError):
            pass
    resumed = part.exists()
    download(url, part, means.opener, means.limits, means.progress)
    try:
        proof = prove(part)
    except (FetchError, ArchiveError, SignatureError):
        part.unlink()
        if not resumed:
            raise
        # The beginning was of an earlier run or another mirror: maybe that was wrong, not this.
        download(url, part, means.opener, means.limits, means.progress)
        proof = prove(part)
    part.chmod(0o644)
    atomic_file.sync(part)
    atomic_file.rename(part, tarball)
    return Fetched(str(tarball), proof, changed=True)


# --- all mirrors -------------------------------------------------------------------------------


def fetch(
    mirrors: Sequence[str], version: str, directory: Path, policy: Policy, means: Means
) -> Fetched:
    """The verified tarball of `version` in `directory`.

    The part of a run that was killed is gone on with; one that ends here leaves none.
    """
    version = kernel_version.parse(version).upstream
    tarball = directory / kernel_org_tarball(version)
    proof = cached(tarball, policy)
    if proof:
        return Fetched(str(tarball), proof)
    if policy.signature_required and not policy.developers:
        raise FetchError(
            f"Linux {version} has no pinned checksum and there is no key to check its signature "
            "with: set source_sha256, or give source_developer_keys"
        )
    attempts: list[dict[str, str]] = []
    mirrors = mirrors_with(mirrors, version)
    try:
        for mirror in mirrors:
            try:
                result = _from_mirror(mirror, version, tarball, policy, means)
            except (DownloadError, FetchError, ArchiveError, SignatureError) as error:
                url = f"{base_of(mirror, version)}/{tarball.name}"
                attempts.append({"url": without_password(url), "error": str(error)})
                continue
            result.attempts = attempts
            json_file.write(record_of(tarball), asdict(result.proof))
            return result
    finally:
        part_of(tarball).unlink(missing_ok=True)
    raise FetchError(
        f"no mirror of source_mirrors has Linux {version} as it should be. Check source_version, "
        "source_sha256 and source.sha256 of build_lock, or add a mirror. Tried: "
        f"{_listing(attempts)}"
    )


def _listing(attempts: Sequence[dict[str, str]]) -> str:
    text = "; ".join(f"{item['url']}: {item['error']}" for item in attempts)
    return text or "none (the list is empty)"


def newest(mirrors: Sequence[str], series: str, policy: Policy, means: Means) -> str:
    """The newest stable release of a series, as "6.12.58", by the mirrors' listing.

    The listing is the first that a mirror has and that the autosigner's key has signed, if there is
    one. An old copy of it names an old release, which is a release all the same. Raises FetchError.
    """
    attempts: list[dict[str, str]] = []
    for mirror in mirrors:
        url = f"{base_of(mirror, series)}/{LISTING}"
        try:
            message = read(url, means.opener, means.limits, LISTING_SIZE)
            text = message.decode("utf-8", "replace")
            if policy.autosigner:
                _by, text = verify_clearsigned(policy.autosigner, message, means.feed)
            found = _releases(text, series)
            if not found:
                raise FetchError(f"it lists no release of {series}")
        except (DownloadError, FetchError, SignatureError) as error:
            attempts.append({"url": without_password(url), "error": str(error)})
            continue
        return series if found[-1] == 0 else f"{series}.{found[-1]}"
    raise FetchError(
        f"source_series: no mirror of source_mirrors tells the releases of {series}. Check "
        f"source_version, or add a mirror. Tried: {_listing(attempts)}"
    )


def _releases(listing: str, series: str) -> list[int]:
    """The third numbers of all releases of a series in a listing, sorted; 0 for the first one."""
    pattern = (
        rf"^[0-9a-f]{{64}}[ \t]+\*?linux-{re.escape(series)}(?:\.([1-9][0-9]{{0,8}}))?\.tar\.xz\r?$"
    )
    return sorted(int(each or 0) for each in re.findall(pattern, listing, re.MULTILINE))


def find(mirrors: Sequence[str], version: str, means: Means) -> str:
    """The address of the first mirror that answers for `version`, without downloading it."""
    wanted = kernel_version.parse(version)
    attempts = []
    for mirror in mirrors_with(mirrors, version):
        url = f"{base_of(mirror, version)}/{kernel_org_tarball(wanted.upstream)}"
        try:
            probe(url, means.opener, means.limits)
            return without_password(url)
        except DownloadError as error:
            attempts.append({"url": without_password(url), "error": str(error)})
    remedy = f". If no mirror can have it, {_candidate_remedy(version)}" if wanted.candidate else ""
    raise FetchError(
        f"source_version {version}: no mirror of source_mirrors has it. Tried: {_listing(attempts)}"
        f"{remedy}"
    )
