# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Both streams of a program that failed are in the message."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common import program_output

PLUGINS = Path(__file__).resolve().parents[5] / "plugins"
# Each of these drops a stream where there is something on the other one.
ONE_STREAM = re.compile(
    r"\berr(\.strip\(\))? or out\b|\bout(\.strip\(\))? or err\b|\{\w+\.stderr\.strip\(\)\}"
    r"|get\(.stderr.\) or "
)


@pytest.mark.parametrize(
    ("out", "err", "said"),
    [
        ("", "", "no output"),
        ("why\n", "", "why"),
        ("", "E: it failed\n", "E: it failed"),
        ("[!] a.deb: unsupported\n", "ERROR: failed\n", "[!] a.deb: unsupported / ERROR: failed"),
        ("a\n\n  b\n", "c\nd\n", "a / b / c / d"),
        ("same\n", "same\n", "same"),
        ("".join(f"{n}\n" for n in range(9)), "x", "4 / 5 / 6 / 7 / 8 / x"),
        ("x" * 999, "why", f"{'x' * 500} / why"),
    ],
)
def test_what_was_said(out, err, said):
    assert program_output.told(out, err) == said


def test_no_message_takes_one_stream_for_the_other():
    found = [
        f"{path.relative_to(PLUGINS)}: {line.strip()}"
        for path in sorted(PLUGINS.rglob("*.py"))
        for line in path.read_text(encoding="utf-8").splitlines()
        if ONE_STREAM.search(line)
    ]
    assert found == []
