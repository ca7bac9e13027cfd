# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role build, on a fake tree that builds in a second."""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import threading
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[4]
SLOW = {"build_make_args": ["FAKE_SLEEP=1"], "build_jobs": 1}


def deb(path, *options):
    return subprocess.run(
        ["dpkg-deb", *options, str(path)], capture_output=True, text=True, check=True
    ).stdout


def test_packages_with_manifest_modules_and_tools(role):
    run = role.run()
    assert run.status == 0, run.output
    result = role.result
    release = "6.12.0-49-usac1"
    version = f"6.12.0-oslab1.{result['build_id'][:12]}"
    assert (result["release"], result["version"]) == (release, version)
    assert result["compiled"] is True
    assert sorted(result["packages"]) == [
        f"linux-headers-{release}",
        f"linux-image-{release}",
        "linux-libc-dev",
        f"linux-modules-oslab-{release}",
        "oslab-kernel-tools",
    ]
    store = Path(result["store"])
    assert store == role.store / result["build_id"]
    for name, package in result["packages"].items():
        file = store / package["file"]
        assert file.stat().st_size == package["size"]
        assert deb(file, "--show", "--showformat=${Package} ${Version}") == f"{name} {version}"

    image = store / result["packages"][f"linux-image-{release}"]["file"]
    assert f"./lib/modules/{release}/oslab-kernel.json" in deb(image, "--contents")
    manifest = json.loads((store / "oslab-kernel.json").read_text())
    assert manifest == result["manifest"]
    assert manifest["syscalls"] == {"a": 463}
    assert (manifest["build_id"], manifest["version"]) == (result["build_id"], version)

    modules = store / result["packages"][f"linux-modules-oslab-{release}"]["file"]
    assert f"./lib/modules/{release}/extra/oslab/hello_mod.ko" in deb(modules, "--contents")
    assert "modules.dep" not in deb(modules, "--contents")
    depends = deb(modules, "--show", "--showformat=${Depends}")
    assert f"linux-image-{release} (= {version})" in depends
    assert all(" root/root " in line for line in deb(modules, "--contents").splitlines())

    tools = store / result["packages"]["oslab-kernel-tools"]["file"]
    subprocess.run(["dpkg-deb", "--extract", str(tools), str(role.directory / "x")], check=True)
    tool = subprocess.run(
        [role.directory / "x/usr/bin/hello_tool"], capture_output=True, check=True
    )
    assert tool.stdout == b"hello from a tool\n"

    # The list by which a host is compared with this build.
    listed = json.loads((store / result["files"]["file"]).read_text())
    assert listed["build_id"] == result["build_id"]
    files = listed["packages"][f"linux-image-{release}"]
    installed = role.directory / "image"
    subprocess.run(["dpkg-deb", "--extract", str(image), str(installed)], check=True)
    assert files == {
        f"/{path.relative_to(installed)}": hashlib.sha256(path.read_bytes()).hexdigest()
        for path in installed.rglob("*")
        if path.is_file()
    }
    assert f"/boot/vmlinuz-{release}" in files
    own = listed["packages"][f"linux-modules-oslab-{release}"]
    assert f"/lib/modules/{release}/extra/oslab/hello_mod.ko" in own
    assert not [name for name in listed["packages"] if "headers" in name]

    # What is there is not compiled again, and check mode knows it.
    log = (role.work / "build.log").stat().st_mtime_ns
    again = role.run()
    assert (again.status, again.recap("changed")) == (0, 0)
    assert role.result == {**result, "compiled": False}
    assert (role.work / "build.log").stat().st_mtime_ns == log
    assert role.run("--check").recap("changed") == 0


def test_tools_come_with_a_header_and_a_python_module(role):
    # The tools of the collection, in a tree that has their header as the role patch leaves it.
    uapi = role.tree / "include/uapi/linux"
    uapi.mkdir(parents=True, exist_ok=True)
    shutil.copy(ROOT / "files/kernel/syscalls/oslab.h", uapi)
    source = role.directory / "sources/oslab-tools"
    shutil.copytree(ROOT / "files/kernel/tools", source)
    # What a build by hand leaves.
    subprocess.run(["make", "-s", "clean"], cwd=source, check=True)
    run = role.run(build_tools_source=str(source))
    assert run.status == 0, run.output
    package = Path(role.result["store"]) / role.result["packages"]["oslab-kernel-tools"]["file"]
    root = role.directory / "x"
    subprocess.run(["dpkg-deb", "--extract", str(package), str(root)], check=True)
    files = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
    assert files == [
        "usr/bin/capture_memory_snapshot",
        "usr/bin/get_io_throttle",
        "usr/bin/oslab-as-linux",
        "usr/bin/track_syscall_usage",
        "usr/include/oslab-kernel.h",
        "usr/lib/oslab-kernel/as_linux.so",
        "usr/lib/python3/dist-packages/oslab_kernel.py",
        "usr/libexec/oslab-kernel/python3",
    ]
    module = root / "usr/lib/python3/dist-packages/oslab_kernel.py"
    assert module.read_bytes() == (ROOT / "plugins/module_utils/_verify/syscalls.py").read_bytes()
    assert deb(package, "--show", "--showformat=${Suggests}") == "linux-libc-dev, python3"
    control = role.directory / "control"
    subprocess.run(["dpkg-deb", "--control", str(package), str(control)], check=True)
    assert "py3clean -p oslab-kernel-tools" in (control / "prerm").read_text()


def test_check_mode_on_nothing_says_that_it_would_build(role):
    run = role.run("--check", build_tree=str(role.directory / "not" / "yet"))
    assert run.status == 0, run.output
    assert run.recap("changed") > 0
    assert role.result == {}


def test_check_mode_changes_nothing(role):
    run = role.run("--check")
    assert run.status == 0, run.output
    assert run.recap("changed") > 0
    assert not role.work.exists()
    assert not (role.tree / "vmlinux").exists()
    assert role.builds() == []


def test_the_compilers_error_is_shown_and_nothing_is_stored(role):
    metrics = role.directory / "metrics"
    settings = {"build_jobs": 4, "build_metrics_dir": str(metrics)}
    run = role.run(build_make_args=["FAKE_FAIL=fs/open.o"], **settings)
    assert run.status != 0
    text = (metrics / "oslab-kernel-build.prom").read_text()
    assert "oslab_kernel_build_success 0\n" in text
    assert "oslab_kernel_build_duration_seconds" in text
    assert "fs/open.c:12:9: error: implicit declaration of function 'oslab_missing'" in run.output
    assert str(role.work / "build.log") in run.output
    assert role.builds() == []
    # The command by which it can be seen again is complete.
    command = next(x for x in run.output.splitlines() if x.lstrip().startswith("cd /"))
    again = subprocess.run(
        ["sh", "-c", command.strip()], capture_output=True, text=True, check=False
    )
    assert "oslab_missing" in again.stdout + again.stderr


def add_syscall(tree, **changes):
    """As the roles patch and config leave a syscall of the user's."""
    (tree / "kernel/get_answer.c").write_text("SYSCALL_DEFINE0(get_answer)\n{\n\treturn 42;\n}\n")
    with (tree / "kernel/Makefile").open("a") as makefile:
        makefile.write("obj-y += get_answer.o\n")
    with (tree / ".config").open("a") as config:
        config.write("CONFIG_MULTIUSER=y\n")
    entry = {"name": "get_answer", "kconfig": "MULTIUSER", "source": "get_answer.c"}
    record = json.loads((tree / ".oslab/patch.json").read_text())
    record["entries"] = [{**entry, "own": True, "called": False, **changes}]
    (tree / ".oslab/patch.json").write_text(json.dumps(record))


def test_a_syscall_of_the_user_is_compiled_before_the_rest(role):
    add_syscall(role.tree)
    run = role.run(build_make_args=["FAKE_FAIL=kernel/get_answer.o"])
    assert run.status != 0
    assert "adds as kernel/get_answer.c does not compile" in run.output
    assert "kernel/get_answer.c:12:9: error: implicit declaration" in run.output
    log = (role.work / "build.log").read_text()
    assert [line.split()[1] for line in log.splitlines() if line.startswith("  CC")] == [
        "kernel/get_answer.o"
    ]
    assert role.builds() == []

    assert role.run().status == 0
    log = (role.work / "build.log").read_text()
    assert log.split().count("kernel/get_answer.o") == 1
    assert log.startswith("  CC      kernel/get_answer.o\n")
    assert role.result["manifest"]["not_called"] == ["get_answer"]


def test_a_module_that_does_not_compile_names_its_variable(role):
    (role.directory / "sources/tools/hello_tool.c").write_text("int main(void) { return nowhere; }")
    run = role.run()
    assert run.status != 0
    assert "build_tools_source" in run.output
    assert "'nowhere' undeclared" in run.output
    assert role.builds() == []


def test_a_changed_configuration_is_another_build(role):
    assert role.run().status == 0
    first = role.result["build_id"]
    config = role.tree / ".config"
    assert "# CONFIG_XFS_FS is not set" in config.read_text()
    config.write_text(config.read_text().replace("# CONFIG_XFS_FS is not set", "CONFIG_XFS_FS=y"))
    assert role.run().recap("changed") > 0
    assert role.result["build_id"] != first
    assert len(role.builds()) == 2


def test_a_source_that_is_gone_from_the_control_node_is_gone_from_the_package(role):
    extra = role.directory / "sources/tools/other_tool.c"
    extra.write_text("int main(void) { return 0; }")
    assert role.run().status == 0
    extra.unlink()
    assert role.run().status == 0
    tools = Path(role.result["store"]) / role.result["packages"]["oslab-kernel-tools"]["file"]
    assert "other_tool" not in deb(tools, "--contents")


def test_a_damaged_package_in_the_store_is_built_again(role):
    assert role.run().status == 0
    package = role.result["packages"]["linux-libc-dev"]["file"]
    with (Path(role.result["store"]) / package).open("ab") as stream:
        stream.write(b"x")
    assert role.run().recap("changed") > 0
    assert role.builds() == [role.result["build_id"]]


def test_a_changed_list_in_the_store_is_made_again(role):
    assert role.run().status == 0
    path = Path(role.result["store"]) / "files.json"
    good = path.read_text()
    path.write_text(good.replace("modules", "m0dules"))
    assert role.run().recap("changed") > 0
    assert path.read_text() == good


def test_a_debug_package_of_a_configuration_without_symbols_is_refused(role):
    run = role.run(build_debug_package=True)
    assert run.status != 0
    assert "config_debug_info" in run.output
    assert role.builds() == []


def test_too_little_space_names_the_variable(role):
    run = role.run(build_min_free_gib=1000000)
    assert run.status != 0
    assert "build_min_free_gib" in run.output
    assert not role.work.exists()


def test_a_tree_without_configuration_says_what_to_run(role):
    (role.tree / ".config").unlink()
    run = role.run()
    assert run.status != 0
    assert "run the role config" in run.output


def test_progress_is_shown_while_it_compiles(role):
    run = role.run(**SLOW)
    assert run.status == 0, run.output
    lines = [line for line in run.output.splitlines() if line.startswith("build: ")]
    assert any(" of " in line and "files (" in line for line in lines), run.output


def start(role, variables=SLOW):
    """A build that takes some seconds, in the background, once it compiles."""
    runs = []
    thread = threading.Thread(target=lambda: runs.append(role.run(**variables)))
    thread.start()
    deadline = time.time() + 60
    while time.time() < deadline:
        try:
            status = json.loads((role.work / "status.json").read_text())
        except (OSError, ValueError):
            status = {}
        if "files (" in status.get("line", ""):
            return thread, runs, status
        time.sleep(0.1)
    raise AssertionError("the build did not start")


def test_another_build_of_the_same_tree_is_refused_by_name(role):
    thread, _runs, status = start(role, {**SLOW, "build_make_args": ["FAKE_SLEEP=30"]})
    run = role.run()  # other arguments, another build
    os.killpg(status["pid"], signal.SIGKILL)
    thread.join()
    assert run.status != 0
    assert f"process {status['pid']} on " in run.output


def test_the_same_build_twice_at_once_is_one(role):
    thread, runs, _status = start(role)
    second = role.run(**SLOW)
    thread.join()
    assert second.status == runs[0].status == 0, second.output
    assert len(role.builds()) == 1
    log = (role.work / "build.log").read_text()
    assert log.count("CC      fs/open.o") == 1


def test_killed_and_continued(role):
    thread, runs, status = start(role)
    os.killpg(status["pid"], signal.SIGKILL)
    thread.join()
    assert runs[0].status != 0
    assert "the same call continues it" in runs[0].output.replace("\n", " ").lower()
    assert role.builds() == []
    assert role.run(**SLOW).status == 0
    assert role.builds() == [role.result["build_id"]]


def test_killed_runner_leaves_no_compiler_behind(role):
    thread, runs, status = start(role)
    os.kill(status["pid"], signal.SIGKILL)
    thread.join()
    assert runs[0].status != 0
    assert role.run(**SLOW).status == 0
    assert role.builds() == [role.result["build_id"]]


def test_a_tree_that_changes_meanwhile_is_not_stored(role):
    thread, runs, _status = start(role)
    path = role.tree / ".oslab/patch.json"
    path.write_text(path.read_text().replace("6" * 64, "7" * 64))
    thread.join()
    assert runs[0].status != 0
    assert "changed while it was being built" in " ".join(runs[0].output.split())
    assert role.builds() == []


def test_a_foreign_lock_is_waited_for_and_then_reported(role):
    role.work.mkdir(parents=True)
    with (role.work / "lock").open("w") as stream:
        fcntl.flock(stream, fcntl.LOCK_EX)
        watcher = threading.Event()

        def watch():
            while not watcher.wait(0.3):
                (role.work / "watched").touch()

        thread = threading.Thread(target=watch)
        thread.start()
        run = role.run()
        watcher.set()
        thread.join()
    assert run.status != 0
    assert "is being built by" in run.output
