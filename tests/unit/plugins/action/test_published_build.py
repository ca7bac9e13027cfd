# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the control node reads of a published build: from a path, a file: address and by http."""

from __future__ import annotations

import base64
import functools
import hashlib
import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.oslab.kernel.plugins.action import published_build
from ansible_collections.oslab.kernel.plugins.module_utils._build import signing_key
from ansible_collections.oslab.kernel.plugins.module_utils._build.signatures import Signatures
from ansible_collections.oslab.kernel.plugins.plugin_utils import control_files
from ansible_collections.oslab.kernel.tests.lib import signing_keys

ID = "1" * 64
IMAGE = "linux-image-6.12.0-x"
SIGNATURES = f"builds/{ID[:12]}.signatures.json"


def read(place: str) -> dict[str, Any]:
    action = published_build.ActionModule.__new__(published_build.ActionModule)
    return action.act({"document": place, "timeout": 5}, {"inventory_hostname": "builder"})


@pytest.fixture(scope="module")
def signed(tmp_path_factory: pytest.TempPathFactory) -> Signatures:
    pem = signing_keys.pair(tmp_path_factory.mktemp("keys")).read_text()
    certificate = signing_key.parse(pem, "x").certificate
    return Signatures(ID, {"image": certificate}, {IMAGE: "2" * 64}, {"boot/vmlinuz-x": b"s"})


@pytest.fixture
def public(tmp_path: Path, signed: Signatures, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What a repository serves."""
    monkeypatch.setattr(control_files, "find", lambda _action, path, _vars: path)
    description = {
        "build_id": ID,
        "manifest": {"release": "6.12.0-x"},
        "packages": {IMAGE: {"sha256": "3" * 64, "size": 1}},
        "signatures": {**signed.described(), "file": SIGNATURES},
    }
    (tmp_path / "builds").mkdir()
    (tmp_path / SIGNATURES).write_text(signed.encode())
    (tmp_path / "oslab-kernel.json").write_text(json.dumps(description))
    return tmp_path


class Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_args: Any) -> None:
        pass


@pytest.fixture
def address(public: Path) -> Iterator[str]:
    handler = functools.partial(Quiet, directory=str(public))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}/oslab-kernel.json"
        server.shutdown()


def test_the_document_and_its_signatures(public: Path, address: str, signed: Signatures) -> None:
    path = public / "oslab-kernel.json"
    for place in (str(path), path.as_uri(), address):
        found = read(place)
        assert found["build_id"] == ID
        assert base64.b64decode(found["document"]) == path.read_bytes()
        assert base64.b64decode(found["signatures"]).decode() == signed.encode()
        assert found["signers"] == {"image": signed.certificates["image"].public()}


def test_a_build_without_signatures(public: Path) -> None:
    path = public / "oslab-kernel.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), "signatures": {}}))
    assert (read(str(path))["signatures"], read(str(path))["signers"]) == ("", {})


def test_other_signatures_than_the_published_ones(public: Path, address: str) -> None:
    with (public / SIGNATURES).open("a") as stream:
        stream.write(" ")
    actual = hashlib.sha256((public / SIGNATURES).read_bytes()).hexdigest()
    with pytest.raises(AnsibleActionFail, match=rf"it has sha256 {actual}, and .* was"):
        read(address)
    (public / SIGNATURES).unlink()
    with pytest.raises(AnsibleActionFail, match=r"signatures\.json cannot be read: .*404"):
        read(address)


def test_what_is_not_there(public: Path) -> None:
    with pytest.raises(AnsibleActionFail, match="build_published is empty on builder"):
        read("")
    with pytest.raises(AnsibleActionFail, match=r"nowhere cannot be read: .*No such file"):
        read(str(public / "nowhere"))
    with pytest.raises(AnsibleActionFail) as error:
        read("http://me:hunter2@127.0.0.1:1/x.json")
    assert "hunter2" not in str(error.value)
    (public / "x").write_text("nothing")
    with pytest.raises(AnsibleActionFail, match="names no build id"):
        read(str(public / "x"))
