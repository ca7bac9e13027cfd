# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make grub.cfg of the settings, and put it in place so that GRUB always finds a whole one.

grub-mkconfig writes into the file that GRUB reads, after it has emptied it. A power cut then would
leave GRUB without a menu. Here it writes another file, which is checked and takes the place of the
old one by a rename.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from pathlib import Path
from typing import Callable

from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.entry import GrubError
from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    Runner,
    required_output,
)

PROGRAM = "grub-mkconfig"
# os-prober looks at each disk, and a disk may not answer.
_SECONDS = "1800"


def make(
    run: Runner,
    config: Path,
    check: Callable[[str], str],
    flush: Callable[[], object],
    *variables: str,
    settle: Callable[[], object] = lambda: None,
) -> None:
    """Make it again. `check` says why a text may not become grub.cfg; '' if it may.

    `variables`, each NAME=VALUE, are in the environment of the settings.
    `flush` empties the journal of its file system, which GRUB does not read. `settle` is done once
    the new file is in place. Whatever fails, the old file is as it was then. Raises GrubError, and
    what these raise.
    """
    config = Path(os.path.realpath(config))
    made, before = _beside(config, "new"), _beside(config, "old")
    try:
        argv = ["timeout", _SECONDS, "env", *variables, PROGRAM, f"--output={made}"]
        required_output(run, argv, GrubError)
        problem = check(bounded_read.text(made, errors="surrogateescape"))
        if problem:
            raise GrubError(problem)
        made.chmod(config.stat().st_mode & 0o777)
        flush()
        # Its blocks must not be free for others while the disk may still have its name for them.
        _forget(before)
        try:
            os.link(config, before)
        except PermissionError:  # FAT has no links
            shutil.copy2(config, before)
        made.replace(config)
        try:
            flush()
            settle()
        except BaseException:
            with contextlib.suppress(FileNotFoundError):
                before.replace(config)
            with contextlib.suppress(Exception):  # what went wrong first is the reason
                flush()
            raise
    finally:
        for path in (made, made.with_name(f"{made.name}.new"), before):
            _forget(path)


def _beside(config: Path, which: str) -> Path:
    return config.with_name(f".{config.name}.oslab-{which}")


def _forget(path: Path) -> None:
    with contextlib.suppress(FileNotFoundError):
        path.unlink()
