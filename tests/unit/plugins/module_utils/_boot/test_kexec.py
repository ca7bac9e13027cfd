# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command that loads a kernel for kexec."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.oslab.kernel.plugins.module_utils._boot.kexec import Image


def test_the_command_of_an_image() -> None:
    image = Image(Path("/boot/vmlinuz-6.8"), Path("/boot/initrd.img-6.8"), ("ro", "a=b"))
    assert image.load() == [
        "kexec",
        "--load",
        "/boot/vmlinuz-6.8",
        "--initrd=/boot/initrd.img-6.8",
        "--command-line=ro a=b",
    ]


def test_an_argument_with_a_space_is_quoted() -> None:
    image = Image(Path("/v"), Path("/i"), ("dyndbg=file a +p", "quiet"))
    assert image.load()[-1] == '--command-line="dyndbg=file a +p" quiet'
