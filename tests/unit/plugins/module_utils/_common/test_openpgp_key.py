# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The fingerprint that gpg prints."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common.openpgp_key import (
    fingerprint,
    packets,
    primary_fingerprints,
)

BODY = b"\x04" + bytes(range(50))


def packet(body: bytes, tag: int = 6) -> bytes:
    return bytes([0x80 | tag << 2, len(body)]) + body


@pytest.mark.parametrize("kind", ["ed25519", "rsa2048"])
def test_as_gpg_prints_it(tmp_path: Path, kind: str) -> None:
    if not shutil.which("gpg"):
        pytest.skip("gpg not installed")
    home = tmp_path / "g"
    home.mkdir(mode=0o700)

    def gpg(*arguments: str) -> bytes:
        argv = ["gpg", "--batch", "--homedir", str(home), "--passphrase", "", *arguments]
        return subprocess.run(argv, check=True, capture_output=True).stdout

    gpg("--pinentry-mode", "loopback", "--quick-generate-key", "someone", kind, "sign", "never")
    listed = gpg("--with-colons", "--list-keys").decode().splitlines()
    fingerprints = [line.split(":")[9] for line in listed if line.startswith("fpr")]
    assert primary_fingerprints(gpg("--export")) == fingerprints
    subprocess.run(["gpgconf", "--homedir", str(home), "--kill", "all"], check=False)


def test_lengths_in_every_form() -> None:
    long = b"\x04" * 300
    forms = [
        bytes([0xC6, 0xFF]) + (300).to_bytes(4, "big"),
        bytes([0xC6, 192 + (300 - 192) // 256, (300 - 192) % 256]),
        bytes([0x99]) + (300).to_bytes(2, "big"),
        bytes([0x9A]) + (300).to_bytes(4, "big"),
    ]
    for head in forms:
        assert list(packets(head + long)) == [(6, long)]
    assert list(packets(bytes([0xC6, 3]) + b"abc" + packet(b"d", 13))) == [(6, b"abc"), (13, b"d")]


def test_other_versions() -> None:
    assert len(fingerprint(b"\x06rest")) == 64
    assert fingerprint(b"\x06rest") != fingerprint(b"\x05rest")


@pytest.mark.parametrize(
    "damaged",
    [
        b"",
        b"text",
        packet(BODY)[:-1],
        packet(BODY, tag=13),
        bytes([0xC6]),
        bytes([0xC6, 0xE1, 0]),
        bytes([0x9B]) + BODY,
        packet(b""),
        packet(b"\x03old"),
    ],
)
def test_what_is_no_key(damaged: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        primary_fingerprints(damaged)
