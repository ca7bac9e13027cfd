# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What somebody has published of a build: its id, its inputs, and the checksums of its packages."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._build import lock_lines
from ansible_collections.oslab.kernel.plugins.module_utils._build.lock_lines import Difference
from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read, plain_text
from ansible_collections.oslab.kernel.plugins.module_utils._common.checksum import SHA256
from ansible_collections.oslab.kernel.plugins.module_utils._repository import description

#: Characters; the list of a root's packages is the longest part.
LIMIT = 4 << 20
#: What says of the build which one it is, and not what it was made of.
_NAMES = ("build_id", "version", "schema")
# Field of a .buildinfo → the line of a manifest.
_FIELDS = {
    "Oslab-Release": "release",
    "Oslab-Source-Sha256": "source.sha256",
    "Oslab-Source-Commit": "source.commit",
    "Oslab-Source-Signed-By": "source.signed_by",
    "Oslab-Config-Sha256": "config_sha256",
    "Oslab-Modules-Sha256": "modules_sha256",
    "Oslab-Tools-Sha256": "tools_sha256",
    "Oslab-Build-Root": "build_root.id",
}
_PACKAGE = re.compile(r"[a-z0-9][a-z0-9+.-]{0,254}")
_FILE = re.compile(rf"({_PACKAGE.pattern})_[^_/]+_[a-z0-9-]+\.deb")
#: Beside a .buildinfo in the store, or below the directory of a repository's description.
_SIGNATURES = re.compile(r"signatures\.json|builds/[0-9a-f]{12}\.signatures\.json")
_WHAT = "build_published has to be a .buildinfo of ours, or oslab-kernel.json of a repository"


class PublishedError(Exception):
    """The document is none of a build; the message says what to do."""


@dataclass(frozen=True)
class Published:
    """`lines`: of the manifest, as far as the document has them. `packages`: name → sha256.

    `unsigned`: the same of those that signatures were attached to, as they were before.
    """

    build_id: str
    lines: Mapping[str, Any]
    packages: Mapping[str, str]
    sha256: str = ""  # of the document
    #: `file` and `sha256` of the detached signatures, the first relative to the document.
    signatures: Mapping[str, str] = field(default_factory=dict)
    unsigned: Mapping[str, str] = field(default_factory=dict)

    def other_inputs(self, manifest: Mapping[str, Any]) -> list[Difference]:
        """Where the inputs of a build are others than the published ones."""
        found = dict(lock_lines.leaves(manifest))
        return [
            Difference(line, value, found.get(line))
            for line, value in sorted(self.lines.items())
            if found.get(line, "") != value
        ]


def decode(document: str, kernel: str = "") -> Published:
    """The same of a document in base64. Raises PublishedError."""
    try:
        text = base64.b64decode(document, validate=True).decode("utf-8")
    except ValueError as error:
        raise PublishedError(f"{_WHAT}: this is no text ({error})") from error
    return parse(text, kernel)


def parse(text: str, kernel: str = "") -> Published:
    """Of a .buildinfo, or of a repository's description. Raises PublishedError.

    :param kernel: name of a builder. If the description has no kernel of it, its first one counts.
    """
    if len(text) > LIMIT:
        raise PublishedError(f"{_WHAT}: this has more than {LIMIT} characters")
    found = _of_json(text, kernel) if text.lstrip().startswith("{") else _of_buildinfo(text)
    if not SHA256.fullmatch(found.build_id):
        raise PublishedError(f"{_WHAT}: this names no build id")
    # They become parts of messages and names of files.
    for name in found.packages:
        if not _PACKAGE.fullmatch(name):
            raise PublishedError(f"{_WHAT}: this names a package {plain_text.shown(repr(name))}")
    if not found.packages or not all(map(SHA256.fullmatch, found.packages.values())):
        raise PublishedError(
            f"{_WHAT}: this has no checksums of packages (the manifest in a package has none)"
        )
    if found.signatures and not _are_signatures(found):
        raise PublishedError(f"{_WHAT}: what this says of signatures is not understood")
    return replace(found, sha256=hashlib.sha256(text.encode()).hexdigest())


def _are_signatures(found: Published) -> bool:
    file, checksum = found.signatures.get("file", ""), found.signatures.get("sha256", "")
    return bool(
        _SIGNATURES.fullmatch(file)
        and SHA256.fullmatch(checksum)
        and all(map(_PACKAGE.fullmatch, found.unsigned))
        and all(map(SHA256.fullmatch, found.unsigned.values()))
    )


def _of_json(text: str, kernel: str) -> Published:
    try:
        found = bounded_read.parse_json(text)
    except ValueError as error:
        raise PublishedError(f"{_WHAT}: this is no JSON ({error})") from error
    if isinstance(found, dict):
        found = description.one_kernel(found, kernel, description.ONLY)
    manifest = found.get("manifest") if isinstance(found, dict) else None
    packages = found.get("packages") if isinstance(found, dict) else None
    if not isinstance(manifest, dict) or not isinstance(packages, dict):
        raise PublishedError(
            f"{_WHAT}: this has no checksums of packages (the manifest in a package has none)"
        )
    stated = {name: value for name, value in manifest.items() if name not in _NAMES}
    sums = {
        str(name): str(about.get("sha256")) if isinstance(about, dict) else ""
        for name, about in packages.items()
    }
    about = found.get("signatures")
    if not isinstance(about, dict):
        about = {}
    unsigned = about.get("unsigned")
    return Published(
        str(found.get("build_id")),
        dict(lock_lines.leaves(stated)),
        sums,
        signatures={name: str(about.get(name)) for name in ("file", "sha256") if about},
        unsigned=_texts(unsigned),
    )


def _texts(found: Any) -> dict[str, str]:
    return {str(name): str(text) for name, text in found.items()} if isinstance(found, dict) else {}


def _of_buildinfo(text: str) -> Published:
    fields = dict(_fields(text))
    lines: dict[str, Any] = {
        line: fields[name].strip() for name, line in _FIELDS.items() if name in fields
    }
    for each in fields.get("Oslab-Toolchain", "").splitlines():
        program, colon, version = each.partition(": ")
        if colon:
            lines[f"toolchain.{program.strip()}"] = version
    sums = {}
    for each in fields.get("Checksums-Sha256", "").splitlines():
        words = each.split()
        package = _FILE.fullmatch(words[2]) if len(words) == 3 else None
        if package:
            sums[package[1]] = words[0]
    checksum, _space, file = fields.get("Oslab-Signatures", "").strip().partition(" ")
    pairs = map(str.split, fields.get("Oslab-Unsigned-Packages", "").splitlines())
    return Published(
        fields.get("Oslab-Build-Id", "").strip(),
        lines,
        sums,
        signatures={"file": file, "sha256": checksum} if checksum else {},
        unsigned={pair[1]: pair[0] for pair in pairs if len(pair) == 2},
    )


def _fields(text: str) -> Iterator[tuple[str, str]]:
    """(name, value) of a control file's one paragraph; lines of a value without their indent."""
    name, lines = "", []
    for line in text.splitlines():
        if line.startswith((" ", "\t")):
            lines.append(line[1:])
            continue
        if name:
            yield name, "\n".join(lines)
        name, _colon, first = line.partition(":")
        lines = [first] if first.strip() else []
    if name:
        yield name, "\n".join(lines)
