# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The command that loads a kernel for kexec."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._boot import kexec
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


HOST = {
    "usr/sbin/kexec": "",
    "run/systemd/system/x": "",
    "sys/kernel/kexec_loaded": "0\n",
    "proc/sys/kernel/kexec_load_disabled": "0\n",
    "sys/kernel/security/lockdown": "[none] integrity confidentiality\n",
}


@pytest.mark.parametrize(
    ("changes", "why", "remedy"),
    [
        ({}, "", ""),
        ({"sys/kernel/security/lockdown": None}, "", ""),
        ({"usr/sbin/kexec": None}, "it has no kexec-tools", "LOAD_KEXEC=false"),
        ({"run/systemd/system/x": None}, "it is not run by systemd", "systemd"),
        ({"sys/kernel/kexec_loaded": None}, "its kernel has no kexec", "CONFIG_KEXEC"),
        ({"proc/sys/kernel/kexec_load_disabled": "1\n"}, "kexec_load_disabled is 1", "sysctl.d"),
        ({"proc/sys/kernel/kexec_load_limit_reboot": "-1\n"}, "", ""),
        (
            {"proc/sys/kernel/kexec_load_limit_reboot": "0\n"},
            "kexec_load_limit_reboot is 0",
            "sysctl.d",
        ),
        # The package would not help there.
        (
            {
                "usr/sbin/kexec": None,
                "sys/kernel/security/lockdown": "none [integrity] confidentiality\n",
            },
            "locked down",
            "Secure Boot",
        ),
        (
            {"sys/kernel/security/lockdown": "none [integrity] confidentiality\n"},
            "locked down, as with Secure Boot",
            "Switch Secure Boot off",
        ),
        ({"sys/kernel/security/lockdown": "none integrity [confidentiality]\n"}, "locked", "off"),
    ],
)
def test_why_a_host_starts_no_kernel_by_kexec(
    tmp_path: Path, changes: dict[str, str | None], why: str, remedy: str
) -> None:
    for name, text in {**HOST, **changes}.items():
        if text is not None:
            path = tmp_path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
    found = kexec.problem(tmp_path)
    assert bool(found[0]) is bool(found[1]) is bool(changes and why)
    assert why in found[0]
    assert remedy in found[1]
