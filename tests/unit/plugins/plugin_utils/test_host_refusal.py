# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host that cannot take a kernel is refused with the reason and the remedy."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils.host_refusal import (
    TOPICS,
    reasons,
    refusal,
)

FACTS: dict[str, Any] = {
    "container": False,
    "xen_dom0": False,
    "machine": "x86_64",
    "dpkg_architecture": "amd64",
    "secure_boot": False,
    "trusted_certificates": None,
    "initrd_program": "initramfs-tools",
    "packages_held": ["vim"],
}
MISSING = ["linux-image-6.12=1", "linux-headers-6.12=1"]


IMAGE = "linux-image-6.12=1"
FAILURE = {"image": IMAGE, "date": "2026-11-29", "reason": "Verify the kernel: 2 checks failed."}


def test_a_build_whose_trial_boot_failed_is_not_tried_again() -> None:
    facts = {**FACTS, "install_record": {"image": IMAGE, "failure": FAILURE}}
    found = refusal(facts, "web1", [], {}, IMAGE)
    assert "web1 has failed in its trial boot of this build (1) on 2026-11-29: Verify the" in found
    assert "2 checks failed. The build is not tried there again." in found
    assert "install_retry_failed" in found
    # Another build, one that is confirmed since, or somebody who wants it again.
    assert refusal(facts, "web1", [], {}, "linux-image-6.12=2") == ""
    assert refusal(facts, "web1", [], {}) == ""
    assert refusal({**facts, "install_record": {"failure": {}}}, "web1", [], {}, IMAGE) == ""
    # One that failed before another one was installed.
    record = {"image": "linux-image-6.12=2", "failures": [FAILURE, {"image": "x=1"}]}
    assert refusal({**facts, "install_record": record}, "web1", [], {}, IMAGE) == found
    # What else is in the way comes first: it will not go away by itself.
    assert "container" in refusal({**facts, "container": True}, "web1", [], {}, IMAGE)


def test_a_host_that_takes_it() -> None:
    assert refusal(FACTS, "web1", MISSING, {}) == ""


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"container": True}, "web1 is a container and runs its host's kernel. Remove it"),
        ({"xen_dom0": True}, "web1 is a Xen host (dom0)"),
        (
            {"machine": "aarch64"},
            "web1 is aarch64 with packages for amd64; the kernel",
        ),
        ({"dpkg_architecture": ""}, "web1 is x86_64 with packages for no Debian architecture"),
        ({"dpkg_architecture": "i386"}, "with packages for i386"),
        ({"secure_boot": True, "trusted_certificates": []}, "build_image_signing_key"),
    ],
)
def test_whatever_is_to_be_installed(change: dict[str, Any], words: str) -> None:
    assert words in refusal({**FACTS, **change}, "web1", [], {})


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"initrd_program": None}, "web1 has neither initramfs-tools nor dracut"),
        (
            {"packages_held": ["linux-headers-6.12", "linux-image-6.12"]},
            "`apt-mark unhold linux-image-6.12 linux-headers-6.12`",
        ),
    ],
)
def test_where_packages_are_installed(change: dict[str, Any], words: str) -> None:
    assert words in refusal({**FACTS, **change}, "web1", MISSING, {})
    assert refusal({**FACTS, **change}, "web1", [], {}) == ""


def test_the_first_reason_is_enough() -> None:
    facts = {**FACTS, "container": True, "machine": "aarch64", "initrd_program": None}
    assert refusal(facts, "web1", MISSING, {}).startswith("web1 is a container")


def test_all_reasons_at_once() -> None:
    facts = {
        **FACTS,
        **{"container": True, "machine": "aarch64", "initrd_program": None, "secure_boot": True},
        "packages_held": ["linux-image-6.12"],
    }
    found = list(reasons(facts, "web1", MISSING, {}))
    assert [topic for topic, _text in found] == list(TOPICS)
    assert len({text for _topic, text in found}) == len(TOPICS)
