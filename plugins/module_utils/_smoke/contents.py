# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What of a build's packages its smoke test needs: kernel, configuration, modules and programs."""

from __future__ import annotations

import gzip
import lzma
import re
import subprocess
import tarfile
import zlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, Callable

from ansible_collections.oslab.kernel.plugins.module_utils._build import deb
from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    kernel_config,
    own_packages,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    locale_environment,
    output_summary,
)

# Bytes of a file in a package: an image with all of a distribution's drivers has some 100 MiB.
LIMIT = 512 << 20
# What of the kernel the test cannot do without, and what for.
NEEDED = {
    "X86_64": "the test is for x86-64",
    "SERIAL_8250_CONSOLE": "a serial console has to show what the kernel reports",
    "PRINTK": "a serial console has to show what the kernel reports",
    "BLK_DEV_INITRD": "an initrd has the programs of the test",
    "BINFMT_ELF": "an initrd has the programs of the test",
    "PROC_FS": "the test reads /proc",
}

# What no kernel of the test may have: it would not get what it is given.
UNUSABLE = {
    "CMDLINE_OVERRIDE": "its command line cannot be set",
    "INITRAMFS_FORCE": "it takes no other initrd",
}

_MODULE = re.compile(r"(?:usr/)?lib/modules/[^/]+/.+\.ko(?:\.(?:gz|xz|zst))?")
# A line of the section .modinfo: each ends with a NUL.
_DEPENDS = re.compile(rb"\0depends=([\w,-]*)\0")
# Modules that need modules that need modules; each round reads the image's package once.
_ROUNDS = 8


class ContentsError(Exception):
    """A package of the build cannot be read; the message says which and why."""


@dataclass(frozen=True)
class Contents:
    """What the test boots and runs."""

    image: bytes
    #: Symbol without CONFIG_ → value.
    config: Mapping[str, str]
    #: Name → contents, of the build's own modules and those that they need; in an order in which
    #: they can be loaded.
    modules: Mapping[str, bytes]
    #: Name → contents, of the programs in /usr/bin.
    programs: Mapping[str, bytes]
    manifest: Mapping[str, Any]


def lacking(config: Mapping[str, str]) -> str:
    """Why a kernel of this configuration cannot be tested; empty if it can."""
    for symbol, why in NEEDED.items():
        if config.get(symbol) != "y":
            return f"the kernel's configuration has no CONFIG_{symbol}, and {why}"
    for symbol, why in UNUSABLE.items():
        if config.get(symbol) == "y":
            return f"the kernel's configuration has CONFIG_{symbol}, so {why}"
    return ""


def files(package: Path, wanted: Callable[[str], bool]) -> dict[str, bytes]:
    """Path without its first slash → contents, of the regular files of a .deb that are wanted."""
    found = {}
    try:
        with (
            deb.contents(package) as stream,
            tarfile.open(fileobj=stream, mode="r|") as tar,
        ):
            for member in tar:
                name = member.name.removeprefix("./")
                if not member.isfile() or not wanted(name):
                    continue
                content = tar.extractfile(member)
                if content is None or member.size > LIMIT:
                    raise ContentsError(f"{package}: {name} is larger than {LIMIT >> 20} MiB")
                found[name] = content.read()
    except deb.PackageError as error:
        raise ContentsError(str(error)) from error
    return found


def module_name(path: str) -> str:
    """As the kernel calls the module in this file."""
    return PurePosixPath(path).name.split(".ko")[0].replace("-", "_")


def expanded(path: str, data: bytes) -> bytes:
    """A module as it was before CONFIG_MODULE_COMPRESS; not every kernel expands it by itself."""
    try:
        if path.endswith(".gz"):
            return gzip.decompress(data)
        if path.endswith(".xz"):
            return lzma.decompress(data)
    except (OSError, EOFError, lzma.LZMAError, zlib.error) as error:
        raise ContentsError(f"{path} cannot be decompressed: {error}") from error
    return _zstd(path, data) if path.endswith(".zst") else data


def _zstd(path: str, data: bytes) -> bytes:
    try:
        done = subprocess.run(
            ["zstd", "--decompress", "--stdout", "--quiet"],
            input=data,
            capture_output=True,
            env=locale_environment(),
            check=False,
            timeout=120,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise ContentsError(f"{path} cannot be decompressed by zstd: {error}") from error
    if done.returncode != 0:
        why = output_summary("", done.stderr.decode(errors="replace"))
        raise ContentsError(f"{path} cannot be decompressed by zstd: {why}")
    return done.stdout


def needs(module: bytes) -> list[str]:
    """The modules that a module names as needed."""
    found = _DEPENDS.search(module)
    names = found[1].decode("ascii", "replace").split(",") if found else []
    return [name.replace("-", "_") for name in names if name]


def _modules(package: Path, names: Sequence[str] = ()) -> dict[str, bytes]:
    """Those of a package: all, or some names."""

    def wanted(path: str) -> bool:
        return bool(_MODULE.fullmatch(path)) and (not names or module_name(path) in names)

    return {
        module_name(path): expanded(path, data) for path, data in files(package, wanted).items()
    }


def in_order(modules: Mapping[str, bytes]) -> dict[str, bytes]:
    """The same, each after those that it needs."""
    ordered: dict[str, bytes] = {}
    entered: set[str] = set()

    def add(name: str) -> None:
        if name not in modules or name in entered:
            return  # built into the kernel; or a circle, which the kernel refuses by itself
        entered.add(name)
        for other in needs(modules[name]):
            add(other)
        ordered[name] = modules[name]

    for name in sorted(modules):
        add(name)
    return ordered


def _with_needed(own: Mapping[str, bytes], image: Path) -> dict[str, bytes]:
    found = dict(own)
    for _round in range(_ROUNDS):
        missing = {other for data in found.values() for other in needs(data)} - found.keys()
        more = _modules(image, sorted(missing)) if missing else {}
        if not more:
            break
        found.update(more)
    return in_order(found)


def read(store: Path, build: Mapping[str, Any]) -> Contents:
    """Of a build in its directory of the store; `build` is its build.json. Raises ContentsError."""
    release, packages = build["release"], build["packages"]

    def package(name: str) -> Path | None:
        return store / packages[name]["file"] if name in packages else None

    image = package(f"linux-image-{release}")
    if image is None:
        raise ContentsError(f"the build in {store} has no linux-image-{release}")
    kernel, config = f"boot/vmlinuz-{release}", f"boot/config-{release}"
    found = files(image, lambda name: name in (kernel, config))
    for name in (kernel, config):
        if name not in found:
            raise ContentsError(f"{image} has no /{name}")
    own = package(f"{own_packages.MODULES}-{release}")
    tools = package(own_packages.TOOLS)
    programs = files(tools, lambda name: name.startswith("usr/bin/")) if tools else {}
    return Contents(
        image=found[kernel],
        config=kernel_config.parse(found[config].decode(errors="replace")),
        modules=_with_needed(_modules(own), image) if own else {},
        programs={PurePosixPath(name).name: data for name, data in programs.items()},
        manifest=build["manifest"],
    )
