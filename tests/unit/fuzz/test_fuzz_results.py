# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the control node takes from the results of a target's tasks."""

from __future__ import annotations

from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._host import apt_removal, secure_boot
from ansible_collections.oslab.kernel.plugins.plugin_utils import this_run
from ansible_collections.oslab.kernel.tests.lib import hostile
from hypothesis import example, given

BY = {"by": {"run": "node 12 34", "text": "Ada on x", "seconds": 100}}


@example({"by": "somebody"})
@example({"by": {"run": "node ² 3"}})
@given(hostile.values(BY))
def test_who_has_a_host(result: Any) -> None:
    found = this_run.lock_holder(result if isinstance(result, dict) else {"by": result})
    if found:
        assert found.seconds // 60 is not None
        this_run.is_gone(found.run)


@given(hostile.texts(f"{this_run.node()} 99999999 1", f"{this_run.node()} ² 1"))
def test_runs(text: str) -> None:
    this_run.is_gone(text)


INFO = {"secure_boot": True, "trusted_certificates": [{"sha256": "0", "subject": "CN=a"}]}
SIGNER = {"sha256": "1", "subject": "CN=b", "issuer": "CN=b"}


@given(hostile.values(INFO))
def test_what_a_firmware_trusts(info: Any) -> None:
    if isinstance(info, dict):
        assert isinstance(secure_boot.problem("host", info, SIGNER), str)


@given(hostile.texts("Remv linux-image-1 [1]\nRemv b [2]\n"))
def test_what_apt_would_remove(text: str) -> None:
    apt_removal.unneeded(lambda _argv: Result(0, text), ["b", "c"], ["c"])
