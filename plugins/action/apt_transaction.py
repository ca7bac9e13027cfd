# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The output of apt and of the hooks of a kernel's installation, safe to print."""

from __future__ import annotations

import re

from ansible_collections.oslab.kernel.plugins.plugin_utils.action import HostAction
from ansible_collections.oslab.kernel.plugins.plugin_utils.host_answer import PACKAGE, VERSION, Form

FORMS = {
    "packages": Form(list, str, like=re.compile(rf"{PACKAGE.pattern}(?:={VERSION.pattern})?")),
    "left_out": Form(dict, str, keys=PACKAGE),
    "brought": Form(list, str, like=PACKAGE),
}


class ActionModule(HostAction):
    module = "oslab.kernel.apt_transaction"
    forms = FORMS
