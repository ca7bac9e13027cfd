# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What syscall_info returns: values, which syscalls are there, and why not."""

from __future__ import annotations

import errno
from typing import Any, Callable

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._verify import syscalls as abi
from ansible_collections.oslab.kernel.tests.lib.fake_kernel import (
    MANIFEST,
    MANIFEST_PATH,
    RELEASE,
    FakeKernel,
    ask,
)


def test_values_are_typed_and_complete() -> None:
    result = ask(FakeKernel(), pid=1)
    syscalls = result["syscalls"]
    memory = syscalls[abi.CAPTURE]["result"]
    assert list(memory) == list(abi.MEMORY_FIELDS)
    assert memory["total_kb"] == 1_000_000
    assert syscalls[abi.TRACK]["returned"] == 4
    assert [entry["name"] for entry in syscalls[abi.TRACK]["result"]] == list(abi.COUNTED)
    assert syscalls[abi.THROTTLE]["result"] == {
        **{field: 1 + i for i, field in enumerate(abi.IO_FIELDS)},
        "pid": 1,
    }
    # The counters are read again after the checks.
    assert list(syscalls[abi.CAPTURE]["after"]) == list(abi.MEMORY_FIELDS)
    before, after = (syscalls[abi.TRACK][when][0]["count"] for when in ("result", "after"))
    assert after > before
    assert {state["number"] for state in syscalls.values()} == {462, 463, 464}
    assert all(state["errno"] == 0 and state["errno_name"] is None for state in syscalls.values())
    assert result["release"] == RELEASE
    assert result["boot_id"] == "b007"


def test_a_pid_without_a_process_expects_esrch() -> None:
    result = ask(FakeKernel(), pid=999)
    assert result["failed_checks"] == []
    assert result["syscalls"][abi.THROTTLE]["errno_name"] == "ESRCH"
    assert result["syscalls"][abi.THROTTLE]["result"] is None
    assert f"{abi.THROTTLE} pid 999" in ask(FakeKernel("dead pid"), pid=999)["failed_checks"]


def test_a_kernel_without_manifest_is_unsupported() -> None:
    kernel = FakeKernel("enosys")
    kernel.manifest, kernel.entries = None, []
    result = ask(kernel)
    assert result["supported"] is False
    assert result["reason"] == f"no manifest at {MANIFEST_PATH}"
    assert result["checks"] == []
    assert result["syscalls"] == {}


def test_a_manifest_on_a_kernel_without_the_syscalls_fails() -> None:
    kernel = FakeKernel("enosys")
    kernel.entries = []
    result = ask(kernel)
    assert result["supported"] is False
    assert "462 (ENOSYS)" in result["reason"]
    assert result["failed_checks"] == [f"{name} answers" for name in sorted(abi.SYSCALL_NAMES)]
    assert result["syscalls"][abi.TRACK]["errno_name"] == "ENOSYS"


def test_numbers_of_other_syscalls_are_unsupported() -> None:
    kernel = FakeKernel()
    kernel.manifest = None
    # capture_memory_snapshot behind the number of another: it answers, but not as that should.
    result = ask(kernel, numbers={abi.TRACK: 462, abi.THROTTLE: 463}, compare=False)
    assert result["supported"] is False
    assert "462 answers 0: another syscall" in result["reason"]
    assert "463 answers EFAULT: another syscall" in result["reason"]


def test_a_number_that_kills_is_unsupported() -> None:
    kernel = FakeKernel("killed")
    kernel.entries = []
    result = ask(kernel)
    assert result["supported"] is False
    assert "ended the process that called it (SIGILL)" in result["reason"]


def with_own(number: Any = 465, **more: Any) -> FakeKernel:
    """A kernel whose manifest has a syscall of the user's besides the three."""
    kernel = FakeKernel()
    kernel.manifest = {**MANIFEST, "syscalls": {**MANIFEST["syscalls"], "mine": number}, **more}  # type: ignore[dict-item]
    return kernel


def check_of(result: dict[str, Any], name: str) -> dict[str, Any]:
    (check,) = [check for check in result["checks"] if check["name"] == name]
    return dict(check)


@pytest.mark.parametrize("answer", [abi.Answer(0, 0), abi.Answer(-1, errno.EFAULT)])
def test_a_syscall_of_the_user_has_to_be_there(answer: abi.Answer) -> None:
    kernel = with_own()
    seen = []

    def call(number: int, *words: int) -> abi.Answer:
        if number == 465:
            seen.append(words)
            return answer
        return FakeKernel._call(kernel, number, *words)

    kernel.syscall_function = lambda: call  # type: ignore[method-assign]
    result = ask(kernel)
    assert result["failed_checks"] == []
    assert result["supported"] is True
    assert result["syscalls"]["mine"]["errno"] == answer.errno
    assert check_of(result, "mine answers")["ok"] is True
    assert seen == [()], "called once, and with nothing, which raw_syscall makes zeros of"


def test_a_syscall_of_the_user_that_is_not_there_fails() -> None:
    result = ask(with_own())
    assert result["supported"] is False
    assert result["failed_checks"] == ["mine answers"]
    assert "no syscall 465 (ENOSYS)" in check_of(result, "mine answers")["detail"]


@pytest.mark.parametrize(
    ("ended", "message"),
    [
        (abi.Isolated(None, None, late=True), "did not return within 30 seconds"),
        (abi.Isolated(None, "SIGSEGV"), "ended the process that called it (SIGSEGV)"),
    ],
)
def test_a_syscall_of_the_user_that_does_not_return_fails(
    ended: abi.Isolated, message: str
) -> None:
    kernel = with_own()
    calls: list[None] = []

    def isolated(function: Callable[[], Any]) -> abi.Isolated:
        calls.append(None)
        return ended if len(calls) == 3 else FakeKernel.isolated(kernel, function)

    kernel.isolated = isolated  # type: ignore[method-assign]
    result = ask(kernel)  # by name, it is the third
    assert result["failed_checks"] == ["mine answers"]
    assert message in check_of(result, "mine answers")["detail"]


def test_a_syscall_that_must_not_be_called_is_not() -> None:
    kernel = with_own(not_called=["mine", abi.CAPTURE])
    result = ask(kernel)
    assert result["failed_checks"] == []
    assert result["supported"] is True
    assert result["syscalls"]["mine"]["returned"] is None
    check = check_of(result, "mine answers")
    assert (check["ok"], check["actual"]) == (None, "not called")
    assert "verify_call" in check["detail"]
    # What is known is harmless, whatever a manifest says.
    assert result["syscalls"][abi.CAPTURE]["supported"] is True


def test_a_number_that_is_never_called_is_reported() -> None:
    result = ask(with_own(335))
    assert result["failed_checks"] == []
    assert check_of(result, "mine answers")["ok"] is None
    assert ask(with_own("x"))["failed_checks"] == ["mine answers"]


def test_numbers_out_of_range() -> None:
    with pytest.raises(abi.AbiError, match=r"numbers\.get_io_throttle is 62; only 337 to 511"):
        ask(FakeKernel(), numbers={abi.THROTTLE: 62})
    kernel = FakeKernel()
    kernel.manifest = dict(MANIFEST, syscalls={abi.CAPTURE: 62})
    result = ask(kernel)
    assert result["supported"] is False
    assert "only 337 to 511 are called" in result["reason"]
    assert result["failed_checks"][0] == f"{abi.CAPTURE} answers"


def test_a_broken_manifest_is_an_error() -> None:
    kernel = FakeKernel()
    kernel.manifest = "{"
    with pytest.raises(abi.AbiError, match="is not JSON"):
        ask(kernel)


def test_without_comparing_there_are_no_checks() -> None:
    result = ask(FakeKernel(), compare=False, proc_entries=False)
    assert result["checks"] == []
    assert result["proc_entries"] == {}
    assert result["supported"] is True


def test_the_log_has_all_that_the_kernel_complained_of_until_the_end() -> None:
    """Also of the syscalls' calls, and while the host waited for its boot to end."""
    kernel = FakeKernel()
    seen = []

    def call(number: int, *words: int) -> abi.Answer:
        seen.append("called")
        return FakeKernel._call(kernel, number, *words)

    def wait(wanted: Any, seconds: float) -> dict[str, Any]:
        seen.append(f"waited {seconds}")
        return dict(wanted)

    def read() -> dict[str, Any]:
        seen.append("read")
        return {}

    kernel.syscall_function = lambda: call  # type: ignore[method-assign]
    kernel.health = wait  # type: ignore[method-assign]
    kernel.wait_until_up = lambda seconds: wait({}, seconds)  # type: ignore
    kernel.complaints = read  # type: ignore[method-assign]
    wanted: dict[str, Any] = {"required": []}
    for given in (wanted, None):
        seen.clear()
        ask(kernel, boot_timeout=7, kernel_log=True, health=given)
        assert (seen[0], seen[1], seen[-1]) == ("waited 7", "called", "read")
        assert seen.count("read") == seen.count("waited 7") == 1
    seen.clear()
    ask(kernel, boot_timeout=7)
    assert {*seen} == {"called"}
