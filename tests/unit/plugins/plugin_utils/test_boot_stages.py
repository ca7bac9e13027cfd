# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import subprocess

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils.boot_stages import (
    QUESTION,
    medians,
    parse,
    text,
)

BIOS = """\
30.50 55.10
FirmwareTimestampMonotonic=0
LoaderTimestampMonotonic=0
InitRDTimestampMonotonic=4000000
UserspaceTimestampMonotonic=10500000
"""
UEFI = BIOS.replace("Firmware", "x").replace(
    "LoaderTimestampMonotonic=0",
    "LoaderTimestampMonotonic=2000000\nFirmwareTimestampMonotonic=5000000",
)


def test_without_firmware_that_reports() -> None:
    stages = parse(BIOS, 39)
    assert stages == {"before_kernel": 8.5, "kernel": 4.0, "initrd": 6.5, "user_space": 20.0}
    assert text(stages) == (
        "shutdown, firmware and boot loader 8 s, kernel 4 s, initrd 6 s, user space until ssh 20 s"
    )


def test_with_firmware_that_reports() -> None:
    stages = parse(UEFI, 39)
    assert list(stages) == ["shutdown", "firmware", "loader", "kernel", "initrd", "user_space"]
    assert (stages["shutdown"], stages["firmware"], stages["loader"]) == (3.5, 3.0, 2.0)
    assert sum(stages.values()) == 39


def test_after_a_kexec_no_firmware_ran() -> None:
    assert parse(UEFI, 39, firmware_ran=False)["before_kernel"] == 8.5


def test_without_an_initrd() -> None:
    stages = parse(BIOS.replace("InitRDTimestampMonotonic=4000000\n", ""), 39)
    assert stages == {"before_kernel": 8.5, "kernel": 10.5, "user_space": 20.0}


def test_the_question_comes_after_the_answer() -> None:
    """The host was asked a little later, and its clock is not the control node's."""
    stages = parse(BIOS.replace("30.50", "40.20"), 39)
    assert stages["before_kernel"] == 0
    assert sum(stages.values()) == 39
    assert min(parse(BIOS, 5).values()) >= 0


@pytest.mark.parametrize(
    "output",
    [
        "",
        "30.50 55.10\n",
        BIOS.replace("30.50", "x"),
        BIOS.replace("30.50", "99999999999.50"),
        BIOS.replace("10500000", "0"),
        BIOS.replace("10500000", "9" * 40),
        BIOS.replace("10500000", "99000000"),
        "\x1b[1A" + BIOS,
    ],
)
def test_a_host_that_does_not_tell(output: str) -> None:
    assert parse(output, 39) == {}


def test_medians_of_a_fleet() -> None:
    assert medians([{"kernel": 1.0}, {"kernel": 5.0, "initrd": 2.0}, {"kernel": 3.0}, {}]) == {
        "kernel": 3.0,
        "initrd": 2.0,
    }
    assert medians([]) == {}


def test_a_real_shell_takes_the_question() -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", QUESTION],
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.stdout.split()[0].replace(".", "").isdigit()
