# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a program of a build sees and can do, in a build root and without one.

The root of these tests is the machine's own file system, entered by the real bubblewrap.
"""

from __future__ import annotations

import json
import os
import shlex
import shutil
import socket
import subprocess
import time
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import enter, environment
from ansible_collections.oslab.kernel.plugins.module_utils._build.identity import InputError
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.tests.lib.namespaces import needs_bwrap

PACKAGES = [
    {"name": name, "version": version, "architecture": "amd64", "sha256": digit * 64}
    for name, version, digit in (("gcc-12", "12.2.0-14", "1"), ("libssl-dev", "3.0.15-1", "2"))
]
RECORD = {
    "id": "a" * 64,
    "suite": "bookworm",
    "architecture": "amd64",
    "mirrors": ["deb http://deb.debian.org/debian bookworm main"],
    "keyring_sha256": "b" * 64,
    "packages": PACKAGES,
}


def run(argv, cwd=None, environment=None):
    values = None if environment is None else {**os.environ, **environment}
    done = subprocess.run(argv, cwd=cwd, env=values, capture_output=True, text=True, check=False)
    return Result(done.returncode, done.stdout, done.stderr)


def make_root(directory):
    directory.mkdir()
    (directory / "tree").symlink_to("/")
    (directory / "root.json").write_text(json.dumps(RECORD))
    (directory / "enter.py").write_bytes(environment.ENTER_SCRIPT)
    return directory


@pytest.fixture
def places(tmp_path):
    for name in ("writable", "readable", "elsewhere"):
        (tmp_path / name).mkdir()
    return tmp_path


@pytest.fixture
def root(places):
    return environment.read(
        make_root(places / "root"), [places / "writable"], [places / "readable"]
    )


def shell(root, script, **values):
    return root.runner(run)(["sh", "-c", script], None, values)


# --- on the builder as it is -------------------------------------------------------------------


def test_without_a_root_nothing_changes():
    host = environment.read(None, [])
    assert host is environment.HOST
    assert host.command(["make", "x"], Path("/t"), {"A": "b"}) == ["make", "x"]
    assert host.variables({"A": "b"}) == {"A": "b"}
    assert host.inherited({"PATH": "/p"}) == {"PATH": "/p"}
    assert host.runner(run) is run
    assert host.also_writing(Path("/x")) is host
    assert (host.stated(), host.consists_of(), host.compilers()) == ({}, {}, "")
    assert host.find("sh") == shutil.which("sh")
    assert host.shell_command(["make"], Path("/t"), {"A": "b"}) == "cd /t && env -i A=b make"
    assert host.problem() is None
    host.prepare()


# --- in a root ---------------------------------------------------------------------------------


@needs_bwrap
def test_no_network(root):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        script = f"exec 3<>/dev/tcp/127.0.0.1/{port}"
        assert run(["bash", "-c", script]).status == 0
        assert root.runner(run)(["bash", "-c", script]).status != 0
    interfaces = shell(root, "tail -n +3 /proc/net/dev | cut -d: -f1").out.split()
    assert interfaces == ["lo"]


@needs_bwrap
def test_an_unprivileged_user(root):
    assert shell(root, "id -u; id -g").out.split() == ["1000", "1000"]
    assert "CapEff:\t0000000000000000" in shell(root, "cat /proc/self/status").out
    assert shell(root, "mount -t tmpfs none /mnt || mount -o remount,rw /").status != 0


@needs_bwrap
def test_only_what_is_named_can_be_written_to(root, places):
    (places / "readable/there").write_text("x")
    assert shell(root, f"echo 1 > {places}/writable/made && cat {places}/readable/there").out == "x"
    assert (places / "writable/made").read_text() == "1\n"
    for place in (places / "readable", places / "elsewhere", "/", "/usr", "/etc", "/var", "/home"):
        done = shell(root, f"echo 1 > {place}/made")
        assert done.status != 0, place
    assert not (places / "readable/made").exists()
    assert shell(root, "echo 1 > /tmp/made && cat /tmp/made").out == "1\n"
    assert not Path("/tmp/made").exists()


@needs_bwrap
def test_nothing_of_the_builder_is_seen(root):
    assert shell(root, "ls /home /root /run /sys").status != 0
    assert shell(root, "ls -d /proc/[0-9]* | wc -l").out.split() < ["9"]
    assert shell(root, "hostname || cat /proc/sys/kernel/hostname").out == "kernel\n"


@needs_bwrap
def test_a_fixed_environment(root, monkeypatch):
    monkeypatch.setenv("CFLAGS", "-O0")
    found = dict(line.split("=", 1) for line in shell(root, "env", A="b c").out.splitlines())
    del found["PWD"]
    found.pop("_", None)
    found.pop("SHLVL", None)
    assert found == {
        "A": "b c",
        "PATH": "/usr/local/bin:/usr/bin:/bin",
        "HOME": "/",
        "LC_ALL": "C.UTF-8",
        "LANGUAGE": "C",
    }


@needs_bwrap
def test_the_builders_devices_stay(root):
    """objcopy changes the mode of what it writes to, and root owns the builder's /dev/null."""
    mode = Path("/dev/null").stat().st_mode
    try:
        assert shell(root, "echo x > /dev/null && head -c 1 /dev/zero").out == "\0"
        for device in enter.DEVICES:
            assert shell(root, f"chmod 600 {device}").status != 0, device
            assert shell(root, f"rm {device}").status != 0 or Path(device).exists(), device
        assert Path("/dev/null").stat().st_mode == mode
    finally:
        if Path("/dev/null").stat().st_mode != mode:
            Path("/dev/null").chmod(mode & 0o777)


@needs_bwrap
def test_the_builders_kernel_is_not_configured(root):
    """The kernel lets a process whose user is root outside write to these files."""
    script = "find /proc/sys /proc/sysrq-trigger /proc/irq /sys -type f -perm /222 2>/dev/null"
    found = shell(root, f"{script} | while read f; do test ! -w $f || echo $f; done")
    assert found.out == ""
    assert shell(root, "cat /proc/sys/kernel/core_pattern").status == 0


@needs_bwrap
def test_nothing_survives_the_builds_end(root, places):
    alive = places / "writable/alive"
    script = f"while sleep 0.1; do date +%s%N > {alive}; done"
    code = "import subprocess, sys; subprocess.run(sys.argv[1:])"
    argv = ["python3", "-c", code, *root.command(["sh", "-c", script], None, environment.VARIABLES)]
    with subprocess.Popen(argv) as process:
        while not alive.exists():
            time.sleep(0.05)
        process.kill()
    time.sleep(0.5)
    last = alive.read_text()
    time.sleep(0.5)
    assert alive.read_text() == last


@needs_bwrap
def test_the_line_to_paste_does_the_same(root, places):
    line = root.shell_command(["sh", "-c", "id -u; pwd; echo $A"], places / "writable", {"A": "b"})
    argv = [each.replace("sh", "/bin/sh") if each == "sh" else each for each in shlex.split(line)]
    assert run(argv).out.split() == ["1000", str(places / "writable"), "b"]


@needs_bwrap
def test_a_temporary_directory_on_the_disk(root, places):
    found = environment.read(
        places / "root", [places / "writable"], temporary=places / "writable/tmp"
    )
    found.prepare()
    shell(found, "echo 1 > /tmp/made")
    assert (places / "writable/tmp/made").read_text() == "1\n"
    found.prepare()
    assert not (places / "writable/tmp/made").exists()


def test_directories_are_made_before_they_are_bound(root, places):
    found = root.also_writing(places / "later")
    assert str(places / "later") not in found.command(["true"], None, {})
    found.prepare()
    assert str(places / "later") in found.command(["true"], None, {})
    assert str(places / "later") not in root.command(["true"], None, {})


def test_programs_are_the_roots(tmp_path, places):
    directory = tmp_path / "other"
    (directory / "tree/usr/bin").mkdir(parents=True)
    (directory / "tree/usr/bin/gcc").symlink_to("/etc/alternatives/nowhere")
    (directory / "root.json").write_text(json.dumps(RECORD))
    (directory / "tree/var/lib/dpkg").mkdir(parents=True)
    found = environment.read(directory, [places / "writable"], find=str, uid=1000)
    assert found.command(["gcc"], None, {})[0] == "bwrap"
    assert found.find("gcc", "/sbin") == "/usr/bin/gcc"
    assert found.find("sh") is None


def test_the_packages_are_stated(root):
    assert root.stated() == {
        "build_root": {
            "id": "a" * 64,
            "suite": "bookworm",
            "architecture": "amd64",
            "packages": {"gcc-12": "12.2.0-14", "libssl-dev": "3.0.15-1"},
        }
    }
    assert root.compilers() == f"gcc-12 12.2.0-14 {'1' * 64}"
    assert root.consists_of() == RECORD


@pytest.mark.parametrize(
    "path", ["/", "/usr/src", "/etc/x", "/var", "/var/lib", "/var/lib/dpkg", "/tmp", "/dev/shm"]
)
def test_a_tree_that_would_hide_the_root(places, path):
    make_root(places / "root")
    with pytest.raises(InputError, match=r"choose (a|another)"):
        environment.read(places / "root", [Path(path)])


@pytest.mark.parametrize("path", ["/var/lib/oslab-kernel/trees/a", "/srv/k", "/tmp/a", "/home/x"])
def test_a_tree_that_stands_beside_the_root(places, path):
    make_root(places / "root")
    assert environment.read(places / "root", [Path(path)]).problem() is None


def test_what_is_missing_is_named(places):
    with pytest.raises(InputError, match="there is no build root in"):
        environment.read(places / "nothing", [])
    (places / "root").mkdir()
    (places / "root/root.json").write_text('{"id": "a"}')
    with pytest.raises(InputError, match="there is no build root in"):
        environment.read(places / "root", [])
    (places / "root/root.json").write_text(json.dumps(RECORD))
    with pytest.raises(InputError, match=r"has no enter\.py"):
        environment.read(places / "root", [], find=str, uid=0)
    with pytest.raises(InputError, match="lacks bwrap"):
        environment.read(places / "root", [], find=lambda _name: None)
