# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import gzip
import lzma
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._smoke import contents

RELEASE = "6.8.0-49-usac1"


def module(*needs: str) -> bytes:
    """As modinfo reads it: lines that end with a NUL."""
    return b"\x7fELF license=GPL\0depends=" + ",".join(needs).encode() + b"\0name=x\0code"


def package(store: Path, name: str, files: dict[str, bytes]) -> dict[str, str]:
    root = store / "root" / name
    (root / "DEBIAN").mkdir(parents=True)
    fields = {"Package": name, "Version": "1", "Architecture": "amd64", "Maintainer": "a <a@b>"}
    text = "".join(f"{field}: {value}\n" for field, value in fields.items())
    (root / "DEBIAN/control").write_text(f"{text}Description: x\n")
    for path, data in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(data)
    subprocess.run(
        ["dpkg-deb", "-Znone", "--build", str(root), str(store / f"{name}.deb")],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    return {"file": f"{name}.deb"}


def build(
    store: Path, image: dict[str, bytes], own: dict[str, bytes] | None = None, **tools: bytes
) -> dict[str, Any]:
    packages = {f"linux-image-{RELEASE}": package(store, f"linux-image-{RELEASE}", image)}
    if own:
        name = f"linux-modules-oslab-{RELEASE}"
        packages[name] = package(store, name, own)
    if tools:
        files = {f"usr/bin/{name}": data for name, data in tools.items()}
        packages["oslab-kernel-tools"] = package(store, "oslab-kernel-tools", files)
    return {"release": RELEASE, "packages": packages, "manifest": {"release": RELEASE}}


IMAGE = {
    f"boot/vmlinuz-{RELEASE}": b"bzImage",
    f"boot/config-{RELEASE}": b"CONFIG_X86_64=y\n# CONFIG_PRINTK is not set\n",
    f"lib/modules/{RELEASE}/kernel/fs/base-lib.ko.xz": lzma.compress(module("deepest")),
    f"lib/modules/{RELEASE}/kernel/fs/deepest.ko.gz": gzip.compress(module()),
    f"lib/modules/{RELEASE}/kernel/fs/unused.ko": module(),
    f"lib/modules/{RELEASE}/modules.dep": b"",
}


def test_a_build(tmp_path: Path) -> None:
    extra = f"lib/modules/{RELEASE}/extra/oslab"
    own = {f"{extra}/a.ko": module("base_lib", "z", "builtin"), f"{extra}/z.ko": module()}
    found = contents.read(tmp_path, build(tmp_path, IMAGE, own, tool=b"#!"))
    assert found.image == b"bzImage"
    assert found.config == {"X86_64": "y", "PRINTK": "n"}
    # Those that are needed come first, also those of the image's package.
    assert list(found.modules) == ["deepest", "base_lib", "z", "a"]
    assert found.modules["deepest"] == module()
    assert found.programs == {"tool": b"#!"}


def test_a_build_without_modules_and_programs(tmp_path: Path) -> None:
    found = contents.read(tmp_path, build(tmp_path, IMAGE))
    assert (found.modules, found.programs) == ({}, {})


def test_zstd() -> None:
    data = subprocess.run(["zstd", "-q", "-c"], input=module("x"), capture_output=True, check=True)
    assert contents.expanded("a.ko.zst", data.stdout) == module("x")


@pytest.mark.parametrize("name", ["a.ko.gz", "a.ko.xz", "a.ko.zst"])
def test_a_damaged_module_is_named(name: str) -> None:
    with pytest.raises(contents.ContentsError, match=rf"{name} cannot be decompressed"):
        contents.expanded(name, b"damaged")


def test_a_package_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    made = build(tmp_path, {f"boot/vmlinuz-{RELEASE}": b""})
    with pytest.raises(contents.ContentsError, match=f"has no /boot/config-{RELEASE}"):
        contents.read(tmp_path, made)
    (tmp_path / f"linux-image-{RELEASE}.deb").write_bytes(b"damaged")
    with pytest.raises(contents.ContentsError, match="cannot be read"):
        contents.read(tmp_path, made)
    with pytest.raises(contents.ContentsError, match="has no linux-image"):
        contents.read(tmp_path, {**made, "packages": {}})


def test_modules_that_need_each_other_come_to_an_end() -> None:
    ordered = contents.in_order({"a": module("b"), "b": module("a")})
    assert sorted(ordered) == ["a", "b"]


@pytest.mark.parametrize("symbol", list(contents.NEEDED))
def test_what_the_configuration_lacks_is_named(symbol: str) -> None:
    config = dict.fromkeys(contents.NEEDED, "y")
    assert contents.lacking(config) == ""
    assert f"no CONFIG_{symbol}, and " in contents.lacking({**config, symbol: "m"})


@pytest.mark.parametrize("symbol", list(contents.UNUSABLE))
def test_what_the_configuration_must_not_have_is_named(symbol: str) -> None:
    config = dict.fromkeys(contents.NEEDED, "y")
    assert f"has CONFIG_{symbol}, so " in contents.lacking({**config, symbol: "y"})
