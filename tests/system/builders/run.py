#!/usr/bin/env python3
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Let two builders with different systems build the same small kernel, and compare.

    run.py [--suite trixie] [--source TARBALL] [--only rebuild | --only host]

One builder is this machine. It writes a lock, builds in a build root, and is the one who publishes.
The other one is a root file system of Debian 13 that is all that it has: other compilers (rustc and
clang among them), another ansible-core, other paths, another host name, language and time zone. It
has the lock and the tarball, and an empty directory.

rebuild: it rebuilds the published kernel with playbooks/rebuild.yml, which has to say `identical`.
Then one file of a published package is another one, and has to be named.
host: it builds the same source with its own programs (build_environment: host).
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "collections"))

from ansible_collections.oslab.kernel.tests.integration.reproduce import compare
from ansible_collections.oslab.kernel.tests.integration.reproduce import run as reproduce
from ansible_collections.oslab.kernel.tests.lib import kernel_trees
from ansible_collections.oslab.kernel.tests.lib.locked_builder import Builder, altered, target
from ansible_collections.oslab.kernel.tests.lib.playbook import Run
from ansible_collections.oslab.kernel.tests.lib.script import RunError, log_line
from ansible_collections.oslab.kernel.tests.system.builders.other_system import (
    OtherSystem,
    have_root,
)

CACHE = Path(os.environ.get("OSLAB_CACHE") or Path.home() / ".cache/oslab-kernel")
ALL = ("rebuild", "host")
# Of a playbook that failed.
LAST = 6000


def check(good: bool, what: str, details: str = "") -> None:
    log_line(f"{'ok    ' if good else 'WRONG '} {what}")
    if not good:
        raise RunError(details[-LAST:] or what)


def succeeded(done: Run, what: str) -> str:
    """What a playbook printed, in one line."""
    check(done.status == 0, what, done.output)
    return " ".join(done.output.split())


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


def publish(alice: Builder) -> Path:
    """Her build, made by her lock; the directory with it."""
    succeeded(alice.run("lock.yml"), "the first builder writes a lock")
    succeeded(alice.run("build.yml"), "the first builder builds by it")
    [store] = (alice.work / "store").glob("[0-9a-f]*")
    return store


def rebuild(bob: Builder, alice: Builder, store: Path) -> None:
    """Bob has what is in git, and nothing else."""
    for name in (alice.lock.name, str(alice.variables["config_base"])):
        shutil.copy(alice.repository / name, bob.repository / name)
    [document] = store.glob("*.buildinfo")
    given = bob.repository / document.name
    shutil.copy(document, given)
    done = bob.run("rebuild.yml", build_published=bob.seen(given))
    said = succeeded(done, "the other one rebuilds it")
    count = len(list(store.glob("*.deb")))
    wanted = f"identical: all {count} packages of {store.name[:12]}"
    check(wanted in said, wanted, said)

    [image] = store.glob("linux-image-*.deb")
    scratch = bob.repository / "other"
    scratch.mkdir()
    other = altered(image, scratch)
    text = given.read_text()
    good_sum, bad_sum = compare.sha256(image), compare.sha256(other)
    given.write_text(text.replace(good_sum, bad_sum))
    done = bob.run(
        "rebuild.yml",
        build_published=bob.seen(given),
        build_published_packages=bob.seen(other.parent),
    )
    said = " ".join(done.output.split())
    good = done.status == 2 and f"published {bad_sum}, rebuilt {good_sum}" in said
    check(good and "boot/config-" in said, "a package with another file is found and named", said)


def build_with_own_programs(bob: Builder, config: Path) -> None:
    shutil.copy(config, bob.repository / config.name)
    bob.targets = {"small": target(config.read_text())}
    done = bob.run("build.yml", build_environment="host", build_lock="")
    succeeded(done, "it builds the same source with its own programs")
    [store] = (bob.work / "store").glob("[0-9a-f]*")
    manifest = json.loads((store / "oslab-kernel.json").read_text())
    log_line(f"       {manifest['release']}: {manifest['toolchain']['gcc']}")


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--suite", default="trixie", help="of the other builder (%(default)s)")
    parser.add_argument("--source", type=Path, help="a tarball (default: Debian's, in /usr/src)")
    parser.add_argument("--work", type=Path, default=CACHE / "builders", help="(%(default)s)")
    parser.add_argument("--only", choices=ALL, action="append", help="not all of it")
    options = parser.parse_args()
    only = options.only or ALL
    try:
        options.work.mkdir(parents=True, exist_ok=True)
        tarball = options.source or reproduce.find_source()
        root = have_root(options.suite, options.work / "systems")
        config = small_config(tarball, options.work)
        for name in ("alice", "bob"):
            shutil.rmtree(options.work / name, ignore_errors=True)
        bob = OtherSystem(options.work / "bob", tarball, root)
        bob.variables = variables(config)
        if "rebuild" in only:
            alice = Builder(options.work / "alice", tarball)
            alice.variables = variables(config)
            alice.targets = {"small": target(config.read_text())}
            shutil.copy(config, alice.repository / config.name)
            rebuild(bob, alice, publish(alice))
        if "host" in only:
            build_with_own_programs(bob, config)
    except (RunError, kernel_trees.TreeError) as failure:
        print(failure, file=sys.stderr)
        return 1
    log_line("all is well")
    return 0


if __name__ == "__main__":
    sys.exit(main())
