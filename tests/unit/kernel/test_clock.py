# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the comments say of the clock that calls are counted with, on a machine that is simulated.

clock_model.c compiles the kernel's source as it is. Each guarantee is a function, which is called
with that program, and with the faults that it is there for: they have to fail it.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

import pytest

HERE = Path(__file__).resolve().parent
SYSCALLS = HERE.parents[2] / "files/kernel/syscalls"
USAGE = SYSCALLS / "track_syscall_usage.c"
HEADER = SYSCALLS / "oslab_internal.h"

pytestmark = pytest.mark.skipif(os.uname().machine != "x86_64", reason="rdtsc is of x86")

KHZ = 3_000_000
SPAN = 1 << 18
LONGEST_NS = 750_000
ROUNDED = 2  # ns: by the clock, and by the fixed point


@dataclass(frozen=True)
class Run:
    """What clock_model says of one run; times in ns, the two errors at their worst."""

    calls: int
    ns: int
    readings: int
    back: int
    fast: int  # calls after which the next one need not go to oslab_usage_read_clock()
    ahead: int
    behind: int


def build(directory: Path, usage: str, header: str, *options: str) -> Path:
    headers = re.findall(r"^#include <((?:uapi/)?(?:linux|asm)/.*)>", usage + header, re.MULTILINE)
    real = {"linux/oslab.h": header, "uapi/linux/oslab.h": (SYSCALLS / "oslab.h").read_text()}
    for name in headers:
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(real.get(name, ""))
    (directory / USAGE.name).write_text(usage)
    made = directory / "clock_model"
    subprocess.run(
        ["gcc", "-std=gnu11", "-O2", "-Wall", "-fno-pie", "-no-pie", "-mno-red-zone",
         "-fno-toplevel-reorder", "-DCONFIG_TRACK_SYSCALL_USAGE", *options,
         f'-DSOURCE="{directory / USAGE.name}"', f"-I{directory}",
         "-o", str(made), str(HERE / "clock_model.c")],
        check=True,
    )  # fmt: skip
    return made


@pytest.fixture(scope="module", params=["", "CONFIG_CC_HAS_NAMED_AS"], ids=["asm", "named_as"])
def program(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    option = [f"-D{request.param}"] if request.param else []
    return build(tmp_path_factory.mktemp("clock"), USAGE.read_text(), HEADER.read_text(), *option)


def run(program: Path, settings: str) -> list[Run]:
    done = subprocess.run(
        [str(program), *settings.split()], capture_output=True, text=True, check=True, timeout=60
    )
    return [Run(**json.loads(line)) for line in done.stdout.splitlines()]


def trusted_tsc(program: Path) -> None:
    """One reading a span, and an error of what the two drift apart in it: 9 ns at 3 GHz."""
    for khz in (1_000_000, KHZ, 5_000_000):
        span_ns = SPAN * 1e6 / khz
        for rate in (999_900, 1_000_000, 1_000_100):  # 100 ppm
            (seen,) = run(program, f"khz={khz} tsc_khz={khz} rate={rate} run=20000")
            drift = span_ns * abs(rate - 1e6) / 1e6
            assert seen.readings <= seen.ns / span_ns + 1
            assert seen.back == 0
            assert seen.fast == seen.calls
            assert seen.ahead <= (drift if rate < 1e6 else 0) + ROUNDED
            assert seen.behind <= (drift if rate > 1e6 else 0) + ROUNDED


def slow_clock(program: Path) -> None:
    """Up to 12 us 2.4 %, and 6 % of 30 us; then a part in 17, and one reading a tick."""
    for hz in (1000, 250, 100):
        for cost in (1_400, 5_000, 12_000, 20_000, 30_000, 40_000, 58_000, 100_000, 200_000):
            share = 1 / 17 + cost * hz / 1e9
            if cost <= 30_000:
                share = 0.024 if cost <= 12_000 else 0.06
            for sampled in (0, 100):
                (seen,) = run(program, f"hz={hz} cost={cost} sampled={sampled} step=500 run=100000")
                # The first one is tried twice.
                assert (seen.readings - 1) * cost <= share * seen.ns
                assert seen.back == 0
                assert seen.fast == 0
                assert seen.ahead <= ROUNDED
                assert seen.behind <= cost + ROUNDED


def slow_clock_once_a_tick(program: Path) -> None:
    for cost in (60_000, 100_000, 200_000):
        (seen,) = run(program, f"hz=1000 cost={cost} step=500 run=200000")
        assert seen.readings <= 200 + 1


def untrusted_tsc(program: Path) -> None:
    """Each call goes to oslab_usage_read_clock(), soon after the kernel lost its trust."""
    for hz in (1000, 250):
        _before, _soon, seen = run(program, f"hz={hz} run=1000 unstable=1 run=88 run=20000")
        assert seen.fast == 0
        assert seen.readings <= seen.ns * KHZ / 1e6 / SPAN + seen.ns * hz / 1e9 + 1
        assert seen.back == 0
        assert max(seen.ahead, seen.behind) <= ROUNDED


def stopped_tsc(program: Path) -> None:
    """Where it is not trusted, or the clock is slow, a time is never older than a tick."""
    for hz in (1000, 250):
        for how in ("unstable=1", "cost=20000", "cost=100000"):
            _before, seen = run(program, f"hz={hz} {how} run=5000 halts=1 step=10000 run=100000")
            assert seen.behind <= 1e9 / hz
            assert seen.back == 0
            assert seen.ahead <= ROUNDED


def slewed_clock(program: Path) -> None:
    """10 % of a span, so less than 0.1 ms; and nothing of it a span later."""
    spans = {"": SPAN * 1e6 / KHZ, "unstable=1": SPAN * 1e6 / KHZ, "hz=250 cost=20000": LONGEST_NS}
    for how, span_ns in spans.items():
        cost = 20_000 if "cost" in how else 0
        for rate in (900_000, 1_100_000):
            # The span in which the slew ends, and that in which its error goes.
            pause = f"run={2 * (span_ns + 2 * cost) / 1000:.0f}"
            _before, seen, _pause, after = run(
                program, f"{how} run=5000 rate={rate} run=200000 rate=1000000 {pause} run=20000"
            )
            assert seen.back == 0
            assert seen.ahead <= (span_ns / 10 if rate < 1e6 else 0) + ROUNDED
            assert seen.behind <= (span_ns / 10 if rate > 1e6 else 0) + cost * 1.1 + ROUNDED
            assert max(seen.ahead, seen.behind) < 100_000
            assert after.back == 0
            assert after.ahead <= ROUNDED
            assert after.behind <= cost + ROUNDED


def faster_tsc(program: Path) -> None:
    """1.3 times as fast as tsc_khz says: ahead by what is too much in one span, and no more."""
    for how, span_ns in {"": SPAN * 1e6 / KHZ, "hz=250 cost=20000": LONGEST_NS}.items():
        (seen,) = run(program, f"{how} tsc_khz={KHZ} khz={KHZ * 13 // 10} run=200000")
        assert seen.back == 0
        assert seen.ahead <= span_ns * (1 - 1 / 1.3) + ROUNDED


Check = Callable[[Path], None]

CHECKS: list[Check] = [
    trusted_tsc,
    slow_clock,
    slow_clock_once_a_tick,
    untrusted_tsc,
    stopped_tsc,
    slewed_clock,
    faster_tsc,
]

NO_LEAST = ("max(longest_span(), cycles * LEAST_SPANS)", "longest_span()")
NO_TICK = ("cycles < here->slow_span && tick == here->slow_tick", "cycles < here->slow_span")
NOT_SLOWER = ("ns_per_cycle(span, last > now ? last - now : 0)", "ns_per_cycle(span, 0)")

# What fails, and by which one replacement in the source or the header.
FAULTS: list[tuple[Check, str, str]] = [
    (trusted_tsc, "here->base_tsc = tsc;", "here->base_tsc = NEVER;"),
    (trusted_tsc, "cycles <= QUICK ? cycles / 2 : cycles;", "cycles <= QUICK ? 0 : cycles;"),
    (trusted_tsc, "likely(cycles < OSLAB_USAGE_SPAN)", "likely(cycles < 2 * OSLAB_USAGE_SPAN)"),
    (slow_clock, "here->slow_span = span;", "here->slow_span = 0;"),
    (slow_clock, *NO_LEAST),
    (slow_clock, "cycles <= QUICK ? cycles / 2 : cycles;", "cycles / 2;"),
    (slow_clock_once_a_tick, *NO_LEAST),
    (untrusted_tsc, "!check_tsc_unstable()", "check_tsc_unstable() < 2"),
    (stopped_tsc, *NO_TICK),
    (slewed_clock, *NOT_SLOWER),
    (slewed_clock, "here->base_ns = max(now, last);", "here->base_ns = now;"),
    (slewed_clock, NO_LEAST[0], "~0ULL"),
    (faster_tsc, *NOT_SLOWER),
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_guarantee(check: Check, program: Path) -> None:
    check(program)


@pytest.mark.parametrize(
    ("check", "old", "new"), FAULTS, ids=[f"{check.__name__}-{new}" for check, _old, new in FAULTS]
)
def test_a_fault_fails_it(check: Check, old: str, new: str, tmp_path: Path) -> None:
    usage, header = USAGE.read_text(), HEADER.read_text()
    assert (usage + header).count(old) == 1
    faulty = build(tmp_path, usage.replace(old, new), header.replace(old, new))
    with pytest.raises(AssertionError):
        check(faulty)
