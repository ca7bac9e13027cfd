# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of the distribution's packages holds the source of a version."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    apt_answers,
    kernel_version,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.name_forms import PACKAGE
from ansible_collections.oslab.kernel.plugins.module_utils._common.plain_text import shown
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Runner, output_summary

# What Debian's package says of the release in it; Ubuntu's has 6.8.0-60.63 for any 6.8.
_STABLE = re.compile(r"[0-9]+\.[0-9]+\.[1-9][0-9]*(?=-)")


class PackageError(Exception):
    """There is no such package; the message says what there is."""


@dataclass(frozen=True)
class Found:
    """`version`: Debian's, of the one that apt would install; empty if it is installed."""

    package: str
    installed: bool
    version: str = ""


def names(version: str, package: str = "") -> list[str]:
    """Names to look for. Raises PackageError if one of the values is none that can be."""
    if package:
        if not PACKAGE.fullmatch(package):
            raise PackageError(
                f"source_package {shown(repr(package))} is no name of a Debian package: give one "
                "as in 'linux-source-6.12', or leave it empty"
            )
        return [package]
    try:
        return kernel_version.source_packages(version)
    except ValueError as error:
        raise PackageError(f"source_version: {error}") from error


def find(run: Runner, wanted: Sequence[str]) -> Optional[Found]:
    """The first that is installed, else the first that apt would install."""
    for name in wanted:
        status, out, _err = run(["dpkg-query", "--show", "--showformat=${db:Status-Status}", name])
        if status == 0 and out.strip() == "installed":
            return Found(name, True)
    for name in wanted:
        version = apt_answers.candidate(run, name)
        if version:
            return Found(name, False, version)
    return None


def check_release(found: Found, version: str) -> None:
    """Raise PackageError if the package's own version says that it holds another release."""
    stable = _STABLE.match(found.version)
    wanted = kernel_version.parse(version)
    if not stable or not wanted.patch or found.package != f"linux-source-{wanted.series}":
        return
    if stable.group(0) != wanted.numbers:
        raise PackageError(
            f"source_version {version}: the distribution's {found.package} holds "
            f"{stable.group(0)}. Set source_version to '{wanted.series}', which takes what the "
            "package holds, or take another source_provider"
        )


def missing(run: Runner, version: str, wanted: Sequence[str], note: str = "") -> str:
    """Why there is none, and what to set. `note`: why the package index may be old."""
    status, out, err = run(["apt-cache", "search", "--names-only", "^linux-source-[0-9]"])
    lines = (line.partition(" ")[0] for line in out.splitlines())
    series = {name: kernel_version.series_of_package(name) for name in lines}
    offered = [f"{name} (source_version: '{found}')" for name, found in series.items() if found]
    failed = "" if status == 0 else f" (apt-cache failed: {shown(output_summary(out, err))})"
    return (
        f"source_version {version}: the distribution offers no package {' or '.join(wanted)}"
        f"{f' ({shown(note, 300)})' if note else ''}. It offers "
        f"{', '.join(sorted(offered)) or 'none'}{failed}. Set source_version to one of these, or "
        "take another source_provider"
    )
