# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A stamp holds until something that it watches changes; each change is named."""

from __future__ import annotations

import json
import os
import socket
import threading
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import stamp
from ansible_collections.oslab.kernel.plugins.module_utils._common import tree_records

INPUTS = "ab" * 32


@pytest.fixture
def builder(tmp_path: Path) -> Path:
    """A builder's files: a repository, a program, a tree."""
    (tmp_path / "public/dists").mkdir(parents=True)
    (tmp_path / "public/oslab-kernel.json").write_text("{}\n")
    (tmp_path / "public/dists/InRelease").write_text("signed\n")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin/gcc-12").write_text("#!/bin/sh\n")
    (tmp_path / "usr").mkdir()
    (tmp_path / "usr/gcc").symlink_to(tmp_path / "bin/gcc-12")
    tree = tmp_path / "tree"
    (tree / tree_records.PRISTINE / "init").mkdir(parents=True)
    (tree / tree_records.PRISTINE / "init/main.c").write_text("stock\n")
    (tree / "init").mkdir()
    for name in ("Makefile", ".config", "init/main.c", "init/main.o", "oslab.h"):
        (tree / name).write_text(f"{name}\n")
    (tree / tree_records.PATCH).write_text(json.dumps({"created": ["oslab.h"]}))
    return tmp_path


def made(builder: Path, **server: str) -> dict[str, Any]:
    return stamp.make(
        INPUTS,
        [f"{builder}/public", f"{builder}/rc?.d/*", *stamp.tree_paths(builder / "tree")],
        {"publish_root": f"{builder}/public"},
        f"{builder}/usr",
        server,
        {"build_result": {"release": "6.8"}},
    )


def reason(builder: Path, known: Any, inputs: str = INPUTS, **more: Any) -> str:
    return stamp.outdated(known, inputs, f"{builder}/usr", **more)


def test_nothing_changed(builder: Path) -> None:
    known = made(builder)
    (builder / "tree/init/main.o").write_text("compiled again\n")
    (builder / "tree/vmlinux").write_text("new\n")
    (builder / "public/random_seed").write_text("x")
    assert reason(builder, json.loads(json.dumps(known))) == ""


def _replace(path: Path, text: str) -> None:
    """With the same size and time as before."""
    before = path.stat()
    path.write_text(text)
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


def _enable(top: Path) -> None:
    (top / "rc2.d").mkdir()
    (top / "rc2.d/S01web").symlink_to("x")


CHANGES: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a file's content": (lambda b: _replace(b / "public/dists/InRelease", "SIGNED\n"), "public"),
    "a file's mode": (lambda b: (b / "public/dists/InRelease").chmod(0o600), "public"),
    "a directory's mode": (lambda b: (b / "public/dists").chmod(0o777), "public"),
    "a file that was removed": (lambda b: (b / "public/dists/InRelease").unlink(), "public"),
    "a new file": (lambda b: (b / "public/evil.deb").write_text(""), "public"),
    "the mode of a parent": (lambda b: b.chmod(0o711), ""),
    "a link of the service": (_enable, "rc?.d/*"),
    "a patched file": (lambda b: (b / "tree/init/main.c").write_text("by hand\n"), "init/main.c"),
    "an added file": (lambda b: (b / "tree/oslab.h").unlink(), "oslab.h"),
    "the configuration": (lambda b: (b / "tree/.config").write_text("CONFIG_X=y\n"), ".config"),
    "a record": (lambda b: (b / "tree" / tree_records.PATCH).write_text("{}"), ".oslab"),
    "a program behind a link": (lambda b: _replace(b / "bin/gcc-12", "#!/bin/no\n"), "usr"),
    "a new program": (lambda b: (b / "usr/rustc").write_text(""), "usr"),
}


@pytest.mark.parametrize(("change", "named"), CHANGES.values(), ids=CHANGES)
def test_a_change_is_named(builder: Path, change: Callable[[Path], Any], named: str) -> None:
    known = made(builder)
    change(builder)
    found = reason(builder, known)
    assert named in found
    assert found.endswith(" changed")


def test_other_inputs_and_another_search_path(builder: Path) -> None:
    known = made(builder)
    assert "variable" in reason(builder, known, "cd" * 32)
    assert stamp.outdated(known, INPUTS, "/bin") == "PATH changed"
    assert "no complete build" in reason(builder, None)
    assert "another version" in reason(builder, {**known, "format": 0})
    assert "unknown form" in reason(builder, {**known, "paths": {"/etc": 1}})


def test_the_web_server_has_to_answer_with_the_published_description(builder: Path) -> None:
    file = builder / "public/oslab-kernel.json"
    known = made(builder, url="http://127.0.0.1:1/oslab-kernel.json", file=str(file))

    def gone(url: str) -> bytes:
        raise ConnectionRefusedError("refused")

    assert reason(builder, known, ask=lambda url: b"{}\n") == ""
    assert "another content" in reason(builder, known, ask=lambda url: b"old\n")
    assert "does not answer: ConnectionRefusedError refused" in reason(builder, known, ask=gone)
    # Of nothing that listens.
    assert "does not answer" in reason(builder, known)


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"SSH-2.0-x\r\n", "does not answer: BadStatusLine"),
        (b"HTTP/1.1 404 No\r\n\r\n", "does not answer: HTTPError"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n{}", "another content"),
    ],
)
def test_a_server_that_is_another_one(builder: Path, answer: bytes, words: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            connection, _address = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        url = f"http://127.0.0.1:{server.getsockname()[1]}/oslab-kernel.json"
        known = made(builder, url=url, file=str(builder / "public/oslab-kernel.json"))
        assert words in reason(builder, known)


def test_what_others_can_write_to_is_no_state_to_keep(builder: Path) -> None:
    (builder / "public/dists").chmod(0o777)
    known = made(builder)
    found = reason(builder, known)
    assert found.startswith("others can write to ")
    assert "dists" in found


def test_a_file_that_is_gone_when_it_is_looked_at(
    builder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = made(builder)
    entry = stamp._entry

    def gone(path: Path) -> list[Any]:
        if path.name == "InRelease":
            raise FileNotFoundError(path)
        return entry(path)

    monkeypatch.setattr(stamp, "_entry", gone)
    assert reason(builder, known).endswith("public changed")


def test_the_socket_of_an_agent_is_no_change(builder: Path) -> None:
    known = made(builder)
    with socket.socket(socket.AF_UNIX) as agent:
        os.chdir(builder)
        agent.bind("public/S.agent")
        assert reason(builder, known) == ""


def test_what_builders_share_is_recorded_again(builder: Path) -> None:
    public, own = f"{builder}/public", f"{builder}/own"
    Path(own).mkdir()
    known = stamp.make(
        INPUTS, [public, own], {}, f"{builder}/usr", {}, {}, shared=[public, "/not/watched"]
    )
    assert known["shared"] == [public]
    # Another builder publishes.
    (builder / "public/dists/InRelease").write_text("signed again\n")
    assert reason(builder, known) == f"{public} changed"
    again = stamp.renewed(known)
    assert reason(builder, again) == ""
    # What is not shared is not recorded again.
    (builder / "own/x").write_text("")
    assert reason(builder, stamp.renewed(again)) == f"{own} changed"


def test_too_many_files(builder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stamp, "MAX_FILES", 2)
    with pytest.raises(stamp.StampError, match="more than 2 files"):
        made(builder)


def test_a_stamp_that_others_can_write_does_not_count(tmp_path: Path) -> None:
    path = tmp_path / "stamp.json"
    assert stamp.read(path) is None
    empty = {"inputs": "", "paths": {}, "directories": {}, "server": {}, "facts": {}}
    empty.update(shared=[], tree="", user="")
    path.write_text(json.dumps(empty))
    path.chmod(0o600)
    assert stamp.read(path) is not None
    path.chmod(0o620)
    assert stamp.read(path) is None
    path.chmod(0o600)
    (tmp_path / "link").symlink_to(path)
    assert stamp.read(tmp_path / "link") is None
    path.write_text(json.dumps({"inputs": ""}))
    assert stamp.read(path) is None
