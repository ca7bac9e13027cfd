# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files that hold one JSON object: read with limits, written in one step."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    atomic_file,
    bounded_read,
)


def read(path: Path) -> Optional[dict[str, Any]]:
    """The object in a file; None if there is none, or something else.

    `bounded_read.json_object` is for those who have to know why.
    """
    try:
        return bounded_read.json_object(path)
    except (OSError, ValueError):
        return None


def encode(value: Mapping[str, Any], *, ascii_only: bool = True) -> str:
    """The text of a file. Equal objects give equal texts."""
    return json.dumps(value, indent=2, sort_keys=True, ensure_ascii=ascii_only) + "\n"


def write(path: Path, value: Mapping[str, Any], mode: int = 0o644, *, durable: bool = True) -> None:
    """Replace the file in one step. `durable` as in `atomic_file.write`."""
    atomic_file.write(path, encode(value), mode, durable=durable)
