# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A repository is served in the order in which clients need its files."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common import atomic_file
from ansible_collections.oslab.kernel.plugins.module_utils._repository import publish
from ansible_collections.oslab.kernel.plugins.module_utils._repository.publish import order, update

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
    real = publish.place

    def place(source: Path, target: Path) -> None:
        placed.append(source.relative_to(made).as_posix())
        real(source, target)

    monkeypatch.setattr(publish, "place", place)
    update(made, tmp_path / "served", ())
    assert placed[0] == "pool/main/p/p_1.deb"
    assert placed[1] == f"{INDEX}/by-hash/SHA256/aa"
    assert placed[-1] == "dists/stable/InRelease"
    assert (tmp_path / "served" / placed[-1]).samefile(made / placed[-1])


def test_the_release_of_a_component_is_an_index() -> None:
    assert order(Path(f"{INDEX}/Release")) < order(Path("dists/stable/Release"))


def test_a_signature_is_newer_by_whole_seconds_than_the_one_before(tmp_path: Path) -> None:
    made, served = tmp_path / "made", tmp_path / "served"
    write(made)
    update(made, served, ())
    signed = "dists/stable/InRelease"
    dates = [int((served / signed).stat().st_mtime)]
    for text in ("second", "third"):  # in one second, all of them
        (made / signed).unlink()
        (made / signed).write_text(text)
        update(made, served, ())
        assert (served / signed).read_text() == text
        dates.append(int((served / signed).stat().st_mtime))
    assert dates == sorted(set(dates))
    update(made, served, ())
    assert int((served / signed).stat().st_mtime) == dates[-1]  # nothing new


def test_packages_that_the_index_named_before_stay_for_once(tmp_path: Path) -> None:
    made, served = tmp_path / "made", tmp_path / "served"
    write(made)
    update(made, served, ())
    (made / "pool/main/p/p_1.deb").unlink()
    update(made, served, {"pool/main/p/p_1.deb"})
    assert (served / "pool/main/p/p_1.deb").exists()
    update(made, served, ())
    assert not (served / "pool").exists()


def test_indexes_of_some_publications_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publish, "KEPT", 3)
    made, served = tmp_path / "made", tmp_path / "served"
    write(made)
    hashes = made / INDEX / "by-hash/SHA256"
    for number in range(5):
        for path in hashes.iterdir():
            path.unlink()
        (hashes / str(number)).write_text(str(number))
        update(made, served, ())
    kept = sorted(path.name for path in (served / INDEX / "by-hash/SHA256").iterdir())
    assert kept == ["2", "3", "4"]


def test_a_file_changed_in_place_is_replaced(tmp_path: Path) -> None:
    made, served = tmp_path / "made", tmp_path / "served"
    write(made)
    update(made, served, ())
    other = served / "pool/main/p/p_1.deb"
    other.unlink()
    other.write_text("other")
    update(made, served, ())
    assert other.read_text() == "pool/main/p/p_1.deb"


def test_on_the_disk_before_an_index_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, served = tmp_path / "made", tmp_path / "served"
    write(made)
    done: list[str] = []
    sync, replace = atomic_file.sync, Path.replace

    def synced(path: Path) -> None:
        done.append(f"sync {path.relative_to(tmp_path)}")
        sync(path)

    def replaced(path: Path, target: Path) -> Path:
        done.append(f"name {target.relative_to(tmp_path)}")
        return replace(path, target)

    monkeypatch.setattr(atomic_file, "sync", synced)
    monkeypatch.setattr(Path, "replace", replaced)
    update(made, served, ())
    for line in [line for line in done if line.startswith("name")]:
        directory, _slash, last = line.split()[1].rpartition("/")
        # The content before it bears its name, and then the name.
        assert done.index(f"sync {directory}/.{last}.part") < done.index(line)
        assert f"sync {directory}" in done[done.index(line) :]
    index = done.index("name served/dists/stable/InRelease")
    for directory in ("served", "served/pool", "served/pool/main/p", f"served/{INDEX}"):
        assert done.index(f"sync {directory}") < index
    # What is there already is not synced again.
    done.clear()
    update(made, served, ())
    assert done == []


def test_a_full_disk_leaves_what_was_served(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, served = tmp_path / "made", tmp_path / "served"
    write(made)
    update(made, served, ())
    for path in made.rglob("*"):
        if path.is_file():
            path.unlink()
            path.write_text("new")

    def full(*_arguments: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        update(made, served, ())
    monkeypatch.undo()
    assert (served / "dists/stable/InRelease").read_text() == "dists/stable/InRelease"
    assert list(served.rglob(".*")) == []
    update(made, served, ())
    assert (served / "dists/stable/InRelease").read_text() == "new"


def test_readable_whatever_the_umask(tmp_path: Path) -> None:
    made, served = tmp_path / "made", tmp_path / "served"
    before = os.umask(0o077)
    try:
        write(made)
        update(made, served, ())
    finally:
        os.umask(before)
    for path in (served / "dists", served / "pool"):
        for each in [path, *path.rglob("*")]:
            assert stat.S_IMODE(each.stat().st_mode) == (0o755 if each.is_dir() else 0o644), each
    (served / "dists/stable/InRelease").chmod(0o600)
    update(made, served, ())
    assert stat.S_IMODE((served / "dists/stable/InRelease").stat().st_mode) == 0o644
