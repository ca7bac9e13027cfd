# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/rebuild.yml, on the fake tree."""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._repository import attestations
from ansible_collections.oslab.kernel.plugins.module_utils._repository.attestations import Build
from ansible_collections.oslab.kernel.tests.lib import openpgp_keys, signing_keys
from ansible_collections.oslab.kernel.tests.lib.config_lab import STOCK_CONFIG
from ansible_collections.oslab.kernel.tests.lib.locked_builder import Builder, altered

IMAGE = "linux-image-6.12.0-49-usac1"


def words(output: str) -> str:
    return " ".join(output.split())


def attestation(builder: Builder, result: str) -> dict[str, Any]:
    for path in (builder.work / "rebuild").glob("*/attestation.json"):
        found: dict[str, Any] = json.loads(path.read_text())
        if found["predicate"]["result"] == result:
            return found
    raise AssertionError(f"no attestation says {result}")


@pytest.fixture
def key() -> Iterator[openpgp_keys.Key]:
    with openpgp_keys.keys("bob") as (made,):
        yield made


def who_vouches(builder: Builder, key: openpgp_keys.Key) -> Sequence[str]:
    """By the signed attestation."""
    (signed,) = builder.work.glob("rebuild/*/attestation.json.asc")
    assert signed.stat().st_mode & 0o777 == 0o644
    statement = json.loads(signed.with_suffix("").read_text())
    sums = {each["name"]: each["digest"]["sha256"] for each in statement["subject"]}
    build = Build(statement["predicate"]["configuration"][0]["name"].split()[-1], sums)
    return attestations.judge(run_program, [signed.read_text()], [key.public], build).vouching


def run_program(argv: Any) -> Result:
    done = subprocess.run(list(argv), capture_output=True, text=True, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


@pytest.mark.long
def test_a_published_kernel_is_built_once_more(
    alice: Builder, bob: Builder, key: openpgp_keys.Key, tmp_path: Path
) -> None:
    alice.must_run("lock.yml")
    alice.must_run("build.yml")
    (store,) = (alice.work / "store").glob("[0-9a-f]*")
    (document,) = store.glob("*.buildinfo")
    shutil.copy(alice.lock, bob.lock)
    bob.variables["build_attestation_gpg_home"] = str(key.home)
    bob.variables["build_attestation_gpg_key"] = key.fingerprint
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
    assert who_vouches(bob, key) == [key.fingerprint]
    # A key that is not there is said before anything is compiled.
    bob.variables["build_attestation_gpg_key"] = "0" * 40
    done = bob.run("rebuild.yml", build_published=str(document))
    assert done.status == 2
    text = f"build_attestation_gpg_key is {'0' * 40}, but {key.home} on builder has no such"
    assert text in words(done.output)
    bob.variables["build_attestation_gpg_key"] = ""

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


@pytest.mark.long
def test_a_signed_kernel_is_rebuilt_without_the_key(
    alice: Builder, bob: Builder, tmp_path: Path
) -> None:
    """Who has the key and who has not end with identical packages."""
    pem = signing_keys.pair(tmp_path / "keys")
    for builder in (alice, bob):
        builder.variables |= {
            "build_module_signing_key": str(pem),
            "build_image_signing_key": str(pem),
            "config_options_extra": {"EFI_STUB": "y", "MODULES": "y"},
        }
    alice.must_run("lock.yml")
    alice.must_run("build.yml")
    (store,) = (alice.work / "store").glob("[0-9a-f]*")
    (document,) = store.glob("*.buildinfo")
    secrets = signing_keys.secrets(pem)

    # He has the same inventory, which names a key that he has not.
    pem.unlink()
    shutil.copy(alice.lock, bob.lock)
    done = bob.must_run("rebuild.yml", build_published=str(document))
    said = f"identical: all 3 packages of {store.name[:12]}; the published signatures are in 1"
    assert said in words(done.output)
    (made,) = bob.work.glob("rebuild/*/store/[0-9a-f]*")
    for path in (*store.glob("*.deb"), store / "signatures.json", document):
        assert (made / path.name).read_bytes() == path.read_bytes(), path.name
    signatures = json.loads((made / "signatures.json").read_text())
    assert "boot/vmlinuz-6.12.0-49-usac1" in signatures["files"]
    assert any(path.endswith(".ko") for path in signatures["files"])
    for path in bob.work.rglob("*"):
        assert not path.is_file() or not any(one in path.read_bytes() for one in secrets), path
    found = attestation(bob, "PASSED")["predicate"]["configuration"]
    checksum = hashlib.sha256((store / "signatures.json").read_bytes()).hexdigest()
    assert found[1] == {"name": "signatures.json", "digest": {"sha256": checksum}}

    # The published image has signatures of others than the published ones.
    sums = {path.name.split("_")[0]: path for path in store.glob("*.deb")}
    image = hashlib.sha256(sums[IMAGE].read_bytes()).hexdigest()
    others = tmp_path / "others"
    others.mkdir()
    (others / document.name).write_text(document.read_text().replace(image, "f" * 64))
    shutil.copy(store / "signatures.json", others)
    done = bob.run("rebuild.yml", build_published=str(others / document.name))
    assert done.status == 2
    text = f"- {IMAGE}: published {'f' * 64}, rebuilt {image} (the same without signatures)"
    assert text in words(done.output)

    # The signatures are not those of which the document has the checksum.
    with (others / "signatures.json").open("a") as stream:
        stream.write(" ")
    done = bob.run("rebuild.yml", build_published=str(others / document.name))
    assert done.status == 2
    assert "the detached signatures of build_published, cannot be used" in words(done.output)
    assert f"and {checksum} was published" in words(done.output)
    (others / "signatures.json").unlink()
    done = bob.run("rebuild.yml", build_published=str(others / document.name))
    assert "signatures.json cannot be read" in words(done.output)
