# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Judge the complaints in a kernel's log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Callable, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._verify.log_verdict import Settings
from ansible_collections.oslab.kernel.plugins.plugin_utils import kernel_log

DOCUMENTATION = r"""
name: kernel_log_verdict
short_description: Which complaints in a kernel's log are new, and whether they fail the host
version_added: 0.3.0
author: oslab.kernel contributors (@oslab)
description:
  - Compares what a host reported of its kernel's log with a baseline, and takes out what the user
    allows.
  - On the control node, as a host would judge itself.
positional: baseline, severities, severities_without_baseline, allowed
options:
  _input:
    description: The C(kernel_log) of M(oslab.kernel.syscall_info).
    type: dict
    required: true
  baseline:
    description: What P(oslab.kernel.kernel_log_baseline#filter) returned; empty if there is none.
    type: dict
    required: true
  severities:
    description: Severities of new complaints that fail the host.
    type: list
    elements: str
    required: true
  severities_without_baseline:
    description: In place of these where there is no baseline, or a part of it is lost.
    type: list
    elements: str
    required: true
  allowed:
    description: Mappings with C(pattern), a regular expression, and C(reason).
    type: list
    elements: dict
    default: []
"""

EXAMPLES = r"""
- name: Show the rows of the table of checks
  ansible.builtin.debug:
    msg: >-
      {{ (syscalls.kernel_log
          | oslab.kernel.kernel_log_verdict({}, ['fatal', 'error'], ['fatal'])).checks }}
"""

RETURN = r"""
_value:
  description:
    - C(checks), rows for M(oslab.kernel.show_checks).
    - C(complaints), each with C(severity), C(state) (V(new), V(before), V(allowed)), C(reason) and
      C(fails).
    - C(baseline), the release of the kernel that the log is compared with, and C(complete), whether
      the log begins with the boot and lacks nothing.
  type: dict
"""


def kernel_log_verdict(
    log: Optional[Mapping[str, Any]],
    baseline: Optional[Mapping[str, Any]],
    severities: Sequence[str],
    severities_without_baseline: Sequence[str],
    allowed: Sequence[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    settings = Settings(severities, severities_without_baseline, allowed)
    return kernel_log.verdict(log, baseline, settings)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"kernel_log_verdict": kernel_log_verdict}
