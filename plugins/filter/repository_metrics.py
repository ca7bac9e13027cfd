# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Write what a repository has as metrics."""

from __future__ import annotations

from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.module_utils._repository import metrics

DOCUMENTATION = r"""
name: repository_metrics
short_description: What a repository publishes as metrics for Prometheus
version_added: 0.3.0
author: oslab.kernel contributors (@oslab)
description:
  - Makes the content of a file for the textfile collector of node_exporter.
positional: builds
options:
  _input:
    description: The description of the publication, with the kernels of all builders.
    type: dict
    required: true
  builds:
    description: How many builds the repository keeps.
    type: int
"""

EXAMPLES = r"""
- name: Write the metrics
  oslab.kernel.config_files:
    files:
      - path: /var/lib/prometheus/node-exporter/oslab-kernel-repository.prom
        mode: "0644"
        content: "{{ described.whole | oslab.kernel.repository_metrics(repository.builds) }}"
"""

RETURN = r"""
_value:
  description: The metrics, in the text format of Prometheus.
  type: str
"""


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"repository_metrics": metrics.text}
