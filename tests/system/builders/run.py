#!/usr/bin/env python3
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let two builders with different systems build the same small kernel, and compare.

    run.py [--suite trixie] [--source TARBALL] [--only rebuild] [--only snapshot] [--only host]

One builder is this machine. It writes a lock, builds in a build root, and is the one who publishes.
The other one is a root file system of Debian 13 that is all that it has: other compilers (rustc and
clang among them), another ansible-core, another user who is not root, other paths, another host
name, language and time zone. It has the lock and the tarball, and an empty directory.

rebuild: it rebuilds the published kernel with playbooks/rebuild.yml, which has to say `identical`.
Then one byte of a published package is another one, and its file has to be named.
snapshot: it makes the build root of the lock from a local mirror in the layout of
snapshot.debian.org, without a network. A mirror with another byte, or without a package, is
refused. No kernel is compiled for it.
host: it builds the same source with its own programs (build_environment: host).

What the playbooks say is printed as they say it; whole outputs are in WORK/logs.
"""

from __future__ import annotations

import argparse
import base64
import getpass
import hashlib
import json
import os
import platform
import re
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "collections"))

from ansible_collections.oslab.kernel.plugins.module_utils._build import root as build_root
from ansible_collections.oslab.kernel.tests.integration.reproduce import compare
from ansible_collections.oslab.kernel.tests.integration.reproduce import run as reproduce
from ansible_collections.oslab.kernel.tests.lib import fake_builder, kernel_trees
from ansible_collections.oslab.kernel.tests.lib.locked_builder import Builder, altered, target
from ansible_collections.oslab.kernel.tests.lib.playbook import Run
from ansible_collections.oslab.kernel.tests.lib.script import RunError, log_line
from ansible_collections.oslab.kernel.tests.system.builders import snapshot
from ansible_collections.oslab.kernel.tests.system.builders.other_system import (
    HOME,
    HOSTNAME,
    USER,
    VARIABLES,
    OtherSystem,
    have_root,
)

CACHE = Path(os.environ.get("OSLAB_CACHE") or Path.home() / ".cache/oslab-kernel")
ALL = ("rebuild", "snapshot", "host")
SUITE = "bookworm"
# An essential package: apt fetches these first.
VICTIM = "perl-base"
# How the runs that only make a build root are called in what is printed.
ROOT_TASKS = "root.json"
# Of a playbook that failed.
LAST = 6000


def check(good: bool, what: str, details: str = "") -> None:
    log_line(f"{'ok    ' if good else 'WRONG '} {what}")
    if not good:
        raise RunError(details[-LAST:] or what)


def words(done: Run) -> str:
    """What a playbook printed, in one line."""
    return " ".join(done.output.split())


class Log:
    """Runs playbooks, keeps their outputs, and prints what they say."""

    def __init__(self, directory: Path) -> None:
        self._directory, self._count = directory, 0
        shutil.rmtree(directory, ignore_errors=True)
        directory.mkdir()

    def kept(self, name: str, book: str, done: Run) -> Run:
        """The same run; its messages are printed as a console shows them."""
        self._count += 1
        stem = Path(book.partition(" ")[0]).stem
        place = self._directory / f"{self._count}-{name}-{stem}.log"
        place.write_text(done.output)
        shown = f"{name}$ ansible-playbook {book}\n"
        for text in messages(done.output):
            shown += f"{text}\n"
        print(f"\n{shown}{name}$ echo $?\n{done.status}\n", flush=True)
        return done


def messages(output: str) -> list[str]:
    """Tasks that report something, or fail, as Ansible prints them."""
    parts = re.split(r"\n(?=TASK \[|PLAY |RUNNING HANDLER)", output)
    return [
        part.strip()
        for part in parts
        if part.startswith("TASK [") and re.search(r"^(fatal|failed): |^    msg: ", part, re.M)
    ]


def describe(name: str, system: str, user: str, paths: str, path: str) -> None:
    zone = VARIABLES["TZ"] if name == "bob" else os.environ.get("TZ", "that of the machine")
    log_line(f"{name}: {system}, {platform.machine()}; user {user}; {paths}; {zone}; PATH {path}")


def system_of(root: Path) -> str:
    found = re.search(r'(?m)^PRETTY_NAME="(.*)"', (root / "etc/os-release").read_text())
    return found[1] if found else "?"


def small_config(tarball: Path, work: Path) -> Path:
    """A whole configuration in which all is off that need not be on."""
    tree, config = work / "tree/linux", work / "base.config"
    if not config.exists():
        log_line("configuring a small kernel")
        shutil.rmtree(tree.parent, ignore_errors=True)
        reproduce.have_tree(tarball, tree)
        kernel_trees.patch(tree)
        files = [reproduce.SMALL, Path(__file__).with_name("small.config")]
        kernel_trees.configure(tree, files, work / "wanted.config")
        shutil.copy(tree / ".config", config)
        shutil.rmtree(tree.parent)
    return config


def variables(config: Path) -> dict[str, Any]:
    """What is in git, for both; the collection's defaults are the rest."""
    return {
        "source_provider": "file",
        "source_version": "6.12",
        "config_base": config.name,
        "config_localmodconfig": False,
        "build_lock": "kernel.lock",
        "build_environment": "root",
        "build_min_free_gib": 3,
        "build_smoke_test": False,
    }


def write_lock(alice: Builder, recording: Path, log: Log) -> None:
    """Her lock; what she asks Debian's archive for is kept as well."""
    with snapshot.recorded(recording, SUITE) as mirrors:
        done = alice.run("lock.yml", build_root_mirrors=mirrors)
    log.kept("alice", "playbooks/lock.yml", done)
    check(done.status == 0, "the first builder writes a lock", done.output)


def make_root(alice: Builder, recording: Path, log: Log) -> dict[str, Any]:
    """The root alone, as a lock would have it; the same is kept."""
    book = fake_builder.root_play(alice.repository / "root.json")
    roots = alice.work / "roots"
    with snapshot.recorded(recording, SUITE) as mirrors:
        done = alice.run(str(book), build_root_mirrors=mirrors, build_root_dir=str(roots))
    log.kept("alice", ROOT_TASKS, done)
    check(done.status == 0, "the first builder makes a build root", done.output)
    [record] = roots.glob("*/root.json")
    return build_root.locked(json.loads(record.read_text()))


def publish(alice: Builder, log: Log) -> Path:
    """Her build, made by her lock; the directory with it."""
    done = log.kept("alice", "playbooks/build.yml", alice.run("build.yml"))
    check(done.status == 0, "the first builder builds by it", done.output)
    [store] = (alice.work / "store").glob("[0-9a-f]*")
    return store


def prepare(bob: OtherSystem, log: Log, environment: str) -> None:
    """Somebody who may installs the packages; bob is no administrator."""
    bob.administrator = True
    try:
        done = bob.run(
            "build.yml", "--tags", "dependencies", build_lock="", build_environment=environment
        )
    finally:
        bob.administrator = False
    log.kept("bob", "playbooks/build.yml --tags dependencies", done)
    check(done.status == 0, "the other one has the packages of a builder", done.output)


def give(bob: Builder, alice: Builder) -> None:
    """What is in git, and nothing else; bob has her configuration already."""
    shutil.copy(alice.lock, bob.lock)


def rebuild(bob: Builder, store: Path, log: Log) -> None:
    [document] = store.glob("*.buildinfo")
    given = bob.repository / document.name
    shutil.copy(document, given)
    book = "playbooks/rebuild.yml -e build_published="
    done = bob.run("rebuild.yml", build_published=bob.seen(given))
    log.kept("bob", f"{book}{given.name}", done)
    check(done.status == 0, "the other one rebuilds it", done.output)
    count = len(list(store.glob("*.deb")))
    wanted = f"identical: all {count} packages of {store.name[:12]}"
    check(wanted in words(done), wanted, done.output)

    [image] = store.glob("linux-image-*.deb")
    scratch = bob.repository / "other"
    scratch.mkdir()
    other = altered(image, scratch)
    text = given.read_text()
    good_sum, bad_sum = compare.sha256(image), compare.sha256(other)
    check(good_sum in text and good_sum != bad_sum, "one byte of a package is another one")
    given.write_text(text.replace(good_sum, bad_sum))
    reuse(bob.work / "rebuild", given)
    done = bob.run(
        "rebuild.yml",
        build_published=bob.seen(given),
        build_published_packages=bob.seen(other.parent),
    )
    log.kept("bob", f"{book}{given.name} -e build_published_packages=…", done)
    said = words(done)
    good = done.status == 2 and f"published {bad_sum}, rebuilt {good_sum}" in said
    check(good and "boot/config-" in said, "the file with the other byte is named", done.output)


def reuse(directory: Path, document: Path) -> None:
    """Give the rebuild of another document what the last one has compiled.

    Each document has a directory of its own, so the same inputs would be compiled once more.
    """
    [last] = directory.iterdir()
    # As playbooks/tasks/read_published.yml names it.
    new = directory / hashlib.sha256(base64.b64encode(document.read_bytes())).hexdigest()[:12]
    new.mkdir()
    shutil.copystat(last, new)
    os.chown(new, last.stat().st_uid, last.stat().st_gid)
    for name in ("store", "roots"):
        (last / name).rename(new / name)


def rebuild_root(bob: OtherSystem, locked: dict[str, Any], recording: Path, log: Log) -> None:
    """From snapshots on the builder, without a network. `locked`: what a lock has of the root."""
    mirror = snapshot.Snapshot(bob, recording, locked)
    log_line(f"the root {locked['id']} has {len(locked['packages'])} packages")
    for entry in mirror.mirrors:
        log_line(f"build_root_mirrors: {entry}")
    [name] = [each for each in locked["packages"] if each.startswith(f"{VICTIM}:")]
    version = locked["packages"][name]["version"]

    mirror.alter(f"archive/debian/*/dists/{SUITE}/InRelease")
    done, made = mirror.make_root()
    said = words(log.kept("bob", ROOT_TASKS, done))
    good = done.status == 2 and not made and "does not verify the archive" in said
    check(good, "an index with another byte is refused", done.output)

    mirror.alter(f"{VICTIM}_*.deb")
    done, made = mirror.make_root()
    said = words(log.kept("bob", ROOT_TASKS, done))
    good = done.status == 2 and not made and "not the one that the signed index names" in said
    check(good and VICTIM in said, "a package with another byte is refused", done.output)

    mirror.lose(f"{VICTIM}_*.deb")
    done, made = mirror.make_root()
    said = words(log.kept("bob", ROOT_TASKS, done))
    good = done.status == 2 and not made and "Set build_root_mirrors to the archives" in said
    wanted = f"{name}.version: locked {version}, found nothing"
    check(good and wanted in said, "an archive without a package is refused", done.output)

    mirror.whole()
    done, made = mirror.make_root()
    log.kept("bob", ROOT_TASKS, done)
    check(done.status == 0, "the root of the lock is made of the snapshot alone", done.output)
    check(made == [locked["id"]], f"it has the same id: {locked['id']}", done.output)


def build_with_own_programs(bob: Builder, config: Path, log: Log) -> None:
    bob.targets = {"small": target(config.read_text())}
    done = bob.run("build.yml", build_environment="host", build_lock="")
    log.kept("bob", "playbooks/build.yml -e build_environment=host", done)
    check(done.status == 0, "it builds the same source with its own programs", done.output)
    [store] = (bob.work / "store").glob("[0-9a-f]*")
    manifest = json.loads((store / "oslab-kernel.json").read_text())
    log_line(f"       {manifest['release']}: {manifest['toolchain']['gcc']}")


def run(options: argparse.Namespace, only: Sequence[str]) -> None:
    """Raises RunError."""
    work: Path = options.work
    work.mkdir(parents=True, exist_ok=True)
    log = Log(work / "logs")
    tarball = options.source or reproduce.find_source()
    root = have_root(options.suite, work / "systems")
    config = small_config(tarball, work)
    for name in ("alice", "bob"):
        shutil.rmtree(work / name, ignore_errors=True)
    bob = OtherSystem(work / "bob", tarball, root)
    bob.variables = variables(config)
    shutil.copy(config, bob.repository / config.name)
    describe("bob", system_of(root), USER, f"{HOME} on {HOSTNAME}", bob.PATH)
    if {"rebuild", "snapshot"} & {*only}:
        alice = Builder(work / "alice", tarball)
        alice.variables = variables(config)
        alice.targets = {"small": target(config.read_text())}
        shutil.copy(config, alice.repository / config.name)
        here = f"{alice.work.parent} on {platform.node()}"
        describe("alice", system_of(Path("/")), getpass.getuser(), here, alice.path)
        prepare(bob, log, "root")
        recording = work / "recording"
        if "rebuild" in only:
            write_lock(alice, recording, log)
            give(bob, alice)
            locked = alice.locked["environment"]["root"]
        else:
            locked = make_root(alice, recording, log)
        if "snapshot" in only:
            rebuild_root(bob, locked, recording, log)
        if "rebuild" in only:
            rebuild(bob, publish(alice, log), log)
    if "host" in only:
        prepare(bob, log, "host")
        build_with_own_programs(bob, config, log)


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--suite", default="trixie", help="of the other builder (%(default)s)")
    parser.add_argument("--source", type=Path, help="a tarball (default: Debian's, in /usr/src)")
    parser.add_argument("--work", type=Path, default=CACHE / "builders", help="(%(default)s)")
    parser.add_argument("--only", choices=ALL, action="append", help="not all of it")
    options = parser.parse_args()
    try:
        run(options, options.only or ALL)
    except (RunError, kernel_trees.TreeError) as failure:
        print(failure, file=sys.stderr)
        return 1
    log_line("all is well")
    return 0


if __name__ == "__main__":
    sys.exit(main())
