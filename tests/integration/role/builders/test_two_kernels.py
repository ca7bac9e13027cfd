# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two builders of one machine publish a kernel each into one repository."""

from __future__ import annotations

import re
import shutil
import subprocess
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._repository import description
from ansible_collections.oslab.kernel.tests.lib.playbook import Run

from .conftest import Classroom

RELEASES = {"alice": "6.12.0-1-alice", "bob": "6.12.0-1-bob"}


def run_program(argv: Any) -> Result:
    done = subprocess.run(list(argv), capture_output=True, text=True, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


def tasks_of(done: Run, name: str) -> list[str]:
    """Hosts on which a task of that name ran."""
    parts = [part.partition("\nTASK [")[0] for part in done.output.split(f"TASK [{name}]")[1:]]
    return re.findall(r"^(?:ok|changed): \[([a-z-]+)\]", "\n".join(parts), re.MULTILINE)


def changed(done: Run) -> int:
    return sum(int(number) for number in re.findall(r"\bchanged=(\d+)", done.output))


BUILT = "oslab.kernel.build : Build the packages"


def each_has_its_own(classroom: Classroom, found: dict[str, Any]) -> None:
    """What the first run leaves.

    :param found: the description of the repository.
    """
    assert (found["kernel"], found["release"]) == ("alice", RELEASES["alice"])
    assert {name: entry["release"] for name, entry in found["kernels"].items()} == {
        "bob": RELEASES["bob"]
    }
    manifests = {"alice": found["manifest"], "bob": found["kernels"]["bob"]["manifest"]}
    for name, manifest in manifests.items():
        assert manifest["sysname"] == f"Linux of {name}"
        assert manifest["banner"] == f"Hello from {name}\n"
        own = [syscall for syscall in manifest["syscalls"] if syscall.startswith("ask_")]
        assert own == [f"ask_{name}"]
    configs = {
        name: (classroom.work / f"trees/file-6.12{end}/linux/.config").read_text()
        for name, end in (("alice", ""), ("bob", "-bob"))
    }
    # Each has the modules of its own targets, and its own options.
    assert [("CONFIG_PM=y" in text) for text in configs.values()] == [True, False]
    assert [("CONFIG_EXT4_FS=m" in text) for text in configs.values()] == [True, False]
    assert [("CONFIG_XFS_FS=m" in text) for text in configs.values()] == [False, True]
    # They share the store.
    builds = {path.name for path in (classroom.work / "store").glob("[0-9a-f]*")}
    assert builds == {one["build_id"] for one in manifests.values()}


def the_repository_has_both(classroom: Classroom) -> None:
    index = (classroom.root / "public/dists/stable/main/binary-amd64/Packages").read_text()
    for release in RELEASES.values():
        assert f"Package: linux-image-{release}\n" in index
    # A host takes the one that it chooses, and by default that of the first builder.
    signed = (classroom.root / "public/oslab-kernel.json.asc").read_bytes()
    key = (classroom.root / "public/oslab-kernel.asc").read_text()
    text = description.check_signature(run_program, signed, key)[1]
    taken = [description.parse(text, name)[0]["release"] for name in ("", "alice", "bob")]
    assert taken == [RELEASES["alice"], RELEASES["alice"], RELEASES["bob"]]
    metrics = {path.name: path.read_text() for path in (classroom.top / "metrics").iterdir()}
    assert sorted(metrics) == [
        *("oslab-kernel-build-alice.prom", "oslab-kernel-build-bob.prom"),
        "oslab-kernel-repository.prom",
    ]
    assert 'oslab_kernel_build_success{kernel="bob"} 1' in metrics["oslab-kernel-build-bob.prom"]
    assert 'kernel="alice",release=' in metrics["oslab-kernel-repository.prom"]


def test_side_by_side(classroom: Classroom) -> None:
    done = classroom.must_run("build.yml")
    # One after the other, in the order of the inventory.
    assert done.output.count("PLAY [Build the kernel]") == 2
    assert tasks_of(done, BUILT) == ["alice", "bob"]
    found = classroom.description()
    each_has_its_own(classroom, found)
    the_repository_has_both(classroom)
    again = classroom.must_run("build.yml", "-v")
    assert changed(again) == 0, again.output
    assert "The roles of the builder run" not in again.output, again.output

    # The kernel of one changes: the other one is built no more, neither now nor in the next run.
    classroom.builders["bob"]["patch_banner"] = "Another one\n"
    done = classroom.must_run("build.yml")
    assert tasks_of(done, BUILT) == ["bob"]
    after = classroom.description()
    assert after["kernels"]["bob"]["build_id"] != found["kernels"]["bob"]["build_id"]
    same = ("build_id", "packages", "rollout", "files")
    assert [after[name] for name in same] == [found[name] for name in same]
    again = classroom.must_run("build.yml", "-v")
    assert changed(again) == 0, again.output
    assert "The roles of the builder run" not in again.output, again.output
    # Nor does anything change where all roles run.
    again = classroom.must_run("build.yml", "--tags", "source,version,patch,config,build,publish")
    assert tasks_of(again, BUILT) == ["alice", "bob"]
    assert changed(again) == 0, again.output

    # Which version a file has is not known before it is unpacked.
    before = {path: path.read_bytes() for path in classroom.root.glob("public/oslab-kernel*")}
    classroom.builders["bob"].update(version_extraversion="-1-alice", source_version="6.12.0")
    done = classroom.run("build.yml")
    assert done.status != 0
    text = " ".join(done.output.split())
    assert "the kernel of bob has the release 6.12.0-1-alice, and so has that of alice" in text
    after_all = {path: path.read_bytes() for path in classroom.root.glob("public/oslab-kernel*")}
    assert after_all == before


def compiled(classroom: Classroom, name: str) -> set[str]:
    """The objects that the last build of this tree has made."""
    log = (classroom.work / "trees" / name / "linux.build/build.log").read_text()
    return {line.split()[-1] for line in log.splitlines() if line.startswith("  CC ")}


def test_the_second_kernel_takes_what_the_first_one_has_compiled(classroom: Classroom) -> None:
    classroom.must_run("build.yml")
    trees = sorted(path.name for path in (classroom.work / "trees").iterdir())
    first, second = (compiled(classroom, name) for name in trees)
    assert "kernel/ask_alice.o" in first and "fs/open.o" in first
    # What it has alone, and what is in files that say who it is.
    assert "kernel/ask_bob.o" in second
    assert "fs/open.o" not in second
    assert len(second) < len(first) / 2, second
    found = classroom.description()["kernels"]
    taken = found["bob"]["build_id"]

    # It is what it is without that, to the byte.
    sums = {name: one["sha256"] for name, one in found["bob"]["packages"].items()}
    shutil.rmtree(classroom.work / "trees" / trees[1])
    shutil.rmtree(classroom.work / "store" / taken)
    classroom.builders["bob"]["build_reuse"] = False
    classroom.must_run("build.yml", "--limit", "bob,pc-b")
    assert "fs/open.o" in compiled(classroom, trees[1])
    again = classroom.description()["kernels"]["bob"]
    assert again["build_id"] == taken
    assert {name: one["sha256"] for name, one in again["packages"].items()} == sums


def test_a_build_that_fails_ends_no_other(classroom: Classroom) -> None:
    # What the tree does not have is known when it is configured.
    classroom.builders["alice"]["config_options"] = {"NO_SUCH_OPTION": "y"}
    done = classroom.run("build.yml")
    assert done.status != 0, done.output
    text = " ".join(done.output.split())
    assert "alice: the kernel was not built. Write the configuration: " in text
    assert "NO_SUCH_OPTION" in text
    assert list(classroom.description()["kernels"]) == ["bob"]
    metrics = classroom.top / "metrics"
    failed = (metrics / "oslab-kernel-build-alice.prom").read_text()
    assert 'oslab_kernel_build_success{kernel="alice"} 0' in failed
    built = (metrics / "oslab-kernel-build-bob.prom").read_text()
    assert 'oslab_kernel_build_success{kernel="bob"} 1' in built
    # Its target is left out of a deployment. That of the other one is this machine, and is not run.
    done = classroom.run("deploy.yml", "--limit", "alice,pc-a")
    assert done.status != 0, done.output
    text = " ".join(done.output.split())
    assert (
        "pc-a is left out of this deployment. alice (kernel_from) has published no kernel" in text
    )
    assert "Deploy the kernel to each target" in text.rpartition("skipping: no hosts matched")[0]


def refused(classroom: Classroom, *options: str, book: str = "build.yml") -> str:
    done = classroom.run(book, *options)
    assert done.status != 0, done.output
    assert not classroom.work.exists()
    assert not classroom.root.exists()
    return " ".join(done.output.split())


def test_what_cannot_be_is_refused_before_anything_is_touched(classroom: Classroom) -> None:
    classroom.targets["pc-b"]["kernel_from"] = "carol"
    text = refused(classroom)
    assert "kernel_from is 'carol', which is no host of kernel_builders" in text
    assert "[pc-b]" in text
    # Then nobody takes the kernel of bob.
    assert "no target takes the kernel of bob (kernel_from)" in text
    classroom.targets["pc-b"]["kernel_from"] = "bob"
    text = refused(classroom, "--limit", "alice,pc-b", book="site.yml")
    assert "leaves out bob, the builder of pc-b (kernel_from)" in text
    classroom.builders["bob"]["version_extraversion"] = "-1-alice"
    text = refused(classroom)
    assert "alice and bob would build different kernels of one release, 6.12.x-1-alice" in text
    assert "set version_extraversion" in text
