# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A server that sends too much, or never ends. Real ones are in test_verify_modules.py."""

from __future__ import annotations

import time

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._repository import receive
from ansible_collections.oslab.kernel.plugins.module_utils._repository.receive import ReceiveError


class Drip:
    """An answer that never ends."""

    def __init__(self, size: int, seconds: float) -> None:
        self.size, self.seconds, self.sent = size, seconds, 0

    def read1(self, size: int) -> bytes:
        time.sleep(self.seconds)
        self.sent += self.size
        return bytes(self.size)


def test_more_than_a_document_can_have_is_not_received() -> None:
    answer = Drip(1 << 16, 0)
    with pytest.raises(ReceiveError, match="u is larger than 16 MiB"):
        receive.receive(answer, "u", 600, 16 << 20)
    assert answer.sent < 17 << 20


def test_a_server_that_sends_a_byte_now_and_then() -> None:
    with pytest.raises(ReceiveError, match=r"u was not received within 0.05 seconds"):
        receive.receive(Drip(1, 0.02), "u", 0.05, 16 << 20)


@pytest.mark.parametrize("url", ["http://127.0.0.1:1/a", "http://[x/a", "http://127.0.0.1:1x/"])
def test_a_repository_that_is_out_of_reach(url: str) -> None:
    with pytest.raises((ReceiveError, OSError)):
        receive.document(url, 1, 10)
