# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The other side of a host: the repository that it installs from, and who runs the playbook."""

from __future__ import annotations

import contextlib
import functools
import json
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu
from ansible_collections.oslab.kernel.plugins.plugin_utils import trial_cause
from ansible_collections.oslab.kernel.tests.lib.playbook import PROGRAM

ROOT = Path(__file__).resolve().parents[3]
# How the last word on a host begins.
FINAL = "the kernel was not confirmed|was not rolled back|is not restored to its baseline"


class _Handler(SimpleHTTPRequestHandler):
    """Files of a directory; of one whose name ends in `.half`, only the half is ever sent."""

    def copyfile(self, source: Any, outputfile: Any) -> None:
        path = Path(source.name)
        if not path.with_name(path.name + ".half").exists():
            super().copyfile(source, outputfile)
            return
        outputfile.write(source.read(path.stat().st_size // 2))
        outputfile.flush()
        self.close_connection = True

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing."""


class Repository:
    """A copy of what a builder has published, to be tampered with, and its server."""

    def __init__(self, published: Path, directory: Path) -> None:
        self.root = directory
        self.public = directory / "public"
        self._published = published
        self._server: Optional[ThreadingHTTPServer] = None
        self.restore()

    def restore(self) -> None:
        """As it was published."""
        shutil.rmtree(self.public, ignore_errors=True)
        shutil.copytree(self._published / "public", self.public)
        self.description: dict[str, Any] = json.loads(
            (self.public / "oslab-kernel.json").read_text()
        )

    @property
    def release(self) -> str:
        return str(self.description["release"])

    def package(self, kind: str) -> Path:
        """The file of `image` or `headers`; older builds may be there, too."""
        name = f"linux-{kind}-{self.release}_{self.description['version']}_amd64.deb"
        [path] = (self.public / "pool").rglob(name)
        return path

    def serve(self) -> int:
        """Start the server; its port."""
        handler = functools.partial(_Handler, directory=str(self.public))
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return int(self._server.server_address[1])


class Controller:
    """Runs playbooks against one host, by an inventory of its own."""

    def __init__(self, work: Path, repository: Repository, port: int, store: Path) -> None:
        self._work = work
        self._inventory = work / "hosts.json"
        self._store = store
        self._repository = repository
        self._port = port

    def _write(self, ssh_config: Path, variables: dict[str, Any]) -> None:
        python = {"ansible_python_interpreter": "/usr/bin/python3"}
        builder = {
            **python,
            "ansible_connection": "local",
            "source_workdir": str(self._store.parent),
            "publish_root": str(self._repository.root),
            "publish_url": f"http://10.0.2.2:{self._port}",
        }
        target = {
            **python,
            # As ssh_config has it; to become root would take a while each time.
            "ansible_user": "root",
            "ansible_ssh_common_args": f"-F '{ssh_config}'",
            # Of this machine alone, as short as a socket's path has to be.
            "ansible_control_path": f"%(directory)s/f{self._port}-{os.getpid()}",
            **variables,
        }
        groups = {
            "kernel_builders": {"hosts": {"builder": builder}},
            "kernel_targets": {"hosts": {"faulty": target}},
        }
        self._inventory.write_text(json.dumps(groups, indent=2))

    def start(
        self,
        ssh_config: Path,
        variables: dict[str, Any],
        log: Path,
        *options: str,
        playbook: str = "deploy.yml",
    ) -> Run:
        self._write(ssh_config, variables)
        argv = [PROGRAM, "--inventory", str(self._inventory), *options]
        argv.append(str(ROOT / "playbooks" / playbook))
        environment = {
            **os.environ,
            "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_FORCE_COLOR": "0",
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_LOCALHOST_WARNING": "false",
            "PYTHONUNBUFFERED": "1",
            # An emulated host beside others may take this long to log somebody in.
            "ANSIBLE_TIMEOUT": "60",
        }
        with log.open("wb") as stream:
            process = subprocess.Popen(
                [*qemu.TIED, *argv],
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=stream,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return Run(process, log)


class Run:
    """A playbook that runs."""

    def __init__(self, process: subprocess.Popen[bytes], log: Path) -> None:
        self._process = process
        self._log = log
        self._started = time.monotonic()
        self.status = 0

    def text(self) -> str:
        return self._log.read_text(errors="replace")

    @property
    def ended(self) -> bool:
        return self._process.poll() is not None

    def kill(self) -> None:
        """Without a word to anybody, with all its helpers."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()

    def wait(self, seconds: float) -> int:
        """Wait for its end; its exit status, or that of one that had to be killed."""
        try:
            return self._process.wait(seconds)
        except subprocess.TimeoutExpired:
            self.kill()
            return -9

    def failure(self) -> str:
        """What it said in the end about the host."""
        return self._last()[:800]

    def cause(self) -> str:
        """What that names as the cause; empty if it names none."""
        found = trial_cause.NAMED.search(self._last())
        return found[1] if found else ""

    def _last(self) -> str:
        found = re.findall(r"^\[ERROR\]: (?:Task failed: )?(.*)$", self.text(), re.MULTILINE)
        final = [line for line in found if re.search(FINAL, line)]
        return " ".join((final or found or [""])[-1].split())
