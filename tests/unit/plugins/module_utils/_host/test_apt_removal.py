# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nothing goes that others need."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result, Runner
from ansible_collections.oslab.kernel.plugins.module_utils._host.apt_removal import (
    AptError,
    sort_out,
    unneeded,
)

IMAGE, HEADERS, TOOLS = "linux-image-x", "linux-headers-x", "oslab-kernel-tools"
OURS = [HEADERS, IMAGE, TOOLS]


class Apt:
    """Packages, by those that they need: one of each list."""

    def __init__(self, **needs: list[list[str]]) -> None:
        self.needs = needs
        self.calls = 0

    def __call__(self, argv: Sequence[str]) -> Result:
        self.calls += 1
        gone: list[str] = []
        more = [name for name in argv[argv.index("remove") + 1 :]]
        while more:
            gone += more
            more = [
                name
                for name, needs in self.needs.items()
                if name not in gone and any(set(one) <= set(gone) for one in needs)
            ]
        return Result(0, "".join(f"Remv {name} [1]\n" for name in gone))


def test_all_of_them_are_looked_at_once() -> None:
    apt = Apt(other=[["something"]])
    assert sort_out(apt, OURS) == (OURS, {})
    assert apt.calls == 1
    assert sort_out(apt, []) == ([], {})
    assert apt.calls == 1


def test_what_others_need_stays() -> None:
    assert sort_out(Apt(meta=[[IMAGE]], top=[["meta"]]), OURS) == (
        [HEADERS, TOOLS],
        {IMAGE: ["meta", "top"]},
    )


def test_one_of_several_is_enough() -> None:
    assert sort_out(Apt(either=[[HEADERS, TOOLS]]), OURS) == (
        [HEADERS, IMAGE],
        {TOOLS: ["either"]},
    )


def test_apt_that_fails() -> None:
    with pytest.raises(AptError, match="dpkg was interrupted"):
        sort_out(lambda _: Result(100, "", "E: dpkg was interrupted"), OURS)


def autoremove(out: str) -> Runner:
    def run(argv: Sequence[str], *_more: Any, **_options: Any) -> Result:
        assert argv == ["apt-get", "--simulate", "autoremove"]
        return Result(0, out)

    return run


def test_only_what_came_with_ours_is_unneeded() -> None:
    # Hosts may be configured to purge what is removed.
    apt = autoremove("Reading…\nRemv zlib1g-dev [1:1.2]\nRemv old [1]\nPurg other [2]\n")
    brought = ["other", "zlib1g-dev", "old", "still-needed"]
    assert unneeded(apt, brought, ["old"]) == ["other", "zlib1g-dev"]


def test_what_the_user_had_or_installed_later_is_needed() -> None:
    """apt names the architecture of a foreign package, and dpkg-query that of a native one."""
    apt = autoremove("Remv libfoo:i386 [1]\nRemv both [1]\nRemv later [1]\nRemv zlib [1]\n")
    for names in (["libfoo", "both"], ["libfoo:i386", "both:amd64"]):
        assert unneeded(apt, ["zlib", "libfoo", "libfoo:i386", "both"], names) == ["zlib"]


def test_autoremove_that_fails() -> None:
    with pytest.raises(AptError, match=r"of what no package needs: .*interrupted"):
        unneeded(lambda *_: Result(100, "", "E: dpkg was interrupted"), ["x"], [])


REINSTALL = "E: The package {} needs to be reinstalled, but I can't find an archive for it.\n"
STATUS = """Package: {}
Status: install reinstreq half-installed
Version: 1

Package: other
Status: install ok installed
Version: 1
"""


class StuckApt(Apt):
    """dpkg has not unpacked a package whole; apt plans nothing while its record says so."""

    def __init__(self, work: Path, stuck: str, **needs: list[list[str]]) -> None:
        super().__init__(**needs)
        self.status, self.stuck = work / "status", stuck
        self.status.write_text(STATUS.format(stuck))

    def __call__(self, argv: Sequence[str]) -> Result:
        if argv[0] == "apt-config":
            return Result(0, f"FOUND='{self.status}'\n")
        used = [one.partition("=")[2] for one in argv if one.startswith("Dir::State::status=")]
        text = Path(used[0] if used else self.status).read_text()
        if "reinstreq" in text:
            return Result(100, "", REINSTALL.format(self.stuck))
        assert text == STATUS.format(self.stuck).replace("reinstreq half-installed", "ok installed")
        return super().__call__(argv)


def test_one_of_ours_that_was_not_unpacked_whole(tmp_path: Path) -> None:
    apt = StuckApt(tmp_path, IMAGE, meta=[[HEADERS]])
    assert sort_out(apt, OURS) == ([IMAGE, TOOLS], {HEADERS: ["meta"]})
    assert "reinstreq" in apt.status.read_text()


def test_one_of_others_that_was_not_unpacked_whole(tmp_path: Path) -> None:
    with pytest.raises(AptError) as failed:
        sort_out(StuckApt(tmp_path, "theirs"), OURS)
    message = str(failed.value)
    assert "archive for it. `dpkg --remove --force-remove-reinstreq theirs` removes it" in message
    assert ".." not in message
    assert not message.endswith(".")
