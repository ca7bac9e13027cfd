# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is kept out of the packages: each on its own, without a kernel."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import time

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import reproducible

EPOCH = 1700000000


@pytest.fixture
def call(tmp_path):
    """Run one of the programs; the system's stands behind it, or an `echo`."""

    def run(name, *arguments, real=None, cwd=None):
        reproducible.write_programs(tmp_path, lambda asked: real or shutil.which(asked))
        done = subprocess.run(
            [str(reproducible.directory(tmp_path) / name), *arguments],
            cwd=cwd or tmp_path,
            env={
                "PATH": os.environ["PATH"],
                "SOURCE_DATE_EPOCH": str(EPOCH),
                "OSLAB_SEED": "seed",
                "LC_ALL": "C",
                "TZ": "UTC",
            },
            capture_output=True,
            text=True,
            check=True,
        )
        return done.stdout

    return run


@pytest.fixture
def package(tmp_path):
    root = tmp_path / "package"
    headers = root / "usr/src/linux-headers-6.1"
    (root / "DEBIAN").mkdir(parents=True)
    (headers / "scripts/basic").mkdir(parents=True)
    for name in (".config", "Makefile", "scripts/basic/fixdep", "scripts/basic/.fixdep.cmd"):
        (headers / name).write_text(name)
    (headers / "scripts/empty.s").write_text("# -ffile-prefix-map=/here=.")
    (headers / "auto.conf.cmd").write_text("CC=ccache gcc")
    (headers / "link").symlink_to("Makefile")
    return root


def test_the_changelog_is_of_the_day_of_the_source(call):
    assert call("date", "-R") == "Tue, 14 Nov 2023 22:13:20 +0000\n"
    assert call("date", "-R").strip() == reproducible.changelog_date(EPOCH)
    assert call("date", "-d", "@0", "+%F") == "1970-01-01\n"


def test_a_package_tells_no_time(call, package):
    os.utime(package / "usr", (5, 5))
    assert call("dpkg-deb", "--build", str(package), "..", real="/bin/echo").startswith("--build")
    paths = [package, *package.rglob("*")]
    assert {path.lstat().st_mtime for path in paths} == {EPOCH}


def test_headers_do_not_tell_how_they_were_made(call, package):
    output = call("dpkg-gencontrol", "-plinux", f"-P{package}", real="/bin/echo")
    assert output == f"-plinux -P{package}\n"
    assert sorted(path.name for path in package.rglob("*") if path.is_file()) == [
        *(".config", "Makefile", "fixdep", "link"),
    ]
    assert not (package / "DEBIAN/md5sums").exists()


def test_options_of_the_past_are_not_in_the_headers(call, package):
    options = package / "usr/src/linux-headers-6.8.0/include/config"
    options.mkdir(parents=True)
    settings = {"SMP": "y", "USB": "m", "HZ": "250", "CC_VERSION_TEXT": '"gcc = 12"', "EMPTY": '""'}
    (options / "auto.conf").write_text(
        "\n".join(f"CONFIG_{name}={value}" for name, value in settings.items())
    )
    (options / "kernel.release").write_text("6.8.0\n")
    (options / "FULL").write_text("no marker of kconfig's\n")
    for name in (*settings, "SMP_OLD", "SM", "80211_OLD", "HZ_100"):
        (options / name).touch()
    call("dpkg-gencontrol", f"-P{package}", real="/bin/true")
    assert {path.name for path in options.iterdir()} == {
        *settings,
        *("auto.conf", "kernel.release", "FULL"),
    }


def test_headers_without_options_are_left_alone(call, package):
    options = package / "usr/src/linux-headers-6.8.0/include/config"
    options.mkdir(parents=True)
    (options / "SMP").touch()
    call("dpkg-gencontrol", f"-P{package}", real="/bin/true")
    assert (options / "SMP").exists()


def test_checksums_are_in_the_order_of_their_names(call, package):
    sums = package / "DEBIAN/md5sums"
    sums.write_text("")
    call("dpkg-gencontrol", f"-P{package}", real="/bin/true")
    lines = [line.split("  ") for line in sums.read_text().splitlines()]
    names = [name for _sum, name in lines]
    assert names == sorted(names)
    assert len(names) == 3
    for digest, name in lines:
        assert hashlib.md5((package / name).read_bytes()).hexdigest() == digest


def test_structures_are_laid_out_alike(call):
    one = call("od", "-A", "n", "-t", "x8", "-N", "32", "/dev/urandom")
    assert one == call("od", "-A", "n", "-t", "x8", "-N", "32", "/dev/urandom")
    assert len(one.strip()) == 64
    assert call("od", "-A", "n", "-t", "x1", "/dev/null") == ""


@pytest.mark.parametrize(
    ("given", "passed"),
    [
        (["-J", "-j", "--jobs=4", "-j8", "a b"], ["-J", "a b"]),
        (["-j4", "--btf_features=+reproducible_build"],) * 2,
        (["--version"],) * 2,
    ],
)
def test_types_are_numbered_by_one_thread(call, tmp_path, given, passed):
    echo = tmp_path / "echo"
    echo.write_text('#!/bin/sh\nprintf "%s\\n" "$@"\n')
    echo.chmod(0o755)
    assert call("pahole", *given, real=str(echo)).splitlines() == passed


@pytest.mark.skipif(not (shutil.which("ccache") and shutil.which("gcc")), reason="needs ccache")
@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("blob.S", '.data\n.incbin "blob"\n'),
        ("blob.c", '__asm__(".data\\n.incbin \\"blob\\"\\n");\n'),
        ("blob.c", "int kept;\n"),
    ],
)
@pytest.mark.parametrize("depend", ["DEPEND", "NODEPEND"])
def test_no_object_has_what_another_build_read_by_incbin(tmp_path, monkeypatch, depend, name, text):
    for variable, value in {
        "DIR": tmp_path / "ccache",
        depend: 1,
        "LOGFILE": tmp_path / "log",
    }.items():
        monkeypatch.setenv(f"CCACHE_{variable}", str(value))
    reproducible.write_programs(tmp_path, shutil.which)
    (tmp_path / name).write_text(text)
    command = [str(reproducible.directory(tmp_path) / "ccache"), "gcc", "-Wp,-MMD,blob.d"]
    objects = []
    for content in ("one thing", "two things"):
        (tmp_path / "blob").write_text(content)
        subprocess.run([*command, "-c", "-o", "blob.o", name], cwd=tmp_path, check=True)
        objects.append((tmp_path / "blob.o").read_bytes())
    if "incbin" in text:
        assert b"one thing" in objects[0]
        assert b"two things" in objects[1]
    else:
        assert "cache_hit" in (tmp_path / "log").read_text()


def test_what_the_system_has_not_is_not_there(tmp_path):
    reproducible.write_programs(tmp_path, shutil.which)
    assert (reproducible.directory(tmp_path) / "date").is_file()
    reproducible.write_programs(tmp_path, lambda _name: None)
    assert list(reproducible.directory(tmp_path).iterdir()) == []


def test_days_have_english_names(monkeypatch):
    def names_of_another_language(*_arguments):
        raise AssertionError("strftime speaks the language of the user")

    monkeypatch.setattr(time, "strftime", names_of_another_language)
    assert reproducible.timestamp(EPOCH) == "Tue Nov 14 22:13:20 UTC 2023"
    assert reproducible.timestamp(1698796800) == "Wed Nov  1 00:00:00 UTC 2023"


def test_a_tree_reached_by_a_link_is_not_named_either(tmp_path):
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    found = reproducible.flags(tmp_path / "link", tmp_path / "link.build", {})
    for name in ("link", "real"):
        assert f"-ffile-prefix-map={tmp_path}/{name}=." in found["KCFLAGS"].split()
    assert f"-fdebug-prefix-map={tmp_path}/real=." in found["KAFLAGS"].split()


def test_the_compiler_names_no_path(tmp_path):
    tree = tmp_path / "linux"
    tree.mkdir()
    (tree / "a.c").write_text("const char *name = __FILE__;\n")
    (tree / "b.S").write_text(".globl b\nb:\n\tnop\n")
    found = reproducible.flags(tree, tmp_path / "linux.build", {})
    for source, flags in (("a.c", found["KCFLAGS"]), ("b.S", found["KAFLAGS"])):
        argv = ["gcc", "-g", "-c", *flags.split(), str(tree / source), "-o", "x.o"]
        subprocess.run(argv, cwd=tree, check=True)
        assert str(tmp_path).encode() not in (tree / "x.o").read_bytes()


def test_latent_entropy_is_that_of_the_name(tmp_path):
    config = {"CONFIG_GCC_PLUGIN_LATENT_ENTROPY": "y"}
    assert "-frandom-seed" in reproducible.flags(tmp_path, tmp_path, config)["KCFLAGS"]
    assert "-frandom-seed" not in reproducible.flags(tmp_path, tmp_path, {})["KCFLAGS"]


def test_flags_of_the_users_are_kept():
    wanted = {"KCFLAGS": "-fours"}
    given = ["KCFLAGS=-g -Os", "V=1", "W"]
    assert reproducible.make_arguments(given, wanted) == ["KCFLAGS=-g -Os -fours", "V=1", "W"]
