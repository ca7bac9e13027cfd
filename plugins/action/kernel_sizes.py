# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The space that a kernel takes on a host, safe to print."""

from __future__ import annotations

from ansible_collections.oslab.kernel.plugins.plugin_utils.action import HostAction


class ActionModule(HostAction):
    module = "oslab.kernel.kernel_sizes"
