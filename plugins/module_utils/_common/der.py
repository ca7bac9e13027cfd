# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read DER, the binary form of keys, certificates and signatures. As much of it as they need.

Whatever the bytes are, nothing is raised but DerError, and the work grows with their number alone.
It runs on targets and builders, which have Python alone; `cryptography` would be one package more.
"""

from __future__ import annotations

from typing import NamedTuple

INTEGER = 0x02
OCTET_STRING = 0x04
OBJECT = 0x06
SEQUENCE = 0x30
SET = 0x31
UTC_TIME = 0x17

# Bytes of one number of an object identifier: that of a UUID, the longest in use, has 19.
_ARC = 20
# Bytes of an identifier; the longest in use have some 20.
_IDENTIFIER = 256


class DerError(ValueError):
    """These bytes are not what they should be."""


class Node(NamedTuple):
    tag: int
    content: bytes
    whole: bytes  # tag, length and content

    @property
    def children(self) -> list[Node]:
        """The nodes that this one is made of. Raises DerError."""
        found, at = [], 0
        while at < len(self.content):
            node = first(self.content, at)
            found.append(node)
            at += len(node.whole)
        return found

    def child(self, number: int) -> Node:
        """One of them; negative numbers count from the end. Raises DerError if it is not there."""
        try:
            return self.children[number]
        except IndexError:
            raise DerError("a part is missing") from None

    def parts(self, number: int) -> list[Node]:
        """All of them. Raises DerError unless there are so many."""
        found = self.children
        if len(found) != number:
            raise DerError(f"{number} parts were expected, not {len(found)}")
        return found

    @property
    def number(self) -> int:
        if self.tag != INTEGER or not self.content:
            raise DerError("a number was expected")
        return int.from_bytes(self.content, "big", signed=True)


def first(data: bytes, at: int = 0) -> Node:
    """The node that stands at the start, or at this place. Raises DerError if it is not whole."""
    if len(data) < at + 2:
        raise DerError("it ends too early")
    length, start = data[at + 1], at + 2
    if length & 0x80:
        begin = start
        start += length & 0x7F
        length = int.from_bytes(data[begin:start], "big") if start > begin else -1
    if length < 0 or len(data) < start + length:
        raise DerError("it ends too early")
    return Node(data[at], data[start : start + length], data[at : start + length])


def only(data: bytes) -> Node:
    """The node that these bytes are, and nothing after it. Raises DerError."""
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
    """An object identifier as people write it. Raises DerError if it is none, or a huge one."""
    if node.tag != OBJECT or not node.content or node.content[-1] & 0x80:
        raise DerError("an object identifier was expected")
    if len(node.content) > _IDENTIFIER:
        raise DerError("an object identifier is too long")
    numbers, value = [], 0
    for byte in node.content:
        value = value << 7 | byte & 0x7F
        if value.bit_length() > 7 * _ARC:
            raise DerError("an object identifier has too large a number")
        if not byte & 0x80:
            numbers.append(value)
            value = 0
    top = min(numbers[0] // 40, 2)
    return ".".join(map(str, [top, numbers[0] - 40 * top, *numbers[1:]]))
