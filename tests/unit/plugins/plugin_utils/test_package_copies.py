# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""package_copies: the files that are missing on a host, each with a sum."""

from __future__ import annotations

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils.package_copies import choose

SUM = "a1" * 32
IMAGE, HEADERS = "linux-image-6.8_1-oslab1.0_amd64.deb", "linux-libc-dev_1-oslab1.0_amd64.deb"
FILES = [f"/srv/pool/{IMAGE}", f"/srv/pool/{HEADERS}"]
SUMS = {f"pool/main/{IMAGE}": SUM, HEADERS: SUM}


def test_only_what_is_missing() -> None:
    found = choose(FILES, SUMS, ["linux-image-6.8=1-oslab1.0"])
    image = {"path": FILES[0], "name": IMAGE, "package": "linux-image-6.8", "sha256": SUM}
    assert found == {"files": [image], "problem": ""}


@pytest.mark.parametrize(
    ("files", "sums", "message"),
    [
        ([], SUMS, "install_copy_files has no file of linux-image-6.8 "),
        (["/srv/linux-image-6.8.deb"], SUMS, "install_copy_files has no file of linux-image-6.8 "),
        (["/srv/linux-image-6.8_1.deb\n"], SUMS, "install_copy_files has no file"),
        (FILES, {}, f"install_copy_sha256 has no SHA-256 of {IMAGE}."),
        (FILES, {IMAGE: "a1"}, f"install_copy_sha256 has no SHA-256 of {IMAGE}."),
        (FILES, {IMAGE: SUM + "\n"}, f"install_copy_sha256 has no SHA-256 of {IMAGE}."),
    ],
)
def test_what_cannot_be_brought(files: list[str], sums: dict[str, str], message: str) -> None:
    assert choose(files, sums, ["linux-image-6.8"])["problem"].startswith(message)
