# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept for a trial boot that asks no network, and what is not."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

from ansible_collections.oslab.kernel.plugins.module_utils._host import finish_files

A, B, C = (f"linux-image-6.12-{name}=1" for name in "abc")
LIMIT = 1 << 20


def test_only_root_reads_it(tmp_path: Path) -> None:
    place = tmp_path / "state/finish"
    finish_files.keep(A, b"signed", b"list", directory=place)
    assert place.stat().st_mode & 0o777 == 0o700
    assert {path.stat().st_mode & 0o777 for path in place.iterdir()} == {0o600}
    assert finish_files.description(A, LIMIT, place) == b"signed"
    assert finish_files.has_list(A, sha256(b"list").hexdigest(), LIMIT, place)
    assert not finish_files.has_list(A, "0" * 64, LIMIT, place)
    assert not finish_files.has_list(B, "0" * 64, LIMIT, place)
    assert finish_files.description(B, LIMIT, place) is None
    # A list that is there stays.
    finish_files.keep(A, b"signed again", None, directory=place)
    assert finish_files.description(A, LIMIT, place) == b"signed again"
    assert finish_files.list_path(A, place).read_bytes() == b"list"


def test_the_trial_boot_of_an_earlier_build_may_still_come(tmp_path: Path) -> None:
    other = tmp_path / "trial-rerun"
    other.touch()
    finish_files.keep(A, b"a", b"list", directory=tmp_path)
    finish_files.keep(B, b"b", None, A, directory=tmp_path)
    assert finish_files.description(A, LIMIT, tmp_path) == b"a"
    finish_files.keep(C, b"c", None, B, directory=tmp_path)
    assert finish_files.description(A, LIMIT, tmp_path) is None
    assert not finish_files.list_path(A, tmp_path).exists()
    assert finish_files.description(B, LIMIT, tmp_path) == b"b"
    # That of the role trial.
    assert other.exists()


def test_names_of_any_length(tmp_path: Path) -> None:
    image = f"linux-image-{'x' * 200}={'/..' * 200}"
    finish_files.keep(image, b"a", b"b", directory=tmp_path)
    assert finish_files.description(image, LIMIT, tmp_path) == b"a"
    assert {path.parent for path in tmp_path.rglob("*")} == {tmp_path}
