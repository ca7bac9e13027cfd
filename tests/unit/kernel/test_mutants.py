# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of faults fits the kernel code as it is, without building any of them."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.tests.lib.script import RunError
from ansible_collections.oslab.kernel.tests.system.debug_kernel import mutants

MUTANTS = mutants.MUTANTS


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    copy = tmp_path_factory.mktemp("checkout")
    shutil.copytree(mutants.ROOT / mutants.KERNEL, copy / mutants.KERNEL)
    return copy


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_a_fault_goes_in_and_out(mutant: mutants.Mutant, checkout: Path) -> None:
    path = mutants.KERNEL / mutant.file
    whole = (mutants.ROOT / path).read_text()
    mutants.mutate(checkout, mutant)
    assert (checkout / path).read_text() not in ("", whole)
    mutants.restore(checkout, mutant)
    assert (checkout / path).read_text() == whole
    assert (mutants.ROOT / "files/kernel/selftests" / f"{mutant.program}.c").is_file()


@pytest.mark.parametrize("mutant", MUTANTS, ids=[mutant.name for mutant in MUTANTS])
def test_the_test_that_is_to_notice_it_exists(mutant: mutants.Mutant) -> None:
    selftests = mutants.ROOT / "files/kernel/selftests"
    texts = [(selftests / f"{name}.c").read_text() for name in (mutant.program, "lib")]
    said = "".join(texts).replace("%s: ", "")
    assert [text for text in mutant.noticed if text.strip() not in said] == []


def test_names_are_unique() -> None:
    assert len({mutant.name for mutant in MUTANTS}) == len(MUTANTS)


def test_a_fault_that_fits_nowhere_is_refused(checkout: Path) -> None:
    gone = mutants.Mutant("gone", mutants.USAGE, "no such line", "", "counting", ())
    with pytest.raises(RunError, match="'no such line' 0 times"):
        mutants.mutate(checkout, gone)


@pytest.mark.parametrize(
    ("output", "line"),
    [
        ("    ok 1 open: counted 1\n    not ok 2 read: should have counted 1 read", "not ok 2"),
        ("    not ok 1 read: went back", None),  # another test, for another reason
        ("    ok 1 read: should have counted 1 read", None),
        ("", None),
    ],
)
def test_only_the_test_that_is_there_for_it_counts(output: str, line: str | None) -> None:
    found = mutants.noticed(MUTANTS[0], output)
    assert found is None if line is None else str(found).startswith(line)
