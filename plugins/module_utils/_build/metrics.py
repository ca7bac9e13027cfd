# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The metrics of a builder's last build."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._common import prometheus
from ansible_collections.oslab.kernel.plugins.module_utils._common.prometheus import (
    Metric,
    gauge,
    info,
)


def metrics(output: Mapping[str, Any]) -> Iterator[Metric]:
    """By what the module kernel_build returned; of a build that failed, as far as it got.

    C(failed) is also true where the packages were built, and did not boot or were not published.
    """
    failed = bool(output.get("failed"))
    result = output.get("build_result") or {}
    times = {**result, **output}
    yield info(
        "oslab_kernel_build_info",
        "The last build; 1.",
        {
            "release": output.get("release") or result.get("release"),
            "version": result.get("version"),
            "build_id": output.get("build_id") or result.get("build_id"),
        },
    )
    yield gauge(
        "oslab_kernel_build_success",
        "Whether the last build was made, booted and published: 1 or 0.",
        int(not failed),
    )
    yield gauge(
        "oslab_kernel_build_timestamp_seconds",
        "When that build ended. One that the store had was made earlier.",
        times.get("ended"),
    )
    yield gauge(
        "oslab_kernel_build_duration_seconds", "How long that build took.", times.get("duration")
    )


def text(output: Mapping[str, Any], kernel: str = "") -> str:
    """The same as the content of a file, with the name of a builder as a label of all."""
    return prometheus.text(prometheus.labelled(metrics(output), {"kernel": kernel}))
