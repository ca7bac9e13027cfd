# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run programs: how they are called, in which language, and how a failure is reported."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Callable, NamedTuple, Optional, Protocol

from ansible.module_utils.basic import AnsibleModule

#: The host's own language would be that of its administrator or, through ssh, that of the control
#: node. Both variables are set: LANGUAGE overrules LC_ALL=C.UTF-8 (but not LC_ALL=C).
LOCALE = {"LC_ALL": "C.UTF-8", "LANGUAGE": "C"}

#: Exit status of a program that is not installed, as in a shell.
NOT_FOUND = 127

LINES = 5
LENGTH = 500

#: Options from these variables would be added to the given ones.
OPTION_VARIABLES = ("TAR_OPTIONS", "GNUPGHOME", "POSIXLY_CORRECT")
FED_OUTPUT = 1 << 20  # bytes
FED_SECONDS = 3600  # that a program may need after its last input


class Result(NamedTuple):
    """The exit status of a program and its two output streams."""

    status: int
    out: str = ""
    err: str = ""

    @property
    def both(self) -> str:
        """Standard output, then standard error."""
        return self.out + self.err

    @property
    def out_if_ok(self) -> str:
        """Standard output; empty if the program failed or is not installed."""
        return self.out if self.status == 0 else ""


#: Runs a program to its end. Unit tests pass their own.
Runner = Callable[[Sequence[str]], Result]


class FullRunner(Protocol):
    """A runner that takes a directory and an environment, too."""

    def __call__(
        self,
        argv: Sequence[str],
        cwd: Optional[Path] = None,
        environment: Optional[Mapping[str, str]] = None,
    ) -> Result: ...


def module_runner(module: AnsibleModule, *, required: bool = True, **variables: str) -> FullRunner:
    """A runner of the programs of a module, in the language C, with more environment variables.

    A program that is not installed fails the module; without `required` its status is NOT_FOUND.
    """

    def run(
        argv: Sequence[str],
        cwd: Optional[Path] = None,
        environment: Optional[Mapping[str, str]] = None,
    ) -> Result:
        # It also looks in sbin, which a remote user's PATH may lack.
        program = module.get_bin_path(argv[0], required=required)
        if program is None:
            return Result(NOT_FOUND, "", f"{argv[0]}: not found")
        status, out, err = module.run_command(
            [program, *argv[1:]],
            cwd=None if cwd is None else str(cwd),
            environ_update={**LOCALE, **variables, **(environment or {})},
        )
        return Result(status, out, err)

    return run


def locale_environment(**variables: str) -> dict[str, str]:
    """The environment of this process, in the language C, with more variables."""
    return {**os.environ, **LOCALE, **variables}


def output_summary(out: str, err: str, lines: int = LINES, length: int = LENGTH) -> str:
    """The output of a failed program as part of a message; "no output" if there is none.

    Programs give their reason on either stream: aptly names the file and the fault on standard
    output, and writes to standard error only that something failed. So both are in the message.
    Of each stream the last lines are kept, joined by slashes, and of these the last `length`
    characters.
    """
    parts: list[str] = []
    for text in (out, err):
        last = [line.strip() for line in text.splitlines() if line.strip()][-lines:]
        part = " / ".join(last)[-length:]
        if part and part not in parts:
            parts.append(part)
    return " / ".join(parts) or "no output"


def required_output(run: Runner, argv: Sequence[str], failure: Callable[[str], Exception]) -> str:
    """Standard output of a program; raises `failure` of a message if it fails."""
    status, out, err = run(argv)
    if status != 0:
        raise failure(f"{' '.join(argv)} failed ({status}): {output_summary(out, err)}")
    return out


def feed(argv: Sequence[str], chunks: Iterable[bytes]) -> tuple[int, str]:
    """Exit status and output (both streams) of a program that reads `chunks`.

    An error of whoever makes the chunks ends the program. Of a long output its end is returned.
    """
    own = {name: value for name, value in os.environ.items() if name not in OPTION_VARIABLES}
    with tempfile.TemporaryFile() as output:  # a pipe could fill up during the writing
        process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**own, **LOCALE},
        )
        if process.stdin is None:
            raise AssertionError("stdin is a pipe")
        try:
            for chunk in chunks:
                process.stdin.write(chunk)
            process.stdin.close()
        except BrokenPipeError:  # the program has read enough; its output has the reason
            with suppress(BrokenPipeError):
                process.stdin.close()
        except BaseException:
            process.kill()
            process.wait()
            raise
        try:
            status = process.wait(FED_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        output.seek(max(0, output.seek(0, os.SEEK_END) - FED_OUTPUT))
        return status, output.read().decode("utf-8", "replace")
