# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a program that is fed with a stream."""

from __future__ import annotations

import os
import subprocess
import tempfile
from collections.abc import Iterable, Sequence
from contextlib import suppress

from ansible_collections.oslab.kernel.plugins.module_utils._common import program_locale

OPTIONS = ("TAR_OPTIONS", "GNUPGHOME", "POSIXLY_CORRECT")
OUTPUT = 1 << 20  # bytes
LONGEST = 3600  # seconds that a program may need after its last input


def feed(argv: Sequence[str], chunks: Iterable[bytes]) -> tuple[int, str]:
    """Exit status and output (both streams) of a program that reads `chunks`.

    An error of whoever makes the chunks ends the program. Of a long output its end is returned.
    """
    # Options from the environment would come on top of the given ones.
    kept = {name: value for name, value in os.environ.items() if name not in OPTIONS}
    with tempfile.TemporaryFile() as output:  # a pipe could fill up while we write
        process = subprocess.Popen(
            argv,
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            env={**kept, **program_locale.LOCALE},
        )
        if process.stdin is None:
            raise AssertionError("stdin is a pipe")
        try:
            for chunk in chunks:
                process.stdin.write(chunk)
            process.stdin.close()
        except BrokenPipeError:  # it has seen enough, and says why
            with suppress(BrokenPipeError):
                process.stdin.close()
        except BaseException:
            process.kill()
            process.wait()
            raise
        try:
            status = process.wait(LONGEST)
        except subprocess.TimeoutExpired:
            process.kill()
            status = process.wait()
        output.seek(max(0, output.seek(0, os.SEEK_END) - OUTPUT))
        return status, output.read().decode("utf-8", "replace")
