# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is told and handed on about the kernel's repository, by the files themselves."""

from __future__ import annotations

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def _section(name: str) -> str:
    text = (ROOT / "docs/signing-key.md").read_text(encoding="utf-8")
    return text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def test_whoever_changes_the_key_is_told_how_targets_take_it() -> None:
    for section in ("Rotation", "Revocation"):
        commands = [line for line in _section(section).splitlines() if "/deploy.yml" in line]
        assert commands, section
        for command in commands:
            assert """-e '{"install_replace_repository_key": true}'""" in command, section
    assert "publish_replace_key" in _section("Rotation")
