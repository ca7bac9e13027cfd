# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files and arguments of a kernel, as GRUB's entry for it has them."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.trial import INITRD, LINUX
from ansible_collections.oslab.kernel.plugins.module_utils._boot.kexec import Image, KexecError
from ansible_collections.oslab.kernel.plugins.module_utils._boot.loader import with_words


def _words(body: Sequence[str], commands: Sequence[str]) -> list[str]:
    for line in body:
        words = line.split(None, 1)
        if len(words) == 2 and words[0] in commands:
            try:
                return shlex.split(words[1])
            except ValueError as error:
                raise KexecError(f"its entry cannot be read ({line}): {error}") from error
    return []


def image(body: Sequence[str], arguments: Sequence[str], boot: Path = Path("/boot")) -> Image:
    """Of the lines of the kernel's usual entry, and its further arguments.

    GRUB's paths may begin at /boot, a file system of its own. Raises KexecError.
    """
    linux, initrds = _words(body, LINUX), _words(body, INITRD)
    if not linux or len(initrds) != 1:
        raise KexecError(f"its entry has {len(initrds)} initrds, and kexec takes one")
    # What GRUB would put in there, such as the console's state, is not known outside it.
    plain = [word for word in linux[1:] if "$" not in word]
    kernel, initrd = (boot / PurePosixPath(name).name for name in (linux[0], initrds[0]))
    return Image(kernel, initrd, with_words(plain, arguments))
