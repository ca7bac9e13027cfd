# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The files and arguments of a kernel, as GRUB's entry for it has them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path, PurePosixPath

from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.script import words_after
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.trial import INITRD, LINUX
from ansible_collections.oslab.kernel.plugins.module_utils._boot.kexec import Image, KexecError
from ansible_collections.oslab.kernel.plugins.module_utils._boot.loader import with_words

# Ubuntu's: GRUB tells the kernel the state of the console there, which is another one after kexec.
_LEFT_OUT = ("$vt_handoff", "${vt_handoff}")


def image(body: Sequence[str], arguments: Sequence[str], boot: Path = Path("/boot")) -> Image:
    """Of the lines of the kernel's usual entry, and its further arguments.

    GRUB's paths may begin at /boot, a file system of its own. Raises KexecError.
    """
    linux, initrds = words_after(body, LINUX), words_after(body, INITRD)
    if not linux or len(initrds) != 1:
        raise KexecError(
            f"its entry has {len(initrds)} initrds, and kexec takes one: let GRUB load one for "
            "each kernel"
        )
    given = [word for word in linux if not (word.unknown and word.text in _LEFT_OUT)]
    names = [PurePosixPath(one.text).name for one in (given[0], initrds[0])]
    unknown = next((word.text for word in given[1:] if word.unknown), "") or next(
        (name for name in names if "$" in name), ""
    )
    if unknown:
        raise KexecError(
            f"its entry has {unknown}, whose value GRUB alone knows: write the value in its place"
        )
    kernel, initrd = (boot / name for name in names)
    return Image(kernel, initrd, with_words([word.text for word in given[1:]], arguments))
