# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Several small files: what differs is written, and nothing else is touched."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common import atomic_file
from ansible_collections.oslab.kernel.plugins.module_utils._host.config_files import (
    ConfigFileError,
    Wanted,
    apply,
    differences,
)


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o7777


@pytest.fixture(autouse=True)
def _narrow_umask() -> Iterator[None]:
    before = os.umask(0o077)
    yield
    os.umask(before)


def test_files_are_written_with_their_directories_and_modes(tmp_path: Path) -> None:
    wanted = [
        Wanted(tmp_path / "a/b/program", "#!/bin/sh\n", 0o755),
        Wanted(tmp_path / "settings", "größe = 1\n", 0o644),
    ]
    found = differences(wanted)
    assert [one.wanted for one in found] == wanted
    apply(found)
    assert (tmp_path / "a/b/program").read_text() == "#!/bin/sh\n"
    assert mode(tmp_path / "a/b/program") == 0o755
    assert [mode(tmp_path / "a"), mode(tmp_path / "a/b")] == [0o755, 0o755]
    assert (tmp_path / "settings").read_text(encoding="utf-8") == "größe = 1\n"
    assert differences(wanted) == []


def test_what_differs_is_shown(tmp_path: Path) -> None:
    old, same, loose = (tmp_path / name for name in ("old", "same", "loose"))
    for path in (old, same, loose):
        path.write_text("1\n")
        path.chmod(0o644)
    loose.chmod(0o666)
    found = differences([Wanted(path, "1\n", 0o644) for path in (same, loose)])
    found += differences([Wanted(old, "2\n", 0o644)])
    shown = [one.diff for one in found]
    assert [one["after_header"] for one in shown] == [str(loose), str(old)]
    texts = [(one["before"], one["after"]) for one in shown]
    assert texts == [("mode: 0666\n", "mode: 0644\n"), ("1\n", "2\n")]
    before = same.stat()
    apply(found)
    assert (old.read_text(), mode(loose)) == ("2\n", 0o644)
    assert same.stat() == before


def test_a_file_that_must_not_be_there(tmp_path: Path) -> None:
    report = tmp_path / "report"
    gone = [Wanted(report, None, 0), Wanted(tmp_path / "no/directory", None, 0)]
    assert differences(gone) == []
    report.write_text("old\n")
    found = differences(gone)
    assert [one.diff["before"] for one in found] == ["old\n"]
    apply(found)
    assert not report.exists()
    assert differences(gone) == []


def test_a_file_that_stays_as_it_is(tmp_path: Path) -> None:
    wanted = [Wanted(tmp_path / "baseline", "2\n", 0o644, force=False)]
    apply(differences(wanted))
    (tmp_path / "baseline").write_text("1\n")
    assert differences(wanted) == []


def test_a_link_stays(tmp_path: Path) -> None:
    (tmp_path / "target").write_text("1\n")
    (tmp_path / "link").symlink_to("target")
    apply(differences([Wanted(tmp_path / "link", "2\n", 0o644)]))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "2\n"


def test_a_link_that_must_not_be_there_goes_alone(tmp_path: Path) -> None:
    (tmp_path / "directory").mkdir()
    for name, target in (("dangling", "nowhere"), ("link", "directory")):
        link = tmp_path / name
        link.symlink_to(target)
        found = differences([Wanted(link, None, 0)])
        assert [one.diff["before"] for one in found] == [f"-> {target}\n"]
        apply(found)
        assert not link.is_symlink()
    assert (tmp_path / "directory").is_dir()


def test_bytes_that_are_no_utf_8(tmp_path: Path) -> None:
    """As a boot entry may have them, which is read with surrogates."""
    wanted = [Wanted(tmp_path / "cmdline", "name=\udcff\n", 0o644)]
    apply(differences(wanted))
    assert (tmp_path / "cmdline").read_bytes() == b"name=\xff\n"
    assert differences(wanted) == []


def test_what_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigFileError, match="is no file"):
        differences([Wanted(Path("/dev/null"), "1\n", 0o644)])
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(ConfigFileError, match="is no file"):
        differences([Wanted(tmp_path / "pipe", None, 0)])
    (tmp_path / "directory").mkdir()
    with pytest.raises(ConfigFileError, match="directory cannot be read"):
        differences([Wanted(tmp_path / "directory", "1\n", 0o644)])


def test_a_failure_leaves_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "file"
    path.write_text("1\n")

    def full(*_arguments: object, **_named: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(atomic_file, "write", full)
    with pytest.raises(ConfigFileError, match=r"file cannot be written: No space .* as it was"):
        apply(differences([Wanted(path, "2\n", 0o644)]))
    assert path.read_text() == "1\n"
