# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Checksums of streams."""

from __future__ import annotations

import hashlib
import io

from ansible_collections.oslab.kernel.plugins.module_utils._common import checksum

DATA = bytes(range(256)) * 5000  # more than one piece


def test_one_checksum() -> None:
    assert len(DATA) > checksum.CHUNK
    assert checksum.sha256(io.BytesIO(DATA)) == hashlib.sha256(DATA).hexdigest()


def test_several_in_one_reading() -> None:
    assert checksum.digests(io.BytesIO(DATA), ["md5", "sha256"]) == {
        "md5": hashlib.md5(DATA, usedforsecurity=False).hexdigest(),
        "sha256": hashlib.sha256(DATA).hexdigest(),
    }


def test_the_form_of_a_sha256() -> None:
    assert checksum.SHA256.fullmatch("0a" * 32)
    assert not checksum.SHA256.fullmatch("0A" * 32)
    assert not checksum.SHA256.fullmatch("0a" * 31)
