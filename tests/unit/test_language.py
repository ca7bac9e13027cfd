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
PLAYS = ("playbooks/**/*.yml", "roles/*/tasks/**/*.yml", "roles/*/handlers/**/*.yml",
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
    # molly-guard is a package.
    r"(?<!molly-)(un)?guard(s|ed)?": "rollback timer",
    r"install kept": "confirm",
    r"lets? others": "release the lock",
    r"patience": "keepalive, deadline",
    r"played": "ran, fake",
    r"proven|unproven": "confirmed, unconfirmed",
    r"reboot in turn": "throttled reboot",
    r"sameness": "reproducible",
    r"survey(s|ed)?": "gather, collect",
    r"takes? off|taken off": "remove",
    # A mark in GRUB's custom.cfg on hosts, which an earlier release may have written.
    r"tried kernel|(?<!oslab\.kernel: the )trial of (the|a) kernel": "trial boot",
    r"way back|leads? back|brought back": "fallback, recover",
    r"kernel from before|not keep the kernel": "fallback, previous, confirm",
    # Whoever is told to do a thing, or told apart from another, is not meant.
    r"(is|are|was|were|be|and) told(?! (apart|to|not|no|it|its|what|who|how))": "report",
    r"the trial'?s|on trial|during the trial(?! boot)": "trial boot",
}
# Words that mean something else outside of roles and playbooks.
WORDS_OF_ROLES = {
    r"old kernels?": "fallback, prune",
    # A field of what the plugin collects, a syscall and a module.
    r"(?<!\.)(re)?captures?(?! mem)": "collect",
}
EVERYWHERE = (
    *("roles", "playbooks", "plugins", "docs", "bench", "molecule", "inventories", "files"),
    *("meta", "tests", ".github"),
)
SUFFIXES = (".py", ".yml", ".md", ".j2", ".c", ".h", ".sh", "")
EXEMPT = (
    "tests/unit/test_language.py",
    # Redirects and refusals of old names.
    "meta/runtime.yml",
    "plugins/plugin_utils/renamed_variables.py",
    # Records of what was.
    "CHANGELOG",
    "docs/results/",
    # Texts of Linux.
    "tests/fixtures/",
)


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


def examples(path: Path) -> Any:
    """The tasks in a plugin's EXAMPLES."""
    found = re.search(r'^EXAMPLES = r"""\n(.*?)^"""', path.read_text(encoding="utf-8"), re.M | re.S)
    return yaml.load(found[1], Loader=_Loader) if found else []


def test_each_example_is_named_by_a_verb_and_its_object() -> None:
    plugins = files("plugins/modules/*.py", "plugins/filter/*.py", "plugins/action/*.py")
    found = [(path, name) for path in plugins for name in names(examples(path))]
    assert len(found) > 40
    wrong = [f"{path.name}: {name!r} {fault}" for path, name in found for fault in faults(name)]
    assert wrong == []


def old_words(line: str, words: dict[str, str]) -> list[str]:
    """Also as parts of identifiers: in snake_case, CONSTANTS and CamelCase."""
    plain = re.sub(r"_|(?<=[a-z])(?=[A-Z])", " ", line)
    pattern = rf"\b(?:{'|'.join(words)})\b"
    return [found[0] for found in re.finditer(pattern, plain, re.IGNORECASE)]


def uses(paths: list[Path], words: dict[str, str]) -> list[str]:
    return [
        f"{name}:{number}: {word}"
        for path in paths
        for name in [str(path.relative_to(ROOT))]
        if path.suffix in SUFFIXES and not name.startswith(EXEMPT)
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1)
        for word in old_words(line, words)
    ]


@pytest.mark.parametrize(
    "line",
    ["the guard ends it", "def test_the_guard_waits():", "CLAIM = 1", "HostClaim()", "no_way_back"],
)
def test_an_old_word_is_found(line: str) -> None:
    assert old_words(line, WORDS)


@pytest.mark.parametrize("line", ["molly-guard", "/run/oslab-kernel.claim", "displayed", "exclaim"])
def test_a_word_that_is_fine(line: str) -> None:
    assert old_words(line, WORDS) == []


def test_one_word_for_one_thing() -> None:
    paths = files(*(f"{root}/**/*" for root in EVERYWHERE), "*.md", "*.yml", "Makefile")
    assert len(paths) > 500
    assert uses(paths, WORDS) == []
    assert uses(files("roles/**/*", "playbooks/**/*"), WORDS_OF_ROLES) == []


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
        for path in files("playbooks/**/*.yml", "molecule/*/*.yml", "roles/*/tasks/**/*.yml")
        for role, entry in _entry_points(load(path))
        if role in roles()
        and entry not in load(ROOT / "roles" / role / "meta/argument_specs.yml")["argument_specs"]
    ]
    assert wrong == []
