# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a thing once per recipe: its name has a digest of all that decides what is in it."""

from __future__ import annotations

import hashlib
import json
import time
from pathlib import Path
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu


class Recipe:
    """All that decides what is in the thing."""

    name: str

    @property
    def title(self) -> str:
        return self.name

    def facts(self) -> dict[str, Any]:
        """Return the recipe as plain data."""
        raise NotImplementedError

    def identity(self) -> str:
        text = json.dumps(self.facts(), sort_keys=True).encode()
        return f"{self.title}-{hashlib.sha256(text).hexdigest()[:12]}"


class Builder:
    """Makes it below a directory."""

    recipe: Recipe
    directory: Path
    lock_seconds: float
    suffix = ""

    def beside(self, suffix: str) -> Path:
        """Path of a file that goes with it."""
        return self.directory / f"{self.recipe.identity()}{suffix}"

    @property
    def final(self) -> Path:
        """Where it is when it is finished."""
        return self.beside(self.suffix)

    def exists(self) -> bool:
        """Whether it is complete."""
        return self.final.is_file()

    def _build(self, lock: int) -> None:
        """Make it. Its programs keep the descriptor of the lock."""
        raise NotImplementedError

    def ensure(self) -> bool:
        """Make it unless it is there; tell whether it was made."""
        if self.exists():
            return False
        self.directory.mkdir(parents=True, exist_ok=True)
        with qemu.locked(self.beside(".lock"), self.lock_seconds) as lock:
            if self.exists():
                return False
            self._build(lock)
        return True

    def result(self, check_mode: bool) -> dict[str, Any]:
        """Make it, but not in check mode, and return what a module says of it."""
        found: dict[str, Any] = {
            "changed": not self.exists(),
            "id": self.recipe.identity(),
            "path": str(self.final),
        }
        if found["changed"]:
            found["diff"] = {"before": {}, "after": self.recipe.facts()}
        if not check_mode:
            start = time.monotonic()
            found["changed"] = self.ensure()
            found["seconds"] = round(time.monotonic() - start, 1)
        return found
