# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""This machine, with answers of modules that a test chooses, as a host may choose its own."""

from __future__ import annotations

import json
from typing import Any

from ansible.plugins.connection.local import Connection as Local

DOCUMENTATION = """
name: hostile
short_description: This machine, with answers of modules that are chosen by the test
description: [For tests of what a host can do to those who ask it.]
author: oslab.kernel contributors (@oslab)
options:
  pipelining:
    description: Modules come as input, where they are looked at.
    type: bool
    default: true
  answers:
    description: By a module's name, what it returns as JSON, given as text.
    type: str
    default: "{}"
    vars:
      - name: hostile_answers
"""


class Connection(Local):
    transport = "hostile"

    def exec_command(self, cmd: str, in_data: Any = None, sudoable: bool = True) -> Any:
        for name, answer in json.loads(self.get_option("answers")).items():
            if f"plugins.modules.{name}".encode() in (in_data or b""):
                return 0, json.dumps(answer).encode(), b""
        return super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
