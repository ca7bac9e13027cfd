# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a .buildinfo and a repository's description say of a build."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import published
from ansible_collections.oslab.kernel.plugins.module_utils._build.lock_lines import Difference

ID, IMAGE, TOOLS = "1" * 64, "2" * 64, "3" * 64
BUILDINFO = f"""\
Format: 1.0
Source: linux-upstream
Checksums-Md5:
 {"0" * 32} 5 linux-image-6.12.0-x_6.12.0-oslab1.1_amd64.deb
Checksums-Sha256:
 {IMAGE} 5 linux-image-6.12.0-x_6.12.0-oslab1.1_amd64.deb
 {TOOLS} 7 oslab-kernel-tools_6.12.0-oslab1.1_amd64.deb
Installed-Build-Depends:
 gcc (= 4:12.2.0-3),
Oslab-Build-Id: {ID}
Oslab-Release: 6.12.0-x
Oslab-Source-Sha256: {"4" * 64}
Oslab-Config-Sha256: {"5" * 64}
Oslab-Toolchain:
 gcc: gcc (Debian 12.2.0-14) 12.2.0
 ld: GNU ld (GNU Binutils) 2.40
"""
MANIFEST: dict[str, Any] = {
    "schema": 1,
    "version": "6.12.0-oslab1.1",
    "build_id": ID,
    "release": "6.12.0-x",
    "source": {"sha256": "4" * 64, "version": "6.12.0"},
    "config_sha256": "5" * 64,
    "toolchain": {"gcc": "gcc (Debian 12.2.0-14) 12.2.0", "ld": "GNU ld (GNU Binutils) 2.40"},
    "patches": [{"name": "a", "sha256": "6" * 64}],
}
DESCRIPTION: dict[str, Any] = {
    "build_id": ID,
    "manifest": MANIFEST,
    "packages": {
        "linux-image-6.12.0-x": {"sha256": IMAGE, "size": 5},
        "oslab-kernel-tools": {"sha256": TOOLS, "size": 7},
    },
}
TEXTS = {"buildinfo": BUILDINFO, "description": json.dumps(DESCRIPTION)}


def test_of_several_kernels_that_of_the_builder() -> None:
    other = {**DESCRIPTION, "build_id": "f" * 64}
    text = json.dumps({**DESCRIPTION, "kernel": "alice", "kernels": {"bob": other}})
    found = {name: published.parse(text, name).build_id for name in ("alice", "bob", "me")}
    assert found == {"alice": ID, "bob": "f" * 64, "me": ID}


@pytest.mark.parametrize("kind", TEXTS)
def test_id_and_packages(kind: str) -> None:
    found = published.parse(TEXTS[kind])
    assert found.build_id == ID
    assert found.packages == {"linux-image-6.12.0-x": IMAGE, "oslab-kernel-tools": TOOLS}
    assert found.other_inputs(MANIFEST) == []
    encoded = base64.b64encode(TEXTS[kind].encode()).decode()
    assert published.decode(encoded) == found


@pytest.mark.parametrize("kind", TEXTS)
def test_other_inputs_are_named(kind: str) -> None:
    other = {**MANIFEST, "toolchain": {"gcc": "gcc 13"}, "config_sha256": "7" * 64}
    assert published.parse(TEXTS[kind]).other_inputs(other) == [
        Difference("config_sha256", "5" * 64, "7" * 64),
        Difference("toolchain.gcc", "gcc (Debian 12.2.0-14) 12.2.0", "gcc 13"),
        Difference("toolchain.ld", "GNU ld (GNU Binutils) 2.40", None),
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "names no build id"),
        ("{", "is no JSON"),
        (json.dumps(MANIFEST), "no checksums of packages"),
        (json.dumps({**DESCRIPTION, "packages": {"x": 1}}), "no checksums of packages"),
        (json.dumps({**DESCRIPTION, "build_id": "../.."}), "names no build id"),
        (
            json.dumps({**DESCRIPTION, "packages": {"../x": {"sha256": IMAGE}}}),
            "names a package '../x'",
        ),
        (BUILDINFO.replace("Checksums-Sha256", "Checksums-Sha1"), "no checksums of packages"),
        ("x" * (published.LIMIT + 1), "has more than"),
    ],
)
def test_what_is_no_published_build(text: str, message: str) -> None:
    with pytest.raises(published.PublishedError, match=message) as caught:
        published.parse(text)
    assert "build_published has to be" in str(caught.value)


def test_what_is_no_base64() -> None:
    for document in ("é", "AA", base64.b64encode(b"\xff").decode()):
        with pytest.raises(published.PublishedError):
            published.decode(document)


SIGNED = {"file": "signatures.json", "sha256": "7" * 64}
UNSIGNED = {"linux-image-6.12.0-x": "8" * 64}


@pytest.mark.parametrize("kind", TEXTS)
def test_detached_signatures(kind: str) -> None:
    assert published.parse(TEXTS[kind]).signatures == {}
    fields = f"Oslab-Signatures:\n {'7' * 64} signatures.json\n"
    fields += f"Oslab-Unsigned-Packages:\n {'8' * 64} linux-image-6.12.0-x\n"
    about = {**DESCRIPTION, "signatures": {**SIGNED, "unsigned": UNSIGNED}}
    found = published.parse(BUILDINFO + fields if kind == "buildinfo" else json.dumps(about))
    assert found.signatures == SIGNED
    assert found.unsigned == UNSIGNED


@pytest.mark.parametrize(
    "about",
    [
        {"file": "/etc/passwd"},
        {"file": "../signatures.json"},
        {"file": "signatures.json?x"},
        {"sha256": "x"},
        {"unsigned": {"../x": "8" * 64}},
        {"unsigned": {"x": "y"}},
    ],
)
def test_signatures_of_another_place(about: dict[str, Any]) -> None:
    given = {**SIGNED, "unsigned": UNSIGNED, **about}
    with pytest.raises(published.PublishedError, match="says of signatures is not understood"):
        published.parse(json.dumps({**DESCRIPTION, "signatures": given}))
