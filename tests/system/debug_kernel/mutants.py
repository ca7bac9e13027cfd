#!/usr/bin/env python3
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Show that the self-tests fail: put one fault at a time into the kernel code, and run them.

    mutants.py --tree TREE [NAME]...

Each fault goes into a copy of this checkout, whose `plain` kernel run.py builds and boots. The
exit status is 0 if each fault was noticed by the test that is there for it.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "collections"))

from ansible_collections.oslab.kernel.tests.lib.script import RunError, log_line

ROOT = Path(__file__).resolve().parents[3]
CACHE = Path(os.environ.get("OSLAB_CACHE") or Path.home() / ".cache/oslab-kernel")
KERNEL = Path("files/kernel")
INTERNAL = "syscalls/oslab_internal.h"
USAGE = "syscalls/track_syscall_usage.c"
SNAPSHOT = "syscalls/capture_memory_snapshot.c"
THROTTLE = "syscalls/get_io_throttle.c"
IO_MODULE = "modules/io_throttle_mod.c"
STATS_MODULE = "modules/system_stats.c"


@dataclass(frozen=True)
class Mutant:
    name: str
    file: str  # below files/kernel
    old: str
    new: str
    program: str  # the one that is run
    noticed: tuple[str, ...]  # texts of tests that have to fail: one of them
    # With named address spaces (gcc, kernels newer than 6.8) these lines are not compiled.
    only_without_named_as: bool = False


COUNT = "this_cpu_inc(oslab_usage.counter[id].count);"
# SOME instead of 1 at one time of eight.
COUNT_SOME = (
    "this_cpu_add(oslab_usage.counter[id].count,\n"
    "\t\t     this_cpu_read(oslab_usage.counter[id].last_ns) & 7 ? 1 : SOME);"
)

MUTANTS = (
    Mutant(
        "one call of eight counts twice",
        INTERNAL,
        COUNT,
        COUNT_SOME.replace("SOME", "2"),
        "counting",
        ("should have counted",),
    ),
    Mutant(
        "one call of eight is lost",
        INTERNAL,
        COUNT,
        COUNT_SOME.replace("SOME", "0"),
        "counting",
        ("should have counted",),
    ),
    Mutant(
        "threads count as processes",
        INTERNAL,
        "if (!(flags & CLONE_THREAD))",
        "if (flags || !flags)",
        "counting",
        ("should have counted",),
    ),
    Mutant(
        "the switch does not switch off",
        USAGE,
        "static_branch_disable(&oslab_usage_enabled);",
        "static_branch_enable(&oslab_usage_enabled);",
        "counting",
        ("switched off",),
    ),
    Mutant(
        "times that run ahead are not slowed down",
        USAGE,
        "ns_per_cycle(span, last > now ? last - now : 0)",
        "ns_per_cycle(span, 0)",
        "counting",
        (
            "clock slewed",
            "and after it",
        ),
    ),
    Mutant(
        "the time is taken from the base's wrong side",
        INTERNAL,
        'oslab_here_asm("addq", value, member)',
        'oslab_here_asm("subq", value, member)',
        "counting",
        (
            "time is",
            "no time",
        ),
        only_without_named_as=True,
    ),
    Mutant(
        "CPUs that are offline are left out",
        USAGE,
        "for_each_possible_cpu(cpu)",
        "for_each_online_cpu(cpu)",
        "parallel",
        ("CPUs offline nothing is lost",),
    ),
    Mutant(
        "one field is wrong by 1 MiB, one tick of four",
        SNAPSHOT,
        "pages_to_kb(i.freeram);",
        "pages_to_kb(i.freeram) + ((jiffies & 3) ? 0 : 1024);",
        "memory",
        ("MemFree ",),
    ),
    Mutant(
        "memory in swap counts as cached",
        SNAPSHOT,
        "total_swapcache_pages() - i.bufferram",
        "i.bufferram",
        "memory",
        ("Cached ",),
    ),
    Mutant(
        "threads that end are counted twice, or not",
        THROTTLE,
        "if (read_seqretry(&sig->stats_lock, seq)) {",
        "if (read_seqretry(&sig->stats_lock, seq) && !sig) {",
        "io",
        (
            "went back",
            "fit together",
        ),
    ),
    Mutant(
        "whoever asks gets an answer",
        THROTTLE,
        "if (ptrace_may_access(task, PTRACE_MODE_READ_FSCREDS))",
        "if (task)",
        "pids",
        ("EPERM",),
    ),
    Mutant(
        "8 bytes more are written",
        THROTTLE,
        "return copy_to_user(udata, &stats, sizeof(stats)) ? -EFAULT : 0;",
        "return copy_to_user(udata, &stats, sizeof(stats)) ||\n"
        "\t       clear_user(udata + 1, 8) ? -EFAULT : 0;",
        "fuzz",
        ("beyond the structures",),
    ),
    Mutant(
        "threads that ended are left out",
        THROTTLE,
        "\tadd_figures(&sig->ioac, acct); /* threads that ended */\n",
        "",
        "io",
        ("all its threads wrote",),
    ),
    Mutant(
        "a pid is kept at each unloading",
        IO_MODULE,
        "\tput_pid(shown.target);\n}\n\nstatic const",
        "}\n\nstatic const",
        "reload",
        ("none of them is kept",),
    ),
    Mutant(
        "a pid is kept at each opening",
        IO_MODULE,
        "\tput_pid(m->private);\n",
        "",
        "reload",
        ("none of them is kept", "memory grew"),
    ),
    Mutant(
        "who opens it is not checked",
        IO_MODULE,
        "\tif (!ret)\n\t\tret = single_open",
        "\tif (ret != -ESRCH)\n\t\tret = single_open",
        "modules",
        ("somebody else opens it for root's process",),
    ),
    Mutant(
        "who reads it gets an answer without the right",
        IO_MODULE,
        "\tif (ret)\n\t\treturn ret;\n\n\tseq_printf",
        "\tif (ret == -ESRCH)\n\t\treturn ret;\n\n\tseq_printf",
        "modules",
        ("somebody else reads that descriptor",),
    ),
    Mutant(
        "who reads it is not checked",
        STATS_MODULE,
        "\tret = get_storage(&st);\n\tif (ret)\n\t\treturn ret;\n\n\tseq_puts",
        "\tret = get_storage(&st);\n\tif (ret)\n\t\treturn 0;\n\n\tseq_puts",
        "modules",
        ("somebody else reads that descriptor",),
    ),
    Mutant(
        "who opens the storage is not checked",
        STATS_MODULE,
        "return ret ? ret : single_open",
        "return ret == -EIO ? ret : single_open",
        "modules",
        ("somebody else opens it",),
    ),
    Mutant(
        "no sendfile()",
        STATS_MODULE,
        ".proc_read_iter\t= seq_read_iter",
        ".proc_read\t= seq_read",
        "modules",
        (
            "sendfile",
            "splice",
            "pieces",
        ),
    ),
    Mutant(
        "pid=010 is octal",
        IO_MODULE,
        "kstrtoint(val, 10, &number)",
        "kstrtoint(val, 0, &number)",
        "modules",
        (
            "decimal",
            "0x10",
        ),
    ),
    Mutant(
        "a thread's id is its own",
        IO_MODULE,
        "process = get_task_pid(task, PIDTYPE_TGID);",
        "process = get_task_pid(task, PIDTYPE_PID);",
        "modules",
        ("its process lives",),
    ),
)


def copy_checkout(target: Path) -> None:
    """What git knows, and what is new in files/kernel; files keep their times, so make is quick."""
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=True,
    )
    for name in filter(None, listed.stdout.split("\0")):
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        if not (target / name).is_symlink() and (ROOT / name).exists():
            shutil.copy2(ROOT / name, target / name, follow_symlinks=False)


def mutate(checkout: Path, mutant: Mutant) -> None:
    path = KERNEL / mutant.file
    text = (ROOT / path).read_text(encoding="utf-8")
    if text.count(mutant.old) != 1:
        raise RunError(f"{mutant.name}: {path} holds {mutant.old!r} {text.count(mutant.old)} times")
    (checkout / path).write_text(text.replace(mutant.old, mutant.new), encoding="utf-8")


def restore(checkout: Path, mutant: Mutant) -> None:
    shutil.copy2(ROOT / KERNEL / mutant.file, checkout / KERNEL / mutant.file)


def noticed(mutant: Mutant, output: str) -> str | None:
    """The line of the test that noticed it."""
    lines = [line.strip() for line in output.splitlines()]
    failed = [line for line in lines if line.startswith("not ok")]
    return next((line for line in failed if any(text in line for text in mutant.noticed)), None)


def test(mutant: Mutant, checkout: Path, options: argparse.Namespace) -> bool:
    mutate(checkout, mutant)
    script = checkout / Path(__file__).resolve().parent.relative_to(ROOT) / "run.py"
    argv = [sys.executable, str(script), "plain", "--tree", str(options.tree)]
    argv += ["--work", str(options.work), "--only", mutant.program]
    log = options.work / "mutants" / f"{mutant.name.replace(' ', '-')}.log"
    log.parent.mkdir(exist_ok=True)
    try:
        done = subprocess.run(
            argv, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
        )
    finally:
        restore(checkout, mutant)
    log.write_text(done.stdout + done.stderr, encoding="utf-8")
    line = noticed(mutant, done.stdout)
    built = "booting" in done.stdout
    if line:
        log_line(f"noticed: {mutant.name}: {line}")
    elif built:
        log_line(f"NOT NOTICED: {mutant.name}; see {log}")
    else:
        log_line(f"NOT BUILT: {mutant.name}; see {log}")
    return line is not None


def has_named_as(build: Path) -> bool:
    config = build / ".config"
    return config.exists() and "CONFIG_CC_HAS_NAMED_AS=y" in config.read_text(encoding="utf-8")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help="default: all")
    parser.add_argument("--tree", type=Path, required=True)
    parser.add_argument(
        "--work", type=Path, default=CACHE / "debug-kernel", help="that of run.py (%(default)s)"
    )
    options = parser.parse_args()
    unknown = set(options.names) - {mutant.name for mutant in MUTANTS}
    if unknown:
        names = "\n".join(mutant.name for mutant in MUTANTS)
        parser.error(f"unknown: {sorted(unknown)[0]}; there are:\n{names}")
    chosen = [m for m in MUTANTS if not options.names or m.name in options.names]
    try:
        options.work.mkdir(parents=True, exist_ok=True)
        checkout = options.work / "checkout"
        copy_checkout(checkout)
        results = []
        for mutant in chosen:
            if mutant.only_without_named_as and has_named_as(options.work / "plain"):
                log_line(f"skipped: {mutant.name}: this kernel has CC_HAS_NAMED_AS")
                continue
            results.append(test(mutant, checkout, options))
    except RunError as failure:
        print(failure, file=sys.stderr)
        return 1
    log_line(f"{sum(results)} of {len(results)} faults were noticed")
    return 0 if all(results) else 1


if __name__ == "__main__":
    sys.exit(main())
