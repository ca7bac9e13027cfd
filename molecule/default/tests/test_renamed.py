# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other people's playbooks on a host whose kernel has another name."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.oslab.kernel.tests.lib import host_facts

testinfra_hosts = ["ansible://kernel_targets"]

INTERPRETER = "/usr/libexec/oslab-kernel/python3"
LIBRARY = "/usr/lib/oslab-kernel/as_linux.so"

# What another kernel says of the same host, and another connection.
OTHER_KERNEL = (
    # lean.config has neither AppArmor nor IPv6.
    "ansible_apparmor.status",
    "ansible_lo.ipv6.*",
    "ansible_locally_reachable_ips.ipv6*",
    "ansible_kernel",
    "ansible_kernel_version",
    "ansible_cmdline.*",  # it may have booted as a trial
    "ansible_proc_cmdline.*",
    "ansible_flags.*",
    "ansible_memtotal_mb",
    "ansible_memory_mb.real.total",
    "ansible_devices.loop*.rotational",
    "ansible_env.SSH_CLIENT",
    "ansible_env.SSH_CONNECTION",
    "ansible_env.SSH_TTY",
    "ansible_env.SUDO_COMMAND",
    "ansible_env.TERM",
)

Module = Callable[..., dict[str, Any]]


@pytest.fixture
def module(host: Any) -> Module:
    """Run a module as an inventory with the interpreter does."""

    def run(name: str, arguments: str = "", check: bool = False, **options: Any) -> dict[str, Any]:
        variables = {"ansible_python_interpreter": INTERPRETER, **options.pop("variables", {})}
        found: dict[str, Any] = host.ansible(
            name, arguments, check=check, extra_vars=variables, **options
        )
        return found

    return run


@pytest.fixture
def stock() -> dict[str, Any]:
    path = Path(os.environ["MOLECULE_EPHEMERAL_DIRECTORY"], "stock-facts.json")
    found: dict[str, Any] = json.loads(path.read_text())
    return found


def test_facts_are_those_of_the_stock_kernel(module: Module, stock: dict[str, Any]) -> None:
    found = module("ansible.builtin.setup")["ansible_facts"]
    assert found["ansible_env"].pop("LD_PRELOAD") == LIBRARY
    assert host_facts.differences(stock, found, OTHER_KERNEL) == []
    assert found["ansible_system"] == "Linux"


@pytest.mark.parametrize("way", ["files", "become"])
def test_facts_come_by_every_way(host: Any, module: Module, way: str) -> None:
    # Of those who log in, root alone needs no password for `su`.
    method = "sudo" if host.ansible.get_variables().get("ansible_become") else "su"
    options: dict[str, Any] = {"become": True, "become_method": f"ansible.builtin.{method}"}
    variables: dict[str, Any] = {}
    if way == "files":
        options, variables = {}, {"ansible_pipelining": False}
    found = module(
        "ansible.builtin.setup", "gather_subset=!all,min", variables=variables, **options
    )
    assert found["ansible_facts"]["ansible_distribution"] == "Debian"


def test_without_it_the_host_is_not_known(host: Any, setting: Any) -> None:
    found = host.ansible("ansible.builtin.setup", check=False)["ansible_facts"]
    assert found["ansible_os_family"] == setting("patch_sysname")
    assert "ansible_memtotal_mb" not in found
    lost = host.ansible("ansible.builtin.hostname", "name=other")
    assert "cannot be used on platform" in lost["msg"]


def test_hostname(host: Any, module: Module) -> None:
    name = host.check_output("hostname")
    assert module("ansible.builtin.hostname", "name=other", check=True)["changed"]
    module("ansible.builtin.hostname", "name=oslab-renamed")
    try:
        assert host.check_output("hostname") == "oslab-renamed"
        assert host.check_output("cat /etc/hostname") == "oslab-renamed"
    finally:
        module("ansible.builtin.hostname", f"name={name}")
    assert not module("ansible.builtin.hostname", f"name={name}")["changed"]


def test_service_and_what_it_starts(host: Any, module: Module, setting: Any) -> None:
    restarted = module("ansible.builtin.service", "name=systemd-journald state=restarted")
    assert restarted["changed"]
    pid = host.check_output("systemctl show --property MainPID --value systemd-journald")
    assert "LD_PRELOAD" not in host.check_output("tr '\\0' '\\n' < /proc/%s/environ", pid)
    output = host.check_output(
        "oslab-as-linux systemd-run --quiet --wait --pipe --collect uname -s"
    )
    assert output == setting("patch_sysname")


def test_user(host: Any, module: Module) -> None:
    assert module("ansible.builtin.user", "name=oslab-other system=true")["changed"]
    assert host.user("oslab-other").exists
    assert module("ansible.builtin.user", "name=oslab-other state=absent")["changed"]
    assert not host.user("oslab-other").exists


def test_apt(module: Module) -> None:
    assert not module("ansible.builtin.apt", "name=oslab-kernel-tools")["changed"]
    assert module("ansible.builtin.apt", "name=oslab-kernel-tools state=absent", check=True)[
        "changed"
    ]


def test_pip_s_platforms(host: Any) -> None:
    """What most programs ask Python."""
    asked = "import platform, sysconfig; print(platform.system(), sysconfig.get_platform())"
    assert host.check_output("%s -c %s", INTERPRETER, asked) == "Linux linux-x86_64"


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("ansible.posix.mount", "path=/run/oslab-mount src=tmpfs fstype=tmpfs state=ephemeral"),
        ("ansible.posix.sysctl", "name=kernel.panic value=7 sysctl_file=/run/oslab-sysctl.conf"),
    ],
)
def test_modules_of_ansible_posix(module: Module, name: str, arguments: str) -> None:
    found = module(name, arguments, check=True)
    if f"Cannot resolve '{name}'" in found.get("msg", ""):
        pytest.skip("the collection ansible.posix is not there")
    assert found["changed"], found


def test_names_of_programs(host: Any, setting: Any) -> None:
    all_words = host.check_output("uname -a")
    assert all_words.startswith(setting("patch_sysname"))
    seen = host.check_output("oslab-as-linux uname -a")
    assert seen == all_words.replace(setting("patch_sysname"), "Linux", 1)
    # Where it does not reach.
    assert host.check_output("oslab-as-linux env -i uname -s") == setting("patch_sysname")
    assert host.check_output("oslab-as-linux cat /proc/sys/kernel/ostype") == setting(
        "patch_sysname"
    )
