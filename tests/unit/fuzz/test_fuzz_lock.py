# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What others have published of a build, what a mirror lists, and a lock after a merge."""

from __future__ import annotations

import contextlib
import json
import re
from pathlib import Path
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._build import (
    lock_lines,
    published,
    rebuild,
    signatures,
)
from ansible_collections.oslab.kernel.plugins.module_utils._build import root as build_root
from ansible_collections.oslab.kernel.plugins.module_utils._repository import attestations
from ansible_collections.oslab.kernel.plugins.module_utils._source import download, fetch
from ansible_collections.oslab.kernel.plugins.plugin_utils import lock_file
from ansible_collections.oslab.kernel.tests.lib import hostile
from hypothesis import given
from hypothesis import strategies as st

SUM = "a" * 64
BUILDINFO = f"""\
Checksums-Sha256:
 {SUM} 5 linux-image-6.12.0-x_6.12.0-oslab1.1_amd64.deb
Oslab-Build-Id: {SUM}
Oslab-Signatures:
 {SUM} signatures.json
Oslab-Unsigned-Packages:
 {SUM} linux-image-6.12.0-x
Oslab-Toolchain:
 gcc: gcc (Debian) 12.2.0
"""
DESCRIPTION: dict[str, Any] = {
    "build_id": SUM,
    "signatures": {"file": "signatures.json", "sha256": SUM, "unsigned": {"linux-image-x": SUM}},
    "manifest": {"release": "x", "patches": [{"name": "a", "sha256": SUM}], "toolchain": {}},
    "packages": {"linux-image-x": {"sha256": SUM}},
}


def check(text: str) -> None:
    with contextlib.suppress(published.PublishedError):
        found = published.parse(text)
        assert all(re.fullmatch(r"[a-z0-9][a-z0-9+.-]*", name) for name in found.packages)
        for each in lock_lines.listed(found.other_inputs({"release": "y"})):
            assert len(each) < 1000
        rebuild.statement(found, rebuild.compare(found, {}))


@given(hostile.texts(BUILDINFO, json.dumps(DESCRIPTION)))
def test_what_is_published(text: str) -> None:
    check(text)


@given(hostile.values(DESCRIPTION))
def test_a_description(value: Any) -> None:
    check(json.dumps(value))


SIGNED: dict[str, Any] = {
    "schema": 1,
    "build_id": SUM,
    "certificates": {"image": "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n"},
    "unsigned": {"linux-image-x": SUM},
    "files": {"boot/vmlinuz-x": "AA==", "lib/modules/x/a.ko": "AAAA"},
}


@given(st.one_of(hostile.values(SIGNED).map(json.dumps), hostile.texts(json.dumps(SIGNED))))
def test_detached_signatures(text: str) -> None:
    with contextlib.suppress(signatures.SignaturesError):
        found = signatures.parse(text)
        for path in found.files:
            assert re.match(r"(boot|lib|usr)/", path)
            assert ".." not in path.split("/")


STATEMENT = rebuild.statement(published.parse(json.dumps(DESCRIPTION)), [])


@given(st.one_of(hostile.values(STATEMENT).map(json.dumps), hostile.texts(json.dumps(STATEMENT))))
def test_attestations(text: str) -> None:
    build = attestations.Build(SUM, {"linux-image-x": SUM})
    for problem in attestations.statement_problems(text, build):
        assert len(problem) < 400
        assert problem.isprintable()


FILE = {"schema": 1, "attestations": ["-----BEGIN PGP SIGNED MESSAGE-----", "x"]}


@given(st.one_of(hostile.values(FILE).map(json.dumps), hostile.texts(json.dumps(FILE))))
def test_a_file_of_attestations(text: str) -> None:
    with contextlib.suppress(attestations.AttestationsError):
        attestations.document(attestations.parse(text), SUM)


@given(hostile.texts(f"{SUM}  linux-6.12.58.tar.xz\n{SUM}  linux-6.12.tar.xz\n"))
def test_a_listing(tmp_path: Path, text: str) -> None:
    place = tmp_path / "v6.x"
    place.mkdir(exist_ok=True)
    (place / fetch.LISTING).write_text(text, encoding="utf-8", newline="")
    means = fetch.Means(download.url_opener(5), lambda *_: (1, ""), download.Limits(5, 1))
    with contextlib.suppress(fetch.FetchError):
        found = fetch.newest([tmp_path.as_uri()], "6.12", fetch.Policy(), means)
        assert re.fullmatch(r"6\.12(\.[1-9][0-9]{0,8})?", found)


@given(hostile.texts("Origin: Debian\nDate: Sat, 28 Nov 2026 08:15:01 UTC\n"))
def test_the_date_of_an_archive(tmp_path: Path, text: str) -> None:
    (tmp_path / "x_InRelease").write_text(text, encoding="utf-8", newline="")
    found = build_root.archive_date(tmp_path)
    assert re.fullmatch(r"([0-9]{8}T[0-9]{6}Z)?", found)


LOCK = {**{name: {} for name in lock_file.MAPPINGS}, "collection": "1", "targets": {"base": "a\nb"}}


@given(hostile.texts(lock_file.encode(LOCK)))
def test_a_lock(text: str) -> None:
    with contextlib.suppress(lock_file.LockError):
        found = lock_file.decode(text, "kernel.lock")
        lock_lines.refusal("kernel.lock", lock_lines.differences(found, LOCK))
