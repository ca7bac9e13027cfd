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
)
from ansible_collections.oslab.kernel.plugins.module_utils._repository import description

FILE = "oslab-kernel-repository.prom"


_NAMES = ("release", "version", "build_id", "suite", "component")


def metrics(described: Mapping[str, Any], builds: Optional[int]) -> Iterator[Metric]:
    """By the description of a repository, and how many builds it keeps.

    Of several kernels each has the name of its builder as a label.
    """
    found = description.kernels(described)
    kernels = [({"kernel": name} if len(found) > 1 else {}, entry) for name, entry in found.items()]
    yield Metric(
        "oslab_kernel_repository_info",
        GAUGE,
        "The build that is published; 1.",
        tuple(
            Sample(1, {**label, **{name: entry.get(name) for name in _NAMES}})
            for label, entry in kernels
        ),
    )
    yield gauge(
        "oslab_kernel_repository_published_timestamp_seconds",
        "When the repository's index was signed last.",
        described.get("index_date"),
    )
    yield gauge("oslab_kernel_repository_builds", "Builds that the repository keeps.", builds)
    yield Metric(
        "oslab_kernel_repository_package_bytes",
        GAUGE,
        "Size of each package of the published build.",
        tuple(
            Sample(one.get("size"), {**label, "package": name})
            for label, entry in kernels
            for name, one in sorted((entry.get("packages") or {}).items())
        ),
    )


def text(described: Mapping[str, Any], builds: Optional[int] = None) -> str:
    """The same as the content of a file."""
    return prometheus.text(metrics(described, builds))
