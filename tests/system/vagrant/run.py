#!/usr/bin/env python3
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Molecule's default scenario in a machine of Vagrant's.

    run.py [MOLECULE'S COMMAND]...      test, unless another is given, such as converge or login

The box is the one of `make box`, for libvirt, unless the environment names another:

    OSLAB_VAGRANT_BOX        a box that Vagrant finds by itself, such as debian/bookworm64
    OSLAB_VAGRANT_PROVIDER   libvirt or virtualbox
    OSLAB_VAGRANT_DRIVER     kvm or qemu, for libvirt; chosen by what works, unless given

Vagrant's own files are kept in the cache. When the machine is gone, so are its network, its storage
and the daemons that were started for it.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "collections"))

from ansible_collections.oslab.kernel.tests.lib.script import RunError
from ansible_collections.oslab.kernel.tests.system.vagrant import libvirt_host

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]

CACHE = Path(os.environ.get("OSLAB_CACHE") or Path.home() / ".cache/oslab-kernel")
# VirtualBox shows a machine this host's loopback address under this one.
VIRTUALBOX_HOST = "10.0.2.2"


def built_box() -> dict[str, str]:
    """What `make box` says of its last one."""
    try:
        known: dict[str, str] = json.loads((CACHE / "boxes/box.json").read_text())
    except OSError:
        return {}
    return known


def settings(given: dict[str, str], built: dict[str, str]) -> dict[str, str]:
    """What molecule/vagrant/molecule.yml takes from the environment."""
    box, url = given.get("OSLAB_VAGRANT_BOX", ""), ""
    provider = given.get("OSLAB_VAGRANT_PROVIDER") or "libvirt"
    if provider not in ("libvirt", "virtualbox"):
        raise RunError(f"OSLAB_VAGRANT_PROVIDER is {provider!r}: libvirt or virtualbox is possible")
    if not box:
        if provider != "libvirt":
            raise RunError(f"`make box` makes none for {provider}: name one in OSLAB_VAGRANT_BOX")
        if not built:
            raise RunError("there is no box: call `make box`, or name one in OSLAB_VAGRANT_BOX")
        box, url = built["name"], built["url"]
    driver = given.get("OSLAB_VAGRANT_DRIVER") or built.get("driver") or "kvm"
    ours = provider == "libvirt"
    return {
        "OSLAB_VAGRANT_BOX": box,
        "OSLAB_VAGRANT_BOX_URL": url,
        "OSLAB_VAGRANT_PROVIDER": provider,
        "OSLAB_VAGRANT_DRIVER": driver,
        # Where this host listens, and what the machine calls that.
        "OSLAB_VAGRANT_LISTEN": libvirt_host.HOST if ours else "127.0.0.1",
        "OSLAB_VAGRANT_HOST": libvirt_host.HOST if ours else VIRTUALBOX_HOST,
        "VAGRANT_DEFAULT_PROVIDER": provider,
    }


def driver_modules() -> str:
    """The driver's module for Ansible, which Molecule no longer adds to where Ansible looks."""
    found = find_spec("molecule_plugins.vagrant")
    if found is None or found.submodule_search_locations is None:
        raise RunError("molecule-plugins is not installed: call `make test-vagrant`")
    return str(Path(found.submodule_search_locations[0]) / "modules")


def run(arguments: list[str]) -> int:
    chosen = settings(dict(os.environ), built_box())
    work = CACHE / "vagrant"
    environment = {
        **os.environ,
        **chosen,
        "ANSIBLE_LIBRARY": driver_modules(),
        "VAGRANT_HOME": str(work / "home"),
        # Nothing is asked of a server unless a box is.
        "VAGRANT_CHECKPOINT_DISABLE": "1",
        "VAGRANT_BOX_UPDATE_CHECK_DISABLE": "1",
    }
    command, *rest = arguments or ["test"]
    argv = [sys.executable, str(ROOT / "tests/system/molecule.py")]
    argv += ["--base-config", str(ROOT / "molecule/default/molecule.yml")]
    argv += [command, "--scenario-name", "vagrant", *rest]
    with contextlib.ExitStack() as stack:
        if chosen["OSLAB_VAGRANT_PROVIDER"] == "libvirt":
            stack.enter_context(libvirt_host.running(work))
        status = subprocess.run(argv, cwd=ROOT, env=environment, check=False).returncode
        # Our own is unpacked again when it is needed; one that was fetched stays.
        if chosen["OSLAB_VAGRANT_BOX_URL"] and not libvirt_host.names("list"):
            subprocess.run(
                ["vagrant", "box", "remove", "--force", chosen["OSLAB_VAGRANT_BOX"]],
                env=environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                check=False,
            )
    return status


if __name__ == "__main__":
    try:
        sys.exit(run(sys.argv[1:]))
    except (RunError, libvirt_host.LibvirtError, FileNotFoundError) as error:
        sys.exit(f"{Path(__file__).name}: {error}")
