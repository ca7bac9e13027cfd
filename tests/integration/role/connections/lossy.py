# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""This machine, until a certain module is to be run on it."""

from __future__ import annotations

from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection.local import Connection as Local

DOCUMENTATION = """
name: lossy
short_description: This machine, until a certain module is to be run on it
description: [For tests of what is said about a host that is lost.]
author: oslab.kernel contributors (@oslab)
options:
  pipelining:
    description: Modules come as input, where they are looked at.
    type: bool
    default: true
  at:
    description: What the module's text contains.
    required: true
    vars:
      - name: lossy_at
"""


class Connection(Local):
    transport = "lossy"

    def exec_command(self, cmd: str, in_data: Any = None, sudoable: bool = True) -> Any:
        if self.get_option("at").encode() in (in_data or b""):
            raise AnsibleConnectionFailure("the line is cut")
        return super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
