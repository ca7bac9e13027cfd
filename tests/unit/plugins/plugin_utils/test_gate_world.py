# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the control node really answers to gates."""

from __future__ import annotations

import contextlib
import http.server
import os
import socket
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible.errors import AnsiblePromptInterrupt, AnsiblePromptNoninteractive
from ansible_collections.oslab.kernel.plugins.plugin_utils import gate_world
from ansible_collections.oslab.kernel.plugins.plugin_utils.gate_kinds import (
    BODY,
    GateError,
    InterruptedByUserError,
    Reply,
)

NODE = gate_world.ControlNode()
PYTHON = sys.executable
SECRET = "abc-token-def"


class Handler(http.server.BaseHTTPRequestHandler):
    asked: list[tuple[str, str]]

    def do_GET(self) -> None:
        self.asked.append((self.path, self.headers["Authorization"]))
        if self.path == "/away":
            self.send_response(302)
            self.send_header("Location", "/other")
            self.end_headers()
            return
        self.send_response(int(self.path.strip("/") or 200))
        self.end_headers()
        self.wfile.write(b"x" * (BODY + 1000 if self.path == "/201" else 5))

    def log_message(self, format: str, *args: Any) -> None:
        pass


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    Handler.asked = []
    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as found:
        threading.Thread(target=found.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{found.server_port}"
        found.shutdown()


def test_answers(server: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    # What is there for other programs does not replace the header.
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login a password b\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    assert NODE.http(server, {"Authorization": SECRET}) == Reply(200, b"xxxxx")
    assert NODE.http(f"{server}/503", {}).status == 503
    assert Handler.asked == [("/", SECRET), ("/503", None)]


def test_no_more_is_read_than_needed(server: str) -> None:
    assert len(NODE.http(f"{server}/201", {}).body) == BODY + 1


def test_a_token_is_not_taken_along(server: str) -> None:
    assert NODE.http(f"{server}/away", {"Authorization": SECRET}).status == 302
    assert [path for path, _token in Handler.asked] == ["/away"]


@pytest.fixture
def raw() -> Iterator[Callable[[Callable[[socket.socket], None]], str]]:
    """A server that does whatever a test wants with each connection."""
    listener = socket.create_server(("127.0.0.1", 0))

    def serve(handle: Callable[[socket.socket], None]) -> str:
        def run() -> None:
            connection, _address = listener.accept()
            with connection, contextlib.suppress(OSError):
                handle(connection)

        threading.Thread(target=run, daemon=True).start()
        return f"http://127.0.0.1:{listener.getsockname()[1]}/"

    yield serve
    listener.close()


def test_a_server_that_never_comes_to_an_end(raw: Any) -> None:
    """A byte now and then keeps the time-out of a socket from passing."""
    ended = threading.Event()

    def drip(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
        while not ended.wait(0.05):
            connection.sendall(b"x")

    try:
        with pytest.raises(GateError, match="no whole answer within 1 s"):
            NODE.http(raw(drip), {}, seconds=1)
    finally:
        ended.set()


def test_headers_without_end(raw: Any) -> None:
    def flood(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(b"HTTP/1.1 200 OK\r\n")
        for number in range(1_000_000):
            connection.sendall(b"X-%d: y\r\n" % number)

    with pytest.raises(GateError, match="no answer: "):
        NODE.http(raw(flood), {})


def test_what_is_no_http(raw: Any) -> None:
    def nonsense(connection: socket.socket) -> None:
        connection.recv(1 << 16)
        connection.sendall(b"\x1b[2J\xff no\r\n\r\n")

    with pytest.raises(GateError) as raised:
        NODE.http(raw(nonsense), {})
    assert str(raised.value).isprintable()


def test_nobody_listens() -> None:
    with pytest.raises(GateError, match=r"no answer: .*refused"):
        NODE.http("http://127.0.0.1:1/", {})


def test_an_error_about_a_header_does_not_quote_it() -> None:
    with pytest.raises(GateError) as raised:
        NODE.http("http://127.0.0.1:1/", {"Authorization": f"{SECRET}\nX: y"})
    assert SECRET not in str(raised.value)


def test_programs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LC_ALL", "de_DE.UTF-8")
    text = "import os, sys; print(os.environ['LC_ALL'], sys.stdin.read()); sys.exit(3)"
    assert NODE.run([PYTHON, "-c", text], 60) == (3, "C.UTF-8 \n", "")
    assert NODE.run(["no-such-program"], 60).status == 127
    with pytest.raises(GateError, match="cannot be started"):
        NODE.run(["/etc/passwd"], 60)


def test_a_program_that_prints_without_end() -> None:
    status, out, err = NODE.run([PYTHON, "-c", "print('x' * 10_000_000)"], 60)
    assert (status, len(out), err) == (0, 1 << 16, "")


def test_a_program_that_does_not_end(tmp_path: Path) -> None:
    mark = tmp_path / "pid"
    text = f"import os, time; open({str(mark)!r}, 'w').write(str(os.getpid())); time.sleep(999)"
    with pytest.raises(GateError, match=r"did not end within 5 s"):
        NODE.run([PYTHON, "-c", text], 5)
    with pytest.raises(ProcessLookupError):
        os.kill(int(mark.read_text()), 0)


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "ok"
    assert NODE.file(str(path)) is None
    path.write_text("")
    os.utime(path, (5, 5))
    seen = NODE.file(str(path))
    assert seen is not None
    assert seen.time == 5
    for wrong in (tmp_path, Path("/dev/null")):
        with pytest.raises(GateError, match="no regular file"):
            NODE.file(str(wrong))
    with pytest.raises(GateError, match="cannot be looked at"):
        NODE.file(f"{path}/x")


def test_a_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []

    def answer(text: str, seconds: int) -> bytes:
        asked.append((text, seconds))
        return b"yes"

    monkeypatch.setattr(gate_world.display, "prompt_until", answer)
    assert NODE.ask("Go?", 0.5) == "yes"
    assert asked == [("Go? [yes/no, within 0 s]\r", 1)]


@pytest.mark.parametrize(
    ("error", "expected"),
    [(AnsiblePromptNoninteractive, None), (AnsiblePromptInterrupt, InterruptedByUserError)],
)
def test_no_terminal_and_ctrl_c(monkeypatch: pytest.MonkeyPatch, error: Any, expected: Any) -> None:
    def fail(text: str, seconds: int) -> bytes:
        raise error("x")

    monkeypatch.setattr(gate_world.display, "prompt_until", fail)
    if expected is None:
        assert NODE.ask("Go?", 5) is None
        return
    with pytest.raises(expected):
        NODE.ask("Go?", 5)
