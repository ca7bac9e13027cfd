# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metrics of a builder's repository."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import prometheus
from ansible_collections.oslab.kernel.plugins.module_utils._common.prometheus import (
    GAUGE,
    Metric,
    Sample,
    gauge,
    info,
)

FILE = "oslab-kernel-repository.prom"


def metrics(description: Mapping[str, Any], builds: Optional[int]) -> Iterator[Metric]:
    """By the description of a publication, and how many builds the repository keeps."""
    names = ("release", "version", "build_id", "suite", "component")
    yield info(
        "oslab_kernel_repository_info",
        "The build that is published; 1.",
        {name: description.get(name) for name in names},
    )
    yield gauge(
        "oslab_kernel_repository_published_timestamp_seconds",
        "When the repository's index was signed last.",
        description.get("index_date"),
    )
    yield gauge("oslab_kernel_repository_builds", "Builds that the repository keeps.", builds)
    packages = (description.get("packages") or {}).items()
    yield Metric(
        "oslab_kernel_repository_package_bytes",
        GAUGE,
        "Size of each package of the published build.",
        tuple(Sample(one.get("size"), {"package": name}) for name, one in sorted(packages)),
    )


def text(
    description: Mapping[str, Any], builds: Optional[int] = None, kernel: str = ""
) -> str:
    """The same as the content of a file; with the name of the builder as a label, if there is one."""
    return prometheus.text(
        prometheus.labelled(metrics(description, builds), {"kernel": kernel})
    )
