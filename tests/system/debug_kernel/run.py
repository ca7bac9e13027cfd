#!/usr/bin/env python3
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build a small kernel that looks for its own faults, and run all self-tests in it.

    run.py [kasan|kcsan|plain|hpet|rt|up|noio|x32|lto]...

The tree is the lab's, or any other: a copy of it is patched as the role `patch` does, from the
sources of this checkout. The kernel boots in QEMU from an initrd with nothing but the test
programs and the modules. The exit status is 0 if every test passed and the kernel complained
about nothing; of KCSAN's findings, about nothing of ours (the stock kernel has many).
"""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "collections"))

from ansible_collections.oslab.kernel.plugins.module_utils._common import cpio
from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu
from ansible_collections.oslab.kernel.tests.lib import kernel_trees, own_modules
from ansible_collections.oslab.kernel.tests.lib.script import RunError, log_line

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
KERNEL = ROOT / "files/kernel"

CACHE = Path(os.environ.get("OSLAB_CACHE") or Path.home() / ".cache/oslab-kernel")
SYSCALLS = ("capture_memory_snapshot", "track_syscall_usage", "get_io_throttle")
# What an earlier build left in the tree, and its packages: not to be copied.
PRODUCTS = (
    "*.o", "*.ko", "*.a", "*.cmd", "*.mod", "*.mod.c", "*.order", "*.symvers", ".tmp_*",
    "/vmlinux*", "/debian", "/include/config", "/include/generated", "/arch/*/include/generated",
)  # fmt: skip

VARIANTS = ("kasan", "kcsan", "plain", "hpet", "rt", "up", "noio", "x32", "lto")
# Arguments for the kernel.
# QEMU's TSC is one for all CPUs, but it does not say so, and older kernels mark it unstable: then
# no call would be counted by the fast path.
TRUSTED = ["tsc=reliable"]
OTHERS = ["panic_on_warn=1", *TRUSTED]
PARAMETERS = {
    "kasan": [*OTHERS, "kmemleak=on"],
    "kcsan": TRUSTED,
    "hpet": ["panic_on_warn=1", "tsc=unstable", "clocksource=hpet"],
    # Counting is off until the first program has seen that, and switches it on.
    "up": [*OTHERS, "track_syscall_usage.enabled=0"],
}
# What its log has to say: that it does look, or is what is tested.
LOOKING = {
    "kasan": ["KernelAddressSanitizer initialized", "Kernel memory leak detector initialized"],
    "kcsan": ["kcsan: enabled early"],
    "plain": ["Switched to clocksource tsc"],
    "rt": ["PREEMPT_RT"],
    "up": ["track_syscall_usage.enabled=0"],
    "hpet": ["Marking TSC unstable", "Switched to clocksource hpet"],
}
# What alone may be skipped, by the start of the reason.
NO_X32 = "x32: "
FEW_LOADS = "whether memory leaks: "  # too few with a small --times, or judged by kmemleak
MAY_BE_SKIPPED = {
    "x32": (),
    "up": (NO_X32, "no CPU can go offline here"),
    "noio": (NO_X32, "this kernel was built without get_io_throttle"),
}
# The kernel's compiler, if not gcc. `LLVM` in the environment names another one than the default,
# as Kbuild knows it: a suffix (-19) or a directory that ends in a slash.
LLVM = os.environ.get("LLVM") or "1"
MAKE_ARGS = {"lto": [f"LLVM={LLVM}"]}
LLVM_PROGRAMS = ("clang", "ld.lld", "llvm-ar", "llvm-nm", "llvm-objcopy")

SPLAT = re.compile(
    r"BUG:|WARNING:|INFO:|UBSAN:|Oops|Call Trace|Kernel panic|general protection|refcount_t:"
    r"|unable to handle|inconsistent lock|scheduling while atomic|suspicious RCU"
)
OURS = re.compile(
    "|".join(
        (
            *("oslab", "memory_snapshot", "track_syscall", "syscall_usage", "io_stats"),
            "sum_process_io",
            *own_modules.ENTRIES.values(),
        )
    )
)
# In a call trace: here an interrupt came. What is below, to the trace's end, was only interrupted.
INTERRUPTED = re.compile(r"(?m)^.* asm_(?:sysvec_|common_interrupt).*\n(?:.*\S\+0x.*\n)*")


def run(argv: list[str], cwd: Path, log: Path) -> None:
    with log.open("a", encoding="utf-8") as output:
        output.write(f"$ {' '.join(argv)}\n")
        output.flush()
        done = subprocess.run(argv, cwd=cwd, stdout=output, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        tail = "\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-25:])
        raise RunError(f"{' '.join(argv[:3])} … failed; the end of {log}:\n{tail}")


# --- the tree -----------------------------------------------------------------------------------


def lab_tree() -> Path:
    found = sorted(CACHE.glob("work/trees/*/linux/Makefile"))
    if not found:
        raise RunError(f"no kernel tree below {CACHE}/work/trees: name one with --tree")
    return found[-1].parent


def copy_tree(source: Path, tree: Path, log: Path) -> None:
    """Sources only, so that it is clean for builds outside of it."""
    excluded = [f"--exclude={pattern}" for pattern in (*PRODUCTS, "/.config*")]
    tree.mkdir(parents=True, exist_ok=True)
    # What was patched here stays as it is, so that nothing is compiled again without need.
    run(["rsync", "-a", *excluded, "--ignore-existing", f"{source}/", f"{tree}/"], ROOT, log)
    run(["make", "-s", "mrproper"], tree, log)


# --- the build ----------------------------------------------------------------------------------


def configure(tree: Path, build: Path, variant: str) -> None:
    build.mkdir(parents=True, exist_ok=True)
    configs = [HERE / "base.config", HERE / f"{variant}.config"]
    missing = [
        name
        for name in map(llvm_program, LLVM_PROGRAMS)
        if variant in MAKE_ARGS and not shutil.which(name)
    ]
    if missing:
        raise RunError(
            f"{variant} needs {', '.join(missing)}: install the packages clang, lld, llvm, of "
            "version 16 or later; LLVM=-19 in the environment takes those of version 19"
        )
    kernel_trees.configure(
        tree, configs, build / "wanted.config", build, MAKE_ARGS.get(variant, [])
    )


def llvm_program(name: str) -> str:
    if LLVM.endswith("/"):
        return LLVM + name
    return name + (LLVM if LLVM.startswith("-") else "")


def compiler(variant: str) -> list[str]:
    arguments = MAKE_ARGS.get(variant, [])
    name = llvm_program("clang") if arguments else "gcc"
    return [*arguments, *([f"CC=ccache {name}"] if shutil.which("ccache") else [])]


def build_kernel(tree: Path, build: Path, variant: str, jobs: int, log: Path) -> None:
    run(["make", f"-j{jobs}", *compiler(variant), f"O={build}", "bzImage", "modules"], tree, log)


def build_modules(tree: Path, build: Path, variant: str, log: Path) -> Path:
    work = build / "oslab-modules"
    work.mkdir(exist_ok=True)
    for source in (KERNEL / "modules").iterdir():
        copy = work / source.name
        if source.suffix not in (".c", ".h") and source.name != "Makefile":
            continue
        if not copy.exists() or copy.read_bytes() != source.read_bytes():
            shutil.copy(source, copy)
    run(["make", *compiler(variant), f"O={build}", f"M={work}", "modules"], tree, log)
    return work


def build_programs(work: Path, log: Path) -> Path:
    programs = work / "programs"
    programs.mkdir(exist_ok=True)
    run(["make", f"O={programs}"], KERNEL / "selftests", log)
    init = ["gcc", "-std=gnu11", "-O2", "-Wall", "-Wextra", "-static"]
    run([*init, "-o", str(programs / "init"), str(HERE / "init.c")], ROOT, log)
    return programs


# --- the initrd ---------------------------------------------------------------------------------


def write_initrd(path: Path, programs: Path, modules: Path, commands: list[list[str]]) -> None:
    entries = [
        cpio.device("dev/console", 5, 1),
        cpio.file("tests", "".join(f"{' '.join(c)}\n" for c in commands).encode()),
        cpio.file("init", (programs / "init").read_bytes(), 0o755),
    ]
    for module in sorted(modules.glob("*.ko")):
        entries.append(cpio.file(f"lib/{module.name}", module.read_bytes()))
    for command in commands:
        name = command[0].strip("/")
        entries.append(cpio.file(name, (programs / name).read_bytes(), 0o755))
    path.write_bytes(cpio.archive(cpio.with_directories(entries)))


def numbers_for(variant: str, numbers: list[str]) -> list[str]:
    """With the sign that tells the programs which syscall this kernel is built without."""
    return [*numbers[:2], f"-{numbers[2]}"] if variant == "noio" else numbers


def commands(numbers: list[str], options: argparse.Namespace) -> list[list[str]]:
    """Every program with its arguments."""
    extra = {
        "memory": ["/tmp"],
        "io": ["/tmp"],
        "modules": ["/lib"],
        "reload": ["/lib", str(options.times)],
        "fuzz": [str(options.calls), str(options.seed)],
    }
    makefile = (KERNEL / "selftests/Makefile").read_text()
    found = re.search(r"^PROGRAMS := (.+)$", makefile, re.MULTILINE)
    names = found.group(1).split() if found else []
    chosen = [name for name in names if not options.only or name in options.only]
    return [[f"/{name}", *numbers, *extra.get(name, [])] for name in chosen]


# --- the run ------------------------------------------------------------------------------------


@dataclass
class Result:
    passed: int = 0
    skipped: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)
    ended: set[str] = field(default_factory=set)
    done: bool = False

    def take(self, line: str) -> None:
        if line.startswith("ok "):
            if "# SKIP" in line:
                self.skipped.append(line)
            else:
                self.passed += 1
        elif line.startswith("not ok "):
            self.failed.append(line)
        elif line.startswith("# end "):
            status, name = line.split()[2:4]
            self.ended.add(name)
            if status != "0":
                self.failed.append(f"{name} ended with status {status}")
        elif line == "# done":
            self.done = True


def follow(path: Path, process: subprocess.Popen[bytes], seconds: float) -> Iterator[str]:
    """Lines of a file that grows until the process ends."""
    deadline = time.monotonic() + seconds
    rest = ""
    with path.open(encoding="utf-8", errors="replace") as file:
        while True:
            running = process.poll() is None
            rest += file.read().replace("\r", "")
            *lines, rest = rest.split("\n")
            yield from lines
            if not running:
                return
            if time.monotonic() > deadline:
                process.kill()
                raise RunError(f"the machine did not end within {seconds:.0f} seconds")
            time.sleep(0.2)


def boot(build: Path, initrd: Path, parameters: list[str], options: argparse.Namespace) -> Result:
    result = Result()
    console, tap = build / "console.log", build / "tap.log"
    tap.write_text("")
    argv = ["qemu-system-x86_64", "-machine", "q35,accel=tcg", "-cpu", "max"]
    cpus = 1 if build.name == "up" else options.cpus
    argv += ["-smp", str(cpus), "-m", str(options.memory), "-nodefaults", "-no-reboot"]
    argv += ["-display", "none", "-kernel", str(build / "arch/x86/boot/bzImage")]
    argv += ["-initrd", str(initrd), "-append", " ".join(parameters)]
    argv += ["-serial", f"file:{console}", "-serial", f"file:{tap}"]
    (build / "qemu.sh").write_text(" ".join(f"'{word}'" for word in argv) + "\n")
    with subprocess.Popen(argv, stdin=subprocess.DEVNULL) as process:
        try:
            for line in follow(tap, process, options.timeout):
                print(f"    {line}", flush=True)
                result.take(line)
            status = process.wait()
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
    if status:
        result.failed.append(f"QEMU ended with status {status}")
    return result


def splats(console: str) -> tuple[list[str], list[str]]:
    """What the log complains about: of ours or of anything, and data races of the stock kernel."""
    bar = "=" * 66
    bad, elsewhere, rest = [], [], []
    for block in re.split(rf"(?m)^.*{bar}.*$", console):
        found = re.search(r"BUG: KCSAN: .*", block)
        if found is None:
            rest.append(block)
        elif OURS.search(INTERRUPTED.sub("", block)):
            bad.append(block.strip())
        else:
            elsewhere.append(found.group())
            # Another CPU may have complained about something else in the middle of it.
            rest.append(block.replace(found.group(), ""))
    bad += [line for line in "\n".join(rest).splitlines() if SPLAT.search(line)]
    return bad, elsewhere


def verdict(result: Result, variant: str, console: str, wanted: list[str]) -> list[str]:
    """What is wrong."""
    wrong = list(result.failed)
    wrong += [
        f'the log has no "{text}"' for text in LOOKING.get(variant, []) if text not in console
    ]
    allowed = (FEW_LOADS, *MAY_BE_SKIPPED.get(variant, (NO_X32,)))
    wrong += [
        f"must not be skipped: {line}"
        for line in result.skipped
        if not line.partition("# SKIP ")[2].startswith(allowed)
    ]
    bad, elsewhere = splats(console)
    wrong += [f"kernel log: {line}" for line in bad]
    wrong += [f"{name} was not run to its end" for name in wanted if name not in result.ended]
    if not result.done:
        wrong.append("the machine stopped before its end:\n" + console[-3000:])
    if elsewhere:
        log_line(
            f"KCSAN: {len(elsewhere)} data races of the stock kernel, in code that is not ours"
        )
        for line in sorted(set(elsewhere)):
            print(f"    {line}")
    return wrong


def test(variant: str, tree: Path, numbers: dict[str, int], options: argparse.Namespace) -> bool:
    build = options.work / variant
    log = options.work / f"{variant}.log"
    log.unlink(missing_ok=True)
    started = time.monotonic()
    configure(tree, build, variant)
    log_line(f"{variant}: building; the output is in {log}")
    build_kernel(tree, build, variant, options.jobs, log)
    modules = build_modules(tree, build, variant, log)
    programs = build_programs(options.work, log)
    built = time.monotonic()

    calls = [str(numbers[name]) for name in SYSCALLS]
    tests = commands(numbers_for(variant, calls), options)
    initrd = build / "initrd"
    write_initrd(initrd, programs, modules, tests)
    parameters = ["console=ttyS0", "loglevel=7", "panic=-1", *qemu.LONGER_LIMITS]
    parameters += PARAMETERS.get(variant, OTHERS)
    log_line(f"{variant}: built in {built - started:.0f} s; booting")
    result = boot(build, initrd, [*parameters, "--", calls[1]], options)
    console = (build / "console.log").read_text(encoding="utf-8", errors="replace")
    wrong = verdict(result, variant, console, [command[0] for command in tests])
    for line in wrong:
        print(f"  WRONG: {line}")
    log_line(
        f"{variant}: {'FAILED' if wrong else 'passed'}: {result.passed} tests passed, "
        f"{len(result.failed)} failed, {len(result.skipped)} skipped; "
        f"the kernel log has {len(splats(console)[0])} complaints; "
        f"{time.monotonic() - built:.0f} s in the machine; the log is {build}/console.log"
    )
    return not wrong


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("variants", nargs="*", metavar="VARIANT", help="default: kasan")
    parser.add_argument("--tree", type=Path, help="a kernel tree (default: the lab's)")
    parser.add_argument("--work", type=Path, default=CACHE / "debug-kernel", help="(%(default)s)")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--cpus", type=int, default=4, help="of the machine (%(default)s)")
    parser.add_argument("--memory", type=int, default=1024, help="of the machine (%(default)s MiB)")
    parser.add_argument("--only", action="append", help="a test program; may be given repeatedly")
    parser.add_argument("--calls", type=int, default=200_000, help="of the fuzzer (%(default)s)")
    parser.add_argument("--seed", type=int, default=time.time_ns(), help="of the fuzzer")
    parser.add_argument("--times", type=int, default=200, help="modules are loaded (%(default)s)")
    parser.add_argument("--timeout", type=float, default=1800, help="of the machine (%(default)s)")
    options = parser.parse_args()
    # So that the machine ends, too; one that is left would write into the next one's log.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    variants = options.variants or ["kasan"]
    unknown = [name for name in variants if name not in VARIANTS]
    if unknown:
        parser.error(f"unknown variant {unknown[0]}; there are {', '.join(VARIANTS)}")
    os.environ.setdefault("CCACHE_DIR", str(CACHE / "work/ccache"))

    try:
        source = options.tree or lab_tree()
        if not (source / "init/main.c").is_file():
            raise RunError(f"{source} is no kernel tree")
        options.work.mkdir(parents=True, exist_ok=True)
        tree = options.work / "linux"
        origin = options.work / "origin"
        # Its path and its version.
        now = f"{source}\n{(source / 'Makefile').read_text()[:200]}"
        if not origin.exists() or origin.read_text() != now:
            shutil.rmtree(tree, ignore_errors=True)
            log_line(f"copying {source}")
            copy_tree(source, tree, options.work / "copy.log")
            origin.write_text(now)
        numbers = kernel_trees.patch(tree).state["syscalls"]
        results = [test(variant, tree, numbers, options) for variant in variants]
    except (RunError, kernel_trees.TreeError) as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
