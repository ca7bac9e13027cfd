# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What aptly reads, by its release."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._repository import aptly_version
from ansible_collections.oslab.kernel.plugins.module_utils._repository.aptly_version import Ability

ROOT = Path(__file__).resolve().parents[5]


@pytest.mark.parametrize(
    ("version", "ability"),
    [
        ("1.4.0+ds1-7ubuntu0.1", Ability("1.4.0+ds1-7ubuntu0.1", "xz")),  # Ubuntu 22.04
        ("1.5.0+ds1-1+b4", Ability("1.5.0+ds1-1+b4", "zstd")),  # Debian 12
        ("1.6.1", Ability("1.6.1", "zstd")),
        ("1.10.0", Ability("1.10.0", "zstd")),
        ("0.9.7", Ability("0.9.7", "xz")),
        ("2.0~rc1", Ability("2.0~rc1", "zstd")),
        ("(none)", Ability("", "zstd")),
        ("", Ability("", "zstd")),
    ],
)
def test_a_release(version, ability):
    assert aptly_version.ability(version) == ability

    def apt(argv):
        assert argv == ["apt-cache", "policy", "aptly"]
        return Result(0, f"aptly:\n  Installed: (none)\n  Candidate: {version}\n")

    assert aptly_version.find(apt, None) == ability


def test_the_one_that_is_installed_counts():
    def run(argv):
        assert argv == ["/usr/bin/aptly", "version"]
        return Result(0, "aptly version: 1.4.0+ds1-7\n")

    assert aptly_version.find(run, "/usr/bin/aptly") == Ability("1.4.0+ds1-7", "xz")


def test_the_build_gets_what_aptly_reads():
    plays = yaml.safe_load((ROOT / "playbooks/build.yml").read_text(encoding="utf-8"))
    play = next(play for play in plays if "serial" in play)
    (block,) = play["tasks"]
    asked = [
        task
        for task in block["block"]
        if task.get("ansible.builtin.import_role", {}).get("tasks_from") == "compression"
    ]
    assert [task["tags"] for task in asked] == [["build", "publish"]]
    (build,) = [
        task
        for task in block["block"]
        if task.get("ansible.builtin.import_role") == {"name": "oslab.kernel.build"}
    ]
    assert "publish_compression" in build["vars"]["build_compression"]
