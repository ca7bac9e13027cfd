# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""oslab-as-linux and the interpreter, on this machine.

Its kernel is called Linux. Where another name is needed, `renamed_kernel.c` stands between a
program and the kernel.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.tests.lib import renamed_host

pytestmark = pytest.mark.skipif(
    shutil.which("gcc") is None or os.uname().sysname != "Linux", reason="no compiler, or no Linux"
)

PYTHON = "/usr/bin/python3"
NAMES = "import json, os, platform as p; print(json.dumps([*os.uname(), p.system(), p.platform()]))"
EFAULT = """
import ctypes
libc = ctypes.CDLL(None, use_errno=True)
print(libc.uname(ctypes.c_void_p(1)), ctypes.get_errno())
"""


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> renamed_host.RenamedHost:
    return renamed_host.make(tmp_path_factory.mktemp("renamed"))


def run(*command: Any, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        capture_output=True, text=True, check=False, timeout=20,
        **{"stdin": subprocess.DEVNULL, **options},
    )  # fmt: skip


COMMANDS = [
    ["uname", "-s"],
    ["uname", "-a"],
    ["sh", "-c", "echo $(uname -s)"],
    [PYTHON, "-c", NAMES],
    [PYTHON, "-I", "-S", "-c", NAMES],
    ["perl", "-MPOSIX", "-e", 'print join "|", POSIX::uname()'],
]


@pytest.mark.parametrize("command", COMMANDS, ids=" ".join)
def test_all_is_as_with_the_stock_name(host: renamed_host.RenamedHost, command: list[str]) -> None:
    if not shutil.which(command[0]):
        pytest.skip(f"no {command[0]}")
    stock = run(*command)
    renamed = run(*command, env=host.environment())
    assert renamed_host.SYSNAME in renamed.stdout
    assert renamed.stdout != stock.stdout
    seen = run(host.as_linux, *command, env=host.environment())
    assert (seen.returncode, seen.stdout, seen.stderr) == (0, stock.stdout, "")


# What is longer than Linux must not show behind it: 64 bytes is the longest name.
@pytest.mark.parametrize("sysname", ["x", "N" * 64])
def test_nothing_of_the_other_name_is_left(host: renamed_host.RenamedHost, sysname: str) -> None:
    script = (
        "import ctypes\nnames = ctypes.create_string_buffer(6 * 65)\n"
        "ctypes.CDLL(None).uname(names)\nprint(names.raw[:65].rstrip(b'\\0'))"
    )
    seen = run(host.as_linux, PYTHON, "-c", script, env=host.environment(sysname))
    assert seen.stdout == "b'Linux'\n"


def test_an_error_is_the_kernel_s(host: renamed_host.RenamedHost) -> None:
    done = run(host.as_linux, PYTHON, "-c", EFAULT, env=host.environment())
    assert done.stdout == "-1 14\n"


def test_where_the_name_is_linux_nothing_is_changed(host: renamed_host.RenamedHost) -> None:
    for program in ([host.as_linux, PYTHON], [host.interpreter]):
        command = ["-c", "import json, os; print(json.dumps(dict(os.environ), sort_keys=1))"]
        assert run(*program, *command).stdout == run(PYTHON, *command).stdout


def test_the_environment_gets_one_entry_once(host: renamed_host.RenamedHost) -> None:
    seen = run(host.as_linux, host.as_linux, "env", env=host.environment()).stdout.splitlines()
    plain = run("env", env=host.environment()).stdout.splitlines()
    assert [line for line in seen if line not in plain] == [
        f"LD_PRELOAD={host.library}:{host.kernel}"
    ]
    assert [line for line in plain if line not in seen] == [f"LD_PRELOAD={host.kernel}"]


def test_the_library_asks_for_no_c_library(host: renamed_host.RenamedHost) -> None:
    dynamic = run("readelf", "-dW", host.library).stdout
    assert "(SYMTAB)" in dynamic
    for word in ("(NEEDED)", "(VERNEED)", "(RPATH)", "(RUNPATH)", "(TEXTREL)", "(INIT)"):
        assert word not in dynamic
    symbols = run("nm", "-D", host.library).stdout.split()
    assert [word for word in symbols if word.isalpha() and len(word) > 1] == ["syscall", "uname"]


def test_the_interpreter_is_the_system_s(host: renamed_host.RenamedHost) -> None:
    script = "import json, sys; print(json.dumps([sys.executable, sys.prefix, sys.path, sys.argv]))"
    arguments = ["a b", "", "*", "--help"]
    plain = run(PYTHON, "-c", script, *arguments)
    seen = run(host.interpreter, "-c", script, *arguments, env=host.environment())
    assert json.loads(seen.stdout) == json.loads(plain.stdout)
    assert json.loads(seen.stdout)[0] == PYTHON


def test_the_interpreter_reads_a_program_from_its_input(
    host: renamed_host.RenamedHost, tmp_path: Path
) -> None:
    program = tmp_path / "program"
    program.write_text("import platform; print(platform.system())")
    with program.open() as stream:  # as Ansible pipes a module
        assert run(host.interpreter, env=host.environment(), stdin=stream).stdout == "Linux\n"


def test_a_program_may_name_the_interpreter_in_its_first_line(
    host: renamed_host.RenamedHost, tmp_path: Path
) -> None:
    program = tmp_path / "program"
    program.write_text(f"#!{host.interpreter}\nimport platform; print(platform.system())")
    program.chmod(0o755)
    assert run(program, env=host.environment()).stdout == "Linux\n"


@pytest.mark.parametrize(
    ("command", "status", "message"),
    [
        (["sh", "-c", "exit 7"], 7, ""),
        (["--", "true"], 0, ""),
        (["no-such-command"], 127, "not found"),
        (["/dev/null"], 126, "ermission denied"),
        ([], 2, "COMMAND is missing; see --help"),
        (["--nonsense"], 2, "unrecognized option '--nonsense'"),
    ],
)
def test_exit_status(
    host: renamed_host.RenamedHost, command: list[str], status: int, message: str
) -> None:
    for environment in (dict(os.environ), host.environment()):
        done = run(host.as_linux, *command, env=environment)
        assert (done.returncode, done.stdout) == (status, "")
        assert message in done.stderr if message else done.stderr == ""


def test_a_lost_library_is_reported(host: renamed_host.RenamedHost, tmp_path: Path) -> None:
    script = tmp_path / "oslab-as-linux"
    lost = str(tmp_path / "lost.so")
    script.write_text(host.as_linux.read_text().replace(str(host.library), lost))
    script.chmod(0o755)
    done = run(script, "true", env=host.environment())
    assert (done.returncode, done.stdout) == (126, "")
    assert done.stderr == f"oslab-as-linux: {lost} is missing: reinstall oslab-kernel-tools\n"
    assert run(script, "true").returncode == 0  # not needed where the name is Linux


def test_help_is_a_manual(host: renamed_host.RenamedHost) -> None:
    done = run(host.as_linux, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    sections = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "EXIT STATUS", "EXAMPLES"]
    assert [line for line in lines if line and not line.startswith(" ")] == sections
    assert lines[1].startswith("       oslab-as-linux - ")
