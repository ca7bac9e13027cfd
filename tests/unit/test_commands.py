# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that are run on hosts ask nothing, end in time, and report in one language."""

from __future__ import annotations

import ast
import functools
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PLUGINS = ROOT / "plugins"
PLAYS = sorted(
    [
        *ROOT.glob("roles/*/tasks/**/*.yml"),
        *ROOT.glob("playbooks/*.yml"),
        *ROOT.glob("playbooks/tasks/*.yml"),
    ]
)
UNATTENDED = "oslab.kernel.unattended"
COMMAND, APT = "ansible.builtin.command", "ansible.builtin.apt"
TRANSACTION = "oslab.kernel.apt_transaction"
# A host in a trial may never answer, and its connection stays.
LASTING = {COMMAND, APT, TRANSACTION} | {
    f"oslab.kernel.{name}"
    for name in (
        "apt_removal_info",
        "apt_update",
        "host_kernel_info",
        "kernel_files",
        "kernel_modules",
        "throttled_reboot",
        "syscall_info",
        "trial_evidence_info",
    )
}
# They end the boot in which they are run, and wrappers like molly-guard stand in front of them.
WRAPPED = {"shutdown", "reboot", "halt", "poweroff", "coldreboot"}


class Task(NamedTuple):
    file: Path
    task: dict[str, Any]
    environments: list[str]

    def __str__(self) -> str:
        return f"{self.file.relative_to(ROOT)}: {self.task.get('name')}"

    def unattended(self) -> bool:
        """Whether a module of Debian's packages or a program is run as the filter has it."""
        return any(UNATTENDED in environment for environment in self.environments)


@functools.cache
def variables_of_roles() -> dict[str, Any]:
    """All together: a role may use the variables of another one."""
    known: dict[str, Any] = {}
    for variables in ROOT.glob("roles/*/vars/main.yml"):
        known.update(yaml.safe_load(variables.read_text()) or {})
    return known


def environment_of(entry: dict[str, Any]) -> str:
    text = str(entry.get("environment", ""))
    for name in re.findall(r"\w+", text):
        text += str(variables_of_roles().get(name, ""))
    return text


def flat(entries: list[Any], file: Path, outer: list[str]) -> Iterator[Task]:
    for entry in entries or []:
        environments = [*outer, environment_of(entry)]
        inner = [
            key
            for key in ("block", "rescue", "always", "tasks", "pre_tasks", "post_tasks")
            if key in entry
        ]
        for key in inner:
            yield from flat(entry[key], file, environments)
        if not inner:
            yield Task(file, entry, environments)


@pytest.fixture(scope="module")
def tasks() -> list[Task]:
    return [task for file in PLAYS for task in flat(yaml.safe_load(file.read_text()), file, [])]


def names(found: list[Task]) -> list[str]:
    return [str(task) for task in found]


def test_no_wrapper_is_run(tasks: list[Task]) -> None:
    wrong = []
    for task in tasks:
        if "ansible.builtin.reboot" in task.task or "ansible.builtin.shell" in task.task:
            wrong.append(task)
        argv = (task.task.get(COMMAND) or {}).get("argv") or []
        wrong += [task for word in argv if Path(str(word)).name in WRAPPED]
    assert names(wrong) == []


def test_packages_are_installed_without_a_question(tasks: list[Task]) -> None:
    found = [task for task in tasks if {APT, TRANSACTION} & task.task.keys()]
    assert names([task for task in found if not task.unattended()]) == []


def test_what_is_read_of_a_program_is_english(tasks: list[Task]) -> None:
    wrong = [
        task
        for task in tasks
        if COMMAND in task.task and "register" in task.task and not task.unattended()
    ]
    # What the user lets run is judged by its status alone.
    assert names(wrong) == ["roles/trial/tasks/check_health.yml: Run the health checks"]


def test_what_may_hang_is_given_up(tasks: list[Task]) -> None:
    wrong = [task for task in tasks if LASTING & task.task.keys() and "timeout" not in task.task]
    assert names(wrong) == []


def test_each_repetition_has_an_end(tasks: list[Task]) -> None:
    wrong = [task for task in tasks if "until" in task.task and "retries" not in task.task]
    wrong += [
        task
        for task in tasks
        for module in ("ansible.builtin.wait_for_connection", "ansible.builtin.wait_for")
        if module in task.task and "timeout" not in (task.task[module] or {})
    ]
    assert names(wrong) == []


def calls(file: Path) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            yield node, ast.unparse(node.func)


def test_each_program_of_a_plugin_has_its_language() -> None:
    """`env` of a process, `environ_update` of a module's; or set for all of a module's."""
    wrong = []
    for file in sorted(PLUGINS.rglob("*.py")):
        for_all = "run_command_environ_update = " in file.read_text()
        for call, function in calls(file):
            given = {keyword.arg for keyword in call.keywords}
            process = re.fullmatch(r"subprocess\.(run|Popen|check_\w+|call)", function)
            command = function.endswith(".run_command") and not for_all
            if (process and "env" not in given) or (command and "environ_update" not in given):
                wrong.append(f"{file.name}:{call.lineno}")
    assert wrong == []


def test_no_language_is_set_by_half() -> None:
    """LANGUAGE overrules LC_ALL=C.UTF-8."""
    wrong = [
        f"{file.relative_to(ROOT)}:{number}"
        for file in sorted([*PLUGINS.rglob("*.py"), *PLAYS])
        for number, line in enumerate(file.read_text().splitlines(), 1)
        if re.search(r"LC_ALL\W+C\.UTF-8", line) and "LANGUAGE" not in line
    ]
    assert wrong == []
