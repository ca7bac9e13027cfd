# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the two QEMU modules share: the command line, the accelerator, files put in place whole."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Callable, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    atomic_file,
    boot_id,
    bounded_read,
    json_file,
    lock,
    plain_text,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    Result,
    locale_environment,
)

BINARY = "qemu-system-x86_64"

#: Printed by the initramfs of Debian: the kernel is up and runs a program in user space.
USERSPACE_MARKER = "Loading, please wait"

#: How long a guest under a working KVM may take to get there. It takes about two.
PROOF_SECONDS = 15.0

#: For a guest that is booted directly: MiB of memory.
DIRECT_MEMORY = 1024

#: Arguments for a guest's kernel. Its CPUs wait for the host's, longer than it would find normal.
LONGER_LIMITS = ("rcupdate.rcu_cpu_stall_timeout=300", "watchdog_thresh=60")

#: Bytes of a serial line, and of what QEMU says, that are read; a guest that prints more is ended.
MOST_OUTPUT = 16 << 20

# Between two looks at a guest, in seconds; and what a longer pause of this process counts as, which
# was stopped or whose machine slept, and the guest with it.
_PAUSE = 0.1
_LONGEST_PAUSE = 1.0
# More than a pipe holds.
_CHUNK = 1 << 20

#: Ends a program together with the one that started it, even if that was killed.
TIED = ("setpriv", "--pdeathsig", "KILL")

_ANSI = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_c])")


class QemuError(Exception):
    """A failure that the user can act on; the text is the message shown."""


@dataclass(frozen=True)
class Accel:
    """The accelerator to use, and why."""

    name: str
    reason: str


def run(argv: Sequence[str], cwd: Optional[Path] = None) -> Result:
    """Run a short command to its end."""
    # Without module_runner: `Machine` serves the tests, too, which have no AnsibleModule.
    try:
        done = subprocess.run(
            list(argv),
            cwd=cwd,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            errors="replace",
            env=locale_environment(),
            check=False,
        )
    except FileNotFoundError as exc:
        raise QemuError(f"{argv[0]} is not installed on this host") from exc
    return Result(done.returncode, done.stdout, done.stderr)


def escape(value: str) -> str:
    """Write a value for use inside a comma-separated QEMU option."""
    return value.replace(",", ",,")


def machine_argv(accel: str, cpus: int, memory: int, *, in_turns: bool = False) -> list[str]:
    """Start of the command line: a bare PC.

    Everything that the guest would load a driver for without needing it is off: each driver that is
    loaded in the target ends up in the kernel that is configured after it.

    Without graphics the firmware talks on the serial line, so that the log also has what it, or a
    GRUB that lost its disk, complains about.

    No CPU feature is taken away, though: with `svm=off`, guests of QEMU 7.2 under TCG boot into a
    systemd that sees no mounts and no notifications.

    @in_turns: emulated processors run one after the other, in one thread. A kernel patches code
    that other processors run: it puts a breakpoint there meanwhile. With a thread for each
    processor, QEMU 7.2 may run that breakpoint after it is gone. The kernel then dies with
    `Oops: int3`, in one of some hundred boots, which no real processor does.
    """
    one_thread = in_turns and accel == "tcg"
    choice = "" if one_thread else f"accel={accel},"
    return [
        BINARY,
        "-no-user-config",
        "-nodefaults",
        "-machine",
        f"q35,{choice}sata=off,smbus=off,usb=off,vmport=off,graphics=off",
        "-cpu",
        "host" if accel == "kvm" else "max",
        "-smp",
        str(cpus),
        "-m",
        str(memory),
        "-display",
        "none",
        *(("-accel", "tcg,thread=single") if one_thread else ()),
    ]


def direct_boot_argv(
    accel: str,
    kernel: Path,
    initrd: Path,
    append: str,
    disk: Optional[Path] = None,
    *,
    in_turns: bool = False,
) -> list[str]:
    """Boot a kernel without a boot loader, serial line on stdout, exit when it powers off.

    @in_turns: as in machine_argv.
    """
    argv = machine_argv(accel, cpus=2, memory=DIRECT_MEMORY, in_turns=in_turns)
    argv += ["-no-reboot", "-serial", "stdio", "-kernel", str(kernel), "-initrd", str(initrd)]
    argv += ["-append", append]
    if disk is not None:
        argv += ["-drive", f"file={escape(str(disk))},if=virtio,format=raw,cache=unsafe"]
    return argv


def last_lines(text: str, count: int) -> str:
    """Return the end of a serial log, readable: no colours, no blank lines, no cursor movements."""
    plain = _ANSI.sub("", text).replace("\r", "\n")
    lines = [line.rstrip() for line in plain.split("\n") if line.strip()]
    return plain_text.lines("\n".join(lines[-count:]))


@dataclass(frozen=True)
class Boot:
    """A guest that was watched for a while."""

    seen: bool
    exited: Optional[int]
    serial: str
    stderr: str
    #: Whether it was ended as it printed more than MOST_OUTPUT.
    flooded: bool = False


def watch_boot(
    argv: Sequence[str], marker: Optional[str], seconds: float, keep: Optional[int] = None
) -> Boot:
    """Run a guest until its serial line shows the marker, it ends, or the time is over.

    @marker: None to wait for its end.

    @seconds: those in which this process runs, too.

    @keep: descriptor (a lock) that the guest's process inherits and so holds while it runs.
    """
    try:
        guest = subprocess.Popen(
            [*TIED, *argv],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            env=locale_environment(),
            pass_fds=() if keep is None else (keep,),
        )
    except FileNotFoundError as exc:
        raise QemuError(f"{TIED[0]} is not installed on this host") from exc
    if guest.stdout is None or guest.stderr is None:
        raise AssertionError("both are pipes")
    os.set_blocking(guest.stdout.fileno(), False)
    os.set_blocking(guest.stderr.fileno(), False)
    waited, last = 0.0, time.monotonic()
    serial, stderr = b"", b""
    try:
        while True:
            # Asked before reading, so that the last words of a guest that ended are still read.
            exited = guest.poll()
            serial += guest.stdout.read(_CHUNK) or b""
            stderr += guest.stderr.read(_CHUNK) or b""
            seen = marker is not None and marker.encode() in serial
            flooded = len(serial) + len(stderr) > MOST_OUTPUT
            if seen or exited is not None or flooded or waited > seconds:
                return Boot(
                    seen,
                    exited,
                    serial.decode(errors="replace"),
                    stderr.decode(errors="replace").strip(),
                    flooded,
                )
            time.sleep(_PAUSE)
            now = time.monotonic()
            waited, last = waited + min(now - last, _LONGEST_PAUSE), now
    finally:
        if guest.poll() is None:
            guest.kill()
        guest.wait()
        guest.stdout.close()
        guest.stderr.close()


def prove_kvm(kernel: Path, initrd: Path, marker: str = USERSPACE_MARKER) -> tuple[bool, str]:
    """Whether KVM works, by booting a real kernel with it as far as its first program.

    @marker: what that program prints.

    A `/dev/kvm` that opens proves little: nested and filtered ones let QEMU start and the guest
    hang.
    """
    argv = direct_boot_argv("kvm", kernel, initrd, "console=ttyS0 panic=-1")
    start = time.monotonic()
    boot = watch_boot(argv, marker, PROOF_SECONDS)
    took = time.monotonic() - start
    if boot.seen:
        return True, f"KVM booted a test guest in {took:.1f} s"
    if boot.exited is not None:
        why = last_lines(boot.stderr, 1) or f"exit status {boot.exited}"
        return False, f"KVM is unusable: QEMU ended ({why})"
    return False, f"KVM is unusable: a test guest hung for {PROOF_SECONDS:.0f} s"


def choose_accel(
    requested: str,
    kernel: Path,
    initrd: Path,
    verdicts: Path,
    prove: Callable[[Path, Path], tuple[bool, str]] = prove_kvm,
    device: Path = Path("/dev/kvm"),
    read_boot_id: Callable[[], str] = boot_id.read,
) -> Accel:
    """Choose KVM or TCG.

    @verdicts: file that remembers the proof, for this boot of the host and this test kernel.
    """
    if requested != "auto":
        return Accel(requested, f"{requested} was asked for")
    if not os.access(device, os.R_OK | os.W_OK):
        return Accel("tcg", f"{device} is missing or not accessible")
    key = {"boot_id": read_boot_id(), "kernel": bounded_read.sha256(kernel)}
    known = json_file.read(verdicts)
    if known is not None and known.get("key") == key:
        return Accel(str(known["accel"]), str(known["reason"]))
    works, reason = prove(kernel, initrd)
    accel = Accel("kvm" if works else "tcg", reason)
    verdicts.parent.mkdir(parents=True, exist_ok=True)
    json_file.write(verdicts, {"key": key, "accel": accel.name, "reason": accel.reason})
    return accel


def write_file(path: Path, content: bytes, mode: int = 0o644) -> None:
    """Put a whole file in place at once, or nothing."""
    path.parent.mkdir(parents=True, exist_ok=True)
    atomic_file.write(path, content, mode)


@contextlib.contextmanager
def locked(path: Path, seconds: float) -> Iterator[int]:
    """Hold a lock file, waiting for whoever has it; yields the descriptor that holds it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        try:
            stream = stack.enter_context(lock.held(path, seconds))
        except lock.HeldError:
            raise QemuError(f"{path} has been held by another run for {seconds:.0f} s") from None
        yield stream.fileno()


def kill(pid: int, sig: int) -> None:
    """Signal a process that may be gone."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, sig)
