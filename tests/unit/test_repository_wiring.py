# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is reported and handed on about the kernel's repository, by the files themselves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.plugins.filter.core import to_bool
from ansible_collections.oslab.kernel.plugins.module_utils._repository import server
from jinja2.nativetypes import NativeEnvironment

ROOT = Path(__file__).resolve().parents[2]


def _section(name: str) -> str:
    text = (ROOT / "docs/how-to/keep-the-signing-key.md").read_text(encoding="utf-8")
    return text.partition(f"\n## {name}\n")[2].partition("\n## ")[0]


def test_whoever_changes_the_key_reads_how_targets_take_it() -> None:
    for section in ("Rotation", "Revocation"):
        commands = [line for line in _section(section).splitlines() if "/deploy.yml" in line]
        assert commands, section
        for command in commands:
            assert """-e '{"install_replace_repository_key": true}'""" in command, section
    assert "publish_replace_key" in _section("Rotation")


def _mappings(node: Any) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
    for part in node.values() if isinstance(node, dict) else node if isinstance(node, list) else []:
        yield from _mappings(part)


def _load(path: str) -> Any:
    return yaml.safe_load((ROOT / path).read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("path", "name", "source"),
    [
        ("playbooks/deploy.yml", "deploy_published", "deploy_builder.publish_result"),
        ("playbooks/pull.yml", "deploy_published", "pull_state.description"),
        ("playbooks/pull.yml", "deploy_repository_key", "pull_state.public_key"),
        ("playbooks/tasks/deploy_host.yml", "verify_files_sha256", "deploy_published.files.sha256"),
        ("playbooks/verify.yml", "verify_files_sha256", "verify_run_result.files.sha256"),
    ],
)
def test_what_the_builder_said_is_handed_on(path: str, name: str, source: str) -> None:
    given = [part["vars"][name] for part in _mappings(_load(path)) if name in part.get("vars", {})]
    assert given
    assert all(source in str(value) for value in given)


def test_what_was_published_is_handed_to_each_play_that_installs() -> None:
    published = _load("playbooks/vars/published.yml")
    index = published["install_repository_index"]
    assert "deploy_published.index_sha256" in index["sha256"]
    assert "deploy_published.packages" in published["install_copy_sha256"]
    for book in ("find_hosts.yml", "deploy_hosts.yml"):
        plays = [play for play in _load(f"playbooks/{book}") if "tasks" in play]
        assert [play.get("vars_files") for play in plays] == [["vars/published.yml"]]


def test_a_host_refuses_an_old_index() -> None:
    found = [
        part
        for part in _mappings(_load("roles/install/tasks/repository/configure.yml"))
        if "oslab.kernel.apt_index" in part
    ]
    assert len(found) == 1
    arguments = found[0]["oslab.kernel.apt_index"]
    assert "install_repository_index.sha256" in arguments["sha256"]
    assert "install_repository_index.date" in arguments["date"]
    assert found[0]["when"] == "install_repository_index.sha256 | default('') | length > 0"


def test_a_list_of_files_is_compared_with_the_builders_checksum() -> None:
    (task, *others) = [
        part["oslab.kernel.kernel_files"]
        for part in _mappings(_load("roles/verify/tasks/checks/build.yml"))
        if "oslab.kernel.kernel_files" in part
    ]
    assert not others
    assert "verify_files_sha256" in task["files_sha256"]


def test_only_a_kernels_own_packages_are_published() -> None:
    (task,) = [
        part["oslab.kernel.aptly_repo"]
        for part in _mappings(_load("roles/publish/tasks/repository/publish.yml"))
        if "oslab.kernel.aptly_repo" in part
    ]
    for name, part in (("expected", "packages"), ("expected_version", "version")):
        assert f"publish_build.{part}" in task[name]
    assert "publish_build.release" in task["expected_release"]


@pytest.mark.parametrize(
    ("package", "name", "given", "there"),
    [
        (package, name, given, default if given is None else given in (True, "true"))
        for package, name, default in (
            ("linux-libc-dev", "install_libc_headers", False),
            ("linux-headers-6", "install_kernel_headers", True),
        )
        for given in (None, False, "false", True, "true")
    ],
)
def test_headers_are_asked_for(package: str, name: str, given: Any, there: bool) -> None:
    variables = {**_load("roles/install/defaults/main.yml"), "install_release": "6"}
    if given is not None:
        variables[name] = given
    jinja = NativeEnvironment()
    jinja.filters["bool"] = to_bool
    packages = jinja.from_string(variables["install_packages"]).render(variables)
    assert "linux-image-6" in packages
    assert (package in packages) is there


@pytest.mark.parametrize(
    ("host", "url"),
    [
        ({}, "http://build:8090"),
        ({"ansible_host": "192.0.2.1"}, "http://192.0.2.1:8090"),
        ({"ansible_host": "2001:db8::1"}, "http://[2001:db8::1]:8090"),
        ({"ansible_host": "[2001:db8::1]"}, "http://[2001:db8::1]:8090"),
        ({"publish_url": "https://mirror/kernel"}, "https://mirror/kernel"),
    ],
)
def test_where_targets_find_the_repository(host: dict[str, Any], url: str) -> None:
    known = _load("roles/publish/vars/main.yml")
    variables = {"inventory_hostname": "build", "publish_url": "", "publish_port": 8090, **host}
    for name in ("publish_host", "publish_effective_url"):
        variables[name] = NativeEnvironment().from_string(known[name]).render(variables)
    assert variables["publish_effective_url"] == url


def test_targets_take_the_hosts_that_the_builder_puts_into_addresses() -> None:
    text = (ROOT / "roles/install/tasks/repository/configure.yml").read_text(encoding="utf-8")
    assert f"({server.URL_HOST.pattern})" in text


def test_an_index_is_compared_with_what_was_vouched_for() -> None:
    """Only on hosts that ask for rebuilds: the others would run apt-cache for nothing."""
    tasks = _mappings(_load("roles/install/tasks/repository/configure.yml"))
    (given,) = (
        part["oslab.kernel.apt_index"] for part in tasks if "oslab.kernel.apt_index" in part
    )
    template = "{{ install_vouched if install_required_rebuilds | int > 0 else {} }}"
    assert given["packages"] == template
    vouched = _load("roles/install/vars/main.yml")["install_vouched"]
    assert "install_build_sha256" in vouched
    assert "map('default', '')" in vouched
