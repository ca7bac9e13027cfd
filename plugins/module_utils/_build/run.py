# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Carry a planned build out, from `make bindeb-pkg` to the entry in the store."""

from __future__ import annotations

import contextlib
import os
import re
import resource
import selectors
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Callable, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._build import (
    attach,
    buildinfo,
    deb,
    module_file,
    package_files,
    reproducible,
    reuse,
    signatures,
    signing,
)
from ansible_collections.oslab.kernel.plugins.module_utils._build import plan as build_plan
from ansible_collections.oslab.kernel.plugins.module_utils._build import store as build_store
from ansible_collections.oslab.kernel.plugins.module_utils._build.identity import left_by_make
from ansible_collections.oslab.kernel.plugins.module_utils._build.job import Job, StoppedError
from ansible_collections.oslab.kernel.plugins.module_utils._build.log import compiler_error
from ansible_collections.oslab.kernel.plugins.module_utils._build.plan import Plan
from ansible_collections.oslab.kernel.plugins.module_utils._build.progress import (
    Progress,
    existing,
    expected_objects,
)
from ansible_collections.oslab.kernel.plugins.module_utils._build.signatures import Signatures
from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    atomic_file,
    json_file,
    manifest,
    own_packages,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._source import workdir

# Of the working files, what is /tmp in a build root.
TEMPORARY = "tmp"
# Seconds before a build was broken off in which objects may be half-written: a killed compiler has
# not gone on, and a machine without power has not brought to its disk what it had in memory.
DOUBTFUL = {"kill": 30, "machine": 120}

DEPMOD = """#!/bin/sh
set -e
if [ -d /lib/modules/{release} ]; then
	depmod {release}
fi
"""

# Python leaves compiled files beside a module, which dpkg knows nothing of.
PYTHON_CLEAN = f"""#!/bin/sh
set -e
if command -v py3clean >/dev/null 2>&1; then
	py3clean -p {own_packages.TOOLS}
fi
"""


class StepError(Exception):
    """A program of the build failed; the message shows its error."""


# Said to the user as they are.
FAILURES = (
    StepError,
    attach.AttachError,
    buildinfo.BuildInfoError,
    signing.SigningError,
    deb.PackageError,
    module_file.ModuleFileError,
    package_files.ListError,
)


def remove_recent_records(tree: Path, seconds: float) -> int:
    """Make kbuild compile again what it compiled last before it was killed.

    kbuild makes an object anew if there is no record (`.NAME.cmd`) of how it was made. A killed
    compiler may leave a part of an object, newer than its sources and with the record of an
    earlier one, which would pass for good.
    """
    records: list[tuple[float, Path]] = []
    for record in reuse.records(tree):
        times = [record.stat().st_mtime]
        with contextlib.suppress(OSError):
            times.append(record.with_name(record.name[1:-4]).stat().st_mtime)
        records.append((max(times), record))
    latest = max((when for when, _record in records), default=0.0)
    doubtful = [record for when, record in records if when > latest - seconds]
    for record in doubtful:
        record.unlink()
    return len(doubtful)


def cpu_seconds() -> float:
    """Of this process and all that it has waited for: the cost of a build on a busy machine."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return round(sum(one.ru_utime + one.ru_stime for one in used), 1)


class Build:
    def __init__(self, plan: Plan, job: Job, inherited: Mapping[str, str]) -> None:
        self.plan = plan
        self.options = plan.options
        self.job = job
        self.where = plan.options.environment
        self.inherited = self.where.inherited(inherited)
        self.environment = build_plan.environment(plan, self.inherited)
        self.log = self.options.work / "build.log"
        self.progress = Progress(time.time(), set())
        self.seconds: dict[str, float] = {}
        self.started = time.monotonic()

    def _times(self) -> dict[str, float]:
        """When the build ended, in seconds since 1970, and how many it took."""
        return {"ended": int(time.time()), "duration": round(time.monotonic() - self.started, 1)}

    def run(self, replan: Callable[[], Plan], *, broken_off: Optional[str]) -> dict[str, Any]:
        """The whole build. What it returns is the outcome of the job.

        `broken_off`: what has ended the one before, see `Job.broken_off`.
        """
        tree, work = self.options.tree, self.options.work
        self.log.write_bytes(b"")
        try:
            if broken_off:
                remove_recent_records(tree, DOUBTFUL[broken_off])
            self._take_from_another_tree()
            self._clear_old_packages()
            reproducible.write_programs(work, self._find)
            self.where.prepare()
            manifest.write(tree, self.plan.manifest)
            config = {name: value.strip('"') for name, value in self.plan.config.items()}
            objects = expected_objects(tree, config)
            self.progress = Progress(time.time(), objects, existing(tree, objects))
            self._own_syscalls()
            command = build_plan.package_command(self.options, self.environment)
            self._step("kernel", "the kernel does not compile", command, tree)
            self._check_release()
            built = work / "packages"
            shutil.rmtree(built, ignore_errors=True)
            built.mkdir()
            if self.options.modules_source:
                self._modules(self.options.modules_source, built)
            if self.options.tools_source:
                self._tools(self.options.tools_source, built)
            signed = self._sign(built)
            if replan().build_id != self.plan.build_id:
                raise StepError(
                    f"{tree} was changed while it was being built (a source, .config or the "
                    "compiler): nothing was stored; run it again"
                )
            return {"changed": True, "build_result": self._store(built, signed)}
        except (*FAILURES, OSError) as error:
            failed = {"failed": True, "changed": False, "msg": str(error), "log": str(self.log)}
            return {**failed, **self._times()}

    # --- running programs

    def _find(self, name: str) -> Optional[str]:
        return self.where.find(name, build_plan.program_path(self.inherited))

    def _show(self, phase: str, last: str = "") -> None:
        self.progress.phase, self.progress.last = phase, last
        self.job.report("running", self.progress.describe(time.time()))

    def _step(self, name: str, failure: str, argv: Sequence[str], directory: Path) -> None:
        started = time.time()
        begin = self.log.stat().st_size
        status = self._follow(argv, directory)
        self.seconds[name] = round(self.seconds.get(name, 0.0) + time.time() - started, 1)
        if status == 0:
            return
        with self.log.open("rb") as stream:
            stream.seek(begin)
            lines = stream.read().decode(errors="replace").splitlines()
        error = "\n".join(f"  {line}" for line in compiler_error(lines))
        command = build_plan.shell_command(argv, directory, self.environment, self.where)
        raise StepError(
            f"{failure} ({argv[0]} ended with status {status}). It said:\n\n{error}\n\n"
            f"Everything it said: {self.log}\nTo run it by hand:\n  {command}"
        )

    def _follow(self, argv: Sequence[str], directory: Path) -> int:
        """Run a program, its output into the log, its progress into the job's status."""
        process = subprocess.Popen(
            self.where.command(argv, directory, self.environment),
            cwd=directory,
            env=self.where.variables(self.environment),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            # Whoever holds this descriptor holds the lock of the tree.
            pass_fds=[self.job.lock_fd],
        )
        if process.stdout is None:
            raise AssertionError("stdout is a pipe")
        pipe = process.stdout.fileno()
        os.set_blocking(pipe, False)
        shown = reported = ""
        rest = b""
        with selectors.DefaultSelector() as selector, self.log.open("ab") as log:
            selector.register(pipe, selectors.EVENT_READ)
            due = time.time() + 1
            while True:
                ready = selector.select(timeout=1)
                chunk = os.read(pipe, 1 << 16) if ready else None
                if chunk:
                    log.write(chunk)
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in lines:
                        self.progress.feed(line.decode(errors="replace"), time.time())
                if chunk == b"":
                    break
                if time.time() < due:
                    continue
                due = time.time() + 1
                log.flush()
                shown = self.progress.describe(time.time())
                if shown != reported:
                    self.job.report("running", shown)
                    reported = shown
                try:
                    self.job.check()
                except StoppedError:
                    self._end(process)
                    raise
        return process.wait()

    @staticmethod
    def _end(process: subprocess.Popen[bytes]) -> None:
        """End everything that was started; make removes what it has half made."""
        os.killpg(os.getpgrp(), signal.SIGTERM)
        try:
            process.communicate(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()

    def _run(
        self,
        argv: Sequence[str],
        cwd: Optional[Path] = None,
        environment: Optional[Mapping[str, str]] = None,
    ) -> Result:
        values = self.environment if environment is None else environment
        done = subprocess.run(
            self.where.command(argv, cwd, values),
            cwd=cwd,
            env=self.where.variables(values),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return Result(done.returncode, done.stdout.decode(errors="replace"))

    # --- the parts

    def _take_from_another_tree(self) -> None:
        """What it cannot have is made; that takes longer and is no error."""
        tree = self.options.tree
        reuse.recover(tree)
        if not self.options.reuse:
            return
        self._show("preparing", "objects of another tree")
        try:
            taken = reuse.take(tree, self.plan.manifest)
        except OSError as error:
            said = f"no objects of another tree: {error}"
        else:
            said = f"{taken.files} files of {taken.tree}" if taken else ""
        if said:
            with self.log.open("a", encoding="utf-8") as log:
                log.write(f"oslab.kernel: {said}\n")

    def _own_syscalls(self) -> None:
        """What the user wrote, before the hour that the rest may take. Nothing is done twice."""
        objects = build_plan.own_objects(self.plan)
        if not objects:
            return
        command = build_plan.objects_command(self.options, self.environment, objects)
        sources = " and ".join(name[: -len(".o")] + ".c" for name in objects)
        failure = f"what patch_syscalls or patch_syscalls_extra adds as {sources} does not compile"
        self._step("syscalls", failure, command, self.options.tree)

    def _sign(self, built: Path) -> Optional[Signatures]:
        """The second step, after all packages are made without signatures."""
        keys, plan = self.options.keys, self.plan
        if not keys.certificates():
            return None
        self._show("signing", "the image and the modules")
        started = time.time()
        settings = signing.Settings(
            build_id=plan.build_id,
            digest=plan.config.get("CONFIG_MODULE_SIG_HASH", "").strip('"') or "sha512",
            epoch=plan.inputs.source_date_epoch,
            jobs=self.options.job_count,
            work=self.options.work,
        )
        packages = self._made(built)
        made = signing.sign_packages(packages, keys, settings, self._run, self.environment)
        # Signatures of other packages fit none of these; the comparison names what differs.
        if made and (keys.published is None or signing.are_for(keys.published, made)):
            signing.check_packages(packages, keys, self.options.work)
        self.seconds["signing"] = round(time.time() - started, 1)
        return made

    def _clear_old_packages(self) -> None:
        """Of builds that did not come to their end; only files that are named as ours."""
        ours = re.compile(rf"_[^_]*{own_packages.ENDING}_{self.plan.inputs.machine}\.[a-z]+$")
        for path in self.options.tree.parent.iterdir():
            if ours.search(path.name) and path.is_file():
                path.unlink()

    def _check_release(self) -> None:
        made = (self.options.tree / "include/config/kernel.release").read_text().strip()
        if made != self.plan.inputs.release:
            raise StepError(
                f"the kernel calls itself {made}, not {self.plan.inputs.release}: see what adds "
                "to its name (CONFIG_LOCALVERSION_AUTO, .scmversion, build_make_args)"
            )

    def _package(self, name: str, root: Path, built: Path, **fields: Any) -> None:
        package = deb.Package(
            name=name,
            version=self.plan.version,
            architecture=self.plan.inputs.machine,
            source="linux-upstream",
            **fields,
        )
        self._show("packaging", name)
        deb.build(package, root, built, self._run, self.environment)

    def _modules(self, source: Path, built: Path) -> None:
        release = self.plan.inputs.release
        directory = self._copy(source, "modules")
        self._show("packaging", "the /proc modules")
        tree = self.options.tree
        failure = f"the modules in build_modules_source {source} do not compile"
        given = (self.options, self.environment, directory)
        self._step("modules", failure, build_plan.modules_command(*given, "modules"), tree)
        root = self._root("modules-root")
        install = [f"INSTALL_MOD_PATH={root}", "INSTALL_MOD_DIR=extra/oslab", "DEPMOD=true"]
        install.append("INSTALL_MOD_STRIP=1")
        command = build_plan.modules_command(*given, "modules_install", *install)
        self._step("modules", "the modules cannot be installed", command, tree)
        for index in (root / "lib/modules" / release).glob("modules.*"):
            index.unlink()  # depmod's, made where the package is installed
        if not list(root.rglob("*.ko*")):
            return  # the configuration leaves none of them
        self._package(
            f"{own_packages.MODULES}-{release}",
            root,
            built,
            section="kernel",
            summary=f"/proc modules of oslab.kernel for Linux {release}",
            description="Show what the kernel's own syscalls answer, in files under /proc.",
            depends=f"linux-image-{release} (= {self.plan.version}), kmod",
            scripts={
                "postinst": DEPMOD.format(release=release),
                "postrm": DEPMOD.format(release=release),
            },
        )

    def _tools(self, source: Path, built: Path) -> None:
        directory = self._copy(source, "tools")
        root = self._root("tools-root")
        headers = self.options.tree / "debian/linux-libc-dev/usr/include"
        include = [headers, *(path.parent for path in headers.glob("*-linux-gnu*/asm"))]
        flags = " ".join(f"-isystem {path}" for path in include)
        failure = f"the programs in build_tools_source {source} do not compile"
        self._show("packaging", "the programs")
        if (directory / "Makefile").is_file():
            module = self.options.work / "oslab_kernel.py"
            module.write_bytes(build_plan.PYTHON_MODULE)
            command = [
                "make",
                f"-j{self.options.job_count}",
                f"CC={build_plan.compiler(self.options)}",
                f"KHDR_INCLUDES={flags}",
                "LDFLAGS=-static -s",
                f"PYTHON_MODULE={module}",
                f"DESTDIR={root}",
                "PREFIX=/usr",
                "all",
                "install",
            ]
            self._step("tools", failure, command, directory)
        else:
            (root / "usr/bin").mkdir(parents=True)
            for file in sorted(directory.glob("*.c")):
                program = ["-o", str(root / "usr/bin" / file.stem), file.name]
                command = ["gcc", "-O2", "-Wall", "-static", "-s", *flags.split(), *program]
                self._step("tools", failure, command, directory)
        if not any(path.is_file() for path in root.rglob("*")):
            return
        self._package(
            own_packages.TOOLS,
            root,
            built,
            section="utils",
            summary="programs that call the syscalls of oslab.kernel",
            description="They are statically linked. Beside them a header for C programs and the"
            "\n module oslab_kernel for Python programs; and oslab-as-linux, with an interpreter"
            "\n for Ansible, for programs that do not know a kernel of another name.",
            suggests="linux-libc-dev, python3",
            scripts={"prerm": PYTHON_CLEAN},
        )

    def _copy(self, source: Path, name: str) -> Path:
        """A copy to build in, so that the sources stay as they are."""
        directory = self.options.work / name
        shutil.rmtree(directory, ignore_errors=True)
        shutil.copytree(
            source, directory, ignore=lambda _dir, names: [n for n in names if left_by_make(n)]
        )
        workdir.tighten(directory, os.geteuid())
        return directory

    def _root(self, name: str) -> Path:
        root = self.options.work / name
        shutil.rmtree(root, ignore_errors=True)
        root.mkdir()
        return root

    # --- the store

    def _made(self, built: Path) -> list[Path]:
        """The packages of this build: bindeb-pkg's beside the tree, and ours."""
        suffix = f"_{self.plan.version}_{self.plan.inputs.machine}.deb"
        return [*self.options.tree.parent.glob(f"*{suffix}"), *built.glob("*.deb")]

    def _store(self, built: Path, signed: Optional[Signatures]) -> dict[str, Any]:
        """Move the packages into the store: all of them or none."""
        plan, tree = self.plan, self.options.tree
        store = self.options.store
        self._show("storing", plan.build_id[:12])
        prefix = build_store.temporary_prefix(tree)
        new = build_store.temporary_directory(store, prefix, time.time())
        try:
            for path in self._made(built):
                if self.options.debug_package or not path.name.split("_")[0].endswith("-dbg"):
                    shutil.move(str(path), new / path.name)
            self._clear_old_packages()
            shutil.copy(tree / manifest.NAME, new / manifest.NAME)
            described = {}
            if signed:
                described = {"signatures": signed.described()}
                atomic_file.write(new / signatures.NAME, signed.encode(), 0o644)
            packages = build_plan.describe_packages(new)
            wanted = [f"linux-image-{plan.inputs.release}", "linux-libc-dev"]
            missing = [name for name in wanted if name not in packages]
            if missing:
                raise StepError(f"bindeb-pkg made no {', '.join(missing)}; see {self.log}")
            result = {
                "release": plan.inputs.release,
                "version": plan.version,
                "build_id": plan.build_id,
                "store": str(plan.target),
                "packages": packages,
                **package_files.write_list(new, packages, tree / "vmlinux", plan.manifest),
                **described,
                **buildinfo.write(new, plan, packages, self._run, self.environment, signed),
                "manifest": dict(plan.manifest),
                "compiled": True,
                **self._times(),
            }
            record = {**result, "inputs": vars(plan.inputs), "seconds": self.seconds}
            record["cpu_seconds"] = cpu_seconds()
            record["command"] = build_plan.shell_command(
                build_plan.package_command(self.options, self.environment),
                tree,
                self.environment,
                self.where,
            )
            json_file.write(new / build_plan.RESULT, record)
            new.chmod(0o755)
            build_store.sync(new)
            there: Optional[dict[str, Any]] = None

            def is_good() -> bool:
                nonlocal there
                there = build_plan.stored(store, plan.build_id)
                return there is not None and not self.options.force

            if not build_store.put(new, plan.target, prefix, is_good) and there:
                return {**build_plan.contract(there), "compiled": True}
            return result
        finally:
            shutil.rmtree(new, ignore_errors=True)
