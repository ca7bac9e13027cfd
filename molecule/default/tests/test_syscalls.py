# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The three syscalls, called from a program of its own inside the machine."""

from __future__ import annotations

import json
from typing import Any

import pytest

testinfra_hosts = ["ansible://kernel_targets"]

CALLS = 100
# A quiet machine's other processes, in the quietest of several attempts.
NOISE = 10


def test_memory_is_that_of_proc_meminfo(guest: Any) -> None:
    assert guest("memory_agrees()") == {}


def test_memory_has_the_time_of_the_call(guest: Any) -> None:
    before, stamp, after = guest(
        "[time.monotonic_ns(), capture()['timestamp'], time.monotonic_ns()]"
    )
    assert before <= stamp <= after


def test_counters_are_named_and_in_order(guest: Any) -> None:
    assert guest("list(track())") == ["open", "read", "write", "fork"]


@pytest.mark.parametrize(
    ("action", "counter"),
    [
        ("do_open", "open"),
        ("do_openat", "open"),
        ("do_openat2", "open"),
        ("do_creat", "open"),
        ("do_open_missing", "open"),
        ("do_read", "read"),
        ("do_read_badly", "read"),
        ("do_write", "write"),
        ("do_fork", "fork"),
        ("do_vfork", "fork"),
        ("do_clone", "fork"),
        ("do_clone3", "fork"),
        ("do_spawn", "fork"),
    ],
)
def test_each_call_is_counted_once(guest: Any, action: str, counter: str) -> None:
    # do_spawn runs a program, which is slow, and opens and reads.
    spawns = action == "do_spawn"
    calls = 20 if spawns else CALLS
    rises = guest(f"rises({action}, {calls})")
    assert calls <= rises.pop(counter) <= calls + NOISE
    if not spawns:
        assert all(rise <= NOISE for rise in rises.values()), rises


@pytest.mark.parametrize("action", ["do_pread", "do_readv", "do_writev", "do_thread"])
def test_other_calls_are_not_counted(guest: Any, action: str) -> None:
    rises = guest(f"rises({action}, {CALLS})")
    assert all(rise <= NOISE for rise in rises.values()), rises


@pytest.mark.parametrize("counter", ["open", "read", "write", "fork"])
def test_calls_by_the_32_bit_entry_are_counted(guest: Any, counter: str) -> None:
    rises = guest(f"rises(do_{counter}_32, {CALLS}) if has_32_bit() else {{}}")
    if not rises:
        pytest.skip("the kernel was built without the 32-bit entry")
    assert CALLS <= rises[counter] <= CALLS + NOISE


def test_each_counter_has_the_time_of_its_last_call(guest: Any) -> None:
    assert all(guest("stamps_follow()").values())


def test_io_is_that_of_the_whole_process(guest: Any) -> None:
    io = guest("stopped_writer()")
    assert io["told"] == io["shown"]
    # Two threads, one of them gone, each 50 times 1,000 bytes out and in.
    assert io["done"]["wchar"] >= 100_000
    assert io["done"]["syscw"] >= 100
    assert io["done"]["rchar"] >= 100_000
    assert io["done"]["syscr"] >= 100


@pytest.mark.parametrize(
    ("expression", "answer"),
    [
        ("call(CAPTURE, 0)", "EFAULT"),
        ("call(CAPTURE, 1 << 62)", "EFAULT"),
        ("call(TRACK, 0, 4)", "EFAULT"),
        ("call(TRACK, ctypes.addressof(HOW), 3)", "EINVAL"),
        ("call(TRACK, 0, -1)", "EINVAL"),
        ("call(THROTTLE, os.getpid(), 0)", "EFAULT"),
        ("throttle(0)", "EINVAL"),
        ("throttle(-1)", "EINVAL"),
        ("throttle(dead_pid())", "ESRCH"),
        ("throttle(2 ** 31 - 1)", "ESRCH"),
    ],
)
def test_bad_arguments_are_refused(guest: Any, expression: str, answer: str) -> None:
    assert guest(expression) == answer


def test_io_of_others_is_refused_as_proc_refuses_it(guest: Any) -> None:
    assert guest("as_nobody(lambda: throttle(1))") == "EPERM"
    assert guest("as_nobody(lambda: throttle(os.getppid()))") == "EPERM"
    assert guest("as_nobody(lambda: os.access('/proc/1/io', os.R_OK))") is False


def test_everybody_may_ask_about_memory_and_counters(guest: Any) -> None:
    assert guest("as_nobody(capture)")["total"] > 0
    assert list(guest("as_nobody(track)")) == ["open", "read", "write", "fork"]


def test_io_of_a_pid_outside_the_namespace_is_not_found(guest: Any) -> None:
    assert "rchar" in guest("in_pid_namespace(lambda: throttle(1))")
    assert guest("[in_pid_namespace(lambda: throttle(p)) for p in [os.getpid()]]") == ["ESRCH"]


@pytest.mark.parametrize(
    "command",
    [["capture_memory_snapshot"], ["track_syscall_usage"], ["get_io_throttle"]],
)
def test_tools_print_text_and_json(host: Any, command: list[str]) -> None:
    text = host.check_output(" ".join(command)).splitlines()
    told = json.loads(host.check_output(" ".join([*command, "--json"])))
    assert [line.split(":")[0] for line in text] == list(told)


def test_tool_shows_the_io_of_a_process(host: Any) -> None:
    told = json.loads(host.check_output("get_io_throttle --json 1"))
    shown = dict(line.split(": ", 1) for line in host.check_output("cat /proc/1/io").splitlines())
    assert told["pid"] == 1
    assert 0 < told["rchar"] <= int(shown["rchar"])


def test_tools_name_the_error(host: Any) -> None:
    ended = host.run("get_io_throttle 2147483647")
    assert ended.rc == 1
    assert "ESRCH" in ended.stderr
    ended = host.run("setpriv --reuid=65534 --regid=65534 --clear-groups get_io_throttle 1")
    assert ended.rc == 1
    assert "EPERM" in ended.stderr
