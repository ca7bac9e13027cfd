# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a build is made from and how it is called."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import (
    environment,
    remote_compilation,
)
from ansible_collections.oslab.kernel.plugins.module_utils._build import plan as build_plan
from ansible_collections.oslab.kernel.plugins.module_utils._build.identity import InputError
from ansible_collections.oslab.kernel.plugins.module_utils._build.plan import Options, make_plan
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result

VERSIONS = {
    "dpkg": "amd64",
    "dpkg-deb": "1.21",
    "gcc": "gcc 12.2\nCopyright",
    "ld": "GNU ld 2.40",
    "ldd": "GLIBC 2.36",
    "pahole": "v1.24",
}


def run(argv, cwd=None, environment=None):
    if argv[0] in VERSIONS:
        return Result(0, VERSIONS[argv[0]])
    return Result(127, "", f"{argv[0]}: not found")


def everything(name):
    return f"/usr/bin/{name}"


@pytest.fixture
def options(tmp_path):
    tree = tmp_path / "linux"
    (tree / ".oslab").mkdir(parents=True)
    (tree / "Makefile").write_text(
        "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 117\nEXTRAVERSION = -49-usac1\n"
    )
    (tree / ".config").write_text("CONFIG_MODULES=y\n")
    source = {"version": "6.12.117", "sha256": "s", "source_date_epoch": 1700000000}
    (tree / ".oslab/source.json").write_text(json.dumps({**source, "provider": "file"}))
    patch = {"sha256": "p", "sysname": "Usac", "banner": "hi", "syscalls": {"a": 463}}
    (tree / ".oslab/patch.json").write_text(json.dumps({**patch, "patches": [{"name": "x"}]}))
    return Options(tree=tree, store=tmp_path / "store", jobs=3)


def test_manifest(options):
    plan = make_plan(options, run)
    assert plan.manifest == {
        "schema": 1,
        "release": "6.12.117-49-usac1",
        "version": f"6.12.117-oslab1.{plan.build_id[:12]}",
        "build_id": plan.build_id,
        "sysname": "Usac",
        "banner": "hi",
        "syscalls": {"a": 463},
        "source": {"version": "6.12.117", "sha256": "s", "signed_by": ""},
        "patches": [{"name": "x"}],
        "config_sha256": plan.inputs.config_sha256,
        "modules_sha256": "",
        "tools_sha256": "",
        "toolchain": {"gcc": "gcc 12.2", "ld": "GNU ld 2.40", "dpkg-deb": "1.21"},
        "make_args": [],
    }


def add(options, **changes):
    """A syscall that the role patch has added."""
    one = {"name": "a", "kconfig": "A", "source": "a.c", "own": True, "called": True, **changes}
    file = options.tree / ".oslab/patch.json"
    file.write_text(json.dumps({**json.loads(file.read_text()), "entries": [one]}))


def test_a_syscall_that_the_configuration_leaves_out_is_refused(options):
    add(options)
    problem = build_plan.refusal(make_plan(options, run), everything)
    assert problem is not None
    assert "leaves out what patch_syscalls or patch_syscalls_extra lists: a (CONFIG_A=n)" in problem
    (options.tree / ".config").write_text("CONFIG_MODULES=y\nCONFIG_A=y\n")
    assert build_plan.refusal(make_plan(options, run), everything) is None


def test_the_manifest_names_what_must_not_be_called(options):
    before = make_plan(options, run)
    add(options)
    assert make_plan(options, run).manifest == before.manifest
    add(options, called=False)
    assert make_plan(options, run).manifest["not_called"] == ["a"]
    assert make_plan(options, run).build_id != before.build_id


def test_a_record_of_another_form_is_refused(options):
    add(options, source="../../x.c")
    with pytest.raises(InputError, match="run the role patch again"):
        make_plan(options, run)


def test_only_what_the_user_wrote_and_was_not_compiled_is_compiled_first(options):
    kernel = options.tree / "kernel"
    kernel.mkdir()
    add(options)
    plan = make_plan(options, run)
    (kernel / "a.c").write_text("")
    assert build_plan.own_objects(plan) == ["kernel/a.o"]
    assert build_plan.objects_command(options, {}, ["kernel/a.o"])[:3] == [
        "make",
        "-j3",
        "kernel/a.o",
    ]
    (kernel / "a.o").write_text("")
    assert build_plan.own_objects(plan) == ["kernel/a.o"], "kbuild knows nothing of it"
    (kernel / ".a.o.cmd").write_text("")
    assert build_plan.own_objects(plan) == []
    os.utime(kernel / "a.o", (1, 1))
    assert build_plan.own_objects(plan) == ["kernel/a.o"]
    add(options, own=False)
    assert build_plan.own_objects(make_plan(options, run)) == []


def test_an_unpatched_tree_is_an_ordinary_linux(options):
    (options.tree / ".oslab/patch.json").unlink()
    plan = make_plan(options, run)
    assert (plan.manifest["sysname"], plan.manifest["syscalls"]) == ("Linux", {})


@pytest.mark.parametrize("epoch", [-1, 1 << 32, 10**30, "²", None])
def test_a_time_that_no_build_can_state(options, epoch):
    state = {"version": "6.12.117", "sha256": "s", "source_date_epoch": epoch}
    (options.tree / ".oslab/source.json").write_text(json.dumps(state))
    with pytest.raises(InputError, match="seconds since 1970"):
        make_plan(options, run)


def test_where_and_how_fast_do_not_count(options, tmp_path):
    plan = make_plan(options, run)
    moved = tmp_path / "elsewhere" / "tree"
    moved.parent.mkdir()
    options.tree.rename(moved)
    other = Options(tree=moved, store=tmp_path / "x", jobs=64, ccache=False)
    assert make_plan(other, run).build_id == plan.build_id


def test_all_that_the_manifest_states_counts_and_nothing_else(options):
    """It is in a package: what is in it must not differ where the build id does not."""
    file = options.tree / ".oslab/source.json"
    source = json.loads(file.read_text())
    plan = make_plan(options, run)
    file.write_text(json.dumps({**source, "provider": "kernel_org", "version": "6.12"}))
    assert make_plan(options, run).manifest == plan.manifest
    file.write_text(json.dumps({**source, "signed_by": "ABCD"}))
    assert make_plan(options, run).build_id != plan.build_id


def test_the_commit_is_in_the_manifest_and_in_the_build_id(options):
    file = options.tree / ".oslab/source.json"
    source = json.loads(file.read_text())
    without = make_plan(options, run)
    assert "commit" not in without.manifest["source"]

    def of(commit):
        file.write_text(json.dumps({**source, "provider": "git", "commit": commit}))
        return make_plan(options, run)

    first = of("a" * 40)
    assert first.manifest["source"]["commit"] == "a" * 40
    assert of("a" * 40).build_id == first.build_id
    assert len({without.build_id, first.build_id, of("b" * 40).build_id}) == 3


def test_the_python_module_is_part_of_the_tools(options, tmp_path, monkeypatch):
    source = Path(build_plan.verify_syscalls.__file__).read_bytes()
    assert source == build_plan.PYTHON_MODULE
    tools = tmp_path / "tools"
    tools.mkdir()
    (tools / "a.c").write_text("int main(void) { return 0; }")
    with_tools = Options(tree=options.tree, store=options.store, tools_source=tools)
    first, without = make_plan(with_tools, run), make_plan(options, run)
    # They are linked to the C library.
    assert first.inputs.toolchain["ldd"] == "GLIBC 2.36"
    assert "ldd" not in without.inputs.toolchain
    monkeypatch.setattr(build_plan, "PYTHON_MODULE", source + b"#")
    assert make_plan(with_tools, run).build_id != first.build_id
    # Without tools it is not packaged.
    assert make_plan(options, run).build_id == without.build_id
    (tools / "a.c").write_text("int main(void) { return 1; }")
    monkeypatch.setattr(build_plan, "PYTHON_MODULE", source)
    assert make_plan(with_tools, run).build_id != first.build_id


def test_pahole_counts_only_where_it_is_used(options):
    assert "pahole" not in make_plan(options, run).inputs.toolchain
    (options.tree / ".config").write_text("CONFIG_MODULES=y\nCONFIG_DEBUG_INFO_BTF=y\n")
    assert make_plan(options, run).inputs.toolchain["pahole"] == "v1.24"


@pytest.mark.parametrize(
    ("gone", "message"),
    [
        ("Makefile", "run the role source"),
        (".oslab/source.json", "run the role source"),
        (".config", "run the role config"),
    ],
)
def test_what_is_missing_is_said(options, gone, message):
    (options.tree / gone).unlink()
    with pytest.raises(InputError, match=message):
        make_plan(options, run)


def test_sources_that_are_not_there_are_named(options, tmp_path):
    lost = Options(tree=options.tree, store=options.store, tools_source=tmp_path / "no")
    with pytest.raises(InputError, match="build_tools_source"):
        make_plan(lost, run)


def test_a_missing_compiler_is_said(options):
    with pytest.raises(InputError, match="run the role dependencies"):
        make_plan(
            options,
            lambda argv, *more, **kinds: (
                Result(127, "not found") if argv[0] == "gcc" else run(argv)
            ),
        )


def test_nothing_to_refuse(options):
    assert build_plan.refusal(make_plan(options, run), everything) is None


@pytest.mark.parametrize(
    ("config", "program"),
    [
        ("CONFIG_DEBUG_INFO_BTF=y", "pahole"),
        ("CONFIG_KERNEL_ZSTD=y", "zstd"),
        ("CONFIG_KERNEL_LZ4=y", "lz4"),
        ("CONFIG_MODULES=y", "ccache"),
    ],
)
def test_a_missing_program_is_named_before_the_build(options, config, program):
    (options.tree / ".config").write_text(f"CONFIG_MODULES=y\n{config}\n")
    plan = make_plan(options, run)
    message = build_plan.refusal(plan, lambda name: None if name == program else name)
    assert message is not None
    assert program in message
    assert "dependencies" in message


def test_modules_need_a_kernel_that_loads_them(options, tmp_path):
    (options.tree / ".config").write_text("# CONFIG_MODULES is not set\n")
    (tmp_path / "m").mkdir()
    plan = make_plan(
        Options(tree=options.tree, store=options.store, modules_source=tmp_path / "m"), run
    )
    problem = build_plan.refusal(plan, everything)
    assert problem is not None
    assert "CONFIG_MODULES" in problem


def test_the_environment_is_the_same_for_everybody(options):
    plan = make_plan(options, run)
    user = {"PATH": "/p", "HOME": "/h", "CFLAGS": "-O9", "LANG": "es_GT.UTF-8", "MAKEFLAGS": "-j9"}
    values = build_plan.environment(plan, user)
    assert not {"CFLAGS", "LANG", "MAKEFLAGS"} & set(values)
    assert values["PATH"] == f"{options.work}/bin:/p:/usr/sbin:/sbin"
    # It has settings of dpkg-buildpackage's.
    assert values["HOME"] == "/h"
    assert values["XDG_CONFIG_HOME"] == str(options.work)
    assert values["KDEB_PKGVERSION"] == plan.version
    assert values["SOURCE_DATE_EPOCH"] == "1700000000"
    assert values["KBUILD_BUILD_TIMESTAMP"] == "Tue Nov 14 22:13:20 UTC 2023"
    assert values["INSTALL_MOD_STRIP"] == "1"
    assert values["CCACHE_DIR"] == str(options.work / "ccache")
    assert "nokerneldbg" in values["DEB_BUILD_PROFILES"]


def test_ccache_asks_the_preprocessor_for_several_configurations(options):
    several = dataclasses.replace(options, ccache_preprocess=True)
    assert build_plan.environment(make_plan(options, run), {})["CCACHE_DEPEND"] == "1"
    assert "CCACHE_DEPEND" not in build_plan.environment(make_plan(several, run), {})


def test_without_ccache_it_is_not_mentioned(options):
    plain = Options(tree=options.tree, store=options.store, ccache=False, debug_package=True)
    plan = make_plan(plain, run)
    values = build_plan.environment(plan, {})
    assert not [name for name in values if name.startswith("CCACHE") or "PROFILES" in name]
    assert "CC=gcc" in build_plan.package_command(plain, values)


def test_debug_symbols_are_left_to_be_packaged(options):
    debug = Options(tree=options.tree, store=options.store, debug_package=True)
    values = build_plan.environment(make_plan(debug, run), {})
    assert not {"INSTALL_MOD_STRIP", "DEB_BUILD_PROFILES"} & set(values)


def test_flags_of_the_users_are_kept_beside_ours(options):
    config = options.tree / ".config"
    config.write_text(config.read_text() + "CONFIG_GCC_PLUGIN_LATENT_ENTROPY=y\n")
    theirs = Options(tree=options.tree, store=options.store, make_args=["KCFLAGS=-g", "V=1"])
    values = build_plan.environment(make_plan(theirs, run), {})
    assert "-frandom-seed" in values["KCFLAGS"]
    command = build_plan.package_command(theirs, values)
    assert command[-2:] == [f"KCFLAGS=-g {values['KCFLAGS']}", "V=1"]


def test_another_packager_leaves_ccache_as_it_is(options):
    def newer(argv, cwd=None, environment=None):
        return Result(0, "1.22") if argv[0] == "dpkg-deb" else run(argv)

    plans = [make_plan(options, run), make_plan(options, newer)]
    assert plans[0].build_id != plans[1].build_id
    names = {build_plan.environment(plan, {})["CCACHE_NAMESPACE"] for plan in plans}
    assert len(names) == 1


@pytest.mark.parametrize("made", [True, False])
def test_a_debug_package_needs_debug_information(options, made):
    (options.tree / ".config").write_text("CONFIG_DEBUG_INFO=y\n" if made else "")
    debug = Options(tree=options.tree, store=options.store, debug_package=True)
    problem = build_plan.refusal(make_plan(debug, run), lambda name: name)
    assert (problem is None) == made
    assert made or "config_debug_info" in str(problem)


def test_the_command_can_be_pasted(options):
    assert build_plan.package_command(options, {}) == [
        *("make", "-j3", "bindeb-pkg", "CC=ccache gcc", "HOSTCC=ccache gcc"),
    ]
    line = build_plan.shell_command(["make", "CC=ccache gcc"], Path("/a b"), {"X": "1 2"})
    assert line == "cd '/a b' && env -i 'X=1 2' make 'CC=ccache gcc'"


def test_the_command_names_no_shared_storage_whose_address_may_hold_a_password(options):
    remote = remote_compilation.Remote(ccache_remote="redis://me:hidden@cache.example.org")
    shared = dataclasses.replace(options, remote=remote)
    values = build_plan.environment(make_plan(shared, run), {})
    assert "hidden" in values["CCACHE_REMOTE_STORAGE"]
    line = build_plan.shell_command(["make"], options.tree, values)
    assert "CCACHE_DIR=" in line
    assert "hidden" not in line


def test_jobs_default_to_the_cpus(options):
    assert Options(tree=options.tree, store=options.store).job_count >= 1


def put(store, build_id="b" * 64):
    directory = store / build_id
    directory.mkdir(parents=True)
    (directory / "linux-x_1_amd64.deb").write_bytes(b"package")
    packages = build_plan.describe_packages(directory)
    record = {"build_id": build_id, "packages": packages, "compiled": True, "store": "/old"}
    (directory / "build.json").write_text(json.dumps(record))
    return directory


def test_a_finished_build_is_found(tmp_path):
    directory = put(tmp_path)
    result = build_plan.stored(tmp_path, "b" * 64)
    assert result is not None
    assert result["compiled"] is False
    assert result["store"] == str(directory)
    assert result["packages"]["linux-x"]["size"] == 7
    assert build_plan.stored(tmp_path, "c" * 64) is None


def test_a_store_can_be_elsewhere(tmp_path):
    put(tmp_path / "a")
    (tmp_path / "a").rename(tmp_path / "moved")
    result = build_plan.stored(tmp_path / "moved", "b" * 64)
    assert result is not None
    assert result["store"] == str(tmp_path / "moved" / ("b" * 64))


@pytest.mark.parametrize("how", ["altered", "gone", "no record"])
def test_a_damaged_build_is_none(tmp_path, how):
    directory = put(tmp_path)
    package = directory / "linux-x_1_amd64.deb"
    if how == "altered":
        package.write_bytes(b"Package")
    elif how == "gone":
        package.unlink()
    else:
        (directory / "build.json").write_text("{")
    assert build_plan.stored(tmp_path, "b" * 64) is None


def test_a_candidate_is_in_the_packages_version_and_in_the_manifest(options):
    state = options.tree / ".oslab/source.json"
    state.write_text(json.dumps({**json.loads(state.read_text()), "version": "6.13.0-rc1"}))
    (options.tree / "Makefile").write_text(
        "VERSION = 6\nPATCHLEVEL = 13\nSUBLEVEL = 0\nEXTRAVERSION = -rc1-49-usac1\n"
    )
    plan = make_plan(options, run)
    assert plan.manifest["release"] == "6.13.0-rc1-49-usac1"
    assert plan.manifest["source"]["version"] == "6.13.0-rc1"
    assert plan.version == f"6.13.0~rc1-oslab1.{plan.build_id[:12]}"


def test_another_compression_is_another_build(options):
    usual = make_plan(options, run)
    other = make_plan(dataclasses.replace(options, compression="xz"), run)
    assert other.build_id != usual.build_id
    assert "compression" not in usual.manifest  # builds of old stores stay what they are
    settings = build_plan.environment(other, {})
    assert (settings["KDEB_COMPRESS"], settings["DPKG_DEB_COMPRESSOR_TYPE"]) == ("xz", "xz")
    assert build_plan.environment(usual, {})["KDEB_COMPRESS"] == "zstd"


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("build_tree", "work/tree"),
        ("build_store", "store"),
        ("build_store", "store/0123"),
        ("build_ccache_dir", "ccache"),
        ("build_tree", "work/tree.build"),
    ],
)
def test_places_of_somebody_else_are_refused(tmp_path, name, place):
    given = Options(
        tree=tmp_path / "work/tree", store=tmp_path / "store", ccache_dir=tmp_path / "ccache"
    )
    for path in (given.tree, given.work, given.store / "0123", given.ccache_dir):
        assert path is not None
        path.mkdir(parents=True)
    build_plan.check_places(given, os.geteuid())
    (tmp_path / place).chmod(0o777)
    if place != "store/0123":
        with pytest.raises(InputError, match=f"{name} .* can be written to by others"):
            build_plan.check_places(given, os.geteuid())
    (tmp_path / place).chmod(0o755)
    if os.geteuid() == 0:
        os.chown(tmp_path / place, 4711, 4711)
        with pytest.raises(InputError, match=f"{place} belongs to the user number 4711"):
            build_plan.check_places(given, 0)


# --- in a build root ---------------------------------------------------------------------------


def in_root(options, version="12.2.0-14", mirror="m", **changes):
    """The same in a root, whose bubblewrap runs everything as it is."""
    packages = [
        {"name": "gcc-12", "version": version, "architecture": "amd64", "sha256": "1" * 64},
        {"name": "bc", "version": "1", "architecture": "amd64", "sha256": "2" * 64},
    ]
    record = {
        "id": version,
        "suite": "bookworm",
        "architecture": "amd64",
        "mirrors": [mirror],
        "packages": packages,
    }
    (options.store / "root/tree").mkdir(parents=True, exist_ok=True)
    where = environment.BuildRoot(options.store / "root", record)
    return dataclasses.replace(options, environment=where, **changes)


def run_in_root(argv, cwd=None, environment=None):
    assert argv[0] == "bwrap"
    return run(argv[argv.index("--") + 1 :])


def test_the_root_is_part_of_the_build(options):
    plan = make_plan(in_root(options), run_in_root)
    root = {"id": "12.2.0-14", "suite": "bookworm", "architecture": "amd64"}
    packages = {"gcc-12": "12.2.0-14", "bc": "1"}
    assert plan.manifest["build_root"] == {**root, "packages": packages}
    assert plan.build_id != make_plan(options, run).build_id
    assert plan.build_id != make_plan(in_root(options, "12.2.0-15"), run_in_root).build_id
    assert plan.build_id == make_plan(in_root(options, mirror="n"), run_in_root).build_id


def test_the_cache_is_of_the_roots_compiler(options):
    """Two of them may state the same version, and have the same size and time."""
    plans = [make_plan(in_root(options, version), run_in_root) for version in ("1-1", "1-2")]
    names = {build_plan.environment(plan, {})["CCACHE_NAMESPACE"] for plan in plans}
    assert len(names) == 2


def test_what_a_root_cannot_do(options):
    remote = remote_compilation.Remote(program="distcc", hosts="x", ccache_remote="http://x")
    plan = make_plan(in_root(options, remote=remote), run_in_root)
    problem = build_plan.refusal(plan, everything) or ""
    assert problem.startswith("build_ccache_remote and build_distribute cannot be used")
    assert "build_environment: host" in problem
    assert build_plan.refusal(make_plan(in_root(options), run_in_root), everything) is None


def test_a_program_that_the_root_lacks(options):
    plan = make_plan(in_root(options), run_in_root)
    problem = build_plan.refusal(plan, lambda name: None if name == "rsync" else name) or ""
    assert problem.startswith("the build root lacks rsync")
    assert "dependencies_extra_packages" in problem


def test_the_command_line_to_paste(options):
    where = in_root(options).environment
    line = build_plan.shell_command(["make"], Path("/t"), {"A": "b"}, where)
    assert line.startswith("bwrap --unshare-all ")
    assert line.endswith("--clearenv --setenv A b --chdir /t -- make")
