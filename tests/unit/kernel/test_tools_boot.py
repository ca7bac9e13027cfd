# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs, the C header and the Python module on a kernel that has the syscalls.

OSLAB_BUILT_TREE names a tree that the role build has compiled. Its kernel is booted by QEMU, with
nothing but what is tried here in its memory; `pytest -s` shows all that was said.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._verify import syscalls as abi

TREE = Path(os.environ.get("OSLAB_BUILT_TREE", "/nonexistent"))
IMAGE = TREE / "arch/x86/boot/bzImage"

pytestmark = [
    pytest.mark.skipif(not IMAGE.is_file(), reason="OSLAB_BUILT_TREE names no compiled kernel"),
    pytest.mark.skipif(not shutil.which("qemu-system-x86_64"), reason="no QEMU"),
]

PAGE = (Path(__file__).resolve().parents[3] / "docs/reference/tools.md").read_text()
SAMPLE_C, SAMPLE_PY = (
    re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)[0]
    for language in ("c", "python")
)
PYTHON = "/usr/bin/python3"
MANIFEST = json.loads((TREE / "oslab-kernel.json").read_text()) if IMAGE.is_file() else {}
OTHER = MANIFEST.get("syscalls", {}).get(abi.CAPTURE)

COMMANDS = [
    "capture_memory_snapshot",
    "capture_memory_snapshot --json",
    "3s capture_memory_snapshot --watch",
    "track_syscall_usage",
    "track_syscall_usage --json",
    "4s track_syscall_usage --watch",
    "2s track_syscall_usage --json --watch",
    "get_io_throttle LOAD",
    "4s get_io_throttle --watch LOAD",
    "2s get_io_throttle --json --watch LOAD",
    "nobody get_io_throttle --json",
    "nobody get_io_throttle 1",
    "get_io_throttle 99999",
    "get_io_throttle 0",
    "get_io_throttle --number 400 1",
    f"track_syscall_usage --number {OTHER}",
    "sample",
    f"{PYTHON} -I -S /sample.py",
]


def initrd(kernel: Path, work: Path) -> Path:
    """All that the machine has: the tools, two samples, and what Python needs for the second."""
    root = work / "root"
    for folder in ("tools", "syscalls"):
        shutil.copytree(kernel / folder, work / "checkout" / folder)
    tools = work / "checkout/tools"
    module = kernel.parents[1] / "plugins/module_utils/_verify/syscalls.py"
    subprocess.run(
        ["make", "-s", f"DESTDIR={root}", f"PYTHON_MODULE={module}", "clean", "install"],
        cwd=tools, check=True,
    )  # fmt: skip
    (work / "sample.c").write_text(SAMPLE_C)
    include = ["-I", root / "usr/include", "-I", tools / "include"]
    for source, program, flags in (
        (work / "sample.c", "usr/bin/sample", include),
        (Path(__file__).with_name("boot_tools.c"), "init", []),
    ):
        subprocess.run(
            ["gcc", "-O2", "-Wall", "-static", *map(str, flags), "-o", str(root / program),
             str(source)], check=True,
        )  # fmt: skip

    packages = root / "usr/lib/python3/dist-packages"
    # Debian's Python looks there by itself, where it has all of its own modules.
    path = f"/{packages.relative_to(root)}"
    (root / "sample.py").write_text(f"import sys; sys.path.append({path!r})\n{SAMPLE_PY}")
    needed = subprocess.run(
        [PYTHON, "-I", "-S", "-B", "-c",
         f"import sys; sys.path.append({str(packages)!r})\n"
         "import oslab_kernel, pathlib, re\n"
         "print(pathlib.Path(sys.executable).resolve())\n"
         "print(*re.findall(r'/\\S+\\.so\\S*$', open('/proc/self/maps').read(), re.M), sep='\\n')\n"
         "for m in list(sys.modules.values()):\n"
         "    if getattr(m, '__file__', None): print(m.__file__)\n"],
        capture_output=True, text=True, check=True,
    ).stdout.split()  # fmt: skip
    for name in {*needed, "/lib64/ld-linux-x86-64.so.2"}:
        if not name.startswith(str(root)):
            copy = root / name.lstrip("/")
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(name, copy)
            short = re.match(r".*\.so\.\d+(?=\.)", copy.name)
            if short:
                copy.with_name(short[0]).symlink_to(copy.name)  # as programs ask for it
    (root / PYTHON.lstrip("/")).symlink_to(needed[0])

    place = root / abi.manifest_path(MANIFEST["release"]).lstrip("/")
    place.parent.mkdir(parents=True)
    shutil.copy(TREE / "oslab-kernel.json", place)
    (root / "commands").write_text("\n".join(COMMANDS) + "\n")
    for name in ("proc", "dev", "etc"):
        (root / name).mkdir()
    archive = work / "initrd"
    names = "\n".join(str(path.relative_to(root)) for path in [root, *root.rglob("*")])
    with archive.open("wb") as stream:
        subprocess.run(
            ["cpio", "--quiet", "-o", "-H", "newc"],
            input=names.encode(), stdout=stream, cwd=root, check=True,
        )  # fmt: skip
    return archive


@pytest.fixture(scope="module")
def outputs(kernel: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Command → (exit status, lines)."""
    work = tmp_path_factory.mktemp("boot")
    archive = initrd(kernel, work)
    done = subprocess.run(
        ["qemu-system-x86_64", "-accel", "tcg", "-cpu", "max", "-smp", "2", "-m", "512",
         "-nographic", "-no-reboot", "-nodefaults", "-serial", "stdio",
         "-kernel", str(IMAGE), "-initrd", str(archive),
         "-append", "console=ttyS0 quiet loglevel=1 panic=-1"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, check=False, timeout=180,
    )  # fmt: skip
    output = done.stdout.decode(errors="replace").replace("\r", "")
    begin, end = output.find("\nBEGIN\n"), output.find("\nEND\n")
    assert 0 <= begin < end, output[-3000:]
    print("\n" + output[begin + 7 : end])
    answers = {}
    chunks = re.split(r"^(?:#|nobody\$) ", output[begin + 7 : end + 1], flags=re.MULTILINE)[1:]
    for command, chunk in zip(COMMANDS, chunks):
        lines = chunk.splitlines()
        found = re.fullmatch(r"exit status (\d+)", lines[-1])
        assert found, chunk
        answers[command] = (int(found[1]), lines[1:-1])
    assert list(answers) == COMMANDS
    return answers


def test_memory(outputs: dict[str, Any]) -> None:
    status, lines = outputs["capture_memory_snapshot"]
    assert (status, [line.split(":")[0] for line in lines]) == (0, list(abi.MEMORY_FIELDS))
    status, lines = outputs["capture_memory_snapshot --json"]
    values = json.loads(lines[0])
    assert status == 0
    assert 0 < values["free_kb"] <= values["available_kb"] + 2**18
    assert 400_000 < values["total_kb"] < 512 * 1024
    status, lines = outputs["3s capture_memory_snapshot --watch"]
    assert status == 0
    assert len(lines) in (4, 5)  # a head, and one each at 0, 1, 2 and perhaps 3 seconds


def test_usage(outputs: dict[str, Any]) -> None:
    status, lines = outputs["track_syscall_usage"]
    assert (status, [line.split(":")[0] for line in lines]) == (0, list(abi.COUNTED))
    status, lines = outputs["4s track_syscall_usage --watch"]
    assert status == 0
    # What the load does at most; a slow machine does less.
    for line in lines[2:]:
        _seconds, opens, reads, writes, forks = map(float, line.split())
        assert 10 < opens <= 101
        assert 1.4 < reads / opens < 1.6
        assert 0.4 < writes / opens < 0.6
        assert 0.4 < forks / opens < 0.6
    status, lines = outputs["2s track_syscall_usage --json --watch"]
    assert status == 0
    assert json.loads(lines[0])["fork"]["per_second"] is None
    assert json.loads(lines[1])["fork"]["per_second"] > 5


def test_io(outputs: dict[str, Any]) -> None:
    status, lines = outputs["get_io_throttle LOAD"]
    assert (status, [line.split(":")[0] for line in lines]) == (0, ["pid", *abi.IO_FIELDS])
    values = dict(line.split(": ") for line in lines)
    # Reads of 1000 bytes; writes of 500.
    assert int(values["rchar"]) == 1000 * int(values["syscr"])
    assert int(values["wchar"]) == 500 * int(values["syscw"])
    status, lines = outputs["4s get_io_throttle --watch LOAD"]
    assert (status, lines[0].split()[1:3]) == (0, ["rchar/s", "wchar/s"])
    for line in lines[1:]:
        _seconds, rchar, wchar, *_rest = map(float, line.split())
        assert rchar / wchar == pytest.approx(6, rel=0.1)
    status, lines = outputs["2s get_io_throttle --json --watch LOAD"]
    assert (status, json.loads(lines[0])["per_second"]) == (0, None)
    assert json.loads(lines[1])["per_second"]["syscr"] > 10


@pytest.mark.parametrize(
    ("command", "status", "message"),
    [
        ("nobody get_io_throttle 1", 1, "(EPERM)"),
        ("get_io_throttle 99999", 1, "no such process in this pid namespace (ESRCH)"),
        ("get_io_throttle 0", 1, "(EINVAL)"),
        ("get_io_throttle --number 400 1", 3, "not supported by this kernel"),
        # The number of another one of ours.
        (f"track_syscall_usage --number {OTHER}", 3, "is another syscall, which answers 0"),
    ],
)
def test_refusals(outputs: dict[str, Any], command: str, status: int, message: str) -> None:
    code, lines = outputs[command]
    assert (code, len(lines)) == (status, 1)
    assert message in lines[0]


def test_anybody_may_see_the_own_process(outputs: dict[str, Any]) -> None:
    status, lines = outputs["nobody get_io_throttle --json"]
    assert (status, list(json.loads(lines[0]))) == (0, ["pid", *abi.IO_FIELDS])


@pytest.mark.parametrize("command", ["sample", f"{PYTHON} -I -S /sample.py"])
def test_header_and_module(outputs: dict[str, Any], command: str) -> None:
    status, lines = outputs[command]
    assert (status, len(lines)) == (0, 3)
    assert re.fullmatch(r"\d+ KiB available", lines[0])
    forks = re.fullmatch(r"(\d+) forks", lines[1])
    assert forks
    _status, before = outputs["track_syscall_usage --json"]
    count = json.loads(before[0])["fork"]["count"]
    assert count < int(forks[1]) < count + 5000
    assert "No such process" in lines[2]
