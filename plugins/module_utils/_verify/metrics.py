# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metrics of a host: kernel, trial boot, last verification, values of the syscalls."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Optional, Union

from ansible_collections.oslab.kernel.plugins.module_utils._common.prometheus import (
    COUNTER,
    GAUGE,
    Metric,
    Sample,
    gauge,
    info,
    is_number,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.prometheus import (
    text as metrics_text,
)
from ansible_collections.oslab.kernel.plugins.module_utils._host.trial import STATES
from ansible_collections.oslab.kernel.plugins.module_utils._verify import report
from ansible_collections.oslab.kernel.plugins.module_utils._verify.syscalls import (
    CAPTURE,
    MEMORY_FIELDS,
    THROTTLE,
    TRACK,
)

FILE = "oslab-kernel.prom"
_KIB = 1024
#: Field of get_io_throttle → direction, and where it was counted.
_IO_BYTES = {
    "rchar": ("read", "syscalls"),
    "wchar": ("write", "syscalls"),
    "read_bytes": ("read", "storage"),
    "write_bytes": ("write", "storage"),
}
_IO_CALLS = {"syscr": "read", "syscw": "write"}

Checks = Union[Sequence[Mapping[str, Any]], Mapping[str, Any], None]


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _kernel(result: Mapping[str, Any]) -> Iterator[Metric]:
    # The module host_kernel_info has another name for it.
    manifest = _dict(result.get("manifest") or result.get("oslab"))
    yield info(
        "oslab_kernel_info",
        "The running kernel, by its own manifest; 1.",
        {
            "release": result.get("release"),
            "version": manifest.get("version"),
            "build_id": manifest.get("build_id"),
            "sysname": result.get("sysname"),
        },
    )
    yield info(
        "oslab_kernel_boot_info",
        "The boot during which this file was written; 1.",
        {"boot_id": result.get("boot_id")},
    )
    yield gauge(
        "oslab_kernel_boot_timestamp_seconds",
        "Start of that boot. Another one than node_boot_time_seconds: the host has rebooted since.",
        _boot_time(result),
    )


def _boot_time(result: Mapping[str, Any]) -> Any:
    """In seconds since 1970. The module host_kernel_info returns the uptime instead."""
    now, uptime = result.get("time"), result.get("uptime")
    if "boot_time" not in result and isinstance(now, int) and isinstance(uptime, int):
        return now - uptime
    return result.get("boot_time")


def _trial(trial: Mapping[str, Any]) -> Iterator[Metric]:
    state = trial.get("state")
    yield Metric(
        "oslab_kernel_trial_state",
        GAUGE,
        "1 for the state of the last deployment on this host, 0 for the others.",
        tuple(Sample(int(state == one), {"state": one}) for one in STATES if state in STATES),
    )
    yield gauge(
        "oslab_kernel_trial_downtime_seconds",
        "How long the host did not answer at its last trial boot.",
        trial.get("downtime"),
    )
    yield gauge(
        "oslab_kernel_confirmed_timestamp_seconds",
        "When the kernel was confirmed.",
        trial.get("confirmed_time"),
    )


def _verification(result: Mapping[str, Any], checks: Checks) -> Iterator[Metric]:
    if checks is None:
        return
    counts = checks if isinstance(checks, Mapping) else report.counts(checks)
    failed, passed = counts.get("failed"), counts.get("ok")
    # Nothing was checked if another kernel runs.
    success = is_number(failed) and is_number(passed) and not failed and bool(passed)
    yield gauge(
        "oslab_kernel_verification_success",
        "Whether the last verification found no fault: 1 or 0.",
        int(success),
    )
    yield gauge(
        "oslab_kernel_verification_timestamp_seconds",
        "When this host was last verified, by its own clock.",
        result.get("time"),
    )
    yield Metric(
        "oslab_kernel_verification_checks",
        GAUGE,
        "Checks of the last verification, by their results.",
        tuple(Sample(counts.get(one), {"result": one}) for one in report.OUTCOMES),
    )


def _answer(result: Mapping[str, Any], name: str) -> Any:
    return _dict(_dict(result.get("syscalls")).get(name)).get("result")


def _syscalls(result: Mapping[str, Any]) -> Iterator[Metric]:
    memory = _dict(_answer(result, CAPTURE))
    for field in MEMORY_FIELDS:
        if field.endswith("_kb"):
            name = field[: -len("_kb")]
            value: Any = memory.get(field)
            yield gauge(
                f"oslab_kernel_memory_{name}_bytes",
                f"{name} of {CAPTURE} at the last verification.",
                value * _KIB if is_number(value) else None,
            )
    counted = _answer(result, TRACK)
    entries = [_dict(one) for one in counted] if isinstance(counted, Sequence) else []
    yield Metric(
        "oslab_kernel_syscalls_total",
        COUNTER,
        f"Calls since the boot, by {TRACK}, at the last verification.",
        tuple(Sample(one.get("count"), {"syscall": one.get("name")}) for one in entries),
    )
    io = _dict(_answer(result, THROTTLE))
    yield Metric(
        "oslab_kernel_process_io_bytes_total",
        COUNTER,
        f"I/O of the verified process (verify_pid) by {THROTTLE}.",
        tuple(
            Sample(io.get(field), {"direction": direction, "layer": layer})
            for field, (direction, layer) in _IO_BYTES.items()
        ),
    )
    yield Metric(
        "oslab_kernel_process_io_calls_total",
        COUNTER,
        f"Calls that read or wrote, of the same process, by {THROTTLE}.",
        tuple(
            Sample(io.get(field), {"direction": direction})
            for field, direction in _IO_CALLS.items()
        ),
    )


def metrics(
    result: Mapping[str, Any], checks: Checks, trial: Optional[Mapping[str, Any]] = None
) -> Iterator[Metric]:
    """All metrics of a host.

    :param result: what the module syscall_info returned, or host_kernel_info where nothing was
        verified.
    :param checks: the rows of the table of checks, or how many there are by result; empty if
        another kernel runs, None if nothing was verified.
    :param trial: what is known better than by the host: its state, downtime (seconds),
        confirmed_time (seconds since 1970).
    """
    yield from _kernel(result)
    yield from _trial({**_dict(result.get("trial")), **(trial or {})})
    yield from _verification(result, checks)
    yield from _syscalls(result)


def text(
    result: Mapping[str, Any], checks: Checks, trial: Optional[Mapping[str, Any]] = None
) -> str:
    """The same as the content of a file. A host may have answered anything."""
    return metrics_text(metrics(result, checks, trial))
