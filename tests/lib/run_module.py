# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run a module without Ansible: run_module.py MODULE ARGUMENTS.json [FUNCTION N].

With FUNCTION (module_utils' FILE.NAME) whoever calls that for the Nth time kills its process
group by SIGKILL.
"""

from __future__ import annotations

import importlib
import json
import os
import signal
import sys
from pathlib import Path
from typing import Any

from ansible.module_utils import basic

PLUGINS = "ansible_collections.oslab.kernel.plugins"


def kill_at(function: str, count: int) -> None:
    place, _, name = function.rpartition(".")
    module = importlib.import_module(
        place if place == "shutil" else f"{PLUGINS}.module_utils.{place}"
    )
    real = getattr(module, name)
    calls = 0

    def deadly(*args: Any, **options: Any) -> Any:
        nonlocal calls
        calls += 1
        if calls == count:
            os.killpg(os.getpgrp(), signal.SIGKILL)
        return real(*args, **options)

    setattr(module, name, deadly)


if __name__ == "__main__":
    module = importlib.import_module(f"{PLUGINS}.modules.{sys.argv[1]}")
    if len(sys.argv) > 3:
        kill_at(sys.argv[3], int(sys.argv[4]))
    arguments = json.loads(Path(sys.argv[2]).read_text())
    try:
        from ansible.module_utils.testing import patch_module_args
    except ImportError:  # ansible-core before 2.17
        basic._ANSIBLE_ARGS = json.dumps({"ANSIBLE_MODULE_ARGS": arguments}).encode()
        module.main()
    else:
        with patch_module_args(arguments):
            module.main()
