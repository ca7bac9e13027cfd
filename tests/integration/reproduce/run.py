#!/usr/bin/env python3
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build the same small kernel twice and more, with all varied that must not matter, and compare.

    run.py [--source TREE_OR_TARBALL] [--config FILE]

The first build is the plain one: ccache is empty, nothing is special. The second has another path,
file system, user, host name, date, time zone, language, umask, number of jobs and environment, and
no ccache. The third is in a third path, one job at a time, and takes from the first one's ccache.
The fourth is killed ten times, at random moments, and gone on with. All packages, the one with the
debug information among them, and what is kept beside them must be the same. The exit status is 0 if
they are.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Optional

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "collections"))

from ansible_collections.oslab.kernel.tests.integration.reproduce import compare
from ansible_collections.oslab.kernel.tests.lib import kernel_trees, module_process
from ansible_collections.oslab.kernel.tests.lib.script import RunError, log_line

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]
KERNEL = ROOT / "files/kernel"

CACHE = Path(os.environ.get("OSLAB_CACHE") or Path.home() / ".cache/oslab-kernel")
MODULES = "ansible_collections.oslab.kernel.plugins.modules"
SMALL, MORE = HERE / "small.config", HERE / "more.config"
MEMORY = Path("/dev/shm")
# What a tree takes with the objects and the packages, all with debug information.
MEMORY_NEEDED = 8 << 30

# The killed build, and how long it is let go on each time at most, of what the first one took: as
# half of that on average, and much is done anew each time, the kills lie all over the build.
KILLS, KILL_WITHIN = 10, 0.3

# What is in somebody's environment, and would be in the packages if a build asked it.
STRANGE = {
    "TZ": "Pacific/Auckland",
    "LANG": "es_GT.UTF-8",
    "LC_ALL": "es_GT.UTF-8",
    "LANGUAGE": "es",
    "USER": "somebody",
    "LOGNAME": "somebody",
    "EMAIL": "somebody@example.org",
    "DEBEMAIL": "somebody@example.org",
    "KBUILD_BUILD_USER": "somebody",
    "KBUILD_BUILD_HOST": "somewhere",
    "KBUILD_BUILD_TIMESTAMP": "Thu Jan  1 00:00:01 UTC 1970",
    "SOURCE_DATE_EPOCH": "1",
    "LOCALVERSION": "-strange",
    "KCFLAGS": "-DSTRANGE",
    "CFLAGS": "-O0 -g3",
    "HOSTCFLAGS": "-O0 -g3",
    "MAKEFLAGS": "--warn-undefined-variables",
    "GREP_OPTIONS": "--color=always",
    "XZ_DEFAULTS": "-9e -T4",
    "ZSTD_CLEVEL": "19",
    "TAR_OPTIONS": "--mtime=@0",
    "DEB_BUILD_OPTIONS": "noopt nostrip parallel=7",
    "DPKG_DEB_COMPRESSOR_LEVEL": "1",
}


@dataclass
class Place:
    """Where and how one build is made."""

    name: str
    root: Path  # of everything of this build
    tree: Path
    jobs: int
    ccache: Optional[Path] = None
    umask: int = 0o022
    environment: Mapping[str, str] = field(default_factory=dict)
    other_machine: bool = False  # user, host name and date
    kills: int = 0
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def store(self) -> Path:
        return self.root / "store"


def module(
    name: str,
    parameters: Mapping[str, Any],
    environment: Mapping[str, str],
    before: tuple[str, ...] = (),
    umask: int = 0o022,
) -> dict[str, Any]:
    """Run a module of the collection as Ansible does, from a shell of its own."""
    done = subprocess.run(
        [*before, sys.executable, "-m", f"{MODULES}.{name}"],
        cwd=ROOT,
        env={**environment, "PYTHONPATH": str(ROOT / "collections")},
        input=json.dumps({"ANSIBLE_MODULE_ARGS": dict(parameters)}),
        capture_output=True,
        text=True,
        umask=umask,
        check=False,
    )
    try:
        result: dict[str, Any] = json.loads(done.stdout)
    except ValueError:
        raise RunError(f"{name} said: {(done.stdout + done.stderr)[-2000:]}") from None
    if result.get("failed"):
        raise RunError(result.get("msg", "the module failed"))
    return result


def run(argv: list[str], cwd: Path) -> str:
    done = subprocess.run(argv, cwd=cwd, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RunError(f"{shlex.join(argv)} failed:\n{(done.stdout + done.stderr)[-2000:]}")
    return done.stdout


# --- the source ---------------------------------------------------------------------------------


def find_source() -> Path:
    """What `make quickstart` and Molecule build, or any other kernel source of Debian's."""
    found = sorted(Path("/usr/src").glob("linux-source-*.tar.xz"), key=version_of)
    if not found:
        raise RunError(
            "there is no /usr/src/linux-source-*.tar.xz: apt install linux-source, or name a "
            "tarball or an unmodified tree with --source"
        )
    return found[-1]


def version_of(path: Path) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", path.name))


def have_tree(source: Path, tree: Path) -> None:
    """An unmodified tree, as the role source leaves it."""
    if source.is_file():
        found = re.search(r"\d+\.\d+", source.name)
        if not found:
            raise RunError(f"{source} does not tell a version in its name")
        parameters = {"tarball": str(source), "tree": str(tree), "version": found.group()}
        module("kernel_tree", parameters, os.environ)
        return
    tree.parent.mkdir(parents=True, exist_ok=True)
    run(["cp", "--archive", str(source), str(tree)], ROOT)
    state = tree / ".oslab/source.json"
    if not state.exists():
        epoch = int((tree / "Makefile").stat().st_mtime)
        state.parent.mkdir()
        state.write_text(json.dumps({"sha256": "unknown", "source_date_epoch": epoch}))


def copy_tree(source: Path, tree: Path, umask: int) -> None:
    """With other times and modes, as somebody may have copied it."""
    tree.parent.mkdir(parents=True)
    argv = ["cp", "--recursive", "--no-dereference", "--preserve=links", str(source), str(tree)]
    subprocess.run(argv, check=True, umask=umask)


# --- a build ------------------------------------------------------------------------------------


def other_machine(place: Place) -> tuple[str, ...]:
    """A shell whose host name and user are others, if this system lets us have one."""
    inner = ["unshare", "--user", "--map-user=4242", "--map-group=4242"]
    outer = ["unshare", "--uts"] + ([] if os.geteuid() == 0 else ["--map-root-user"])
    prefix = [*outer, "sh", "-c", f'hostname strange.example.org && exec {shlex.join(inner)} "$@"']
    prefix.append("sh")
    done = subprocess.run([*prefix, "true"], capture_output=True, text=True, check=False)
    if done.returncode:
        log_line(f"{place.name}: NOT varied: user and host name ({done.stderr.strip()})")
        return ()
    return tuple(prefix)


def other_date(place: Place) -> dict[str, str]:
    """A PATH in which `make` runs in another year."""
    faketime, make = shutil.which("faketime"), shutil.which("make")
    if not faketime or not make:
        log_line(f"{place.name}: NOT varied: the date, but for minutes (apt install faketime)")
        return {}
    programs = place.root / "programs"
    programs.mkdir(parents=True, exist_ok=True)
    scripts = {"make": f"{faketime} -f +500d {make}"}
    rustc = shutil.which("rustc")
    if rustc:  # Kconfig asks for its version. rustup's waits for ever with a changed clock.
        scripts["rustc"] = f"env -u LD_PRELOAD {rustc}"
    for name, command in scripts.items():
        (programs / name).write_text(f'#!/bin/sh\nexec {command} "$@"\n')
        (programs / name).chmod(0o755)
    return {"PATH": f"{programs}:{os.environ['PATH']}"}


def strange_home(place: Place) -> dict[str, str]:
    """Of somebody who has configured Debian's tools."""
    settings = place.root / "home/.config/dpkg"
    settings.mkdir(parents=True)
    (settings / "buildflags.conf").write_text("append CFLAGS -DSTRANGE\n")
    (settings / "buildpackage.conf").write_text("jobs = 7\nbuild-profiles = nodoc\n")
    # rustup's compiler is found by HOME. Kconfig asks it for its version, which is in .config, so
    # it is one of the inputs: the same for both.
    for name in (".rustup", ".cargo"):
        if (Path.home() / name).exists():
            (place.root / "home" / name).symlink_to(Path.home() / name)
    return {"HOME": str(place.root / "home")}


def strange_language(place: Place) -> dict[str, str]:
    """The names of days are others."""
    directory = place.root / "locale"
    directory.mkdir(parents=True)
    argv = ["localedef", "-i", "es_GT", "-f", "UTF-8", str(directory / "es_GT.UTF-8")]
    try:
        subprocess.run(argv, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        log_line(f"{place.name}: the language is one that this machine does not know")
    return {"LOCPATH": str(directory)}


def build(place: Place, usual: float = 0) -> tuple[Path, float]:
    """(directory of the finished build, seconds that it took); `usual`: what others took"""
    started = time.monotonic()
    before: tuple[str, ...] = ()
    environment = {**os.environ, **place.environment}
    if place.other_machine:
        before = other_machine(place)
        for more in (strange_home, strange_language, other_date):
            environment.update(more(place))
    for name in ("modules", "tools"):
        copy = place.root / "oslab" / name
        shutil.copytree(KERNEL / name, copy, copy_function=shutil.copy)
    parameters = {
        "tree": str(place.tree),
        "store": str(place.store),
        "jobs": place.jobs,
        "ccache": place.ccache is not None,
        "ccache_dir": str(place.ccache) if place.ccache else None,
        "modules_source": str(place.root / "oslab/modules"),
        "tools_source": str(place.root / "oslab/tools"),
        **place.parameters,
    }
    if place.kills:
        kill(place, parameters, environment, usual * KILL_WITHIN)
    module("kernel_build", parameters, environment, before, place.umask)
    seconds = time.monotonic() - started
    log_line(f"{place.name}: built in {seconds:.0f} s, in {place.tree}")
    return compare.build_directory(place.store), seconds


def kill(
    place: Place, parameters: Mapping[str, Any], environment: Mapping[str, str], seconds: float
) -> None:
    """At moments that lie all over the build, as each goes on where the one before ended."""
    seed = int(os.environ.get("OSLAB_SEED") or random.randrange(1 << 32))
    moments = random.Random(seed)
    log_line(
        f"{place.name}: killed {place.kills} times (again at these moments: OSLAB_SEED={seed})"
    )
    arguments = place.root / "arguments.json"
    arguments.write_text(json.dumps(dict(parameters)))
    status = place.tree.parent / f"{place.tree.name}.build/status.json"
    for _number in range(place.kills):
        moment = moments.uniform(0.5, seconds)
        process = module_process.start("kernel_build", arguments, environment=environment)
        line = module_process.kill_build_after(moment, process, status)
        log_line(f"{place.name}: killed after {moment:.1f} s; it had said: {line}")
        bad = compare.half_made(place.store)
        if bad:
            raise RunError(f"a killed build left something half-made: {bad}")


def places(
    work: Path, memory: Path, jobs: int, parameters: Mapping[str, Any], ccache: Path
) -> list[Place]:
    second, third = memory / "a/longer/path", work / "third"
    return [
        Place(
            "first",
            work / "first",
            work / "first/linux",
            jobs,
            ccache=ccache,
            parameters=parameters,
        ),
        Place(
            "second",
            second,
            second / "source",
            jobs + 1,
            umask=0o077,
            environment=STRANGE,
            other_machine=True,
            parameters=parameters,
        ),
        Place(
            "third",
            third,
            third / "trees/kernel",
            1,
            ccache=ccache,
            umask=0o002,
            parameters=parameters,
        ),
        Place(
            "fourth",
            work / "fourth",
            work / "fourth/linux",
            jobs,
            kills=KILLS,
            parameters=parameters,
        ),
    ]


def reproduce(
    source: Path,
    configs: Sequence[Path],
    work: Path,
    jobs: int,
    builds: int = 4,
    parameters: Optional[Mapping[str, Any]] = None,
    ccache: Optional[Path] = None,
) -> tuple[bool, str]:
    """(the same?, what to print); `ccache`: one that is kept (else the first build's is empty)"""
    memory = work
    if MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > MEMORY_NEEDED:
        memory = MEMORY / f"oslab-reproduce-{os.getpid()}"
    else:
        log_line(
            f"NOT varied: the file system (less than {MEMORY_NEEDED >> 30} GiB free in {MEMORY})"
        )
    try:
        shutil.rmtree(work, ignore_errors=True)
        work.mkdir(parents=True)
        ccache = ccache or work / "ccache"
        todo = places(work, memory, jobs, parameters or {}, ccache)[:builds]
        pristine = todo[0].tree
        log_line(f"unpacking {source}")
        have_tree(source, pristine)
        kernel_trees.patch(pristine, kernel_trees.plan_for(configs))
        kernel_trees.configure(pristine, configs, work / "wanted.config")
        for place in todo[1:]:
            copy_tree(pristine, place.tree, place.umask)
        first, seconds = build(todo[0])
        made = [first, *(build(place, seconds)[0] for place in todo[1:])]
        outcomes = [
            compare.report(made[0], other, work / "reports" / place.name)
            for place, other in zip(todo[1:], made[1:])
        ]
    finally:
        if memory != work:
            shutil.rmtree(memory, ignore_errors=True)
    for place, (same, report) in zip(todo[1:], outcomes):
        if not same:
            return False, f"The {place.name} build differs from the first.\n{report}"
    return True, outcomes[-1][1]


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--source", type=Path, help="tarball or unmodified tree (Debian's newest)")
    parser.add_argument("--config", type=Path, action="append", help="(small and more.config)")
    parser.add_argument("--work", type=Path, default=CACHE / "reproduce", help="(%(default)s)")
    parser.add_argument("--jobs", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--builds", type=int, choices=(2, 3, 4), default=4, help="(%(default)s)")
    parser.add_argument(
        "--parameter",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="of the module kernel_build, such as a key that signs; may be given repeatedly",
    )
    options = parser.parse_args()
    # So that what is in memory is removed.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    parameters: dict[str, Any] = dict(text.split("=", 1) for text in options.parameter)
    if not options.config:  # more.config makes debug information, so that is packaged too
        parameters.setdefault("debug_package", True)
    try:
        same, report = reproduce(
            options.source or find_source(),
            options.config or [SMALL, MORE],
            options.work.resolve(),
            options.jobs,
            options.builds,
            parameters,
        )
    except (RunError, kernel_trees.TreeError) as failure:
        print(failure, file=sys.stderr)
        return 2
    print(report)
    return 0 if same else 1


if __name__ == "__main__":
    sys.exit(main())
