# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import dataclasses
import io
import json
import os
import socket
import subprocess
import sys
import tarfile
import threading
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Optional

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu, vm
from ansible_collections.oslab.kernel.plugins.module_utils._lab.vm import Machine, Spec


@pytest.fixture
def spec(tmp_path: Path) -> Spec:
    image = tmp_path / "images" / "one"
    image.mkdir(parents=True)
    (image / "disk.qcow2").write_text("")
    return Spec("vm", tmp_path / "vm", image, boot_seconds=3, shutdown_seconds=1)


class Host:
    """Stands in for the programs and the process table."""

    def __init__(self) -> None:
        self.called: list[list[str]] = []
        self.pid: Optional[int] = None
        self.banner = "SSH-2.0-x"
        self.qemu = Result(0, "", "")
        self.now = 0.0

    def run(self, argv: Sequence[str], cwd: Optional[Path] = None) -> Result:
        self.called.append(list(argv))
        if argv[0] == "ssh-keygen":
            path = Path(argv[argv.index("-f") + 1])
            path.write_text(f"private {path.name}\n")
            path.with_name(f"{path.name}.pub").write_text(f"public {path.name}\n")
        elif argv[0] == "qemu-img":
            Path(argv[-1]).write_text("overlay")
        elif argv[0] == qemu.BINARY:
            assert cwd is not None
            if self.qemu.status == 0:
                self.pid = 77
                (cwd / "serial.log").write_text("booting\r\nready\r\n")
            return self.qemu
        return Result(0, "", "")

    def sleep(self, seconds: float) -> None:
        self.now += seconds

    def machine(self, spec: Spec) -> Machine:
        return Machine(
            spec,
            run=self.run,
            find=lambda _directory: self.pid,
            banner=lambda _port, _seconds: self.banner,
            choose=lambda *_args: qemu.Accel("tcg", "no KVM"),
            kill=lambda _pid, _signal: setattr(self, "pid", None),
            sleep=self.sleep,
            clock=lambda: self.now,
        )


@pytest.fixture
def host() -> Host:
    return Host()


def up(host: Host, spec: Spec) -> Machine:
    machine = host.machine(spec)
    machine.create()
    machine.start()
    return machine


def test_life(host: Host, spec: Spec) -> None:
    machine = host.machine(spec)
    assert machine.state() == "absent"
    assert machine.create()
    assert machine.state() == "stopped"
    machine.start()
    assert machine.state() == "started"
    assert machine.wait() == 0.0
    seen = machine.describe()
    assert seen["ssh_command"] == f"ssh -F {spec.directory}/ssh_config vm"
    assert f"Port {seen['ssh_port']}" in (spec.directory / "ssh_config").read_text()
    assert seen["hardware"] == spec.hardware()
    assert f"hostfwd=tcp:127.0.0.1:{seen['ssh_port']}-:22" in seen["command"]

    machine.delete()
    assert machine.state() == "absent"
    assert not spec.directory.exists()
    machine.delete()


def test_creating_again_keeps_disk_and_keys(host: Host, spec: Spec) -> None:
    up(host, spec)
    count = len(host.called)
    host.pid = None
    assert not host.machine(spec).create()
    assert len(host.called) == count


def test_creation_that_was_cut_off_is_finished(host: Host, spec: Spec) -> None:
    spec.directory.mkdir()
    for name in ("id_ed25519", "disk.qcow2.part", "host_ed25519", "host_ed25519.pub"):
        (spec.directory / name).write_text("half")
    assert host.machine(spec).create()
    assert (spec.directory / "id_ed25519").read_text() == "private id_ed25519\n"
    assert (spec.directory / "known_hosts").read_text() == "vm half"
    assert (spec.directory / "disk.qcow2").read_text() == "overlay"


def test_image_that_is_not_there(host: Host, spec: Spec) -> None:
    with pytest.raises(qemu.QemuError, match=r"image: there is no disk\.qcow2 in /nowhere"):
        host.machine(dataclasses.replace(spec, image=Path("/nowhere"))).create()


def test_image_that_was_deleted_below_a_disk(host: Host, spec: Spec, tmp_path: Path) -> None:
    up(host, spec)
    host.pid = None
    other = tmp_path / "images" / "two"
    other.mkdir()
    (other / "disk.qcow2").write_text("")
    newer = dataclasses.replace(spec, image=other)
    # A newer image leaves an existing machine on its own one ...
    machine = up(host, newer)
    assert machine.record()["hardware"]["image"] == str(spec.image)
    assert machine.pending() == {"image": str(other)}
    # ... which has to be there.
    host.pid = None
    assert spec.image is not None
    (spec.image / "disk.qcow2").unlink()
    with pytest.raises(qemu.QemuError, match="is gone; make the machine anew: state=absent"):
        host.machine(newer).create()


def test_pending(host: Host, spec: Spec) -> None:
    up(host, spec)
    assert host.machine(spec).pending() == {}
    assert host.machine(dataclasses.replace(spec, memory=4096)).pending() == {"memory": 4096}


def test_port_is_kept_over_restarts_unless_taken(host: Host, spec: Spec) -> None:
    port = up(host, spec).describe()["ssh_port"]
    assert up(host, spec).describe()["ssh_port"] == port
    with socket.socket() as other:
        other.bind(("127.0.0.1", port))
        other.listen()
        again = up(host, spec).describe()["ssh_port"]
        with pytest.raises(qemu.QemuError, match=f"ssh_port: port {port} of 127.0.0.1 is taken"):
            up(host, dataclasses.replace(spec, ssh_port=port))
    assert again != port
    assert f"Port {again}" in (spec.directory / "ssh_config").read_text()


def test_serial_log_of_the_last_start_is_kept(host: Host, spec: Spec) -> None:
    up(host, spec)
    (spec.directory / "serial.log").write_text("first")
    up(host, spec)
    assert (spec.directory / "serial.log.1").read_text() == "first"


def test_qemu_that_does_not_start_says_why(host: Host, spec: Spec) -> None:
    host.qemu = Result(1, "", "-m: no such memory\n")
    with pytest.raises(qemu.QemuError, match=r"-m: no such memory\nCommand: qemu-system"):
        up(host, spec)


def test_machine_that_never_boots_shows_its_serial_line(host: Host, spec: Spec) -> None:
    machine = up(host, spec)
    host.banner = ""
    with pytest.raises(qemu.QemuError) as caught:
        machine.wait()
    text = str(caught.value)
    assert "within 3 s (boot_timeout). It still runs" in text
    assert text.endswith("serial.log:\nbooting\nready")
    assert host.now >= 3


def test_machine_that_ends_while_booting_is_not_waited_for(host: Host, spec: Spec) -> None:
    machine = up(host, spec)
    host.banner, host.pid = "", None
    with pytest.raises(qemu.QemuError, match="ended before its ssh server answered"):
        machine.wait()
    assert host.now == 0


def test_foreign_files_are_not_deleted(host: Host, spec: Spec) -> None:
    up(host, spec)
    host.pid = None
    (spec.directory / "thesis.txt").write_text("")
    with pytest.raises(qemu.QemuError, match=r"holds files that are not the machine's: thesis\.t"):
        host.machine(spec).delete()
    assert (spec.directory / "disk.qcow2").exists()


def test_orphan_counts_as_existing(host: Host, spec: Spec) -> None:
    host.pid = 77
    machine = host.machine(spec)
    assert machine.state() == "absent"
    assert machine.exists()


def test_command_line(spec: Spec) -> None:
    odd = dataclasses.replace(spec, directory=Path("/a,b"), watchdog="i6300esb")
    argv = vm.vm_argv(odd, "tcg", 2222)
    assert "file=/a,,b/disk.qcow2,if=virtio,format=qcow2,discard=unmap" in argv
    assert argv[argv.index("i6300esb") - 1 :][:4] == [
        "-device",
        "i6300esb",
        "-action",
        "watchdog=reset",
    ]
    assert argv[-3:] == ["-pidfile", "/a,b/qemu.pid", "-daemonize"]
    assert "-action" not in vm.vm_argv(spec, "tcg", 2222)


def test_disk_and_network_card_are_what_was_asked_for(spec: Spec) -> None:
    other = dataclasses.replace(spec, disk="ide", network="vmxnet3")
    argv = vm.vm_argv(other, "tcg", 2222)
    (drive,) = (word for word in argv if word.startswith("file="))
    assert ",if=none,id=disk0," in drive
    devices = [after for word, after in zip(argv, argv[1:]) if word == "-device"]
    assert devices == [
        "piix3-ide,id=ide0",
        "ide-hd,drive=disk0,bus=ide0.0",
        "vmxnet3,netdev=net0,romfile=",
    ]
    assert "virtio" not in " ".join(argv)


def test_a_change_of_them_is_pending_until_the_next_start(host: Host, spec: Spec) -> None:
    machine = host.machine(spec)
    machine.create()
    machine.start()
    other = dataclasses.replace(spec, disk="virtio-scsi")
    assert host.machine(other).pending() == {"disk": "virtio-scsi"}


def test_process_is_known_by_its_command_line(tmp_path: Path) -> None:
    for pid, line in (
        ("10", "qemu\0-pidfile\0/vms/a/qemu.pid\0-daemonize\0"),
        ("11", "grep\0/vms/b/qemu.pid\0"),
        ("12", ""),
        ("self", "qemu\0-pidfile\0/vms/b/qemu.pid\0"),
    ):
        (tmp_path / pid).mkdir()
        (tmp_path / pid / "cmdline").write_text(line)
    (tmp_path / "13").mkdir()
    assert vm.find_process(Path("/vms/a"), tmp_path) == 10
    assert vm.find_process(Path("/vms/b"), tmp_path) is None


def test_a_machine_holds_its_files_until_its_process_has_ended(tmp_path: Path) -> None:
    assert not vm.is_held(tmp_path)
    file = tmp_path / "qemu.pid"
    file.write_text("10\n")
    assert not vm.is_held(tmp_path)
    # As QEMU does it.
    script = (
        "import fcntl, sys\n"
        "stream = open(sys.argv[1], 'rb+')\n"
        "fcntl.lockf(stream, fcntl.LOCK_EX)\n"
        "print('locked', flush=True)\n"
        "sys.stdin.read()\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(file)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"locked\n"
        assert vm.is_held(tmp_path)
        process.kill()
    assert not vm.is_held(tmp_path)


def test_seed_is_private_and_always_the_same() -> None:
    seed = vm.seed_tar("vm", b"key", b"pub", b"auth")
    assert seed == vm.seed_tar("vm", b"key", b"pub", b"auth")
    with tarfile.open(fileobj=io.BytesIO(seed)) as archive:
        modes = {entry.name: entry.mode for entry in archive}
        hosts = archive.extractfile("etc/hosts")
        assert hosts is not None
        assert b"127.0.1.1 vm\n" in hosts.read()
    assert modes["etc/ssh/ssh_host_ed25519_key"] == 0o600
    assert modes["root/.ssh"] == 0o700
    assert modes["root/.ssh/authorized_keys"] == 0o600


def test_ssh_config_trusts_no_other_host(spec: Spec) -> None:
    text = vm.ssh_config(dataclasses.replace(spec, directory=Path("/a b/100%")), 2222)
    assert "StrictHostKeyChecking yes" in text
    assert 'UserKnownHostsFile "/a b/100%%/known_hosts"' in text
    assert "HostKeyAlias vm" in text


def test_banner() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def serve() -> None:
            for answer in (b"", b"SSH-2.0-test\r\n"):
                client, _address = server.accept()
                with client:
                    client.sendall(answer)

        threading.Thread(target=serve, daemon=True).start()
        port = server.getsockname()[1]
        # What QEMU does for a guest that does not listen yet: accept, and hang up.
        assert vm.read_banner(port, 2) == ""
        assert vm.read_banner(port, 2) == "SSH-2.0-test"
    assert vm.read_banner(port, 0.2) == ""


class FakeQemu(threading.Thread):
    """Answers on a control socket; ends at the commands it obeys."""

    def __init__(self, directory: Path, host: Host, obeys: set[str]) -> None:
        super().__init__(daemon=True)
        self.host, self.obeys = host, obeys
        self.heard: list[str] = []
        self.server = socket.socket(socket.AF_UNIX)
        here = Path.cwd()
        os.chdir(directory)
        self.server.bind("qmp.sock")
        os.chdir(here)
        self.server.listen()

    def run(self) -> None:
        while True:
            client, _address = self.server.accept()
            with client, client.makefile("rw") as stream:
                self.send(stream, {"QMP": {}})
                for line in stream:
                    command = json.loads(line)["execute"]
                    self.heard.append(command)
                    self.send(stream, {"event": "SOMETHING"})
                    if command in self.obeys:
                        self.host.pid = None
                    self.send(stream, {"return": {}})

    @staticmethod
    def send(stream: Any, message: dict[str, Any]) -> None:
        stream.write(json.dumps(message) + "\n")
        stream.flush()


@pytest.fixture
def deep(tmp_path: Path) -> Iterator[Path]:
    """A directory whose path is too long for a socket's address."""
    path = tmp_path / ("x" * 120)
    path.mkdir()
    yield path


@pytest.mark.parametrize(
    ("obeys", "how"), [({"system_powerdown"}, "powerdown"), ({"quit"}, "quit"), (set(), "kill")]
)
def test_stop(
    host: Host,
    spec: Spec,
    deep: Path,
    obeys: set[str],
    how: str,
) -> None:
    machine = up(host, dataclasses.replace(spec, directory=deep))
    FakeQemu(deep, host, obeys).start()
    assert machine.stop() == how
    assert machine.state() == "stopped"


def test_stop_without_a_control_socket(host: Host, spec: Spec) -> None:
    machine = up(host, spec)
    assert machine.stop() == "kill"
