# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Choose and check the package files that are copied to a host without a repository."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import PurePosixPath
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._common.checksum import SHA256

# NAME_VERSION_ARCHITECTURE.deb, as dpkg-deb and the repository name it.
_FILE = re.compile(r"([A-Za-z0-9][A-Za-z0-9+.-]*)_[A-Za-z0-9+.~_%:-]+\.deb")


def choose(
    files: Sequence[str], sums: Mapping[str, str], packages: Sequence[str]
) -> dict[str, Any]:
    """`files` of `packages`, in the order of `files`, and why they cannot be brought.

    `sums`: the sha256 of each by its name or path; `packages`: names, or NAME=VERSION.
    """
    wanted = [package.partition("=")[0] for package in packages]
    by_name = {PurePosixPath(path).name: digest for path, digest in sums.items()}
    chosen = []
    for path in files:
        name = PurePosixPath(path).name
        package = _FILE.fullmatch(name)
        if package and package[1] in wanted:
            chosen.append({"path": path, "name": name, "package": package[1]})
    found = {copy["package"] for copy in chosen}
    absent = [package for package in wanted if package not in found]
    unknown = [x["name"] for x in chosen if not SHA256.fullmatch(str(by_name.get(x["name"], "")))]
    problem = ""
    if absent:
        problem = (
            f"install_copy_files has no file of {', '.join(absent)} (install_packages). It takes "
            "the paths of the package files, NAME_VERSION_ARCHITECTURE.deb, on install_copy_host."
        )
    elif unknown:
        problem = (
            f"install_copy_sha256 has no SHA-256 of {', '.join(unknown)}. It takes the sum of each "
            "of install_copy_files by its name, 64 lower-case hexadecimal digits."
        )
    files_found = [{**copy, "sha256": by_name.get(copy["name"], "")} for copy in chosen]
    return {"files": files_found, "problem": problem}
