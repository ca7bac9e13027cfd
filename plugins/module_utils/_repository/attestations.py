# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who vouches for a published build: attestations of those who have rebuilt it.

Each is the in-toto statement of playbooks/rebuild.yml with an OpenPGP signature around it, as
InRelease has it. A build's attestations are published in one file. That needs no signature: each
has its own, by a key that whoever counts them knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._build import rebuild
from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read, plain_text
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Runner
from ansible_collections.oslab.kernel.plugins.module_utils._source import openpgp

SCHEMA = 1
#: Bytes of the file of a build, and of one attestation: one of five packages has some 2 KiB.
LIMIT = 4 << 20
LARGEST = 256 << 10
#: Attestations that are looked at. Each takes a run of gpgv.
MOST = 64


class AttestationsError(Exception):
    """A key, or a file of attestations, is of no use; the message says why."""


@dataclass(frozen=True)
class Build:
    """What has to be vouched for. `packages`: name → sha256, all that are published."""

    build_id: str
    packages: Mapping[str, str]


@dataclass(frozen=True)
class Verdict:
    """`vouching`: fingerprints of known keys. `left_out`: why other attestations do not count."""

    vouching: Sequence[str]
    left_out: Sequence[str] = field(default_factory=tuple)


def path(build_id: str) -> str:
    """Of a build's file, below the directory that is served."""
    return f"builds/{build_id[:12]}.attestations.json"


def parse(text: str) -> list[str]:
    """The attestations in a build's file. Raises AttestationsError."""
    if len(text) > LIMIT:
        raise AttestationsError(f"it is larger than {LIMIT >> 20} MiB")
    try:
        found = bounded_read.parse_json(text)
    except ValueError as error:
        raise AttestationsError(f"it is no JSON ({error})") from error
    signed = found.get("attestations") if isinstance(found, dict) else None
    if not isinstance(signed, list) or found.get("schema") != SCHEMA:
        raise AttestationsError(f"it has no attestations of schema {SCHEMA}")
    return [each for each in signed if isinstance(each, str)]


def is_of(text: str, build_id: str) -> bool:
    """Whether an attestation says that it is of this build. Its signature is not checked."""
    try:
        signed = openpgp.clearsigned(text.encode())
    except openpgp.SignatureError:
        return False
    return f'"{rebuild.configuration(build_id)}"'.encode() in signed


def document(texts: Iterable[str], build_id: str) -> dict[str, Any]:
    """The content of a build's file: those of the attestations that are of it, in a fixed order."""
    found = {text for text in texts if len(text) <= LARGEST and is_of(text, build_id)}
    return {"schema": SCHEMA, "attestations": sorted(found)}


def key_text(key: str) -> str:
    """A key that is given as its text or as the path of its file. Raises AttestationsError."""
    if "BEGIN PGP" in key:
        return key
    try:
        return bounded_read.text(Path(key), LARGEST)
    except OSError as error:
        raise AttestationsError(f"{key} cannot be read: {error.strerror}") from error


def keyring(keys: Sequence[str]) -> openpgp.Keys:
    """The known keys, each a text or a file with one. Raises AttestationsError."""
    texts, fingerprints = [key_text(key) for key in keys], []
    for number, text in enumerate(texts):
        try:
            fingerprints.append(openpgp.fingerprint_of(text, f"key {number}"))
        except openpgp.SignatureError as error:
            raise AttestationsError(str(error)) from error
    return openpgp.Keys("\n".join(texts), fingerprints)


def statement_problems(text: str, build: Build) -> Iterator[str]:
    """Why a statement does not vouch for the build; none if it does."""
    try:
        found = bounded_read.parse_json(text)
    except ValueError:
        found = None
    predicate = found.get("predicate") if isinstance(found, dict) else None
    kinds = (found.get("_type"), found.get("predicateType")) if isinstance(found, dict) else ()
    if not isinstance(predicate, dict) or kinds != (
        rebuild.STATEMENT,
        rebuild.PREDICATE,
    ):
        yield "it is no statement of a rebuild"
        return
    named = predicate.get("configuration")
    entries = named if isinstance(named, list) else []
    names = [each.get("name") for each in entries if isinstance(each, dict)]
    if rebuild.configuration(build.build_id) not in names:
        yield "it is of another build"
    elif predicate.get("result") != "PASSED":
        yield f"its result is {plain_text.shown(str(predicate.get('result')))}"
    sums = _subjects(found.get("subject"))
    differing = [name for name, sha256 in build.packages.items() if sums.get(name) != sha256]
    if differing or not build.packages:
        shown = plain_text.shown(", ".join(sorted(differing)) or "all packages")
        yield f"it has other checksums of {shown}"


def _subjects(subjects: Any) -> dict[str, str]:
    found = {}
    for each in subjects if isinstance(subjects, list) else []:
        digest = each.get("digest") if isinstance(each, dict) else None
        if isinstance(digest, dict) and isinstance(each.get("name"), str):
            found[each["name"]] = str(digest.get("sha256"))
    return found


def judge(run: Runner, texts: Sequence[str], keys: Sequence[str], build: Build) -> Verdict:
    """Which of the known keys vouch for the build. A key counts once, however often it signed.

    Raises AttestationsError if a key is of no use, and OSError.
    """
    known = keyring(keys)
    vouching: set[str] = set()
    left_out = []
    for text in texts[:MOST] if known else ():
        if len(text) > LARGEST:
            left_out.append("one is too large")
            continue
        try:
            signer, statement = openpgp.verify_clearsigned(
                known, text.encode("utf-8", "replace"), openpgp.feeder(run)
            )
        except openpgp.SignatureError as error:
            left_out.append(plain_text.shown(str(error)))
            continue
        problem = next(statement_problems(statement, build), "")
        if problem:
            left_out.append(f"of {signer}: {problem}")
        else:
            vouching.add(signer)
    return Verdict(sorted(vouching), left_out)


def refusal(verdict: Verdict, required: int, build_id: str, host: str) -> str:
    """Why a host does not take the build; empty if enough known keys vouch for it."""
    if len(verdict.vouching) >= required:
        return ""
    by = f" ({', '.join(verdict.vouching)})" if verdict.vouching else ""
    others = "; ".join(verdict.left_out)
    return plain_text.sentence(
        f"{host} asks for {required} known keys that vouch for a build "
        f"(install_required_rebuilds, install_rebuild_keys), and {len(verdict.vouching)}{by} vouch "
        f"for {build_id[:12]}. Rebuild it elsewhere with playbooks/rebuild.yml, sign the "
        "attestation, and publish it (publish_attestations). Nothing was changed."
        + (f" Attestations that do not count: {others}." if others else "")
    )
