# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which file decides GRUB_DEFAULT: grub-mkconfig reads all of them, and the last one wins.

They are programs of the shell, with conditions; so they are read as grub-mkconfig reads them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import quirks
from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Runner

DEFAULTS = "/etc/default/grub"
#: In the directory beside. It belongs to this collection.
OURS = "oslab-kernel.cfg"
SAVED = "saved"
_HEAD = """\
# Managed by Ansible (oslab.kernel.trial). GRUB cannot write its environment block on this disk, so
# its default is named here: the kernel that was confirmed last. The collection changes it.
"""
# A shell reads the name, writes it into grub.cfg in double quotes, and GRUB reads it there.
_PLAIN = re.compile(r"""[^\x00-\x1f\x7f"'`$\\]+""")
_PINNED = re.compile(r"^GRUB_DEFAULT='([^']+)'$", re.MULTILINE)
_CHOSEN = "OSLAB_GRUB_DEFAULT"
_SECONDS = "30"
# What the files print is not what is asked. Ours is taken for written: this is asked before it is.
_SCRIPT = """\
oslab_ours=$1
oslab_wanted=$2
shift 2
sysconfdir=/etc
for oslab_file; do
  if [ "$oslab_file" = "$oslab_ours" ]; then
    GRUB_DEFAULT=$oslab_wanted
  else
    . "$oslab_file" >&2 </dev/null
  fi
  printf '\\n=%s\\t%s\\n' "$oslab_file" "$GRUB_DEFAULT"
done
"""


@dataclass(frozen=True)
class Winner:
    """The file that decides, and what for."""

    path: str
    value: str
    # What ours sets.
    wanted: str = SAVED

    @property
    def problem(self) -> str:
        name = Path(self.path).name
        remedy = quirks.REMEDIES.get(name, f"take it out of {name}, or call that file 00-{name}")
        return (
            f"{self.path} sets GRUB_DEFAULT to '{self.value}' after {OURS} has set it to "
            f"{self.wanted}, and GRUB takes the last: the default that is chosen would not be "
            f"booted. {remedy[0].upper()}{remedy[1:]}, and run update-grub."
        )


def own(defaults: Path) -> Path:
    """Our file, beside these settings."""
    return Path(f"{defaults}.d") / OURS


def text(pin: str) -> str:
    """What our file has: the default that is pinned, an entry, or '' for the saved entry.

    Raises ValueError if an entry's name would not reach GRUB as it is.
    """
    if not pin:
        return f"GRUB_DEFAULT={SAVED}\n"
    if pin == SAVED or not _PLAIN.fullmatch(pin):
        raise ValueError(pin)
    return f"{_HEAD}GRUB_DEFAULT='{pin}'\n"


def changing(content: Optional[str]) -> str:
    """The same, but that `chosen` decides while grub.cfg is made of it.

    Whoever else makes grub.cfg meanwhile, or after a power cut, gets the default of before.
    """
    return f'{content or ""}GRUB_DEFAULT="${{{_CHOSEN}:-$GRUB_DEFAULT}}"\n'


def chosen(pin: str) -> str:
    """The variable of the environment for that."""
    return f"{_CHOSEN}={pin or SAVED}"


def present(defaults: Path) -> Optional[str]:
    """What our file has now; None if it is not there. Raises OSError."""
    try:
        return bounded_read.text(own(defaults), errors="surrogateescape")
    except FileNotFoundError:
        return None


def pinned(content: Optional[str]) -> str:
    """The entry that our file, with this content, pins; '' if it pins none."""
    found = _PINNED.findall(content or "")
    return found[-1] if found else ""


def files(defaults: Path) -> list[str]:
    """Those that grub-mkconfig reads, in its order, with ours where it would be."""
    directory = Path(f"{defaults}.d")
    names = {path.name for path in directory.glob("*.cfg") if path.exists()} | {OURS}
    first = [str(defaults)] if defaults.is_file() else []
    # Its shell sorts by bytes, and passes over hidden ones.
    ordered = sorted((name for name in names if name[0] != "."), key=lambda name: name.encode())
    return [*first, *(str(directory / name) for name in ordered)]


def _values(out: str, names: Sequence[str]) -> list[tuple[str, str]]:
    rows = [line[1:].partition("\t") for line in out.split("\n") if line.startswith("=")]
    return [(path, value) for path, _tab, value in rows if path in names]


def winner(run: Runner, defaults: Path, wanted: str = SAVED) -> Optional[Winner]:
    """The file that keeps GRUB from booting what ours sets, `wanted`; None if there is none, or one
    of them ends the shell that reads it, as it would grub-mkconfig."""
    names = files(defaults)
    _code, out, _err = run(
        ["timeout", _SECONDS, "sh", "-c", _SCRIPT, "sh", str(own(defaults)), wanted, *names]
    )
    found: Optional[Winner] = None
    before = ""
    for path, value in _values(out, names):
        if value != before:
            found = None if value == wanted else Winner(path, value, wanted)
        before = value
    return found
