# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check mode on a builder that has built nothing."""

from __future__ import annotations

import json


def test_what_is_not_there_yet_is_no_warning(tmp_path, playbook):
    copy = {
        "ansible.builtin.import_role": {
            "name": "oslab.kernel.build",
            "tasks_from": "sources/copy.yml",
        }
    }
    play = {
        "hosts": "builder",
        "gather_facts": False,
        "tasks": [copy],
        "vars": {
            "build_source": {"name": "modules", "from": "{{ build_modules_source }}"},
            "build_source_dest": str(tmp_path / "work/oslab/modules"),
        },
    }
    book = tmp_path / "check.json"
    book.write_text(json.dumps([play]))
    done = playbook(str(book), "--check")
    assert done.status == 0, done.output
    assert "WARNING" not in done.output
    assert done.recap("changed") > 0
