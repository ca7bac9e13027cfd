# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arguments that get to the kernel as they are written."""

from __future__ import annotations

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._boot.loader import (
    LoaderError,
    require_arguments,
)


def test_what_a_shell_would_read_is_refused() -> None:
    require_arguments(["rd.shell=0", "systemd.crash_reboot=1", "a=b:c/d@e,f%g", "-x", "+y"])
    for bad in ["a b", "$x", "a;reboot", "'q'", "", "{", 'a="b"']:
        with pytest.raises(LoaderError, match="as they are written"):
            require_arguments(["good", bad])
