# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The artefact holds what it should, and its playbooks run from where Galaxy puts them."""

from __future__ import annotations

import hashlib
import json
import tarfile
from pathlib import Path

import pytest
import yaml
from ansible_collections.oslab.kernel.tests.integration.galaxy.installation import (
    LITTER,
    ROOT,
    Installed,
)
from ansible_collections.oslab.kernel.tests.lib.playbook import write_inventory

# Of a checkout, and of no use in an installed collection.
LEFT_OUT = (
    ".",
    "Makefile",
    "ansible.cfg",
    "bench/",
    "collections/",
    "galaxy.yml",
    "molecule/",
    "pyproject.toml",
    "requirements",
    "site.yml",
)

# Of the tests, what ansible-test runs on the artefact and what that needs.
KEPT_TESTS = (
    "tests/config.yml",
    "tests/fixtures/",
    "tests/lib/",
    "tests/sanity/ignore-",
    "tests/unit/conftest.py",
    "tests/unit/plugins/",
)


def contents(artefact: Path) -> set[str]:
    with tarfile.open(artefact) as archive:
        return {item.name for item in archive if not item.isdir()}


def test_it_holds_what_git_keeps_and_nothing_else(artefact: Path, tracked: list[str]) -> None:
    wanted = {
        name
        for name in tracked
        if not name.startswith(LEFT_OUT)
        and not Path(name).name.startswith(".")
        and (name.startswith(KEPT_TESTS) or not name.startswith("tests/"))
    }
    assert contents(artefact) - {"MANIFEST.json", "FILES.json"} == wanted
    assert not contents(artefact) & set(LITTER)


def test_it_has_what_galaxy_and_its_tools_look_for(artefact: Path) -> None:
    assert contents(artefact) >= {
        "CHANGELOG.md",
        "COPYING",
        "README.md",
        "changelogs/changelog.yaml",
        "meta/execution-environment.yml",
        "meta/runtime.yml",
        "playbooks/site.yml",
        "tests/config.yml",
    }


def test_its_changelog_knows_its_version(installed: Installed) -> None:
    version = json.loads((installed.path / "MANIFEST.json").read_text())["collection_info"][
        "version"
    ]
    changelog = yaml.safe_load((installed.path / "changelogs/changelog.yaml").read_text())
    assert version in changelog["releases"]
    text = (installed.path / "CHANGELOG.md").read_text().replace("\\", "")
    assert f"## v{version}\n" in text


def test_its_execution_environment_names_files_that_are_there(installed: Installed) -> None:
    text = (installed.path / "meta/execution-environment.yml").read_text()
    for name in yaml.safe_load(text)["dependencies"].values():
        assert (installed.path / name).is_file(), name


def test_its_action_groups_are_of_modules_that_share_an_option(installed: Installed) -> None:
    runtime = yaml.safe_load((installed.path / "meta/runtime.yml").read_text())
    for option, modules in runtime["action_groups"].items():
        for name in modules:
            text = (installed.path / f"plugins/modules/{name}.py").read_text()
            documentation = yaml.safe_load(text.split('DOCUMENTATION = r"""')[1].split('"""')[0])
            assert option in documentation["options"], name


def test_modules_of_earlier_releases_are_there_or_name_another(installed: Installed) -> None:
    changelog = yaml.safe_load((installed.path / "changelogs/changelog.yaml").read_text())
    runtime = yaml.safe_load((installed.path / "meta/runtime.yml").read_text())
    routes = runtime["plugin_routing"]["modules"]
    releases = changelog["releases"].values()
    had = {module["name"] for release in releases for module in release.get("modules", [])}
    has = {path.stem for path in (installed.path / "plugins/modules").glob("*.py")}
    assert had - has <= set(routes)
    for name in had - has:
        assert "redirect" in routes[name] or "warning_text" in routes[name]["tombstone"], name


@pytest.fixture
def inventory(installed: Installed) -> Path:
    """The machine itself builds; nothing reaches the target."""
    path = installed.home / "hosts.yml"
    return write_inventory(path, kernel_targets={"hosts": {"target": None}})


def test_its_playbooks_are_found_by_name(installed: Installed, inventory: Path) -> None:
    names = sorted(path.stem for path in ROOT.glob("playbooks/*.yml"))
    books = [f"oslab.kernel.{name}" for name in names]
    done = installed.run("ansible-playbook", *books, "-i", inventory, "--syntax-check")
    assert done.returncode == 0, done.stderr
    found = [Path(line.partition(": ")[2]).stem for line in done.stdout.splitlines() if line]
    assert found == names
    # Groups that a play makes are not there yet.
    stderr_lines = [line for line in done.stderr.splitlines() if "ignoring: oslab_" not in line]
    assert [line for line in stderr_lines if line.startswith(("[WARNING]", "[ERROR]"))] == []


def test_site_has_the_tasks_of_all_roles(installed: Installed, inventory: Path) -> None:
    done = installed.run("ansible-playbook", "oslab.kernel.site", "-i", inventory, "--list-tasks")
    assert done.returncode == 0, done.stderr
    # These have playbooks of their own.
    roles = {path.name for path in (installed.path / "roles").iterdir()} - {"lab", "pull", "remove"}
    for role in roles:
        assert f"oslab.kernel.{role} : " in done.stdout, role


def test_roles_find_the_files_of_the_collection(
    installed: Installed, inventory: Path, tmp_path: Path
) -> None:
    """From a tarball to a patched tree, by the installed collection alone."""
    tarball = tmp_path / "mirror/v6.x/linux-6.12.tar.xz"
    tarball.parent.mkdir(parents=True)
    with tarfile.open(tarball, "w:xz") as archive:
        archive.add(ROOT / "tests/fixtures/fakelinux", "linux-6.12")
    variables = {
        "source_workdir": str(tmp_path / "work"),
        "source_version": "6.12",
        "source_mirrors": [f"file://{tmp_path}/mirror"],
        "source_sha256": hashlib.sha256(tarball.read_bytes()).hexdigest(),
    }
    done = installed.run(
        *("ansible-playbook", "oslab.kernel.build", "-i", inventory),
        *("--limit", "kernel_builders", "--tags", "source,version,patch"),
        *("--extra-vars", json.dumps(variables)),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    tree = tmp_path / "work/trees/kernel_org-6.12/linux"
    for name in ("get_io_throttle.c", "track_syscall_usage.c", "capture_memory_snapshot.c"):
        shipped = installed.path / "files/kernel/syscalls" / name
        assert (tree / "kernel" / name).read_bytes() == shipped.read_bytes()
