# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The packages that make the kernel what it is, and where they come from."""

from __future__ import annotations

from typing import Any

import pytest

testinfra_hosts = ["ansible://kernel_targets"]

PACKAGES = (
    "linux-image-{release}",
    "linux-headers-{release}",
    "linux-modules-oslab-{release}",
    "linux-libc-dev",
    "oslab-kernel-tools",
)


@pytest.mark.parametrize("name", PACKAGES)
def test_package_is_installed_in_the_version_that_was_built(
    host: Any, manifest: Any, name: str
) -> None:
    package = host.package(name.format(release=manifest["release"]))
    assert package.is_installed
    assert package.version == manifest["version"]


@pytest.mark.parametrize("name", PACKAGES)
def test_package_comes_from_a_repository(host: Any, manifest: Any, name: str) -> None:
    policy = host.check_output("apt-cache policy %s", name.format(release=manifest["release"]))
    lines = policy.splitlines()
    installed = next(i for i, line in enumerate(lines) if line.startswith(" ***"))
    # The sources of the installed version: the line of dpkg's own database and one more.
    sources = []
    for line in lines[installed + 1 :]:
        if not line.startswith("        "):
            break
        sources.append(line)
    assert any("http" in source or "file:" in source for source in sources), policy


def test_package_database_is_consistent(host: Any) -> None:
    assert host.check_output("dpkg --audit") == ""


def test_manifest_belongs_to_the_image_package(host: Any, manifest: Any) -> None:
    path = f"/lib/modules/{manifest['release']}/oslab-kernel.json"
    assert host.check_output("dpkg-query -S %s", path).startswith(
        f"linux-image-{manifest['release']}:"
    )


def test_manifest_says_all(manifest: Any) -> None:
    assert manifest["schema"] == 1
    assert manifest["version"].endswith(f"-oslab1.{manifest['build_id'][:12]}")
    assert len(manifest["config_sha256"]) == len(manifest["source"]["sha256"]) == 64
    assert all(len(patch["sha256"]) == 64 for patch in manifest["patches"])


def test_numbers_are_three_in_a_row(manifest: Any, setting: Any) -> None:
    names = [entry["name"] for entry in setting("patch_syscalls")]
    numbers = [manifest["syscalls"][name] for name in names]
    assert numbers == list(range(numbers[0], numbers[0] + len(names)))
    assert numbers[0] >= 462


def test_user_space_can_compile_against_it(host: Any, manifest: Any) -> None:
    assert "struct io_stats_user" in host.check_output("cat /usr/include/linux/oslab.h")
    assert host.run("test -f /lib/modules/%s/build/Makefile", manifest["release"]).rc == 0
