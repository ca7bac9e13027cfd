# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a lock file reports of a download."""

from __future__ import annotations

import io

from ansible_collections.oslab.kernel.plugins.module_utils._source import lock as locks


def test_lines_come_once_a_second():
    now = [0.0]
    stream = io.StringIO()
    report = locks.Reporter(stream, clock=lambda: now[0])
    for step in range(50):
        now[0] = step / 10
        report(step << 20, 100 << 20, "https://cdn.example.org/x")
        if step == 45:
            output = stream.getvalue()
    assert output == "40 % of 100 MiB, 10.0 MiB/s, from cdn.example.org\n"
    report.write("done")
    assert stream.getvalue() == "done\n"


def test_lines():
    assert locks.line(1 << 20, None, 0, "https://a/x") == "1 MiB, from a"
    assert locks.line(1 << 20, 3 << 20, 0, "file:///x") == "33 % of 3 MiB, from file:///x"
