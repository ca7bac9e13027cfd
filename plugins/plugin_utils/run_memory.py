# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is the same for all hosts is asked once in a run, and kept in a file on the control node.

Hosts are worked on by processes that share nothing but the directory for the run's own files.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.module_utils._common import atomic_file, lock

# Objects of ansible-core's, for whoever asked; a message says the same in words.
NOT_KEPT = ("exception", "warnings", "deprecations")


def _load(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return found


def once(
    directory: Path, question: Sequence[str], ask: Callable[[], Mapping[str, Any]]
) -> tuple[Path, dict[str, Any]]:
    """The answer and the file that holds it. Whoever comes while it is being asked waits for it."""
    name = hashlib.sha256(json.dumps(list(question)).encode()).hexdigest()
    path = directory / f"oslab-{name}.json"
    if path.exists():
        return path, _load(path)
    with lock.held(path.with_suffix(".lock")):
        if not path.exists():
            answer = dict(ask())
            kept = {name: value for name, value in answer.items() if name not in NOT_KEPT}
            atomic_file.write(path, json.dumps(kept), durable=False)
            return path, answer
    return path, _load(path)
