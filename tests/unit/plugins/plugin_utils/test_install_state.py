# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host has of the requested kernel."""

from __future__ import annotations

from hashlib import sha256
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils.install_state import State, Wanted, state

IMAGE, HEADERS, LIBC = "linux-image-6.12", "linux-headers-6.12", "linux-libc-dev"
WANTED = Wanted(
    "6.12",
    "1",
    [IMAGE, HEADERS],
    [LIBC],
    {"/etc/source": ["5e6f", "7a8b"], "/etc/pins": [None]},
    ["/var/origin.json"],
    "/run/lock",
)
RECORD = {"image": f"{IMAGE}=1", "boot_id": "of before", "complete": True, "confirmed": True}
FACTS: dict[str, Any] = {
    "release": "6.12",
    "boot_id": "of now",
    "packages": {IMAGE: "1", HEADERS: "1"},
    "packages_unfinished": [],
    "install_record": RECORD,
    "files": {"/etc/source": "5e6f", "/etc/pins": None, "/var/origin.json": "0f1e"},
    "trial": None,
    "trial_confirmed": False,
    "boots_default_kernel": True,
    "kexec_reboots": False,
    "container": False,
    "xen_dom0": False,
}


def test_a_host_where_nothing_is_to_be_done() -> None:
    assert state(FACTS, WANTED) == State([], [], complete=True, running=True, current=True)
    released = {**FACTS["files"], "/run/lock": sha256(b"").hexdigest()}
    assert state({**FACTS, "files": released}, WANTED).current
    other = {**FACTS["files"], "/etc/source": "7a8b"}
    assert state({**FACTS, "files": other}, WANTED).current
    # In the boot in which it was confirmed, too.
    assert state({**FACTS, "trial": "6.12", "trial_confirmed": True}, WANTED).current


@pytest.mark.parametrize(
    "change",
    [
        {"release": "6.1"},
        {"packages": {IMAGE: "1"}},
        {"packages": {IMAGE: "1", HEADERS: "2"}},
        {"packages_unfinished": ["other"]},
        {"install_record": None},
        {"install_record": {**RECORD, "image": f"{IMAGE}=0"}},
        {"install_record": {**RECORD, "boot_id": "of now"}},
        {"install_record": {**RECORD, "complete": False}},
        {"install_record": {**RECORD, "confirmed": False}},
        {"files": {**FACTS["files"], "/etc/source": "other"}},
        {"files": {**FACTS["files"], "/etc/source": None}},
        {"files": {**FACTS["files"], "/etc/pins": "5e6f"}},
        {"files": {**FACTS["files"], "/var/origin.json": None}},
        {"trial": "6.12"},
        {"boots_default_kernel": False},
        {"boots_default_kernel": None},
        {"kexec_reboots": True},
        {"container": True},
        {"xen_dom0": True},
        {"files": {**FACTS["files"], "/run/lock": "held"}},
    ],
    ids=str,
)
def test_whatever_differs_is_work(change: dict[str, Any]) -> None:
    assert not state({**FACTS, **change}, WANTED).current


def test_nothing_is_requested_yet() -> None:
    found = state(FACTS, WANTED._replace(release="", version="", packages=[]))
    assert not found.running
    assert not found.current


def test_missing_packages_and_what_was_left_out() -> None:
    wanted = WANTED._replace(packages=[IMAGE, HEADERS, LIBC])
    stock = {**FACTS, "packages": {LIBC: "0"}, "install_record": None}
    found = state(stock, wanted)
    assert found.missing == [f"{IMAGE}=1", f"{HEADERS}=1", f"{LIBC}=1"]
    assert not found.running

    record = {**RECORD, "left_out": [f"{LIBC}=1", f"{HEADERS}=1"]}
    found = state({**FACTS, "install_record": record}, wanted)
    assert found == State([], [f"{LIBC}=1"], complete=True, running=True, current=True)
    # Only of the version that was left out, and only what may be.
    other = state({**FACTS, "install_record": record}, wanted._replace(version="2"))
    assert other.missing == [f"{IMAGE}=2", f"{HEADERS}=2", f"{LIBC}=2"]
    gone = state({**FACTS, "packages": {IMAGE: "1"}, "install_record": record}, wanted)
    assert gone.missing == [f"{HEADERS}=1"]
