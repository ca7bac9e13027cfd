# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether a rebuilt kernel is the published one, and an attestation of that.

The attestation is an in-toto statement (https://in-toto.io/Statement/v1) with a test result
(https://in-toto.io/attestation/test-result/v0.1). Its subjects are the published packages.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._build.published import Published
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    Runner,
    output_summary,
)

STATEMENT = "https://in-toto.io/Statement/v1"
PREDICATE = "https://in-toto.io/attestation/test-result/v0.1"
#: Behind the name of a statement's file, where its signature is in the same file.
SIGNED = ".asc"
#: Files of a package that are named.
SHOWN = 20


class RebuildError(Exception):
    """A package cannot be compared; the message says why."""


class Unequal(NamedTuple):
    """A package whose checksums differ; empty where one side does not have it."""

    package: str
    published: str
    rebuilt: str
    #: Whether they are the same before signatures are attached: the published ones are of others.
    signatures_alone: bool = False


def compare(
    published: Published, rebuilt: Mapping[str, str], unsigned: Optional[Mapping[str, str]] = None
) -> list[Unequal]:
    """The packages that differ, by name. `rebuilt`: name → sha256.

    `unsigned`: the same of the rebuilt packages before signatures were attached, where any were.

    A package of debug symbols that was built and not published is no difference.
    """
    names = {*published.packages, *(name for name in rebuilt if not name.endswith("-dbg"))}
    alike = {*published.unsigned.items()} & {*(unsigned or {}).items()}
    of_signatures = {name for name, _checksum in alike}
    return [
        Unequal(
            name,
            published.packages.get(name, ""),
            rebuilt.get(name, ""),
            name in of_signatures,
        )
        for name in sorted(names)
        if published.packages.get(name) != rebuilt.get(name)
    ]


def configuration(build_id: str) -> str:
    """How a statement names the build."""
    return f"oslab.kernel build {build_id}"


def statement(published: Published, unequal: list[Unequal]) -> dict[str, Any]:
    """The attestation of a comparison."""
    failed = {each.package for each in unequal}
    compared = [
        {
            "name": configuration(published.build_id),
            "digest": {"sha256": published.sha256},
        }
    ]
    if published.signatures:
        compared.append(
            {
                "name": published.signatures["file"],
                "digest": {"sha256": published.signatures["sha256"]},
            }
        )
    return {
        "_type": STATEMENT,
        "subject": [
            {"name": name, "digest": {"sha256": checksum}}
            for name, checksum in sorted(published.packages.items())
        ],
        "predicateType": PREDICATE,
        "predicate": {
            "result": "FAILED" if failed else "PASSED",
            "configuration": compared,
            "passedTests": sorted({*published.packages} - failed),
            "failedTests": sorted(failed),
        },
    }


def differing_files(one: Path, other: Path, run: Runner, scratch: Path) -> list[str]:
    """The files that differ between two packages, each with a word. Raises RebuildError."""
    sums = []
    for number, package in enumerate((one, other)):
        place = scratch / str(number)
        done = run(["dpkg-deb", "--raw-extract", str(package), str(place)])
        if done.status != 0:
            raise RebuildError(f"{package} is no package: {output_summary(done.out, done.err)}")
        sums.append(
            {
                path.relative_to(place).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
                for path in place.rglob("*")
                if path.is_file() and not path.is_symlink()
            }
        )
    old, new = sums
    names = [name for name in sorted({*old, *new}) if old.get(name) != new.get(name)]
    words = [
        f"{name}{' (published only)' if name not in new else ''}"
        f"{' (rebuilt only)' if name not in old else ''}"
        for name in names[:SHOWN]
    ]
    more = [f"and {len(names) - SHOWN} more"] if len(names) > SHOWN else []
    return words + more or ["no file: order, modes or times differ"]
