# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of a kernel's log, as printk, a console and pstore have them."""

from __future__ import annotations

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._evidence import kernel_text

RELEASE = "6.12.117-49-usac1"
TRACE = "CPU: 0 PID: 312 Comm: insmod Tainted: G           O       6.12.117-49-usac1 #1"


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("<4>[   12.345678] RIP: 0010:oops_init+0x20", "RIP: 0010:oops_init+0x20"),
        ("<4> [517.979821] RIP: 0010:get_sg+0x32d", "RIP: 0010:get_sg+0x32d"),
        ("[    2.000001][  T312] BUG: x", "BUG: x"),
        ("\x1b[0;1;31mBUG: x\x1b[0m\r", "BUG: x"),
        # What belongs to the message stays.
        ("[ BUG: Invalid wait context ]", "[ BUG: Invalid wait context ]"),
        (" ? page_fault_oops+0x175", " ? page_fault_oops+0x175"),
    ],
)
def test_a_stamp_is_left_out(line: str, wanted: str) -> None:
    assert kernel_text.lines(line) == [wanted]


def test_arguments_of_a_kernel_are_not_shown() -> None:
    text = (
        "[    0.000000] Command line: BOOT_IMAGE=/vmlinuz root=/dev/vda1 luks=hunter2\n"
        "[    0.02] Kernel command line: root=/dev/vda1 luks=hunter2\n"
        '[    0.03] Unknown kernel command line parameters "luks=hunter2", will be passed\n'
        "[    2.1] Run /init as init process\n"
        "[    2.1]   with arguments:\n"
        "[    2.1]     /init\n"
        "[    2.1]     hunter2\n"
        "[    2.1]   with environment:\n"
        "[    2.1]     luks=hunter2\n"
        "[    2.2] systemd[1]: started\n"
    )
    lines = kernel_text.lines(text)
    assert "hunter2" not in "\n".join(lines)
    assert lines[0] == "Command line: (not shown)"
    assert lines[-1] == "systemd[1]: started"


PANICKED = "Kernel panic - not syncing: Attempted to kill init!"


@pytest.mark.parametrize(
    "before",
    [
        *("vm login: ", "Begin: Running /scripts/init-bottom ... ", "[*     ] A start job (5s)"),
        *("", "<0>", "<0> ", "\n", "  ", "[    1.000000] "),
    ],
)
def test_a_line_begins_where_its_stamp_is(before: str) -> None:
    """A console has a prompt, a status or the level before it."""
    found = kernel_text.lines(f"{before}[   33.123456] {PANICKED}\n[   33.1] a\n")
    assert found[-2:] == [PANICKED, "a"]


def test_a_line_and_a_log_have_limits() -> None:
    assert len(kernel_text.lines("x" * 10_000)[0]) == kernel_text.LENGTH
    assert kernel_text.last([str(n) for n in range(1000)])[0] == "700"


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        (TRACE, True),
        (f"Linux version {RELEASE} (builder@lab) (gcc 12) #1 SMP", True),
        ("CPU: 1 UID: 0 PID: 9 Comm: x Not tainted 6.1.0-44-amd64 #1  Debian 6.1.164-1", False),
        ("Kernel panic - not syncing: Fatal exception", None),
    ],
)
def test_the_kernel_that_wrote_it(line: str, wanted: object) -> None:
    assert kernel_text.is_of([line], RELEASE) is wanted


def test_a_complaint_is_the_same_with_other_numbers_and_not_with_another_device() -> None:
    line = "blk_update_request: I/O error, dev sda, sector 10 op 0x0:(READ) flags 0x80700"
    same = line.replace("10", "99").replace("0x80700", "0x0")
    assert kernel_text.complaint(line) == kernel_text.complaint(same)
    assert kernel_text.complaint(line).startswith("io_error ")
    assert kernel_text.complaint(line) != kernel_text.complaint(line.replace("sda", "sdb"))
    warn = "WARNING: CPU: 1 PID: 3 at lib/refcount.c:28 refcount_warn_saturate+0xbe/0x110"
    later = "WARNING: CPU: 0 PID: 71 at lib/refcount.c:28 refcount_warn_saturate+0xbe/0x110"
    assert kernel_text.complaint(warn) == kernel_text.complaint(later)
    assert kernel_text.complaint(warn) != kernel_text.complaint(warn.replace("refcount", "other"))
    assert kernel_text.complaint("usb 1-1: new high-speed USB device") == ""
