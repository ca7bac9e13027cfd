# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a baseline of a kernel's log."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Optional

from ansible_collections.oslab.kernel.plugins.plugin_utils import kernel_log

DOCUMENTATION = r"""
name: kernel_log_baseline
short_description: What is kept of a kernel's log, to compare that of another kernel with
version_added: 0.3.0
author: oslab.kernel contributors (@oslab)
description:
  - Keeps a short fingerprint of each complaint. A hash in a template would not be that of
    M(oslab.kernel.show_checks).
positional: release
options:
  _input:
    description: The C(kernel_log) of M(oslab.kernel.host_kernel_info); may be null.
    type: dict
    required: true
  release:
    description: Release of that kernel.
    type: str
    required: true
"""

EXAMPLES = r"""
- name: Show the baseline
  ansible.builtin.debug:
    msg: "{{ facts.kernel_log | oslab.kernel.kernel_log_baseline(facts.release) }}"
"""

RETURN = r"""
_value:
  description:
    - C(release), C(tainted), C(complaints) and C(complete), whether that is all that the kernel
      complained of; empty if the log could not be read.
  type: dict
"""


def kernel_log_baseline(log: Optional[Mapping[str, Any]], release: str) -> dict[str, Any]:
    return kernel_log.baseline(log, release)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"kernel_log_baseline": kernel_log_baseline}
