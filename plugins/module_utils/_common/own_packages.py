# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names and versions of the packages that a build makes."""

from __future__ import annotations

import re

from ansible_collections.oslab.kernel.plugins.module_utils._common import kernel_version

MODULES = "linux-modules-oslab"
TOOLS = "oslab-kernel-tools"
#: How their versions end.
ENDING = r"-oslab[0-9]+\.[0-9a-f]{12}"
_OURS = re.compile(rf"{ENDING}\Z")


def version(kernel: str, build_id: str) -> str:
    """The Debian version of every package of a build."""
    return f"{kernel_version.debian(kernel)}-oslab1.{build_id[:12]}"


def is_ours(found: str) -> bool:
    """Whether a version is that of a package of ours."""
    return bool(_OURS.search(found))


def of_kernel(release: str) -> list[str]:
    """The packages that are only of one kernel."""
    names = [f"linux-{kind}-{release}" for kind in ("image", "headers")]
    return [*names, f"{MODULES}-{release}", f"linux-image-{release}-dbg"]
