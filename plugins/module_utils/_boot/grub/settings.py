# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which file decides GRUB_DEFAULT: grub-mkconfig reads all of them, and the last one wins.

They are programs of the shell, with conditions; so they are read as grub-mkconfig reads them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import quirks
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Runner

DEFAULTS = "/etc/default/grub"
#: Of the role install, in the directory beside.
OURS = "oslab-kernel.cfg"
WANTED = "saved"
_SECONDS = "30"
# What the files print is not what is asked. Ours is taken for written: this is asked before it is.
_SCRIPT = """\
oslab_ours=$1
shift
sysconfdir=/etc
for oslab_file; do
  if [ "$oslab_file" = "$oslab_ours" ]; then
    GRUB_DEFAULT=saved
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

    @property
    def problem(self) -> str:
        name = Path(self.path).name
        remedy = quirks.REMEDIES.get(name, f"take it out of {name}, or call that file 00-{name}")
        return (
            f"{self.path} sets GRUB_DEFAULT to '{self.value}' after {OURS} has set it to {WANTED}, "
            "and GRUB takes the last: the default that is chosen would not be booted. "
            f"{remedy[0].upper()}{remedy[1:]}, and run update-grub."
        )


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


def winner(run: Runner, defaults: Path) -> Optional[Winner]:
    """The file that keeps GRUB from booting the saved entry; None if there is none, or one of them
    ends the shell that reads it, as it would grub-mkconfig."""
    names = files(defaults)
    ours = str(Path(f"{defaults}.d") / OURS)
    _code, out, _err = run(["timeout", _SECONDS, "sh", "-c", _SCRIPT, "sh", ours, *names])
    found: Optional[Winner] = None
    before = ""
    for path, value in _values(out, names):
        if value != before:
            found = None if value == WANTED else Winner(path, value)
        before = value
    return found
