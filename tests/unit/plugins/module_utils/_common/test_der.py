# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DER, as openssl and these functions write it."""

from __future__ import annotations

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common import der

ONE = bytes([der.INTEGER, 1, 1])


@pytest.mark.parametrize("size", [0, 127, 128, 255, 256, 70_000])
def test_what_is_encoded_is_read_back(size: int) -> None:
    data = der.encode(der.OCTET_STRING, b"x" * size)
    assert der.only(data) == der.Node(der.OCTET_STRING, b"x" * size, data)


def test_the_parts_of_a_node() -> None:
    node = der.only(der.encode(der.SEQUENCE, ONE + der.encode(der.SET, ONE)))
    assert [part.tag for part in node.parts(2)] == [der.INTEGER, der.SET]
    assert node.child(0).number == node.child(-1).child(0).number == 1
    with pytest.raises(der.DerError, match="3 parts were expected, not 2"):
        node.parts(3)
    with pytest.raises(der.DerError, match="a part is missing"):
        node.child(2)


def test_a_number_may_be_negative() -> None:
    assert der.only(b"\x02\x02\xff\x00").number == -256
    with pytest.raises(der.DerError, match="a number was expected"):
        _ = der.only(der.encode(der.SEQUENCE, b"")).number


@pytest.mark.parametrize("data", [b"", b"\x02", b"\x02\x02\x01", b"\x02\x80", b"\x02\x82\x01"])
def test_bytes_that_end_too_early(data: bytes) -> None:
    with pytest.raises(der.DerError, match="ends too early"):
        der.first(data)


def test_what_follows_a_node_is_refused() -> None:
    assert der.first(ONE + b"x").whole == ONE
    with pytest.raises(der.DerError, match="something follows"):
        der.only(ONE + b"x")


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0b", "1.2.840.113549.1.1.11"),
        (b"\x60\x86\x48\x01\x65\x03\x04\x02\x01", "2.16.840.1.101.3.4.2.1"),
        (b"\x88\x37", "2.999"),
    ],
)
def test_an_identifier_as_people_write_it(content: bytes, expected: str) -> None:
    assert der.dotted(der.only(der.encode(der.OBJECT, content))) == expected


@pytest.mark.parametrize("node", [ONE, b"\x06\x00", b"\x06\x01\x80"])
def test_what_is_no_identifier(node: bytes) -> None:
    with pytest.raises(der.DerError, match="an object identifier was expected"):
        der.dotted(der.only(node))
