# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a run of any number of hosts leaves among their variables, for the tests of the report."""

from __future__ import annotations

from typing import Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._verify import checks, compare, syscalls
from ansible_collections.oslab.kernel.plugins.plugin_utils.report import collect, model

RELEASE, FALLBACK = "6.12.117-49-usac1", "6.12.48+deb12-amd64"
BEGIN = 1_700_000_000
MANIFEST: dict[str, Any] = {
    **{"schema": 1, "release": RELEASE, "version": "6.12.117-oslab1.0918e21707e0"},
    **{"build_id": "0918e21707e0a83a" * 4, "sysname": "Usac Linux", "banner": "***\n* Hello *\n"},
    **{"syscalls": {"capture_memory_snapshot": 463}, "config_sha256": "c" * 64},
    **{
        "source": {"version": "6.12.117", "sha256": "5" * 64},
        "patches": [{"name": "0001-x.patch"}],
    },
    "toolchain": {"gcc": "gcc (Debian) 12.2.0"},
}
STAGES = {
    **{"shutdown": 8.0, "firmware": 10.5, "loader": 5.2, "kernel": 4.1, "initrd": 7.0},
    "user_space": 36.0,
}
# What hosts may choose: markup, terminal sequences, what XML has no character for, marks that
# turn letters round, half of a pair.
HOSTILE = (
    "</script><script>alert(1)</script>'\"&<!--]]>\x00\x1b[2J\x0b\ufffe\u202e\ud800\r\n{{ 7 * 7 }}"
)


def _names() -> list[str]:
    """Of a hundred checks, as long as real ones."""
    memory = [*compare.MEMINFO_KEYS, "timestamp_ns"]
    names = ["release (uname -r)", "sysname (uname -s)", "build id", "boot message"]
    names += [f"{name} answers" for name in sorted(syscalls.SYSCALL_NAMES)]
    names += [f"{syscalls.CAPTURE} {field}" for field in memory]
    names += [f"/proc/capture_mem {field}" for field in memory]
    names += [f"/proc/system_stats cpu_{kind}_ms" for kind in compare.CPU_TIMES]
    names += [
        f"{label} {field}"
        for label in ("get_io_throttle own", "get_io_throttle stopped child", "/proc/io_throttle")
        for field in syscalls.IO_FIELDS
    ]
    for place in ("track_syscall_usage", "/proc/track_syscalls"):
        for name in syscalls.COUNTED:
            names += [f"{place} {name} counted", f"{place} {name} last_timestamp_ns"]
    names += [f"/proc/{name} present" for name in checks.PROC_ENTRIES]
    return names + [f"files of the build {number}" for number in range(102 - len(names))]


def _check(name: str, number: int, ok: Optional[bool] = True) -> dict[str, Any]:
    low = 10**9 + number * 7919
    return {
        **{"name": name, "ok": ok, "expected": f"{low}..{low + 900}", "actual": low + 450},
        **{"tolerance": "256 KiB", "detail": "/proc/meminfo MemAvailable"},
    }


def _judged(name: str, ok: Optional[bool] = True) -> dict[str, Any]:
    return {"name": name, "ok": ok, "expected": "no new", "actual": "none", "detail": ""}


def host(number: int = 0, failed: str = "", reason: str = "it differs") -> dict[str, Any]:
    """A host that was deployed and verified.

    :param failed: name of a check that failed; with `reason` as its detail.
    """
    found = [_check(name, number + index) for index, name in enumerate(_names())]
    if failed:
        found.append({**_check(failed, number, ok=False), "detail": reason})
    log = {
        "checks": [_judged("kernel log")],
        "complaints": [
            {
                **{"kind": "taint", "severity": "notice", "state": "before", "count": 1},
                **{"fails": False, "reason": "", "lines": ["loading out-of-tree module"]},
            }
        ],
        "baseline": FALLBACK,
    }
    change = {
        **{"label": "system clock source", "before": "kvm-clock", "now": "tsc", "reason": ""},
        **{"state": "changed", "fails": False},
    }
    health = {"checks": [_judged("health")], "changes": [change], "baseline": FALLBACK}
    shown = [f"{failed}: expected 1, read 2 ({reason})"] if failed else []
    memory = {"total_kb": 2_000_000, "free_kb": 900_000 + number, "timestamp_ns": 5}
    usage = [{"name": name, "count": 1000 + number} for name in syscalls.COUNTED]
    return {
        "install_host_facts": {"boot_loader": "grub", "release": FALLBACK},
        "trial_rebooted": {
            **{"rebooted": True, "elapsed": 70 + number % 9, "stages": STAGES},
            "answered": BEGIN + 100 + number,
        },
        "trial_result": {
            **{"rebooted": True, "downtime": 70 + number % 9, "stages": STAGES},
            "verification": 12,
        },
        "verify_result": {
            **{"release": RELEASE, "manifest": MANIFEST},
            "syscalls": {
                "capture_memory_snapshot": {"result": memory, "after": {**memory, "free_kb": 1}},
                "track_syscall_usage": {
                    "result": usage,
                    "after": [{**one, "count": 2000} for one in usage],
                },
            },
        },
        "verify_shown": {
            "failures": shown,
            "report": {
                "checks": [*found, *log["checks"], *health["checks"]],
                "kernel_log": log,
                "health": health,
                "sizes": {
                    "release": RELEASE,
                    "sizes": {"image": 13 << 20, "initrd": 6 << 20, "modules": 3 << 20},
                    "stock_release": FALLBACK,
                    "stock_sizes": {"image": 8 << 20, "initrd": None, "modules": 98 << 20},
                },
            },
        },
    }


def report(hosts: dict[str, dict[str, Any]], **about: Any) -> model.Report:
    run = {
        **{"name": "verify", "written": BEGIN + 900, "versions": "oslab.kernel 1.2.3"},
        **{"hosts": list(hosts), "lost": [], "waves": [], "builds": {}},
        **{"gates": [], **about},
    }
    return collect.report(collect.Run(**run), hosts)


def fleet(many: int) -> model.Report:
    """One failed check, one host that does not answer, two waves; else all is well."""
    hosts = {f"web{number}.example.org": host(number) for number in range(many)}
    names = list(hosts)
    if many > 2:
        hosts[names[1]] = host(1, "kernel log, warn", "WARNING: at mm/slub.c:1")
        gone = {"install_host_facts": {"unreachable": True, "msg": "ssh: no route to host"}}
        hosts[names[2]] = gone
    gates = [
        {"name": "an hour", "kind": "soak", "limit": 60, "passed": True, "waited": 3600, "wave": 2},
        {"name": "alerts", "kind": "http", "limit": 60, "passed": False, "waited": 61, "wave": 2},
    ]
    return report(
        hosts,
        waves=[names[:1], names[1:]] if many > 1 else [names],
        gates=[{**gate, "answer": "1 alert fires"} for gate in gates] if many > 1 else [],
    )
