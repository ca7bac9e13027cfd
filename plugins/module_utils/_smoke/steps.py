# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the smoke test does in a booted kernel, and the initrd that does it.

`files/kernel/smoke/init.c` is the first program; it reads the steps and reports what comes of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from ansible_collections.oslab.kernel.plugins.module_utils._common import cpio, json_file
from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    manifest as kernel_manifest,
)
from ansible_collections.oslab.kernel.plugins.module_utils._smoke.contents import Contents
from ansible_collections.oslab.kernel.plugins.module_utils._verify.checks import PROC_ENTRIES
from ansible_collections.oslab.kernel.plugins.module_utils._verify.syscalls import (
    CAPTURE,
    NOT_CALLED,
    THROTTLE,
    TRACK,
    AbiError,
    check_number,
)

#: The key of a step that shows the same file before, and again after another one.
BEFORE, AFTER = "before", "after"
SYSNAME, RELEASE, TAINTED = "sysname", "release", "tainted"

# What of a program is compared: its arguments, and the file that the system itself shows.
_TOOLS = {
    CAPTURE: (("--json",), "/proc/meminfo"),
    TRACK: (("--json",), ""),
    # Of the first process, so that somebody else than the program can read the same.
    THROTTLE: (("--json", "1"), "/proc/1/io"),
}


class Step(NamedTuple):
    """A step. Its words are a line of /steps."""

    #: Unique among the steps.
    key: str
    #: What is done, for messages.
    action: str
    words: tuple[str, ...]
    #: Whether it fails the test if it does not succeed.
    required: bool = True
    #: The key of a step without which this one says nothing.
    needs: str = ""


def show(key: str, path: str, *, required: bool = True) -> Step:
    return Step(key, f"reading {path}", ("show", path), required)


def _syscall(name: str, number: int, contents: Contents) -> Iterator[Step]:
    action = f"calling the syscall {name} (number {number})"
    if name not in _TOOLS or name not in contents.programs:
        # Somebody else's: any answer will do but that there is none, as in the role verify.
        yield Step(name, action, ("call", str(number)))
        return
    arguments, path = _TOOLS[name]
    run = Step(name, action, ("run", f"/usr/bin/{name}", *arguments))
    if not path:
        yield run._replace(key=f"{name} {BEFORE}")
        yield run
        return
    yield show(f"{name} {BEFORE}", path, required=False)
    yield run
    yield show(f"{name} {AFTER}", path, required=False)


def _module(name: str) -> Iterator[Step]:
    key = f"module {name}"
    yield Step(key, f"loading the module {name}", ("load", f"/modules/{name}.ko"))
    for entry, made in PROC_ENTRIES.items():
        if made.module == name:
            yield show(f"/proc/{entry}", f"/proc/{entry}")._replace(needs=key)


def plan(contents: Contents) -> list[Step]:
    """The steps, in their order."""
    steps = [
        show(SYSNAME, "/proc/sys/kernel/ostype"),
        show(RELEASE, "/proc/sys/kernel/osrelease"),
    ]
    for name, number in contents.manifest.get("syscalls", {}).items():
        if name in contents.manifest.get(NOT_CALLED, []):
            continue
        try:
            steps += _syscall(name, check_number(name, number), contents)
        except AbiError:  # verify does not call it either
            continue
    for name in contents.modules:
        steps += _module(name)
    steps.append(show(TAINTED, "/proc/sys/kernel/tainted", required=False))
    return steps


def initrd(contents: Contents, init: bytes, steps: Sequence[Step]) -> bytes:
    """The archive, not compressed: every kernel unpacks it."""
    release = str(contents.manifest["release"])
    lines = "".join("\t".join(step.words) + "\n" for step in steps)
    described = json_file.encode(contents.manifest, ascii_only=False).encode()
    entries = [
        cpio.device("dev/console", 5, 1),
        cpio.device("dev/kmsg", 1, 11),
        cpio.device("dev/null", 1, 3),
        cpio.file("init", init, 0o755),
        cpio.file("steps", lines.encode()),
        # The programs read the numbers of the syscalls there.
        cpio.file(str(kernel_manifest.path(release)).lstrip("/"), described),
        *(cpio.file(f"usr/bin/{name}", data, 0o755) for name, data in contents.programs.items()),
        *(cpio.file(f"modules/{name}.ko", data) for name, data in contents.modules.items()),
    ]
    return cpio.archive(cpio.with_directories(entries))
