# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Names that count, the usual entry of a release, and the one for its trial."""

from __future__ import annotations

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._boot.bls import (
    Entry,
    find,
    is_entry,
    newest_first,
    parse,
    trial,
)

MACHINE = "0f1e2d3c4b5a69788796a5b4c3d2e1f0"
# As Debian's kernel-install writes them.
TEXT = f"""title      Debian GNU/Linux 12 (bookworm)
version    6.8.0-49-usac1
machine-id {MACHINE}
sort-key   debian
options    root=UUID=0f1e ro quiet systemd.machine_id={MACHINE}
linux      /{MACHINE}/6.8.0-49-usac1/linux
initrd     /{MACHINE}/6.8.0-49-usac1/initrd.img-6.8.0-49-usac1
"""


def entry(name: str = "", text: str = TEXT) -> Entry:
    return parse(name or f"{MACHINE}-6.8.0-49-usac1.conf", text)


@pytest.mark.parametrize(
    ("name", "stem", "left"),
    [
        ("a.conf", "a", None),
        ("a+3.conf", "a", 3),
        ("a+3-1.conf", "a", 3),
        ("a+0-3.CONF", "a", 0),
        # The last plus counts, and only in front of the suffix.
        ("a+1+2.conf", "a+1", 2),
        ("a+1-b.conf", "a+1-b", None),
        ("a+.conf", "a+", None),
        ("a+x1.conf", "a+x1", None),
    ],
)
def test_names_count(name: str, stem: str, left: int | None) -> None:
    found = Entry(name)
    assert (found.stem, found.left, found.id) == (stem, left, f"{stem}.conf")


def test_what_is_no_entry() -> None:
    assert is_entry("a.conf")
    assert is_entry("A+1.CONF")
    for name in ("a.conf.bak", ".a.conf", "auto-windows.conf", "a.efi", ".conf"):
        assert not is_entry(name)


def test_fields_may_be_there_several_times() -> None:
    text = "# options no\n\n  options a=1\r\noptions\tb=2 c\nlinux\ninitrd /x\ninitrd /y\n"
    found = parse("a.conf", text)
    assert found.options == "a=1 b=2 c"
    assert found.values("initrd") == ["/x", "/y"]
    assert (found.value("initrd"), found.value("linux"), found.value("title")) == ("/y", "", "")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("oslab-trial+1.conf", TEXT),
        ("memtest.conf", TEXT.replace("linux ", "efi ")),
        (f"{MACHINE}-6.8.0.conf", TEXT),
        ("rescue6.8.0-49-usac1.conf", TEXT),
        ("", TEXT.replace(f"machine-id {MACHINE}", "machine-id ffff")),
        ("", TEXT.replace("version", "#")),
        ("", TEXT.replace("linux ", "efi ")),
    ],
)
def test_entries_that_are_not_the_usual_one_of_this_machine(name: str, text: str) -> None:
    assert entry(name, text).release(MACHINE) == ""


def test_the_usual_entry_of_a_release() -> None:
    assert entry().release(MACHINE) == "6.8.0-49-usac1"
    assert entry("debian-6.8.0-49-usac1+3.conf").release(MACHINE) == "6.8.0-49-usac1"
    unnamed = entry("", TEXT.replace(f"machine-id {MACHINE}\n", ""))
    assert unnamed.release(MACHINE) == "6.8.0-49-usac1"


def test_the_confirmed_entry_is_taken_or_that_with_the_most_tries() -> None:
    names = [f"{MACHINE}-6.8.0-49-usac1{count}.conf" for count in ("+1-2", "+3", "", "+0-3")]
    known = [entry(name) for name in names]
    found = find(known, "6.8.0-49-usac1", MACHINE)
    assert found == known[2]
    assert find([known[0], known[3], known[1]], "6.8.0-49-usac1", MACHINE) == known[1]
    assert find(known, "6.8.0", MACHINE) is None
    assert find(known, "", MACHINE) is None


def test_the_newest_release_is_the_first() -> None:
    releases = ["6.1.0-9-amd64", "6.12.1", "6.1.0-56-amd64", "6.8.0", "6.8.0-rc1", "6.8.0"]
    expected = ["6.12.1", "6.8.0-rc1", "6.8.0", "6.1.0-56-amd64", "6.1.0-9-amd64"]
    assert newest_first(releases) == expected


def test_what_is_for_init_stays_behind() -> None:
    usual = parse("a.conf", "version 6.8\noptions root=x ro -- splash\noptions quiet\n")
    made = parse("oslab-trial+1.conf", trial(usual, ["panic=10"]))
    assert made.options == "root=x ro panic=10 -- splash quiet"


def test_a_trial_is_the_usual_entry_with_more_arguments() -> None:
    text = trial(entry(), ["panic=10", "oslab.trial=6.8"])
    made = parse("oslab-trial+1.conf", text)
    assert made.options == f"{entry().options} panic=10 oslab.trial=6.8"
    assert made.value("title") == "Trial of Linux 6.8.0-49-usac1"
    for key in ("version", "machine-id", "linux", "initrd"):
        assert made.values(key) == entry().values(key)
    # After all that have one.
    assert made.values("sort-key") == []
    assert text.endswith("\n")
