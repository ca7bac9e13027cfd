# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""repository_trust: keys by their fingerprints."""

from __future__ import annotations

import base64

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common.openpgp_key import (
    primary_fingerprints,
)
from ansible_collections.oslab.kernel.plugins.plugin_utils.repository_trust import key_problem

URL = "http://builder.example.org:8090"
SOURCE = "/etc/apt/sources.list.d/oslab-kernel.sources"


def armored(name: bytes) -> str:
    packet = bytes([0x98, len(name) + 1]) + b"\x04" + name
    body = base64.b64encode(packet).decode()
    kind = "PGP PUBLIC KEY BLOCK"
    return f"-----BEGIN {kind}-----\n\n{body}\n=AAAA\n-----END {kind}-----\n"


def fingerprint(name: bytes) -> str:
    return primary_fingerprints(bytes([0x98, len(name) + 1]) + b"\x04" + name)[0]


def source(key: str) -> str:
    lines = "\n".join(f" {line or '.'}" for line in key.splitlines())
    text = f"Types: deb\nURIs: {URL}\nSigned-By:\n{lines}\n"
    return base64.b64encode(text.encode()).decode()


def test_the_same_key() -> None:
    key = armored(b"one")
    assert key_problem(source(key), key, "web1", SOURCE) == ""
    # Written otherwise, with a comment.
    other = key.replace("-----\n\n", "-----\nComment: x\n\n", 1)
    assert key_problem(source(key), other, "web1", SOURCE) == ""


def test_another_key() -> None:
    problem = key_problem(source(armored(b"one")), armored(b"two"), "web1", SOURCE)
    assert problem.startswith(f"web1 trusts {fingerprint(b'one')} for the kernel's repository")
    assert f"install_repository_key is {fingerprint(b'two')}." in problem
    assert "install_replace_repository_key" in problem


def test_a_key_more_is_another_trust() -> None:
    both = armored(b"one") + armored(b"two")
    assert key_problem(source(armored(b"one")), both, "web1", SOURCE)
    assert key_problem(source(both), armored(b"one"), "web1", SOURCE)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"", ""),
        (b"Types: deb\n", ""),
        (b"Signed-By: /usr/share/keyrings/x.gpg\n", "trusts the file /usr/share/keyrings/x.gpg"),
        (
            b"Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n",
            "trusts a key that cannot be read",
        ),
        (
            b"Signed-By:\n -----BEGIN PGP PUBLIC KEY BLOCK-----\n .\n \xff\xe9\xe9\n"
            b" -----END PGP PUBLIC KEY BLOCK-----\n",
            "trusts a key that cannot be read",
        ),
    ],
)
def test_what_else_a_host_may_have_there(text: bytes, message: str) -> None:
    found = key_problem(base64.b64encode(text).decode(), armored(b"one"), "web1", SOURCE)
    assert message in found
    assert bool(found) is bool(message)


def test_a_key_that_is_none() -> None:
    problem = key_problem(source(armored(b"one")), "nothing", "web1", SOURCE)
    assert problem.startswith("web1: install_repository_key is not a public key: ")


def test_a_source_that_is_too_long_to_be_one() -> None:
    content = base64.b64encode(b"#\n" * (128 << 10) + b"x").decode()
    problem = key_problem(content, armored(b"one"), "web1", SOURCE)
    assert problem.startswith(f"web1: {SOURCE} is longer than 256 KiB")
