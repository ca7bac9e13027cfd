# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine has exactly the kernel of its build, and verify names what is no longer so."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.tests.lib.playbook import Run, run_playbook

testinfra_hosts = ["ansible://kernel_targets"]

ROOT = Path(__file__).resolve().parents[3]
KEPT = "/root/kept.ko"
# Turns one byte in the middle of a file over, in place.
FLIP = """
import sys
with open(sys.argv[1], "r+b") as file:
    middle = file.seek(0, 2) // 2
    file.seek(middle)
    byte = file.read(1)[0]
    file.seek(middle)
    file.write(bytes([byte ^ 1]))
"""


def verify(*arguments: str) -> Run:
    """playbooks/verify.yml alone, as a user calls it."""
    inventory = os.environ.get("MOLECULE_INVENTORY_FILE")
    if not inventory:
        pytest.skip("needs Molecule's inventory")
    return run_playbook(
        ROOT / "playbooks/verify.yml",
        *arguments,
        # The groups are in another file beside that one.
        inventory=Path(inventory).parent,
        # Molecule has set its own.
        ANSIBLE_CONFIG=str(ROOT / "ansible.cfg"),
    )


def compare(host: Any) -> dict[str, Any]:
    """What the module says with the list of the machine's own repository."""
    found: dict[str, Any] = host.ansible("oslab.kernel.kernel_files", check=False)
    assert "matches" in found, found
    return found


@pytest.fixture
def changed_module(host: Any, manifest: Any) -> Iterator[str]:
    """A module's file of which one byte is another; as it was afterwards."""
    path = f"/lib/modules/{manifest['release']}/extra/oslab/io_throttle_mod.ko"
    assert host.run("cp -a %s %s", path, KEPT).rc == 0
    assert host.run("python3 -c %s %s", FLIP, path).rc == 0
    yield path
    assert host.run("mv %s %s", KEPT, path).rc == 0


@pytest.fixture
def added_module(host: Any, manifest: Any) -> Iterator[str]:
    """A file that is not the build's."""
    path = f"/lib/modules/{manifest['release']}/kernel/more.ko"
    assert host.run("touch %s", path).rc == 0
    yield path
    assert host.run("rm %s", path).rc == 0


def test_it_is_exactly_its_build(host: Any, manifest: Any) -> None:
    found = compare(host)
    assert (found["matches"], found["method"]) == (True, "repository"), found["checks"]
    assert found["build_id"] == manifest["build_id"]
    assert found["compared"] > 20
    assert found["gnu_build_id"]["running"] == found["gnu_build_id"]["expected"] != ""


def test_verify_compares_with_the_builders_store(host: Any, manifest: Any) -> None:
    ended = verify(
        *("--extra-vars", f"verify_build_id={manifest['build_id'][:12]}"),
        *("--extra-vars", "verify_show=all"),
    )
    assert ended.status == 0, ended.output
    rows = [
        line for line in ended.output.splitlines() if line.startswith(("files on disk ", "runn"))
    ]
    assert len(rows) == 2
    assert all(row.endswith("ok") for row in rows), rows
    assert " as built" in rows[0]
    assert "changed=0" in ended.output
    sizes = [line for line in ended.output.splitlines() if line.startswith(("image ", "modules "))]
    assert len(sizes) == 2
    # A kernel made for this machine is smaller than one for all machines.
    assert all(float(line.split("|")[-1]) < 1 for line in sizes), sizes


def test_a_changed_byte_and_a_file_more_are_named(
    host: Any, changed_module: str, added_module: str
) -> None:
    found = compare(host)
    assert found["matches"] is False
    assert [file["path"] for file in found["changed_files"]] == [changed_module]
    assert found["additional_files"] == [added_module]

    ended = verify()
    assert ended.status != 0
    assert f"changed: {changed_module}" in ended.output
    assert added_module in ended.output
    assert "2 of " in ended.output, json.dumps(ended.output)


def test_and_it_is_its_build_again(host: Any) -> None:
    assert compare(host)["matches"] is True


def test_another_build_is_distinguished(host: Any) -> None:
    ended = verify("--extra-vars", f"verify_build_id={'0' * 64}")
    assert ended.status != 0
    assert "build id" in ended.output
    # Nobody has a list of that one.
    assert "dpkg" in ended.output
