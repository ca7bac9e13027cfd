# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The cache of a git repository: which commit is wanted, who signed it, and its files.

The cache is a bare repository of our own. What was fetched and verified has a reference there, so
that no network is needed for it again:

    refs/oslab/commits/COMMIT   a commit, whole with its files
    refs/oslab/tags/NAME        a tag, signed or not
    refs/oslab/branches/NAME    the commit that a branch had when it was fetched last; for messages

A reference is written after all that it needs, so a killed run leaves none that lies.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import atomic_file, lock
from ansible_collections.oslab.kernel.plugins.module_utils._common.plain_text import shown
from ansible_collections.oslab.kernel.plugins.module_utils._source import git_objects, workdir
from ansible_collections.oslab.kernel.plugins.module_utils._source.git import (
    ATTRIBUTES,
    Answer,
    Git,
    GitError,
    as_owner,
)
from ansible_collections.oslab.kernel.plugins.module_utils._source.git_names import (
    BRANCH,
    COMMIT,
    HEX,
    TAG,
    VERIFY_COMMIT,
    VERIFY_NONE,
    VERIFY_TAG,
    Address,
    Ref,
)
from ansible_collections.oslab.kernel.plugins.module_utils._source.openpgp import (
    Feed,
    Keys,
    SignatureError,
    verify_detached,
)

_OURS = "refs/oslab"
_INCOMING = f"{_OURS}/incoming"
#: What a server says that gives no single commits, or knows no shallow histories.
_WITHOUT_DEPTH = re.compile(
    r"not our ref|unadvertised object|not allow request for|shallow|not advertised", re.IGNORECASE
)


@dataclass(frozen=True)
class Wanted:
    ref: Ref
    verify: str
    keys: Keys

    def as_kind(self, kind: str) -> Wanted:
        return Wanted(Ref(kind, self.ref.name), self.verify, self.keys)


@dataclass(frozen=True)
class Found:
    """`cached`: whether its files are there already."""

    commit: str
    kind: str
    signed_by: str = ""
    cached: bool = True


@dataclass(frozen=True)
class Limits:
    """Seconds: to ask a server, and to fetch."""

    ask: int
    fetch: int


def directory_of(parent: Path, address: Address) -> Path:
    """One cache for each address."""
    name = re.sub(r"[^A-Za-z0-9._-]", "", address.url.rstrip("/").rpartition("/")[2])
    name = name.removesuffix(".git").lstrip(".")[:40] or "repository"
    return parent / f"{name}-{hashlib.sha256(address.url.encode()).hexdigest()[:12]}.git"


class Cache:
    def __init__(
        self, parent: Path, address: Address, git: Git, feed: Feed, limits: Limits, uid: int
    ) -> None:
        self.path = directory_of(parent, address)
        self._address, self._git, self._feed, self._limits = address, git, feed, limits
        self._before = as_owner(address.path, uid) if address.path else []

    # --- what is there already -----------------------------------------------------------------

    def cached(self, wanted: Wanted) -> Optional[Found]:
        """A commit or a tag that was fetched before and has the signature; never a branch."""
        if not (self.path / "HEAD").is_file():
            return None
        if wanted.ref.kind == COMMIT:
            reference = self._commit_reference(wanted.ref.name)
        elif wanted.ref.kind in ("", TAG):
            reference = f"{_OURS}/tags/{wanted.ref.name}"
            wanted = wanted.as_kind(TAG)
        else:
            return None
        if not self._object(reference):
            return None
        try:
            return self._verified(reference, wanted)
        except SignatureError:
            # With other keys before; what the repository has now may be good.
            return None

    def _object(self, name: str) -> str:
        """The object that a reference names; empty if it is not there."""
        answer = self._local(["rev-parse", "--verify", "--quiet", "--end-of-options", name])
        found = answer.text.strip()
        return found if answer.status == 0 and HEX.fullmatch(found) else ""

    @staticmethod
    def _commit_reference(commit: str) -> str:
        return f"{_OURS}/commits/{commit}"

    # --- what the repository has ---------------------------------------------------------------

    def offered(self, wanted: Wanted) -> Found:
        """What would be fetched. Writes nothing; the signature is checked of what is there.

        Raises GitError, SignatureError.
        """
        ref = wanted.ref
        if ref.kind == COMMIT:
            self._listed(["HEAD"])  # whether it answers; no server says which commits it has
            return Found(ref.name, COMMIT, cached=False)
        found = self._resolved(wanted)
        if found.kind == BRANCH and self._has_commit(found.commit):
            return self._verified(self._commit_reference(found.commit), wanted.as_kind(BRANCH))
        return found

    def _resolved(self, wanted: Wanted) -> Found:
        """Of a tag or a branch."""
        ref = wanted.ref
        kinds = (ref.kind,) if ref.kind else (TAG, BRANCH)
        names = {kind: Ref(kind, ref.name).full for kind in kinds}
        try:
            listed = self._listed([*names.values(), *(f"{name}^{{}}" for name in names.values())])
        except GitError as error:
            raise GitError(f"{error}{self._last_fetched(ref)}") from error
        for kind, name in names.items():
            if name not in listed:
                continue
            if wanted.verify == VERIFY_TAG and kind == BRANCH:
                raise GitError(
                    f"source_git_verify is tag, but source_git_ref '{ref.name}' is a branch of "
                    f"{self._where}: name a signed tag, or set source_git_verify to commit or none"
                )
            if wanted.verify == VERIFY_TAG and f"{name}^{{}}" not in listed:
                raise GitError(
                    f"source_git_verify is tag, but the tag '{ref.name}' of {self._where} has no "
                    "signature: name a signed tag, or set source_git_verify to commit or none"
                )
            return Found(listed.get(f"{name}^{{}}", listed[name]), kind, cached=False)
        raise GitError(
            f"source_git_ref '{ref.name}': {self._where} has no such "
            f"{ref.kind or 'tag or branch'}. Correct the name; of a commit give all 40 digits"
        )

    def _listed(self, patterns: Sequence[str]) -> dict[str, str]:
        answer = self._remote(["ls-remote", *self._upload_pack, "--", self._address.url, *patterns])
        if answer.status != 0:
            raise GitError(
                f"source_git_url {self._where} does not answer as a repository: {answer.reason}"
            )
        try:
            return git_objects.references(answer.text)
        except git_objects.ObjectError as error:
            raise GitError(f"source_git_url {self._where}: {error}") from error

    def _last_fetched(self, ref: Ref) -> str:
        """What a user can build whose network is gone."""
        if ref.kind == TAG or not (self.path / "HEAD").is_file():
            return ""
        commit = self._object(f"{_OURS}/branches/{ref.name}")
        if not commit:
            return ""
        return (
            f". A branch is looked up in each run. The last commit that was fetched of it is "
            f"{commit}: set source_git_ref to that to build it without the repository"
        )

    # --- fetch ---------------------------------------------------------------------------------

    def present(self, wanted: Wanted) -> Found:
        """Fetch what is not there, and verify it. Raises GitError, SignatureError."""
        with self._held():
            found = self.cached(wanted)
            if found:
                return found
            ref = wanted.ref
            if ref.kind != COMMIT:
                resolved = self._resolved(wanted)
                ref = Ref(resolved.kind, ref.name)
                wanted = wanted.as_kind(resolved.kind)
                if ref.kind == BRANCH and self._has_commit(resolved.commit):
                    found = self._verified(self._commit_reference(resolved.commit), wanted)
                    self._set(f"{_OURS}/branches/{ref.name}", found.commit)
                    return found
            self._ensure_repository()
            try:
                self._fetch(ref)
                found = self._verified(_INCOMING, wanted)
                self._keep(ref, found.commit)
            finally:
                self._local(["update-ref", "-d", _INCOMING])
            return Found(found.commit, found.kind, found.signed_by, cached=False)

    def _keep(self, ref: Ref, commit: str) -> None:
        """Give what was fetched and verified its references."""
        if ref.kind == TAG:
            self._set(f"{_OURS}/tags/{ref.name}", self._object(_INCOMING))
        if ref.kind == BRANCH:
            self._set(f"{_OURS}/branches/{ref.name}", commit)
        self._set(self._commit_reference(commit), commit)

    def _has_commit(self, commit: str) -> bool:
        return (self.path / "HEAD").is_file() and bool(self._object(self._commit_reference(commit)))

    @contextmanager
    def _held(self) -> Any:
        workdir.make(self.path.parent)
        try:
            with lock.held(self.path.with_suffix(".lock"), self._limits.fetch, "fetches with git"):
                yield
        except lock.HeldError as error:
            raise GitError(f"another run fetches from {self._where}: {error}") from error

    def _ensure_repository(self) -> None:
        attributes = self.path / "info/attributes"
        # The last file that is written.
        if not (attributes.is_file() and (self.path / "HEAD").is_file()):
            workdir.make(self.path)
            words = ("init", "--quiet", "--bare", "--template=", "--object-format=sha1")
            self._git.required([*words, str(self.path)], self._limits.ask)
            workdir.make(attributes.parent)
        atomic_file.write(attributes, ATTRIBUTES, 0o644)

    def _fetch(self, ref: Ref) -> None:
        source = ref.name if ref.kind == COMMIT else ref.full
        answer = self._fetched(["--depth=1"], [f"+{source}:{_INCOMING}"])
        if answer.status != 0 and _WITHOUT_DEPTH.search(answer.err):
            if ref.kind == COMMIT:
                everything = [
                    f"+refs/{kind}/*:{_OURS}/everything/{kind}/*" for kind in ("heads", "tags")
                ]
                answer = self._fetched(["--update-shallow"], everything)
                if answer.status == 0 and not self._object(f"{source}^{{commit}}"):
                    raise GitError(
                        f"source_git_ref {source}: no branch and no tag of {self._where} has "
                        "such a commit"
                    )
                if answer.status == 0:
                    self._set(_INCOMING, source)
            else:
                answer = self._fetched(["--update-shallow"], [f"+{source}:{_INCOMING}"])
        if answer.status != 0:
            raise GitError(
                f"source_git_ref '{ref.name}' cannot be fetched from {self._where}: {answer.reason}"
            )

    def _fetched(self, options: Sequence[str], refspecs: Sequence[str]) -> Answer:
        words = [
            *(f"--git-dir={self.path}", "fetch", "--quiet", "--no-tags", "--no-write-fetch-head"),
            *("--no-recurse-submodules", "--no-auto-maintenance", *options, *self._upload_pack),
            *("--", self._address.url, *refspecs),
        ]
        return self._remote(words, self._limits.fetch)

    # --- signatures ----------------------------------------------------------------------------

    def _verified(self, reference: str, wanted: Wanted) -> Found:
        """The commit that a reference of the cache names. Raises GitError, SignatureError."""
        ref, where = wanted.ref, self._where
        signed_by = ""
        name = self._object(reference)
        kind = self._output(["cat-file", "-t", name])
        if wanted.verify == VERIFY_TAG:
            if kind != TAG:
                raise SignatureError(
                    f"the tag '{ref.name}' of {where} has no signature: name a signed tag, or set "
                    "source_git_verify to commit or none"
                )
            data = self._content(TAG, name)
            signed_by = self._signer(
                git_objects.signed_tag, data, wanted.keys, f"the tag '{ref.name}'"
            )
            commit = self._named(data, ref.name)
        else:
            commit = self._object(f"{reference}^{{commit}}")
        if not commit or self._output(["cat-file", "-t", commit]) != COMMIT:
            raise GitError(f"source_git_ref '{ref.name}' of {where} names no commit")
        if wanted.verify == VERIFY_COMMIT:
            data = self._content(COMMIT, commit)
            signed_by = self._signer(
                git_objects.signed_commit, data, wanted.keys, f"the commit {commit}"
            )
        return Found(commit, ref.kind, signed_by)

    def _named(self, data: bytes, name: str) -> str:
        """The commit that a tag with a good signature names."""
        found = git_objects.tag(data)
        # Otherwise an old release, signed long ago, could be given out as a new one.
        if found.name != name:
            raise SignatureError(
                f"the tag '{name}' of {self._where} was signed as {shown(repr(found.name), 80)}: "
                "another release is given out as this one"
            )
        if found.kind != COMMIT:
            raise SignatureError(f"the tag '{name}' of {self._where} is of no commit")
        return found.target

    def _signer(self, split: Any, data: bytes, keys: Keys, what: str) -> str:
        try:
            signed = split(data)
            if not keys:
                raise SignatureError("source_developer_keys has no key")
            return verify_detached(keys, signed.signature, (signed.payload,), self._feed)
        except (git_objects.ObjectError, SignatureError) as error:
            raise SignatureError(
                f"{what} of {self._where} is refused: {error}. See source_git_verify, "
                "source_developer_keys and source_developer_fingerprints"
            ) from error

    # --- git -----------------------------------------------------------------------------------

    @property
    def _where(self) -> str:
        return shown(self._address.url)

    @property
    def _upload_pack(self) -> list[str]:
        if not self._before:
            return []
        return [f"--upload-pack={' '.join(self._before)} git-upload-pack"]

    def _remote(self, words: Sequence[str], seconds: Optional[int] = None) -> Answer:
        return self._git.run(words, seconds or self._limits.ask)

    def _local(self, words: Sequence[str]) -> Answer:
        return self._git.run([f"--git-dir={self.path}", *words], self._limits.ask)

    def _required(self, words: Sequence[str]) -> Answer:
        return self._git.required([f"--git-dir={self.path}", *words], self._limits.ask)

    def _output(self, words: Sequence[str]) -> str:
        return self._required(words).text.strip()

    def _content(self, kind: str, name: str) -> bytes:
        return self._required(["cat-file", kind, name]).out

    def _set(self, reference: str, name: str) -> None:
        self._required(["update-ref", reference, name])


def unverified_note(wanted: Wanted, address: Address) -> str:
    """What a user has to know who trusts a server; empty if that is nobody."""
    if wanted.verify != VERIFY_NONE or wanted.ref.kind == COMMIT or address.path:
        return ""
    return (
        f"source_git_verify is none: whoever controls {shown(address.url)} or the way to it "
        "decides what is built. Name a commit, or set source_git_verify to tag or commit"
    )
