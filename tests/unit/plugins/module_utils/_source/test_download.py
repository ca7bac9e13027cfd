# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Retry what may pass, give up what will not; real sockets are in tests/integration/role/source."""

from __future__ import annotations

import errno
import io
import socket
import threading
import urllib.error
from email.message import Message
from http.client import BadStatusLine, IncompleteRead

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._source import download as downloading
from ansible_collections.oslab.kernel.plugins.module_utils._source.download import (
    DownloadError,
    Limits,
    MissingError,
    TemporaryError,
)

URL = "https://a/linux.tar.xz"


class Answer(io.BytesIO):
    def __init__(self, data=b"", status=200, url=URL, **headers):
        super().__init__(data)
        self.status = status
        self.url = url
        self.headers = {key.replace("_", "-"): value for key, value in headers.items()}


class Server:
    """Gives the answers in turn; an exception is raised."""

    def __init__(self, *answers):
        self.answers, self.ranges = list(answers), []

    def __call__(self, url, headers):
        self.ranges.append(headers.get("Range"))
        answer = self.answers.pop(0)
        if isinstance(answer, BaseException):
            raise answer
        return answer


def status(code, reason="so"):
    return urllib.error.HTTPError(URL, code, reason, Message(), None)


class Get:
    """What is downloaded, into a file that may be there in part."""

    def __init__(self, part):
        self.part = part
        self.pauses: list[float] = []

    def __call__(self, server, tries=3, size=1000, progress=lambda *_: None, had=b""):
        if had:
            self.part.write_bytes(had)
        limits = Limits(timeout=5, tries=tries, size=size, sleep=self.pauses.append)
        downloading.download(URL, self.part, server, limits, progress)
        return self.part.read_bytes()


@pytest.fixture
def get(tmp_path):
    return Get(tmp_path / "part")


@pytest.mark.parametrize(
    ("error", "kind", "message"),
    [
        (status(404), MissingError, "HTTP status 404"),
        (status(410), MissingError, "HTTP status 410"),
        (status(403, "go\naway"), DownloadError, "HTTP status 403: go away"),
        (status(302, "infinite loop"), DownloadError, "infinite loop"),
        (status(500), TemporaryError, "HTTP status 500"),
        (status(429), TemporaryError, "HTTP status 429"),
        (socket.timeout("timed out"), TemporaryError, "source_timeout"),
        (urllib.error.URLError(TimeoutError()), TemporaryError, "source_timeout"),
        (urllib.error.URLError(ConnectionRefusedError("no")), TemporaryError, "Refused.*no"),
        (urllib.error.URLError(FileNotFoundError(2, "No", "/x")), MissingError, "no such file: /x"),
        (ConnectionResetError("reset"), TemporaryError, "reset"),
        (IncompleteRead(b""), TemporaryError, "IncompleteRead"),
        (ValueError("unknown url type"), DownloadError, "not an address"),
    ],
)
def test_what_errors_mean(error, kind, message):
    explained = downloading.explain(error)
    assert explained.__class__ is kind
    with pytest.raises(kind, match=message):
        raise explained


def test_what_may_pass_is_tried_again_after_growing_pauses(get):
    server = Server(status(503), ConnectionResetError(), Answer(b"right"))
    assert get(server) == b"right"
    assert get.pauses == [1, 2]


def test_what_will_not_pass_is_not_tried_again(get):
    server = Server(status(404), Answer(b"right"))
    with pytest.raises(MissingError):
        get(server)
    assert len(server.ranges) == 1


def test_tries_end(get):
    with pytest.raises(TemporaryError, match=r"503.*\(tried 3 times\)"):
        get(Server(*[status(503)] * 3))
    with pytest.raises(DownloadError, match="source_tries"):
        get(Server(), tries=0)


def test_an_answer_that_is_too_short_is_gone_on_with(get):
    rest = Answer(b"ght", 206, Content_Length="3", Content_Range="bytes 2-4/5")
    server = Server(Answer(b"ri", Content_Length="5"), rest)
    assert get(server) == b"right"
    assert server.ranges == [None, "bytes=2-"]


@pytest.mark.parametrize(
    "answer",
    [
        Answer(b"right", 200, Content_Length="5"),  # it knows no ranges
        Answer(b"right", 200),  # and no lengths
    ],
)
def test_the_whole_file_instead_of_the_rest(get, answer):
    assert get(Server(answer), had=b"longer than the file") == b"right"


def test_a_rest_from_elsewhere_is_refused(get):
    wrong = Answer(b"ght", 206, Content_Range="bytes 0-4/5")
    with pytest.raises(TemporaryError, match="asked for bytes 2 on, the server answers 'bytes 0'"):
        get(Server(wrong), tries=1, had=b"ri")


def test_a_part_that_is_longer_than_the_file_is_dropped(get):
    server = Server(status(416), Answer(b"right"))
    assert get(server, had=b"something else") == b"right"
    assert server.ranges == ["bytes=14-", None]


def test_an_endless_answer_ends(get):
    with pytest.raises(DownloadError, match=r"longer than 1000 bytes \(source_max_size\)"):
        get(Server(Answer(b"x" * 1001)))


def test_progress(get):
    seen = []
    get(Server(Answer(b"right", Content_Length="5")), progress=lambda *what: seen.append(what))
    assert seen == [(5, 5, URL)]


def test_next_to_nothing_for_a_whole_time_out_is_a_stall(tmp_path):
    seconds = iter(range(99))
    limits = Limits(timeout=5, tries=1, clock=lambda: next(seconds))

    class Drip(Answer):
        def read1(self, size=-1):
            return b"x"

    with pytest.raises(TemporaryError, match="stalled: 5 bytes in 5 seconds"):
        downloading.download(URL, tmp_path / "x", Server(Drip()), limits, lambda *_: None)


def test_a_small_file():
    limits = Limits(tries=2, sleep=lambda _seconds: None)
    short = Answer(b"ri", Content_Length="5")
    assert downloading.read(URL, Server(short, Answer(b"right")), limits, 10) == b"right"
    with pytest.raises(DownloadError, match="longer than 3 bytes"):
        downloading.read(URL, Server(Answer(b"right")), limits, 3)


def test_is_it_there():
    limits = Limits(tries=2, sleep=lambda _seconds: None)
    downloading.probe(URL, Server(status(503), Answer(b"right")), limits)
    with pytest.raises(MissingError):
        downloading.probe(URL, Server(status(404)), limits)
    with pytest.raises(TemporaryError, match="empty"):
        downloading.probe(URL, Server(Answer(), Answer()), limits)


def test_headers_that_never_end_do(tmp_path, monkeypatch):
    """Each byte begins the socket's time-out anew."""
    monkeypatch.setattr(downloading, "ANSWER", 0.01)
    ended = threading.Event()
    limits = Limits(timeout=5, tries=1)
    with pytest.raises(TemporaryError, match="source_timeout"):
        downloading.download(URL, tmp_path / "part", lambda *_: ended.wait(30), limits, print)
    with pytest.raises(TemporaryError, match="source_timeout"):
        downloading.probe(URL, lambda *_: ended.wait(30), limits)
    ended.set()


def test_a_server_that_is_just_fast_enough_is_given_up_in_the_end(tmp_path):
    clock = iter(range(0, 10_000, 4))
    limits = Limits(timeout=5, tries=1, longest=100, clock=lambda: next(clock), size=1 << 30)
    endless = io.BytesIO(bytes(64 << 20))
    answer = type("Slow", (Answer,), {"read1": lambda _self, size: endless.read(size)})()
    with pytest.raises(DownloadError, match="takes more than 100 seconds"):
        downloading.download(URL, tmp_path / "part", lambda *_: answer, limits, lambda *_: None)


@pytest.mark.parametrize("to", ["http://a/b", "ftp://a/b", "file:///etc/shadow", "odd\x1b:b"])
def test_no_redirection_from_https_to_anything_else(get, to):
    answer = Answer(b"root:x", url=to)
    with pytest.raises(
        DownloadError, match=r"leads on from https to [a-z]*, which is not"
    ) as caught:
        get(Server(answer))
    assert str(caught.value).isprintable()
    assert not get.part.exists()


def test_what_says_that_it_is_too_long_is_not_begun(get):
    with pytest.raises(DownloadError, match="longer than 1000 bytes"):
        get(Server(Answer(b"x", Content_Length="1001")))
    assert not get.part.exists()


@pytest.mark.parametrize("length", ["9" * 5000, "\u00b2", "-1"])
def test_a_length_that_is_none_counts_for_nothing(get, length):
    assert get(Server(Answer(b"whole", Content_Length=length))) == b"whole"


@pytest.mark.parametrize(
    "error", [status(404, "\x1b[2J" + "x" * 70_000), BadStatusLine("\x1b]0;" + "x" * 70_000)]
)
def test_a_server_cannot_speak_to_the_terminal(error):
    message = str(downloading.explain(error))
    assert message.isprintable()
    assert len(message) < 300


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT, errno.EROFS])
def test_a_disk_that_cannot_be_written_is_no_fault_of_the_server(get, number):
    def full(*_):
        raise OSError(number, "so", "/x/part")

    server = Server(Answer(b"abc"), Answer(b"abc"))
    with pytest.raises(OSError, match="so") as raised:
        get(server, progress=full)
    assert len(server.answers) == 1
    message = downloading.disk_problem(raised.value, "/x")
    assert message.startswith("The kernel's source cannot be written to /x")
    assert "mirror" not in message


def test_other_errors_are_not_the_disks():
    assert downloading.disk_problem(OSError(errno.ECONNRESET, "reset"), "/x") == ""
    assert downloading.disk_problem(urllib.error.URLError("so"), "/x") == ""
