# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Receive a document that stands beside a repository's index: not too much, and not too slowly."""

from __future__ import annotations

import time
from http.client import HTTPException
from typing import Any

from ansible.module_utils.urls import ConnectionError, open_url
from ansible_collections.oslab.kernel.plugins.module_utils._source.download import PLAIN, within

PIECE = 1 << 16
#: A server can draw out headers, redirections and sizes of chunks: all of it, in time-outs.
TIMEOUTS = 6


class ReceiveError(Exception):
    """There is no such document, or no end of it; the message names the address."""


def receive(answer: Any, url: str, seconds: float, limit: int) -> bytes:
    """All of an answer. Raises ReceiveError."""
    deadline = time.monotonic() + seconds
    data = bytearray()
    while len(data) <= limit:
        # At most one system call: a server that sends a byte now and then would hold up `read`.
        piece = answer.read1(PIECE)
        if not piece:
            return bytes(data)
        data += piece
        if time.monotonic() > deadline:
            raise ReceiveError(f"{url} was not received within {seconds:g} seconds")
    raise ReceiveError(f"{url} is larger than {limit >> 20} MiB, so it is none of ours")


def document(url: str, timeout: int, limit: int) -> bytes:
    """`timeout`: seconds that the server may be silent. Raises ReceiveError and OSError."""
    seconds = TIMEOUTS * timeout

    def whole() -> bytes:
        # What is compressed on its way could be of any length before a byte of it is out.
        with open_url(url, headers=PLAIN, timeout=timeout, decompress=False) as answer:
            return receive(answer, url, seconds, limit)

    try:
        return within(seconds, whole)
    except TimeoutError as error:
        raise ReceiveError(f"{url} was not received within {seconds:g} seconds") from error
    except (ConnectionError, HTTPException, ValueError) as error:
        raise ReceiveError(f"{url}: {error}") from error
