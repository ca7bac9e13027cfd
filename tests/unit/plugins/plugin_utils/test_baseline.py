# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The baseline: what a host may have recorded of itself, and a sentence for all else."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils.baseline import problem_of

PATH = "/var/lib/oslab-kernel/origin.json"


def encoded(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return base64.b64encode(text.encode()).decode()


def test_how_a_host_was() -> None:
    origin = {
        "names": ["bash", "libstdc++6"],
        "packages": {"linux-libc-dev": "6.1.5-1"},
        "saved_entry": "gnulinux-advanced-1>gnulinux-6.1.0",
        "directories": ["/usr/local/lib/oslab-kernel"],
    }
    assert problem_of(encoded(origin), "web1", PATH) == ""
    assert problem_of(encoded({}), "web1", PATH) == ""


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "is not a JSON object"),
        ("[]", "is not a JSON object"),
        ('{"names": ', "is not a JSON object"),
        ("[" * 100000, "is not a JSON object"),
        ({"names": "bash"}, "names is 'bash'"),
        ({"packages": {"x": "1 --yes"}}, "packages is"),
        ({"packages": {"-x": "1"}}, "packages is"),
        ({"saved_entry": None}, "saved_entry is None"),
        ({"directories": ["etc"]}, "directories is 'etc'"),
        ({"names": ["a" * 5000]}, "names is"),
    ],
)
def test_a_record_of_how_it_was_that_nobody_wrote(text: Any, message: str) -> None:
    found = problem_of(encoded(text), "web1", PATH)
    assert found.startswith(f"web1: {PATH} ")
    assert message in found
    assert len(found) < 500


def test_bytes_that_are_no_text() -> None:
    found = problem_of(base64.b64encode(b"\xff\xfe").decode(), "web1", PATH)
    assert "is not a JSON object" in found
