# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Packages that apt would remove: checked, because they are removed then, and safe to print."""

from __future__ import annotations

from collections.abc import Mapping

from ansible_collections.oslab.kernel.plugins.plugin_utils.action import HostAction
from ansible_collections.oslab.kernel.plugins.plugin_utils.host_answer import PACKAGE, Form


class ActionModule(HostAction):
    module = "oslab.kernel.apt_removal_info"
    forms: Mapping[str, Form] = {
        "removable": Form(list, str, like=PACKAGE),
        "refused": Form(dict, list, keys=PACKAGE),
    }
