# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A build, and the serial line of its smoke test, without a machine."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._smoke import steps
from ansible_collections.oslab.kernel.plugins.module_utils._smoke.contents import NEEDED, Contents
from ansible_collections.oslab.kernel.plugins.module_utils._smoke.steps import Step
from ansible_collections.oslab.kernel.plugins.module_utils._verify import compare
from ansible_collections.oslab.kernel.plugins.module_utils._verify.syscalls import (
    CAPTURE,
    COUNTED,
    IO_FIELDS,
    SYSCALL_NAMES,
    THROTTLE,
    TRACK,
)

RELEASE = "6.8.0-49-usac1"
MANIFEST = {
    "release": RELEASE,
    "sysname": "Usac Linux - 202010856",
    "banner": "*****\n* ¡Bienvenido! *\n*****\n",
    "syscalls": {CAPTURE: 462, TRACK: 463, THROTTLE: 464, "mine": 465},
}
# What qemu prints in front of the kernel's first message.
FIRMWARE = "\x1bc\x1b[?7l\x1b[2J\x1b[0mSeaBIOS (version 1.16.2)\r\nBooting from ROM..\x1bc\x1b[2J"
BOOT = ("Linux version 6.8.0-49-usac1", *MANIFEST["banner"].split("\n")[:3], "Run /init as init")  # type: ignore[attr-defined]
_MEMINFO = {key: 1000 + number for number, key in enumerate(compare.MEMINFO_KEYS.values())}
_IO = dict.fromkeys(IO_FIELDS, 7)


def contents(**changes: Any) -> Contents:
    """A build with the collection's syscalls and one more, and two modules."""
    whole: dict[str, Any] = {
        "image": b"bzImage",
        "config": dict.fromkeys(NEEDED, "y"),
        "modules": {"capture_mem_mod": b"\0depends=\0", "other": b"\0depends=\0"},
        "programs": dict.fromkeys(SYSCALL_NAMES, b"\x7fELF"),
        "manifest": MANIFEST,
    }
    return Contents(**{**whole, **changes})


def good_output(step: Step, usage: int) -> str:
    """What a step prints in a kernel without a fault."""
    if step.words[0] == "call":
        return "-1 14"
    if step.words[0] == "load":
        return ""
    figures: Mapping[str, Any]
    if CAPTURE in step.words[1]:
        figures = {field: _MEMINFO[key] for field, key in compare.MEMINFO_KEYS.items()}
        return json.dumps({**figures, "timestamp_ns": 5})
    if THROTTLE in step.words[1]:
        return json.dumps({"pid": 1, **_IO})
    if TRACK in step.words[1]:
        return json.dumps({name: {"count": usage, "last_timestamp_ns": 5} for name in COUNTED})
    shown = {
        steps.SYSNAME: str(MANIFEST["sysname"]),
        steps.RELEASE: RELEASE,
        steps.TAINTED: "12288",
        f"{CAPTURE} {steps.BEFORE}": "".join(f"{key}: {n} kB\n" for key, n in _MEMINFO.items()),
        f"{CAPTURE} {steps.AFTER}": "".join(f"{key}: {n} kB\n" for key, n in _MEMINFO.items()),
        f"{THROTTLE} {steps.BEFORE}": "".join(f"{key}: {n}\n" for key, n in _IO.items()),
        f"{THROTTLE} {steps.AFTER}": "".join(f"{key}: {n}\n" for key, n in _IO.items()),
    }
    return shown.get(step.key, "total_kb: 1000")


def messages(*texts: str) -> str:
    """As the kernel prints them."""
    return "".join(f"[    1.{number:06}] {text}\r\n" for number, text in enumerate(texts))


def line(
    planned: Sequence[Step],
    outputs: Mapping[str, str] | None = None,
    ends: Mapping[str, str] | None = None,
    kernel: Mapping[str, Sequence[str]] | None = None,
    stop_at: str = "",
) -> str:
    """The serial line. By the keys of steps: what differs from a kernel without a fault.

    `outputs`: what a step prints; `ends`: how it ends; `kernel`: what the kernel reports during it;
    `stop_at`: the step at which all ends.
    """
    outputs, ends, kernel = outputs or {}, ends or {}, kernel or {}
    texts = list(BOOT)
    for number, step in enumerate(planned):
        texts.append(f"oslab-smoke: begin {number}")
        texts += kernel.get(step.key, ())
        if step.key == stop_at:
            return FIRMWARE + messages(*texts)
        output = outputs.get(step.key, good_output(step, number))
        texts += [f"oslab-smoke: out {number} {one}" for one in output.splitlines()]
        texts.append(f"oslab-smoke: end {number} {ends.get(step.key, 'exit 0')}")
    return FIRMWARE + messages(*texts, "oslab-smoke: done", "reboot: machine restart")
