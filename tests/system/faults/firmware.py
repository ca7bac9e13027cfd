# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OVMF, the UEFI firmware of a machine in QEMU."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from ansible_collections.oslab.kernel.tests.lib.script import RunError

_PLACE = Path("/usr/share/OVMF")
# Names the owner of a key in the firmware's lists; any will do.
_OWNER = "b28db6ba-4d5c-4a0d-9ac5-9d6b6f0f7a4e"
# An emulated processor may stay in the firmware for ever, in one of some ten boots. OVMF starts all
# processors and waits for them, and the other ones may miss that. Its timer comes each 10 ms, and
# on a busy machine serving it can take longer than that; so the clock counts instructions instead.
_EMULATED = ("-smp", "1", "-icount", "shift=auto")


@dataclass(frozen=True)
class Firmware:
    """Its code, and what it has kept before the first boot."""

    code: Path
    variables: Path
    # Arguments that only this firmware needs.
    more: tuple[str, ...] = ()

    def arguments(self, variables: Path, accel: str = "tcg") -> list[str]:
        """Of QEMU. `variables`: the machine's own copy, which it writes to."""
        flash = "if=pflash,format=raw"
        return [
            *self.more,
            *(_EMULATED if accel == "tcg" else ()),
            *("-drive", f"{flash},unit=0,readonly=on,file={self.code}"),
            *("-drive", f"{flash},unit=1,file={variables}"),
        ]


PLAIN = Firmware(_PLACE / "OVMF_CODE_4M.fd", _PLACE / "OVMF_VARS_4M.fd")

# Its variables are out of the operating system's reach, as it keeps them in SMM.
_PROTECTED = (
    *("-machine", "smm=on"),
    *("-global", "driver=cfi.pflash01,property=secure,value=on"),
)
# With Secure Boot on. It trusts Microsoft's keys, one of which has signed Debian's shim.
SECURE = Firmware(
    _PLACE / "OVMF_CODE_4M.secboot.fd", _PLACE / "OVMF_VARS_4M.ms.fd", more=_PROTECTED
)
# The same, but it trusts one key of Debian's, which is there for tests.
SNAKEOIL = Firmware(SECURE.code, _PLACE / "OVMF_VARS_4M.snakeoil.fd", more=_PROTECTED)


def enrol(variables: Path, certificate: Path) -> None:
    """Put a certificate (PEM) into the list of keys that shim trusts, as its MokManager does.

    MokManager asks at the console, so that nobody does this to a host from afar.
    """
    argv = [sys.executable, "-m", "virt.firmware.vars", "--inplace", str(variables)]
    argv += ["--add-mok", _OWNER, str(certificate)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RunError(f"{' '.join(argv)} failed:\n{(done.stdout + done.stderr)[-2000:]}")
