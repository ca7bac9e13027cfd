# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The receiver of netconsole, on this machine's own network."""

from __future__ import annotations

import os
import socket
import stat
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._evidence import netconsole


@pytest.fixture
def host() -> Iterator[socket.socket]:
    """One that sends from a port of its own."""
    with closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as found:
        found.bind(("127.0.0.1", 0))
        yield found


def receiver(host: socket.socket, port: int = 0) -> socket.socket:
    return netconsole.opened("127.0.0.1", port, host.getsockname()[1])


def test_only_one_host_is_heard(host: socket.socket, tmp_path: Path) -> None:
    path = tmp_path / "logs/web1.log"
    with closing(receiver(host)) as found, closing(socket.socket(type=socket.SOCK_DGRAM)) as other:
        address = found.getsockname()
        other.sendto(b"forged\n", address)
        host.sendto(b"[    1.0] BUG: x\n", address)
        ticks = iter((0.0, 1.0, 2.0, 99.0))
        assert netconsole.receive(found, path, 50, lambda: next(ticks)) == 17
    assert path.read_text() == "[    1.0] BUG: x\n"
    assert stat.S_IMODE(path.stat().st_mode) == 0o640


def test_the_file_has_a_limit_and_keeps_the_end(
    host: socket.socket, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(netconsole, "MOST_BYTES", 10)
    texts = (b"aaaa", b"bbbb", b"cccc", b"panic")
    ticks = iter((*map(float, range(len(texts) + 1)), 99.0))
    with closing(receiver(host)) as found:
        for text in texts:
            host.sendto(text, found.getsockname())
        assert netconsole.receive(found, tmp_path / "log", 50, lambda: next(ticks)) == 10
    assert (tmp_path / "log").read_bytes() == b"bccccpanic"


def test_an_earlier_file_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("Kernel panic - not syncing: last week")
    netconsole.forget(tmp_path / "log")
    netconsole.forget(tmp_path / "log")
    assert not (tmp_path / "log").exists()


def test_another_receiver_replaces_it(host: socket.socket, tmp_path: Path) -> None:
    path = tmp_path / "log"
    with closing(receiver(host)) as found:
        ended = threading.Thread(target=netconsole.receive, args=(found, path, 600))
        ended.start()
        while not path.exists():
            pass
        os.close(netconsole.new_file(path))
        ended.join(60)
        assert not ended.is_alive()
    assert path.read_bytes() == b""


def test_hosts_share_a_port(host: socket.socket, tmp_path: Path) -> None:
    with (
        closing(receiver(host)) as found,
        closing(socket.socket(type=socket.SOCK_DGRAM)) as second,
    ):
        second.bind(("127.0.0.1", 0))
        port = found.getsockname()[1]
        with closing(receiver(second, port)) as other:
            second.sendto(b"second", ("127.0.0.1", port))
            host.sendto(b"first", ("127.0.0.1", port))
            other.settimeout(10)
            found.settimeout(10)
            assert (found.recv(99), other.recv(99)) == (b"first", b"second")


def test_a_name_is_no_address() -> None:
    with pytest.raises(ValueError, match="web1"):
        netconsole.opened("web1")
