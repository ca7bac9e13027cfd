# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/reference/repository.md puts before the repository, with apt-get behind it."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[4]
DOCUMENT = ROOT / "docs/reference/repository.md"
NAME = "linux-image-test"


def block(language, containing):
    """A code block of the document."""
    found = re.findall(
        rf"^```{language}\n(.*?)^```", DOCUMENT.read_text(), re.DOTALL | re.MULTILINE
    )
    (text,) = [text for text in found if containing in text]
    return text


def wait_for(port, log):
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(log.read_text() if log.exists() else "it does not listen")


def nginx(top, builder, port):
    """A mirror that keeps what it was asked for, as documented."""
    # Its workers are not root.
    top.parent.chmod(0o755)
    server = block("nginx", "proxy_cache_path")
    server = server.replace("listen 80;", f"listen 127.0.0.1:{port};")
    server = server.replace("http://builder.example.org:8090", builder)
    server = server.replace("/var/cache/nginx/oslab-kernel", str(top / "cache"))
    config = top / "nginx.conf"
    config.write_text(
        f"daemon off;\npid {top}/nginx.pid;\nerror_log {top}/log;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{server}}}\n"
    )
    return ["nginx", "-e", str(top / "log"), "-c", str(config)], f"http://127.0.0.1:{port}"


def apt_cacher_ng(top, builder, port):
    settings = {
        "CacheDir": top / "cache",
        "LogDir": top,
        "Port": port,
        "BindAddress": "127.0.0.1",
        "SupportDir": "/usr/lib/apt-cacher-ng",
        "ForeGround": 1,
        "ReportPage": "acng-report.html",
    }
    allowed = block("text", "AllowUserPorts").strip()
    assert allowed == "AllowUserPorts: 80 8090\nFreshIndexMaxAge: 0"
    settings["AllowUserPorts"] = f"80 {builder.rpartition(':')[2]}"
    settings["FreshIndexMaxAge"] = 0
    (top / "config").mkdir()
    text = "".join(f"{name}: {value}\n" for name, value in settings.items())
    (top / "config" / "acng.conf").write_text(text)
    argv = ["apt-cacher-ng", "-c", str(top / "config")]
    # Through it without a word in the targets' configuration of apt.
    return argv, f"http://127.0.0.1:{port}/{builder.partition('//')[2]}"


@pytest.mark.parametrize("front", [nginx, apt_cacher_ng])
def test_apt_behind_a_front(repository, client_of, serve, free_port, short_path, front):
    program = front.__name__.replace("_", "-")
    if not shutil.which(program, path="/usr/sbin:/usr/bin"):
        pytest.skip(f"{program} is not installed")
    top = short_path / "front"
    top.mkdir()
    repository.publish(repository.package("1"))
    port = free_port()
    with serve(repository.public) as builder:
        argv, url = front(top, builder, port)
        with (top / "log").open("w") as log:
            server = subprocess.Popen(argv, stdout=log, stderr=log)
        try:
            wait_for(port, top / "log")
            client = client_of(url, repository.key.public)
            for version in ("1", "2", "3"):
                repository.publish(repository.package(version))
                # At once: a front that gives out an index of before would be found out.
                update = client.get("update")
                assert update.returncode == 0, update.stdout
                got = client.get("download", f"{NAME}={version}")
                assert got.returncode == 0, got.stdout
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait(timeout=20)


def test_a_mirror_made_in_the_documented_order(repository, client_of, serve, tmp_path):
    mirror = tmp_path / "mirror"
    assign, *steps = block("sh", "rsync").splitlines()
    assert assign.startswith("from=builder.example.org:")
    repository.publish(repository.package("0"))
    with serve(mirror) as url:
        client = client_of(url, repository.key.public)
        for version in ("1", "2"):
            repository.publish(repository.package(version), keep_builds=1)
            for number, step in enumerate(steps):
                if number == 3:  # the builder publishes meanwhile
                    repository.publish(repository.package(version + ".1"), keep_builds=1)
                given = {**os.environ, "from": str(repository.public), "to": str(mirror)}
                subprocess.run(["sh", "-c", step], env=given, check=True)
                if (mirror / "dists" / "stable" / "InRelease").exists():
                    update = client.get("update")
                    assert update.returncode == 0, (step, update.stdout)
            assert client.get("download", f"{NAME}={version}").returncode == 0
