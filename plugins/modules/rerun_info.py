#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action oslab.kernel.rerun_info; all of it runs on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: rerun_info
short_description: Describe how this run of ansible-playbook is repeated
version_added: 0.3.0
description:
  - Returns a shell script that runs the same C(ansible-playbook) again, with the same options,
    directory and environment, and without a person.
  - The options that ask for the passwords of a connection or of C(become) are left out. Root
    repeats the run, on the machine itself.
  - The script may contain secrets, such as extra variables. Call this with
    C(no_log).
attributes:
  check_mode:
    description: Changes nothing.
    support: full
  diff_mode:
    description: Changes nothing.
    support: none
  action:
    description: Has a corresponding action plugin, which does all of it on the control node.
    support: full
author:
  - oslab.kernel contributors (@oslab)
"""

EXAMPLES = r"""
- name: Describe how this run is repeated
  oslab.kernel.rerun_info:
  register: this_run
  no_log: true
"""

RETURN = r"""
problem:
  description: Why the run cannot be repeated without a person; empty if it can.
  returned: always
  type: str
  sample: "it asks for the password of a vault: name a file, with --vault-password-file"
script:
  description: Lines of a shell script, without the first line that names the shell.
  returned: always
  type: str
"""
