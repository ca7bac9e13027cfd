# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is installed of a build, compared with its list of files, and measured."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._build.package_files import (
    LIMIT,
    ListError,
    parse_list,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Runner
from ansible_collections.oslab.kernel.plugins.module_utils._host import kernel_sizes
from ansible_collections.oslab.kernel.plugins.module_utils._repository import receive
from ansible_collections.oslab.kernel.plugins.module_utils._verify import files as build_files


def kept_list(path: Path, checksum: str) -> Optional[Mapping[str, Any]]:
    """The list in a file on the host; None if it is not there, or not the one with the checksum."""
    try:
        return (
            parse_list(bounded_read.content(path, LIMIT), str(path), checksum) if checksum else None
        )
    except (ListError, OSError):
        return None


def gather(
    run: Runner,
    build_id: str,
    files: Optional[Mapping[str, Any]],
    source: Optional[Path],
    files_sha256: str,
    timeout: int,
    ignore: list[str],
    root: Path = Path("/"),
) -> dict[str, Any]:
    """The result of the module kernel_files.

    :param build_id: of the build; empty for the one that the running kernel's manifest names.
    :param files: the build's list; None to fetch it from the repository.
    :param source: the file of apt's that names the repository; None to fetch nothing.
    :param files_sha256: checksum of the list in the repository; empty if it is not known.
    :param timeout: seconds that the repository has to answer.
    :param ignore: patterns of the user's own files in C(/lib/modules).
    :param root: where the host's files are.

    Raises ListError for a list that is none, OSError for a host that cannot be read.
    """

    def fetch(url: str) -> Any:
        try:
            data = receive.document(url, timeout, LIMIT)
        except receive.ReceiveError as error:
            raise ListError(str(error)) from error
        return parse_list(data, url, files_sha256)

    found = build_files.gather(
        build_files.Host(run, root),
        build_id,
        files,
        source,
        fetch,
        ignore,
        confirmed=bool(files_sha256),
    )
    return {"sizes": kernel_sizes.gather(root), **found}
