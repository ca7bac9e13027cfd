# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Two real distccd, and ccache's remote storage between two builders: the same packages."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

COMPILED = {"make_args": ["FAKE_CC=1"]}


def made(module_build, role, directory, **changes):
    directory.mkdir()
    build = module_build(role, directory, True, **COMPILED, **changes)
    outcome = build.finish()
    assert "build_result" in outcome, outcome
    return build, outcome


def statistics(cache):
    output = subprocess.run(
        ["ccache", "--print-stats"],
        env={**os.environ, "CCACHE_DIR": str(cache)},
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return {line.split("\t")[0]: int(line.split("\t")[1]) for line in output.splitlines()}


@pytest.fixture
def workers(tmp_path):
    """(the hosts' names, their logs)"""
    if not (shutil.which("distccd") and shutil.which("distcc")):
        pytest.skip("distcc is not installed")
    logs, processes, hosts = [], [], []
    for number in range(2):
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        log = tmp_path / f"distccd{number}.log"
        argv = ["distccd", "--no-detach", "--daemon", "--listen", "127.0.0.1", "--port", str(port)]
        argv += ["--allow", "127.0.0.1", "--jobs", "2", "--log-stderr", "--log-level", "info"]
        with log.open("w") as stream:
            # Of its own session: it answers by ending its whole process group.
            process = subprocess.Popen(argv, stderr=stream, start_new_session=True)
        processes.append(process)
        logs.append(log)
        hosts.append(f"127.0.0.1:{port}/2")
    deadline = time.monotonic() + 20
    for host in hosts:
        port = int(host.partition(":")[2].partition("/")[0])
        while time.monotonic() < deadline:
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.1)
    yield hosts, logs
    for process in processes:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait(timeout=20)


@pytest.mark.parametrize("ccache", [True, False])
def test_two_workers_make_the_same_packages(role, module_build, workers, tmp_path, ccache):
    hosts, logs = workers
    alone, _outcome = made(module_build, role, tmp_path / "alone", ccache=ccache)
    expected = alone.packages()
    with socket.socket() as nobody:  # a port at which nobody answers
        nobody.bind(("127.0.0.1", 0))
        silent = f"127.0.0.1:{nobody.getsockname()[1]}"
        remote, outcome = made(
            module_build,
            role,
            tmp_path / "remote",
            ccache=ccache,
            distribute="distcc",
            distribute_hosts=" ".join([*hosts, silent]),
            jobs=4,
        )
    assert remote.packages() == expected
    assert any(silent in str(warning) for warning in outcome["warnings"]), outcome["warnings"]
    compiled = [log.read_text().count("COMPILE_OK") for log in logs]
    # The first of each is the trial.
    assert all(count > 1 for count in compiled), compiled
    assert sum(compiled) >= len(list(remote.tree.rglob("*.o.c"))) + 2


def test_a_worker_with_another_compiler_is_refused(role, module_build, workers, tmp_path):
    hosts, _logs = workers
    other = tmp_path / "bin"
    other.mkdir()
    # Here, not there: it comes to the same.
    (other / "gcc").write_text('#!/bin/sh\nexec /usr/bin/gcc -fno-pic -g3 "$@"\n')
    (other / "gcc").chmod(0o755)
    directory = tmp_path / "refused"
    directory.mkdir()
    build = module_build(role, directory, True, distribute="distcc", distribute_hosts=hosts[0])
    outcome = build.finish(environment={"PATH": f"{other}:{os.environ['PATH']}"})
    assert outcome["failed"]
    assert "of build_distribute_hosts compiles otherwise than the builder" in outcome["msg"]
    assert not build.store.exists()


class Storage(http.server.BaseHTTPRequestHandler):
    """As much of WebDAV as ccache asks for."""

    kept: dict[str, bytes] = {}  # noqa: RUF012
    protocol_version = "HTTP/1.1"

    def answer(self, status, body=b""):
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        found = self.kept.get(self.path)
        self.answer(404 if found is None else 200, found or b"")

    def do_HEAD(self):
        self.answer(200 if self.path in self.kept else 404)

    def do_PUT(self):
        self.kept[self.path] = self.rfile.read(int(self.headers["Content-Length"]))
        self.answer(201)

    def log_message(self, *_args):
        pass


@pytest.fixture
def http_storage():
    handler = type("Fresh", (Storage,), {"kept": {}})
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/cache"
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("kind", ["file", "http"])
def test_one_builder_takes_what_another_has_compiled(
    role, module_build, http_storage, tmp_path, kind
):
    storage = f"file:{tmp_path / 'shared'}" if kind == "file" else http_storage
    first, outcome = made(module_build, role, tmp_path / "first", ccache_remote=storage)
    # Its address may hold a password: neither the output nor the record has it.
    (record,) = first.store.glob("*/build.json")
    assert storage not in json.dumps(outcome) + record.read_text()
    second, _outcome = made(module_build, role, tmp_path / "second", ccache_remote=storage)
    assert second.packages() == first.packages()
    counted = statistics(second.directory / "ccache")
    # All of the kernel's; a module has an absolute path.
    assert counted["remote_storage_hit"] == len(list(second.tree.rglob("*.o.c"))), counted
    assert counted["cache_miss"] <= 1, counted
