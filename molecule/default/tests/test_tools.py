# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The programs that are installed with the kernel."""

from __future__ import annotations

import json
from typing import Any

import pytest

testinfra_hosts = ["ansible://kernel_targets"]


@pytest.mark.parametrize(
    "command",
    [["capture_memory_snapshot"], ["track_syscall_usage"], ["get_io_throttle"]],
)
def test_tools_print_text_and_json(host: Any, command: list[str]) -> None:
    text = host.check_output(" ".join(command)).splitlines()
    values = json.loads(host.check_output(" ".join([*command, "--json"])))
    assert [line.split(":")[0] for line in text] == list(values)


def test_tool_shows_the_io_of_a_process(host: Any) -> None:
    values = json.loads(host.check_output("get_io_throttle --json 1"))
    shown = dict(line.split(": ", 1) for line in host.check_output("cat /proc/1/io").splitlines())
    assert values["pid"] == 1
    assert 0 < values["rchar"] <= int(shown["rchar"])


def test_tools_name_the_error(host: Any) -> None:
    ended = host.run("get_io_throttle 2147483647")
    assert ended.rc == 1
    assert "ESRCH" in ended.stderr
    ended = host.run("setpriv --reuid=65534 --regid=65534 --clear-groups get_io_throttle 1")
    assert ended.rc == 1
    assert "EPERM" in ended.stderr
