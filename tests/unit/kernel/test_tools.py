# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs and the C header, on this machine.

Its kernel has no such syscalls. Where an answer is needed, `fake_syscalls.c` stands between a
program and the kernel.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._verify import syscalls as abi

pytestmark = pytest.mark.skipif(shutil.which("gcc") is None, reason="no compiler")

PROGRAMS = list(abi.SYSCALL_NAMES)
TAKES_PID = abi.THROTTLE
SECTIONS = ["NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "OUTPUT", "EXIT STATUS", "EXAMPLES"]
FREE = "400"  # a number in the gap between 334 and 424, that no kernel has
FAKE = "499"
FAILED, USAGE, MISSING = 1, 2, 3
NO_MANIFEST = not Path(abi.manifest_path(os.uname().release)).exists()


@pytest.fixture(scope="module")
def tools(kernel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The programs as `make` builds them, and in fake/ with a kernel that answers."""
    work = tmp_path_factory.mktemp("checkout")
    for folder in ("tools", "syscalls"):
        shutil.copytree(kernel / folder, work / folder)
    directory = work / "tools"
    subprocess.run(["make", "-s", "clean", "all"], cwd=directory, check=True)
    (directory / "fake").mkdir()
    fake = Path(__file__).with_name("fake_syscalls.c")
    for name in PROGRAMS:
        subprocess.run(
            ["gcc", "-Iinclude", "-I.", "-Wall", "-Wl,--wrap=syscall",
             "-o", f"fake/{name}", f"{name}.c", "common.c", str(fake)],
            cwd=directory, check=True,
        )  # fmt: skip
    return directory


def run(*command: Any, env: dict[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [str(word) for word in command],
        capture_output=True, text=True, check=False, timeout=20, stdin=subprocess.DEVNULL,
        env={**os.environ, **(env or {})},
    )  # fmt: skip


def start(*command: Any, **options: Any) -> subprocess.Popen[str]:
    # In the background of a shell SIGINT is ignored, and by all that is started there.
    words = ["env", "--default-signal=INT", *(str(word) for word in command)]
    return subprocess.Popen(
        words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, **options
    )


# --- arguments, and a kernel without the syscalls


@pytest.mark.parametrize("name", PROGRAMS)
def test_help_is_a_manual(tools: Path, name: str) -> None:
    done = run(tools / name, "--help")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert [line for line in lines if line and not line.startswith(" ")] == SECTIONS
    assert lines[1].startswith(f"       {name} - ")
    assert max(map(len, lines)) <= 80
    for option in ("--json", "--watch", "--number", "--help"):
        assert f", {option}" in done.stdout
    assert "nanoseconds" in done.stdout
    assert ("KiB" if name == abi.CAPTURE else "per second") in done.stdout
    synopsis = lines[lines.index("SYNOPSIS") + 1]
    assert ("[PID]" in synopsis) == (name == TAKES_PID)


def test_memory_figures_are_not_said_to_be_of_one_moment(tools: Path) -> None:
    manual = " ".join(run(tools / abi.CAPTURE, "--help").stdout.split())
    assert "at one moment" not in manual
    assert "reads them one after the other, as /proc/meminfo does" in manual
    assert "timestamp_ns is when the last was read" in manual


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--nonsense"], "unrecognized option '--nonsense'"),
        (["--json=yes"], "doesn't allow an argument"),
        (["--watch=0"], "SECONDS '0': must be a number from 0.01 to 86400"),
        (["--watch=-1"], "SECONDS '-1'"),
        (["--watch=nan"], "SECONDS 'nan'"),
        (["--watch=inf"], "SECONDS 'inf'"),
        (["--watch", ".001"], "SECONDS '.001'"),
        (["--watch", ".5x"], "SECONDS '.5x'"),
        (["--watch="], "SECONDS ''"),
        (["--number", "39"], "--number '39': must be a whole number from 337 to 511"),
        (["--number", "512"], "--number '512'"),
        (["--number", "x"], "--number 'x'"),
        (["--number"], "requires an argument"),
        (["1", "2"], "unexpected argument"),
    ],
)
@pytest.mark.parametrize("name", PROGRAMS)
def test_wrong_arguments(tools: Path, name: str, arguments: list[str], message: str) -> None:
    done = run(tools / name, *arguments)
    assert (done.returncode, done.stdout) == (USAGE, "")
    assert message in done.stderr
    assert done.stderr.startswith((f"{name}: ", f"{tools / name}: "))


@pytest.mark.parametrize("pid", ["x", "1x", "", "2147483648", "99999999999999999999"])
def test_no_number_is_no_pid(tools: Path, pid: str) -> None:
    done = run(tools / TAKES_PID, "--number", FREE, pid)
    assert done.returncode == USAGE
    assert f"PID '{pid}': must be a whole number" in done.stderr


@pytest.mark.skipif(not NO_MANIFEST, reason="this machine runs a kernel of ours")
@pytest.mark.parametrize("options", [[], ["--json"], ["--watch"]])
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_kernel_without_manifest(tools: Path, name: str, options: list[str]) -> None:
    done = run(tools / name, *options)
    assert (done.returncode, done.stdout) == (MISSING, "")
    path = abi.manifest_path(os.uname().release)
    assert done.stderr == (
        f"{name}: not supported by this kernel: {path}: No such file or directory (ENOENT)\n"
    )


@pytest.mark.parametrize("options", [[], ["--watch"]])
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_kernel_without_the_syscall(tools: Path, name: str, options: list[str]) -> None:
    done = run(tools / name, "--number", FREE, *options)
    assert (done.returncode, done.stdout) == (MISSING, "")
    assert done.stderr == (
        f"{name}: not supported by this kernel: there is no syscall of number 400 (ENOSYS)\n"
    )


@pytest.mark.parametrize("name", PROGRAMS)
def test_another_syscall_of_the_number(tools: Path, name: str) -> None:
    done = run(tools / "fake" / name, "--number", FAKE, env={"FAKE_RETURN": "77"})
    assert (done.returncode, done.stdout) == (MISSING, "")
    assert "number 499 is another syscall, which answers 77" in done.stderr


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (
            "EPERM",
            "process 7: no ptrace access to it (ptrace(2), PTRACE_MODE_READ_FSCREDS)",
        ),
        ("ESRCH", "process 7: no such process in this pid namespace"),
        ("EINVAL", "process 7: a PID is a number from 1"),
        ("EINTR", "process 7: Interrupted system call"),
    ],
)
def test_errors_are_named(tools: Path, error: str, message: str) -> None:
    done = run(tools / "fake" / TAKES_PID, "--number", FAKE, "7", env={"FAKE_ERROR": error})
    assert (done.returncode, done.stdout) == (FAILED, "")
    assert done.stderr == f"get_io_throttle: {message} ({error})\n"


@pytest.mark.parametrize("name", PROGRAMS)
def test_unused_arguments_are_zero(tools: Path, name: str) -> None:
    done = run(tools / "fake" / name, "--number", FAKE)  # the fake looks at them
    assert (done.returncode, done.stderr) == (0, "")


# --- what they print

ANSWERS: dict[str, list[str]] = {
    abi.CAPTURE: list(abi.MEMORY_FIELDS),
    abi.TRACK: list(abi.COUNTED),
    abi.THROTTLE: ["pid", *abi.IO_FIELDS],
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_text_and_json_say_the_same(tools: Path, name: str) -> None:
    program = tools / "fake" / name
    text = run(program, "--number", FAKE)
    as_json = run(program, "--number", FAKE, "--json")
    assert (text.returncode, as_json.returncode) == (0, 0), text.stderr
    assert as_json.stdout.count("\n") == 1
    values = json.loads(as_json.stdout)
    assert list(values) == ANSWERS[name]
    lines = []
    for key, value in values.items():
        shown_value = value
        if name == abi.TRACK:
            shown_value = " ".join(f"{field}={number}" for field, number in value.items())
        lines.append(f"{key}: {shown_value}")
    shown = text.stdout.splitlines()
    if name == abi.THROTTLE:
        assert re.fullmatch(r"pid: \d+", shown[0])
        lines[0] = shown[0]  # two processes
    assert shown == lines


# The fake's counters rise by 1000, 2000, … with each call, and so do its sizes; the first of a
# kind starts at 2^63 and more.


@pytest.mark.parametrize("name", PROGRAMS)
def test_large_numbers_are_whole(tools: Path, name: str) -> None:
    output = run(tools / "fake" / name, "--number", FAKE, "--json").stdout
    assert f" {2**63 + 1000}" in output


@pytest.mark.parametrize("name", PROGRAMS)
def test_watch_with_json_is_an_object_a_line(tools: Path, name: str) -> None:
    watched = start(tools / "fake" / name, "--number", FAKE, "--json", "--watch=0.05")
    assert watched.stdout is not None
    # Two clocks that a step of the system's time sets apart are not compared.
    first, *others = [json.loads(watched.stdout.readline()) for _ in range(4)]
    watched.send_signal(signal.SIGINT)
    _out, err = watched.communicate(timeout=5)
    assert (watched.returncode, err) == (0, "")
    assert list(first)[:2] == ["realtime_ns", "interval_ns"]
    assert abs(first["realtime_ns"] - time.time_ns()) < 3600e9
    assert first["interval_ns"] is None
    for line in others:
        assert [key for key in line if key in ANSWERS[name]] == ANSWERS[name]
        assert 0 < line["interval_ns"] < 5_000_000_000
        if name == abi.CAPTURE:
            assert list(line["change"]) == list(abi.MEMORY_FIELDS[:-1])
            assert line["change"]["total_kb"] == 1000
            assert line["change"]["free_kb"] == -2000
            assert first["change"] is None
            continue
        if name == abi.TRACK:
            rates = [line[kind]["per_second"] for kind in abi.COUNTED]
            assert first["open"]["per_second"] is None
        else:
            rates = [line["per_second"][field] for field in abi.IO_FIELDS]
            assert first["per_second"] is None
        for index, per_second in enumerate(rates, 1):
            expected = 1000 * index * 1e9 / line["interval_ns"]
            assert per_second == pytest.approx(expected, rel=1e-6, abs=0.001)


@pytest.mark.parametrize("name", PROGRAMS)
def test_watch_is_a_table(tools: Path, name: str) -> None:
    watched = start(tools / "fake" / name, "--number", FAKE, "--watch=0.05")
    assert watched.stdout is not None
    lines = [watched.stdout.readline() for _ in range(4)]
    watched.terminate()
    assert watched.wait(5) == 0
    head, *rows = [line.split() for line in lines]
    assert head[0] == "seconds"
    assert {len(row) for row in rows} == {len(head)}
    assert len({len(line) for line in lines}) == 1  # aligned
    if name == abi.CAPTURE:
        assert head[1:3] == ["available", "change"]
        assert [row[2] for row in rows] == ["-", "+3000", "+3000"]
        return
    assert all(column.endswith("/s") for column in head[1:])
    for before, row in zip(rows, rows[1:]):
        seconds = float(row[0]) - float(before[0])
        assert float(row[1]) == pytest.approx(1000 / seconds, rel=0.5)


# --- --watch and its number, and the PID


@pytest.mark.parametrize(
    ("arguments", "pid", "slow"),
    [
        (["--watch", "1"], 1, False),
        (["--watch", "1", "--number", FAKE, "--json"], 1, False),
        (["-w", "60", "1"], 1, True),
        (["1", "--watch", "60"], 1, True),
        (["--watch=60", "1"], 1, True),
        (["-w60", "1"], 1, True),
        (["--watch=60"], None, True),
        (["--watch", "--json", "1"], 1, False),
        (["--watch", ".5", "1"], 1, False),
        (["-w", ".5"], None, False),
        (["--watch", "0.5"], None, False),
        (["--watch", "60.0"], None, True),
        (["--watch", "60.", "1"], 1, True),
    ],
)
def test_seconds_and_pid_are_distinguished(
    tools: Path, arguments: list[str], pid: int | None, slow: bool
) -> None:
    program = tools / "fake" / TAKES_PID
    watched = start(program, "--number", FAKE, "--json", *arguments)
    assert watched.stdout is not None
    assert json.loads(watched.stdout.readline())["pid"] == (pid or watched.pid)
    time.sleep(1.3)
    watched.terminate()
    more = watched.communicate(timeout=5)[0]
    assert (more == "") == slow


def test_seconds_is_a_word_of_its_own_where_there_is_no_pid(tools: Path) -> None:
    watched = start(tools / "fake" / abi.TRACK, "--json", "--watch", "60", "--number", FAKE)
    assert watched.stdout is not None
    watched.stdout.readline()
    time.sleep(1.3)
    watched.terminate()
    assert watched.communicate(timeout=5)[0] == ""


def test_a_negative_pid_is_for_the_kernel_to_refuse(tools: Path) -> None:
    program = tools / "fake" / TAKES_PID
    done = run(program, "--number", FAKE, "--json", "--", "-1")
    assert json.loads(done.stdout)["pid"] == -1


def test_watch_ends_with_the_process(tools: Path) -> None:
    with subprocess.Popen(["sleep", "60"]) as child:
        watched = start(tools / "fake" / TAKES_PID, "-n", FAKE, "-j", "-w", "60", child.pid)
        assert watched.stdout is not None
        assert json.loads(watched.stdout.readline())["pid"] == child.pid
        child.kill()
        # Before anybody waits for it: its number is still taken.
        _out, err = watched.communicate(timeout=5)
    assert (watched.returncode, err) == (0, f"get_io_throttle: process {child.pid} ended\n")


@pytest.mark.parametrize("good", [1, 3])
def test_watch_ends_well_if_the_process_ended_between_two_looks(tools: Path, good: int) -> None:
    env = {"FAKE_ERROR": "ESRCH", "FAKE_GOOD": str(good)}
    done = run(tools / "fake" / TAKES_PID, "-n", FAKE, "-j", "--watch=0.05", "1", env=env)
    assert (done.returncode, done.stderr) == (0, "get_io_throttle: process 1 ended\n")
    assert done.stdout.count("\n") == good


def test_watch_of_a_process_that_never_was_fails(tools: Path) -> None:
    pid = int(Path("/proc/sys/kernel/pid_max").read_text())
    env = {"FAKE_ERROR": "ESRCH"}
    done = run(tools / "fake" / TAKES_PID, "-n", FAKE, "--watch=0.05", str(pid), env=env)
    assert (done.returncode, done.stdout) == (FAILED, "")
    assert done.stderr.endswith("no such process in this pid namespace (ESRCH)\n")


def test_watch_shows_nothing_of_another_process_with_the_number(tools: Path) -> None:
    env = {"FAKE_REAPED": "1"}
    done = run(tools / "fake" / TAKES_PID, "-n", FAKE, "-j", "--watch=0.05", "1", env=env)
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "get_io_throttle: process 1 ended\n"


THREAD = """
import sys, threading
end = threading.Event()
thread = threading.Thread(target=end.wait)
thread.start()
print(thread.native_id, flush=True)
sys.stdin.readline()
end.set()
thread.join()
print("ended", flush=True)
sys.stdin.readline()
"""


def test_watch_of_a_thread_is_of_its_process(tools: Path) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", THREAD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        tid = int(child.stdout.readline())
        watched = start(tools / "fake" / TAKES_PID, "-n", FAKE, "-j", "--watch=0.05", tid)
        assert watched.stdout is not None
        assert json.loads(watched.stdout.readline())["pid"] == child.pid
        child.stdin.write("\n")
        child.stdin.flush()
        assert child.stdout.readline() == "ended\n"
        for _ in range(5):
            assert json.loads(watched.stdout.readline())["pid"] == child.pid
        child.kill()
        _out, err = watched.communicate(timeout=5)
    assert (watched.returncode, err) == (0, f"get_io_throttle: process {child.pid} ended\n")


# --- signals and pipes


@pytest.mark.parametrize("options", [["--json"], []])
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_pipe_sees_each_line_at_once(tools: Path, name: str, options: list[str]) -> None:
    watched = start(tools / "fake" / name, "--number", FAKE, "--watch=1", *options)
    assert watched.stdout is not None
    started = time.monotonic()
    assert watched.stdout.readline().endswith("\n")
    assert time.monotonic() - started < 0.9
    watched.terminate()
    watched.communicate()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("name", PROGRAMS)
def test_a_signal_ends_it_clean(tools: Path, name: str, number: signal.Signals) -> None:
    watched = start(tools / "fake" / name, "--number", FAKE, "--json", "--watch=60")
    assert watched.stdout is not None
    watched.stdout.readline()
    watched.send_signal(number)
    assert watched.communicate(timeout=5) == ("", "")
    assert watched.returncode == 0


def test_a_signal_ends_it_while_nobody_reads(tools: Path) -> None:
    watched = start(tools / "fake" / abi.CAPTURE, "--number", FAKE, "--json", "--watch=0.01")
    reader = watched.stdout
    assert reader is not None
    time.sleep(2)  # 64 KiB are full
    watched.send_signal(signal.SIGINT)
    assert watched.wait(5) == 0
    assert reader.read().endswith("}\n")


@pytest.mark.parametrize("ignored", [False, True], ids=["by default", "SIGPIPE ignored"])
@pytest.mark.parametrize("options", [["--watch=0.05"], ["--watch=0.05", "--json"], ["--help"], []])
def test_a_reader_that_leaves_is_no_error(tools: Path, options: list[str], ignored: bool) -> None:
    reader, writer = os.pipe()
    os.close(reader)
    with os.fdopen(writer, "wb") as pipe:
        done = subprocess.run(
            [str(tools / "fake" / abi.TRACK), "--number", FAKE, *options],
            stdout=pipe, stderr=subprocess.PIPE, timeout=10, check=False,
            restore_signals=not ignored,
        )  # fmt: skip
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("options", [["--watch=0.05"], ["--help"], []])
def test_a_full_disk_is_an_error(tools: Path, options: list[str]) -> None:
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [str(tools / "fake" / abi.CAPTURE), "--number", FAKE, *options],
            stdout=full, stderr=subprocess.PIPE, text=True, timeout=10, check=False,
        )  # fmt: skip
    assert done.returncode == FAILED
    assert "cannot write: No space left on device (ENOSPC)" in done.stderr


# --- the header

SAMPLE = """
#include <stdio.h>
#include <oslab-kernel.h>

int main(void)
{
	struct mem_snapshot snap;
	struct syscall_usage_user usage[OSLAB_USAGE_ENTRIES];
	struct io_stats_user io;
	int missing = 0;

	missing += oslab_capture_memory_snapshot(&snap) < 0 && errno == ENOSYS;
	missing += oslab_track_syscall_usage(usage, OSLAB_USAGE_ENTRIES) < 0 && errno == ENOSYS;
	missing += oslab_get_io_throttle(getpid(), &io) < 0 && errno == ENOSYS;
	printf("%d\\n", missing);
	return 0;
}
"""
CALLED = """
#include <stdarg.h>
#include <oslab-kernel.h>

FILE *__wrap_fopen(const char *path, const char *mode)
{
	static char manifest[] =
		"{\\"syscalls\\": {\\"capture_memory_snapshot\\": 499, "
		"\\"track_syscall_usage\\": 499, \\"get_io_throttle\\": 499}}";

	(void)path;
	return fmemopen(manifest, sizeof(manifest) - 1, mode);
}

long __wrap_syscall(long number, ...)
{
	va_list args;
	int i;

	printf("%ld", number);
	va_start(args, number);
	for (i = 0; i < 6; i++)
		printf(" %lx", va_arg(args, long));
	va_end(args);
	printf("\\n");
	return 0;
}

int main(void)
{
	oslab_capture_memory_snapshot((struct mem_snapshot *)0x11);
	oslab_track_syscall_usage((struct syscall_usage_user *)0x22, 4);
	oslab_get_io_throttle(-1, (struct io_stats_user *)0x33);
	return 0;
}
"""


@pytest.mark.parametrize("level", ["-O0", "-O2"])
def test_header_sets_every_argument(tools: Path, tmp_path: Path, level: str) -> None:
    (tmp_path / "called.c").write_text(CALLED)
    program = tmp_path / "called"
    done = run(
        "gcc", "-std=gnu11", level, "-I", tools, "-I", tools / "include", "-Wl,--wrap=syscall",
        "-Wl,--wrap=fopen", "-o", program, tmp_path / "called.c",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert run(program).stdout.splitlines() == [
        "499 11 0 0 0 0 0",
        "499 22 4 0 0 0 0",
        "499 ffffffffffffffff 33 0 0 0 0",
    ]


WARNINGS = ["-Wall", "-Wextra", "-Wpedantic", "-Wconversion", "-Wshadow", "-Werror"]


@pytest.mark.parametrize(
    ("compiler", "standard"),
    [
        *(("gcc", name) for name in ("c99", "c11", "gnu17", "gnu2x")),
        *(("g++", name) for name in ("c++11", "c++17", "gnu++20")),
    ],
)
def test_header_compiles_without_a_warning(
    tools: Path, tmp_path: Path, compiler: str, standard: str
) -> None:
    if not shutil.which(compiler):
        pytest.skip(f"no {compiler}")
    source = tmp_path / ("sample.cc" if compiler == "g++" else "sample.c")
    # Twice, as headers get included.
    source.write_text("#include <oslab-kernel.h>" + SAMPLE)
    program = tmp_path / "sample"
    # Not with -I for the header itself: of system directories no warnings are shown.
    include = ["-I", str(tools), "-isystem", str(tools / "include")]
    done = run(compiler, f"-std={standard}", *WARNINGS, "-O2", *include, "-o", program, source)
    assert (done.returncode, done.stderr) == (0, "")
    if NO_MANIFEST:
        assert run(program).stdout == "3\n"


@pytest.mark.parametrize("mode", ["-m32", "-mx32"])
def test_header_asks_no_kernel_from_other_programs(tools: Path, tmp_path: Path, mode: str) -> None:
    # The C libraries of these modes need not be there: their headers are those of 64-bit
    # programs, but for a list of what is missing.
    (tmp_path / "gnu").mkdir()
    (tmp_path / "gnu" / f"stubs-{mode[2:]}.h").touch()
    done = run(
        "gcc", mode, "-E", "-I", tools, "-isystem", tools / "include", "-isystem", tmp_path,
        "-isystem", "/usr/include/x86_64-linux-gnu", "-x", "c", tools / "oslab-kernel.h",
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    body = done.stdout.split("oslab_syscall_number(const char", 1)[1].split("\n}", 1)[0]
    assert "fopen" not in body
    assert "errno = " in body or "errno_location" in body


def test_header_says_which_package_it_misses(tools: Path) -> None:
    done = run("gcc", "-fsyntax-only", "-x", "c", tools / "oslab-kernel.h")
    if Path("/usr/include/linux/oslab.h").exists():
        pytest.skip("this machine has the kernel's headers")
    assert done.returncode != 0
    assert "install the linux-libc-dev that was built with the kernel" in done.stderr


READER = """
#include <oslab-kernel.h>
int main(int argc, char **argv)
{
	(void)argc;
	printf("%ld\\n", oslab_number_in(stdin, argv[1]));
	return 0;
}
"""
NAMED = {"syscalls": {"other": 470, abi.TRACK: 464, "last": 471}}
MANIFESTS = {
    "as written": (json.dumps(NAMED, indent=2), 464),
    "compact": (json.dumps(NAMED, separators=(",", ":")), 464),
    "with more before": (json.dumps({"patches": [{"name": "x"}], "b": ["y"], **NAMED}), 464),
    "a quote in a text": (json.dumps({"banner": '"', **NAMED}), 464),
    "the name as a value": (json.dumps({"banner": abi.TRACK, **NAMED}), 464),
    "syscalls as a value": (json.dumps({"banner": "syscalls", "source": {"x": 1}, **NAMED}), 464),
    "quotes and braces in texts": (
        json.dumps({"banner": '"syscalls": {"track_syscall_usage": 400}}}[\\', **NAMED}),
        464,
    ),
    "the name elsewhere": (json.dumps({"a": {abi.TRACK: 400}, **NAMED}), 464),
    "deeper": (json.dumps({"syscalls": {"x": {abi.TRACK: 400}, abi.TRACK: 464}}), 464),
    "after the syscalls": (json.dumps({"syscalls": {}, "z": {abi.TRACK: 464}}), -1),
    "the name longer": (json.dumps({"syscalls": {abi.TRACK + "2": 464}}), -1),
    "the name shorter": (json.dumps({"syscalls": {abi.TRACK[:-1]: 464}}), -1),
    "no syscalls": (json.dumps({"schema": 1}), -1),
    "too low": (json.dumps({"syscalls": {abi.TRACK: 62}}), -1),
    "too high": (json.dumps({"syscalls": {abi.TRACK: 512}}), -1),
    "no number": (json.dumps({"syscalls": {abi.TRACK: "464"}}), -1),
    "null": (json.dumps({"syscalls": {abi.TRACK: None}}), -1),
    "empty": ("", -1),
    "cut": ('{"syscalls": {"track_sys', -1),
    "cut in an escape": ('{"syscalls": {"track_sys\\', -1),
}


@pytest.fixture(scope="module")
def reader(tools: Path) -> Path:
    source = tools / "reader.c"
    source.write_text(READER)
    program = tools / "reader"
    subprocess.run(
        ["gcc", "-fsanitize=address,undefined", "-Iinclude", "-I.", "-o", str(program), "reader.c"],
        cwd=tools,
        check=True,
    )
    return program


@pytest.mark.parametrize("case", MANIFESTS)
def test_header_reads_manifests_as_python_does(reader: Path, case: str) -> None:
    text, number = MANIFESTS[case]
    done = subprocess.run(
        [str(reader), abi.TRACK], input=text, capture_output=True, text=True, check=True
    )
    assert int(done.stdout) == number
    try:
        numbers = abi.parse_manifest(text, "/m").get("syscalls", {})
        python = abi.check_number(abi.TRACK, numbers.get(abi.TRACK))
    except abi.AbiError:
        python = -1
    if case != "no number":  # Python takes digits in quotes, which a template may give it
        assert python == number


def test_header_and_python_agree_on_what_may_be_called(tools: Path) -> None:
    text = (tools / "oslab-kernel.h").read_text()
    limits = dict(re.findall(r"#define (OSLAB_NUMBER_\w+)\s+(\d+)", text))
    assert limits == {
        "OSLAB_NUMBER_MIN": str(abi.FIRST_NUMBER),
        "OSLAB_NUMBER_MAX": str(abi.LAST_NUMBER),
    }
    assert set(re.findall(r'oslab_known_number\("(\w+)"', text)) == set(PROGRAMS)


# --- what the package installs


def test_make_install(tools: Path, kernel: Path, tmp_path: Path) -> None:
    module = kernel.parents[1] / "plugins/module_utils/_verify/syscalls.py"
    subprocess.run(
        ["make", "-s", f"DESTDIR={tmp_path}", f"PYTHON_MODULE={module}", "install"],
        cwd=tools, check=True,
    )  # fmt: skip
    files = sorted(str(p.relative_to(tmp_path)) for p in tmp_path.rglob("*") if p.is_file())
    assert files == [
        "usr/bin/capture_memory_snapshot",
        "usr/bin/get_io_throttle",
        "usr/bin/oslab-as-linux",
        "usr/bin/track_syscall_usage",
        "usr/include/oslab-kernel.h",
        "usr/lib/oslab-kernel/as_linux.so",
        "usr/lib/python3/dist-packages/oslab_kernel.py",
        "usr/libexec/oslab-kernel/python3",
    ]
    installed = tmp_path / "usr/lib/python3/dist-packages/oslab_kernel.py"
    assert installed.read_bytes() == module.read_bytes()
    assert "statically linked" in run("file", tmp_path / "usr/bin/get_io_throttle").stdout or (
        not shutil.which("file")
    )
