# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read DER, the binary form of keys, certificates and signatures. As much of it as they need."""

from __future__ import annotations

from typing import NamedTuple

INTEGER = 0x02
BIT_STRING = 0x03
OCTET_STRING = 0x04
OBJECT = 0x06
SEQUENCE = 0x30
SET = 0x31
UTC_TIME = 0x17


class DerError(ValueError):
    """These bytes are not what they should be."""


class Node(NamedTuple):
    tag: int
    content: bytes
    whole: bytes  # tag, length and content

    @property
    def children(self) -> list[Node]:
        found, rest = [], self.content
        while rest:
            node = first(rest)
            found.append(node)
            rest = rest[len(node.whole) :]
        return found

    @property
    def number(self) -> int:
        if self.tag != INTEGER:
            raise DerError("a number was expected")
        return int.from_bytes(self.content, "big", signed=True)


def first(data: bytes) -> Node:
    """The node that stands at the start."""
    if len(data) < 2:
        raise DerError("it ends too early")
    length, start = data[1], 2
    if length & 0x80:
        start += length & 0x7F
        length = int.from_bytes(data[2:start], "big") if start > 2 else -1
    if length < 0 or len(data) < start + length:
        raise DerError("it ends too early")
    return Node(data[0], data[start : start + length], data[: start + length])


def only(data: bytes) -> Node:
    """The node that these bytes are, and nothing after it."""
    node = first(data)
    if len(node.whole) != len(data):
        raise DerError("something follows its end")
    return node


def encode(tag: int, content: bytes) -> bytes:
    size = len(content)
    if size < 0x80:
        return bytes([tag, size]) + content
    length = size.to_bytes((size.bit_length() + 7) // 8, "big")
    return bytes([tag, 0x80 | len(length)]) + length + content


def dotted(node: Node) -> str:
    """An object identifier as people write it."""
    if node.tag != OBJECT or not node.content:
        raise DerError("an object identifier was expected")
    numbers, value = [], 0
    for byte in node.content:
        value = value << 7 | byte & 0x7F
        if not byte & 0x80:
            numbers.append(value)
            value = 0
    top = min(numbers[0] // 40, 2)
    return ".".join(map(str, [top, numbers[0] - 40 * top, *numbers[1:]]))
