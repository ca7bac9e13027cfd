# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import subprocess
from pathlib import Path

from ansible_collections.oslab.kernel.plugins.module_utils._smoke import steps
from ansible_collections.oslab.kernel.tests.lib import smoke_line


def words(**changes: object) -> list[str]:
    return [" ".join(step.words) for step in steps.plan(smoke_line.contents(**changes))]


def test_plan() -> None:
    assert words() == [
        "show /proc/sys/kernel/ostype",
        "show /proc/sys/kernel/osrelease",
        "show /proc/meminfo",
        "run /usr/bin/capture_memory_snapshot --json",
        "show /proc/meminfo",
        "run /usr/bin/track_syscall_usage --json",
        "run /usr/bin/track_syscall_usage --json",
        "show /proc/1/io",
        "run /usr/bin/get_io_throttle --json 1",
        "show /proc/1/io",
        "call 465",
        "load /modules/capture_mem_mod.ko",
        "show /proc/capture_mem",
        "load /modules/other.ko",
        "show /proc/sys/kernel/tainted",
    ]
    keys = [step.key for step in steps.plan(smoke_line.contents())]
    assert len(keys) == len({*keys})


def test_without_programs_the_syscalls_are_called_all_the_same() -> None:
    assert [one for one in words(programs={}) if one.startswith(("run", "call"))] == [
        "call 462",
        "call 463",
        "call 464",
        "call 465",
    ]


def test_what_must_not_be_called_is_not() -> None:
    numbers = {"mine": 465, "kept": 466, "reboot": 169, "odd": "x"}
    manifest = {**smoke_line.MANIFEST, "syscalls": numbers, "not_called": ["mine"]}
    assert [one for one in words(manifest=manifest) if "call" in one] == ["call 466"]


def test_initrd(tmp_path: Path) -> None:
    found = smoke_line.contents()
    planned = steps.plan(found)
    archive = steps.initrd(found, b"\x7fELF init", planned)
    listed = subprocess.run(
        ["cpio", "--quiet", "--list"], input=archive, capture_output=True, check=True
    ).stdout.decode()
    assert {"init", "steps", "dev/kmsg", "usr/bin/get_io_throttle"} <= {*listed.split()}
    wanted = ["steps", "modules/other.ko", "lib/modules/6.8.0-49-usac1/oslab-kernel.json", "init"]
    subprocess.run(
        ["cpio", "--quiet", "--extract", "--make-directories", *wanted],
        input=archive,
        cwd=tmp_path,
        check=True,
    )
    assert (tmp_path / "steps").read_text().splitlines()[3].split("\t")[0] == "run"
    assert "Bienvenido" in (tmp_path / wanted[2]).read_text()
    assert (tmp_path / "init").stat().st_mode & 0o777 == 0o755
