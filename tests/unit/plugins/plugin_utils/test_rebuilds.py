# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the control node says of a build that known keys have to vouch for."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.oslab.kernel.plugins.filter.rebuild_refusal import FilterModule
from ansible_collections.oslab.kernel.plugins.plugin_utils import rebuilds
from ansible_collections.oslab.kernel.tests.lib import openpgp_keys

ID = "1" * 64
SUMS = {"linux-image-6": "a" * 64}


def test_nobody_is_asked_by_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a program runs nor is a key read."""
    monkeypatch.setattr(rebuilds, "_judged", None)
    refusal = FilterModule().filters()["rebuild_refusal"]
    assert refusal([], "web1", "0", ["/nowhere"], ID, SUMS) == ""


def test_known_keys_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    with openpgp_keys.keys("ada") as (ada,):
        asked = ([ada.attest(ID, SUMS)], "web1")
        assert rebuilds.refusal(*asked, 1, [ada.public], ID, SUMS) == ""
        assert "web1 asks for 2" in rebuilds.refusal(*asked, 2, [ada.public], ID, SUMS)
        other = {"linux-image-6": "b" * 64}
        assert "0 vouch" in rebuilds.refusal(*asked, 1, [ada.public], ID, other)
        with pytest.raises(AnsibleFilterError, match=r"web1 cannot be checked: /x\.asc cannot be"):
            rebuilds.refusal(*asked, 1, ["/x.asc"], ID, SUMS)
        with monkeypatch.context() as patched:
            patched.setenv("PATH", "/nowhere")
            with pytest.raises(AnsibleFilterError, match="the control node has no gpgv"):
                rebuilds.refusal(*asked, 1, [ada.public], ID, {**SUMS, "more": "c" * 64})


def test_a_program_that_does_not_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rebuilds, "LONGEST", 0.1)
    assert "took more than" in rebuilds._run(["sleep", "60"]).err
