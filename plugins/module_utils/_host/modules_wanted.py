# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether kernel modules are as the module kernel_modules would leave them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._host import modules_load
from ansible_collections.oslab.kernel.plugins.module_utils._host.kernel_module import (
    ModuleError,
    make_plan,
    malformed,
    read_loaded,
    spelled,
)


def as_wanted(
    modules: Sequence[Mapping[str, Any]], persistent: Optional[bool], root: Path = Path("/")
) -> bool:
    """Whether kernel_modules would change nothing. In doubt it would.

    The file of a loaded module is not looked for: verification compares all files.

    :param modules: each with C(name), C(params) and C(state), as the option C(modules) there.
    :param persistent: whether they are to be loaded at each boot; None: no matter.
    """
    entries = []
    for module in modules:
        name, params = str(module.get("name", "")), dict(module.get("params") or {})
        state = str(module.get("state") or "loaded")
        if malformed(name, params):
            return False
        wanted = {str(key): spelled(value) for key, value in params.items()}
        loaded = read_loaded(name, root / "sys/module")
        try:
            changes = make_plan(name, loaded, state, wanted).changed
        except ModuleError:
            return False
        # Only modprobe knows whether there is a parameter that the kernel does not show.
        if changes or (state == "loaded" and not wanted.keys() <= loaded.parameters.keys()):
            return False
        if state == "loaded":
            entries.append(modules_load.Entry(name, wanted))
    if persistent is None:
        return True
    files = modules_load.files(entries, persistent, root / "etc")
    return all(modules_load.present(path) == text for path, text in files.items())
