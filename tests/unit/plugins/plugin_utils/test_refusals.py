# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""refusals: a target that would refuse the kernel decides nothing for the others."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils.refusals import refusals

SIGNER = {"sha256": "a" * 64, "subject": "CN=us", "issuer": "CN=us"}


def target(secure_boot: Any = True, trusted: Any = None) -> dict[str, Any]:
    info = {"release": "6.1", "secure_boot": secure_boot, "trusted_certificates": trusted}
    return {"kernel_target_info": info}


def test_each_for_itself() -> None:
    hosts = {
        "plain": target(False),
        "secure": target(),
        "away": {},
        "odd": {"kernel_target_info": "nonsense"},
        "failed": {"kernel_target_info": {"failed": True}},
    }
    found = refusals(hosts, [*hosts, "stranger"], None)
    assert list(found["refused"]) == ["secure"]
    assert found["accepting"] == ["plain"]
    assert found["report"] == found["refused"]["secure"]
    assert "secure enforces Secure Boot" in found["report"]
    assert refusals({}, [], None) == {"refused": {}, "accepting": [], "report": ""}


@pytest.mark.parametrize("trusted", ["x", 5, [5], [{}], [{"sha256": ["a"]}], {"a": "b"}])
def test_a_list_of_certificates_that_makes_no_sense(trusted: Any) -> None:
    hosts = {"odd": target(True, trusted), "other": target(False)}
    found = refusals(hosts, list(hosts), SIGNER)
    assert list(found["refused"]) == ["odd"]
    assert found["accepting"] == ["other"]


def test_a_fleet_of_them_fits_a_screen() -> None:
    hosts = {f"web{n}": target() for n in range(500)}
    found = refusals(hosts, list(hosts), None)
    assert len(found["refused"]) == 500
    assert found["report"].endswith("And 490 more.")
    assert len(found["report"]) < 4000
