# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which index it is, how old it is, and who signed it."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._repository import index
from ansible_collections.oslab.kernel.plugins.module_utils._repository.index import (
    Index,
    IndexFileError,
    older,
    parse,
)

SIGNATURE = "-----BEGIN PGP SIGNATURE-----\n\nabcd\n-----END PGP SIGNATURE-----\n"
BEGIN = "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n"
FIELDS = "Origin: oslab-kernel\nDate: Fri, 28 Nov 2025 08:00:01 UTC\nSHA256:\n ab 1 main/x\n"
GOOD = BEGIN + FIELDS + SIGNATURE
SECONDS = 1764316801


def test_date_and_checksum() -> None:
    found = parse(GOOD.encode(), "it")
    assert found == Index(hashlib.sha256(GOOD.encode()).hexdigest(), SECONDS)
    assert found.when == "2025-11-28 08:00:01 UTC"


def test_another_time_zone_is_the_same_moment() -> None:
    text = GOOD.replace("08:00:01 UTC", "09:00:01 +0100")
    assert parse(text.encode(), "it").date == SECONDS


@pytest.mark.parametrize(
    "text",
    [
        "",
        FIELDS,  # a Release without a signature
        "Date: Fri, 28 Nov 2031 08:00:01 UTC\n" + GOOD,  # text that nobody signed
        BEGIN + FIELDS,
        BEGIN + FIELDS + SIGNATURE + GOOD,
        BEGIN + SIGNATURE,
        BEGIN + FIELDS + "Date: Fri, 28 Nov 2031 08:00:01 UTC\n" + SIGNATURE,
        GOOD.replace("Fri, 28 Nov 2025 08:00:01 UTC", "soon"),
        GOOD.replace("2025", "99999999999999999999"),
        "-----BEGIN PGP SIGNED MESSAGE-----\n" + SIGNATURE,
    ],
)
def test_what_is_no_index(text: str) -> None:
    with pytest.raises(IndexFileError, match=r"^it (is not a signed|has no usable)"):
        parse(text.encode(), "it")


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "InRelease"
    path.write_text(GOOD)
    assert index.read(path).date == SECONDS
    path.write_text(GOOD + "x" * index.LIMIT)
    for read in (index.read, index.read_signature):
        with pytest.raises(IndexFileError, match=r"InRelease is larger than \d+ bytes, so"):
            read(path)
    with pytest.raises(OSError, match="not a regular file"):
        index.read(tmp_path)


NEW = "Date: Fri, 01 Jan 2038 00:00:00 UTC"
MARK = "-----BEGIN PGP SIGNATURE-----"


@pytest.mark.parametrize("end", ["\v", "\f", "\r", "\x1c", "\x1d", "\x85", "\u2028", " ", ""])
@pytest.mark.parametrize("behind", [" ", "\t", "\v", "\r", ""])
def test_what_is_no_header_is_refused(end: str, behind: str) -> None:
    """apt takes any text behind 'Hash:', and white space behind a marker."""
    signed = f"\n{MARK}{behind}\n"
    text = GOOD.replace("SHA512", f"SHA512{end}{end}{NEW}{end}{MARK}").replace(
        f"\n{MARK}\n", signed
    )
    with pytest.raises(IndexFileError, match=r"^it is not a signed"):
        parse(text.encode(), "it")


@pytest.mark.parametrize(
    "header", [NEW, "Hash: SHA512\nComment: x", "Hash: é", "Hash:", "\ufeffHash: SHA512"]
)
def test_other_headers_are_refused(header: str) -> None:
    with pytest.raises(IndexFileError, match=r"^it is not a signed"):
        parse(GOOD.replace("Hash: SHA512", header).encode(), "it")


@pytest.mark.parametrize("header", ["Hash: SHA256, SHA512\n", "Hash: SHA256\nHash: SHA512\n", ""])
@pytest.mark.parametrize("behind", ["", " ", "\r", "\t"])
def test_headers_and_white_space_that_are_allowed(header: str, behind: str) -> None:
    text = GOOD.replace("Hash: SHA512\n", header).replace("-----\n", f"-----{behind}\n")
    assert parse(text.encode(), "it").date == SECONDS


def test_one_more_marker_with_white_space_behind_it() -> None:
    text = GOOD.replace("Origin:", f"{MARK} \nOrigin:")
    with pytest.raises(IndexFileError, match=r"^it is not a signed"):
        parse(text.encode(), "it")


def test_a_date_behind_the_signature_does_not_count() -> None:
    assert parse((GOOD + "Date: Fri, 28 Nov 2031 08:00:01 UTC\n").encode(), "it").date == SECONDS


@pytest.mark.parametrize(
    ("found", "message"),
    [
        (Index("a", 10), ""),
        (Index("b", 11), ""),
        (Index("b", 10), "another one of the same second"),
        (Index("b", 9), "and the one that was published is of"),
    ],
)
def test_what_is_older(found: Index, message: str) -> None:
    reason = older(found, Index("a", 10))
    assert message in reason
    assert bool(reason) == bool(message)


def test_fingerprints_of_primary_keys_only(tmp_path: Path) -> None:
    listing = (
        "pub:-:255:22:A:1:::-:::scSC:::::ed25519:::0:\nfpr:::::::::" + "A" * 40 + ":\n"
        "uid:-::::1::H::x::::::::::0:\nsub:-:255:18:B:1::::::e:::::cv25519::\nfpr:::::::::"
        + "B" * 40
        + ":\npub:-:255:22:C:1:::-:::scSC:::::ed25519:::0:\nfpr:::::::::"
        + "C" * 40
        + ":\n"
    )
    block = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----\n"
    shown: list[bytes] = []

    def run(argv: Sequence[str]) -> Result:
        shown.append(Path(argv[-1]).read_bytes())
        return Result(0, listing)

    found = index.fingerprints(run, block + block, "k", tmp_path)
    assert found == ["A" * 40, "C" * 40]
    assert shown == [bytes(6)]  # both blocks, of which gpg would read the first one alone
    for text in ("nothing", block):
        with pytest.raises(IndexFileError, match="k is not a public key: no "):
            index.fingerprints(
                lambda argv: Result(2, "", "no valid OpenPGP data"), text, "k", tmp_path
            )
