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
    return lambda *options, **variables: playbook(str(book), *(options or ["--check"]), **variables)


@pytest.fixture
def apt(tmp_path, monkeypatch):
    """apt with a directory of its own, and no source yet."""
    root = tmp_path / "apt"
    for name in ("etc/apt/preferences.d", "etc/apt/sources.list.d", "lists/partial", "cache"):
        (root / name).mkdir(parents=True)
    (root / "status").touch()
    options = {
        "Dir": root,
        "Dir::State::status": root / "status",
        "Dir::State::lists": root / "lists",
        "Dir::Cache": root / "cache",
        "APT::Architecture": "amd64",
        "APT::Sandbox::User": "root",
        "Acquire::http::Proxy": "DIRECT",
    }
    config = root / "apt.conf"
    config.write_text("".join(f'{name} "{value}";\n' for name, value in options.items()))
    monkeypatch.setenv("APT_CONFIG", str(config))
    return root


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


def test_git_only_where_a_commit_is_built(role):
    programs = ["no-such-git"]
    given = {"dependencies_packages": ["dpkg"], "dependencies_git_packages": programs}
    run = role(**given)
    assert (run.status, run.recap("changed")) == (0, 0), run.output
    assert "would install no-such-git" in role(**given, dependencies_git=True).output


def test_a_build_root_has_the_packages_instead(role):
    given = {
        "dependencies_packages": ["no-such-compiler"],
        "dependencies_extra_packages": ["no-such-extra"],
        "dependencies_root_host": ["no-such-maker"],
    }
    run = role(**given, dependencies_root_suite="noble")
    assert run.status == 0, run.output
    assert "would install no-such-maker" in run.output
    assert "ubuntu-keyring" in run.output
    assert "no-such-compiler" not in run.output
    assert "no-such-extra" not in run.output
    assert "no-such-maker" not in role(**given).output


def test_an_unknown_distribution_is_refused_with_what_to_set(role):
    run = role(dependencies_distributions={"hurd-1": []})
    assert run.status != 0
    output = " ".join(run.output.split())
    assert "has the package names of hurd-1 only" in output
    assert "Set dependencies_packages to" in output


def test_a_source_that_cannot_be_fetched_is_named_at_once(role, apt):
    (apt / "etc/apt/sources.list").write_text("deb http://127.0.0.1:9/debian bookworm main\n")
    run = role("--diff", dependencies_packages=["dpkg", "no-such-package"])
    assert run.status != 0
    output = " ".join(run.output.split())
    assert (
        "http://127.0.0.1:9/debian bookworm InRelease: Could not connect to 127.0.0.1:9" in output
    )
    assert "Connection refused" in output
    assert "after 5 retries" not in output


def test_a_package_that_is_pinned_away_is_named_with_the_file(role, apt):
    repository = apt / "repository"
    repository.mkdir()
    (repository / "Packages").write_text(
        "Package: linux-image-6.99\nVersion: 1\nArchitecture: amd64\nFilename: ./x.deb\nSize: 1\n"
        f"SHA256: {'0' * 64}\nDescription: none\n"
    )
    (apt / "etc/apt/sources.list").write_text(f"deb [trusted=yes] file:{repository} ./\n")
    pin = apt / "etc/apt/preferences.d/no-kernels"
    pin.write_text("Package: linux-image-*\nPin: release *\nPin-Priority: -1\n")
    run = role("--diff", dependencies_packages=["linux-image-6.99"])
    assert run.status != 0
    output = " ".join(run.output.split())
    assert "apt's preferences forbid to install linux-image-6.99 (priority -1)" in output
    assert f"'Package: linux-image-*' in {pin} (-1)" in output
