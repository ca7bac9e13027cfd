# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a kernel's build is made from, whether the store has it already, and how it is called."""

from __future__ import annotations

import functools
import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Callable, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._build import (
    identity,
    jobs,
    remote_compilation,
    reproducible,
    reuse,
    signing,
)
from ansible_collections.oslab.kernel.plugins.module_utils._build import root as build_root
from ansible_collections.oslab.kernel.plugins.module_utils._build.environment import (
    HOST,
    Environment,
)
from ansible_collections.oslab.kernel.plugins.module_utils._build.identity import (
    InputError,
    Inputs,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    bounded_read,
    json_file,
    kernel_makefile,
    kernel_version,
    own_packages,
    tree_records,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    manifest as kernel_manifest,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import FullRunner, Runner
from ansible_collections.oslab.kernel.plugins.module_utils._patch import record as patch_record
from ansible_collections.oslab.kernel.plugins.module_utils._source import workdir
from ansible_collections.oslab.kernel.plugins.module_utils._verify import (
    syscalls as verify_syscalls,
)

RESULT = "build.json"
# Seconds since 1970 that all programs of a build can write as a date: the year 2106.
LATEST = 1 << 32
# The Python module `oslab_kernel` of the tools' package. It is read by its loader, because Ansible
# may have sent this collection as an archive, which is gone before the build ends.
PYTHON_MODULE: bytes = vars(verify_syscalls)["__loader__"].get_data(verify_syscalls.__file__)

# Symbol → the program without which a build fails at its end.
PROGRAMS_BY_SYMBOL = {
    "CONFIG_DEBUG_INFO_BTF": "pahole",
    "CONFIG_KERNEL_BZIP2": "bzip2",
    "CONFIG_KERNEL_LZ4": "lz4",
    "CONFIG_KERNEL_LZO": "lzop",
    "CONFIG_KERNEL_XZ": "xz",
    "CONFIG_KERNEL_ZSTD": "zstd",
    "CONFIG_MODULE_COMPRESS_XZ": "xz",
    "CONFIG_MODULE_COMPRESS_ZSTD": "zstd",
}
# Whose versions decide what an object is.
COMPILERS = ("gcc", "ld")
# Of packages, the usual one first; xz takes several times as long.
COMPRESSIONS = ("zstd", "xz")
LEVELS = {"zstd": "9", "xz": "6"}
PROGRAMS = ("make", "gcc", "ld", "bc", "bison", "flex", "perl", "rsync", "dpkg-buildpackage")


# Once: the memory that is free changes during a build.
_default_jobs = functools.cache(jobs.default)


@dataclass(frozen=True)
class Options:
    """What the user asks for."""

    tree: Path
    store: Path
    jobs: int = 0
    ccache: bool = True
    ccache_dir: Optional[Path] = None
    ccache_size: str = "5G"
    ccache_preprocess: bool = False
    reuse: bool = True
    modules_source: Optional[Path] = None
    tools_source: Optional[Path] = None
    make_args: Sequence[str] = ()
    debug_package: bool = False
    compression: str = "zstd"
    force: bool = False
    keys: signing.Keys = signing.NO_KEYS
    remote: remote_compilation.Remote = remote_compilation.NONE
    environment: Environment = HOST

    @property
    def work(self) -> Path:
        """Where the build keeps what is neither the tree's nor the store's."""
        return reuse.work_of(self.tree)

    @property
    def job_count(self) -> int:
        return self.jobs or _default_jobs()


@dataclass(frozen=True)
class Plan:
    options: Options
    inputs: Inputs
    config: Mapping[str, str]
    manifest: Mapping[str, Any]
    syscalls: Sequence[patch_record.Added] = ()

    @property
    def build_id(self) -> str:
        return self.inputs.build_id

    @property
    def version(self) -> str:
        return own_packages.version(self.inputs.version, self.build_id)

    @property
    def target(self) -> Path:
        return self.options.store / self.build_id


def check_places(options: Options, uid: int) -> None:
    """Raise InputError where others than root and `uid` decide what is built or handed on."""
    places = {
        "build_tree": [options.tree, options.work],
        "build_store": [options.store],
        "build_ccache_dir": [options.ccache_dir] if options.ccache_dir else [],
    }
    try:
        for name, paths in places.items():
            for path in paths:
                workdir.check(path, name, uid)
        # What is there already is published as it is.
        workdir.tighten(options.store, uid, change=False)
    except workdir.WorkdirError as error:
        raise InputError(str(error)) from error


# --- what goes in ------------------------------------------------------------------------------


def make_plan(options: Options, run: FullRunner) -> Plan:
    """Read all inputs. Changes nothing."""
    run, tree = options.environment.runner(run), options.tree
    source = tree_records.source(tree)
    if not (tree / "Makefile").is_file():
        raise InputError(f"build_tree {tree} holds no kernel source: run the role source first")
    if source is None:
        raise InputError(
            f"build_tree {tree} has no {tree_records.SOURCE}: run the role source first"
        )
    try:
        config = identity.parse_config((tree / ".config").read_text(encoding="utf-8"))
    except OSError:
        raise InputError(f"build_tree {tree} has no .config: run the role config first") from None
    try:
        patch = patch_record.read(tree)
        syscalls = patch_record.added(tree)
        makefile = kernel_makefile.read_version(tree)
    except (patch_record.RecordError, kernel_makefile.MakefileError) as error:
        raise InputError(str(error)) from error
    local = config.get("CONFIG_LOCALVERSION", "")
    release = kernel_makefile.release(tree, makefile.kernelversion, local)
    # Whether it is a candidate is said by the stock tree, not by what the user put behind it.
    version = makefile.numbers + kernel_version.split_candidate(str(source.get("version", "")))[1]
    epoch = source.get("source_date_epoch", 0)
    if not isinstance(epoch, int) or not 0 <= epoch < LATEST:
        raise InputError(
            f"the source in build_tree {tree} is of {epoch!r:.40} (seconds since 1970), a time "
            "that no build can state: take another tarball"
        )
    config_sha256 = identity.config_sha256(config)
    source_sha256 = str(source.get("sha256", ""))
    toolchain = _toolchain(config, options, run)
    modules_sha256 = _source_sha256("build_modules_source", options.modules_source)
    tools_sha256 = _tools_sha256(options.tools_source)
    stated = {
        "schema": kernel_manifest.SCHEMA,
        "release": release,
        "sysname": patch.get("sysname", "Linux"),
        "banner": patch.get("banner", ""),
        "syscalls": patch.get("syscalls", {}),
        "source": {
            "version": version,
            "sha256": source_sha256,
            "signed_by": source.get("signed_by", ""),
            **({"commit": str(source["commit"])} if source.get("commit") else {}),
        },
        "patches": patch.get("patches", []),
        "config_sha256": config_sha256,
        "modules_sha256": modules_sha256,
        "tools_sha256": tools_sha256,
        "toolchain": toolchain,
        "make_args": list(options.make_args),
        **options.keys.stated(),
        **options.environment.stated(),
    }
    if options.compression != COMPRESSIONS[0]:
        stated["compression"] = options.compression
    not_called = [call.name for call in syscalls if not call.called]
    if not_called:
        stated[verify_syscalls.NOT_CALLED] = not_called
    inputs = Inputs(
        machine=_output(run, ["dpkg", "--print-architecture"]),
        version=version,
        release=release,
        source_sha256=source_sha256,
        source_date_epoch=epoch,
        patch_sha256=str(patch.get("sha256", "")),
        config_sha256=config_sha256,
        toolchain=toolchain,
        modules_sha256=modules_sha256,
        tools_sha256=tools_sha256,
        make_args=list(options.make_args),
        debug_package=options.debug_package,
        stated_sha256=identity.json_sha256(stated),
    )
    manifest = {
        **stated,
        "version": own_packages.version(version, inputs.build_id),
        "build_id": inputs.build_id,
    }
    return Plan(options, inputs, config, manifest, syscalls)


def _output(run: Runner, argv: list[str]) -> str:
    done = run(argv)
    if done.status != 0:
        raise InputError(
            f"'{' '.join(argv)}' failed: {done.both.strip()[-200:]}; run the role dependencies"
        )
    return done.both.strip()


def _toolchain(config: Mapping[str, str], options: Options, run: Runner) -> dict[str, str]:
    """The versions that decide the packages' bytes; Debian's own are in what most of them state."""
    programs = [*COMPILERS, "dpkg-deb"]
    if config.get("CONFIG_DEBUG_INFO_BTF") == "y":
        programs.append("pahole")
    if options.tools_source:
        programs.append("ldd")  # of the C library, which is in the programs
    programs += options.keys.toolchain()
    commands = {name: _version_command(name) for name in programs}
    return {name: _output(run, argv).split("\n", 1)[0] for name, argv in commands.items()}


def _version_command(program: str) -> list[str]:
    return [program, "version" if program == "openssl" else "--version"]


def stated_version(program: str, run: Runner) -> str:
    """The first line of what a program says of itself; empty if it is not there."""
    done = run(_version_command(program))
    return done.both.strip().split("\n", 1)[0] if done.status == 0 else ""


def _source_sha256(variable: str, directory: Optional[Path]) -> str:
    if directory is None:
        return ""
    if not directory.is_dir():
        raise InputError(f"{variable} {directory} is not a directory on the builder")
    return identity.directory_sha256(directory)


def _tools_sha256(directory: Optional[Path]) -> str:
    """Of all that goes into oslab-kernel-tools."""
    programs = _source_sha256("build_tools_source", directory)
    if not programs:
        return ""
    module = hashlib.sha256(PYTHON_MODULE).hexdigest()
    return hashlib.sha256(f"{programs} {module}".encode()).hexdigest()


def lockable(plan: Plan) -> dict[str, Any]:
    """What a lock says of a build: its source, its environment, and all that its id is made of."""
    inputs = asdict(plan.inputs)
    toolchain = inputs.pop("toolchain")
    root = plan.options.environment.consists_of()
    return {
        "build": {
            "id": plan.build_id,
            "compression": plan.options.compression,
            "signers": plan.manifest.get("signers", {}),
            "syscalls": plan.manifest["syscalls"],
            **inputs,
        },
        "source": plan.manifest["source"],
        "environment": {
            "toolchain": toolchain,
            **({"root": build_root.locked(root)} if root else {}),
        },
    }


def needed_programs(plan: Plan) -> list[str]:
    wanted = list(PROGRAMS)
    wanted += [
        name for symbol, name in PROGRAMS_BY_SYMBOL.items() if plan.config.get(symbol) == "y"
    ]
    if (plan.options.tree / "scripts" / "package" / "debian" / "rules").exists():
        wanted.append("dh_builddeb")
    return sorted({*wanted, *plan.options.keys.programs()})


def missing_programs(plan: Plan, find: Callable[[str], Optional[str]]) -> list[str]:
    """Programs that this build needs and the host has not."""
    wanted = needed_programs(plan) + (["ccache"] if plan.options.ccache else [])
    return sorted(name for name in wanted if not find(name))


def refusal(plan: Plan, find: Callable[[str], Optional[str]]) -> Optional[str]:
    """Why this build cannot succeed, found before it takes its minutes."""
    missing = missing_programs(plan, find)
    if missing and plan.options.environment is not HOST:
        return (
            f"the build root lacks {', '.join(missing)}, which this configuration needs: add the "
            "packages to dependencies_extra_packages"
        )
    if missing:
        hint = " (or set build_ccache: false)" if missing == ["ccache"] else ""
        return (
            f"the builder lacks {', '.join(missing)}, which this configuration needs: "
            f"run the role dependencies{hint}"
        )
    left_out = [
        f"{call.name} (CONFIG_{call.kconfig}={plan.config.get(f'CONFIG_{call.kconfig}', 'n')})"
        for call in plan.syscalls
        if plan.config.get(f"CONFIG_{call.kconfig}") != "y"
    ]
    if left_out:
        return (
            "the configuration leaves out what patch_syscalls or patch_syscalls_extra lists: "
            f"{', '.join(left_out)}. Run the role config, which says why"
        )
    if plan.options.debug_package and plan.config.get("CONFIG_DEBUG_INFO") != "y":
        return (
            "build_debug_package is set, but the configuration makes no debug information "
            "(CONFIG_DEBUG_INFO): set config_debug_info, or build_debug_package: false"
        )
    if plan.options.modules_source and plan.config.get("CONFIG_MODULES") != "y":
        return (
            "build_modules_source is set, but the configuration has no CONFIG_MODULES=y: "
            "enable it with config_options, or set build_modules_source to an empty string"
        )
    return _refused_in_root(plan.options) or signing.refusal(plan.config, plan.options.keys)


def _refused_in_root(options: Options) -> Optional[str]:
    """What a build root does not have: a network, and programs that read a process's memory."""
    if options.environment is HOST:
        return None
    names = {
        "build_ccache_remote": options.remote.ccache_remote,
        "build_distribute": options.remote.program,
        "build_module_signing_key": options.keys.certificate("modules"),
        "build_image_signing_key": options.keys.certificate("image"),
    }
    given = [name for name, value in names.items() if value]
    if not given:
        return None
    return (
        f"{' and '.join(given)} cannot be used in a build root: set build_environment: host, or "
        "leave it empty"
    )


# --- the store ---------------------------------------------------------------------------------


def stored(store: Path, build_id: str) -> Optional[dict[str, Any]]:
    """The result of a finished build; None unless all of its files are there, unaltered."""
    directory = store / build_id
    result = json_file.read(directory / RESULT)
    if result is None or result.get("build_id") != build_id or not result.get("packages"):
        return None
    beside = [result[name] for name in ("files", "buildinfo", "signatures") if result.get(name)]
    for made in [*result["packages"].values(), *beside]:
        path = directory / made["file"]
        if not path.is_file() or bounded_read.sha256(path) != made["sha256"]:
            return None
    # A store may have been moved or mounted elsewhere since.
    return {**result, "store": str(directory), "compiled": False}


def contract(record: Mapping[str, Any]) -> dict[str, Any]:
    """A build's result without what the store keeps for the curious."""
    return {
        k: v for k, v in record.items() if k not in ("inputs", "seconds", "cpu_seconds", "command")
    }


def describe_packages(directory: Path) -> dict[str, dict[str, Any]]:
    """Package name → its file (relative to the store), checksum and size in bytes."""
    return {
        path.name.split("_", 1)[0]: {
            "file": path.name,
            "sha256": bounded_read.sha256(path),
            "size": path.stat().st_size,
        }
        for path in sorted(directory.glob("*.deb"))
    }


# --- how it is called --------------------------------------------------------------------------


def compiler(options: Options) -> str:
    return remote_compilation.wrapper(options.remote, options.ccache) + "gcc"


def program_path(inherited: Mapping[str, str]) -> str:
    return inherited.get("PATH", "/usr/local/bin:/usr/bin:/bin") + ":/usr/sbin:/sbin"


def environment(plan: Plan, inherited: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of the build: nothing of the user's shell gets in but PATH and HOME."""
    options = plan.options
    epoch = plan.inputs.source_date_epoch
    values = {
        "PATH": f"{reproducible.directory(options.work)}:{program_path(inherited)}",
        # Kconfig asks compilers for their version, also rustup's, which are found by HOME only: the
        # configuration was made with this one, and another would change it in the build.
        "HOME": inherited.get("HOME", "/"),
        **reproducible.environment(
            options.tree, options.work, plan.config, epoch, plan.inputs.source_sha256
        ),
        "KDEB_PKGVERSION": plan.version,
        "KDEB_CHANGELOG_DIST": "stable",
        "KDEB_COMPRESS": options.compression,
        "DPKG_DEB_COMPRESSOR_TYPE": options.compression,
        "DPKG_DEB_COMPRESSOR_LEVEL": LEVELS[options.compression],
        "DEBFULLNAME": "oslab.kernel",
        "DEBEMAIL": "oslab@localhost",
    }
    if not options.debug_package:
        values["DEB_BUILD_PROFILES"] = "pkg.linux-upstream.nokerneldbg"
        # Otherwise builddeb does it; that of 6.1 takes the symbols out of what is installed.
        values["INSTALL_MOD_STRIP"] = "1"
    values.update(remote_compilation.environment(options.remote, options.ccache, options.work))
    if options.ccache:
        tools = "\n".join(f"{name} {plan.inputs.toolchain[name]}" for name in COMPILERS)
        tools += options.environment.compilers()
        values.update(
            CCACHE_DIR=str(options.ccache_dir or options.work / "ccache"),
            CCACHE_MAXSIZE=options.ccache_size,
            # Each header is hashed once, not for each of the hundreds of files that include it.
            CCACHE_INODECACHE="1",
            CCACHE_COMPRESSLEVEL="1",
            # ccache knows the compiler, but not the assembler that it calls.
            CCACHE_NAMESPACE=hashlib.sha256(tools.encode()).hexdigest()[:12],
        )
        if not options.ccache_preprocess:
            # The compiler's own list of headers instead of a second preprocessor run.
            values["CCACHE_DEPEND"] = "1"
    return values


def make_variables(options: Options, values: Mapping[str, str]) -> list[str]:
    # Both, and alike: where they differ the headers package compiles its programs once more.
    programs = [f"CC={compiler(options)}", f"HOSTCC={compiler(options)}"]
    return [*programs, *reproducible.make_arguments(options.make_args, values)]


def package_command(options: Options, values: Mapping[str, str]) -> list[str]:
    """`values`: the environment, whose flags go together with the user's."""
    return ["make", f"-j{options.job_count}", "bindeb-pkg", *make_variables(options, values)]


def objects_command(
    options: Options, values: Mapping[str, str], objects: Sequence[str]
) -> list[str]:
    """As `package_command`, of some objects alone."""
    return ["make", f"-j{options.job_count}", *objects, *make_variables(options, values)]


def own_objects(plan: Plan) -> list[str]:
    """The objects of the user's syscalls that are not compiled, or older than their source."""
    return [call.object for call in plan.syscalls if call.own and not _is_made(plan, call)]


def _is_made(plan: Plan, call: patch_record.Added) -> bool:
    made = plan.options.tree / call.object
    source = made.with_name(call.source)
    record = made.with_name(f".{made.name}.cmd")  # without it kbuild compiles again, too
    try:
        return record.is_file() and made.stat().st_mtime >= source.stat().st_mtime
    except OSError:
        return False


def modules_command(
    options: Options, values: Mapping[str, str], directory: Path, *goal: str
) -> list[str]:
    head = ["make", f"-j{options.job_count}", f"M={directory}"]
    return [*head, *goal, *make_variables(options, values)]


def shell_command(
    argv: Sequence[str], directory: Path, values: Mapping[str, str], where: Environment = HOST
) -> str:
    """The line to paste into a shell in order to run a step by hand."""
    shown = {
        name: value for name, value in values.items() if name not in remote_compilation.UNSHOWN
    }
    return where.shell_command(argv, directory, shown)
