# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of grub-mkconfig in a directory of a test, in place of this machine's."""

from __future__ import annotations

from pathlib import Path


def settled(directory: Path) -> str:
    """Path of the settings of a host whose default is the saved entry already."""
    own = directory / "default/grub.d/oslab-kernel.cfg"
    own.parent.mkdir(parents=True, exist_ok=True)
    own.write_text("GRUB_DEFAULT=saved\n")
    return str(directory / "default/grub")
