# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine that faults happen to: its disk lies over a saved state, which it wakes up in.

A state is a directory with a disk, the memory of the machine that was running on it, and that
machine's keys. Nothing is booted for a fault but what the fault itself makes boot.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu
from ansible_collections.oslab.kernel.plugins.module_utils._lab.vm import (
    Machine,
    Qmp,
    Spec,
    read_banner,
)

HERE = Path(__file__).resolve().parent
NAME = "faulty"
MEMORY = 1024
KEYS = ("id_ed25519", "id_ed25519.pub", "host_ed25519", "host_ed25519.pub")
# Until it answers, beside other machines.
BOOT_SECONDS = 1200
# An empty disk besides the one that it boots from.
SPARE_MIB = 160


# Who is interrupted takes these along: the last one of each directory.
MACHINES: dict[Path, Faulty] = {}


class LostError(Exception):
    """The host does not answer."""


class Faulty:
    """One machine, in a directory of its own."""

    def __init__(self, directory: Path, state: Path, accel: str) -> None:
        self.directory = directory
        self.state = state
        self._more: list[str] = []
        self._marked = 0
        self._machine = Machine(
            Spec(NAME, directory, image=state, memory=MEMORY, accel=accel), run=self._run
        )

    def _run(self, argv: Any, cwd: Optional[Path] = None) -> Result:
        if argv[0] == qemu.BINARY:
            argv = ["nice", "-n", "5", *argv, *self.hardware(), *self._more]
        return qemu.run(argv, cwd)

    def hardware(self) -> list[str]:
        """What it has besides: arguments of QEMU."""
        return ["-drive", f"file={self.directory / 'spare.qcow2'},if=virtio,format=qcow2"]

    def make_spare(self, path: Path) -> None:
        qemu.run(["qemu-img", "create", "-q", "-f", "qcow2", str(path), f"{SPARE_MIB}M"])

    # --- its life ---------------------------------------------------------------------------------

    def wake(self) -> None:
        """Make it anew from its state; go on where that was saved, or boot."""
        self.close()
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        for name in KEYS:
            if (self.state / name).exists():
                shutil.copy(self.state / name, self.directory / name)
        self._machine.create()
        self.make_spare(self.directory / "spare.qcow2")
        memory = self.state / "memory"
        if memory.exists():
            # Paused until it is all there.
            self._more = ["-incoming", f"exec:zstd -dc {memory}", "-S"]
        self.power_on()
        if memory.exists():
            self._more = []
            with self._control() as control:
                while control.execute("query-status")["status"] == "inmigrate":
                    time.sleep(0.2)
                control.execute("cont")
            self.wait(60)
            self.shell(f"date -s @{int(time.time())} >/dev/null")
        else:
            self.wait(BOOT_SECONDS)

    @contextlib.contextmanager
    def _control(self) -> Any:
        with contextlib.closing(Qmp(self.directory, seconds=120)) as control:
            yield control

    def save(self, state: Path) -> None:
        """Keep disk and memory as a state; the machine has ended then."""
        state.mkdir(parents=True, exist_ok=True)
        memory = state / "memory"
        with self._control() as control:
            control.execute("stop")
            control.execute("migrate", uri=f"exec:zstd -q -1 -T2 -f -o {memory}")
            while (status := control.execute("query-migrate").get("status")) != "completed":
                if status in ("failed", "cancelled"):
                    raise qemu.QemuError(f"the machine's memory was not saved: {status}")
                time.sleep(0.5)
        self.close()
        for name in KEYS:
            shutil.copy(self.directory / name, state / name)
        shutil.move(self.directory / "disk.qcow2", state / "disk.qcow2")

    def power_on(self) -> None:
        """Start QEMU."""
        self._marked = 0
        MACHINES[self.directory] = self
        self._machine.start()

    def off(self, seconds: float = 180) -> None:
        """Shut down in good order; its disks stay."""
        with contextlib.suppress(subprocess.SubprocessError):
            self.shell("systemctl poweroff --no-block")
        deadline = time.monotonic() + seconds
        while self._machine.process is not None:
            if time.monotonic() > deadline:
                raise LostError(f"it did not end within {seconds:.0f} s")
            time.sleep(0.5)

    def cut(self) -> None:
        """Pull the plug."""
        self._machine.kill()

    def close(self) -> None:
        """No more of it."""
        self._machine.kill()

    # --- talking to it ----------------------------------------------------------------------------

    @property
    def port(self) -> int:
        return int(self._machine.record().get("ssh_port") or 0)

    def mark(self) -> None:
        """What the serial line has said until now is of no more interest."""
        self._marked += len(self.serial())

    def serial(self) -> str:
        """What its serial line has said since QEMU's start, or since the mark."""
        try:
            return (self.directory / "serial.log").read_text(errors="replace")[self._marked :]
        except OSError:
            return ""

    def answers(self) -> bool:
        return read_banner(self.port, 2.0).startswith("SSH-")

    def wait(self, seconds: float) -> float:
        """Wait until it answers; how long that took."""
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            if self.answers():
                with contextlib.suppress(subprocess.SubprocessError):
                    self.shell("true", seconds=30)
                    return time.monotonic() - started
            time.sleep(0.5)
        raise LostError(f"no answer within {seconds:.0f} s")

    def shell(
        self, script: str, seconds: float = 180, variables: Optional[Mapping[str, str]] = None
    ) -> str:
        """Run a script as root."""
        head = "".join(f"{name}='{value}'\n" for name, value in (variables or {}).items())
        return self._ssh(["sh", "-e", "-s"], head + script, seconds)

    def program_output(
        self, program: Path, *arguments: str, seconds: float = 120
    ) -> dict[str, Any]:
        """What a program of ours says there, as JSON."""
        command = ["python3", "-", *(f"'{argument}'" for argument in arguments)]
        found: dict[str, Any] = json.loads(self._ssh(command, program.read_text(), seconds))
        return found

    def look(self) -> dict[str, Any]:
        """How it is."""
        return self.program_output(HERE / "look.py")

    def listing(self, *kinds: str) -> dict[str, dict[str, str]]:
        """What it is made of, or these kinds of it."""
        return self.program_output(HERE / "listing.py", *kinds, seconds=900)

    def put(self, source: Path, target: str) -> None:
        with source.open("rb") as stream:
            argv = self._argv([f"cat > {target}"])
            subprocess.run(argv, stdin=stream, check=True, timeout=60)

    def _argv(self, command: list[str]) -> list[str]:
        config = str(self.directory / "ssh_config")
        options = ["-o", "ConnectTimeout=20", "-o", "ServerAliveInterval=10"]
        return ["ssh", "-F", config, *options, NAME, *command]

    def _ssh(self, command: list[str], text: str, seconds: float) -> str:
        done = subprocess.run(
            self._argv(command),
            input=text,
            capture_output=True,
            text=True,
            errors="replace",
            check=False,
            timeout=seconds,
        )
        if done.returncode:
            raise subprocess.SubprocessError(
                f"on the host, {done.returncode}: {(done.stdout + done.stderr)[-1500:]}"
            )
        return done.stdout
