# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs on the host under test: all that it is made of, as JSON. Shares no code with what is tested.

Packages, files, settings of GRUB, what systemd starts: all, or the kinds that are named. Left out
is what changes while any host runs, and what the harness itself puts there.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

ROOTS = ("/etc", "/boot", "/usr", "/var", "/opt", "/srv", "/root", "/lib/modules")
LEFT_OUT = re.compile(
    r"/(var/(log|cache|tmp|backups|spool)|root/(\.ansible|keep)|var/lib/(systemd|private))(/|$)"
    # dpkg and apt's own books, which are read by dpkg-query below; the indexes of other sources.
    r"|/var/lib/(dpkg/(status|status-old|available|available-old|lock|lock-frontend|triggers/.*)"
    r"|apt/(daily_lock|extended_states|periodic/.*|lists/(lock|partial.*|auxfiles.*)))$"
    # etckeeper commits each change of /etc, also the one that takes a change back.
    r"|/etc/(\.git|\.etckeeper)(/|$)"
    # Python's memory, which the interpreter of any run may write.
    r"|/__pycache__(/|$)"
)


def described(path: Path) -> str:
    status = path.lstat()
    head = f"{stat.filemode(status.st_mode)} {status.st_uid}:{status.st_gid}"
    if path.is_symlink():
        return f"{head} -> {path.readlink()}"
    if not path.is_file():
        return head
    return f"{head} {hashlib.sha256(path.read_bytes()).hexdigest()[:16]}"


def files() -> dict[str, str]:
    found = {}
    for root in ROOTS:
        for directory, names, plain in os.walk(root):
            names[:] = [name for name in names if not LEFT_OUT.search(f"{directory}/{name}")]
            for name in (*names, *plain):
                path = f"{directory}/{name}"
                if not LEFT_OUT.search(path):
                    found[path] = described(Path(path))
    return found


def output(*argv: str) -> list[str]:
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return done.stdout.splitlines()


def rows(*argv: str) -> dict[str, str]:
    split = (line.split(None, 1) for line in output(*argv))
    return {line[0]: line[-1] for line in split if line}


KINDS = {
    "packages": lambda: rows("dpkg-query", "-W", "-f", "${Package} ${Version} ${Status}\\n"),
    "by apt itself": lambda: dict.fromkeys(output("apt-mark", "showauto"), "auto"),
    "files": files,
    "GRUB": lambda: rows("grub-editenv", "/boot/grub/grubenv", "list"),
    "units": lambda: rows("systemctl", "list-unit-files", "--no-legend", "--plain"),
    "failed units": lambda: rows("systemctl", "list-units", "--failed", "--no-legend", "--plain"),
}

print(json.dumps({kind: KINDS[kind]() for kind in sys.argv[1:] or KINDS}))
