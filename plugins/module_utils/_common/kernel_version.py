# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One version of a kernel, and what kernel.org, Debian and Ubuntu call it.

| the tree's Makefile | kernel.org's tarball | Debian's package   | Ubuntu's package     |
| 6.8.0               | linux-6.8            | linux-source-6.8   | linux-source-6.8.0   |
| 6.8.12              | linux-6.8.12         | linux-source-6.8   | linux-source-6.8.0   |
| 6.9.0, -rc1         | only in git          | linux-source-6.9   | linux-source-6.9.0   |
"""

from __future__ import annotations

import re
from dataclasses import dataclass

_NUMBER = r"(?:0|[1-9][0-9]{0,8})"
_VERSION = re.compile(
    rf"(?P<series>[1-9][0-9]{{0,8}}\.{_NUMBER})(\.(?P<patch>{_NUMBER}))?(?P<candidate>-rc[1-9][0-9]{{0,3}})?"
)
# How the EXTRAVERSION of a tree begins that is a release candidate.
_CANDIDATE = re.compile(r"-rc[1-9][0-9]{0,3}(?![0-9A-Za-z])")
_PACKAGE = re.compile(r"linux-source-(?P<series>[1-9][0-9]*\.[0-9]+)(?P<zero>\.0)?")


@dataclass(frozen=True)
class Version:
    """`series`: the first two numbers. `patch`: the third, or "". `candidate`: "-rc1", or ""."""

    series: str
    patch: str = ""
    candidate: str = ""

    @property
    def numbers(self) -> str:
        """All that is given of the three numbers."""
        return f"{self.series}.{self.patch}" if self.patch else self.series

    @property
    def full(self) -> str:
        """As the tree's Makefile has it, where a third number that is not given is 0."""
        return f"{self.series}.{self.patch or '0'}{self.candidate}"

    @property
    def upstream(self) -> str:
        """As kernel.org names the tarball: a first release has no third number."""
        numbers = self.series if self.patch == "0" else self.numbers
        return f"{numbers}{self.candidate}"


def parse(text: str) -> Version:
    """Raises ValueError if it is no version of a kernel."""
    found = _VERSION.fullmatch(text)
    if not found:
        raise ValueError(f"{text!r} is no version of a kernel")
    return Version(found["series"], found["patch"] or "", found["candidate"] or "")


def candidate_of(extraversion: str) -> str:
    """The "-rc1" with which a tree's EXTRAVERSION begins, or ""."""
    found = _CANDIDATE.match(extraversion)
    return found.group(0) if found else ""


def split_candidate(version: str) -> tuple[str, str]:
    """("6.9.0", "-rc1") of "6.9.0-rc1", the version of a tree."""
    numbers, dash, rest = version.partition("-")
    return numbers, candidate_of(f"{dash}{rest}")


def extraversion(candidate: str, wanted: str) -> str:
    """What EXTRAVERSION has to be for the release to say of which candidate it is made."""
    return wanted if candidate_of(wanted) == candidate else f"{candidate}{wanted}"


def source_packages(version: str) -> list[str]:
    """Names that a distribution may give the source package of a version, the likeliest first.

    Debian's have the series, Ubuntu's a 0 after it, whatever stable release and candidate is in.
    """
    wanted = parse(version)
    names = (wanted.series, f"{wanted.series}.0")
    if wanted.patch == "0":
        names = (names[1], names[0])
    return [f"linux-source-{name}" for name in names]


def series_of_package(package: str) -> str:
    """The series in the name of a distribution's source package, or ""."""
    found = _PACKAGE.fullmatch(package)
    return found["series"] if found else ""


def of_tarball(name: str, wanted: str) -> str:
    """The version that `wanted` means for a tarball of that file name.

    The 0 of Ubuntu's linux-source-6.8.0 stands for any third number.
    """
    version = parse(wanted)
    if version.patch == "0" and name.startswith(f"linux-source-{version.series}.0.tar."):
        return f"{version.series}{version.candidate}"
    return wanted


def debian(version: str) -> str:
    """For a Debian package: a candidate is older than its release."""
    return version.replace("-rc", "~rc")
