# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A repository is served in the order in which clients need its files."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils import repository_tree
from ansible_collections.oslab.kernel.plugins.module_utils.repository_tree import bring, order

INDEX = "dists/stable/main/binary-amd64"


def write(top: Path) -> None:
    for name in (
        "dists/stable/InRelease",
        "dists/stable/Release",
        "dists/stable/Release.gpg",
        f"{INDEX}/Packages",
        f"{INDEX}/Release",
        f"{INDEX}/by-hash/SHA256/aa",
        "pool/main/p/p_1.deb",
    ):
        path = top / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)


def test_packages_then_indexes_then_the_signature(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = tmp_path / "made"
    write(made)
    placed: list[str] = []
    real = repository_tree.place

    def place(source: Path, target: Path) -> None:
        placed.append(source.relative_to(made).as_posix())
        real(source, target)

    monkeypatch.setattr(repository_tree, "place", place)
    bring(made, tmp_path / "served", ())
    assert placed[0] == "pool/main/p/p_1.deb"
    assert placed[1] == f"{INDEX}/by-hash/SHA256/aa"
    assert placed[-1] == "dists/stable/InRelease"
    assert (tmp_path / "served" / placed[-1]).samefile(made / placed[-1])


def test_the_release_of_a_component_is_an_index() -> None:
    assert order(Path(f"{INDEX}/Release")) < order(Path("dists/stable/Release"))


def test_a_signature_is_newer_by_whole_seconds_than_the_one_before(tmp_path: Path) -> None:
    made, served = tmp_path / "made", tmp_path / "served"
    write(made)
    bring(made, served, ())
    signed = "dists/stable/InRelease"
    dates = [int((served / signed).stat().st_mtime)]
    for text in ("second", "third"):  # in one second, all of them
        (made / signed).unlink()
        (made / signed).write_text(text)
        bring(made, served, ())
        assert (served / signed).read_text() == text
        dates.append(int((served / signed).stat().st_mtime))
    assert dates == sorted(set(dates))
    bring(made, served, ())
    assert int((served / signed).stat().st_mtime) == dates[-1]  # nothing new


def test_packages_that_the_index_named_before_stay_for_once(tmp_path: Path) -> None:
    made, served = tmp_path / "made", tmp_path / "served"
    write(made)
    bring(made, served, ())
    (made / "pool/main/p/p_1.deb").unlink()
    bring(made, served, {"pool/main/p/p_1.deb"})
    assert (served / "pool/main/p/p_1.deb").exists()
    bring(made, served, ())
    assert not (served / "pool").exists()


def test_indexes_of_some_publications_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(repository_tree, "KEPT", 3)
    made, served = tmp_path / "made", tmp_path / "served"
    write(made)
    hashes = made / INDEX / "by-hash/SHA256"
    for number in range(5):
        for path in hashes.iterdir():
            path.unlink()
        (hashes / str(number)).write_text(str(number))
        bring(made, served, ())
    kept = sorted(path.name for path in (served / INDEX / "by-hash/SHA256").iterdir())
    assert kept == ["2", "3", "4"]


def test_a_file_changed_in_place_is_replaced(tmp_path: Path) -> None:
    made, served = tmp_path / "made", tmp_path / "served"
    write(made)
    bring(made, served, ())
    other = served / "pool/main/p/p_1.deb"
    other.unlink()
    other.write_text("other")
    bring(made, served, ())
    assert other.read_text() == "pool/main/p/p_1.deb"
