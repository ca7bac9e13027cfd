# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What bench/downtime makes of the results of several trial boots."""

from __future__ import annotations

from ansible_collections.oslab.kernel.bench.downtime import run


def test_medians_of_each_stage_and_the_ratio() -> None:
    full = [
        {"downtime": 90, "stages": {"shutdown": 10.0, "firmware": 4.0, "kernel": 8.0}},
        {"downtime": 100, "stages": {"shutdown": 12.0, "firmware": 6.0, "kernel": 9.0}},
        {"downtime": 200, "stages": {"shutdown": 12.0, "firmware": 5.0, "kernel": 9.5}},
    ]
    kexec = [{"downtime": 60, "stages": {"before_kernel": 12.0, "kernel": 8.0}}]
    rows = {row.what: row.value for row in run.summarized({"full reboot": full, "kexec": kexec})}
    assert rows["full reboot: down"] == 100
    assert rows["full reboot: firmware"] == 5.0
    assert rows["kexec: shutdown, firmware and boot loader"] == 12.0
    assert "kexec: firmware" not in rows
    assert rows["kexec over full reboot"] == 0.6
