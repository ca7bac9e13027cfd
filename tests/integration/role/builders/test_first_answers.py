# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A target that runs one kernel of the collection loses no driver in the next one."""

from __future__ import annotations

import json

from ansible_collections.oslab.kernel.tests.lib.locked_builder import target

from .conftest import Classroom

TAGS = ("--tags", "source,version,patch,config")


def test_a_kernel_of_another_builder_has_what_the_first_answer_shows(classroom: Classroom) -> None:
    bob = classroom.builders.pop("bob")
    classroom.targets = {"pc-b": target(modules=["xfs", "ext4"], essential_modules=[])}
    classroom.must_run("build.yml", *TAGS)
    first = classroom.work / "trees/file-6.12"
    built = (first / "linux/.config").read_text()
    # It runs that kernel now, which was configured for it, with no xfs mounted; and has no stock
    # kernel any more, whose configuration could be read.
    ours = {"release": "6.12.0-1-alice", "oslab": {"release": "6.12.0-1-alice"}}
    answer = target(built, modules=["ext4"], essential_modules=[], **ours)
    classroom.builders["bob"] = bob
    classroom.targets["pc-b"] = {**answer, "kernel_from": "bob"}
    # A builder without targets needs a configuration.
    classroom.targets["pc-a"] = target(modules=["ext4"], essential_modules=[])
    classroom.must_run("build.yml", *TAGS)
    second = classroom.work / "trees/file-6.12-bob"
    assert "CONFIG_XFS_FS=m" in (second / "linux/.config").read_text()
    for name in ("targets.json", "pc-b.config"):
        texts = [(tree / "inputs" / name).read_text() for tree in (first, second)]
        found = [json.loads(text)["pc-b"] if name == "targets.json" else text for text in texts]
        assert found[0] == found[1]
