# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who asks for a reboot, and what time it is."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.oslab.kernel.plugins.module_utils._host.readiness import pending_facts


def test_a_reboot_that_nobody_asks_for(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    # What asked in an earlier boot asks no more.
    (tmp_path / "run/reboot-required.pkgs").write_text("libc6\n")
    assert pending_facts(tmp_path, 12.9) == {"reboot_required": None, "time": 12}


def test_who_asks(tmp_path: Path) -> None:
    (tmp_path / "run").mkdir()
    (tmp_path / "run/reboot-required").write_text("*** System restart required ***\n")
    assert pending_facts(tmp_path, 0)["reboot_required"] == []
    (tmp_path / "run/reboot-required.pkgs").write_text("linux-base\nlibc6\nlibc6\n")
    assert pending_facts(tmp_path, 0)["reboot_required"] == ["libc6", "linux-base"]
