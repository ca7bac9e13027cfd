# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The example inventories give the groups and variables that they are said to give."""

from __future__ import annotations

import functools
import json
from pathlib import Path
from typing import Any, Callable

import pytest
import yaml
from ansible_collections.oslab.kernel.tests.integration.galaxy.installation import ROOT, Installed

EXAMPLES = ROOT / "docs/examples/inventories"
TARGETS = [f"web{n}.example.org" for n in range(1, 5)]


Read = Callable[[str], "dict[str, Any]"]


@pytest.fixture(scope="module")
def read(installed: Installed) -> Read:
    """What ansible-inventory makes of an example; it is asked once."""

    @functools.cache
    def listed(name: str) -> dict[str, Any]:
        done = installed.run("ansible-inventory", "-i", EXAMPLES / name, "--list")
        assert done.returncode == 0, done.stderr
        assert done.stderr == ""
        inventory: dict[str, Any] = json.loads(done.stdout)
        return inventory

    return listed


def hosts(inventory: dict[str, Any], group: str) -> list[str]:
    """Of the group and the groups in it."""
    found = list(inventory.get(group, {}).get("hosts", []))
    for child in inventory.get(group, {}).get("children", []):
        found += hosts(inventory, child)
    return sorted(found)


@pytest.mark.parametrize("name", ["flat.yml", "flat.ini", "fleet.yml", "racks.yml", "constructed"])
def test_each_has_one_builder_and_the_same_targets(read: Read, name: str) -> None:
    inventory = read(name)
    assert hosts(inventory, "kernel_builders") == ["build1.example.org"]
    assert hosts(inventory, "kernel_targets") == TARGETS


@pytest.mark.parametrize("name", ["flat.yml", "flat.ini", "fleet.yml", "racks.yml", "constructed"])
def test_site_takes_it(installed: Installed, name: str) -> None:
    done = installed.run(
        "ansible-playbook", "oslab.kernel.site", "-i", EXAMPLES / name, "--list-hosts"
    )
    assert done.returncode == 0, done.stderr
    assert "web4.example.org" in done.stdout


def test_two_configurations(read: Read, installed: Installed) -> None:
    inventory = read("ab.yml")
    assert hosts(inventory, "kernel_builders") == ["a", "b"]
    assert hosts(inventory, "kernel_targets") == TARGETS
    hostvars = inventory["_meta"]["hostvars"]
    assert [hostvars[name]["kernel_from"] for name in TARGETS] == ["a", "a", "b", "b"]
    done = installed.run("ansible-playbook", "oslab.kernel.preflight", "-i", EXAMPLES / "ab.yml")
    assert done.returncode == 0, done.stdout


def test_a_kernel_for_each_student(read: Read, installed: Installed) -> None:
    inventory = read("class/hosts.yml")
    for group in ("kernel_builders", "kernel_targets"):
        assert len(hosts(inventory, group)) == 30
    # All variables and the files that they name are right; each PC takes the kernel of a student.
    argv = ("ansible-playbook", "oslab.kernel.preflight", "-i", EXAMPLES / "class/hosts.yml")
    done = installed.run(*argv)
    assert done.returncode == 0, done.stdout
    done = installed.run(*argv, "--limit", "student01,pc07.example.org")
    assert "leaves out student07, the builder of pc07.example.org (kernel_from)" in " ".join(
        done.stdout.split()
    )


@pytest.mark.parametrize("name", ["racks.yml", "constructed"])
def test_racks_are_groups(read: Read, name: str) -> None:
    inventory = read(name)
    targets = set(hosts(inventory, "kernel_targets"))
    rack_a, rack_b = (targets.intersection(hosts(inventory, f"rack_{name}")) for name in "ab")
    assert rack_a == {"web1.example.org", "web2.example.org"}
    assert rack_b == {"web3.example.org", "web4.example.org"}


@pytest.mark.parametrize(("name", "others"), [("racks.yml", None), ("constructed", 900)])
def test_a_variable_of_a_rack_is_one_of_its_hosts(
    read: Read, name: str, others: int | None
) -> None:
    hostvars = read(name)["_meta"]["hostvars"]
    assert {host: hostvars[host].get("trial_timeout") for host in TARGETS} == {
        "web1.example.org": 1200,
        "web2.example.org": 1200,
        "web3.example.org": others,
        "web4.example.org": others,
    }


def test_a_constructed_inventory_leaves_out_who_is_not_to_have_it(read: Read) -> None:
    inventory = read("constructed")
    everyone = inventory["_meta"]["hostvars"]
    assert "db1.example.org" in everyone
    assert "db1.example.org" not in hosts(inventory, "kernel_targets")
    assert int(everyone["web1.example.org"]["trial_timeout"]) == 1200


@pytest.mark.parametrize(
    ("name", "options", "batches"),
    [
        ("flat.yml", (), 3),  # 1, then half of four, then the rest
        ("flat.ini", (), 3),
        ("racks.yml", (), 4),  # 1, then a quarter of four
        ("racks.yml", ("--limit", "rack_b"), 2),
        ("fleet.yml", (), 3),
        ("constructed", (), 2),  # says nothing: 1, then the rest
        ("flat.yml", ("--extra-vars", "deploy_serial=100%"), 1),
        ("flat.yml", ("--extra-vars", "deploy_serial=1"), 4),
    ],
)
def test_targets_are_taken_in_the_batches_of_the_inventory(
    installed: Installed, tmp_path: Path, name: str, options: tuple[str, ...], batches: int
) -> None:
    """By the words of deploy_hosts.yml, without its tasks."""
    plays = yaml.safe_load((ROOT / "playbooks/deploy_hosts.yml").read_text())
    (deploy,) = (play for play in plays if "serial" in play)
    look = {"gather_facts": False, "tasks": [{"ansible.builtin.debug": {"msg": "seen"}}]}
    book = [
        {"hosts": "all", **look},
        {
            "name": "A batch",
            "hosts": "kernel_targets",
            "serial": deploy["serial"],
            "vars": {"deploy_first": deploy["vars"]["deploy_first"]},
            **look,
        },
    ]
    (tmp_path / "play.yml").write_text(yaml.safe_dump(book))
    done = installed.run("ansible-playbook", tmp_path / "play.yml", "-i", EXAMPLES / name, *options)
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("PLAY [A batch]") == batches
