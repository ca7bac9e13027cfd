# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Download one file, resuming an earlier attempt; give up a server that stalls.

curl is no replacement: before 8.4 (Debian 12, Ubuntu 22.04) `--max-filesize` does not
stop a file whose length the server does not state. It would also be needed on the control node.
"""

from __future__ import annotations

import errno
import socket
import threading
import time
import urllib.error
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.client import HTTPException
from pathlib import Path
from typing import Any, Callable, Optional, TypeVar
from urllib.parse import urlsplit

from ansible.module_utils.urls import ConnectionError as UrlConnectionError
from ansible.module_utils.urls import open_url
from ansible_collections.oslab.kernel.plugins.module_utils._common.plain_text import (
    shown,
    without_password,
)

CHUNK = 1 << 16
# A server that sends less than this for a whole time-out is as good as silent.
SLOWEST = 1024  # bytes a second
# Of `timeout`, for what a server can draw out: a connection with all its redirections and headers.
ANSWER = 4
SMALL = 300  # seconds for a signature or a listing, at least
# From one kind of address to which others a server may lead on.
REDIRECTIONS = {"http": ("http", "https"), "https": ("https",), "file": ("file",)}
# Compressed once more on its way, the ranges and the length would mean something else.
PLAIN = {"Accept-Encoding": "identity"}

# (url, request headers) → readable stream with .headers; raises what urllib raises
Opener = Callable[[str, Mapping[str, str]], Any]
# (bytes had, bytes in all or None, url)
Progress = Callable[[int, Optional[int], str], None]


Result = TypeVar("Result")


class DownloadError(Exception):
    """This address does not give the file."""


class MissingError(DownloadError):
    """The server answers that it has no such file."""


class TemporaryError(DownloadError):
    """Something that may go better at the next try."""


@dataclass(frozen=True)
class Limits:
    """How long and how often to try, and how much to take."""

    timeout: float = 30
    tries: int = 3
    size: int = 4 << 30
    longest: float = 8 * 3600  # for one try of a large file
    clock: Callable[[], float] = time.monotonic
    sleep: Callable[[float], None] = time.sleep


_DISK = {
    errno.ENOSPC: "no space left on device. Free space there",
    errno.EDQUOT: "disk quota exceeded. Free space there, or raise the quota",
    errno.EROFS: "read-only file system. Mount it for writing (dmesg says why it is not)",
}


def disk_problem(error: OSError, directory: str) -> str:
    """A sentence for what is the disk's fault and no server's; empty for all else."""
    message = _DISK.get(error.errno or 0)
    if message is None:
        return ""
    return f"The kernel's source cannot be written to {directory}: {message}, and run this again."


def explain(error: BaseException) -> DownloadError:
    """What an exception of urllib, a socket or a file means for the next try."""
    meaning: DownloadError = TemporaryError(f"{type(error).__name__}: {shown(str(error))}")
    if isinstance(error, urllib.error.URLError) and isinstance(error.reason, BaseException):
        return explain(error.reason)
    if isinstance(error, DownloadError):
        meaning = error
    elif isinstance(error, urllib.error.HTTPError):
        meaning = _status(error.code, str(error.reason))
    elif isinstance(error, FileNotFoundError):
        meaning = MissingError(f"no such file: {error.filename or error}")
    elif isinstance(error, (TimeoutError, socket.timeout)):
        meaning = TemporaryError("no answer within the time-out (source_timeout)")
    elif isinstance(error, ValueError):
        meaning = DownloadError(f"not an address that can be fetched: {shown(str(error))}")
    return meaning


def _status(code: int, reason: str) -> DownloadError:
    text = f"HTTP status {code}: {shown(reason)}"
    if code in (404, 410):
        return MissingError(text)
    if code >= 500 or code in (408, 425, 429):
        return TemporaryError(text)
    return DownloadError(text)


def url_opener(timeout: float) -> Opener:
    """Open addresses as Ansible does, with the user's proxies and certificates."""

    def opener(url: str, headers: Mapping[str, str]) -> Any:
        try:
            return open_url(url, headers=dict(headers), timeout=timeout, decompress=False)
        except UrlConnectionError as error:  # a bad certificate, a proxy
            raise OSError(str(error)) from error

    return opener


def within(seconds: float, action: Callable[[], Result]) -> Result:
    """What `action` gives, unless it takes longer; it is left to itself then.

    A time-out of the socket begins anew with each byte, of headers for example.
    """
    results: list[Result] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(action())
        except BaseException as error:  # raised again below
            errors.append(error)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    thread.join(seconds)
    if errors:
        raise errors[0]
    if not results:
        raise TimeoutError
    return results[0]


def _open(url: str, headers: Mapping[str, str], opener: Opener, limits: Limits) -> Any:
    stream = within(ANSWER * limits.timeout, lambda: opener(url, headers))
    scheme = urlsplit(url).scheme
    led_to = urlsplit(str(getattr(stream, "url", None) or url)).scheme
    if led_to not in REDIRECTIONS.get(scheme, (scheme,)):
        stream.close()
        raise DownloadError(f"leads on from {scheme} to {shown(led_to, 20)}, which is not followed")
    return stream


def _chunks(stream: Any, limits: Limits, longest: float) -> Iterator[bytes]:
    """What arrives, as it arrives; ends with an error where too little does."""
    read = getattr(stream, "read1", stream.read)  # read() would wait for a full chunk
    since, arrived = limits.clock(), 0
    end = since + longest
    while True:
        chunk = within(ANSWER * limits.timeout, lambda: read(CHUNK))
        if not chunk:
            return
        yield chunk
        arrived += len(chunk)
        now = limits.clock()
        if now > end:
            raise DownloadError(f"it takes more than {longest:.0f} seconds")
        if now - since >= limits.timeout:
            if arrived < SLOWEST * (now - since):
                raise TemporaryError(
                    f"stalled: {arrived} bytes in {now - since:.0f} seconds (source_timeout)"
                )
            since, arrived = now, 0


def _size(headers: Mapping[str, str], start: int) -> Optional[int]:
    length = str(headers.get("Content-Length") or "")
    return (
        start + int(length) if length.isascii() and length.isdigit() and len(length) < 20 else None
    )


def _start(stream: Any, wanted: int) -> int:
    """Where in the file the answer starts: a server may ignore the range that was asked for."""
    if not wanted or getattr(stream, "status", None) != 206:
        return 0
    given = str(stream.headers.get("Content-Range") or "").partition("-")[0]
    if given.strip() != f"bytes {wanted}":
        raise TemporaryError(
            f"asked for bytes {wanted} on, the server answers '{shown(given, 40)}'"
        )
    return wanted


def _too_long(limits: Limits) -> DownloadError:
    return DownloadError(f"longer than {limits.size} bytes (source_max_size)")


def _once(url: str, part: Path, opener: Opener, limits: Limits, progress: Progress) -> None:
    have = part.stat().st_size if part.exists() else 0
    headers = dict(PLAIN)
    if have:
        headers["Range"] = f"bytes={have}-"
    try:
        answer = _open(url, headers, opener, limits)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # the part is longer than the file: it is of another one
            part.unlink()
            raise TemporaryError("the file is shorter than what an earlier try left") from error
        raise
    with answer as stream:
        done = _start(stream, have)
        total = _size(stream.headers, done)
        if total is not None and total > limits.size:
            raise _too_long(limits)
        with part.open("r+b" if done else "wb") as out:
            out.seek(done)
            for chunk in _chunks(stream, limits, limits.longest):
                out.write(chunk)
                done += len(chunk)
                if done > limits.size:
                    raise _too_long(limits)
                progress(done, total, url)
            out.truncate()
    if total is not None and done < total:
        raise TemporaryError(f"ended after {done} of {total} bytes")


def _trying(limits: Limits, action: Callable[[], Result]) -> Result:
    """What `action` gives; repeated where its failure may pass, after a growing pause."""
    for number in range(1, limits.tries + 1):
        try:
            return action()
        except (OSError, ValueError, HTTPException, DownloadError) as error:
            # The next try and the next mirror would have the same disk.
            if isinstance(error, OSError) and error.errno in _DISK:
                raise
            meaning = explain(error)
            if not isinstance(meaning, TemporaryError):
                raise meaning from error
            if number >= limits.tries:
                tried = f" (tried {number} times)" if number > 1 else ""
                raise TemporaryError(f"{meaning}{tried}") from error
            limits.sleep(2 ** (number - 1))
    raise DownloadError("source_tries must be at least 1")


def download(url: str, part: Path, opener: Opener, limits: Limits, progress: Progress) -> None:
    """Download the file at `url` to `part`, which may hold the beginning of it already."""
    _trying(limits, lambda: _once(url, part, opener, limits, progress))


def read(url: str, opener: Opener, limits: Limits, size: int) -> bytes:
    """A small file, such as a signature."""
    name = without_password(url)

    def once() -> bytes:
        with _open(url, dict(PLAIN), opener, limits) as stream:
            total = _size(stream.headers, 0)
            text = bytearray()
            for chunk in _chunks(stream, limits, max(SMALL, ANSWER * limits.timeout)):
                text += chunk
                if len(text) > size:
                    raise DownloadError(f"{name} is longer than {size} bytes")
        if total is not None and len(text) < total:
            raise TemporaryError(f"{name} ended after {len(text)} of {total} bytes")
        return bytes(text)

    return _trying(limits, once)


def probe(url: str, opener: Opener, limits: Limits) -> None:
    """Check that the server has the file. Nothing of it is stored."""

    def once() -> None:
        with _open(url, dict(PLAIN), opener, limits) as stream:
            if not within(ANSWER * limits.timeout, lambda: stream.read(1)):
                raise TemporaryError("an empty answer")

    _trying(limits, once)
