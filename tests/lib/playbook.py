# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-playbook of the tests' environment, with the collection of this checkout."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

ROOT = Path(__file__).resolve().parents[2]
_BESIDE = Path(sys.executable).with_name("ansible-playbook")
# A script that the system's Python runs takes that of PATH, or of the checkout.
PROGRAM = str(
    _BESIDE
    if _BESIDE.exists()
    else shutil.which("ansible-playbook") or ROOT / ".venv/bin/ansible-playbook"
)
#: How tests start it: as a user does, but modules are packed once for all runs.
COMMAND = [sys.executable, str(ROOT / "tests/lib/quick_playbook.py")] if _BESIDE.exists() else []
COMMAND = [*COMMAND, PROGRAM]
#: A host that is this machine.
LOCAL = {"ansible_connection": "local", "ansible_python_interpreter": "/usr/bin/python3"}
#: Connections that fail, or answer, as a test chooses.
CONNECTIONS = ROOT / "tests/integration/role/connections"


@dataclass
class Run:
    """What ansible-playbook printed, both streams, byte for byte: a carriage return stays one."""

    status: int
    output: str

    def recap(self, name: str) -> int:
        """A number of the recap line, such as changed or failed."""
        return int(re.findall(rf"\b{name}=(\d+)", self.output)[-1])


def write_inventory(path: Path, **groups: Any) -> Path:
    """The groups, and one builder; all hosts are this machine, unless a group says otherwise.

    Without a report: it would be written to the current directory.
    """
    variables = {**LOCAL, "report_dir": ""}
    builders = {"kernel_builders": {"hosts": {"builder": None}}, "all": {"vars": variables}}
    path.write_text(json.dumps({**builders, **groups}))
    return path


def run_playbook(
    book: Path,
    *options: str,
    inventory: Optional[Path] = None,
    variables: Optional[Mapping[str, Any]] = None,
    cwd: Path = ROOT,
    **environment: str,
) -> Run:
    """Without input and colours. The checkout's settings hold if `cwd` is its top directory."""
    argv = [*COMMAND, *options]
    argv += ["--inventory", str(inventory)] if inventory else []
    argv += ["--extra-vars", json.dumps(variables)] if variables else []
    given = {"ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"), "ANSIBLE_NOCOLOR": "1"}
    done = subprocess.run(
        [*argv, str(book)],
        cwd=cwd,
        env={**os.environ, "ANSIBLE_FORCE_COLOR": "0", **given, **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        check=False,
    )
    return Run(done.returncode, done.stdout.decode())
