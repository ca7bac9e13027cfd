# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Task names, entry points and words follow one convention. CONTRIBUTING.md has the rules."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
PLAYS = ("playbooks/*.yml", "roles/*/tasks/**/*.yml", "roles/*/handlers/**/*.yml",
         "molecule/*/*.yml", "bench/**/*.yml", "tests/system/faults/*.yml")  # fmt: skip
LISTS = ("block", "rescue", "always", "tasks", "pre_tasks", "post_tasks", "handlers")
# A name says what a task does, with a verb of the field.
FIRST_WORDS = {
    "be", "bring", "can", "could", "do", "does", "foretell", "give", "has", "have", "is", "keep",
    "know", "learn", "let", "look", "remember", "say", "see", "take", "tell",
}  # fmt: skip
# A failing task's name is shown alone: nobody sees what a pronoun stands for.
LAST_WORDS = {"it", "them", "there", "these", "this", "those"}
# Words that the collection does not use → what it says. Only those that have no other meaning here.
WORDS = {
    r"be alone": "acquire the lock",
    # The file on hosts keeps its name: a run of an earlier release may hold it.
    r"(?<!oslab-kernel\.)claim(s|ed|ing)?": "lock",
    r"foret[eo]l[dl]s?": "predict",
    r"guard(s|ed)?": "rollback timer",
    r"let others": "release the lock",
    r"old kernel": "fallback",
    r"patience": "keepalive",
    r"proven|unproven": "confirmed, unconfirmed",
    r"(?<![.\w])(re)?captures?": "collect",
    r"sameness": "reproducible",
    r"survey(s|ed)?": "gather, collect",
    r"takes? off|taken off": "remove",
    r"tried kernel|trial of (the|a) kernel": "trial boot",
    r"way back|leads? back|brought back": "fallback, recover",
}
_WORDS = re.compile(rf"\b(?:{'|'.join(WORDS)})\b", re.IGNORECASE)


class _Loader(yaml.SafeLoader):
    """Values under a tag (`!unsafe`) do not matter."""


_Loader.add_multi_constructor("!", lambda loader, suffix, node: None)


def load(path: Path) -> Any:
    return yaml.load(path.read_text(encoding="utf-8"), Loader=_Loader)


def files(*patterns: str) -> list[Path]:
    found = {path for pattern in patterns for path in ROOT.glob(pattern) if path.is_file()}
    return sorted(found)


def roles() -> list[str]:
    return sorted({path.parents[1].name for path in files("roles/*/meta/main.yml")})


def names(entries: Any) -> Iterator[str]:
    """Of plays, blocks and tasks."""
    for entry in entries if isinstance(entries, list) else []:
        if isinstance(entry, dict):
            if isinstance(entry.get("name"), str):
                yield entry["name"]
            for key in LISTS:
                yield from names(entry.get(key))


def faults(name: str) -> list[str]:
    words = re.findall(r"[\w'{}.-]+", name)
    found = []
    if words and words[0].lower() in FIRST_WORDS:
        found.append(f"begins with {words[0]}")
    if words and words[-1].lower() in LAST_WORDS:
        found.append(f"ends with {words[-1]}")
    if "?" in name:
        found.append("is a question")
    return found


@pytest.mark.parametrize(
    "name", ["Have the tarball", "See that it answers", "Install it", "Is systemd in charge?"]
)
def test_a_name_that_says_little_is_found(name: str) -> None:
    assert faults(name)


@pytest.mark.parametrize("name", ["Fail if no target answers", "Keepalive", "Order the items"])
def test_a_name_that_is_fine(name: str) -> None:
    assert faults(name) == []


def test_each_task_name_is_a_verb_and_its_object() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {name!r} {fault}"
        for path in files(*PLAYS)
        for name in names(load(path))
        for fault in faults(name)
    ]
    assert wrong == []


def test_one_word_for_one_thing() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {found[0]}"
        for path in files("roles/**/*", "playbooks/**/*")
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for found in _WORDS.finditer(line)
    ]
    assert wrong == []


# Elsewhere only words that mean nothing else there. molly-guard is a package.
_ELSEWHERE = re.compile(
    r"(?<!molly-)guard(s|ed)?\b|unguarded|patience|sameness|survey|foret[eo]l[dl]|(?<!w)playe?d\b"
    r"|\b(un)?proven\b|host_claim|reboot_in_turn|install_kept|way back|let others|be alone",
    re.IGNORECASE,
)
# This test, redirects and refusals of old names.
_OLD_NAMES = {
    "tests/unit/test_language.py", "meta/runtime.yml", "plugins/plugin_utils/renamed_variables.py",
}  # fmt: skip


def test_old_words_are_nowhere() -> None:
    roots = ("plugins", "docs", "bench", "molecule", "tests/system", "tests/lib", "inventories")
    paths = files(*(f"{root}/**/*" for root in roots), "*.md", "*.yml", "meta/*", "tests/unit/*.py")
    wrong = [
        f"{name}:{number}: {found[0]}"
        for path in paths
        for name in [str(path.relative_to(ROOT))]
        if path.suffix in (".py", ".yml", ".md", ".j2", ".c", ".sh")
        and name not in _OLD_NAMES
        and not name.startswith(("CHANGELOG", "docs/results"))
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for found in _ELSEWHERE.finditer(line)
    ]
    assert wrong == []


def test_the_top_of_a_role_has_its_entry_points_and_nothing_else() -> None:
    for role in roles():
        specs = load(ROOT / "roles" / role / "meta/argument_specs.yml")["argument_specs"]
        top = {path.stem for path in (ROOT / "roles" / role / "tasks").glob("*.yml")}
        assert top == set(specs), role


def _entry_points(entries: Any) -> Iterator[tuple[str, str]]:
    for entry in entries if isinstance(entries, list) else []:
        for key in LISTS:
            yield from _entry_points(entry.get(key))
        for module in ("ansible.builtin.import_role", "ansible.builtin.include_role"):
            called = entry.get(module) or {}
            if "tasks_from" in called:
                yield called["name"].rpartition(".")[2], called["tasks_from"]


def test_each_call_of_a_role_names_an_entry_point() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}: {role}, {entry}"
        for path in files("playbooks/*.yml", "molecule/*/*.yml", "roles/*/tasks/**/*.yml")
        for role, entry in _entry_points(load(path))
        if role in roles()
        and entry not in load(ROOT / "roles" / role / "meta/argument_specs.yml")["argument_specs"]
    ]
    assert wrong == []
