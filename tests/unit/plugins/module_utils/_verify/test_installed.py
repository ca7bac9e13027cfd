# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A list from the builder, or from the repository, and the sizes beside the comparison."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build.package_files import ListError
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._repository import receive
from ansible_collections.oslab.kernel.plugins.module_utils._verify import installed

RELEASE, VERSION, ID = "6.12-x", "6.12-oslab1.abababababab", "ab" * 32
IMAGE = f"linux-image-{RELEASE}"
LIST = {
    "schema": 1,
    "release": RELEASE,
    "version": VERSION,
    "build_id": ID,
    "gnu_build_id": "",
    "packages": {IMAGE: {f"/boot/vmlinuz-{RELEASE}": hashlib.sha256(b"image").hexdigest()}},
}


@pytest.fixture
def host(tmp_path: Path) -> Path:
    (tmp_path / "boot").mkdir()
    (tmp_path / f"boot/vmlinuz-{RELEASE}").write_text("image")
    (tmp_path / f"lib/modules/{RELEASE}").mkdir(parents=True)
    (tmp_path / "proc/sys/kernel").mkdir(parents=True)
    (tmp_path / "proc/sys/kernel/osrelease").write_text(f"{RELEASE}\n")
    (tmp_path / "apt.sources").write_text("URIs: http://one\nSuites: stable\n")
    return tmp_path


def gather(root: Path, files: Any, source: bool = False, sha256: str = "") -> dict[str, Any]:
    return installed.gather(
        lambda argv: Result(0, f"{IMAGE}\t{VERSION}\tinstalled\n"),
        ID,
        files,
        root / "apt.sources" if source else None,
        sha256,
        1,
        [],
        root,
    )


def test_the_builders_list_and_the_sizes(host: Path) -> None:
    found = gather(host, LIST)
    assert (found["method"], found["confirmed"], found["changed_files"]) == ("list", True, [])
    assert found["sizes"]["sizes"]["image"] == len("image")
    (host / f"boot/vmlinuz-{RELEASE}").write_text("other")
    assert [one["path"] for one in gather(host, LIST)["changed_files"]] == [
        f"/boot/vmlinuz-{RELEASE}"
    ]


def test_the_list_of_the_repository(host: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    data = json.dumps(LIST).encode()
    monkeypatch.setattr(receive, "document", lambda url, timeout, limit: data)
    found = gather(host, None, source=True, sha256=hashlib.sha256(data).hexdigest())
    assert (found["method"], found["confirmed"]) == ("repository", True)
    assert gather(host, None, source=True)["confirmed"] is False
    refused = gather(host, None, source=True, sha256="0" * 64)
    assert refused["method"] == "dpkg"


def test_a_list_that_the_host_has_kept(host: Path) -> None:
    data = json.dumps(LIST).encode()
    (host / "kept").write_bytes(data)
    assert installed.kept_list(host / "kept", hashlib.sha256(data).hexdigest()) == LIST
    # Nobody says that it is the right one; another one; none.
    assert installed.kept_list(host / "kept", "") is None
    assert installed.kept_list(host / "kept", "0" * 64) is None
    assert installed.kept_list(host / "none", "0" * 64) is None


def test_without_a_list_dpkg_is_asked(host: Path) -> None:
    found = gather(host, None)
    assert found["method"] == "dpkg"
    with pytest.raises(ListError):
        gather(host, {"schema": 1})
