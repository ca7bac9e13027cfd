# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A menu entry of its own for the trial boot, in the custom.cfg that grub.cfg reads.

It is the kernel's usual entry with more arguments. Where GRUB cannot load the kernel or its initrd,
the usual entry would end in the menu, which waits for a key; this one starts the machine again,
and GRUB has forgotten the one-shot entry by then.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import script as grub_script
from ansible_collections.oslab.kernel.plugins.module_utils._boot.loader import TRIAL, with_arguments

BEGIN = "# BEGIN oslab.kernel: the trial of a kernel. Managed by Ansible."
END = "# END oslab.kernel"
LINUX = ("linux", "linuxefi", "linux16")
INITRD = ("initrd", "initrdefi", "initrd16")


def _restrictions(line: str) -> str:
    """Who may start an entry of a menu with passwords; the rest of its head is for the eye."""
    head = grub_script.head(line.rstrip("{"))
    users = [] if head.users is None else [f"--users={head.users}"]
    words = [*(["--unrestricted"] if head.unrestricted and not head.unknown else []), *users]
    return "".join(f" {shlex.quote(word)}" for word in words)


def _or_restart(line: str) -> list[str]:
    return [f"\tif {line}; then", "\t\ttrue", "\telse", "\t\treboot", "\tfi"]


def block(release: str, head: str, body: Sequence[str], arguments: Sequence[str]) -> str:
    """The lines for custom.cfg; `head` and `body` are those of the kernel's usual entry."""
    lines = [f"menuentry 'Trial of Linux {release}' --id {TRIAL}{_restrictions(head)} {{"]
    for raw in body:
        line = raw.strip()
        word = line.split(None, 1)[0] if line else ""
        if word in LINUX:
            lines += _or_restart(with_arguments(line, arguments))
        elif word in INITRD:
            lines += _or_restart(line)
        elif line:
            lines.append(f"\t{line}")
    return "\n".join([BEGIN, *lines, "}", END, ""])


def find(text: str) -> str:
    """Our block in the text of a custom.cfg; '' if it has none."""
    start = text.find(BEGIN)
    end = text.find(END, start)
    return text[start : end + len(END) + 1] if start >= 0 and end >= 0 else ""


def replaced(text: str, wanted: str) -> str:
    """The text with our block replaced, added, or (`wanted` empty) taken out."""
    present = find(text)
    if present:
        return text.replace(present, wanted)
    separator = "" if not text or text.endswith("\n") else "\n"
    return text + separator + wanted if wanted else text
