# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Archives of Debian packages in the layout of a mirror: made by hand, served, and altered.

A snapshot has the same layout, below …/archive/debian/YYYYMMDDTHHMMSSZ.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator, Sequence
from datetime import datetime, timezone
from email.utils import format_datetime
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Optional

from ansible_collections.oslab.kernel.tests.lib.openpgp_keys import Key

SUITE = "bookworm"
DISTS = f"dists/{SUITE}"


def architecture() -> str:
    argv = ["dpkg", "--print-architecture"]
    return subprocess.run(argv, capture_output=True, text=True, check=True).stdout.strip()


def package(directory: Path, name: str, version: str, depends: str = "") -> Path:
    """A package with one file and without a script; the same bytes each time."""
    target = directory / f"{name}_{version}_{architecture()}.deb"
    if target.exists():
        return target
    tree = directory / f"{name}_{version}"
    file = tree / "usr/share/doc" / name / "version"
    file.parent.mkdir(parents=True)
    file.write_text(f"{version}\n")
    (tree / "DEBIAN").mkdir()
    (tree / "DEBIAN/control").write_text(
        f"Package: {name}\nVersion: {version}\nArchitecture: {architecture()}\n"
        + (f"Depends: {depends}\n" if depends else "")
        + "Maintainer: nobody <nobody@example.org>\nDescription: nothing\n"
    )
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "--build", str(tree), str(target)],
        env={**os.environ, "SOURCE_DATE_EPOCH": "1"},
        check=True,
        capture_output=True,
    )
    return target


def write(
    top: Path,
    debs: Sequence[Path],
    key: Key,
    date: datetime,
    valid_until: Optional[datetime] = None,
) -> Path:
    """An archive of these packages, with the index that the key signs."""
    shutil.rmtree(top, ignore_errors=True)
    for deb in debs:
        name = deb.name.partition("_")[0]
        place = top / "pool/main" / name[0] / name
        place.mkdir(parents=True, exist_ok=True)
        shutil.copy(deb, place)
    index = top / DISTS / f"main/binary-{architecture()}/Packages"
    index.parent.mkdir(parents=True)
    argv = ["dpkg-scanpackages", "--multiversion", "pool"]
    listed = subprocess.run(argv, cwd=top, capture_output=True, text=True, check=True).stdout
    index.write_text(listed)
    sign(top, key, date, valid_until)
    return top


def sign(top: Path, key: Key, date: datetime, valid_until: Optional[datetime] = None) -> None:
    """Write the signed list of the indexes that are there."""
    lines = ["Origin: Debian", "Suite: oldstable", f"Codename: {SUITE}", f"Date: {_shown(date)}"]
    lines += [f"Valid-Until: {_shown(valid_until)}"] if valid_until else []
    lines += [f"Architectures: {architecture()}", "Components: main", "SHA256:"]
    for path in sorted((top / DISTS).rglob("Packages")):
        data = path.read_bytes()
        name = path.relative_to(top / DISTS)
        lines.append(f" {hashlib.sha256(data).hexdigest()} {len(data)} {name}")
    (top / DISTS / "InRelease").write_text(key.clearsign("\n".join([*lines, ""])))


def _shown(time: datetime) -> str:
    return format_datetime(time.astimezone(timezone.utc)).replace("+0000", "UTC")


def altered_byte(path: Path) -> None:
    """One byte in the middle of the file is another one; its size and times are the same."""
    before = path.stat()
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(bytes(data))
    os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))


class _Handler(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: Any) -> None:
        self.server.asked.append(self.path)  # type: ignore[attr-defined]


class Server(ThreadingHTTPServer):
    """A web server of a directory, with what was asked for."""

    daemon_threads = True

    def __init__(self, directory: Path) -> None:
        super().__init__(("127.0.0.1", 0), functools.partial(_Handler, directory=str(directory)))
        self.asked: list[str] = []
        self.url = f"http://127.0.0.1:{self.server_address[1]}"


@contextlib.contextmanager
def served(directory: Path) -> Iterator[Server]:
    with Server(directory) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server
        finally:
            server.shutdown()
