# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Read files that others may have written: no pipe, no device, no more than is reasonable.

The wrong file in the right place (a pipe, a link to a device, ten gigabytes) costs an error and
neither the memory nor the time of the reader.
"""

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

# The largest text that is read, modules.alias of a distribution's kernel, has some 2 MiB.
TEXT = 16 << 20
# A manifest has some KiB, the list of a build's files a MiB or two.
JSON = 16 << 20
# Of a file of which only the checksum is wanted.
HASHED = 4 << 30
# Nothing of ours is nested more than five deep; what is goes through recursive code later.
NESTING = 32
_CHUNK = 64 << 10


def _error(number: int, text: str, path: Path) -> OSError:
    return OSError(number, text, str(path))


@contextmanager
def _opened(path: Path) -> Iterator[int]:
    """A regular file, or one of /proc and /sys. OSError for anything else, before it is opened:
    to open a device may do something, to open a pipe waits for a writer."""
    try:
        found = path.stat()
    except ValueError as error:  # a NUL in the name
        raise _error(errno.EINVAL, str(error), path) from error
    except RuntimeError as error:  # Python 3.12 and earlier, of links that go round in a circle
        raise _error(errno.ELOOP, str(error), path) from error
    if not stat.S_ISREG(found.st_mode):
        raise _error(errno.EINVAL, "not a regular file", path)
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    try:
        # It may have been replaced since.
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise _error(errno.EINVAL, "not a regular file", path)
        yield descriptor
    finally:
        os.close(descriptor)


def content(path: Path, limit: int = TEXT) -> bytes:
    """The bytes of a file. Raises OSError, EFBIG if it has more than `limit` bytes."""
    data = bytearray()
    with _opened(path) as descriptor:
        # In pieces: /proc/sys refuses to be asked for megabytes.
        while len(data) <= limit:
            chunk = os.read(descriptor, _CHUNK)
            if not chunk:
                return bytes(data)
            data += chunk
    raise _error(errno.EFBIG, f"larger than {limit} bytes", path)


def end(path: Path, limit: int) -> bytes:
    """The last `limit` bytes of a file, or all of it. Raises OSError as `content`, never EFBIG."""
    with _opened(path) as descriptor:
        size = os.fstat(descriptor).st_size
        os.lseek(descriptor, max(0, size - limit), os.SEEK_SET)
        data = bytearray()
        while len(data) < limit:
            chunk = os.read(descriptor, min(_CHUNK, limit - len(data)))
            if not chunk:
                break
            data += chunk
        return bytes(data)


def text(path: Path, limit: int = TEXT, errors: str = "replace") -> str:
    """The text of a file, UTF-8; `errors` as in bytes.decode. Raises OSError as `content`."""
    return content(path, limit).decode("utf-8", errors)


def sha256(path: Path, limit: int = HASHED) -> str:
    """The checksum of a file on a disk. Raises OSError, EFBIG if it has more than `limit` bytes.

    Only as many bytes are read as the file says that it has: files of /proc, some of which never
    end, say 0.
    """
    digest = hashlib.sha256()
    with _opened(path) as descriptor:
        left = os.fstat(descriptor).st_size
        if left > limit:
            raise _error(errno.EFBIG, f"larger than {limit} bytes", path)
        while left > 0:
            chunk = os.read(descriptor, min(left, _CHUNK))
            if not chunk:
                break
            digest.update(chunk)
            left -= len(chunk)
    return digest.hexdigest()


def lines(text: str) -> list[str]:
    r"""The lines of a text, ended by \n alone.

    str.splitlines knows ten more ends, among them characters that anybody may have in the name of
    a file, a process or a mount, and that the kernel prints as they are.
    """
    return text.removesuffix("\n").split("\n") if text else []


def words(line: str) -> list[str]:
    """The words of a line, between spaces and tabs. str.split knows some twenty more spaces."""
    return [word for word in line.replace("\t", " ").split(" ") if word]


def _is_shallow(value: Any, levels: int) -> bool:
    if not isinstance(value, (dict, list)):
        return True
    inside = value.values() if isinstance(value, dict) else value
    return levels > 0 and all(_is_shallow(one, levels - 1) for one in inside)


def parse_json(text: str) -> Any:
    """A JSON value. Raises ValueError for anything else.

    That includes what Python's parser takes and others, or what comes after it, do not: NaN,
    numbers without end, halves of characters, nesting beyond NESTING.
    """
    try:
        value = json.loads(text)
        if not _is_shallow(value, NESTING):
            raise ValueError("it is nested too deeply")
        json.dumps(value, ensure_ascii=False, allow_nan=False).encode()
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    return value


def json_object(path: Path, limit: int = JSON) -> dict[str, Any]:
    """The JSON object in a file. Raises OSError as `content`, ValueError if it holds none."""
    value = parse_json(content(path, limit).decode("utf-8"))
    if not isinstance(value, dict):
        raise ValueError("it is not a JSON object")
    return value
