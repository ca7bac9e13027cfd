# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One virtual machine: a directory that holds all of it, and the QEMU process that runs it.

    disk.qcow2           what the machine changed; the rest is in the image below it
    vm.json              values that the running or last process was started with
    seed.tar             identity given to the machine: host name, host key, authorized key
    id_ed25519, host_ed25519, known_hosts, ssh_config   `ssh -F DIR/ssh_config NAME` logs in
    serial.log, serial.log.1   serial line since the last start, and before it
    qemu.pid, qmp.sock, console.sock

The process is known by its command line, not by the number in qemu.pid: the number may be another
process's by now, and the directory may have been deleted under a machine that still runs.
"""

from __future__ import annotations

import contextlib
import fcntl
import io
import json
import os
import shlex
import signal
import socket
import tarfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import json_file
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result, output_summary
from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu
from ansible_collections.oslab.kernel.plugins.module_utils._lab.image import DISK, INITRD, KERNEL

#: What a machine's directory may hold; anything else is not ours to delete.
FILES = frozenset(
    [
        DISK,
        f"{DISK}.part",
        "vm.json",
        "seed.tar",
        "ssh_config",
        "known_hosts",
        "serial.log",
        "serial.log.1",
        "qemu.pid",
        "qmp.sock",
        "console.sock",
        "id_ed25519",
        "id_ed25519.pub",
        "host_ed25519",
        "host_ed25519.pub",
    ]
)

#: What the guest's disk hangs on, besides the drive itself: kernels have a driver for each.
DISK_DEVICES: dict[str, Sequence[str]] = {
    "virtio-blk": (),
    "virtio-scsi": ("virtio-scsi-pci", "scsi-hd,drive=disk0"),
    "pvscsi": ("pvscsi", "scsi-hd,drive=disk0"),
    "ide": ("piix3-ide,id=ide0", "ide-hd,drive=disk0,bus=ide0.0"),
}
NETWORK_DEVICES = {"virtio-net": "virtio-net-pci", "vmxnet3": "vmxnet3", "e1000": "e1000"}

#: How much of the serial line an error message shows.
TAIL = 25


@dataclass(frozen=True)
class Spec:
    """What the user asked for."""

    name: str
    directory: Path
    image: Optional[Path] = None
    memory: int = 2048
    cpus: int = 2
    accel: str = "auto"
    ssh_port: int = 0
    watchdog: str = "none"
    disk: str = "virtio-blk"
    network: str = "virtio-net"
    boot_seconds: float = 240.0
    shutdown_seconds: float = 60.0

    def hardware(self) -> dict[str, Any]:
        """Return what takes effect only when the machine is started."""
        return {
            "image": str(self.image),
            "memory": self.memory,
            "cpus": self.cpus,
            "watchdog": self.watchdog,
            "disk": self.disk,
            "network": self.network,
        }


class Qmp:
    """The machine's control socket."""

    def __init__(self, directory: Path, seconds: float = 5.0) -> None:
        self._socket = socket.socket(socket.AF_UNIX)
        self._socket.settimeout(seconds)
        # Through the directory's descriptor: a socket's path must fit in 108 bytes.
        descriptor = os.open(directory, os.O_PATH)
        try:
            self._socket.connect(f"/proc/self/fd/{descriptor}/qmp.sock")
        finally:
            os.close(descriptor)
        self._stream = self._socket.makefile("rw", encoding="utf-8")
        self._read()
        self.execute("qmp_capabilities")

    def _read(self) -> dict[str, Any]:
        line = self._stream.readline()
        if not line:
            raise ConnectionError("QEMU closed its control socket")
        message = json.loads(line)
        return message if isinstance(message, dict) else {}

    def execute(self, command: str, **arguments: Any) -> Any:
        """Run a command and return its answer; events that come in between are not for us."""
        request = {"execute": command, "arguments": arguments}
        self._stream.write(json.dumps(request) + "\n")
        self._stream.flush()
        while True:
            message = self._read()
            if "error" in message:
                raise qemu.QemuError(f"QEMU refused {command}: {message['error'].get('desc')}")
            if "return" in message:
                return message["return"]

    def close(self) -> None:
        """Hang up."""
        self._stream.close()
        self._socket.close()


def vm_argv(spec: Spec, accel: str, port: int) -> list[str]:
    """Command line of the machine. Sockets are relative: it is started in the directory."""
    directory = qemu.escape(str(spec.directory))
    argv = qemu.machine_argv(accel, spec.cpus, spec.memory)
    argv += ["-name", f"oslab-{qemu.escape(spec.name)}"]
    interface = "none,id=disk0" if DISK_DEVICES[spec.disk] else "virtio"
    argv += ["-drive", f"file={directory}/{DISK},if={interface},format=qcow2,discard=unmap"]
    for device in DISK_DEVICES[spec.disk]:
        argv += ["-device", device]
    argv += ["-netdev", f"user,id=net0,hostfwd=tcp:127.0.0.1:{port}-:22"]
    argv += ["-device", f"{NETWORK_DEVICES[spec.network]},netdev=net0,romfile="]
    argv += ["-chardev", "socket,id=serial0,path=console.sock,server=on,wait=off,"]
    argv[-1] += f"logfile={directory}/serial.log"
    argv += ["-serial", "chardev:serial0"]
    argv += ["-qmp", "unix:qmp.sock,server=on,wait=off"]
    argv += ["-fw_cfg", f"name=opt/oslab/seed,file={directory}/seed.tar"]
    if spec.watchdog != "none":
        argv += ["-device", spec.watchdog, "-action", "watchdog=reset"]
    return [*argv, "-pidfile", str(spec.directory / "qemu.pid"), "-daemonize"]


def find_process(directory: Path, proc: Path = Path("/proc")) -> Optional[int]:
    """Return the process that runs the machine of a directory."""
    wanted = f"\0-pidfile\0{directory}/qemu.pid\0".encode()
    for entry in proc.iterdir():
        if entry.name.isdigit():
            with contextlib.suppress(OSError):
                # The forking parent of a starting QEMU is gone by the time anybody asks; a
                # zombie's command line is empty.
                if wanted in (entry / "cmdline").read_bytes():
                    return int(entry.name)
    return None


def is_held(directory: Path) -> bool:
    """Whether a QEMU still holds its files, as one does that was killed and is being cleared away.

    Its command line is gone by then. The next one could not lock the file with its number.
    """
    try:
        with (directory / "qemu.pid").open("rb+") as stream:
            fcntl.lockf(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        return False
    return False


def free_port(wanted: int = 0) -> int:
    """Return the wanted port of the loopback address if it is free, or else another one."""
    for port in (wanted, 0):
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return int(probe.getsockname()[1])
    raise qemu.QemuError("no free TCP port on 127.0.0.1")


def read_banner(port: int, seconds: float) -> str:
    """Return what the ssh server says first; nothing if it says nothing.

    QEMU accepts connections on behalf of a guest that is still booting, so that connecting alone
    proves nothing.
    """
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=seconds) as client:
            client.settimeout(seconds)
            return client.recv(256).decode(errors="replace").split("\r")[0].strip()
    except OSError:
        return ""


def seed_tar(name: str, host_key: bytes, host_public: bytes, authorized: bytes) -> bytes:
    """Return the files that make the image this machine."""
    hosts = f"127.0.0.1 localhost\n127.0.1.1 {name}\n::1 localhost\n"
    entries = [
        ("etc/hostname", 0o644, f"{name}\n".encode()),
        ("etc/hosts", 0o644, hosts.encode()),
        ("etc/ssh/ssh_host_ed25519_key", 0o600, host_key),
        ("etc/ssh/ssh_host_ed25519_key.pub", 0o644, host_public),
        ("root/.ssh", 0o700, None),
        ("root/.ssh/authorized_keys", 0o600, authorized),
    ]
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w", format=tarfile.USTAR_FORMAT) as archive:
        for path, mode, content in entries:
            info = tarfile.TarInfo(path)
            info.mode = mode
            if content is None:
                info.type = tarfile.DIRTYPE
            else:
                info.size = len(content)
            archive.addfile(info, io.BytesIO(content or b""))
    return buffer.getvalue()


def ssh_config(spec: Spec, port: int) -> str:
    """Return an ssh configuration that knows this machine and trusts no other."""

    def quoted(name: str) -> str:
        # ssh expands % in these values.
        return '"' + str(spec.directory / name).replace("%", "%%") + '"'

    return "\n".join(
        [
            f"Host {spec.name}",
            "    HostName 127.0.0.1",
            f"    Port {port}",
            "    User root",
            f"    IdentityFile {quoted('id_ed25519')}",
            "    IdentitiesOnly yes",
            f"    HostKeyAlias {spec.name}",
            f"    UserKnownHostsFile {quoted('known_hosts')}",
            "    GlobalKnownHostsFile /dev/null",
            "    StrictHostKeyChecking yes",
            "    UpdateHostKeys no",
            # The network of QEMU forgets a connection when the machine is reset, and tells nobody.
            "    ServerAliveInterval 15",
            "    ServerAliveCountMax 4",
            "    LogLevel ERROR",
            "",
        ]
    )


class Machine:
    """The machine of a directory, and what can be done with it."""

    def __init__(
        self,
        spec: Spec,
        run: Callable[..., Result] = qemu.run,
        find: Callable[[Path], Optional[int]] = find_process,
        banner: Callable[[int, float], str] = read_banner,
        choose: Callable[..., qemu.Accel] = qemu.choose_accel,
        kill: Callable[[int, int], None] = qemu.kill,
        sleep: Callable[[float], None] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.spec = spec
        self._run = run
        self._find = find
        self._banner = banner
        self._choose = choose
        self._kill = kill
        self._sleep = sleep
        self._clock = clock

    # What is ------------------------------------------------------------------------------------

    def file(self, name: str) -> Path:
        """Path of a file of the machine."""
        return self.spec.directory / name

    @property
    def process(self) -> Optional[int]:
        """The process that runs it."""
        return self._find(self.spec.directory)

    def state(self) -> str:
        """Return started, stopped or absent."""
        if not self.file(DISK).exists():
            return "absent"
        return "stopped" if self.process is None else "started"

    def exists(self) -> bool:
        """Whether there is anything to delete: an interrupted creation counts, too."""
        return self.spec.directory.exists() or self.process is not None

    def record(self) -> dict[str, Any]:
        """Return the values of the last start."""
        return json_file.read(self.file("vm.json")) or {}

    def pending(self) -> dict[str, Any]:
        """Return the wanted values that differ from those of the last start."""
        last = self.record().get("hardware", {})
        wanted = self.spec.hardware()
        return {key: value for key, value in wanted.items() if last.get(key, value) != value}

    def serial_tail(self) -> str:
        """Return the last lines of the serial line."""
        try:
            text = self.file("serial.log").read_text(encoding="utf-8", errors="replace")
        except OSError:
            text = ""
        return qemu.last_lines(text, TAIL) or "(nothing was written to it)"

    def describe(self) -> dict[str, Any]:
        """Return what a user or a later task needs to know."""
        record = self.record()
        return {
            "state": self.state(),
            "pid": self.process,
            "ssh_port": record.get("ssh_port"),
            "ssh_config": str(self.file("ssh_config")),
            "ssh_command": f"ssh -F {shlex.quote(str(self.file('ssh_config')))} {self.spec.name}",
            "serial_log": str(self.file("serial.log")),
            "accel": record.get("accel"),
            "accel_reason": record.get("accel_reason"),
            "command": record.get("command"),
            "hardware": record.get("hardware"),
        }

    @contextlib.contextmanager
    def locked(self) -> Iterator[None]:
        """Lock the machine against other runs."""
        directory = self.spec.directory
        waiting = self.spec.boot_seconds + self.spec.shutdown_seconds
        with qemu.locked(directory.with_name(f".{directory.name}.lock"), waiting):
            yield

    # What can be done ---------------------------------------------------------------------------

    def create(self) -> bool:
        """Make the disk and the identity unless they are there; tell whether they were made."""
        image = self.spec.image
        if image is None or not (image / DISK).is_file():
            raise qemu.QemuError(f"image: there is no {DISK} in {image}; build the image first")
        # A machine whose directory was deleted under it.
        self.kill()
        self.spec.directory.mkdir(parents=True, exist_ok=True)
        self.spec.directory.chmod(0o700)
        self._keys()
        if self.file(DISK).exists():
            self._check_backing()
            return False
        part = self.file(f"{DISK}.part")
        argv = ["qemu-img", "create", "-q", "-f", "qcow2", "-F", "qcow2"]
        done = self._run([*argv, "-b", str(image / DISK), str(part)])
        if done.status != 0:
            raise qemu.QemuError(f"qemu-img failed: {output_summary(done.out, done.err)}")
        part.replace(self.file(DISK))
        return True

    def _keys(self) -> None:
        made = False
        for name in ("id_ed25519", "host_ed25519"):
            # The public half is written last.
            if not self.file(f"{name}.pub").exists():
                self.file(name).unlink(missing_ok=True)
                argv = ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", self.spec.name]
                done = self._run([*argv, "-f", str(self.file(name))])
                if done.status != 0:
                    raise qemu.QemuError(f"ssh-keygen failed: {output_summary(done.out, done.err)}")
                made = True
        public = self.file("host_ed25519.pub").read_bytes()
        if made or not self.file("known_hosts").exists() or not self.file("seed.tar").exists():
            qemu.write_file(self.file("known_hosts"), self.spec.name.encode() + b" " + public)
            seed = seed_tar(
                self.spec.name,
                self.file("host_ed25519").read_bytes(),
                public,
                self.file("id_ed25519.pub").read_bytes(),
            )
            qemu.write_file(self.file("seed.tar"), seed, mode=0o600)

    def _check_backing(self) -> None:
        """Fail early, and clearly, when the image under the machine's disk was deleted."""
        below = self.record().get("hardware", {}).get("image")
        if below is not None and not (Path(below) / DISK).is_file():
            raise qemu.QemuError(
                f"the image {below} that this machine's disk builds upon is gone; "
                "make the machine anew: state=absent, then state=started"
            )

    def start(self) -> None:
        """Start the machine; it goes on after this process has ended."""
        if self.spec.image is None:
            raise AssertionError("image is given where a machine is made")
        accel = self._choose(
            self.spec.accel,
            self.spec.image / KERNEL,
            self.spec.image / INITRD,
            self.spec.image.parent.parent / "accel.json",
        )
        last = self.record()
        image = last.get("hardware", {}).get("image", str(self.spec.image))
        port = free_port(self.spec.ssh_port or int(last.get("ssh_port") or 0))
        if self.spec.ssh_port not in (0, port):
            raise qemu.QemuError(
                f"ssh_port: port {self.spec.ssh_port} of 127.0.0.1 is taken by another program; "
                "name another one, or 0 for any that is free"
            )
        if self.file("serial.log").exists():
            self.file("serial.log").replace(self.file("serial.log.1"))
        argv = vm_argv(self.spec, accel.name, port)
        # Before the start, so that a run that is cut off here leaves a machine that can be found.
        qemu.write_file(self.file("ssh_config"), ssh_config(self.spec, port).encode())
        json_file.write(
            self.file("vm.json"),
            {
                "name": self.spec.name,
                # The disk stays on the image that it was made of.
                "hardware": {**self.spec.hardware(), "image": image},
                "ssh_port": port,
                "accel": accel.name,
                "accel_reason": accel.reason,
                "command": shlex.join(argv),
            },
        )
        done = self._run(argv, cwd=self.spec.directory)
        if done.status != 0:
            why = f"exit status {done.status}, {output_summary(done.out, done.err)}"
            raise qemu.QemuError(f"QEMU did not start: {why}\nCommand: {shlex.join(argv)}")

    def wait(self) -> float:
        """Wait for the ssh server; return the seconds that it took."""
        start = self._clock()
        deadline = start + self.spec.boot_seconds
        port = int(self.record().get("ssh_port") or 0)
        while True:
            if self._banner(port, 2.0).startswith("SSH-"):
                return self._clock() - start
            running = self.process is not None
            if not running or self._clock() > deadline:
                raise qemu.QemuError(self._no_ssh(running))
            self._sleep(0.3)

    def _no_ssh(self, running: bool) -> str:
        if running:
            what = (
                f"{self.spec.name} did not answer on its ssh port within "
                f"{self.spec.boot_seconds:.0f} s (boot_timeout). It still runs; "
                "to start it again: state=stopped, then state=started."
            )
        else:
            what = f"{self.spec.name} ended before its ssh server answered."
        accel = self.record().get("accel")
        return (
            f"{what} Accelerator: {accel}. "
            f"Last lines of {self.file('serial.log')}:\n{self.serial_tail()}"
        )

    def stop(self) -> str:
        """Stop the machine; return how: powerdown, quit, or kill."""
        steps: Sequence[tuple[str, str, float]] = (
            ("powerdown", "system_powerdown", self.spec.shutdown_seconds),
            ("quit", "quit", 5.0),
        )
        for how, command, seconds in steps:
            if self._send(command) and self._gone(seconds):
                return how
        self.kill()
        return "kill"

    def _send(self, command: str) -> bool:
        """Send a command over the control socket; tell whether there was one to send it to."""
        try:
            control = Qmp(self.spec.directory)
        except (OSError, ValueError, qemu.QemuError):
            return False
        # QEMU may be gone before it answers.
        with contextlib.closing(control), contextlib.suppress(OSError, ValueError, qemu.QemuError):
            control.execute(command)
        return True

    def kill(self) -> None:
        """End the process, whatever the machine is doing."""
        pid = self.process
        if pid is not None:
            self._kill(pid, signal.SIGKILL)
            if not self._gone(60.0):
                raise qemu.QemuError(f"the QEMU process {pid} does not end")

    def _gone(self, seconds: float) -> bool:
        deadline = self._clock() + seconds
        while self.process is not None or is_held(self.spec.directory):
            if self._clock() > deadline:
                return False
            self._sleep(0.1)
        return True

    def delete(self) -> None:
        """Delete the machine with all its files, and nothing else."""
        self.kill()
        directory = self.spec.directory
        if not directory.exists():
            return
        names = {path.name for path in directory.iterdir()}
        foreign = sorted(
            name for name in names - FILES if not (name.startswith(".") and name.endswith(".part"))
        )
        if foreign:
            raise qemu.QemuError(
                f"{directory} holds files that are not the machine's: {', '.join(foreign)}; "
                "move them away"
            )
        # The disk last: as long as it is there, the machine counts as existing.
        for name in sorted(names, key=lambda name: name == DISK):
            self.file(name).unlink()
        directory.rmdir()
