# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Git repositories with the fake kernel tree in them, as somebody works in them."""

from __future__ import annotations

import hashlib
import os
import shutil
import stat
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Optional

from ansible_collections.oslab.kernel.tests.lib.kernel_mirror import KeyRing

FAKELINUX = Path(__file__).resolve().parents[1] / "fixtures/fakelinux"
MAKEFILE = "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 0\nEXTRAVERSION =\n"
SETTINGS = ("user.name=Somebody", "user.email=somebody@example.org", "gc.auto=0")


class Repository:
    """A work tree with its `.git`. The times of commits are the same in each run."""

    def __init__(self, path: Path, keys: Optional[KeyRing] = None, *, whole: bool = False) -> None:
        self.path, self._keys, self._time = path, keys, 1_700_000_000
        path.mkdir(parents=True)
        self.git("init", "--quiet", "--initial-branch=main")
        if whole:
            shutil.copytree(FAKELINUX, path, dirs_exist_ok=True)
        else:
            (path / "Makefile").write_text(MAKEFILE)
        self.first = self.commit("the fake tree")

    def git(self, *words: str, **environment: str) -> str:
        settings = [word for setting in SETTINGS for word in ("-c", setting)]
        own = {"GIT_CONFIG_NOSYSTEM": "1", "GIT_CONFIG_GLOBAL": os.devnull, "HOME": os.devnull}
        if self._keys:
            own["GNUPGHOME"] = str(self._keys.home)
        kept = {name: value for name, value in os.environ.items() if not name.startswith("GIT_")}
        return subprocess.run(
            ["git", *settings, *words],
            cwd=self.path,
            env={**kept, **own, **environment},
            capture_output=True,
            text=True,
            check=True,
            stdin=subprocess.DEVNULL,
        ).stdout.strip()

    def commit(self, message: str, signer: str = "", **files: str) -> str:
        """Commit these files (`/` in a name is `__`) and all else that changed; its name."""
        for name, text in files.items():
            place = self.path / name.replace("__", "/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        self._time += 60
        when = f"{self._time} +0000"
        self.git("add", "--all")
        signed = [f"-S{self._keys.fingerprint(signer)}"] if signer and self._keys else []
        self.git(
            *("commit", "--quiet", "--allow-empty", f"--message={message}", *signed),
            GIT_AUTHOR_DATE=when,
            GIT_COMMITTER_DATE=when,
        )
        return self.git("rev-parse", "HEAD")

    def tag(self, name: str, signer: str = "", *, annotated: bool = True, of: str = "HEAD") -> str:
        """Tag a commit; the object of the tag."""
        how: list[str] = []
        if signer and self._keys:
            how = ["--sign", f"--local-user={self._keys.fingerprint(signer)}"]
        elif annotated:
            how = ["--annotate"]
        message = [f"--message={name}"] if how else []
        self.git("tag", "--force", *how, *message, name, of)
        return self.git("rev-parse", f"refs/tags/{name}")


def picture(top: Path) -> Mapping[str, tuple[int, int, str]]:
    """Mode, time and content of everything below a directory, and of it."""
    found = {}
    for path in (top, *sorted(top.rglob("*"))):
        about = path.lstat()
        content = ""
        if stat.S_ISREG(about.st_mode):
            content = hashlib.sha256(path.read_bytes()).hexdigest()
        elif stat.S_ISLNK(about.st_mode):
            content = os.readlink(path)  # noqa: PTH115
        found[str(path.relative_to(top))] = (about.st_mode, about.st_mtime_ns, content)
    return found
