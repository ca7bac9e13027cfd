# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A disk that cannot be written to is named, with what to do."""

from __future__ import annotations

import errno
import os

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._repository.errors import (
    KEPT,
    remedy,
    sentence,
)


@pytest.mark.parametrize(
    ("number", "message", "advice"),
    [
        (errno.ENOSPC, "no space left on device", "Free space on the file system of /r"),
        (errno.EDQUOT, "disk quota exceeded", "publish_keep_builds"),
        (errno.EROFS, "read-only file system", "Mount the file system of /r for writing"),
        (errno.EACCES, "permission denied", "Publish as root"),
        (errno.EPERM, "operation not permitted", "Publish as root"),
        (errno.EIO, os.strerror(errno.EIO), KEPT),
    ],
)
def test_one_message_with_place_reason_and_remedy(number: int, message: str, advice: str) -> None:
    text = sentence(OSError(number, os.strerror(number), "/r/public/x"), "/r")
    assert text.startswith(f"Cannot publish into /r: /r/public/x: {message}. ")
    assert advice in text
    assert text.endswith(KEPT)
    assert "\n" not in text


def test_what_a_program_said_of_a_disk() -> None:
    assert "Free space" in remedy("ERROR: write /r/db/1.log: no space left on device", "/r")
    assert remedy("ERROR: unable to open db", "/r") == ""


def test_an_error_without_a_file() -> None:
    assert sentence(OSError(errno.ENOSPC, "x"), "/r").startswith("Cannot publish into /r: no space")
