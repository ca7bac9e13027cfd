# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the roles get of a lock."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleActionFail
from ansible_collections.oslab.kernel.plugins.action import kernel_lock

LOCK: dict[str, Any] = {
    "build": {"id": "1"},
    "collection": "1",
    "environment": {},
    "files": {},
    "settings": {"source_provider": "file", "source_version": "6.12", "source_series": False},
    "source": {"version": "6.12.4", "sha256": "2", "commit": "3"},
    "targets": {"base_host": "m", "hosts": {"a": {}, "m": {}, "z": {}}, "base": "x"},
}


def variables(**settings: Any) -> dict[str, Any]:
    return kernel_lock._variables({**LOCK, "settings": {**LOCK["settings"], **settings}})


def test_the_host_of_the_base_is_the_first() -> None:
    assert variables()["config_targets"] == ["m", "a", "z"]
    assert variables()["config_known"] == LOCK["targets"]


def test_the_source_is_pinned() -> None:
    assert variables()["source_sha256"] == "2"
    assert variables()["source_version"] == "6.12"
    series = {"source_series": True, "source_provider": "kernel_org"}
    assert variables(**series)["source_version"] == "6.12.4"
    series["source_provider"] = "distro_package"
    assert variables(**series)["source_version"] == "6.12"


@pytest.mark.parametrize(("verify", "ref"), [("tag", "v6.12"), ("commit", "3"), ("none", "3")])
def test_a_branch_is_built_at_its_commit(verify: str, ref: str) -> None:
    git = {"source_provider": "git", "source_git_ref": "v6.12", "source_git_verify": verify}
    assert variables(**git)["source_git_ref"] == ref


def test_a_plan_of_other_inputs_is_stale() -> None:
    assert not kernel_lock._is_stale(LOCK, {**LOCK, "environment": {"toolchain": {}}})
    assert kernel_lock._is_stale(LOCK, {**LOCK, "environment": {"x": 1}, "files": {"x": 1}})
    assert kernel_lock._is_stale(None, LOCK)
    assert kernel_lock._is_stale(LOCK, {**LOCK, "build": None})


@pytest.mark.parametrize(
    ("version", "series", "refused"),
    [
        ("6.12.3", True, True),
        ("6.12.0", True, True),
        ("6.12.4", True, False),
        ("6.12.10", True, False),
        ("6.13.0", True, False),
        ("6.12.3", False, False),
    ],
)
def test_a_series_does_not_go_back(version: str, series: bool, refused: bool) -> None:
    new = {"source": {"version": version}, "settings": {"source_series": series}}
    if refused:
        with pytest.raises(AnsibleActionFail, match=r"build_lock has 6\.12\.4"):
            kernel_lock._refuse_older(LOCK, new)
    else:
        kernel_lock._refuse_older(LOCK, new)
