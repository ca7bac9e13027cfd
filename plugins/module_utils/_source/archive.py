# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read a tarball without trusting it.

It is decompressed in small steps up to a limit, and each member is looked at before whoever
reads on (tar, gpgv) gets to see it: no name and no link may lead out of the tree, and there is
nothing but files, directories and links in it.

tarfile cannot do this: behind a damaged header it ends without an error, where tar reads on; it
reads an extra header of any size into memory; and Debian 12's (Python 3.11.2) has no filters.
"""

from __future__ import annotations

import bz2
import hashlib
import lzma
import posixpath
import re
import zlib
from collections.abc import Iterable, Iterator
from itertools import dropwhile
from pathlib import Path
from typing import IO, Any, Union

from ansible_collections.oslab.kernel.plugins.module_utils._common.plain_text import shown

CHUNK = 1 << 20
BLOCK = 512
MEMORY = 256 << 20  # for xz; its strongest preset needs 65 MiB
LONG = 64 << 10  # bytes of an extra header; none of a kernel's source comes near that
# What a kernel's source has, some ten times over: more would only fill memory, disk and time.
NAME = 1 << 10  # bytes
MEMBERS = 1 << 20
LINKS = 1 << 14
STREAMS = 1 << 16  # compressed ones, one after another in a file

SYMLINK = b"2"
_DIRECTORY, _HARDLINK = b"5", b"1"
_FILES = (b"0", b"\0", b"7")
_USED = ("path", "linkpath", "size")  # of the records in extended headers
_NAMES = {b"character device": b"3", b"block device": b"4", b"FIFO": b"6", b"sparse file": b"S"}


class ArchiveError(Exception):
    """The tarball is damaged or does what no kernel's tarball does."""


# --- decompression -----------------------------------------------------------------------------


class _Gzip:
    """zlib's decompressor with the interface of those of lzma and bz2."""

    def __init__(self) -> None:
        self._zlib = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        return self._zlib.eof

    @property
    def unused_data(self) -> bytes:
        return self._zlib.unused_data

    @property
    def needs_input(self) -> bool:
        return not self._zlib.unconsumed_tail

    def decompress(self, data: bytes, max_length: int) -> bytes:
        return self._zlib.decompress(self._zlib.unconsumed_tail + data, max_length)


def _decompressor(magic: bytes) -> Any:
    if magic.startswith(b"\xfd7zXZ\0"):
        return lzma.LZMADecompressor(format=lzma.FORMAT_XZ, memlimit=MEMORY)
    if magic.startswith(b"\x1f\x8b"):
        return _Gzip()
    if magic.startswith(b"BZh"):
        return bz2.BZ2Decompressor()
    return None


class Original:
    """The bytes of a tarball's file, and the checksum of exactly those that were handed on."""

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream = stream
        self._digest = hashlib.sha256()

    def __iter__(self) -> Iterator[bytes]:
        for chunk in iter(lambda: self._stream.read(CHUNK), b""):
            self._digest.update(chunk)
            yield chunk

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


def _raw(path: Path) -> Iterator[bytes]:
    with path.open("rb") as stream:
        yield from iter(lambda: stream.read(CHUNK), b"")


def _decompressed(source: Iterator[bytes]) -> Iterator[bytes]:
    streams = 1
    data = next(source, b"")
    inside = _decompressor(data)
    if inside is None:
        if data[257:262] != b"ustar":
            raise ArchiveError("not a tarball compressed with xz, gzip or bzip2, nor a plain one")
        yield data
        yield from source
        return
    try:
        while True:
            out = inside.decompress(data, CHUNK)
            data = b""
            if out:
                yield out
            if inside.eof:
                # Several streams may follow each other, with padding of zeros between them.
                data = inside.unused_data.lstrip(b"\0")
                while not data:
                    more = next(source, None)
                    if more is None:
                        return
                    data = more.lstrip(b"\0")
                inside, streams = _decompressor(data), streams + 1
                if streams > STREAMS:
                    raise ArchiveError("it consists of more compressed parts than any source does")
                if inside is None:
                    raise ArchiveError("something that is no archive follows the compressed one")
            elif inside.needs_input:
                data = next(source, b"")
                if not data:
                    raise ArchiveError("the compressed file ends too early")
    except (lzma.LZMAError, zlib.error, OSError, MemoryError) as error:
        raise ArchiveError(f"the compressed file is damaged: {error}") from error


def decompressed(tarball: Union[Path, Original], limit: int) -> Iterator[bytes]:
    """The tarball's contents, up to `limit` bytes and not one more."""
    total = 0
    source = _raw(tarball) if isinstance(tarball, Path) else iter(tarball)
    for chunk in _decompressed(source):
        total += len(chunk)
        if total > limit:
            raise ArchiveError(
                f"unpacks to more than {limit} bytes: a bomb, or source_max_size is too small"
            )
        yield chunk


# --- what is in it -----------------------------------------------------------------------------


def _leads_out(path: str) -> bool:
    return path.startswith("/") or ".." in path.split("/")


def _quoted(name: str) -> str:
    return shown(repr(name[:NAME]))


def _link_error(name: str, link: str) -> ArchiveError:
    return ArchiveError(f"the link {_quoted(name)} leads out of the tree, to {_quoted(link)}")


def check_member(name: str, kind: bytes, link: str = "") -> None:
    """Refuse what could write outside of the tree's directory or is no part of a source tree."""
    if not name or "\0" in name + link or _leads_out(name):
        raise ArchiveError(f"the member {_quoted(name)} leads out of the tree")
    if max(len(name), len(link)) > NAME:
        raise ArchiveError(f"the member {_quoted(name)} has a name of unreasonable length")
    top = posixpath.normpath(name).split("/")[0]
    if kind == SYMLINK:
        aim = posixpath.normpath(posixpath.join(posixpath.dirname(name.rstrip("/")), link))
        # "a/.." is not "." where a is a link, so ".." may only stand in front.
        down = dropwhile(lambda part: part in ("", ".", ".."), link.split("/"))
        if link.startswith("/") or aim.split("/")[0] != top or ".." in down:
            raise _link_error(name, link)
    elif kind == _HARDLINK:
        if _leads_out(link) or posixpath.normpath(link).split("/")[0] != top:
            raise _link_error(name, link)
    elif kind not in (*_FILES, _DIRECTORY):
        what = next((word.decode() for word, code in _NAMES.items() if code == kind), f"{kind!r}")
        raise ArchiveError(
            f"the member {_quoted(name)} is of a kind that no source tree holds ({what})"
        )


def _number(field: bytes) -> int:
    if field[0] & 0x80:  # GNU's binary form, for 8 GiB and more
        return int.from_bytes(bytes([field[0] & 0x7F]) + field[1:], "big")
    digits = field.strip(b" \0") or b"0"
    if digits.strip(b"01234567"):
        raise ArchiveError("the tarball is damaged: a header holds no number")
    return int(digits, 8)


def _text(field: bytes) -> str:
    return field.split(b"\0", 1)[0].decode("utf-8", "surrogateescape")


def _pax(data: bytes) -> dict[str, str]:
    """Records of an extended header: "27 path=linux/…\\n", the length counting itself."""
    records = {}
    while data:
        length = data[: len(str(LONG)) + 1].partition(b" ")[0]
        if not length.isdigit() or not len(length) < int(length) <= len(data):
            raise ArchiveError("the tarball is damaged: an extended header of the wrong length")
        record, data = data[len(length) + 1 : int(length)], data[int(length) :]
        key, _mark, value = record[:-1].partition(b"=")
        records[key.decode("utf-8", "replace")] = value.decode("utf-8", "surrogateescape")
    return records


class _Reader:
    """Finds the members in the blocks of a tarball as they come."""

    def __init__(self) -> None:
        self.members = 0
        self.ended = False
        self._buffer = b""
        self._skip = 0  # bytes of contents that are still to come
        self._long: dict[str, str] = {}  # what extra headers say of the next member
        self._links: set[str] = set()

    def feed(self, chunk: bytes) -> None:
        if self._skip >= len(chunk) and not self._buffer:
            self._skip -= len(chunk)
            return
        data = self._buffer + chunk
        at = 0
        while not self.ended:
            if self._skip:
                step = min(self._skip, len(data) - at)
                at += step
                self._skip -= step
            if self._skip or len(data) - at < BLOCK:
                break
            header = data[at : at + BLOCK]
            size = self._size(header)
            if header[156:157] in b"xgLK" and header.strip(b"\0"):
                if size > LONG:
                    raise ArchiveError("the tarball has an extra header of unreasonable length")
                padded = -(-size // BLOCK) * BLOCK
                if len(data) - at < BLOCK + padded:
                    break
                self._extra(header[156:157], data[at + BLOCK : at + BLOCK + size])
                at += BLOCK + padded
                continue
            self._member(header, size)
            at += BLOCK
        self._buffer = b"" if self.ended else data[at:]

    def _size(self, header: bytes) -> int:
        if not header.strip(b"\0"):
            return 0
        wanted = _number(header[148:156])
        if sum(header[:148]) + sum(header[156:]) + 8 * 32 != wanted:
            raise ArchiveError("the tarball is damaged: a header has a wrong checksum")
        return _number(header[124:136])

    def _extra(self, kind: bytes, data: bytes) -> None:
        if kind in b"LK":
            records = {"path" if kind == b"L" else "linkpath": _text(data)}
        else:
            records = _pax(data)
            # git writes its commit into a global header. Names there would hold for all members.
            if kind == b"g" and records.keys() & {"path", "linkpath", "size"}:
                raise ArchiveError("the tarball names files in a header that is for all of them")
            if any(key.startswith("GNU.sparse") for key in records):
                raise ArchiveError("the tarball holds a sparse file, which no source tree does")
        if records.keys() & self._long.keys():
            raise ArchiveError("the tarball names one member twice")
        if kind != b"g":
            self._long.update({key: records[key] for key in _USED if key in records})

    def _member(self, header: bytes, size: int) -> None:
        if not header.strip(b"\0"):  # tar reads no further than a block of zeros
            self.ended = True
            return
        name, kind = _text(header[:100]), header[156:157]
        if header[257:263] == b"ustar\0" and header[345]:  # POSIX; GNU has other things there
            name = f"{_text(header[345:500])}/{name}"
        extra, self._long = self._long, {}
        name = extra.get("path", name)
        if "size" in extra:
            size = int(extra["size"]) if re.fullmatch("[0-9]{1,18}", extra["size"]) else -1
        if size < 0 or (size and kind not in _FILES):  # tar and we could skip differently much
            raise ArchiveError(f"the member {_quoted(name)} has an impossible size")
        if size and name.endswith("/"):  # a directory to some, a file to others
            raise ArchiveError(f"the member {_quoted(name)} has an impossible size")
        link = extra.get("linkpath", _text(header[157:257]))
        check_member(name, kind, link)
        # However a name is spelled, it is the same file.
        if self._through_link(name):
            raise ArchiveError(f"the member {_quoted(name)} would be written through a link")
        if kind == _HARDLINK and self._through_link(link):
            # Elsewhere the same link leads to another place.
            raise ArchiveError(f"the member {_quoted(name)} would be a second name of a link")
        if kind == SYMLINK:
            self._links.add(posixpath.normpath(name))
        self._skip = -(-size // BLOCK) * BLOCK
        self.members += 1
        if self.members > MEMBERS or len(self._links) > LINKS:
            raise ArchiveError("the tarball has more members than any source does")

    def _through_link(self, name: str) -> bool:
        parts = posixpath.normpath(name).split("/")
        return any("/".join(parts[:depth]) in self._links for depth in range(1, len(parts) + 1))


def checked(chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same bytes, each chunk handed on once the members that start in it were looked at."""
    reader = _Reader()
    for chunk in chunks:
        reader.feed(chunk)
        yield chunk
    if not reader.ended:
        raise ArchiveError("the tarball ends too early")
    if not reader.members:
        raise ArchiveError("the tarball is empty")
