# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/rebuild.yml, on the fake tree."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.tests.integration.role.lock.conftest import Builder
from ansible_collections.oslab.kernel.tests.lib.config_lab import STOCK_CONFIG

IMAGE = "linux-image-6.12.0-49-usac1"


def words(output: str) -> str:
    return " ".join(output.split())


def attestation(builder: Builder, result: str) -> dict[str, Any]:
    for path in (builder.work / "rebuild").glob("*/attestation.json"):
        found: dict[str, Any] = json.loads(path.read_text())
        if found["predicate"]["result"] == result:
            return found
    raise AssertionError(f"no attestation says {result}")


def altered(package: Path, scratch: Path) -> Path:
    """The same package with another text in one of its files."""
    tree, target = scratch / "tree", scratch / package.name
    subprocess.run(["dpkg-deb", "--raw-extract", package, tree], check=True)
    (config,) = tree.glob("boot/config-*")
    config.write_text("CONFIG_X=y\n")
    subprocess.run(["dpkg-deb", "--build", tree, target], check=True)
    return target


@pytest.mark.long
def test_a_published_kernel_is_built_once_more(
    alice: Builder, bob: Builder, tmp_path: Path
) -> None:
    alice.must_run("lock.yml")
    alice.must_run("build.yml")
    (store,) = (alice.work / "store").glob("[0-9a-f]*")
    (document,) = store.glob("*.buildinfo")
    shutil.copy(alice.lock, bob.lock)
    done = bob.must_run("rebuild.yml", build_published=str(document))
    assert f"identical: all 3 packages of {store.name[:12]}" in words(done.output)
    # In a directory of its own.
    assert bob.packages() == {}
    said = attestation(bob, "PASSED")
    sums = {each["name"]: each["digest"]["sha256"] for each in said["subject"]}
    (image,) = store.glob(f"{IMAGE}_*.deb")
    assert sums[IMAGE] == hashlib.sha256(image.read_bytes()).hexdigest()
    again = bob.must_run("rebuild.yml", build_published=str(document))
    assert again.recap("changed") == 0, again.output

    # Somebody publishes another image for the same sources.
    other = altered(image, tmp_path)
    checksum = hashlib.sha256(other.read_bytes()).hexdigest()
    text = document.read_text().replace(sums[IMAGE], checksum)
    (tmp_path / "other.buildinfo").write_text(text)
    done = bob.run(
        "rebuild.yml",
        build_published=(tmp_path / "other.buildinfo").as_uri(),
        build_published_packages=str(tmp_path),
    )
    assert done.status == 2
    assert f"- {IMAGE}: published {checksum}, rebuilt {sums[IMAGE]}" in words(done.output)
    assert "boot/config-6.12.0-49-usac1" in done.output
    assert attestation(bob, "FAILED")["predicate"]["failedTests"] == [IMAGE]

    # Other inputs are found before anything is compiled.
    shutil.rmtree(bob.work)
    (bob.repository / "my.config").write_text(STOCK_CONFIG)
    done = bob.run(
        "rebuild.yml",
        build_published=str(document),
        build_lock="",
        config_base="my.config",
        version_extraversion="-other",
    )
    assert done.status == 2
    text = words(done.output)
    assert f"The inputs are not those of the published build {store.name[:12]}" in text
    assert "- release: published 6.12.0-49-usac1, found 6.12.0-other" in text
    assert not list(bob.work.glob("rebuild/*/trees/*/linux/vmlinux"))
    done = bob.run("rebuild.yml")
    assert "build_published is empty on builder" in words(done.output)
