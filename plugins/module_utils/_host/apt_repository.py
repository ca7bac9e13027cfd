# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A repository as apt knows it: by its host, its priority, and the names of its files."""

from __future__ import annotations

import re
from collections.abc import Sequence

#: Of the repository's Release file, as the role publish has it written.
ORIGIN = "oslab-kernel"
NEVER = -1
# What apt gives to the release that APT::Default-Release names.
_DEFAULT_RELEASE = 990
_POLICY = re.compile(r"^ *(-?\d+) (\S+)", re.MULTILINE)
# Scheme, user and password, host and port, path. What hosts print is no address for sure.
_URL = re.compile(r"([a-z+]+://)?(?:[^/@]*@)?([^/]*)(.*)", re.DOTALL)

# What apt does not leave as it is in the names of files.
_QUOTED = frozenset('\\|{}[]<>"^~_=!@#$%&*')
_LONGEST_NAME = 255

_PINS = """\
Explanation: Managed by Ansible (oslab.kernel.install).
Explanation: Of the kernel's repository these packages in this version can be installed.
Package: {packages}
Pin: version {version}
Pin-Priority: 1

Explanation: Nothing else of it can, not as a dependency nor as an update. Pinned by the address,
Explanation: because whoever can sign the repository writes its description, too.
Package: *
Pin: {pin}
Pin-Priority: {never}
"""


def _parts(url: str) -> tuple[str, str, str]:
    found = _URL.fullmatch(url)
    scheme, place, path = found.groups() if found else ("", "", "")
    return scheme or "", place, path


def site(url: str) -> str:
    """The host in an address as apt compares it: as it is written, without port and brackets."""
    place = _parts(url)[1]
    bracketed = re.match(r"\[([^]]*)]", place)
    return bracketed[1] if bracketed else place.partition(":")[0]


def shared(url: str, entries: str, source: str) -> bool:
    """Whether another source has its packages from the same host.

    `entries`: lines of file:number and address, by `apt-get indextargets`; `source`: the file of
    this repository.
    """
    found = [line.split() for line in entries.splitlines()]
    return any(
        site(words[1]) == site(url)
        for words in found
        if len(words) == 2 and words[0].rpartition(":")[0] != source
    )


def pins(url: str, packages: Sequence[str], version: str, by_origin: bool = False) -> str:
    """A file for /etc/apt/preferences.d.

    A pin by the version, not by the repository: apt would otherwise upgrade a package of ours as
    soon as a newer build is published. `by_origin`: other sources are on the same host.
    """
    pin = f"release o={ORIGIN}" if by_origin else f'origin "{site(url)}"'
    return _PINS.format(packages=" ".join(packages), version=version, pin=pin, never=NEVER)


def _plain(url: str) -> str:
    return "".join(_parts(url)).rstrip("/")


def pin_problem(policy: str, url: str, path: str) -> str:
    """Why the pins do not hold, by what `apt-cache policy` prints; empty if they do."""
    found = [int(rank) for rank, place in _POLICY.findall(policy) if _plain(place) == _plain(url)]
    wrong = [rank for rank in found if rank != NEVER]
    if not wrong:
        return ""
    found_out = (
        f"apt gives {url} the priority {wrong[0]}, although {path} has {NEVER}: any "
        "package there could be installed. "
    )
    if wrong[0] == _DEFAULT_RELEASE:
        return (
            f"{found_out}APT::Default-Release (`apt-config dump`) names it by its suite, which "
            "counts more. Name the host's release there by its codename (bookworm), or publish "
            "under another publish_suite. To do without, set install_repository_pin to false"
        )
    return (
        f"{found_out}Either a record with 'Package: *' in "
        "/etc/apt/preferences is read first (move it to a file in /etc/apt/preferences.d), or the "
        f"repository shares the name of its host with others and its Origin is not {ORIGIN}. To do "
        "without, set install_repository_pin to false"
    )


def index_name(source: str) -> str:
    """How apt's files of the repository in a source file's text begin; empty if it names none."""
    lines = source.splitlines()
    words = next((line.split()[1:] for line in lines if line.lower().startswith("uris:")), [])
    _scheme, place, path = _parts(words[0] if words else "")
    plain = (place.replace("[", "").replace("]", "") + path).rstrip("/")[:_LONGEST_NAME]
    # As apt has it, with slashes turned over at last.
    quoted = (
        one if "!" <= one <= "~" and one not in _QUOTED else f"%{ord(one):02x}" for one in plain
    )
    return "".join(quoted).replace("/", "_")
