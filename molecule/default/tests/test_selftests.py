# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel's own tests, run inside the machine; each of their lines is a test in the report.

The machine has no compiler: the programs are built here, static.
"""

from __future__ import annotations

import re
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.tests.lib.own_modules import MODULES

testinfra_hosts = ["ansible://kernel_targets"]

SELFTESTS = Path(__file__).resolve().parents[3] / "files/kernel/selftests"
PROGRAMS = re.findall(
    r"^PROGRAMS := (.+)$", (SELFTESTS / "Makefile").read_text(encoding="utf-8"), re.MULTILINE
)[0].split()
THERE = "/root/oslab-selftests"
ARGUMENTS = {
    "modules": ["{modules}"],
    # Emulated, each takes a minute; the kernel that looks for its own faults gets more of them.
    "reload": ["{modules}", "60"],
    "fuzz": ["30000", "202010856"],
}
# Far more than any takes under emulation: a test that hangs ends, with all that it started.
LIMITED = "timeout --kill-after=10 1800"
# While these count, nothing else is to run that opens, reads, writes or forks.
COUNTING = ("counting", "ia32", "abis", "parallel")
# Freezes all services but those that this connection needs, and thaws them whatever happens.
QUIETLY = """
set_all() {
    for unit in /sys/fs/cgroup/system.slice/*.service /sys/fs/cgroup/system.slice/*.slice; do
        case $unit in
            */ssh*|*/dbus*|*/systemd-logind*) ;;
            *) [ ! -e $unit/cgroup.freeze ] || echo $1 > $unit/cgroup.freeze ;;
        esac
    done
}
trap 'set_all 0' EXIT
set_all 1
"""


@pytest.fixture(scope="module")
def programs(host: Any, tmp_path_factory: pytest.TempPathFactory) -> str:
    """The directory in the machine that holds them."""
    build = tmp_path_factory.mktemp("selftests")
    subprocess.run(
        ["make", "-s", f"O={build}", "LDFLAGS=-s"], cwd=SELFTESTS, check=True, capture_output=True
    )
    archive = build / "programs.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        for name in PROGRAMS:
            tar.add(build / name, name)
    assert host.run("mkdir -p %s", THERE).rc == 0
    host.ansible("ansible.builtin.unarchive", f"src={archive} dest={THERE}", check=False)
    return THERE


@pytest.fixture(scope="module")
def modules_afterwards(host: Any) -> Iterator[None]:
    """Loaded as they were at boot, whatever a test has left."""
    yield
    for module in MODULES:
        host.run("modprobe -r %s", module)
        assert host.run("modprobe %s", module).rc == 0


@pytest.mark.parametrize("program", PROGRAMS)
def test_selftest(
    host: Any,
    manifest: Any,
    programs: str,
    modules_afterwards: None,
    subtests: pytest.Subtests,
    program: str,
) -> None:
    numbers = manifest["syscalls"]
    directory = f"/lib/modules/{manifest['release']}/extra/oslab"
    words = [
        f"{LIMITED} {programs}/{program}",
        *(str(numbers[name]) for name in ("capture_memory_snapshot", "track_syscall_usage")),
        str(numbers["get_io_throttle"]),
        *(word.format(modules=directory) for word in ARGUMENTS.get(program, [])),
    ]
    script = (QUIETLY if program in COUNTING else "") + " ".join(words)
    ended = host.run("sh -c %s", script)

    lines = ended.stdout.splitlines()
    results = [line for line in lines if re.match(r"(not )?ok ", line)]
    for line in results:
        with subtests.test(msg=line):
            if "# SKIP" in line:
                pytest.skip(line.split("# SKIP ")[1])
            assert line.startswith("ok ")
    assert f"1..{len(results)}" in lines, ended.stdout[-2000:] + ended.stderr
    assert ended.rc == 0, "\n".join(line for line in lines if not line.startswith("ok "))


def test_the_kernel_is_still_content(complaints: Any) -> None:
    assert complaints() == ""
