# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A local mirror in the layout of snapshot.debian.org, made of what a build root needs.

While the first builder makes its root, a web server between it and Debian's archive keeps each file
that apt asks for: the signed indexes as they are, and the packages. Later they are a snapshot.
"""

from __future__ import annotations

import contextlib
import functools
import shutil
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._build import root as build_root
from ansible_collections.oslab.kernel.tests.lib import debian_archive, fake_builder
from ansible_collections.oslab.kernel.tests.lib.playbook import Run
from ansible_collections.oslab.kernel.tests.lib.script import RunError
from ansible_collections.oslab.kernel.tests.system.builders.other_system import OtherSystem

UPSTREAM = "http://deb.debian.org"
SECONDS = 120


class _Recorder(SimpleHTTPRequestHandler):
    def do_GET(self) -> None:
        path = Path(self.translate_path(self.path))
        # An older list of indexes would have expired. All that it names has names that stay.
        if not path.is_file() or path.name in {"InRelease", "Release", "Release.gpg"}:
            try:
                fetch(f"{UPSTREAM}{self.path}", path)
            except urllib.error.HTTPError as error:
                self.send_error(error.code)
                return
            except OSError as error:
                self.send_error(502, str(error))
                return
        super().do_GET()

    def log_message(self, format: str, *args: Any) -> None:
        pass


def fetch(url: str, path: Path) -> None:
    """Raises OSError."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{threading.get_ident()}.part")
    with urllib.request.urlopen(url, timeout=SECONDS) as answer, part.open("wb") as stream:
        shutil.copyfileobj(answer, stream)
    part.rename(path)


@contextlib.contextmanager
def recorded(place: Path, suite: str) -> Iterator[list[str]]:
    """`build_root_mirrors` of the archive, of which all that is asked for is kept in `place`."""
    place.mkdir(parents=True, exist_ok=True)
    handler = functools.partial(_Recorder, directory=str(place))
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        own = f"http://127.0.0.1:{server.server_address[1]}"
        try:
            entries = build_root.ARCHIVES[suite].entries
            yield [entry.replace(UPSTREAM, own).replace("{suite}", suite) for entry in entries]
        finally:
            server.shutdown()


def laid_out(recording: Path, place: Path, time: str) -> Path:
    """The same as snapshots of that time; other files of `place` are removed."""
    shutil.rmtree(place, ignore_errors=True)
    for archive in sorted(recording.iterdir()):
        shutil.copytree(archive, place / "archive" / archive.name / time, copy_function=_linked)
    return place


def _linked(source: str, target: str) -> None:
    Path(target).hardlink_to(source)


def unlinked(path: Path) -> None:
    """What is altered must not be so in the recording."""
    data = path.read_bytes()
    path.unlink()
    path.write_bytes(data)


class Snapshot:
    """The mirror in the other builder's directory, and the build root that he makes of it."""

    def __init__(self, bob: OtherSystem, recording: Path, root: Mapping[str, Any]) -> None:
        """`root`: what the lock says of it."""
        self.bob, self.locked = bob, dict(root)
        self._recording, self._place = recording, bob.tarball.parent / "mirror"
        self._runs = 0

    def _file(self, pattern: str) -> Path:
        found = sorted(self._place.rglob(pattern))
        if not found:
            raise RunError(f"the mirror has no {pattern}")
        return found[0]

    def whole(self) -> None:
        laid_out(self._recording, self._place, self.locked["snapshot"])

    def alter(self, pattern: str) -> Path:
        self.whole()
        path = self._file(pattern)
        unlinked(path)
        debian_archive.altered_byte(path)
        return path

    def lose(self, pattern: str) -> None:
        self.whole()
        self._file(pattern).unlink()

    @property
    def mirrors(self) -> Sequence[str]:
        """As somebody writes them who has copied the snapshots to the builder."""
        time, place = self.locked["snapshot"], f"file://{self.bob.seen(self._place)}"
        return [
            entry.replace("{suite}", self.locked["suite"])
            .replace(f"{UPSTREAM}/debian-security ", f"{place}/archive/debian-security/{time} ")
            .replace(f"{UPSTREAM}/debian ", f"{place}/archive/debian/{time} ")
            for entry in build_root.ARCHIVES[self.locked["suite"]].entries
        ]

    def make_root(self) -> tuple[Run, list[str]]:
        """Of the mirror alone, without a network: (the run, the ids of the roots that are there)"""
        self._runs += 1
        roots = self.bob.work / f"snapshot-{self._runs}"
        book = fake_builder.root_play(self.bob.repository / "root.json")
        self.bob.network = False
        try:
            done = self.bob.run(
                self.bob.seen(book),
                build_root_dir=self.bob.seen(roots),
                build_root_mirrors=self.mirrors,
                build_locked={"environment": {"root": self.locked}},
            )
        finally:
            self.bob.network = True
        made = sorted(path.parent.name for path in roots.glob("*/root.json"))
        shutil.rmtree(roots, ignore_errors=True)
        return done, made
