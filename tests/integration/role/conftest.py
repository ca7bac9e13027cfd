# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The real roles and playbooks, run on this machine: builds of the fake kernel tree, deploys."""

from __future__ import annotations

import functools
import shutil
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.oslab.kernel.tests.lib.playbook import (
    CONNECTIONS,
    LOCAL,
    ROOT,
    Run,
    run_playbook,
    write_inventory,
)

Playbook = Callable[..., Run]


@pytest.fixture
def playbook(tmp_path: Path) -> Playbook:
    """Run a playbook of the collection with this machine as builder; a builder's work in tmp."""
    here = {**LOCAL, "source_workdir": str(tmp_path / "work")}
    inventory = write_inventory(tmp_path / "hosts.yml", all={"vars": here})

    def run(book: str, *options: str, checkout: Path = ROOT, **variables: Any) -> Run:
        path = checkout / "playbooks" / book
        collections = str(checkout / "collections")
        return run_playbook(
            path,
            *options,
            inventory=inventory,
            variables=variables,
            cwd=checkout,
            ANSIBLE_COLLECTIONS_PATH=collections,
        )

    return run


@pytest.fixture
def deploy(tmp_path: Path) -> Callable[..., tuple[int, str]]:
    """Run playbooks/deploy.yml, or another playbook, for hosts that are all this machine.

    The requested kernel has a name that no kernel has; `extra` are variables that win. Returns the
    exit status and the output.
    """

    def run(
        targets: dict[str, Any],
        playbook: Path = ROOT / "playbooks/deploy.yml",
        extra: Mapping[str, Any] | None = None,
        **variables: Any,
    ) -> tuple[int, str]:
        inventory = write_inventory(
            tmp_path / "hosts.yml", kernel_targets={"hosts": targets, "vars": variables}
        )
        more = {
            "publish_result": {"release": "no kernel", "version": "1"},
            # Other tests may run on this machine, too.
            "trial_lock_file": str(tmp_path / "lock"),
            **(extra or {}),
        }
        done = run_playbook(
            playbook,
            inventory=inventory,
            variables=more,
            ANSIBLE_CONNECTION_PLUGINS=str(CONNECTIONS),
        )
        return done.status, done.output

    return run


def tarball_below(directory: Path) -> Path:
    path = directory / "mirror" / "v6.x" / "linux-6.12.tar.xz"
    path.parent.mkdir(parents=True)
    with tarfile.open(path, "w:xz") as archive:
        archive.add(ROOT / "tests/fixtures/fakelinux", "linux-6.12")
    return path


def source_of(tarball: Path) -> dict[str, str]:
    return {"source_provider": "file", "source_file": str(tarball), "source_version": "6.12"}


@pytest.fixture
def fake_tarball(tmp_path: Path) -> Path:
    """The fake kernel tree as kernel.org would ship it."""
    return tarball_below(tmp_path)


@pytest.fixture
def file_source(fake_tarball: Path) -> dict[str, str]:
    """Variables that make the fake kernel tree the source."""
    return source_of(fake_tarball)


@pytest.fixture(scope="session")
def work_after(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """By tags of build.yml, the builder's work that a run with them leaves. Not to be changed."""

    @functools.cache
    def made(tags: str) -> Path:
        top = tmp_path_factory.mktemp("work_after")
        work = top / "work"
        here = {**LOCAL, **source_of(tarball_below(top)), "source_workdir": str(work)}
        inventory = write_inventory(top / "hosts.yml", all={"vars": here})
        done = run_playbook(ROOT / "playbooks/build.yml", "--tags", tags, inventory=inventory)
        assert done.status == 0, done.output
        return work

    return made


@pytest.fixture
def worked(work_after: Callable[[str], Path], tmp_path: Path) -> Callable[[str], Path]:
    """Let the test begin where build.yml with these tags ends; the builder's work is in tmp."""

    def begin(tags: str) -> Path:
        work = tmp_path / "work"
        shutil.copytree(work_after(tags), work, symlinks=True)
        return work

    return begin
