# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a directory of a repository tells of its last publication, and of the key that signed it.

Read from the builder's own disk, so that it can be believed as far as the builder is.
"""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    bounded_read,
    manifest,
    openpgp_key,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Runner
from ansible_collections.oslab.kernel.plugins.module_utils._repository import (
    attestations,
    description,
    index,
)
from ansible_collections.oslab.kernel.plugins.module_utils._repository.attestations import (
    AttestationsError,
)
from ansible_collections.oslab.kernel.plugins.module_utils._repository.index import (
    IndexFileError,
)
from ansible_collections.oslab.kernel.plugins.module_utils._repository.retention import RECORD

DESCRIPTION = manifest.NAME
PUBLIC_KEY = "oslab-kernel.asc"
LIMIT = 16 << 20
_FINGERPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}")


@dataclass(frozen=True)
class State:
    """`traces`: files that a publication has left. `problem`: why they do not belong together.

    `key_unknown`: something was published, and nothing tells by which key.
    """

    traces: list[str] = field(default_factory=list)
    description: dict[str, Any] = field(default_factory=dict)
    public_key: str = ""
    key_fingerprint: str = ""
    key_unknown: bool = False
    problem: str = ""


def traces(root: Path) -> Iterator[Path]:
    """Whatever tells that something was published, and so that targets may trust a key."""
    public = root / "public"
    for path in (public / DESCRIPTION, public / PUBLIC_KEY, root / RECORD):
        if path.exists():
            yield path
    for directory in (public, root / "staging"):
        yield from sorted(directory.glob("dists/*/InRelease"))


def _text(path: Path) -> str:
    return index.content(path, LIMIT).decode("utf-8", "replace")


def _description(path: Path, kernel: str, rank: str) -> tuple[dict[str, Any], str]:
    """What it says of the kernel, empty if nothing, and the key that it names."""
    try:
        found = bounded_read.parse_json(_text(path))
    except ValueError as error:
        raise IndexFileError(f"{path} is no JSON ({error}): publish again") from error
    all_of_it = description.kernels(found) if isinstance(found, dict) else {}
    if not all_of_it or not all(
        isinstance(entry.get(name), str) and entry[name]
        for entry in all_of_it.values()
        for name in ("release", "version")
    ):
        raise IndexFileError(f"{path} does not describe a publication: publish again")
    return description.one_kernel(found, kernel, rank), str(found.get("key_fingerprint") or "")


def _attestations(root: Path, build_id: str) -> dict[str, Any]:
    """Of the build; nothing if none are published."""
    file = root / "public" / attestations.path(build_id)
    try:
        text = index.content(file, attestations.LIMIT).decode("utf-8", "replace")
        return {description.BESIDE: attestations.parse(text)}
    except FileNotFoundError:
        return {}
    except AttestationsError as error:
        raise IndexFileError(f"{file} cannot be used: {error}") from error


def _issuer(left: Sequence[str]) -> str:
    """Who signed the index, by its own word; empty if none tells."""
    for path in left:
        if not path.endswith("/InRelease"):
            continue
        try:
            text = index.read_signature(Path(path))
        except (IndexFileError, OSError):
            continue
        if found := openpgp_key.issuer(text):
            return found
    return ""


def read(run: Runner, root: Path, kernel: str = "", rank: str = description.ONLY) -> State:
    """Raises OSError if a file that is there cannot be read.

    :param kernel: name of the builder whose kernel is asked for.
    :param rank: which of the builders that is (description.RANKS).
    """
    left = [str(path) for path in traces(root)]
    description_file, key_file = (root / "public" / name for name in (DESCRIPTION, PUBLIC_KEY))
    described: dict[str, Any] = {}
    key, fingerprint = "", ""
    problems: list[str] = []
    # One that is broken must not hide which key the others name.
    try:
        if description_file.exists():
            described, named = _description(description_file, kernel, rank)
            named = named.upper()
            fingerprint = named if _FINGERPRINT.fullmatch(named) else ""
    except IndexFileError as error:
        problems.append(str(error))
    try:
        if key_file.exists():
            key = _text(key_file)
            with tempfile.TemporaryDirectory(prefix="oslab-gpg-") as home:
                held = index.fingerprints(run, key, str(key_file), Path(home))
            _check_key(key_file, held, fingerprint)
            fingerprint = held[0]
        if described and key:
            release = root / "public" / "dists" / str(described.get("suite") or "stable")
            release /= "InRelease"
            index.check_signature(run, release, key, fingerprint)
            found = index.read(release)
            described.update(index_sha256=found.sha256, index_date=found.date)
            described.update(_attestations(root, str(described.get("build_id") or "")))
    except FileNotFoundError as error:
        problems.append(f"{error.filename} is missing")
    except IndexFileError as error:
        problems.append(str(error))
    fingerprint = fingerprint or _issuer(left)
    # What is in staging alone was never served: a first run that was killed there.
    served = any(not path.startswith(f"{root / 'staging'}/") for path in left)
    problem = problems[0] if problems else ""
    return State(left, described, key, fingerprint, served and not fingerprint, problem)


def _check_key(file: Path, held: list[str], expected: str) -> None:
    """Targets believe every key that the file has."""
    if len(held) != 1:
        raise IndexFileError(f"{file} has {len(held)} keys, and has to have one")
    if expected and held[0] != expected:
        raise IndexFileError(
            f"{file} has the key {held[0]}, but {file.with_name(DESCRIPTION)} says that {expected} "
            "signs the repository"
        )
