# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Many hosts on one machine: a loopback address each, and one sshd that hands all to target.py."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
PORT = 2222
SSHD = "/usr/sbin/sshd"
#: Nobody's own: the hosts' directories have to be his.
NOBODY = 65534


def enter_network() -> None:
    """Have a network namespace with nothing but the loopback device: no sshd is seen outside."""
    if os.environ.get("BENCH_FLEET_INSIDE"):
        with socket.socket() as any_socket:
            # SIOCSIFFLAGS, IFF_UP
            fcntl.ioctl(any_socket, 0x8914, struct.pack("16sh", b"lo", 1) + bytes(22))
        return
    os.environ["BENCH_FLEET_INSIDE"] = "1"
    os.execvp("unshare", ["unshare", "--net", "--", sys.executable, *sys.argv])


def need_what_is_needed() -> None:
    if os.geteuid() != 0:
        raise SystemExit("Run it as root: it makes a network namespace and starts an sshd in it.")
    for program in (SSHD, "ssh", "unshare"):
        if not shutil.which(program):
            raise SystemExit(f"{program} is missing; install openssh-server and util-linux")


def address(number: int) -> str:
    return f"127.0.{1 + number // 250}.{1 + number % 250}"


def builder(work: Path, answers: Mapping[str, Any]) -> dict[str, Any]:
    """Variables of a builder that has published; its store holds the list of the build's files."""
    manifest = answers["manifest"]
    store = work / "builder/store" / manifest["build_id"]
    store.mkdir(parents=True)
    # As many files, with names as long, as the lab's kernel has.
    packages = {
        name: {f"{path}/{number:04}.h": f"{number:064x}" for number in range(count)}
        for name, (path, count) in answers["listed"].items()
    }
    listed = {
        "schema": 1,
        **{key: manifest[key] for key in ("release", "version", "build_id")},
        "gnu_build_id": "0" * 40,
        "packages": packages,
    }
    text = json.dumps(listed)
    (store / "files.json").write_text(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    (store / "build.json").write_text(json.dumps({"files": {"sha256": digest}}))
    return {
        "ansible_connection": "local",
        "ansible_python_interpreter": sys.executable,
        "source_workdir": str(work / "builder"),
        "publish_repository_url": "http://build1.example.org",
        "publish_public_key": "-----BEGIN PGP PUBLIC KEY BLOCK-----\n" + 9 * ("x" * 64 + "\n"),
        "publish_result": {
            "release": manifest["release"],
            "version": manifest["version"],
            "suite": "stable",
            "component": "main",
            "installed_size_kib": 70000,
            "packages": {},
            "manifest": manifest,
        },
    }


def deployed(manifest: Mapping[str, Any]) -> dict[str, Any]:
    """State of a host where the kernel runs and is confirmed."""
    record = {
        "image": f"linux-image-{manifest['release']}={manifest['version']}",
        "boot_id": "the one before",
        "fallback": "6.1",
        "complete": True,
        "confirmed": True,
    }
    return {
        "boots": 2,
        "release": manifest["release"],
        "down_until": 0,
        "files": {},
        "installed": True,
        "modules": True,
        "record": record,
    }


class Fleet:
    """A number of hosts, untouched or with the kernel, and their inventory."""

    def __init__(self, work: Path, size: int, done: bool = False, **settings: Any) -> None:
        self.work, self.size = work, size
        answers = json.loads((HERE / "answers.json").read_text(encoding="utf-8"))
        manifest = answers["manifest"]
        work.mkdir()
        for name in ("hosts", "sockets"):
            (work / name).mkdir()
        for number in range(size):
            home = work / "hosts" / address(number)
            home.mkdir()
            if done:
                (home / "state.json").write_text(json.dumps(deployed(manifest)))
            for path in (home, *home.iterdir()):
                os.chown(path, NOBODY, NOBODY)
        shutil.copy(HERE / "answers.json", work)
        chosen = {
            "release": manifest["release"],
            "version": manifest["version"],
            "module_seconds": 0,
            "reboot_seconds": 0,
            **settings,
        }
        (work / "settings.json").write_text(json.dumps(chosen))
        for key in ("host", "user"):
            subprocess.run(
                ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(work / key)], check=True
            )
        public = (work / "host.pub").read_text()
        (work / "known_hosts").write_text(f"target {public}")
        self.inventory = work / "hosts.yml"
        self.inventory.write_text(json.dumps(self._inventory(answers)))

    def _inventory(self, answers: Mapping[str, Any]) -> dict[str, Any]:
        targets = {
            f"web{number}": {
                "ansible_host": address(number),
                # Root's own directory would be this machine's.
                "ansible_remote_tmp": str(self.work / "hosts" / address(number) / "tmp"),
            }
            for number in range(self.size)
        }
        options = {
            "HostKeyAlias": "target",
            "UserKnownHostsFile": self.work / "known_hosts",
            "IdentityFile": self.work / "user",
            "IdentitiesOnly": "yes",
            "LogLevel": "ERROR",
        }
        variables = {
            "ansible_port": PORT,
            "ansible_user": "root",
            "ansible_python_interpreter": "/usr/bin/python3",
            # What one wave costs; a canary would be waited for.
            "deploy_serial": "100%",
            "report_dir": str(self.work / "report"),
            "ansible_ssh_common_args": "-F none "
            + " ".join(f"-o {name}={value}" for name, value in options.items()),
        }
        return {
            "kernel_builders": {"hosts": {"builder": builder(self.work, answers)}},
            "kernel_targets": {"hosts": targets, "vars": variables},
        }

    @contextmanager
    def reachable(self) -> Iterator[None]:
        """Have the sshd."""
        settings = {
            "Port": PORT,
            "HostKey": self.work / "host",
            "AuthorizedKeysFile": self.work / "user.pub",
            "PidFile": self.work / "sshd.pid",
            "ForceCommand": f"exec {sys.executable} -I -S {HERE / 'target.py'} {self.work}",
            # What target.py sees of a request for it.
            "Subsystem": "sftp sftp",
            "PermitRootLogin": "yes",
            "PasswordAuthentication": "no",
            "StrictModes": "no",
            # Else the shell reads its settings, which takes four times as long as all else.
            "SetEnv": "SHLVL=5",
            "PermitUserRC": "no",
            "UsePAM": "no",
            "UseDNS": "no",
            "MaxStartups": 10 * self.size + 100,
            "MaxSessions": 100,
            "LogLevel": "INFO",
        }
        config = self.work / "sshd_config"
        config.write_text("".join(f"{name} {value}\n" for name, value in settings.items()))
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        with (self.work / "sshd.log").open("wb") as log:
            server = subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stderr=log)
        try:
            self._wait(server)
            yield
        finally:
            server.send_signal(signal.SIGTERM)
            server.wait()

    def logins(self) -> int:
        """How many connections were opened so far."""
        return (self.work / "sshd.log").read_text().count("Accepted publickey")

    def _wait(self, server: subprocess.Popen[bytes]) -> None:
        for _attempt in range(100):
            with socket.socket() as probe:
                if probe.connect_ex((address(0), PORT)) == 0:
                    return
            if server.poll() is not None:
                break
            time.sleep(0.1)
        raise SystemExit(f"sshd does not start: {(self.work / 'sshd.log').read_text()}")
