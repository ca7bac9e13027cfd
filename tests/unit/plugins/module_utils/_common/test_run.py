# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs are called in one language, and both streams of a failed one are in the message."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    LOCALE,
    Result,
    feed,
    module_runner,
    output_summary,
    required_output,
)

PLUGINS = Path(__file__).resolve().parents[5] / "plugins"
# Each of these drops a stream where there is something on the other one.
ONE_STREAM = re.compile(
    r"\berr(\.strip\(\))? or out\b|\bout(\.strip\(\))? or err\b|\{\w+\.stderr\.strip\(\)\}"
    r"|get\(.stderr.\) or "
)


@pytest.mark.parametrize(
    ("out", "err", "summary"),
    [
        ("", "", "no output"),
        ("why\n", "", "why"),
        ("", "E: it failed\n", "E: it failed"),
        ("[!] a.deb: unsupported\n", "ERROR: failed\n", "[!] a.deb: unsupported / ERROR: failed"),
        ("a\n\n  b\n", "c\nd\n", "a / b / c / d"),
        ("same\n", "same\n", "same"),
        ("".join(f"{n}\n" for n in range(9)), "x", "4 / 5 / 6 / 7 / 8 / x"),
        ("x" * 999, "why", f"{'x' * 500} / why"),
    ],
)
def test_what_was_said(out, err, summary):
    assert output_summary(out, err) == summary


def test_no_message_takes_one_stream_for_the_other():
    found = [
        f"{path.relative_to(PLUGINS)}: {line.strip()}"
        for path in sorted(PLUGINS.rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if ONE_STREAM.search(line)
    ]
    assert found == []


class Module:
    """As much of AnsibleModule as a runner uses."""

    def __init__(self, status: int = 0) -> None:
        self.status = status
        self.called: list[tuple[list[str], Optional[str], dict[str, str]]] = []

    def get_bin_path(self, name: str, required: bool) -> Optional[str]:
        if name != "absent":
            return f"/usr/sbin/{name}"
        if required:
            raise SystemExit(f"{name} is required")
        return None

    def run_command(
        self, argv: list[str], cwd: Optional[str], environ_update: dict[str, str]
    ) -> tuple[int, str, str]:
        self.called.append((argv, cwd, environ_update))
        return self.status, "out\n", "err\n"


def test_a_module_runs_programs_in_one_language(tmp_path: Path) -> None:
    module: Any = Module()
    run = module_runner(module, GNUPGHOME="/keys")
    assert run(("aptly", "version")) == (0, "out\n", "err\n")
    run(["aptly"], tmp_path, {"LC_ALL": "C", "X": "1"})
    assert module.called == [
        (["/usr/sbin/aptly", "version"], None, {**LOCALE, "GNUPGHOME": "/keys"}),
        (
            ["/usr/sbin/aptly"],
            str(tmp_path),
            {**LOCALE, "LC_ALL": "C", "GNUPGHOME": "/keys", "X": "1"},
        ),
    ]


def test_a_program_that_is_not_installed() -> None:
    module: Any = Module()
    with pytest.raises(SystemExit):
        module_runner(module)(["absent"])
    result = module_runner(module, required=False)(["absent", "-v"])
    assert result == Result(127, "", "absent: not found")
    assert result.both == "absent: not found"
    assert module.called == []


@pytest.mark.parametrize(("status", "expected"), [(0, "out\n"), (3, "")])
def test_of_a_failed_program_no_output_is_taken_for_an_answer(status: int, expected: str) -> None:
    module: Any = Module(status)
    assert module_runner(module)(["dpkg"]).out_if_ok == expected


def test_what_is_fed_arrives(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAR_OPTIONS", "--delete")
    script = "cat; echo ${TAR_OPTIONS-none} $LC_ALL >&2; exit 3"
    assert feed(["sh", "-c", script], [b"a", b"b\n"]) == (3, "ab\nnone C.UTF-8\n")
    # Nobody reads it.
    assert feed(["sh", "-c", "exec <&-; echo no; exit 1"], [b"x" * 65536] * 64) == (1, "no\n")


def test_an_error_of_the_source_ends_the_program(tmp_path: Path) -> None:
    def broken() -> Iterator[bytes]:
        yield b"a"
        raise OSError("the connection was lost")

    with pytest.raises(OSError, match="lost"):
        feed(["sh", "-c", f"cat; touch {tmp_path}/ended"], broken())
    assert not (tmp_path / "ended").exists()


def test_a_failure_names_the_program_and_what_it_said() -> None:
    assert required_output(lambda _argv: Result(0, "out", "err"), ["a"], ValueError) == "out"
    with pytest.raises(ValueError, match=r"^a b failed \(2\): out / err$"):
        required_output(lambda _argv: Result(2, "out", "err"), ["a", "b"], ValueError)
