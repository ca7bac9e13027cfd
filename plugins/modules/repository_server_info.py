#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: where a repository's web server listens on a host."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: repository_server_info
short_description: Where a repository's web server listens on a host
description:
  - Checks what the web server of the role P(oslab.kernel.publish#role) is to run with, and chooses
    the addresses that it listens on. Changes nothing.
extends_documentation_fragment: [oslab.kernel.attributes.info_module]
version_added: "0.2.0"
author: oslab.kernel contributors (@oslab)
options:
  url:
    description: Where the targets find the repository, or a mirror of it.
    type: str
    required: true
  port:
    description: TCP port of the server.
    type: int
    required: true
  listen_address:
    description:
      - IP address to listen on; V(0.0.0.0) or V(::) for all.
      - If empty, the address in O(url) if it is one of this host and has O(port); else all.
    type: str
    default: ""
  user:
    description: User that the server runs as. It has to exist and may not be root.
    type: str
    required: true
  root:
    description:
      - Directory of the repository. O(user) has to be able to pass the directories above it that
        are there already; this is looked at if the module runs as root.
    type: path
    required: true
"""

EXAMPLES = r"""
- name: Choose where the web server listens
  oslab.kernel.repository_server_info:
    url: http://192.0.2.10:8090
    port: 8090
    user: www-data
    root: /var/lib/oslab-kernel/repository
  register: repository_server
"""

RETURN = r"""
sockets:
  description: Where to listen, as C(ADDRESS:PORT); IPv6 addresses in brackets.
  returned: success
  type: list
  elements: str
  sample: ["192.0.2.10:8090"]
check_url:
  description: Where this host itself reaches the server.
  returned: success
  type: str
  sample: http://192.0.2.10:8090
notice:
  description: Why it is all addresses although O(listen_address) is empty; else empty.
  returned: success
  type: str
"""

import os
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import module_runner
from ansible_collections.oslab.kernel.plugins.module_utils._repository.server import (
    ServerError,
    check_passable,
    check_root,
    check_user,
    listen,
)


def argument_spec() -> dict[str, Any]:
    return {
        "url": {"type": "str", "required": True},
        "port": {"type": "int", "required": True},
        "listen_address": {"type": "str", "default": ""},
        "user": {"type": "str", "required": True},
        "root": {"type": "path", "required": True},
    }


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    given = module.params

    try:
        check_user(given["user"])
        check_root(given["root"])
        if os.geteuid() == 0:
            check_passable(given["root"], given["user"], module_runner(module))
        chosen = listen(given["url"], given["port"], given["listen_address"])
    except ServerError as error:
        module.fail_json(msg=str(error))
    module.exit_json(
        changed=False,
        sockets=list(chosen.sockets),
        check_url=chosen.check_url,
        notice=chosen.notice,
    )


if __name__ == "__main__":
    main()
