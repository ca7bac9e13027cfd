# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils import known_variables

ROOT = Path(__file__).resolve().parents[4]


@pytest.fixture(scope="module")
def known() -> known_variables.Known:
    return known_variables.collect(ROOT)


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("patch_sysnam", "patch_sysname"),
        ("source_versoin", "source_version"),
        ("install_kep", "install_keep"),
        ("deploy_seral", "deploy_serial"),
        ("preflight_unknown_variable", "preflight_unknown_variables"),
        # The prefix itself.
        ("pathc_sysname", "patch_sysname"),
        ("sorce_version", "source_version"),
        ("build_number_of_our_company", ""),
        # A part of the checks of a role: a deployment would skip the others.
        ("doctor_only", ""),
    ],
)
def test_a_misspelt_name(known: known_variables.Known, name: str, meant: str) -> None:
    assert known_variables.meant(name, known) == meant


@pytest.mark.parametrize(
    "name",
    [
        "patch_sysname",
        "deploy_before",
        "lab_fleet_size",
        # Registered and set by tasks, given by playbooks.
        "build_result",
        "publish_result",
        "trial_lock",
        "verify_later",
        "deploy_published",
        # Required: what one role hands to the next.
        "config_tree",
        # Nobody's of ours.
        "ansible_host",
        "source",
        "sources_list",
        "patchwork_url",
        "http_port",
        "verification_version",
    ],
)
def test_what_is_no_fault(known: known_variables.Known, name: str) -> None:
    assert known_variables.meant(name, known) is None


def test_names_of_plays() -> None:
    play = {
        "vars": {"a": 1},
        "tasks": [
            {"x.y.z": None, "register": "b", "loop_control": {"loop_var": "c"}},
            {"block": [{"ansible.builtin.set_fact": {"d": 1}}], "rescue": [{"register": "e"}]},
        ],
        "roles": [{"role": "r", "vars": {"f": 1}}],
        "handlers": None,
    }
    assert set(known_variables.names_of([play])) == set("abcdef")


def test_patterns_of_the_users_own() -> None:
    assert known_variables.allowed("build_number", ["patch_x", "build_*"])
    assert not known_variables.allowed("build_number", ["build_n"])


def test_defaults_name_files_that_are_there() -> None:
    """Their templates are evaluated outside of the role."""
    found = known_variables.defaults(ROOT)
    assert "role_path" not in str(found)
    assert Path(found["patch_files"]).is_dir()
