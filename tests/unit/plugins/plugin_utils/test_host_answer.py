# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""host_answer: what a host may say, and a sentence for all else."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils.host_kernel_info import Host, gather
from ansible_collections.oslab.kernel.plugins.plugin_utils.host_answer import (
    ANSWER,
    origin_problem,
    problem,
)

BOOT = "01234567-89ab-cdef-0123-456789abcdef"
RECORD = {
    "image": "linux-image-6.12.117-49-usac1=6.12.117-oslab1.0123456789ab",
    "boot_id": BOOT,
    "fallback": "6.1.0-38-amd64",
    "complete": True,
    "confirmed": False,
}
PATH = "/var/lib/oslab-kernel/origin.json"


@pytest.fixture
def answer(tmp_path: Path) -> dict[str, Any]:
    """As the module makes it, of a host that has next to nothing."""
    random = tmp_path / "proc/sys/kernel/random"
    random.mkdir(parents=True)
    (random / "boot_id").write_text(BOOT + "\n")
    (random.parent / "osrelease").write_text("6.1.0-38-amd64\n")
    (random.parent / "ostype").write_text("Linux\n")
    facts, _warnings = gather(Host(run=lambda _argv: None, root=tmp_path), ["x"], ["/etc/x"])
    return facts


def encoded(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.b64encode(text.encode()).decode()


def test_what_hosts_answer(answer: dict[str, Any]) -> None:
    assert problem(answer, "web1") == ""
    assert ANSWER.keys() <= answer.keys()
    full = {
        **answer,
        "packages": {"libstdc++6": "1:12.2.0-14+deb12u1", "oslab-kernel-tools": "6.12~rc1-1"},
        "oslab_releases": ["6.12.117-49-usac1", "6.6.0-rc1+"],
        "install_record": RECORD,
        "files": {"/etc/x": "ab" * 32, "/etc/y": None},
        "reboot_required": ["linux-base"],
        "watchdogs": ["iTCO_wdt"],
        "trial": "6.12.117-49-usac1",
        "initrd_program": "dracut",
    }
    assert problem(full, "web1") == ""
    # Of a kernel that was there before, or of a run that was cut off early.
    assert problem({**full, "install_record": {"complete": True}}, "web1") == ""


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("release", "../../etc"),
        ("release", "-rf"),
        ("release", "6.1\nGRUB_X=1"),
        ("release", "6" * 65),
        ("release", ["6.1"]),
        ("boot_id", "{{ lookup('pipe', 'id') }}"),
        ("boot_loader", "lilo"),
        ("initrd_program", "sh"),
        ("packages", ["linux-image"]),
        ("packages", {"x": None}),
        ("packages_unfinished", ["--force-all"]),
        ("packages_held", "all"),
        ("oslab_packages", {"-oDPkg::Pre-Invoke::=id": "1"}),
        ("oslab_releases", [".."]),
        ("files", {"/etc/x": 1}),
        ("free_kib", {"/": "much"}),
        ("free_kib", {"/": True}),
        ("time", "now"),
        ("time", 1 << 70),
        ("trial", "a b"),
        ("systemd", "yes"),
        ("systemd_version", -1),
        ("watchdogs", None),
        ("sysname", "\x1b[2J"),
        ("trial_report", 7),
    ],
)
def test_what_cannot_be_used(answer: dict[str, Any], name: str, value: Any) -> None:
    said = problem({**answer, name: value}, "web1")
    assert said.startswith("web1 reported ")
    assert f" as {name}, which " in said
    assert said.isprintable()
    assert len(said) < 300


@pytest.mark.parametrize("wrong", [None, [], "text"])
def test_no_description_at_all(wrong: Any) -> None:
    assert problem(wrong, "web1").startswith("web1 reported ")


def test_a_field_that_is_not_there(answer: dict[str, Any]) -> None:
    del answer["time"]
    assert problem(answer, "web1").startswith("web1 reported nothing as time, ")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("image", "linux-image-6.1"),
        ("image", ["linux-image-6.1=1"]),
        ("boot_id", ""),
        ("fallback", "../6.1"),
        ("fallback", "\n"),
        ("complete", "no"),
        ("confirmed", None),
    ],
)
def test_a_record_that_nobody_wrote(answer: dict[str, Any], field: str, value: Any) -> None:
    said = problem({**answer, "install_record": {**RECORD, field: value}}, "web1")
    assert said.startswith("web1: /var/lib/oslab-kernel/install.json has ")
    assert f" as {field}, " in said


def test_how_a_host_was() -> None:
    origin = {
        "names": ["bash", "libstdc++6"],
        "packages": {"linux-libc-dev": "6.1.5-1"},
        "saved_entry": "gnulinux-advanced-1>gnulinux-6.1.0",
        "directories": ["/usr/local/lib/oslab-kernel"],
    }
    assert origin_problem(encoded(origin), "web1", PATH) == ""
    assert origin_problem(encoded({}), "web1", PATH) == ""


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "is not a JSON object"),
        ("[]", "is not a JSON object"),
        ('{"names": ', "is not a JSON object"),
        ("[" * 100000, "is not a JSON object"),
        ({"names": "bash"}, "has 'bash' as names"),
        ({"packages": {"x": "1 --yes"}}, "as packages"),
        ({"packages": {"-x": "1"}}, "as packages"),
        ({"saved_entry": None}, "has None as saved_entry"),
        ({"directories": ["etc"]}, "has ['etc'] as directories"),
        ({"names": ["a" * 5000]}, "... as names"),
    ],
)
def test_a_record_of_how_it_was_that_nobody_wrote(text: Any, said: str) -> None:
    found = origin_problem(encoded(text), "web1", PATH)
    assert found.startswith(f"web1: {PATH} ")
    assert said in found
    assert len(found) < 400


def test_bytes_that_are_no_text() -> None:
    found = origin_problem(base64.b64encode(b"\xff\xfe").decode(), "web1", PATH)
    assert "is not a JSON object" in found
