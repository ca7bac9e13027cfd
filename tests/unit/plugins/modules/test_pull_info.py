# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that pulls finishes its trial boot without a network, from what it kept when it began."""

from __future__ import annotations

import json
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._host import finish_files, pull
from ansible_collections.oslab.kernel.plugins.module_utils._repository import description, receive
from ansible_collections.oslab.kernel.plugins.modules import pull_info

KEY = "A" * 40
URL = "https://kernel.example.org"
LIST = b'{"schema": 1}'


def described(name: str) -> dict[str, Any]:
    return {
        **{"release": f"6.12-{name}", "version": f"6.12-1.{name}", "build_id": name * 64},
        **{"suite": "stable", "component": "main", "key_fingerprint": KEY, "manifest": {}},
        **{"index_sha256": "c" * 64, "index_date": 1, "date": 1_800_000_000 + ord(name)},
        "packages": {f"linux-image-6.12-{name}": {"sha256": "a" * 64, "size": 1}},
        "installed_size_kib": 1,
        "files": {"file": f"builds/{name * 12}.json", "sha256": sha256(LIST).hexdigest()},
        "rollout": {"steps": [], "started": 1, "stopped": False},
    }


def image(name: str) -> str:
    return f"linux-image-6.12-{name}=6.12-1.{name}"


class Module:
    """What the functions read of AnsibleModule."""

    check_mode = False

    def __init__(self, memory: Path) -> None:
        self.params: dict[str, Any] = {
            **{"url": URL, "public_key": "key", "kernel_from": "", "timeout": 1},
            **{"memory": str(memory), "retry_failed": False, "required_rebuilds": 0},
        }


class Host:
    """A host and its repository; a signed description is its text."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.place = root / "finish"
        self.module: Any = Module(root / "pull.json")
        self.asked: list[str] = []
        self.published = described("a")
        self.answers = True
        self.boot = pull.Boot("ro", "first", False, False, "6.1", {}, None)
        monkeypatch.setattr(pull, "read", lambda: self.boot)
        monkeypatch.setattr(receive, "document", self.document)
        monkeypatch.setattr(
            description, "check_signature", lambda run, message, key: (KEY, message.decode())
        )
        monkeypatch.setattr(pull_info, "machine_id", lambda: "0" * 32)
        monkeypatch.setattr(pull_info, "module_runner", lambda module: None)
        for function in (finish_files.keep, finish_files.description, finish_files.has_list):
            defaults = tuple(
                self.place if one == finish_files.DIRECTORY else one
                for one in function.__defaults__ or ()
            )
            monkeypatch.setattr(function, "__defaults__", defaults)

    def document(self, url: str, timeout: int, limit: int) -> bytes:
        self.asked.append(url.rpartition("/")[2])
        if not self.answers:
            raise receive.ReceiveError(f"{url}: Network is unreachable")
        return LIST if "/builds/" in url else json.dumps(self.published).encode()

    def state(self) -> str:
        return str(pull_info.read(self.module, f"{URL}/{description.SIGNED}")["state"])

    def installed(self, name: str, **more: Any) -> None:
        record = {"image": image(name), "confirmed": False, **more}
        self.boot = self.boot._replace(record=record)

    def trial(self, name: str) -> None:
        release = f"6.12-{name}"
        self.boot = self.boot._replace(
            command_line=f"ro oslab.trial={release}", boot_id="second", verified=True
        )._replace(release=release)


@pytest.fixture
def host(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Host:
    return Host(tmp_path, monkeypatch)


def test_a_trial_boot_is_finished_without_a_network(host: Host) -> None:
    assert host.state() == "due"
    assert host.asked == ["oslab-kernel.json.asc", "aaaaaaaaaaaa.json"]
    host.installed("a")
    host.trial("a")
    host.answers = False
    assert host.state() == "finish"
    assert len(host.asked) == 2
    # The mark of a trial boot that no timer ends.
    host.boot = host.boot._replace(command_line="ro oslab.pending=6.12-a")
    assert host.state() == "finish"
    # Confirmed, it is a host as any other.
    host.boot = host.boot._replace(confirmed=True)
    with pytest.raises(receive.ReceiveError):
        host.state()


def test_another_build_was_published_before_the_trial_boot(host: Host) -> None:
    host.state()
    host.installed("a")
    # Another run was to deploy it, and was killed before the packages.
    host.published = described("b")
    host.asked.clear()
    assert host.state() == "due"
    host.trial("a")
    assert host.state() == "finish"
    host.installed("b")
    host.trial("b")
    assert host.state() == "finish"


def test_what_is_kept_is_not_believed(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    host.state()
    host.installed("a")
    host.trial("a")

    def refuse(run: Any, message: bytes, key: str) -> tuple[str, str]:
        raise description.DescriptionError("not signed")

    monkeypatch.setattr(description, "check_signature", refuse)
    host.asked.clear()
    with pytest.raises(description.DescriptionError):
        host.state()
    assert host.asked == ["oslab-kernel.json.asc"]


def test_what_is_fetched_and_kept_once(host: Host) -> None:
    host.module.check_mode = True
    assert host.state() == "due"
    assert not host.place.exists()
    host.module.check_mode = False
    for _run in (1, 2):
        host.state()
    assert host.asked.count("aaaaaaaaaaaa.json") == 1
    # A host that runs the build needs nothing of it.
    host.published = described("b")
    host.installed("b", confirmed=True)
    host.asked.clear()
    assert host.state() == "due"
    assert host.asked == ["oslab-kernel.json.asc"]
    # The repository lacks the list: the trial boot asks again.
    host.published = {
        **described("c"),
        "files": {"file": f"builds/{'c' * 12}.json", "sha256": "d" * 64},
    }
    assert host.state() == "due"
    assert finish_files.description(image("c"), 1 << 20)
