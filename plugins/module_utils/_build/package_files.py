# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of what a build's packages put onto a host: each file with its checksum.

It stands beside the packages in the store and in the repository, so that a host can be asked
whether it has exactly these files.
"""

from __future__ import annotations

import json
import re
import tarfile
from collections.abc import Iterable, Mapping
from hashlib import sha256 as sha256_of
from pathlib import Path
from typing import IO, Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._build import deb
from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    bounded_read,
    json_file,
    owned_file,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.checksum import SHA256, sha256
from ansible_collections.oslab.kernel.plugins.module_utils._common.elf_notes import file_build_id
from ansible_collections.oslab.kernel.plugins.module_utils._common.name_forms import BUILD_ID

FILES = "files.json"
SCHEMA = 1
# What stands for the checksum of a symbolic link.
LINK = "-> "
# Thousands of files that no running kernel depends on.
NOT_LISTED = ("linux-headers-",)
NOT_LISTED_ENDS = ("-dbg",)
# As many digits of a build id as the packages' versions have: no fewer name one build.
SHORT = 12
# That of a distribution's whole configuration has some 6000 files in 1 MiB.
LIMIT = 16 << 20
MOST_FILES = 200_000

_WORD = re.compile(r"[A-Za-z0-9][A-Za-z0-9+.~:_-]{0,199}")
_GNU_ID = re.compile(r"([0-9a-f]{2}){0,64}")
_SHAPES = {"release": _WORD, "version": _WORD, "build_id": BUILD_ID, "gnu_build_id": _GNU_ID}


class ListError(Exception):
    """A package could not be read, or a list is not the one that was made."""


def is_listed(package: str) -> bool:
    return not package.startswith(NOT_LISTED) and not package.endswith(NOT_LISTED_ENDS)


def _absolute(name: str) -> str:
    return "/" + (name[2:] if name.startswith("./") else name)


def tar_files(stream: IO[bytes]) -> dict[str, str]:
    """Path on the host → sha256, or `-> target` of a link, of the files in a package's tar.

    Raises ListError, and tarfile.TarError of a damaged one.
    """
    found: dict[str, str] = {}
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        for member in tar:
            path = _absolute(member.name)
            if member.issym():
                found[path] = LINK + member.linkname
            elif member.islnk():
                first = _absolute(member.linkname)
                if first not in found:
                    raise ListError(f"{path} is a link to {first}, which is not in front of it")
                found[path] = found[first]
            elif member.isfile():
                content = tar.extractfile(member)
                if content is None:
                    raise AssertionError("a regular file has contents")
                found[path] = sha256(content)
    return found


def deb_files(path: Path) -> dict[str, str]:
    """The same of a .deb."""
    try:
        with deb.contents(path) as stream:
            return tar_files(stream)
    except deb.PackageError as error:
        raise ListError(str(error)) from error


def write_list(
    directory: Path, packages: Mapping[str, Any], vmlinux: Path, manifest: Mapping[str, Any]
) -> dict[str, Any]:
    """Make the list of a build beside its packages. What build.json says of it."""
    listed = {
        "schema": SCHEMA,
        **{name: manifest[name] for name in ("release", "version", "build_id")},
        "gnu_build_id": file_build_id(vmlinux),
        "packages": {
            name: deb_files(directory / about["file"])
            for name, about in packages.items()
            if is_listed(name)
        },
    }
    json_file.write(directory / FILES, listed)
    return {
        "files": {"file": FILES, "sha256": bounded_read.sha256(directory / FILES)},
        "gnu_build_id": listed["gnu_build_id"],
    }


def _is_entry(path: Any, stands: Any) -> bool:
    """Whether it is a file of a host with its checksum, or a link."""
    if not isinstance(path, str) or not isinstance(stands, str) or len(path) > 4096:
        return False
    # Nothing that a terminal would obey. Names may well be UTF-8.
    if not path.startswith("/") or not path.isprintable() or ".." in path.split("/"):
        return False
    if stands.startswith(LINK):
        return stands.isprintable() and len(stands) <= 4096
    return bool(SHA256.fullmatch(stands))


def _are_packages(packages: Any) -> bool:
    if not isinstance(packages, dict) or not all(isinstance(x, dict) for x in packages.values()):
        return False
    return (
        all(isinstance(name, str) and _WORD.fullmatch(name) for name in packages)
        and sum(map(len, packages.values())) <= MOST_FILES
        and all(_is_entry(*entry) for files in packages.values() for entry in files.items())
    )


def check_list(found: Any, where: str) -> Mapping[str, Any]:
    """The list, if it is one that this code understands."""
    if not isinstance(found, dict):
        raise ListError(f"{where} is not a JSON object")
    if found.get("schema") != SCHEMA:
        raise ListError(f"{where} has schema {found.get('schema')!r:.40}, not {SCHEMA}")
    wrong = [
        name
        for name, shape in _SHAPES.items()
        if not isinstance(found.get(name), str) or not shape.fullmatch(found[name])
    ]
    if not _are_packages(found.get("packages")):
        wrong.append("packages")
    if wrong:
        raise ListError(f"{where} says nothing usable about {', '.join(wrong)}")
    return dict(found)


def parse_list(data: bytes, where: str, expected: str = "") -> Mapping[str, Any]:
    """The list in a file that came from elsewhere. `expected`: its sha256, if that is known."""
    if len(data) > LIMIT:
        raise ListError(f"{where} is larger than {LIMIT >> 20} MiB, so it is no list of files")
    if expected and sha256_of(data).hexdigest() != expected:
        raise ListError(
            f"{where} is not the list that was published (sha256 {expected}): it was changed on "
            "its way, or on the server"
        )
    try:
        return check_list(json.loads(data), where)
    except (ValueError, RecursionError) as error:
        raise ListError(f"{where} is no JSON: {str(error)[:200]}") from error


def stored_list(store: Path, build_id: str) -> Optional[dict[str, Any]]:
    """The list of a build in the store, by its id or the first digits; None if it has none.

    A list that is not the one of which build.json has the checksum is refused.
    """
    if len(build_id) < SHORT:
        raise ListError(f"'{build_id}' is too short: give at least {SHORT} digits of the build id")
    entries: Iterable[Path] = store.iterdir() if store.is_dir() else ()
    for directory in sorted(entries):
        if not directory.name.startswith(build_id):
            continue
        made = (owned_file.json_object(directory / "build.json") or {}).get("files")
        path = directory / FILES
        if not isinstance(made, dict) or not path.is_file():
            continue  # of a build from before there were lists
        data = owned_file.content(path, LIMIT)
        if sha256_of(data).hexdigest() != made.get("sha256"):
            raise ListError(f"{path} is not the list that was made with this build: it was changed")
        return dict(parse_list(data, str(path)))
    return None
