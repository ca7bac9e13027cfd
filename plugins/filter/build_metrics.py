# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write how a build ended as metrics."""

from __future__ import annotations

from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.module_utils._build import metrics

DOCUMENTATION = r"""
name: build_metrics
short_description: How a build ended as metrics for Prometheus
version_added: 0.3.0
author: oslab.kernel contributors (@oslab)
description:
  - Makes the content of a file for the textfile collector of node_exporter.
positional: kernel
options:
  _input:
    description: What M(oslab.kernel.kernel_build) returned, also if it failed.
    type: dict
    required: true
  kernel:
    description: Name of the builder, for a label of all metrics; empty for none.
    type: str
    default: ""
"""

EXAMPLES = r"""
- name: Write the metrics
  oslab.kernel.config_files:
    files:
      - path: /var/lib/prometheus/node-exporter/oslab-kernel-build.prom
        mode: "0644"
        content: "{{ build_output | oslab.kernel.build_metrics }}"
"""

RETURN = r"""
_value:
  description: The metrics, in the text format of Prometheus.
  type: str
"""


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"build_metrics": metrics.text}
