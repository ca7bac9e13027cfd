# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/deploy.yml: a host that is refused ends its wave, and one that is away does not."""

from __future__ import annotations

import re
import time
from typing import Callable

Deploy = Callable[..., "tuple[int, str]"]
AWAY = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}
# The connection breaks when that module is to be run.
LOST = {"ansible_connection": "lossy", "lossy_at": "deploy_lock"}


def refused(output: str) -> set[str]:
    return set(
        re.findall(r"(\w+): the kernel was not confirmed\. Check the requested kernel: ", output)
    )


def test_the_first_wave_that_fails_is_the_last(deploy: Deploy) -> None:
    hosts = {"away": AWAY, "one": None, "two": None, "three": None}
    status, output = deploy(hosts, deploy_serial=[1, "50%"])
    assert status != 0
    # The canary is the first host that answers.
    assert refused(output) == {"one"}
    assert re.search(r"^away +: .*unreachable=1", output, re.MULTILINE)
    assert re.search(r"^three +: .*failed=0", output, re.MULTILINE)
    assert len(re.findall(r"changed=0", output)) == 5


def test_a_wave_is_finished_and_as_many_may_fail_as_are_allowed(deploy: Deploy) -> None:
    hosts = {"one": None, "two": None, "three": None}
    status, output = deploy(hosts, deploy_serial=2, deploy_max_fail_percentage=100)
    assert status != 0
    # Both of the first wave; all of a wave having failed, there is no next one.
    assert refused(output) == {"one", "two"}


def test_a_host_that_has_just_answered_is_not_asked_again(deploy: Deploy) -> None:
    def answered(seconds: int) -> dict[str, object]:
        return {**AWAY, "kernel_target_info": {"answered": int(time.time()) - seconds}}

    hosts = {"just": answered(0), "before": answered(1000), "later": answered(-1000), "one": None}
    _status, output = deploy(hosts)
    before, _wave, first = output.partition("PLAY [Deploy the kernel to each target")
    assert re.search(r"\[before\]: UNREACHABLE", before)
    # By a clock that was set back.
    assert re.search(r"\[later\]: UNREACHABLE", before)
    assert "[just]: UNREACHABLE" not in before
    # So it is the canary, and unreachable there.
    assert "[just]: UNREACHABLE" in first


def test_a_host_that_is_lost_on_the_way_is_named(deploy: Deploy) -> None:
    status, output = deploy({"gone": LOST, "there": None}, deploy_serial="100%")
    assert status != 0
    assert "gone was lost during the deployment" in output
    assert "there was lost during the deployment" not in output
    assert re.search(r"^gone +: .*unreachable=1", output, re.MULTILINE)


def test_the_first_host_is_the_canary_by_default(deploy: Deploy) -> None:
    status, output = deploy({"one": None, "two": None, "three": None})
    assert status != 0
    assert refused(output) == {"one"}


def test_a_single_host_is_a_whole_deployment(deploy: Deploy) -> None:
    status, output = deploy({"one": None})
    assert status != 0
    assert refused(output) == {"one"}
    assert output.count("PLAY [Deploy the kernel to each target") == 1
