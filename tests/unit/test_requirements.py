# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pip runs as root: it installs only files whose hashes are committed."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
# Of a shell, a Makefile, a list of arguments.
INSTALL = re.compile(r"\bpip3?(?:\.\d+)?[\"']?,?\s+[\"']?(?:install|download|wheel)\b")
NEEDED = ("--require-hashes", "--only-binary")
# ansible-test brings the versions of its own tools, and no hashes. It is not part of `make test`.
ANSIBLE_TEST = "tests/sanity/get_pip.py"


def tracked(*patterns: str) -> list[Path]:
    """Files of the checkout that are, or are about to be, committed."""
    argv = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard", "--", *patterns]
    listed = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True).stdout
    return [path for name in listed.split("\0") if name and (path := ROOT / name).is_file()]


# requirements-apt*.txt name Debian's packages.
LISTS = [
    path.name
    for path in tracked("requirements*.txt")
    if not path.name.startswith("requirements-apt")
]
EXTRA = [name for name in LISTS if name != "requirements.txt"]


def logical_lines(text: str) -> list[str]:
    """Lines, those that end in a backslash joined with the next."""
    return text.replace("\\\n", " ").splitlines()


def requirements(path: Path) -> list[str]:
    lines = (line.partition("#")[0].strip() for line in logical_lines(path.read_text()))
    return [line for line in lines if line]


def locked(path: Path) -> dict[str, tuple[str, list[str]]]:
    """Version and hashes of each package in a lock file."""
    found: dict[str, tuple[str, list[str]]] = {}
    for line in requirements(path):
        text, *hashes = re.split(r"\s+--hash=sha256:", line)
        wanted = Requirement(text)
        [version] = wanted.specifier
        assert version.operator == "==", line
        found[canonicalize_name(wanted.name)] = (version.version, hashes)
    return found


def locks() -> list[Path]:
    return tracked("*.lock")


def test_the_locks_of_the_lists_and_of_the_releases_of_ansible_core_exist() -> None:
    names = {path.relative_to(ROOT).as_posix() for path in locks()}
    assert names >= {name.replace(".txt", ".lock") for name in LISTS}
    ignored = {path.stem.partition("-")[2] for path in tracked("tests/sanity/ignore-*.txt")}
    assert ignored
    assert names >= {f"tests/sanity/requirements-{release}.lock" for release in ignored}


def test_there_are_lists() -> None:
    assert "requirements.txt" in LISTS
    assert EXTRA


@pytest.mark.parametrize("name", EXTRA)
def test_each_further_list_is_installed_from_its_own_lock(name: str) -> None:
    lock = name.replace(".txt", ".lock")
    target = f".venv/{Path(lock).stem.partition('-')[2]}/.done"
    argv = ["make", "--dry-run", "--always-make", target]
    done = subprocess.run(argv, cwd=ROOT, capture_output=True, text=True, check=True)
    [line] = [line for line in done.stdout.splitlines() if "--target" in line]
    assert line.split("--requirement ")[1].split() == [lock]


@pytest.mark.parametrize("name", LISTS)
def test_each_requirement_is_in_the_lock_at_its_version(name: str) -> None:
    lock = locked(ROOT / name.replace(".txt", ".lock"))
    for text in requirements(ROOT / name):
        wanted = Requirement(text)
        version, _hashes = lock[canonicalize_name(wanted.name)]
        assert str(wanted.specifier) == f"=={version}"


def test_the_locks_of_ansible_test_are_of_its_releases() -> None:
    for path in tracked("tests/sanity/*.lock"):
        release = path.stem.partition("-")[2]
        assert locked(path)["ansible-core"][0].startswith(f"{release}.")


def test_each_locked_package_has_hashes_and_no_place_to_come_from() -> None:
    assert locks()
    for path in locks():
        for name, (_version, hashes) in locked(path).items():
            assert hashes, (path, name)
            assert all(re.fullmatch("[0-9a-f]{64}", one) for one in hashes), (path, name)
        assert "://" not in path.read_text()


def test_nothing_is_installed_by_pip_without_hashes_or_from_source() -> None:
    """Neither by a command nor by a task of a role."""
    seen = 0
    for path in tracked():
        relative = path.relative_to(ROOT)
        changelog = relative.parts[0] == "changelogs" or path.name == "CHANGELOG.md"
        if changelog or relative.as_posix() == ANSIBLE_TEST:
            continue
        try:
            lines = logical_lines(path.read_text())
        except UnicodeDecodeError:
            continue
        for line in lines:
            assert not re.match(r"\s*(-\s+)?(ansible\.builtin\.)?pip:", line), (relative, line)
            if not INSTALL.search(line):
                continue
            seen += 1
            assert all(option in line for option in NEEDED), (str(relative), line)
    assert seen >= 2, "the search finds nothing: it looks for the wrong words"
