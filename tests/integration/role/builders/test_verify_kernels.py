# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/verify.yml alone asks the builders which kernel each host has to run."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.tests.lib.trial_host import (
    RELEASE,
    answers,
    reported,
    verify,
)

BOB = "6.12.1-bob"


def entry(release: str, build_id: str) -> dict[str, Any]:
    manifest = {"release": release, "build_id": build_id, "banner": ""}
    return {"release": release, "version": "1", "build_id": build_id, "manifest": manifest}


@pytest.fixture
def builders(tmp_path: Path) -> dict[str, Any]:
    """Two names of this machine, which have published; and one that nobody reaches."""
    public = tmp_path / "repository/public"
    public.mkdir(parents=True)
    first = {**entry(RELEASE, "0" * 64), "kernel": "alice"}
    first["kernels"] = {"bob": entry(BOB, "b" * 64)}
    (public / "oslab-kernel.json").write_text(json.dumps(first))
    hosts = {
        "alice": None,
        "bob": None,
        "gone": {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1},
    }
    own = {"version_extraversion": "-{{ inventory_hostname }}"}
    return {"hosts": hosts, "vars": {**own, "publish_root": str(tmp_path / "repository")}}


def runs_the_kernel_of_alice(**choice: str) -> dict[str, Any]:
    return {"hostile_answers": answers(), "verify_log": False, **choice}


def test_a_host_with_the_kernel_of_another_builder(
    tmp_path: Path, builders: dict[str, Any]
) -> None:
    hosts = {
        "a": runs_the_kernel_of_alice(),
        "b": runs_the_kernel_of_alice(kernel_from="bob"),
        # Whose builder does not answer: it is not known which kernel it has to run.
        "c": runs_the_kernel_of_alice(kernel_from="gone"),
        # Whose builder answers, and has published nothing.
        "d": runs_the_kernel_of_alice(kernel_from="carol"),
    }
    builders["hosts"]["carol"] = None
    done = verify(tmp_path, hosts, kernel_builders=builders)
    assert done.status == 2, done.output
    found = reported(tmp_path)
    outcomes = {name: host["outcome"] for name, host in found.items()}
    assert outcomes == {"a": "verified", "b": "failed", "c": "verified", "d": "failed"}
    assert (
        "takes the kernel of carol (kernel_from), which has published none" in found["d"]["cause"]
    )
    assert f"b runs {RELEASE}, not {BOB}" in found["b"]["cause"]
    expected = {
        name: (host["kernel_from"], host["expected_release"]) for name, host in found.items()
    }
    assert expected == {
        **{"a": ("alice", RELEASE), "b": ("bob", BOB), "c": ("gone", "")},
        "d": ("carol", ""),
    }
    unknown = {
        name: check["detail"]
        for name, host in found.items()
        for check in host["checks"]
        if check["name"] == "published kernel" and check["result"] == "unknown"
    }
    assert list(unknown) == ["c"]
    assert "gone (kernel_from) did not say what it has published" in unknown["c"]
    # On the terminal, too, where only what did not pass is shown by default.
    assert "that of gone" in done.output


def test_a_limit_without_the_builder_is_refused(tmp_path: Path, builders: dict[str, Any]) -> None:
    hosts = {"b": runs_the_kernel_of_alice(kernel_from="bob")}
    done = verify(tmp_path, hosts, "--limit", "b,alice", kernel_builders=builders)
    assert done.status == 2, done.output
    assert "leaves out bob, the builder of b (kernel_from)" in " ".join(done.output.split())
    assert not (tmp_path / "report").exists()
    done = verify(tmp_path, hosts, "--limit", "b,bob", kernel_builders=builders)
    assert f"b runs {RELEASE}, not {BOB}" in reported(tmp_path)["b"]["cause"], done.output


def test_of_one_kernel_the_builder_is_not_asked(tmp_path: Path, builders: dict[str, Any]) -> None:
    # It was rolled back from what is published now.
    builders["hosts"] = {"bob": None}
    hosts = {"a": runs_the_kernel_of_alice()}
    done = verify(tmp_path, hosts, "--limit", "a", kernel_builders=builders)
    assert done.status == 0, done.output
    found = reported(tmp_path)["a"]
    assert found["outcome"] == "verified"
    assert "published kernel" not in {check["name"] for check in found["checks"]}
