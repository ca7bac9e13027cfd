# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a repository becomes metrics."""

from __future__ import annotations

from ansible_collections.oslab.kernel.plugins.module_utils._repository import metrics
from ansible_collections.oslab.kernel.tests.lib.promtool import complaints, needs_promtool

PUBLISHED = {
    "release": "6.12-x",
    "version": "6.12-1",
    "build_id": "ab" * 32,
    "suite": "stable",
    "component": "main",
    "index_date": 1_700_000_000,
    "packages": {"linux-libc-dev": {"size": 7}, "linux-image-6.12-x": {"size": 9_000_000}},
}


def test_a_publication() -> None:
    text = metrics.text(PUBLISHED, 3)
    about = f'release="6.12-x",version="6.12-1",build_id="{"ab" * 32}"'
    assert [line for line in text.splitlines() if not line.startswith("#")] == [
        f'oslab_kernel_repository_info{{{about},suite="stable",component="main"}} 1',
        "oslab_kernel_repository_published_timestamp_seconds 1700000000",
        "oslab_kernel_repository_builds 3",
        'oslab_kernel_repository_package_bytes{package="linux-image-6.12-x"} 9000000',
        'oslab_kernel_repository_package_bytes{package="linux-libc-dev"} 7',
    ]


def test_kernels_of_several_builders_have_a_label() -> None:
    bob = {"release": "6.12-b", "packages": {"linux-libc-dev": {"size": 8}}}
    text = metrics.text({**PUBLISHED, "kernel": "alice", "kernels": {"bob": bob}}, 3)
    assert "oslab_kernel_repository_builds 3" in text.splitlines()
    for name, release in (("alice", "6.12-x"), ("bob", "6.12-b")):
        assert f'oslab_kernel_repository_info{{kernel="{name}",release="{release}"' in text
    assert 'package_bytes{kernel="bob",package="linux-libc-dev"} 8' in text


@needs_promtool
def test_names_units_and_types_are_as_prometheus_wants_them() -> None:
    assert complaints(metrics.text(PUBLISHED, 3)) == ""
