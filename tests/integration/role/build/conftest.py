# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A fake tree as the earlier roles would leave it, and a playbook of the role build alone."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.tests.lib import module_process

ROOT = Path(__file__).resolve().parents[4]

FAKE = ROOT / "tests" / "fixtures" / "fakelinux"

MANIFEST_RULE = """
ifndef M
modules_install: oslab_manifest_install
oslab_manifest_install:
	$(Q)install -D -m 0644 $(srctree)/oslab-kernel.json $(MODLIB)/oslab-kernel.json
endif
"""

PLAY = [
    {
        "name": "Build",
        "hosts": "kernel_builders",
        "gather_facts": False,
        "roles": ["oslab.kernel.build"],
        "tasks": [
            {
                "name": "Show the result",
                "ansible.builtin.copy": {
                    "content": "{{ build_result | to_json }}",
                    "dest": "{{ shown_result }}",
                    "mode": "0644",
                },
                "changed_when": False,
                "check_mode": False,
            }
        ],
    }
]

MODULE = """#include <linux/module.h>
MODULE_LICENSE("GPL");
"""

TOOL = """#include <stdio.h>
int main(void) { puts("hello from a tool"); return 0; }
"""


class Role:
    """The role build on a tree of its own."""

    def __init__(self, directory: Path, playbook):
        self.directory = directory
        self.tree = directory / "trees" / "fake" / "linux"
        self.store = directory / "store"
        self.work = self.tree.parent / "linux.build"
        self._playbook = playbook
        self.variables = {
            "build_tree": str(self.tree),
            "build_store": str(self.store),
            "build_min_free_gib": 1,
            "build_modules_source": str(directory / "sources" / "modules"),
            "build_tools_source": str(directory / "sources" / "tools"),
            "shown_result": str(directory / "result.json"),
        }
        self.book = directory / "play.json"
        self.book.write_text(json.dumps(PLAY))

    def prepare(self):
        shutil.copytree(FAKE, self.tree)
        makefile = self.tree / "Makefile"
        text = makefile.read_text().replace("EXTRAVERSION =\n", "EXTRAVERSION = -49-usac1\n")
        makefile.write_text(text + MANIFEST_RULE)
        state = self.tree / ".oslab"
        state.mkdir()
        source = {"version": "6.12.0", "sha256": "5" * 64, "source_date_epoch": 1700000000}
        (state / "source.json").write_text(json.dumps({**source, "provider": "file"}))
        patch = {"sysname": "Usac Linux", "banner": "hi", "syscalls": {"a": 463}, "patches": []}
        (state / "patch.json").write_text(json.dumps({**patch, "sha256": "6" * 64}))
        subprocess.run(["make", "-s", "defconfig"], cwd=self.tree, check=True)
        sources = self.directory / "sources"
        (sources / "modules").mkdir(parents=True)
        (sources / "modules" / "hello_mod.c").write_text(MODULE)
        (sources / "modules" / "Makefile").write_text("obj-m += hello_mod.o\n")
        (sources / "tools").mkdir()
        (sources / "tools" / "hello_tool.c").write_text(TOOL)

    def run(self, *options, **variables):
        return self._playbook(str(self.book), *options, **{**self.variables, **variables})

    @property
    def result(self):
        return json.loads((self.directory / "result.json").read_text())

    def builds(self):
        """Finished builds, and whatever else is in the store."""
        return sorted(path.name for path in self.store.iterdir()) if self.store.exists() else []


class ModuleBuild:
    """The module kernel_build on the role's tree, in a process group of its own."""

    def __init__(self, role, directory, moved=False, **changes):
        self.directory = directory
        if moved:  # another tree of the same content
            shutil.copytree(role.directory / "trees", directory / "trees", symlinks=True)
            shutil.copytree(role.directory / "sources", directory / "sources")
        self.tree = directory / "trees" / "fake" / "linux"
        self.store = directory / "store"
        self.work = self.tree.parent / "linux.build"
        self.arguments = directory / "arguments.json"
        self.arguments.write_text(
            json.dumps(
                {
                    "tree": str(self.tree),
                    "store": str(self.store),
                    "jobs": 2,
                    "ccache_dir": str(directory / "ccache"),
                    "modules_source": str(directory / "sources" / "modules"),
                    "tools_source": str(directory / "sources" / "tools"),
                    "make_args": ["FAKE_SLEEP=0.05"],
                    **changes,
                }
            )
        )

    def start(self, *options, environment=()):
        return module_process.start(
            "kernel_build", self.arguments, *options, environment=dict(environment)
        )

    def finish(self, *options, **given):
        """What the module returns."""
        output, _none = self.start(*options, **given).communicate(timeout=60)
        return json.loads(output.splitlines()[-1])

    def kill_after(self, seconds):
        module_process.kill_build_after(seconds, self.start(), self.work / "status.json")

    def packages(self):
        """Name → bytes of what the store has; all that bears a build's name is complete."""
        found = [path for path in self.store.glob("*") if not path.name.startswith(".")]
        if not found:
            return {}
        (build,) = found
        record = json.loads((build / "build.json").read_text())
        made = {name: (build / about["file"]) for name, about in record["packages"].items()}
        for name, path in made.items():
            assert path.stat().st_size == record["packages"][name]["size"]
            subprocess.run(["dpkg-deb", "--info", path], check=True, stdout=subprocess.DEVNULL)
        return {name: path.read_bytes() for name, path in made.items()}


@pytest.fixture
def module_build():
    return ModuleBuild


@pytest.fixture
def role(tmp_path, playbook):
    made = Role(tmp_path, playbook)
    made.prepare()
    return made
