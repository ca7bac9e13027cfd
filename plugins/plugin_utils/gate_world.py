# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gates see of the world from the control node: clocks, addresses, programs, files, people."""

from __future__ import annotations

import contextlib
import os
import pwd
import stat
import subprocess
import tempfile
import time
import urllib.error
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Any, Optional

from ansible.errors import AnsiblePromptInterrupt, AnsiblePromptNoninteractive
from ansible.module_utils.urls import open_url
from ansible.utils.display import Display
from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    NOT_FOUND,
    Result,
    locale_environment,
)
from ansible_collections.oslab.kernel.plugins.module_utils._source.download import PLAIN, within
from ansible_collections.oslab.kernel.plugins.plugin_utils import screen_bottom
from ansible_collections.oslab.kernel.plugins.plugin_utils.gate_kinds import (
    ANSWER,
    BODY,
    GateError,
    InterruptedByUserError,
    Reply,
    Seen,
)

display = Display()
_OUTPUT = 1 << 16  # bytes of the end of what a program prints
_KILL = 5  # seconds from the request to end until it is enforced


def _end(file: IO[bytes]) -> str:
    file.seek(max(0, file.seek(0, os.SEEK_END) - _OUTPUT))
    return file.read().decode("utf-8", "replace")


def _stop(process: subprocess.Popen[Any]) -> None:
    process.terminate()
    try:
        process.wait(_KILL)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


class ControlNode:
    """A gate_kinds.World."""

    def now(self) -> float:
        return time.time()

    def monotonic(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)

    def http(self, url: str, headers: Mapping[str, str], seconds: float = ANSWER) -> Reply:
        """With the user's proxies and certificates. A redirection would take the headers along."""

        def get() -> Reply:
            with open_url(
                url,
                headers={**PLAIN, **headers},
                timeout=seconds,
                follow_redirects="no",
                decompress=False,
                use_netrc=False,
            ) as answer:
                return Reply(answer.status, answer.read(BODY + 1))

        try:
            return within(seconds, get)
        except urllib.error.HTTPError as error:
            return Reply(error.code)
        except TimeoutError:
            raise GateError(f"no whole answer within {seconds:.0f} s") from None
        except ValueError as error:  # may quote a header
            raise GateError(f"it cannot be asked: {type(error).__name__}") from None
        except Exception as error:  # what urllib, http.client, ssl and Ansible raise has no base
            raise GateError(f"no answer: {plain_text.shown(str(error))}") from None

    def run(self, argv: Sequence[str], seconds: float) -> Result:
        # In files: what a program leaves running may keep a pipe open. In this process group, so
        # that Ctrl-C ends it, too.
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            try:
                process = subprocess.Popen(
                    list(argv),
                    stdin=subprocess.DEVNULL,
                    stdout=out,
                    stderr=err,
                    env=locale_environment(),
                )
            except FileNotFoundError:
                return Result(NOT_FOUND, "", f"{argv[0]}: not found")
            except (OSError, ValueError) as error:
                raise GateError(f"{argv[0]} cannot be started: {error}") from None
            try:
                status = process.wait(seconds)
            except subprocess.TimeoutExpired:
                _stop(process)
                raise GateError(
                    f"{Path(argv[0]).name} did not end within {seconds:.0f} s"
                ) from None
            except BaseException:
                _stop(process)
                raise
            return Result(status, _end(out), _end(err))

    def file(self, path: str) -> Optional[Seen]:
        try:
            found = Path(path).stat()
        except FileNotFoundError:
            return None
        except (OSError, ValueError) as error:
            raise GateError(f"{path} cannot be looked at: {error}") from None
        if not stat.S_ISREG(found.st_mode):
            raise GateError(f"{path} is no regular file")
        owner = str(found.st_uid)
        with contextlib.suppress(KeyError):
            owner = pwd.getpwuid(found.st_uid).pw_name
        return Seen(found.st_mtime, owner)

    def ask(self, question: str, seconds: float) -> Optional[str]:
        if screen_bottom.read_by_program(os.environ):
            return None
        # The process that has the terminal asks, as for ansible.builtin.pause.
        text = f"{question} [yes/no, within {seconds:.0f} s]\r"
        try:
            typed = display.prompt_until(text, seconds=max(1, int(seconds)))
        except AnsiblePromptNoninteractive:
            return None
        except AnsiblePromptInterrupt:
            raise InterruptedByUserError from None
        return bytes(typed).decode("utf-8", "replace")
