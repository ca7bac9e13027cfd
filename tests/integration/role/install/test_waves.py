# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/deploy.yml: a host that is refused ends its wave, and one that is away does not."""

from __future__ import annotations

import hashlib
import json
import re
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.oslab.kernel.tests.lib import openpgp_keys

ROOT = Path(__file__).resolve().parents[4]
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


@pytest.mark.parametrize(("age", "again"), [(0, False), (120, False), (121, True), (-1, True)])
def test_the_state_of_a_host_is_asked_again_in_a_late_wave(
    deploy: Deploy, age: int, again: bool
) -> None:
    """Below 0 the control node's clock was set back."""
    _status, output = deploy({"one": None}, extra={"deploy_state_age": age})
    wave = output.partition("PLAY [Deploy the kernel to each target")[2]
    before_the_lock = wave.partition("TASK [oslab.kernel.trial : Acquire the deployment lock]")[0]
    assert ("TASK [oslab.kernel.install : Gather host state]" in before_the_lock) == again


def _with_the_kernel(modules_as_wanted: bool) -> dict[str, Any]:
    """A host that has all that install_transport=copy puts there, by its answer."""
    known = json.loads((ROOT / "bench/fleet/answers.json").read_text())["host_kernel_info"]["new"]
    grub = hashlib.sha256(b"GRUB_DEFAULT=saved\n").hexdigest()
    packages = {"linux-image-6.12.1-x": "1-1"}
    answer = {
        **known,
        "release": "6.12.1-x",
        "packages": packages,
        "oslab_packages": packages,
        "files": {
            "/etc/default/grub.d/oslab-kernel.cfg": grub,
            "/var/lib/oslab-kernel/origin.json": grub,
        },
        "install_record": {
            **{"image": "linux-image-6.12.1-x=1-1", "boot_id": "", "fallback": "6.1.0-44-amd64"},
            **{"complete": True, "confirmed": True},
        },
        **{
            "boot_id": "0" * 8 + "-0000" * 3 + "-" + "0" * 12,
            "time": 1,
            "uptime": 1,
            "trial": None,
        },
        **{"trial_confirmed": False, "boots_default_kernel": True},
        "modules_as_wanted": modules_as_wanted,
        "kernel_log": None,
        "health": None,
    }
    return {
        "ansible_connection": "hostile",
        "hostile_answers": json.dumps({"host_kernel_info": answer}),
    }


def test_a_host_whose_state_is_unknown_ends_the_waves(deploy: Deploy) -> None:
    """It may be in a trial boot that nobody has confirmed: it is recovered, as others that fail."""
    broken = {
        "ansible_connection": "hostile",
        "hostile_answers": json.dumps({"host_kernel_info": {"failed": True, "msg": "no dpkg"}}),
    }
    status, output = deploy({"broken": broken, "one": None, "two": None})
    assert status != 0
    assert "broken: the kernel was not confirmed. Gather host state: no dpkg" in output
    assert refused(output) == set()
    assert re.search(r"^one +: .*failed=0", output, re.MULTILINE)


def test_a_host_that_lacks_nothing_takes_part_in_no_wave(deploy: Deploy) -> None:
    status, output = deploy(
        {"current": _with_the_kernel(True), "unloaded": _with_the_kernel(False)},
        extra={"publish_result": {"release": "6.12.1-x", "version": "1-1"}},
        install_packages=["linux-image-6.12.1-x"],
        install_transport="copy",
    )
    first, _play, wave = output.partition("PLAY [Deploy the kernel to each target")
    assert "ok: [current]" in first
    assert "[current]" not in wave
    assert "TASK [oslab.kernel.modules : Load, change or unload the modules" in wave
    # Nothing is there to be loaded on this machine.
    assert status != 0
    assert re.search(r"^current +: .*failed=0", output, re.MULTILINE)


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


def test_a_build_that_too_few_vouch_for_touches_no_host(deploy: Deploy) -> None:
    """One host asks for nobody, and is in the wave."""
    build, sums = "1" * 64, {"linux-image-6.12.1-x": "a" * 64}
    with openpgp_keys.keys("ada", "bob") as (ada, bob):
        published: dict[str, Any] = {
            "release": "6.12.1-x",
            "version": "1-1",
            "build_id": build,
            "packages": {name: {"sha256": sha256, "size": 1} for name, sha256 in sums.items()},
            "attestations": [ada.attest(build, sums)],
        }
        asked = {"install_rebuild_keys": [ada.public, bob.public]}
        one, two = ({**asked, "install_required_rebuilds": number} for number in (1, 2))
        status, output = deploy({"two": two, "one": one}, extra={"publish_result": published})
    assert status != 0
    text = " ".join(output.split())
    assert "two is left out of this deployment. two asks for 2 known keys" in text
    assert f"and 1 ({ada.fingerprint}) vouch for 111111111111." in text
    wave = output.partition("PLAY [Deploy the kernel to each target")[2]
    assert "[two]" not in wave
    # It goes on to what this machine lacks for a kernel.
    assert "TASK [oslab.kernel.trial : Acquire the deployment lock]" in wave
    assert "[one]" in wave
    assert "one asks for" not in text
