# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host's kernel configuration: only if it is one, because it is stored and used again."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._common import kernel_config
from ansible_collections.oslab.kernel.plugins.module_utils._kconfig import base
from ansible_collections.oslab.kernel.plugins.plugin_utils.action import HostAction
from ansible_collections.oslab.kernel.plugins.plugin_utils.host_answer import Form

#: Symbols; the smallest kernel that boots has hundreds.
FEWEST = 10
FORMS = {"content": Form(str)}


class ActionModule(HostAction):
    module = "oslab.kernel.boot_config_info"
    forms = FORMS

    def wrong(self, answer: Mapping[str, Any]) -> str:
        problem = super().wrong(answer)
        if problem:
            return problem
        try:
            text = base64.b64decode(answer["content"], validate=True).decode("utf-8")
        except ValueError:
            return "content is no text in base64"
        if len(text) > base.MAX_SIZE:
            return f"content has more than {base.MAX_SIZE} bytes"
        if len(kernel_config.parse(text)) < FEWEST:
            return f"content is no configuration: it sets fewer than {FEWEST} symbols"
        return ""
