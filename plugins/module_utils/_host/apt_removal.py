# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packages can be removed from a host without others that need them."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from ansible_collections.oslab.kernel.plugins.module_utils._common import apt_answers
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Runner, output_summary
from ansible_collections.oslab.kernel.plugins.module_utils._host import apt_config

_SIMULATE = ("apt-get", "--simulate", "--option", "APT::Get::AutomaticRemove=false")
#: apt's own records of a status that is not the host's are not written.
_STATUS = ("Dir::Cache::pkgcache=", "Dir::Cache::srcpkgcache=", "Dir::State::status={}")
_PACKAGE = re.compile(r"^Package: (\S+)$", re.MULTILINE)
_HALF = re.compile(r"^(Status: \S+) reinstreq \S+$", re.MULTILINE)


class AptError(Exception):
    """apt cannot plan the removal; the text has its reason."""


def _removed(run: Runner, argv: Sequence[str], what: str) -> list[str]:
    code, out, err = run(argv)
    if code != 0:
        summary = output_summary(out, err).rstrip(".")
        remedy = apt_answers.remedy(err)
        raise AptError(
            f"apt cannot simulate the removal of {what}: {summary}"
            + (f". {remedy}" if remedy else "")
        )
    return apt_answers.removed(out)


def _removed_too(
    run: Runner, names: Sequence[str], packages: Sequence[str], options: Sequence[str]
) -> list[str]:
    found = _removed(run, [*_SIMULATE, *options, "remove", *names], ", ".join(names))
    return [name for name in found if name not in packages]


def unneeded(run: Runner, packages: Iterable[str], stay: Iterable[str]) -> list[str]:
    """Those of `packages` that no other package needs, sorted. Raises AptError.

    Without those in `stay`, of any architecture: apt names that of a foreign package, dpkg-query
    that of a native one, and a name may be without it.
    """
    kept = {name.partition(":")[0] for name in stay}
    found = _removed(run, ["apt-get", "--simulate", "autoremove"], "what no package needs")
    return sorted(name for name in {*packages} & {*found} if name.partition(":")[0] not in kept)


def _repaired(status: str, packages: Collection[str]) -> str:
    """dpkg's record, in which those of `packages` that were not unpacked whole are installed."""
    paragraphs = status.split("\n\n")
    for at, paragraph in enumerate(paragraphs):
        found = _PACKAGE.search(paragraph)
        if found and found[1] in packages:
            paragraphs[at] = _HALF.sub(r"\1 ok installed", paragraph)
    return "\n\n".join(paragraphs)


@contextmanager
def _with_repaired(run: Runner, packages: Sequence[str]) -> Iterator[list[str]]:
    """apt's options for such a record; none where no package of these is broken."""
    path = apt_config.value(run, "Dir::State::status/f")
    try:
        status = Path(path).read_text(encoding="utf-8", errors="surrogateescape") if path else ""
    except OSError:
        status = ""
    repaired = _repaired(status, packages)
    if repaired == status:
        yield []
        return
    with tempfile.TemporaryDirectory(prefix="oslab-status-") as directory:
        copy = Path(directory, "status")
        copy.write_text(repaired, encoding="utf-8", errors="surrogateescape")
        options = []
        for option in _STATUS:
            options += ["--option", option.format(copy)]
        yield options


def _sort_out(
    run: Runner, packages: Sequence[str], options: Sequence[str]
) -> tuple[list[str], dict[str, list[str]]]:
    if not packages or not _removed_too(run, packages, packages, options):
        return [*packages], {}
    removable: list[str] = []
    refused = {}
    for name in packages:
        # With those before it: a package may need any one of several.
        others = _removed_too(run, [*removable, name], packages, options)
        if others:
            refused[name] = others
        else:
            removable.append(name)
    return removable, refused


def sort_out(run: Runner, packages: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Those of `packages` that can be removed together; for each other what would go with it.

    apt plans nothing while one was not unpacked whole. Those of `packages` are to go, so it is
    asked as if they were installed. Raises AptError.
    """
    try:
        return _sort_out(run, packages, ())
    except AptError:
        with _with_repaired(run, packages) as options:
            if not options:
                raise
            return _sort_out(run, packages, options)
