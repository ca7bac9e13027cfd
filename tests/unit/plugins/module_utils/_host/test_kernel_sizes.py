# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Sizes of kernels, and which one counts as the distribution's."""

from __future__ import annotations

import json

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._host import kernel_sizes

OURS = "6.12.117-49-usac1"
MIB = 2**20


@pytest.fixture
def root(tmp_path):
    def write(path, content):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_bytes(content)

    def kernel(release, image, initrd, *modules):
        write(f"boot/vmlinuz-{release}", b"x" * image)
        write(f"boot/initrd.img-{release}", b"x" * initrd)
        for number, size in enumerate(modules):
            write(f"lib/modules/{release}/kernel/{number}/a.ko", b"x" * size)

    kernel(OURS, 4 * MIB, 2 * MIB, MIB, MIB // 2)
    kernel("6.9.0-1-amd64", 8 * MIB, 16 * MIB, 30 * MIB)
    kernel("6.10.0-1-amd64", 1, 1, 1)
    kernel("6.11.0-another-build", 1, 1, 1)
    write("proc/sys/kernel/osrelease", f"{OURS}\n".encode())
    write("usr/src/headers/a.h", b"x" * MIB)
    for release in (OURS, "6.11.0-another-build"):
        write(f"lib/modules/{release}/oslab-kernel.json", b"")
    (tmp_path / f"lib/modules/{OURS}/build").symlink_to(tmp_path / "usr/src/headers")
    return tmp_path


def record(root, fallback):
    path = root / "var/lib/oslab-kernel/install.json"
    path.parent.mkdir(parents=True)
    path.write_text(json.dumps({"fallback": fallback}))


def test_sizes_of_the_running_kernel(root):
    found = kernel_sizes.gather(root)
    assert found["release"] == OURS
    assert found["sizes"] == {"image": 4 * MIB, "initrd": 2 * MIB, "modules": MIB + MIB // 2}


def test_the_newest_stock_kernel_is_compared_with(root):
    found = kernel_sizes.gather(root)
    assert found["stock_release"] == "6.10.0-1-amd64"
    assert found["stock_sizes"] == {"image": 1, "initrd": 1, "modules": 1}


@pytest.mark.parametrize(
    ("before", "stock"),
    [
        ("6.9.0-1-amd64", "6.9.0-1-amd64"),
        # Gone, or a build of ours.
        ("5.10-gone", "6.10.0-1-amd64"),
        ("6.11.0-another-build", "6.10.0-1-amd64"),
    ],
)
def test_the_one_that_the_host_ran_before_comes_first(root, before, stock):
    record(root, before)
    assert kernel_sizes.gather(root)["stock_release"] == stock


def test_what_is_not_there_has_no_size(root):
    found = kernel_sizes.gather(root, "7.0")
    assert found["sizes"] == {"image": None, "initrd": None, "modules": None}
    assert any(line.split() == ["image", "|", "-", "|", "0.0", "MiB", "|", "-"] for line in
               kernel_sizes.table(found))  # fmt: skip


def test_the_table(root):
    record(root, "6.9.0-1-amd64")
    assert kernel_sizes.table(kernel_sizes.gather(root)) == [
        "size     | 6.12.117-49-usac1 | 6.9.0-1-amd64 | ratio",
        "====================================================",
        "image    |           4.0 MiB |       8.0 MiB |  0.50",
        "initrd   |           2.0 MiB |      16.0 MiB |  0.12",
        "modules  |           1.5 MiB |      30.0 MiB |  0.05",
        "together |           7.5 MiB |      54.0 MiB |  0.14",
    ]


def test_the_table_without_another_kernel(root):
    for path in (root / "boot").glob("*amd64"):
        path.unlink()
    found = kernel_sizes.gather(root)
    assert (found["stock_release"], found["stock_sizes"]) == ("", {})
    assert kernel_sizes.table(found)[2] == "image    |           4.0 MiB"
