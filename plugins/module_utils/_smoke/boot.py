# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Boot a build once, in a virtual machine that nobody needs afterwards."""

from __future__ import annotations

import functools
import signal
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._build import jobs
from ansible_collections.oslab.kernel.plugins.module_utils._common import atomic_file
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import output_summary
from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu
from ansible_collections.oslab.kernel.plugins.module_utils._smoke import console, steps, verdict
from ansible_collections.oslab.kernel.plugins.module_utils._smoke.contents import Contents

#: The package that has QEMU.
PACKAGE = "qemu-system-x86"
#: Of a boot with all steps. It takes about ten under emulation.
SECONDS = 90.0
#: Of the builder's memory, in KiB: the guest's, and what QEMU itself takes.
MEMORY_KIB = (qemu.DIRECT_MEMORY + 256) << 10

# Early messages come from a console of their own, so that a kernel that stops soon says why. The
# line is slower than a kernel that prints much: as many messages wait as are read of it.
_ARGUMENTS = (
    *("console=ttyS0", "earlyprintk=serial,ttyS0,115200", "loglevel=7", "printk.time=1"),
    *("printk.devkmsg=on", f"log_buf_len={qemu.MOST_OUTPUT >> 20}M"),
    *("panic=-1", *qemu.LONGER_LIMITS),
    # Its default may be another one, and the counts are looked at.
    "track_syscall_usage.enabled=1",
)


class BootError(Exception):
    """The machine did not start; the message says why. Nothing is known of the kernel."""


class Tested(NamedTuple):
    """How a boot went."""

    #: One sentence for each thing that is wrong.
    problems: Sequence[str]
    serial: str
    accelerator: qemu.Accel


def obstacle(find: Callable[[str], Optional[str]], root: Path = Path("/")) -> str:
    """Why no build can be booted on this host; empty if nothing stands in the way."""
    if find(qemu.BINARY) is None:
        return f"{qemu.BINARY} is not installed on the builder (package {PACKAGE})"
    if find(qemu.TIED[0]) is None:
        return f"{qemu.TIED[0]} is not installed on the builder (package util-linux)"
    free = jobs.available_kib(root)
    if free is not None and free < MEMORY_KIB:
        return f"the builder has less than {MEMORY_KIB >> 10} MiB of free memory"
    return ""


def run(
    contents: Contents,
    init: bytes,
    work: Path,
    allowed: Sequence[Mapping[str, Any]] = (),
) -> Tested:
    """Boot it, do the steps, and judge. Raises BootError and QemuError.

    @init: the first program, an executable file for any x86-64.

    @work: directory for the files of the machine; it is the caller's to remove.
    """
    planned = steps.plan(contents)
    kernel, initrd = work / "vmlinuz", work / "initrd"
    atomic_file.write(kernel, contents.image, 0o600)
    atomic_file.write(initrd, steps.initrd(contents, init, planned), 0o600)
    prove = functools.partial(qemu.prove_kvm, marker=console.MARKER)
    accelerator = qemu.choose_accel("auto", kernel, initrd, work / "accel.json", prove)
    # What is judged is the kernel, and not what emulation adds.
    append = " ".join(_ARGUMENTS)
    argv = qemu.direct_boot_argv(accelerator.name, kernel, initrd, append, in_turns=True)
    boot = qemu.watch_boot(argv, None, SECONDS)
    if boot.exited is not None and boot.exited < 0:
        # Of the kernel that says nothing: memory of the builder was short, or somebody did it.
        raise BootError(f"QEMU was ended by a signal: {signal.strsignal(-boot.exited)}")
    if boot.exited and not boot.serial.strip():
        why = output_summary("", boot.stderr)
        raise BootError(f"QEMU ended with status {boot.exited}: {why}")
    test = verdict.Test(planned, boot, contents.manifest, allowed, SECONDS)
    return Tested(verdict.problems(test), boot.serial, accelerator)
