# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modules that compare a host with a build, as Ansible runs them, on this machine."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.oslab.kernel.plugins.modules import (
    build_files_info,
    kernel_files,
)
from ansible_collections.oslab.kernel.tests.lib import module_process

ID = "ab" * 32


def run(plugin: str, **args: Any) -> dict[str, Any]:
    return module_process.run(plugin, check=True, **args)


@pytest.fixture
def listed(tmp_path: Path) -> dict[str, Any]:
    """A kernel of one file, which stands outside of /boot for once."""
    image = tmp_path / "vmlinuz-0.0-none"
    image.write_text("image")
    files = {str(image): hashlib.sha256(b"image").hexdigest()}
    known = {"release": "0.0-none", "version": "0.0-1", "build_id": ID, "gnu_build_id": ""}
    return {"schema": 1, **known, "packages": {"linux-image-0.0-none": files}}


@pytest.fixture
def repository(tmp_path: Path, listed: dict[str, Any]) -> Iterator[tuple[Path, dict[str, bytes]]]:
    """A file of apt's that names a server here, and what that serves."""
    served = {"/builds/abababababab.json": json.dumps(listed).encode()}

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = served.get(self.path)
            self.send_response(200 if content is not None else 404)
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sources = tmp_path / "a.sources"
    sources.write_text(f"Types: deb\nURIs: http://127.0.0.1:{server.server_port}/\n")
    yield sources, served
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("module", [build_files_info, kernel_files])
def test_documentation_is_whole(module: Any) -> None:
    for part in (module.DOCUMENTATION, module.EXAMPLES, module.RETURN):
        assert yaml.safe_load(part)


def test_with_the_list_in_hand(tmp_path: Path, listed: dict[str, Any]) -> None:
    found = run("kernel_files", build_id=ID[:12], files=listed, repository_source="")
    assert (found["method"], found["compared"], found["changed_files"]) == ("list", 1, [])
    assert found["changed"] is False
    assert set(found["sizes"]["sizes"]) == {"image", "initrd", "modules"}
    # Thousands of files are not sent back.
    assert "files" not in found.get("invocation", {}).get("module_args", {})
    (tmp_path / "vmlinuz-0.0-none").write_text("imagE")
    found = run("kernel_files", build_id=ID, files=listed, repository_source="")
    assert found["matches"] is False
    assert len(found["changed_files"]) == 1


def test_with_the_list_of_the_repository(repository: tuple[Path, dict[str, bytes]]) -> None:
    found = run("kernel_files", build_id=ID, repository_source=str(repository[0]))
    assert (found["method"], found["compared"]) == ("repository", 1)


def test_a_list_that_was_changed_on_its_way(
    repository: tuple[Path, dict[str, bytes]], listed: dict[str, Any]
) -> None:
    """As whoever changed the file on the host would have it."""
    sources, served = repository
    good = served["/builds/abababababab.json"]
    arguments = {
        "build_id": ID,
        "repository_source": str(sources),
        "files_sha256": hashlib.sha256(good).hexdigest(),
    }
    found = run("kernel_files", **arguments)
    assert (found["method"], found["confirmed"]) == ("repository", True)
    (image,) = listed["packages"]["linux-image-0.0-none"]
    Path(image).write_text("evil")
    listed["packages"]["linux-image-0.0-none"][image] = hashlib.sha256(b"evil").hexdigest()
    served["/builds/abababababab.json"] = json.dumps(listed).encode()
    found = run("kernel_files", **arguments)
    assert found["method"] == "dpkg"
    assert "is not the list that was published" in found["reason"]
    # Without the builder's word it is believed, and that is said.
    del arguments["files_sha256"]
    found = run("kernel_files", **arguments)
    assert (found["method"], found["changed_files"], found["confirmed"]) == (
        "repository",
        [],
        False,
    )
    assert "nothing from the builder confirms it" in found["checks"][0]["detail"]


GZIP = b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nConnection: close\r\n\r\n"


@pytest.mark.parametrize(
    ("response", "again"),
    [
        pytest.param(b"HTTP/1.1 200 OK\r\n", b"X", id="headers"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", b"0", id="size of a chunk"
        ),
        pytest.param(GZIP + b"\x1f\x8b\x08\x08" + bytes(6), b"A", id="name in gzip"),
        pytest.param(GZIP, gzip.compress(b""), id="empty members of gzip"),
    ],
)
def test_a_server_that_never_comes_to_an_end(tmp_path: Path, response: bytes, again: bytes) -> None:
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with contextlib.suppress(OSError):
            connection, _ = server.accept()
            connection.recv(1 << 16)
            connection.sendall(response)
            while True:
                connection.sendall(again)
                time.sleep(0.2)

    threading.Thread(target=serve, daemon=True).start()
    sources = tmp_path / "a.sources"
    sources.write_text(f"URIs: http://127.0.0.1:{server.getsockname()[1]}\n")
    arguments = tmp_path / "arguments.json"
    arguments.write_text(
        json.dumps({"build_id": ID, "repository_source": str(sources), "timeout": 1})
    )
    process = module_process.start("kernel_files", arguments)
    try:
        found = json.loads(process.communicate(timeout=30)[0].splitlines()[-1])
    finally:
        process.kill()
        server.close()
    assert found["reason"].endswith("was not received within 6 seconds")


@pytest.mark.parametrize("content", [None, b"<html>", b"[]", b"{}", b"[" * 200_000])
def test_without_a_usable_list(
    repository: tuple[Path, dict[str, bytes]], content: bytes | None
) -> None:
    sources, served = repository
    served.clear()
    if content is not None:
        served["/builds/abababababab.json"] = content
    found = run("kernel_files", build_id=ID, repository_source=str(sources))
    assert found["method"] == "dpkg"
    assert "/builds/abababababab.json" in found["reason"]


def test_a_repository_that_is_out_of_reach(tmp_path: Path) -> None:
    sources = tmp_path / "a.sources"
    sources.write_text("URIs: http://127.0.0.1:1\n")
    found = run("kernel_files", build_id=ID, repository_source=str(sources))
    assert found["method"] == "dpkg"
    assert "refused" in found["reason"]


def test_a_list_of_another_build_is_an_error(listed: dict[str, Any]) -> None:
    found = run("kernel_files", build_id="cd" * 32, files=listed)
    assert found["failed"] is True
    assert "not of cdcd" in found["msg"]


def test_what_the_store_has(tmp_path: Path, listed: dict[str, Any]) -> None:
    directory = tmp_path / "store" / ID
    directory.mkdir(parents=True)
    (directory / "files.json").write_text(json.dumps(listed))
    checksum = hashlib.sha256((directory / "files.json").read_bytes()).hexdigest()
    (directory / "build.json").write_text(json.dumps({"files": {"sha256": checksum}}))
    store = str(tmp_path / "store")
    assert run("build_files_info", store=store, build_id=ID[:12])["files"] == listed
    assert run("build_files_info", store=store, build_id="cd" * 6)["files"] is None
    (directory / "files.json").write_text(json.dumps({**listed, "release": "1"}))
    assert "it was changed" in run("build_files_info", store=store, build_id=ID)["msg"]
