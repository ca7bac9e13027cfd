# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a target's configuration may say, and what no build may see."""

from __future__ import annotations

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._kconfig import base

# Of Debian 12 and Ubuntu 24.04: all strings that a user could set there.
DISTRIBUTIONS = """\
CONFIG_DEFAULT_HOSTNAME="(none)"
CONFIG_RTC_HCTOSYS_DEVICE="rtc0"
CONFIG_ANDROID_BINDER_DEVICES="binder"
CONFIG_FAT_DEFAULT_IOCHARSET="iso8859-1"
CONFIG_NLS_DEFAULT="utf8"
CONFIG_LSM="landlock,lockdown,yama,integrity,apparmor"
CONFIG_DEFAULT_MMAP_MIN_ADDR=65536
CONFIG_NR_CPUS=8192
CONFIG_PHYSICAL_START=0x1000000
CONFIG_PANIC_TIMEOUT=-1
CONFIG_EXT4_FS=m
CONFIG_NET=y
# CONFIG_WERROR is not set
"""


def test_what_distributions_have_stays_as_it_is() -> None:
    accepted = base.from_target("# Linux/x86 6.1 Kernel Configuration\n\n" + DISTRIBUTIONS)
    assert accepted.text == DISTRIBUTIONS
    assert accepted.refused == {}


@pytest.mark.parametrize(
    "line",
    [
        'CONFIG_INITRAMFS_SOURCE="$(shell id)"',
        'CONFIG_INITRAMFS_SOURCE="/var/lib/oslab-kernel/repository/gnupg"',
        'CONFIG_EXTRA_FIRMWARE="shadow"',
        'CONFIG_EXTRA_FIRMWARE_DIR="/etc"',
        'CONFIG_SYSTEM_BLACKLIST_HASH_LIST="/etc/shadow"',
        'CONFIG_MODULE_SIG_HASH="sha1; id"',
        'CONFIG_MODULE_SIG_KEY="/etc/ssl/private/key.pem"',
        'CONFIG_UNUSED_KSYMS_WHITELIST="/etc/shadow"',
        'CONFIG_MODPROBE_PATH="/tmp/x"',
        'CONFIG_DEFAULT_INIT="/tmp/x"',
        'CONFIG_LOCALVERSION="-x"',
        'CONFIG_CMDLINE="init=/bin/sh"',
        "CONFIG_CMDLINE_BOOL=y",
        "CONFIG_CMDLINE_OVERRIDE=y",
        "CONFIG_LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY=y",
        "# CONFIG_RANDOMIZE_BASE is not set",
        "# CONFIG_MITIGATION_RETPOLINE is not set",
        "CONFIG_STRICT_KERNEL_RWX=n",
        # A string of the list whose value is none of its form.
        'CONFIG_DEFAULT_HOSTNAME="$(shell id)"',
        'CONFIG_DEFAULT_HOSTNAME="a" ; id #"',
        'CONFIG_LSM="landlock;id"',
        'CONFIG_LSM="bpf"',
        'CONFIG_LSM="yama,lockdown"',
        "CONFIG_DEFAULT_MMAP_MIN_ADDR=0",
        "# CONFIG_RELOCATABLE is not set",
        "# CONFIG_64BIT is not set",
        "CONFIG_MODULE_SIG_FORCE=y",
        "CONFIG_LKDTM=m",
        # Not a string, and not a number either.
        "CONFIG_NR_CPUS=$(shell id)",
        "CONFIG_NR_CPUS=8;id",
        "CONFIG_NET=y $(shell id)",
        "CONFIG_NET='y'",
        "CONFIG_NET=",
    ],
)
def test_what_a_target_may_not_say_is_left_out(line: str) -> None:
    accepted = base.from_target(f"CONFIG_A=y\n{line}\nCONFIG_B=m\n")
    assert accepted.text == "CONFIG_A=y\nCONFIG_B=m\n"
    assert len(accepted.refused) == 1


@pytest.mark.parametrize(
    "line",
    [
        "$(shell id)",
        "include /etc/shadow",
        "CONFIG_$(shell id)=y",
        "\x0cCONFIG_NET=y",
        "CONFIG_NET=y\x0b$(shell id)",
        "# CONFIG_NET is not set\u2028CONFIG_CMDLINE_BOOL=y",
        "export CONFIG_NET=y",
        "CONFIG_NÉT=y",
        "#\n" * 3,
    ],
)
def test_what_is_no_line_of_a_configuration_is_not_kept(line: str) -> None:
    assert base.from_target(f"{line}\nCONFIG_B=m\n").text == "CONFIG_B=m\n"


def test_the_last_of_two_values_counts_as_it_does_for_kconfig() -> None:
    text = 'CONFIG_LSM="yama"\nCONFIG_LSM="$(shell id)"\nCONFIG_A=y\nCONFIG_A=n\n'
    accepted = base.from_target(text)
    assert accepted.text == "# CONFIG_A is not set\n"
    assert accepted.refused == {"LSM": '"$(shell id)"'}


def test_a_host_that_answers_without_end_is_refused() -> None:
    with pytest.raises(ValueError, match="at most"):
        base.from_target("CONFIG_A=y\n" * 1_000_000)


def test_a_finished_configuration_with_text_that_is_only_text_is_safe() -> None:
    text = (
        'CONFIG_CC_VERSION_TEXT="gcc-12 (Debian 12.2.0-14+deb12u1) 12.2.0"\n'
        'CONFIG_CMDLINE="console=ttyS0,115200 root=/dev/vda1 quiet"\n'
        'CONFIG_EXTRA_FIRMWARE="intel-ucode/06-55-04 regulatory.db"\n'
        'CONFIG_LOCALVERSION=""\n'
    )
    assert base.unsafe(f"#\n# A comment with $ and ;\n#\n{text}{DISTRIBUTIONS}") == []


@pytest.mark.parametrize(
    "character", [*"$`;\"'\\#|&<>", "\t", "\r", "\x0b", "\x0c", "\x85", "\u2028"]
)
def test_no_string_has_what_make_or_a_shell_acts_on(character: str) -> None:
    text = f"-a{character}b"
    assert base.unsafe_character(text) == character
    messages = base.unsafe(f'CONFIG_A=y\nCONFIG_LOCALVERSION="{text}"\n')
    assert len(messages) == 1
    assert messages[0].startswith("LOCALVERSION: ")
    with pytest.raises(ValueError, match="LOCALVERSION"):
        base.require_safe("LOCALVERSION", text)


@pytest.mark.parametrize(
    "line", ["$(shell id)", "CONFIG_A=$(shell id)", 'CONFIG_A="', "CONFIG_A=z"]
)
def test_a_line_of_another_kind_is_not_safe(line: str) -> None:
    assert len(base.unsafe(f"CONFIG_B=y\n{line}\n")) == 1
