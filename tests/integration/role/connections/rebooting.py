# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""This machine as a host that a reboot takes away for a while, without a reboot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.connection.local import Connection as Local

DOCUMENTATION = """
name: rebooting
short_description: This machine as a host that a reboot takes away for a while
description: [For tests of what is shown while hosts reboot.]
author: oslab.kernel contributors (@oslab)
options:
  file:
    description: Exists from the order to reboot on, and counts the questions after it.
    required: true
    vars:
      - name: rebooting_file
  silent:
    description: Questions without an answer, after one that the old boot answers.
    type: int
    default: 1
    vars:
      - name: rebooting_silent
"""


class Connection(Local):
    transport = "rebooting"

    def reset(self) -> None:
        """As one that can be reset."""

    def exec_command(self, cmd: str, in_data: Any = None, sudoable: bool = True) -> Any:
        count = Path(self.get_option("file"))
        if "/bin/systemctl --no-ask-password" in cmd:
            count.write_text("0")
            return 0, b"", b""
        if "boot_id" not in cmd:
            return super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        if not count.exists():
            return 0, b"before\n", b""
        asked = int(count.read_text()) + 1
        count.write_text(str(asked))
        if 1 < asked <= 1 + self.get_option("silent"):
            raise AnsibleConnectionFailure("no route to host")
        return 0, b"after\n" if asked > 1 else b"before\n", b""
