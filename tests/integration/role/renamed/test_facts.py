# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible on a machine whose name `renamed_kernel.c` changes, with the interpreter for it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.tests.lib import host_facts, renamed_host

SETUP = ("--module-name", "ansible.builtin.setup")
STOCK = "/usr/bin/python3"


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> renamed_host.RenamedHost:
    return renamed_host.make(tmp_path_factory.mktemp("renamed"))


def ansible(environment: dict[str, str], *options: str, **variables: Any) -> dict[str, Any]:
    """What a module returns here."""
    # Pytest names the test of the moment there.
    environment = {k: v for k, v in environment.items() if not k.startswith("PYTEST_")}
    given = {"ansible_connection": "local", "ansible_python_interpreter": STOCK, **variables}
    done = subprocess.run(
        [str(Path(sys.executable).with_name("ansible")), "--inventory", "here,", "here",
         "--extra-vars", json.dumps(given), *options],
        env={
            **environment,
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_FORCE_COLOR": "0",
            "ANSIBLE_CALLBACK_RESULT_FORMAT": "json",
        },
        cwd=renamed_host.ROOT, capture_output=True, text=True, check=False,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip
    assert "=> {" in done.stdout, done.stdout + done.stderr
    # With --background it says so first.
    result: dict[str, Any] = json.loads(done.stdout.rsplit("=> ", 1)[1])
    return result


def facts(environment: dict[str, str], *options: str, **variables: Any) -> dict[str, Any]:
    found: dict[str, Any] = ansible(environment, *SETUP, *options, **variables)["ansible_facts"]
    return found


@pytest.fixture(scope="module")
def stock() -> dict[str, Any]:
    return facts(dict(os.environ))


# The first is the one trace of the interpreter; the others are the test's and Ansible's own.
ADDED = tuple(
    f"ansible_env.{name}" for name in ("LD_PRELOAD", "RENAMED_SYSNAME", "ANSIBLE_ASYNC_DIR")
)


@pytest.mark.parametrize(
    ("options", "variables"),
    [
        ([], {"ansible_pipelining": True}),
        ([], {"ansible_pipelining": False}),
        (["--background", "60", "--poll", "1"], {}),
        (["--become"], {"ansible_become_method": "ansible.builtin.su"}),
    ],
    ids=["pipelining", "files", "async", "become"],
)
def test_facts_are_those_of_the_stock_name(
    host: renamed_host.RenamedHost,
    stock: dict[str, Any],
    options: list[str],
    variables: dict[str, Any],
) -> None:
    if "--become" in options and os.geteuid() != 0:
        pytest.skip("su would ask for a password")
    interpreter = {"ansible_python_interpreter": str(host.interpreter)}
    found = facts(host.environment(), *options, **variables, **interpreter)
    assert found["ansible_env"]["LD_PRELOAD"] == f"{host.library}:{host.kernel}"
    assert host_facts.differences(stock, found, ADDED) == []
    assert found["ansible_system"] == "Linux"


def test_without_the_interpreter_facts_are_lost(
    host: renamed_host.RenamedHost, stock: dict[str, Any]
) -> None:
    found = facts(host.environment())
    assert found["ansible_system"] == renamed_host.SYSNAME
    assert found["ansible_os_family"] == renamed_host.SYSNAME
    assert len(stock.keys() - found.keys()) > 20


def test_nothing_is_changed_on_a_stock_host(
    host: renamed_host.RenamedHost, stock: dict[str, Any]
) -> None:
    found = facts(dict(os.environ), ansible_python_interpreter=str(host.interpreter))
    assert host_facts.differences(stock, found) == []


@pytest.mark.parametrize("there", [True, False])
def test_discovery_takes_it_where_it_is(
    host: renamed_host.RenamedHost, tmp_path: Path, there: bool
) -> None:
    """One inventory for hosts that have the package and hosts that do not have it yet."""
    path = str(host.interpreter if there else tmp_path / "none")
    found = facts(
        host.environment(),
        ansible_python_interpreter="auto_silent",
        ansible_interpreter_python_fallback=[path, STOCK],
    )
    assert found["discovered_interpreter_python"] == (path if there else STOCK)
    assert found["ansible_system"] == ("Linux" if there else renamed_host.SYSNAME)


def test_hostname_knows_the_host(host: renamed_host.RenamedHost) -> None:
    module = ("--module-name", "ansible.builtin.hostname", "--args", "name=other", "--check")
    lost = ansible(host.environment(), *module)
    assert "cannot be used on platform" in lost["msg"]
    found = ansible(host.environment(), *module, ansible_python_interpreter=str(host.interpreter))
    assert found["changed"], found


LIBRARY = "/usr/lib/oslab-kernel/as_linux.so"


@pytest.mark.parametrize(
    ("sysname", "checksum", "expected"),
    [
        ("Linux", "0" * 64, {}),
        (renamed_host.SYSNAME, None, {}),  # the package is older, or not there
        (renamed_host.SYSNAME, "0" * 64, {"LD_PRELOAD": LIBRARY}),
    ],
)
def test_the_role_install_has_packages_see_linux(
    sysname: str, checksum: str | None, expected: dict[str, str]
) -> None:
    before = {"sysname": sysname, "files": {LIBRARY: checksum}}
    variables = renamed_host.ROOT / "roles/install/vars/main.yml"
    shown = ansible(
        dict(os.environ),
        *("--module-name", "ansible.builtin.debug", "--args", "var=install_package_environment"),
        *("--extra-vars", f"@{variables}"),
        install_host_facts=before,
    )
    found = shown["install_package_environment"]
    # Beside what keeps a package from asking.
    assert found["DEBIAN_FRONTEND"] == "noninteractive"
    assert {name: found[name] for name in found if name.startswith("LD_")} == expected
