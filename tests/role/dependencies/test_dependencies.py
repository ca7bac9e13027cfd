# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role dependencies, without installing anything."""

from __future__ import annotations

import json

import pytest

PLAY = [
    {
        "name": "Install what a build needs",
        "hosts": "kernel_builders",
        "gather_facts": False,
        "roles": ["oslab.kernel.dependencies"],
    }
]


@pytest.fixture
def role(tmp_path, playbook):
    book = tmp_path / "play.json"
    book.write_text(json.dumps(PLAY))
    return lambda **variables: playbook(str(book), "--check", **variables)


def test_what_is_there_is_left_alone(role):
    run = role(dependencies_packages=["dpkg", "bash"])
    assert (run.status, run.recap("changed")) == (0, 0), run.output


def test_check_mode_names_what_is_missing(role):
    run = role(dependencies_packages=["dpkg"], dependencies_extra_packages=["no-such-package"])
    assert run.status == 0, run.output
    assert run.recap("changed") == 1
    assert "would install no-such-package" in run.output


def test_what_signs_an_image_only_where_it_is_signed(role):
    programs = ["no-such-signer"]
    run = role(dependencies_packages=["dpkg"], dependencies_signing=programs)
    assert (run.status, run.recap("changed")) == (0, 0), run.output
    run = role(
        dependencies_packages=["dpkg"],
        dependencies_signing=programs,
        dependencies_image_signing=True,
    )
    assert "would install no-such-signer" in run.output


def test_an_unknown_distribution_is_told_what_to_set(role):
    run = role(dependencies_known=["hurd-1"])
    assert run.status != 0
    said = " ".join(run.output.split())
    assert "knows the packages of hurd-1 only" in said
    assert "in dependencies_packages" in said
