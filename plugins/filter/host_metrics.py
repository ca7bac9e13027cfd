# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what a verification read as metrics."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._verify import metrics
from ansible_collections.oslab.kernel.plugins.module_utils._verify.metrics import Checks

DOCUMENTATION = r"""
name: host_metrics
short_description: A host's kernel, trial boot and verification as metrics for Prometheus
version_added: 0.3.0
author: oslab.kernel contributors (@oslab)
description:
  - Makes the content of a file for the textfile collector of node_exporter.
  - What is not known is left out. No answer of a host makes the file invalid.
positional: checks, trial
options:
  _input:
    description: What M(oslab.kernel.syscall_info) returned, or the part of it that is known.
    type: dict
    required: true
  checks:
    description:
      - The rows of the table of checks, or the C(counts) that M(oslab.kernel.show_checks) returned.
        Without any, the verification failed. Left out, nothing was verified.
    type: raw
  trial:
    description: >-
      C(state), C(downtime) and C(confirmed_time) where they are known better than by the host.
    type: dict
"""

EXAMPLES = r"""
- name: Write the metrics
  oslab.kernel.config_files:
    files:
      - path: /var/lib/prometheus/node-exporter/oslab-kernel.prom
        mode: "0644"
        content: "{{ syscalls | oslab.kernel.host_metrics(syscalls.checks) }}"
"""

RETURN = r"""
_value:
  description: The metrics, in the text format of Prometheus.
  type: str
"""


def host_metrics(
    result: Mapping[str, Any], checks: Checks = None, trial: Optional[Mapping[str, Any]] = None
) -> str:
    return metrics.text(result, checks, trial)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"host_metrics": host_metrics}
