# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""failure: the reason is found wherever a module puts it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils.failure import LENGTH, reason


@pytest.mark.parametrize(
    ("result", "text"),
    [
        ({"msg": "no entry for\n  kernel 6.8"}, "no entry for kernel 6.8"),
        (
            {"msg": "non-zero return code", "cmd": ["false"], "rc": 1, "stderr": ""},
            "`false` ended with 1",
        ),
        (
            {"msg": "non-zero return code", "cmd": "a b", "rc": 2, "stderr": "", "stdout": "out"},
            "`a b` ended with 2: out",
        ),
        (
            {
                "msg": "non-zero return code",
                "cmd": "a",
                "rc": 1,
                "stderr": "E: it",
                "stdout": "why",
            },
            "`a` ended with 1: why E: it",
        ),
        (
            {"msg": "MODULE FAILURE: No start of json", "module_stderr": "x", "stderr": "trace"},
            "trace",
        ),
        (
            {
                "msg": "One or more items failed",
                "results": [{"failed": False, "msg": "fine"}, {"failed": True, "msg": "bad"}],
            },
            "bad",
        ),
        (
            {"msg": "'/usr/bin/apt-get -y install 'a=1' 'b=1'' failed: E: Hash Sum mismatch\n   x"},
            "`/usr/bin/apt-get` failed: E: Hash Sum mismatch x",
        ),
        (
            {
                "msg": "non-zero return code",
                "cmd": ["x\x1b]0;"],
                "rc": 1,
                "stderr": "\x1b[2Jok\rfine",
            },
            "`x\\x1b]0;` ended with 1: \\x1b[2Jok fine",
        ),
        ({"results": [5, {"failed": True, "msg": "\u202eko\x07"}]}, "\\u202eko\\x07"),
        ({"results": "odd", "msg": "bad"}, "bad"),
        ({}, "no reason given"),
        ({"msg": None}, "no reason given"),
    ],
)
def test_reason(result: dict[str, Any], text: str) -> None:
    assert reason(result) == text


def test_a_long_one_is_cut() -> None:
    assert len(reason({"msg": "x" * 5000})) == LENGTH
