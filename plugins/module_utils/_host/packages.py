# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packages dpkg knows on this host, and in what state. Only reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from ansible_collections.oslab.kernel.plugins.module_utils._common.bounded_read import lines, words

#: Written by the role install; relative to the root directory.
INSTALL_RECORD = "var/lib/oslab-kernel/install.json"
_FORMAT = "--showformat=${Package} ${Version} ${Status}\\n"


class Package(NamedTuple):
    """A row of dpkg's answer; the last three are its `Status`."""

    name: str
    version: str
    want: str
    error: str
    status: str

    @property
    def installed(self) -> bool:
        return self.status == "installed"


def query_packages(names: Iterable[str] = ()) -> list[str]:
    """The command whose output `parse_packages` reads, of all packages or of some.

    It fails if dpkg does not know one of the names, and prints the others all the same.
    """
    return ["dpkg-query", "--show", _FORMAT, *names]


def parse_packages(output: str) -> list[Package]:
    """One for each architecture of a package, without those that have no version."""
    rows = [words(line) for line in lines(output)]
    # A package that was never unpacked has no version.
    return [Package(*row) for row in rows if len(row) == 5]
