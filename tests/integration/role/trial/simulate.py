#!/usr/bin/env python3
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""playbooks/deploy.yml for one simulated host, whose trial boot is as a test wants.

simulate.py WORK CHANGES    CHANGES: in JSON, complaints of the kernel by `stock` and
                            `new`, by `health` what the trial boot changes on the host, and by
                            `boot_entry` what that module answers; `variables` are those of
                            the run, and `record` is what the host has of earlier ones
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "collections"))

from ansible_collections.oslab.kernel.bench.fleet.run import SETTINGS
from ansible_collections.oslab.kernel.bench.fleet.simulation import Fleet, enter_network
from ansible_collections.oslab.kernel.bench.fleet.target import NOBODY
from ansible_collections.oslab.kernel.tests.lib.playbook import COMMAND, ROOT


def main() -> None:
    enter_network()
    work, changes = Path(sys.argv[1]), json.loads(sys.argv[2])
    fleet = Fleet(work, 1)
    path = work / "answers.json"
    answers = json.loads(path.read_text())
    facts = answers["host_kernel_info"]
    facts["stock"]["kernel_log"]["complaints"] += changes["stock"]
    for answer in (facts["new"], answers["syscall_info"]):
        answer["kernel_log"]["complaints"] += changes["new"]
    answers["syscall_info"]["health"]["changes"] += changes.get("health", [])
    answers["boot_entry"].update(changes.get("boot_entry", {}))
    path.write_text(json.dumps(answers))
    if "record" in changes:
        earlier = {"boots": 0, "release": "", "down_until": 0, "files": {}}
        for home in (work / "hosts").iterdir():
            path = home / "state.json"
            path.write_text(json.dumps({**earlier, "record": changes["record"]}))
            os.chown(path, NOBODY, NOBODY)
    environment = {
        **os.environ,
        "ANSIBLE_CONFIG": str(SETTINGS),
        "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections"),
        "ANSIBLE_SSH_CONTROL_PATH_DIR": str(work / "sockets"),
        "ANSIBLE_NOCOLOR": "1",
    }
    argv = [*COMMAND, "--inventory", str(fleet.inventory), str(ROOT / "playbooks/deploy.yml")]
    argv += ["--extra-vars", json.dumps(changes.get("variables", {}))]
    with fleet.reachable():
        done = subprocess.run(argv, env=environment, stdin=subprocess.DEVNULL, check=False)
    for state in (work / "hosts").glob("*/state.json"):
        host = json.loads(state.read_text())
        record = host.get("record")
        print(f"LEFT {sorted(host['files'])}", flush=True)
        print(f"RECORD {json.dumps(record)}", flush=True)
    sys.exit(done.returncode)


if __name__ == "__main__":
    main()
