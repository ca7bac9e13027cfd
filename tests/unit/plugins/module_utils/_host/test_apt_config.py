# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values of apt's configuration."""

from __future__ import annotations

from collections.abc import Sequence

from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._host import apt_config


class Apt:
    def __init__(self, output: str) -> None:
        self.output = output
        self.asked: list[Sequence[str]] = []

    def run(self, argv: Sequence[str]) -> Result:
        self.asked.append(argv)
        return Result(0, self.output)


def test_the_options_that_are_set() -> None:
    apt = Apt("STATE='/var/lib/apt/'\nSOURCES='/etc/apt/my sources'\n")
    options = {"STATE": "Dir::State/d", "SOURCES": "Dir::Etc::sourceparts/d", "PROXY": "a"}
    assert apt_config.values(apt.run, options) == {
        "STATE": "/var/lib/apt/",
        "SOURCES": "/etc/apt/my sources",
    }
    (argv,) = apt.asked
    assert argv == [
        *("apt-config", "shell", "STATE", "Dir::State/d"),
        *("SOURCES", "Dir::Etc::sourceparts/d", "PROXY", "a"),
    ]


def test_one_option() -> None:
    assert apt_config.value(Apt("FOUND='stable'\n").run, "APT::Default-Release") == "stable"
    assert apt_config.value(Apt("").run, "APT::Default-Release") == ""
