# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OVMF, the UEFI firmware of a machine in QEMU."""

from __future__ import annotations

from pathlib import Path

FIRMWARE = Path("/usr/share/OVMF")
CODE, VARIABLES = FIRMWARE / "OVMF_CODE_4M.fd", FIRMWARE / "OVMF_VARS_4M.fd"


def drives(variables: Path) -> list[str]:
    """Arguments of QEMU. `variables`: the machine's own copy, which it writes to."""
    flash = "if=pflash,format=raw"
    return [
        *("-drive", f"{flash},unit=0,readonly=on,file={CODE}"),
        *("-drive", f"{flash},unit=1,file={variables}"),
    ]
