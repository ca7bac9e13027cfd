# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel modules as they are installed; test_selftests.py has what they do at large."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.oslab.kernel.tests.lib.own_modules import ENTRIES

testinfra_hosts = ["ansible://kernel_targets"]


@pytest.mark.parametrize("module", ENTRIES)
def test_module_is_loaded_and_comes_from_its_package(host: Any, manifest: Any, module: str) -> None:
    assert f"\n{module} " in "\n" + host.check_output("cat /proc/modules")
    path = host.check_output("modinfo -n %s", module)
    assert path.startswith(f"/lib/modules/{manifest['release']}/extra/oslab/{module}.ko")


@pytest.mark.parametrize("module", ENTRIES)
def test_module_is_loaded_at_boot(host: Any, module: str) -> None:
    found = host.check_output("cat /etc/modules-load.d/*.conf /etc/modules").split()
    assert module in found


@pytest.mark.parametrize("entry", ENTRIES.values())
def test_entry_is_for_everybody_to_read(host: Any, entry: str) -> None:
    assert host.check_output("stat -c %%a /proc/%s", entry) == "444"
    assert host.check_output("cat /proc/%s", entry)


@pytest.mark.parametrize("entry", ENTRIES.values())
def test_entry_is_lines_of_key_and_value(host: Any, entry: str) -> None:
    lines = host.check_output("cat /proc/%s", entry).splitlines()
    keys = [line.split(": ")[0] for line in lines]
    assert len(keys) == len(set(keys)) > 0
    assert all(": " in line for line in lines)


def test_capture_mem_agrees_with_the_syscall(guest: Any) -> None:
    before, shown, after = guest("[capture(), keyed('/proc/capture_mem'), capture()]")
    assert shown["total_kb"] == before["total"]
    assert shown["swap_total_kb"] == before["swap_total"]
    for field in ("free", "cached", "slab", "active"):
        # 2 MiB: this is about the right figure, not about the moment.
        low, high = sorted((before[field], after[field]))
        assert low - 2048 <= shown[f"{field}_kb"] <= high + 2048, field
    assert before["timestamp"] <= shown["timestamp_ns"] <= after["timestamp"]


def test_track_syscalls_agrees_with_the_syscall(guest: Any) -> None:
    before, text, after = guest("[track(), Path('/proc/track_syscalls').read_text(), track()]")
    for line in text.splitlines():
        name, count, stamp = line.replace("=", " ").replace(":", "").split()[::2]
        assert before[name][0] <= int(count) <= after[name][0]
        assert before[name][1] <= int(stamp) <= after[name][1]


def test_system_stats_agrees_with_the_system(guest: Any, host: Any) -> None:
    text = host.check_output("cat /proc/system_stats")
    shown = dict(line.split(": ", 1) for line in text.splitlines())
    assert int(shown["mem_total_kb"]) == guest("keyed('/proc/meminfo')['MemTotal']")
    assert int(shown["cpus_online"]) == int(host.check_output("nproc"))
    kib = host.check_output("df --output=size -k %s", shown["storage_path"]).split()[-1]
    assert int(shown["storage_total_kb"]) == int(kib)
    uptime = float(host.check_output("cat /proc/uptime").split()[0]) * 1000
    assert 0 < int(shown["cpu_idle_ms"]) <= uptime * int(shown["cpus_online"])
