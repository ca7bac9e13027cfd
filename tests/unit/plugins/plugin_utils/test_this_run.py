# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""this_run: a process that is gone, one that is not, and those of which nothing is known."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils import this_run


def test_this_very_process_goes_on() -> None:
    run = this_run.of(os.getpid())
    assert this_run.parse(str(run)) == run
    assert not this_run.is_gone(str(run))
    assert f"process {os.getpid()}" in this_run.described(run)


def test_a_process_that_has_ended() -> None:
    with subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE) as process:
        text = str(this_run.of(process.pid))
        assert not this_run.is_gone(text)
        process.kill()
    assert this_run.is_gone(text)


def test_another_process_with_its_number() -> None:
    run = this_run.of(os.getpid())
    assert this_run.is_gone(str(run._replace(started="1")))


@pytest.mark.parametrize("text", ["", "no run", "elsewhere 999999999 1", "a b c"])
def test_of_others_nothing_is_known(text: str) -> None:
    assert not this_run.is_gone(text)
