# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""source, version and patch together, from a tarball to a tree."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]

ROLES = "source,version,patch"
TAGS = ("--tags", ROLES)


def tree_of(tmp_path, provider="file"):
    return tmp_path / "work" / "trees" / f"{provider}-6.12" / "linux"


def contents(tree):
    """Every file with its text, but not the time-stamped memory of the tree's origin."""
    return {
        str(path.relative_to(tree)): path.read_bytes()
        for path in tree.rglob("*")
        if path.is_file() and path.name != "source.json"
    }


def test_seed_values_are_the_defaults_and_a_second_run_changes_nothing(
    playbook, file_source, tmp_path
):
    done = playbook("build.yml", *TAGS, **file_source)
    assert done.status == 0, done.output
    assert done.recap("changed") > 0
    tree = tree_of(tmp_path)
    assert "EXTRAVERSION = -49-usac1\n" in (tree / "Makefile").read_text()
    assert '"Usac Linux - 202010856"' in (tree / "include/linux/uts.h").read_text()
    assert "Bienvenido al Kernel de Edwin" in (tree / "init/main.c").read_text()
    table = (tree / "arch/x86/entry/syscalls/syscall_64.tbl").read_text()
    for number, name in enumerate(
        ("capture_memory_snapshot", "track_syscall_usage", "get_io_throttle"), start=463
    ):
        assert f"\n{number}\tcommon\t{name}\t" in table
        assert (tree / "kernel" / f"{name}.c").is_file()
    again = playbook("build.yml", *TAGS, **file_source)
    assert again.status == 0
    assert again.recap("changed") == 0


def test_changed_variables_leave_what_a_fresh_run_would(playbook, file_source, worked, tmp_path):
    other = {"version_extraversion": "-x", "patch_sysname": "X", "patch_banner": "one\n\ntwo"}
    worked(ROLES)
    assert playbook("build.yml", *TAGS, **file_source, **other).status == 0
    changed = contents(tree_of(tmp_path))
    subprocess.run(["rm", "-r", tree_of(tmp_path)], check=True)
    assert playbook("build.yml", *TAGS, **file_source, **other).status == 0
    assert contents(tree_of(tmp_path)) == changed


def test_check_mode_on_an_untouched_machine(playbook, file_source, tmp_path):
    preview = playbook("build.yml", *TAGS, "--check", "--diff", **file_source)
    assert preview.status == 0, preview.output
    assert preview.recap("changed") == 3  # unpack, version, patch
    assert not (tmp_path / "work").exists()


def test_check_mode_shows_a_change_in_the_tree(playbook, file_source, worked, tmp_path):
    worked(ROLES)
    before = contents(tree_of(tmp_path))
    preview = playbook(
        "build.yml", *TAGS, "--check", "--diff", **file_source, patch_sysname="New Name"
    )
    assert '+#define UTS_SYSNAME "New Name"' in preview.output
    assert preview.recap("changed") == 1
    assert contents(tree_of(tmp_path)) == before


def test_mirrors_in_order(playbook, fake_tarball, tmp_path):
    sums = subprocess.run(
        ["sha256sum", fake_tarball.name],
        cwd=fake_tarball.parent,
        check=True,
        capture_output=True,
        text=True,
    )
    mirrors = [f"file://{tmp_path}/nowhere", f"file://{tmp_path}/mirror"]
    done = playbook(
        "build.yml",
        *TAGS,
        source_version="6.12",
        source_mirrors=mirrors,
        source_sha256=sums.stdout.split()[0],
    )
    assert done.status == 0, done.output
    assert (tree_of(tmp_path, "kernel_org") / "kernel/get_io_throttle.c").is_file()
    assert (tmp_path / "work/downloads/linux-6.12.tar.xz").is_file()


@pytest.mark.parametrize(
    ("changes", "messages"),
    [
        (
            # All mistakes are reported at once.
            {
                "version_extraversion": "-49 usac/1_x",
                "patch_sysname": 'a"b\nc',
                "patch_banner": "fine\na\x07b",
                "source_version": "latest",
                "patch_syscalls": [{"name": "x y", "source": "x.c", "kconfig": "X"}],
            },
            [
                "version_extraversion '-49 usac/1_x' holds ' ', '/', '_'",
                "patch_sysname",
                "patch_banner, line 2",
                "source_version 'latest' is not a version",
                "patch_syscalls[0]: name 'x y'",
            ],
        ),
        (
            {"version_extraversion": "-" + "x" * 64, "patch_sysname": "x" * 65},
            ["version_extraversion", "patch_sysname", "at most 64"],
        ),
        (
            {"source_provider": "gopher"},
            ["source_provider is 'gopher': it has to be one of kernel_org"],
        ),
        ({"source_file": "/nowhere.tar.xz"}, ["source_file is '/nowhere.tar.xz'"]),
        ({"source_sha256": "0" * 64}, ["with the sha256 000"]),
        (
            {"source_provider": "kernel_org", "source_mirrors": ["file:///nowhere"]},
            ["source_version 6.12: no mirror of source_mirrors has it"],
        ),
        (
            {"source_provider": "distro_package", "source_version": "9.99"},
            ["source_version 9.99: the distribution offers no package linux-source-9.99"],
        ),
    ],
)
def test_bad_input_is_refused_before_anything_is_touched(
    playbook, file_source, tmp_path, changes, messages
):
    done = playbook("build.yml", *TAGS, **{**file_source, **changes})
    assert done.status != 0
    output = " ".join(done.output.replace("''", "'").split())
    for words in messages:
        assert words in output
    assert not (tmp_path / "work").exists()


def test_a_syscall_that_the_tree_has_leaves_the_tree_alone(playbook, file_source, worked, tmp_path):
    source = tmp_path / "read.c"
    source.write_text("SYSCALL_DEFINE0(read)\n")
    entry = {"name": "read", "source": str(source), "kconfig": "READ"}
    worked("source,version")
    before = contents(tree_of(tmp_path))
    done = playbook("build.yml", "--tags", "patch", **file_source, patch_syscalls=[entry])
    assert done.status != 0
    output = " ".join(done.output.replace("''", "'").split())  # as YAML of some releases quotes
    assert "already has a syscall 'read' (number 0)" in output
    assert contents(tree_of(tmp_path)) == before


def test_a_fourth_syscall_is_one_more_entry(playbook, file_source, tmp_path):
    """Its source and those of the collection are distinguished, and either can be named."""
    source = tmp_path / "get_answer.c"
    source.write_text("SYSCALL_DEFINE1(get_answer, int __user *, answer)\n{\n}\n")
    entry = {"name": "get_answer", "source": str(source), "kconfig": "GET_ANSWER"}
    ours = {
        "name": "capture_memory_snapshot",
        "source": "{{ patch_files }}/syscalls/capture_memory_snapshot.c",
        "kconfig": "CAPTURE_MEMORY_SNAPSHOT",
    }
    done = playbook(
        "build.yml", *TAGS, **file_source, patch_syscalls=[ours], patch_syscalls_extra=[entry]
    )
    assert done.status == 0, done.output
    prototypes = (tree_of(tmp_path) / "include/linux/syscalls.h").read_text()
    assert "asmlinkage long sys_get_answer(int __user *answer);" in prototypes
    record = json.loads((tree_of(tmp_path) / ".oslab/patch.json").read_text())
    assert record["syscalls"] == {"capture_memory_snapshot": 463, "get_answer": 464}
    assert [(one["name"], one["own"]) for one in record["entries"]] == [
        ("capture_memory_snapshot", False),
        ("get_answer", True),
    ]


def try_syscalls(tmp_path, **variables):
    """The command of CONTRIBUTING.md, without the installation of what it needs."""
    (tmp_path / "vars.json").write_text(json.dumps(variables))
    goal = ["make", "--old-file=deps", "try-syscalls", f"VARS={tmp_path}/vars.json"]
    return subprocess.run(
        goal,
        cwd=ROOT,
        env={**os.environ, "OSLAB_CACHE": str(tmp_path / "cache"), "ANSIBLE_NOCOLOR": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_syscall_is_tried_on_the_fake_tree_by_one_command(tmp_path):
    source = tmp_path / "get_answer.c"
    source.write_text("SYSCALL_DEFINE0(get_answer)\n{\n}\n")
    entry = {"name": "get_answer", "source": str(source), "kconfig": "GET_ANSWER", "depends": "PM"}
    done = try_syscalls(tmp_path, patch_syscalls_extra=[entry])
    assert done.returncode != 0
    output = " ".join((done.stdout + done.stderr).split())
    assert "get_answer would not be in the kernel" in output
    assert "(PM=n). Set config_options_extra: {PM: y}" in output

    done = try_syscalls(tmp_path, patch_syscalls_extra=[entry], config_options_extra={"PM": "y"})
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.endswith(
        "\nget_answer: number 466, CONFIG_GET_ANSWER=y, kernel/get_answer.c\n"
    )
    assert "Nothing was compiled." in done.stdout
    assert len(done.stdout.splitlines()) < 40
    tree = tmp_path / "cache/fake/work/trees/file-6.12/linux"
    config = (tree / ".config").read_text().splitlines()
    symbols = ("CAPTURE_MEMORY_SNAPSHOT", "TRACK_SYSCALL_USAGE", "GET_IO_THROTTLE", "GET_ANSWER")
    assert [symbol for symbol in symbols if f"CONFIG_{symbol}=y" not in config] == []
    assert (
        "\n466\tcommon\tget_answer\t"
        in (tree / "arch/x86/entry/syscalls/syscall_64.tbl").read_text()
    )
