# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is installed by real apt, dpkg and dkms, on a host of its own, and undone if it fails."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.tests.lib import overlay_host
from ansible_collections.oslab.kernel.tests.lib.overlay_host import (
    HEADERS,
    IMAGE,
    KERNEL,
    MODULES,
    RELEASE,
    TOOLS,
    VERSION,
    Overlay,
)

WANTED = [f"{name}={VERSION}" for name in KERNEL]
OLD, OLD_VERSION = "6.11.0-test", "6.11.0-oslab1.aaaaaaaaaaaa"
NEWER = "6.12.0-oslab1.ffffffffffff"
BROKEN = "echo 'broken.c:3:10: error: no such function'; false"
GOOD = "cp /usr/lib/os-release good.ko"


@pytest.fixture(scope="module")
def dkms_package(tmp_path_factory: pytest.TempPathFactory) -> Path:
    try:
        return overlay_host.download("dkms", tmp_path_factory.mktemp("dkms"))
    except overlay_host.NotPossibleError as error:
        pytest.skip(str(error))


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Overlay]:
    try:
        made = Overlay(tmp_path)
    except overlay_host.NotPossibleError as error:
        pytest.skip(str(error))
    made.kernel()
    made.package("other", "1")
    made.update()
    yield made
    made.close()


@pytest.fixture
def dkms_host(host: Overlay, dkms_package: Path) -> Overlay:
    host.unpack(dkms_package)
    host.dkms_module("good", GOOD)
    return host


def install(host: Overlay, packages: Any = WANTED, **more: Any) -> dict[str, Any]:
    return host.module("apt_transaction", packages=packages, lock_timeout=5, **more)


def is_as_before(host: Overlay) -> None:
    """dpkg has nothing unfinished, and what the user installs next can be installed."""
    assert not set(KERNEL) & set(host.installed())
    assert host.run("dpkg", "--audit").stdout == ""
    done = host.apt("install", "other")
    assert done.returncode == 0, done.stdout
    assert not (host.root / "lib/modules" / RELEASE).exists()


def have_libc_headers_twice(host: Overlay) -> None:
    """Of the distribution, also for i386, where a package needs them."""
    host.run("dpkg", "--add-architecture", "i386")
    same = "Multi-Arch: same\n"
    i386 = f"Architecture: i386\n{same}"
    host.package("linux-libc-dev", "6.1", fields=same)
    host.package("linux-libc-dev", "6.1", fields=i386)
    host.package("libc6-dev", "2.36", fields=f"{i386}Depends: linux-libc-dev\n")
    host.package("linux-libc-dev", VERSION, fields=same)
    host.update()
    done = host.apt("install", "libc6-dev:i386", "linux-libc-dev=6.1")
    assert done.returncode == 0, done.stdout


def test_a_module_that_dkms_cannot_build(dkms_host: Overlay) -> None:
    host = dkms_host
    host.dkms_module("broken", BROKEN)
    before = host.dkms_status()
    answer = install(host)
    assert answer["failed"], answer
    assert answer["undone"] == KERNEL
    assert answer["unfinished"] == []
    assert "/etc/kernel/postinst.d/dkms ended with" in answer["msg"]
    assert "Bad return status for module build" in answer["msg"]
    assert "broken.c:3:10: error: no such function" in answer["msg"]
    assert "/var/lib/dkms/broken/1.0/build/make.log" in answer["msg"]
    assert len(answer["msg"]) < 900
    is_as_before(host)
    # Purging the only kernel that `good` was built for makes dkms 3.0 forget it.
    assert host.dkms_status() == before


def test_a_module_that_dkms_need_not_build(dkms_host: Overlay) -> None:
    host = dkms_host
    host.dkms_module("broken", BROKEN)
    answer = install(host, dkms_failures="ignore")
    assert answer.get("changed"), answer
    assert host.run("dpkg", "--audit").stdout == ""
    assert host.apt("install", "other").returncode == 0
    # The others are built, by the hook, in front of what makes the initrd.
    assert f"good/1.0, {RELEASE}, x86_64: installed" in host.dkms_status()
    facts = host.module("host_kernel_info", packages=KERNEL)
    assert facts["dkms_modules"] == {"broken/1.0": [], "good/1.0": [RELEASE]}
    assert facts["dkms_automatic"] == ["broken/1.0", "good/1.0"]
    assert install(host, dkms_failures="ignore")["changed"] is False
    # Nothing is left of what let it pass: the next kernel is as the user has it.
    assert not list((host.root / "etc/dkms").glob("no-autoinstall"))


@pytest.mark.long
def test_an_upgrade_is_not_undone(host: Overlay) -> None:
    """A package that the host had stays, and the command that finishes it is named."""
    host.kernel(OLD, OLD_VERSION)
    fails = "#!/bin/sh\necho no >&2\nexit 3\n"
    host.package(TOOLS, NEWER, {"usr/bin/oslab-x": "new"}, postinst=fails)
    host.update()
    assert host.apt("install", f"{TOOLS}={OLD_VERSION}").returncode == 0
    wanted = [f"{IMAGE}={VERSION}", f"{TOOLS}={NEWER}"]
    answer = install(host, wanted)
    assert answer.get("undone") == [IMAGE], answer
    assert answer["unfinished"] == [TOOLS]
    assert f"Half-configured: {TOOLS}" in answer["msg"]
    command = f"apt-get install --allow-downgrades {TOOLS}={OLD_VERSION}"
    assert f"`{command}`" in answer["msg"]
    # It does what is said of it.
    assert host.apt(*command.split()[1:]).returncode == 0
    assert host.run("dpkg", "--audit").stdout == ""


def test_what_would_remove_packages_of_the_user(host: Overlay) -> None:
    host.package("rival", "1", fields=f"Conflicts: {TOOLS}\n")
    host.update()
    assert host.apt("install", "rival").returncode == 0
    for check in (True, False):
        answer = install(host, check=check)
        assert answer["failed"] and answer["refused"], answer
        assert answer["msg"].startswith("apt would remove rival to install linux-image-")
    assert host.installed() == {"rival": "ii"}


def test_libc_headers_that_cannot_be_there_twice(host: Overlay) -> None:
    have_libc_headers_twice(host)
    before = host.installed()
    libc = f"linux-libc-dev={VERSION}"
    alone = "apt would remove libc6-dev:i386, linux-libc-dev:i386"
    refused = install(host, [*WANTED, libc], check=True)
    assert refused["failed"], refused
    checked = install(host, [*WANTED, libc], check=True, optional=["linux-libc-dev"])
    assert checked["packages"] == WANTED
    assert checked["left_out"] == {"linux-libc-dev": alone}
    assert host.installed() == before
    assert install(host, [*WANTED, libc], optional=["linux-libc-dev"])["changed"] is True
    assert host.installed() == {**before, **dict.fromkeys(KERNEL, "ii")}
    again = install(host, [libc], optional=["linux-libc-dev"])
    assert again["changed"] is False
    assert again["left_out"] == {"linux-libc-dev": alone}
    assert again["packages"] == []


def test_a_transaction_that_is_not_possible(host: Overlay) -> None:
    host.package("needs", "1", fields="Depends: not-there (>= 2)\n")
    host.update()
    answer = install(host, ["needs=1", *WANTED], check=True)
    assert answer["refused"], answer
    assert "needs : Depends: not-there (>= 2) but it is not installable" in answer["msg"]
    answer = install(host, [f"{IMAGE}=9"], check=True)
    assert f"Version '9' for '{IMAGE}' was not found" in answer["msg"]
    assert host.apt("install", f"{TOOLS}={VERSION}").returncode == 0
    host.run("apt-mark", "hold", TOOLS)
    host.package(TOOLS, "9")
    host.update()
    assert "Held packages were changed" in install(host, [f"{TOOLS}=9"], check=True)["msg"]


def test_files_are_installed_in_one_transaction(dkms_host: Overlay) -> None:
    """The image before the headers, one after the other, would have DKMS build nothing."""
    host = dkms_host
    host.write("etc/apt/sources.list", "")
    host.run("apt-get", "update")
    files = {name: str(host.store / f"{name}_{VERSION}_amd64.deb") for name in KERNEL}
    assert install(host, check=True, files=files)["changed"] is True
    answer = install(host, files=files)
    assert answer.get("changed"), answer
    assert f"good/1.0, {RELEASE}, x86_64: installed" in host.dkms_status()
    assert install(host, files=files)["changed"] is False


def test_a_purge_takes_nothing_else_away(dkms_host: Overlay) -> None:
    host = dkms_host
    host.package("my-kernel", "1", fields=f"Depends: {IMAGE}\n")
    host.update()
    assert host.apt("install", *WANTED, "my-kernel").returncode == 0
    purge: dict[str, Any] = {"packages": [IMAGE, HEADERS, MODULES, "not-there"], "state": "purged"}
    before = host.installed()
    for check in (True, False):
        answer = host.module("apt_transaction", check=check, **purge)
        assert answer["refused"], answer
        assert answer["msg"].startswith(f"my-kernel would be removed with {IMAGE}")
    assert host.installed() == before
    assert host.apt("purge", "my-kernel").returncode == 0
    answer = host.module("apt_transaction", **purge)
    assert answer.get("packages") == [IMAGE, HEADERS, MODULES], answer
    assert set(host.installed()) == {TOOLS}
    assert "good/1.0: added" in host.dkms_status()
    assert not (host.root / "lib/modules" / RELEASE).exists()
    assert host.module("apt_transaction", **purge)["changed"] is False


def role(name: str) -> dict[str, Any]:
    role = {"name": "oslab.kernel.install", "tasks_from": name}
    return {"ansible.builtin.include_role": role}


def deploy(host: Overlay, *tasks: str, **variables: Any) -> str:
    """The role's tasks from the look at the host to its trial, and what is said."""
    host.hook("initramfs-tools", 'echo i >"/boot/initrd.img-$1"')
    host.hook("initramfs-tools", 'rm -f "/boot/initrd.img-$1"', phase="postrm")
    looked = [
        {
            "oslab.kernel.host_kernel_info": {"packages": KERNEL},
            "register": "install_host_facts",
        },
        {
            "ansible.builtin.set_fact": {
                "install_record": "{{ install_host_facts.install_record or {} }}",
                "install_missing": WANTED,
                "trial_fallback": "6.1",
            },
            "when": "tasks_deploy",
            "vars": {"tasks_deploy": tasks[0] == "packages/simulate"},
        },
    ]
    known = {
        "install_release": RELEASE,
        "install_version": VERSION,
        "install_complete": True,
        "install_running": False,
        "install_unbuilt": "{{ install_built | oslab.kernel.dkms_unbuilt(install_release) }}",
        "install_lock_timeout": 5,
        **variables,
    }
    done = host.playbook([*looked, *map(role, tasks)], **known)
    return " ".join(done.stdout.split())


def test_the_role_undoes_a_kernel_without_its_modules(dkms_host: Overlay) -> None:
    host = dkms_host
    record = '{"image": "linux-image-6.1=1", "boot_id": "", "fallback": "6.0", "complete": true}\n'
    host.write("var/lib/oslab-kernel/install.json", record)
    # dkms finds no fault: it was told to build nothing. The running kernel has the module.
    host.write("etc/dkms/no-autoinstall", "")
    running = host.run("uname", "-r").stdout.strip()
    host.write(f"var/lib/dkms/good/1.0/{running}/x86_64/module/good.ko", "")
    parts = ("packages/simulate", "packages/install", "packages/check_dkms")
    output = deploy(host, *parts)
    assert f"one: DKMS has not built good/1.0 for {RELEASE}, and" in output, output
    assert "failed=1" in output
    is_as_before(host)
    assert not (host.root / f"boot/initrd.img-{RELEASE}").exists()
    # It is again what the host has.
    restored = (host.root / "var/lib/oslab-kernel/install.json").read_text()
    assert json.loads(restored) == json.loads(record)
    output = deploy(
        host, "packages/simulate", "packages/install", "packages/check_dkms", install_dkms="warn"
    )
    assert (
        f"one: DKMS has not built good/1.0 for {RELEASE}, whose trial boot is without them"
        in output
    ), output
    assert "failed=0" in output
    assert host.installed() == {**dict.fromkeys(KERNEL, "ii"), "other": "ii"}


@pytest.mark.long
def test_the_role_says_which_hook_failed(host: Overlay) -> None:
    host.hook("zz-mine", "echo this is mine >&2; exit 4")
    output = deploy(host, "packages/simulate", "packages/install", "packages/check_dkms")
    assert "one: The installation failed: /etc/kernel/postinst.d/zz-mine ended with 4: " in output
    assert "this is mine" in output
    assert "failed=1" in output
    is_as_before(host)


@pytest.mark.long
def test_older_kernels_that_the_user_needs_stay(host: Overlay) -> None:
    host.kernel(OLD, OLD_VERSION)
    host.package("my-kernel", "1", fields=f"Depends: linux-image-{OLD}\n")
    host.update()
    assert host.apt("install", f"linux-image-{OLD}", "my-kernel").returncode == 0
    assert host.apt("install", *WANTED).returncode == 0
    before = host.installed()
    output = deploy(host, "prune_kernels", install_keep=1)
    assert f"keeps linux-image-{OLD}, as their removal would remove my-kernel" in output, output
    assert "changed=0" in output
    assert "failed=0" in output
    assert host.installed() == before


def test_a_kernel_that_was_left_unconfigured(host: Overlay) -> None:
    """By an installation that failed, or that lost its connection."""
    host.hook("zz-mine", "exit 4")
    assert host.apt("install", *WANTED).returncode == 100
    output = deploy(host, "packages/repair", install_packages=KERNEL)
    assert "failed=0" in output, output
    assert host.run("dpkg", "--audit").stdout == ""
    assert IMAGE not in host.installed()
    assert host.apt("install", "other").returncode == 0


@pytest.mark.parametrize("task", ["packages/repair", "prune_kernels"])
def test_an_older_kernel_that_was_not_unpacked_whole(host: Overlay, task: str) -> None:
    """It is not wanted any more, and apt refuses everything while it is there."""
    host.kernel(OLD, OLD_VERSION)
    host.update()
    assert host.apt("install", f"linux-image-{OLD}", f"linux-headers-{OLD}").returncode == 0
    assert host.apt("install", *WANTED).returncode == 0
    status = (host.root / "var/lib/dpkg/status").read_text()
    old = f"Package: linux-image-{OLD}\nStatus: install "
    assert f"{old}ok installed" in status
    status = status.replace(f"{old}ok installed", f"{old}reinstreq half-installed")
    host.write("var/lib/dpkg/status", status)
    host.store.joinpath(f"linux-image-{OLD}_{OLD_VERSION}_amd64.deb").unlink()
    host.update()
    assert host.apt("install", "other").returncode == 100
    output = deploy(host, task, install_packages=KERNEL, install_keep=1)
    assert "failed=0" in output, output
    assert host.run("dpkg", "--audit").stdout == ""
    assert f"linux-image-{OLD}" not in host.installed()
    assert host.apt("install", "other").returncode == 0


def test_what_was_left_out_is_not_missing_in_the_next_run(host: Overlay) -> None:
    have_libc_headers_twice(host)
    libc = f"linux-libc-dev={VERSION}"
    print_missing = {
        "ansible.builtin.debug": {"msg": "missing: {{ install_missing | join(' ') }}."}
    }
    known = {
        "install_release": RELEASE,
        "install_version": VERSION,
        "install_packages": [*KERNEL, "linux-libc-dev"],
        "trial_fallback": "6.1",
        "install_lock_timeout": 5,
        "trial_files": [],
    }
    look = [role("gather"), role("packages/find_missing")]
    host.hook("initramfs-tools", 'echo i >"/boot/initrd.img-$1"')

    def run(tasks: list[Any], variables: dict[str, Any]) -> str:
        return " ".join(host.playbook(tasks, **variables).stdout.split())

    tasks = [
        *look,
        print_missing,
        role("packages/simulate"),
        role("packages/install"),
        print_missing,
    ]
    output = run(tasks, known)
    assert f"missing: {' '.join([*WANTED, libc])}." in output, output
    assert "failed=0" in output, output
    output = run([*look, print_missing], known)
    assert "missing: ." in output, output
    # Another version is tried again.
    more = {**known, "install_version": NEWER}
    output = run([*look, print_missing], more)
    assert f"linux-libc-dev={NEWER}" in output, output
    # Only that one was wanted in addition: there is nothing to install, and that is recorded.
    host.write("var/lib/oslab-kernel/install.json", "{}")
    output = run([*look, print_missing, role("packages/simulate")], known)
    assert f"missing: {libc}." in output, output
    output = run([*look, print_missing], known)
    assert "missing: ." in output, output


def test_what_comes_along_is_recorded(host: Overlay) -> None:
    host.package(TOOLS, fields="Depends: other\n")
    host.update()
    origin = {"names": ["libc6"], "packages": {}, "brought": ["earlier"]}
    host.write("var/lib/oslab-kernel/origin.json", json.dumps(origin))
    output = deploy(host, "packages/simulate", "packages/install")
    assert "failed=0" in output, output
    recorded = json.loads((host.root / "var/lib/oslab-kernel/origin.json").read_text())
    assert recorded == {**origin, "brought": ["earlier", "other"]}
