#!/usr/bin/env python3
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What counting costs, in guest instructions per call, to the instruction.

Variants of one kernel are built and booted by QEMU's -icount with the same program as init:
unpatched, ours, and one that counts under one lock (one_lock/). The unpatched one also counts by
eBPF, once more with BTF (for which everything is compiled again; --no-fentry leaves it out).

What instructions do not show is measured in time, as ratios of one run: whether two CPUs that count
hinder each other (emulation with a thread a CPU), and what the added instructions take on this
machine. Ends with status 1 if a target is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from statistics import median
from typing import NamedTuple

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "collections"))

from ansible_collections.oslab.kernel.bench import figures
from ansible_collections.oslab.kernel.plugins.module_utils._common import tree_records
from ansible_collections.oslab.kernel.plugins.module_utils._patch import record

HERE = Path(__file__).resolve().parent
SYSCALLS = HERE.parents[1] / "files" / "kernel" / "syscalls"
PATCHES = HERE.parents[1] / "files" / "kernel" / "patches"
CACHE = Path(os.environ.get("OSLAB_CACHE") or Path.home() / ".cache" / "oslab-kernel")
HOOKED = ("fs/open.c", "fs/read_write.c", "kernel/fork.c", "arch/x86/kernel/sys_ia32.c")

# What a guest prints: name of a measurement → instructions.
Results = dict[str, int]


class Run(NamedTuple):
    """One boot: kernel, number of CPUs, arguments of its init, and whether time is counted."""

    kernel: str
    cpus: int = 1
    arguments: str = ""
    timed: bool = False


RUNS = {
    "unpatched": Run("unpatched"),
    "ours": Run("ours"),
    "switched off": Run("ours", arguments="track_syscall_usage.enabled=0"),
    "lock": Run("lock"),
    "tracepoint": Run("unpatched", arguments="count_by=tracepoint"),
    "raw tracepoint": Run("unpatched", arguments="count_by=raw_tracepoint"),
    "fentry": Run("btf", arguments="count_by=fentry"),
    "with BTF": Run("btf"),
}
THROUGHPUT = {
    kernel: Run(kernel, cpus=2, arguments="throughput=1", timed=True)
    for kernel in ("unpatched", "ours", "lock")
}
# Times differ from run to run, so the median of so many counts, which take turns.
ROUNDS = 5


def command(argv: Sequence[str | Path], cwd: Path, log: Path) -> None:
    with log.open("ab") as output:
        done = subprocess.run(
            argv, cwd=cwd, stdin=subprocess.DEVNULL, stdout=output, stderr=output, check=False
        )
    if done.returncode:
        raise SystemExit(f"{' '.join(map(str, argv))} failed; its output is in {log}")


# --- the kernels ------------------------------------------------------------------------------


def write(path: Path, text: bytes) -> None:
    """Only what differs, so that make has only that to do."""
    if not path.exists() or path.read_bytes() != text:
        path.write_bytes(text)


def copy_of(tree: Path, scratch: Path, log: Path) -> Path:
    """The tree with what is compiled in it."""
    copy = scratch / "linux"
    if not copy.exists():
        command(["cp", "-a", "--reflink=auto", tree, copy], scratch, log)
        # tools/objtool is compiled with absolute paths; were it made again, everything would be.
        for path in (copy / "tools").rglob(".*.cmd"):
            text = path.read_text(encoding="utf-8")
            path.write_text(text.replace(f"{tree}/", f"{copy}/"), encoding="utf-8")
    return copy


def hooks(tree: Path, patched: bool) -> None:
    """The files that count, as the kernel has them or with the hooks."""
    with tempfile.TemporaryDirectory() as directory:
        work = Path(directory)
        for name in HOOKED:
            (work / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(tree / ".oslab/pristine" / name, work / name)
        for patch in sorted(PATCHES.glob("*.patch")) if patched else []:
            with patch.open("rb") as text:
                subprocess.run(
                    ["patch", "-p1", "--fuzz=0", "--quiet"], cwd=work, stdin=text, check=True
                )
        for name in HOOKED:
            write(tree / name, (work / name).read_bytes())


def source(tree: Path, headers: Path, count: Path) -> None:
    write(tree / "include/uapi/linux/oslab.h", (SYSCALLS / "oslab.h").read_bytes())
    write(tree / "include/linux/oslab.h", headers.read_bytes())
    for path in SYSCALLS.glob("*.c"):
        write(tree / "kernel" / path.name, path.read_bytes())
    write(tree / "kernel/track_syscall_usage.c", count.read_bytes())


def ours(tree: Path) -> None:
    hooks(tree, patched=True)
    source(tree, SYSCALLS / "oslab_internal.h", SYSCALLS / "track_syscall_usage.c")


def lock(tree: Path) -> None:
    hooks(tree, patched=True)
    source(tree, HERE / "one_lock/oslab.h", HERE / "one_lock/track_syscall_usage.c")


def unpatched(tree: Path) -> None:
    """No hooks, no syscalls of ours, no message at boot; they are but names that are left."""
    hooks(tree, patched=False)
    main = "init/main.c"
    write(tree / main, (tree / ".oslab/pristine" / main).read_bytes())
    subprocess.run(["scripts/config", "--disable", "OSLAB_SYSCALLS"], cwd=tree, check=True)


def enable(tree: Path, names: Sequence[str]) -> None:
    options = [word for name in names for word in ("--enable", name)]
    subprocess.run(["scripts/config", *options], cwd=tree, check=True)


#: What eBPF programs at tracepoints need. All variants have it, so that nothing else differs.
TRACING = ("FTRACE", "FTRACE_SYSCALLS", "KPROBES", "KPROBE_EVENTS", "BPF_SYSCALL", "BPF_JIT")


def btf(tree: Path) -> None:
    """As unpatched, with what fentry needs."""
    subprocess.run(["scripts/config", "--disable", "DEBUG_INFO_NONE"], cwd=tree, check=True)
    enable(tree, ("DEBUG_INFO_DWARF5", "DEBUG_INFO_BTF", "FUNCTION_TRACER", "DYNAMIC_FTRACE"))


# In this order: those after the second cannot be undone.
VARIANTS: dict[str, Callable[[Path], None]] = {
    "ours": ours,
    "lock": lock,
    "unpatched": unpatched,
    "btf": btf,
}


def build(tree: Path, scratch: Path, names: Sequence[str], jobs: int, log: Path) -> None:
    """A bzImage and System.map of each variant."""
    # The compiler that the tree was built with: with another one, everything is made again.
    built = tree / "fs/.read_write.o.cmd"
    found = re.search(r":= (.+?) -Wp,", built.read_text() if built.exists() else "")
    compiler = found.group(1) if found else "gcc"
    make = ["make", f"-j{jobs}", f"CC={compiler}", f"HOSTCC={compiler}"]
    make += ["KBUILD_BUILD_TIMESTAMP=2026-01-01", "KBUILD_BUILD_VERSION=1"]
    make += ["KBUILD_BUILD_USER=oslab", "KBUILD_BUILD_HOST=kernel"]
    for name in names:
        print(f"building the kernel: {name}", flush=True)
        VARIANTS[name](tree)
        enable(tree, TRACING)
        command([*make, "olddefconfig"], tree, log)
        command([*make, "bzImage"], tree, log)
        shutil.copyfile(tree / "arch/x86/boot/bzImage", scratch / f"bzImage.{name}")
        shutil.copyfile(tree / "System.map", scratch / f"System.map.{name}")


# --- the guest --------------------------------------------------------------------------------


def newc(name: str, mode: int, data: bytes) -> bytes:
    """One member of a cpio archive."""
    fields = (0, mode, 0, 0, 1, 0, len(data), 0, 0, 0, 0, len(name) + 1, 0)
    head = ("070701" + "".join(f"{field:08x}" for field in fields) + name + "\0").encode()
    return head + b"\0" * (-len(head) % 4) + data + b"\0" * (-len(data) % 4)


def initrd(scratch: Path, log: Path) -> Path:
    program = scratch / "init"
    command(
        ["gcc", "-O2", "-static", "-Wall", f"-I{SYSCALLS}", "-o", program, HERE / "init.c"],
        HERE,
        log,
    )
    archive = scratch / "initrd"
    archive.write_bytes(newc("init", 0o100755, program.read_bytes()) + newc("TRAILER!!!", 0, b""))
    return archive


def boot(run: Run, scratch: Path, archive: Path, first: int, attempts: int = 3) -> Results:
    """Instructions, as the guest saw them; of a timed run, reads.

    With a thread for each CPU, QEMU 7.2 at times runs code that the kernel has just patched: the
    guest dies of its own int3. Such a run says nothing about the kernel and is made again.
    """
    # No randomness; a clock that goes on with each instruction, and over idle times at once.
    # tsc=reliable: QEMU's TSC lacks the promise of invariance that real machines' make.
    append = (
        "console=ttyS0 quiet panic=-1 nokaslr norandmaps randomize_kstack_offset=off tsc=reliable"
        f" {run.arguments}"
    )
    if run.kernel in ("ours", "lock"):
        append += f" first={first}"
    clock = ["tcg,thread=multi"] if run.timed else ["tcg", "-icount", "shift=0,sleep=off"]
    # fmt: off
    argv = [
        "qemu-system-x86_64", "-nodefaults", "-no-user-config", "-display", "none", "-no-reboot",
        "-accel", *clock, "-seed", "1",
        "-rtc", "base=2026-01-01,clock=vm", "-cpu", "max", "-smp", str(run.cpus), "-m", "512",
        "-kernel", str(scratch / f"bzImage.{run.kernel}"), "-initrd", str(archive),
        "-append", append, "-serial", "stdio",
    ]
    # fmt: on
    done = subprocess.run(
        argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600, check=False
    )
    lines = [line.split() for line in done.stdout.splitlines()]
    bad = ["done"] not in lines or "failed" in done.stdout
    if bad and run.timed and attempts > 1 and "Kernel panic" in done.stdout:
        print("the emulated machine died; once more", flush=True)
        return boot(run, scratch, archive, first, attempts - 1)
    if bad:
        raise SystemExit(f"the guest failed:\n{' '.join(argv)}\n{done.stdout}{done.stderr}")
    results = {line[1]: int(line[2]) for line in lines if len(line) > 2 and line[0] == "result"}
    if not run.timed and results["thousand"] != 1000:
        raise SystemExit(f"1000 instructions count as {results['thousand']}: -icount is not exact")
    return results


# --- the tables -------------------------------------------------------------------------------


def row(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


class Report:
    """Tables in Markdown; which targets are reached."""

    def __init__(
        self, results: dict[str, Results], throughput: list[dict[str, Results]], machine: Results
    ) -> None:
        self.results = results
        self.throughput = throughput
        self.machine = machine
        self.missed = False
        self.figures: list[figures.Figure] = []

    def added(self, call: str, way: str) -> int:
        base = "with BTF" if way == "fentry" else "unpatched"
        return self.results[way][call] - self.results[base][call]

    def verdict(self, what: str, value: float, limit: float, at_least: bool = False) -> None:
        reached = value >= limit if at_least else value <= limit
        self.missed = self.missed or not reached
        wanted = f"{'≥' if at_least else '≤'} {limit:g}"
        self.figures.append(figures.Figure(what, round(value, 2), "", wanted, reached))
        print(row(what, f"{value:.2f}", wanted, "yes" if reached else "**no**"))

    def counting(self) -> None:
        ways = {"ours": "ours", "switched off": "switched off", "lock": "one lock"}
        ways |= {"tracepoint": "eBPF, tracepoint"}
        ways |= {"raw tracepoint": "eBPF, raw", "fentry": "eBPF, fentry"}
        shown = [way for way in ways if way in self.results]
        print("\nInstructions per call, and what counting adds:\n")
        print(row("call", "unpatched", *[ways[way] for way in shown]))
        print(row("---", *["---:"] * (len(shown) + 1)))
        for call in ("getppid", "read", "write", "open+close", "fork+wait"):
            cells: list[object] = [self.results["unpatched"][call]]
            cells += [f"{self.results[way][call]} ({self.added(call, way):+d})" for way in shown]
            print(row(call, *cells))

    def reading(self) -> None:
        figures = self.results["ours"]
        print("\nReading the figures:\n")
        print(row("syscall", "instructions", "reading and parsing", "instructions"))
        print(row("---", "---:", "---", "---:"))
        snapshot, io = figures["snapshot"], figures["io_throttle"]
        print(row("capture_memory_snapshot", snapshot, "/proc/meminfo", figures["meminfo"]))
        print(row("get_io_throttle", io, "/proc/PID/io", figures["proc_io"]))
        print(row("track_syscall_usage", figures["usage"], "", ""))

    def two_cpus(self) -> None:
        print(f"\nReads a second by both CPUs, over those by one (in time, median of {ROUNDS}):\n")
        print(row("kernel", "both ÷ one"))
        print(row("---", "---:"))
        for kernel in THROUGHPUT:
            print(row(kernel, f"{self.together(kernel):.2f}"))

    def together(self, kernel: str) -> float:
        rounds = [results[kernel] for results in self.throughput]
        return median(one["reads_both"] / one["reads_one"] for one in rounds)

    def in_time(self) -> None:
        part = self.machine["counting"] / self.machine["read"]
        print(f"\nIn time, on {figures.cpu_name()}: the added instructions, in a loop of user")
        print(f"space, take {100 * part:.1f} % of a read of one byte from /dev/zero on its kernel.")
        what = "the added instructions, of the time of a read of one byte on this machine's kernel"
        self.figures.append(figures.Figure(what, round(100 * part, 1), "%"))

    def targets(self) -> None:
        base, figures = self.results["unpatched"], self.results["ours"]
        print("\n" + row("target", "is", "wanted", "reached"))
        print(row("---", "---:", "---:", "---"))
        self.verdict("getppid, instructions more", self.added("getppid", "ours"), 0)
        for call, limit in {"read": 3, "write": 3, "open+close": 1, "fork+wait": 1}.items():
            self.verdict(f"{call}, % more", 100 * self.added(call, "ours") / base[call], limit)
        off = self.added("read", "switched off")
        self.verdict("read, counting switched off, instructions more", off, 1)
        for call in ("read", "write"):
            mine = self.added(call, "ours")
            self.verdict(f"{call}: one lock ÷ ours", self.added(call, "lock") / mine, 3, True)
            ways = [
                way for way in ("tracepoint", "raw tracepoint", "fentry") if way in self.results
            ]
            ebpf = min(self.added(call, way) for way in ways)
            if "fentry" in ways:
                self.verdict(f"{call}: eBPF ÷ ours", ebpf / mine, 5, True)
            else:
                print(row(f"{call}: eBPF ÷ ours", "not measured", "≥ 5", "without fentry"))
        self.verdict(
            "meminfo ÷ capture_memory_snapshot", figures["meminfo"] / figures["snapshot"], 20, True
        )
        self.verdict(
            "PID/io ÷ get_io_throttle", figures["proc_io"] / figures["io_throttle"], 5, True
        )
        self.verdict("boot to init, % more", 100 * self.added("boot", "ours") / base["boot"], 1)
        self.verdict("read, ours: both CPUs ÷ one", self.together("ours"), 1.5, True)
        self.verdict(
            "of that, ours ÷ one lock", self.together("ours") / self.together("lock"), 1.1, True
        )

    def show(self) -> None:
        self.counting()
        self.reading()
        self.two_cpus()
        self.in_time()
        self.targets()
        boots = {way: self.results[way]["boot"] for way in ("unpatched", "ours")}
        print(f"\nInstructions from reset to init: {boots}")


def on_this_machine(scratch: Path, log: Path) -> Results:
    """Picoseconds of the added instructions, and of a read, both in loops of user space."""
    program = scratch / "native"
    command(["gcc", "-O2", "-Wall", "-o", program, HERE / "native.c"], HERE, log)
    output = subprocess.run(
        [program], capture_output=True, text=True, timeout=60, check=True
    ).stdout
    return {name: int(value) for name, value in map(str.split, output.splitlines())}


def per_cpu_lines(scratch: Path) -> str:
    """Where each CPU's counters are: on cache lines of their own, or this fails."""
    text = (scratch / "System.map.ours").read_text(encoding="ascii")
    symbols = sorted(
        (int(address, 16), name) for address, _, name in map(str.split, text.splitlines())
    )
    index = next(i for i, (_, name) in enumerate(symbols) if name == "oslab_usage")
    start, following = symbols[index][0], symbols[index + 1][0]
    if start % 64 or following - start < 128:
        raise SystemExit("oslab_usage shares a cache line with something else")
    return f"oslab_usage: per-CPU offset {start:#x}, the next variable {following - start} later"


def main() -> None:
    trees = sorted((CACHE / "work" / "trees").glob("*/linux"))
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--tree", type=Path, default=trees[0] if trees else None)
    parser.add_argument("--scratch", type=Path, help="kept, and used again; room for a build")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--no-fentry", action="store_true", help="build no kernel with BTF")
    parser.add_argument("--json", type=Path, help="write the raw figures there")
    figures.add_option(parser)
    options = parser.parse_args()
    tree = options.tree
    if tree is None or not (tree / tree_records.PATCH).is_file():
        parser.error("name a patched and configured tree with --tree; `make quickstart` makes one")

    with tempfile.TemporaryDirectory(prefix="oslab-bench-") as directory:
        scratch = (options.scratch or Path(directory)).resolve()
        scratch.mkdir(parents=True, exist_ok=True)
        log = Path(tempfile.gettempdir()) / "oslab-bench-syscalls.log"
        log.unlink(missing_ok=True)
        names = [name for name in VARIANTS if name != "btf" or not options.no_fentry]
        if not all((scratch / f"bzImage.{name}").exists() for name in names):
            build(copy_of(tree.resolve(), scratch, log), scratch, names, options.jobs, log)
        first = record.read(tree)["syscalls"]["capture_memory_snapshot"]
        archive = initrd(scratch, log)

        def measure(runs: dict[str, Run]) -> dict[str, Results]:
            results: dict[str, Results] = {}
            for way, run in runs.items():
                if run.kernel in names:
                    print(f"booting: {way}", flush=True)
                    results[way] = boot(run, scratch, archive, first)
            return results

        results = measure(RUNS)
        throughput = [measure(THROUGHPUT) for _ in range(ROUNDS)]
        machine = on_this_machine(scratch, log)
        if options.json:
            raw = {"instructions": results, "throughput": throughput, "machine": machine}
            options.json.write_text(json.dumps(raw, indent=2) + "\n", encoding="utf-8")
        report = Report(results, throughput, machine)
        report.show()
        print(per_cpu_lines(scratch))
        if options.record:
            figures.record("syscalls", report.figures)
    raise SystemExit(report.missed)


if __name__ == "__main__":
    main()
