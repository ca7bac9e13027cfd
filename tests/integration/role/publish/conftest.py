# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A repository, a web server on the loopback interface, and an apt with a root of its own."""

from __future__ import annotations

import contextlib
import functools
import http.server
import json
import os
import random
import shutil
import socket
import subprocess
import tempfile
import threading
from pathlib import Path

import jinja2
import pytest
from ansible_collections.oslab.kernel.tests.lib import module_process

ROOT = Path(__file__).resolve().parents[4]

TEMPLATE = ROOT / "roles" / "install" / "templates" / "oslab-kernel.sources.j2"
NEEDED = ("aptly", "gpg", "dpkg-deb", "apt-get")


class Key:
    """A signing key in a GnuPG home of its own."""

    def __init__(self, home: Path):
        home.mkdir(mode=0o700)
        self.home = home
        self.env = {**os.environ, "GNUPGHOME": str(home), "LC_ALL": "C.UTF-8"}
        self.gpg("--passphrase", "", "--quick-generate-key", "test", "ed25519", "sign", "never")
        listed = self.gpg("--with-colons", "--list-secret-keys")
        self.fingerprint = next(x.split(":")[9] for x in listed.splitlines() if x[:3] == "fpr")
        self.public = self.gpg("--armor", "--export", self.fingerprint)

    def gpg(self, *arguments):
        return subprocess.run(
            ["gpg", "--batch", *arguments], env=self.env, capture_output=True, text=True, check=True
        ).stdout

    def secret(self, path: Path):
        path.write_text(self.gpg("--armor", "--export-secret-keys", self.fingerprint))
        path.chmod(0o600)
        return path

    def sign(self, release: Path):
        """Sign it as InRelease beside it."""
        signed = release.with_name("InRelease")
        signed.unlink(missing_ok=True)
        self.gpg("--clearsign", "--output", str(signed), str(release))

    def close(self):
        subprocess.run(["gpgconf", "--kill", "all"], env=self.env, check=False)


class Repository:
    """What the module aptly_repo keeps, and packages to put into it."""

    def __init__(self, top: Path):
        self.top = top
        self.root = top / "repository"
        self.public = self.root / "public"
        self.public.mkdir(parents=True)
        self.key = Key(top / "key")
        staging = {"rootDir": str(self.root / "staging"), "linkMethod": "hardlink"}
        (self.root / "aptly.conf").write_text(
            json.dumps(
                {
                    "rootDir": str(self.root),
                    "architectures": ["amd64"],
                    "gpgProvider": "gpg2",
                    "FileSystemPublishEndpoints": {"staging": staging},
                }
            )
        )

    def package(self, version, name="linux-image-test"):
        """A file, and its description as build_result has it."""
        tree = self.top / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "content").write_text(version * 1000)
        (tree / "DEBIAN" / "control").write_text(
            f"Package: {name}\nVersion: {version}\nArchitecture: amd64\n"
            "Maintainer: t <t@example.org>\nInstalled-Size: 7\nDescription: t\n"
        )
        path = self.top / "store" / f"{name}_{version}_amd64.deb"
        path.parent.mkdir(exist_ok=True)
        argv = ["dpkg-deb", "--root-owner-group", "--build", str(tree), str(path)]
        # The same bytes at any time, as a build has them.
        dated = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000"}
        subprocess.run(argv, check=True, stdout=subprocess.DEVNULL, env=dated)
        return str(path)

    def start(self, *files, kill=(), **changes):
        """The module, in a process group of its own."""
        arguments = {
            "config": str(self.root / "aptly.conf"),
            "root": str(self.root),
            "name": "lab",
            "files": files,
            "gpg_home": str(self.key.home),
            "gpg_key": self.key.fingerprint,
            **changes,
        }
        with tempfile.NamedTemporaryFile("w", dir=self.top, suffix=".json", delete=False) as file:
            json.dump(arguments, file)
        return module_process.start("aptly_repo", file.name, *kill)

    def publish(self, *files, **options):
        output, _none = self.start(*files, **options).communicate(timeout=60)
        return json.loads(output.splitlines()[-1]) if output else {}


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    before_index = staticmethod(lambda: None)

    def do_GET(self):
        if "/by-hash/" in self.path:
            self.before_index()  # InRelease was read some time ago
        super().do_GET()

    def log_message(self, *_args):
        pass


def some_free_port():
    """Below 32768: apt-cacher-ng neither listens on others nor goes to them."""
    for port in random.sample(range(20000, 32768), 100):
        with socket.socket() as free, contextlib.suppress(OSError):
            free.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no port is free")


@contextlib.contextmanager
def serving(directory: Path, before_index=None):
    """The address under which a directory can be read."""
    changes = {"before_index": staticmethod(before_index)} if before_index else {}
    handler = type("Changed", (Handler,), changes)
    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", some_free_port()), functools.partial(handler, directory=str(directory))
    )
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()


class Client:
    """apt-get as a target runs it, with the source file of the role install."""

    def __init__(self, root: Path, url: str, public_key: str):
        self.root = root
        for name in ("etc/apt", "lists/partial", "archives/partial", "downloads"):
            (root / name).mkdir(parents=True)
        (root / "status").touch()
        # Read before any other configuration, of which there is none below this Dir.
        self.config = root / "apt.conf"
        options = {
            "Dir": root,
            "Dir::State::status": root / "status",
            "Dir::State::lists": root / "lists",
            "Dir::Cache": root,
            "Dir::Cache::archives": root / "archives",
            "Dir::Etc::SourceList": root / "etc" / "apt" / "oslab-kernel.sources",
            "Dir::Etc::SourceParts": "/dev/null",
            "APT::Architecture": "amd64",
            "APT::Sandbox::User": "root",
            "APT::Update::Error-Mode": "any",
            "Acquire::http::Proxy": "DIRECT",
            "Acquire::Retries": "0",
        }
        text = "".join(f'{name} "{value}";\n' for name, value in options.items())
        self.config.write_text(text)
        self.source = root / "etc" / "apt" / "oslab-kernel.sources"
        template = jinja2.Environment(trim_blocks=True).from_string(TEMPLATE.read_text())
        self.source.write_text(
            template.render(
                install_repository_url=url,
                install_repository_suite="stable",
                install_repository_component="main",
                install_repository_key=public_key,
            )
            + "\n"
        )

    def get(self, *arguments):
        return subprocess.run(
            ["apt-get", *arguments],
            cwd=self.root / "downloads",
            env={**os.environ, "LC_ALL": "C", "APT_CONFIG": str(self.config)},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )

    def downloads(self):
        return sorted(path.name for path in (self.root / "downloads").iterdir())


@pytest.fixture
def short_path():
    """gpg-agent's socket has a path of at most 107 bytes: pytest's own directory is too deep."""
    with tempfile.TemporaryDirectory(prefix="oslab") as name:
        yield Path(name)


@pytest.fixture
def repository(short_path):
    missing = [name for name in NEEDED if not shutil.which(name)]
    if missing:
        pytest.skip(f"{', '.join(missing)} not installed")
    made = Repository(short_path)
    yield made
    made.key.close()


@pytest.fixture
def client_of(tmp_path):
    numbers = iter(range(100))
    return lambda url, key: Client(tmp_path / f"apt{next(numbers)}", url, key)


@pytest.fixture
def serve():
    return serving


@pytest.fixture
def other_key(short_path):
    made = Key(short_path / "other")
    yield made
    made.close()


@pytest.fixture
def free_port():
    return some_free_port
