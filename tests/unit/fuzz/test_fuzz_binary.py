# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Binary forms: DER, certificates, signatures, lists of the firmware, ELF."""

from __future__ import annotations

import contextlib
import functools
import struct
import tempfile
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import (
    module_signature,
    signing_key,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common import der, elf_notes
from ansible_collections.oslab.kernel.plugins.module_utils._host import secure_boot
from ansible_collections.oslab.kernel.tests.lib import hostile
from ansible_collections.oslab.kernel.tests.lib import signing_keys as made
from hypothesis import example, given
from hypothesis import strategies as st


@functools.cache
def samples() -> tuple[bytes, bytes]:
    """A certificate, and a signed module."""
    with tempfile.TemporaryDirectory() as directory:
        pem = made.pair(Path(directory), "signer")
        module, signature = Path(directory, "module"), Path(directory, "signature")
        module.write_bytes(b"\x7fELF")
        files = ["-signer", pem, "-inkey", pem, "-in", module, "-out", signature]
        flags = ["-binary", "-noattr", "-nocerts", "-nosmimecap", "-outform", "DER"]
        made.openssl("cms", "-sign", *map(str, files), *flags, "-md", "sha256")
        encoded = signing_key.parse(pem.read_text(), "x").certificate.encoded
        return encoded, signature.read_bytes()


def certificate_bytes() -> st.SearchStrategy[bytes]:
    return st.deferred(lambda: hostile.contents(samples()[0]))


def module_bytes() -> st.SearchStrategy[bytes]:
    def whole(signature: bytes) -> bytes:
        info = struct.pack(">5B3xI", 0, 0, 2, 0, 0, len(signature))
        return b"\x7fELF" + signature + info + module_signature.MAGIC

    return st.deferred(
        lambda: st.one_of(
            hostile.contents(samples()[1]).map(whole), hostile.contents(whole(samples()[1]))
        )
    )


NODES = st.recursive(
    st.builds(der.encode, st.sampled_from([2, 3, 4, 6, 0x17]), st.binary(max_size=30)),
    lambda inside: st.builds(
        lambda tag, parts: der.encode(tag, b"".join(parts)),
        st.sampled_from([0x30, 0x31, 0xA0]),
        st.lists(inside, max_size=4),
    ),
)


def walk(node: der.Node, depth: int = 0) -> None:
    for read in (lambda: node.number, lambda: der.dotted(node), lambda: node.child(0)):
        with contextlib.suppress(der.DerError):
            read()
    with contextlib.suppress(der.DerError):
        for child in node.children if depth < 20 else ():
            walk(child, depth + 1)


@example(b"\x06\x01\x80")
@example(b"\x06\x82\x08\x00" + b"\xff" * 0x7FF + b"\x7f")
@example(b"\x02\x00")
@given(st.one_of(NODES, certificate_bytes(), NODES.flatmap(hostile.contents)))
def test_der(data: bytes) -> None:
    with contextlib.suppress(der.DerError):
        walk(der.only(data))


@given(st.one_of(certificate_bytes(), NODES))
def test_certificates(data: bytes) -> None:
    with contextlib.suppress(der.DerError):
        signing_key.parse_certificate(data)


@given(st.lists(st.tuples(certificate_bytes(), st.integers(0, 2**32 - 1)), max_size=3), st.binary())
def test_lists_of_the_firmware(
    tmp_path: Path, entries: list[tuple[bytes, int]], rest: bytes
) -> None:
    data = b""
    for encoded, odd in entries:
        size = len(encoded) + 16 if odd % 3 else odd
        data += struct.pack("<16sIII", secure_boot._X509, 28 + len(encoded) + 16, odd % 2, size)
        data += bytes(16) + encoded
    secure_boot.list_certificates(data + rest)
    variables = tmp_path / "sys/firmware/efi/efivars"
    variables.mkdir(parents=True, exist_ok=True)
    (variables / "db-d719b2cb-3d3a-4596-a3bc-dad00e67656f").write_bytes(bytes(4) + data + rest)
    assert secure_boot.trusted_certificates(tmp_path) is not None


@given(module_bytes())
def test_signatures_of_modules(module: bytes) -> None:
    certificate = signing_key.parse_certificate(samples()[0])
    with contextlib.suppress(module_signature.SignatureError):
        module_signature.check(module, certificate)


GNU = struct.pack("=III", 4, 20, 3) + b"GNU\0" + bytes(range(20))


@given(hostile.contents(GNU, GNU + GNU))
def test_notes(data: bytes) -> None:
    assert sum(len(note.content) for note in elf_notes.parse_notes(data)) <= len(data)
    elf_notes.gnu_build_id(data)


def elf(start: int, size: int, entries: int, kind: int, offset: int, length: int) -> bytes:
    header = struct.pack("=HHIQQQIHHH", 2, 62, 1, 0, start, 0, 0, 64, size, entries)
    segment = struct.pack("=IIQQQQQQ", kind, 0, offset, 0, 0, length, 0, 0)
    return b"\x7fELF\2" + bytes(11) + header + bytes(6) + segment + GNU


LARGE = st.sampled_from(
    [0, 1, 56, 64, 120, 1 << 16, 1 << 31, (1 << 63) - 1, 1 << 63, (1 << 64) - 1]
)


@example(1 << 63, 56, 1, 0, 0)
@example(64, 56, 1, 1 << 63, 36)
@given(LARGE, st.integers(0, 0xFFFF), st.integers(0, 0xFFFF), LARGE, LARGE)
def test_files(
    tmp_path: Path, start: int, size: int, entries: int, offset: int, length: int
) -> None:
    path = tmp_path / "vmlinux"
    path.write_bytes(elf(start, size, entries, elf_notes.PT_NOTE, offset, length))
    elf_notes.file_build_id(path)


@pytest.mark.parametrize("content", [elf(64, 56, 1, 4, 120, 36)])
def test_the_good_file_has_an_id(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "vmlinux"
    path.write_bytes(content)
    assert elf_notes.file_build_id(path) == bytes(range(20)).hex()


@given(hostile.contents(elf(64, 56, 1, 4, 120, 36)))
def test_other_files(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "vmlinux"
    path.write_bytes(content)
    elf_notes.file_build_id(path)
