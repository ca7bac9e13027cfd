# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collection as users get it: built from a checkout with litter, installed where nothing is."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.tests.integration.galaxy.installation import (
    LITTER,
    ROOT,
    Installed,
    kept_by_git,
)


@pytest.fixture(scope="session")
def tracked() -> list[str]:
    return kept_by_git()


@pytest.fixture(scope="session")
def artefact(tmp_path_factory: pytest.TempPathFactory, tracked: list[str]) -> Path:
    """The tarball of a checkout in which people have worked."""
    checkout = tmp_path_factory.mktemp("checkout")
    for name in tracked:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, checkout / name, follow_symlinks=False)
    for name in LITTER:
        (checkout / name).parent.mkdir(parents=True, exist_ok=True)
        (checkout / name).write_text("litter\n")
    built = Installed(tmp_path_factory.mktemp("built"))
    done = built.run("ansible-galaxy", "collection", "build", "--output-path", "out", checkout)
    assert done.returncode == 0, done.stderr
    (tarball,) = (built.home / "out").iterdir()
    return tarball


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory, artefact: Path) -> Installed:
    one = Installed(tmp_path_factory.mktemp("installed"))
    done = one.run(
        *("ansible-galaxy", "collection", "install", "--offline"), "-p", "collections", artefact
    )
    assert done.returncode == 0, done.stderr
    return one
