# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""build.yml stops before a kernel is built that no target would find."""

from __future__ import annotations

import json


def test_a_builder_that_only_this_machine_finds(playbook, tmp_path):
    inventory = tmp_path / "hosts.yml"
    made = json.loads(inventory.read_text())
    made["kernel_builders"] = {"hosts": {"localhost": None}}
    # Nobody answers there, and nobody is asked.
    made["kernel_targets"] = {
        "hosts": {"web1": {"ansible_connection": "ssh", "ansible_host": "192.0.2.1"}}
    }
    inventory.write_text(json.dumps(made))
    given = {"publish_root": str(tmp_path / "repository"), "publish_server": "none"}
    done = playbook("build.yml", "--tags", "publish", "--check", **given)
    assert done.status != 0
    output = " ".join(done.output.split())
    assert "The builder localhost is known here as localhost" in output
    assert "web1 would look for the repository at http://localhost:8090 in vain" in output
    assert "publish_url" in output
    assert not (tmp_path / "repository").exists()
