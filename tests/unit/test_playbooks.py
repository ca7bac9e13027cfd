# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What playbooks hand to each other, which no syntax check sees."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.oslab.kernel.plugins.plugin_utils import doctor_report

ROOT = Path(__file__).resolve().parents[2]
PLAYBOOKS = Path(__file__).resolve().parents[2] / "playbooks"


def imports(book: str) -> list[dict[str, Any]]:
    plays = yaml.safe_load((PLAYBOOKS / book).read_text(encoding="utf-8"))
    return [play for play in plays if "ansible.builtin.import_playbook" in play]


@pytest.mark.parametrize("book", ["rollback.yml", "remove.yml"])
def test_restore_hosts_is_given_what_it_reads(book: str) -> None:
    (imported,) = imports(book)
    assert imported["ansible.builtin.import_playbook"] == "restore_hosts.yml"
    text = (PLAYBOOKS / "restore_hosts.yml").read_text(encoding="utf-8")
    assert set(imported["vars"]) == set(re.findall(r"\brestore_(?!hosts)\w+", text))
    tasks = PLAYBOOKS / "tasks" / imported["vars"]["restore_tasks"]
    assert yaml.safe_load(tasks.read_text(encoding="utf-8"))


def test_every_playbook_checks_the_inventory_first() -> None:
    """Itself, or by another playbook, which it imports."""
    checks = {"preflight.yml"}
    books = {path.name: imports(path.name) for path in PLAYBOOKS.glob("*.yml")}
    for _depth in books:
        checks |= {
            book
            for book, imported in books.items()
            if imported and imported[0]["ansible.builtin.import_playbook"] in checks
        }
    assert set(books) - checks == set()


# --- the report ---------------------------------------------------------------------------------


def _order(tasks: list[dict[str, Any]]) -> list[str]:
    """Of the tasks of a play: those that write the report, and those that fail its hosts."""
    found = []
    for task in tasks:
        role = task.get("ansible.builtin.import_role", {}).get("name", "")
        if role == "oslab.kernel.report":
            found.append("report")
        elif "ansible.builtin.fail" in task:
            found.append("fail")
    return found


@pytest.mark.parametrize(
    ("book", "run", "begins"),
    [
        ("deploy_hosts.yml", "deploy", [True, False]),
        # All of it goes on without an answer.
        ("verify.yml", "verify", [False]),
        ("restore_hosts.yml", "rollback", [True, False]),
    ],
)
def test_the_report_is_written_before_hosts_fail(book: str, run: str, begins: list[bool]) -> None:
    """Of a play that has lost all of its hosts, no later task and no later play runs."""
    plays = yaml.safe_load((PLAYBOOKS / book).read_text(encoding="utf-8"))
    (play,) = [one for one in plays if any("rescue" in task for task in one.get("tasks", []))]
    assert _order(play["tasks"]) == [*("report" for _one in begins), "fail"]
    written = [task["vars"] for task in play["tasks"] if _order([task]) == ["report"]]
    assert [given.get("report_begins", False) for given in written] == begins
    assert {given["report_run"] for given in written} == {run}
    # What is done on a host stands between the two.
    kinds = ["work" if "rescue" in task else "".join(_order([task])) for task in play["tasks"]]
    assert kinds.index("report") < kinds.index("work") or not begins[0]


# --- doctor.yml ---------------------------------------------------------------------------------

CHECKED = (doctor_report.BUILDER, doctor_report.TARGET)


def variables(book: str, play: str) -> dict[str, Any]:
    plays = yaml.safe_load((PLAYBOOKS / book).read_text(encoding="utf-8"))
    (found,) = [one["vars"] for one in plays if one["name"].startswith(play)]
    assert isinstance(found, dict)
    return found


def test_the_doctor_reads_what_a_deployment_reads() -> None:
    ours = variables("doctor.yml", "Check the targets")
    published = yaml.safe_load((PLAYBOOKS / "vars/published.yml").read_text(encoding="utf-8"))
    theirs = {
        **variables("deploy.yml", "Deploy"),
        **variables("deploy_hosts.yml", "Deploy"),
        **published,
    }
    both = set(ours) & set(theirs)
    assert len(both) > 6
    # A release that is not known yet has a name all the same.
    differ = {name for name in both if str(ours[name]).split() != str(theirs[name]).split()}
    assert differ == {"install_release"}
    assert {name for name in ours if name.startswith(("install_", "deploy_"))} == both


def parts(role: str) -> set[str]:
    """Those of its preflight that can be asked for alone."""
    text = (ROOT / f"roles/{role}/tasks/preflight.yml").read_text(encoding="utf-8")
    return set(re.findall(r"doctor_only \| default\('(\w+)', true\) == '\1'", text))


def asked(part: str) -> list[dict[str, str]]:
    """The items of the loop in which the doctor asks roles."""
    text = (PLAYBOOKS / f"tasks/doctor_{part}.yml").read_text(encoding="utf-8")
    found = [task["loop"] for task in yaml.safe_load(text)[-1]["block"] if "loop" in task]
    (items,) = found
    assert isinstance(items, list)
    return items


@pytest.mark.parametrize("part", CHECKED)
def test_the_doctor_asks_for_what_roles_have(part: str) -> None:
    for item in asked(part):
        assert item["name"] in doctor_report.CHECKS[part]
        specs = (ROOT / f"roles/{item['role']}/meta/argument_specs.yml").read_text(encoding="utf-8")
        entry = item.get("entry", "preflight")
        assert entry in yaml.safe_load(specs)["argument_specs"]
        if parts(item["role"]) and entry == "preflight":
            assert item["only"] in parts(item["role"])


def test_the_doctor_asks_for_all_parts() -> None:
    """The machine is judged by its facts, so that one reason does not hide another."""
    of_roles = {(role, one) for role in ("build", "install", "trial") for one in parts(role)}
    assert len(of_roles) == 14
    wanted = {(item["role"], item.get("only")) for part in CHECKED for item in asked(part)}
    assert of_roles - wanted == {("install", "host")}


def test_the_doctor_names_each_check_that_it_records() -> None:
    """And the table has no check that nobody makes."""
    judged = {doctor_report.DISTRIBUTION, *doctor_report.host_refusal.TOPICS}
    for part in CHECKED:
        files = ("connect", part)
        texts = [(PLAYBOOKS / f"tasks/doctor_{file}.yml").read_text("utf-8") for file in files]
        named = set(re.findall(r"doctor_name: ([\w -]+)$", "".join(texts), re.MULTILINE))
        named |= {item["name"] for item in asked(part)}
        checks = set(doctor_report.CHECKS[part])
        assert named == checks - judged


def _included(node: Any) -> Iterator[str]:
    if isinstance(node, list):
        for part in node:
            yield from _included(part)
    elif isinstance(node, dict):
        for key, value in node.items():
            if key in ("ansible.builtin.import_tasks", "ansible.builtin.include_tasks"):
                yield value if isinstance(value, str) else value["file"]
            else:
                yield from _included(value)


def test_no_file_of_a_role_is_hidden_by_one_of_the_playbooks() -> None:
    """From a folder below the tasks, Ansible looks beside the playbooks before it looks there."""
    places = (PLAYBOOKS, PLAYBOOKS / "tasks")
    hidden = [
        f"{path.relative_to(ROOT)} includes {name}"
        for path in sorted((ROOT / "roles").glob("*/tasks/*/**/*.yml"))
        for name in _included(yaml.safe_load(path.read_text(encoding="utf-8")))
        if any((place / name).exists() for place in places)
    ]
    assert hidden == []
