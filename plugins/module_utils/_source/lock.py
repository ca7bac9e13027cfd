# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One run at a time downloads a file, and says in its lock file how far it is."""

from __future__ import annotations

import time
from pathlib import Path
from typing import IO, Callable, Optional
from urllib.parse import urlsplit

from ansible_collections.oslab.kernel.plugins.module_utils._common.plain_text import (
    without_password,
)

EVERY = 1.0  # seconds between two writes


def lock_of(tarball: Path) -> Path:
    return tarball.with_name(f".{tarball.name}.lock")


class Reporter:
    """Writes a line such as "41 % of 135 MiB, 8.3 MiB/s, from cdn.kernel.org", not too often."""

    def __init__(self, stream: IO[str], clock: Callable[[], float] = time.monotonic) -> None:
        self._stream, self._clock = stream, clock
        self._last = clock() - EVERY
        self._before = -1  # bytes had at the last line

    def __call__(self, done: int, total: Optional[int], url: str) -> None:
        now = self._clock()
        if now - self._last < EVERY:
            return
        speed = (done - self._before) / (now - self._last) if 0 <= self._before <= done else 0.0
        self._last, self._before = now, done
        self.write(line(done, total, speed, url))

    def write(self, text: str) -> None:
        self._stream.seek(0)
        self._stream.truncate()
        self._stream.write(text + "\n")
        self._stream.flush()


def line(done: int, total: Optional[int], speed: float, url: str) -> str:
    mib = 1 << 20
    had = f"{done * 100 // total} % of {total / mib:.0f} MiB" if total else f"{done / mib:.0f} MiB"
    rate = f", {speed / mib:.1f} MiB/s" if speed else ""
    return f"{had}{rate}, from {urlsplit(without_password(url)).netloc or url}"
