# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The list of what a build's packages put onto a host: each file with its checksum.

It stands beside the packages in the store and in the repository, so that a host can be asked
whether it has exactly these files.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils import deb_package
from ansible_collections.oslab.kernel.plugins.module_utils.build_id import read_json
from ansible_collections.oslab.kernel.plugins.module_utils.build_job import write_json
from ansible_collections.oslab.kernel.plugins.module_utils.checksum import file_sha256, sha256
from ansible_collections.oslab.kernel.plugins.module_utils.elf_notes import file_build_id

FILES = "files.json"
SCHEMA = 1
# What stands for the checksum of a symbolic link.
LINK = "-> "
# Thousands of files that no running kernel depends on.
NOT_LISTED = ("linux-headers-",)
NOT_LISTED_ENDS = ("-dbg",)
# As many digits of a build id as the packages' versions have: no fewer name one build.
SHORT = 12


class ListError(Exception):
    """A package could not be read, or a list is not the one that was made."""


def is_listed(package: str) -> bool:
    return not package.startswith(NOT_LISTED) and not package.endswith(NOT_LISTED_ENDS)


def _absolute(name: str) -> str:
    return "/" + (name[2:] if name.startswith("./") else name)


def tar_files(stream: IO[bytes]) -> dict[str, str]:
    """Path on the host → sha256, or `-> target` of a link, of the files in a package's tar."""
    found: dict[str, str] = {}
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        for member in tar:
            path = _absolute(member.name)
            if member.issym():
                found[path] = LINK + member.linkname
            elif member.islnk():
                found[path] = found[_absolute(member.linkname)]
            elif member.isfile():
                content = tar.extractfile(member)
                if content is None:
                    raise AssertionError("a regular file has contents")
                found[path] = sha256(content)
    return found


def deb_files(path: Path) -> dict[str, str]:
    """The same of a .deb."""
    try:
        with deb_package.contents(path) as stream:
            return tar_files(stream)
    except deb_package.PackageError as error:
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
    write_json(directory / FILES, listed)
    return {
        "files": {"file": FILES, "sha256": file_sha256(directory / FILES)},
        "gnu_build_id": listed["gnu_build_id"],
    }


def check_list(found: Any, where: str) -> Mapping[str, Any]:
    """The list, if it is one that this code understands."""
    if not isinstance(found, dict):
        raise ListError(f"{where} is not a JSON object")
    if found.get("schema") != SCHEMA:
        raise ListError(f"{where} has schema {found.get('schema')!r}, not {SCHEMA}")
    wanted = {"release": str, "version": str, "build_id": str, "gnu_build_id": str}
    wrong = [name for name, kind in wanted.items() if not isinstance(found.get(name), kind)]
    packages = found.get("packages")
    if not isinstance(packages, dict) or not all(isinstance(x, dict) for x in packages.values()):
        wrong.append("packages")
    if wrong:
        raise ListError(f"{where} says nothing usable about {', '.join(wrong)}")
    return dict(found)


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
        made = (read_json(directory / "build.json") or {}).get("files")
        path = directory / FILES
        if not isinstance(made, dict) or not path.is_file():
            continue  # of a build from before there were lists
        if file_sha256(path) != made.get("sha256"):
            raise ListError(f"{path} is not the list that was made with this build: it was changed")
        return dict(check_list(read_json(path), str(path)))
    return None
