# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Attach detached signatures to the image and the modules of a package, which is made anew.

The result depends on the unsigned package and on the signatures alone: no key, no clock.
"""

from __future__ import annotations

import hashlib
import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Callable

from ansible_collections.oslab.kernel.plugins.module_utils._build import (
    deb,
    module_file,
    module_signature,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    FullRunner,
    required_output,
)

PROGRAM = "sbattach"
_SIZE = re.compile(r"^Installed-Size: (\d+)$", re.MULTILINE)
_KIB = 1024


class AttachError(Exception):
    """A signature cannot be attached; the message names the file or the program."""


@dataclass(frozen=True)
class Unpacked:
    """A package and the directory with its files."""

    package: Path
    root: Path

    def relative(self, path: Path) -> str:
        return path.relative_to(self.root).as_posix()

    def signable(self, *, image: bool, modules: bool) -> Iterator[Path]:
        """The files that signatures are for, in the order of their names."""
        for path in sorted(self.root.rglob("*")):
            if path.is_symlink() or not path.is_file():
                continue
            name = self.relative(path)
            if (modules and module_file.is_module(name)) or (image and is_image(name)):
                yield path


def is_image(name: str) -> bool:
    return name.startswith("boot/vmlinuz-")


def has_signable(package: Path) -> bool:
    """Whether a package may have an image or modules: others are left as they are."""
    name = package.name.split("_")[0]
    return name.startswith(("linux-image-", "linux-modules-")) and not name.endswith("-dbg")


def unpack(package: Path, root: Path, run: FullRunner) -> Unpacked:
    """Raises AttachError."""
    shutil.rmtree(root, ignore_errors=True)
    argv = ["dpkg-deb", "--raw-extract", str(package), str(root)]
    required_output(run, argv, AttachError)
    return Unpacked(package, root)


def _attached(path: Path, name: str, signature: bytes, run: FullRunner) -> None:
    if not is_image(name):
        module = module_file.unpack(name, path.read_bytes())
        path.write_bytes(module_file.pack(name, module_signature.attach(module, signature)))
        return
    detached = path.with_name(f"{path.name}.oslab-signature")
    try:
        detached.write_bytes(signature)
        required_output(run, [PROGRAM, "--attach", str(detached), str(path)], AttachError)
    finally:
        detached.unlink(missing_ok=True)


def attach(unpacked: Unpacked, signatures: Mapping[str, bytes], run: FullRunner) -> int:
    """Change the files that have a signature, and what the package says of them.

    Returned is how many these are. What differs from the package that was signed gets the
    signatures all the same: a comparison then names it. Raises AttachError and ModuleFileError.
    """
    grown, sums = 0, {}
    for path in unpacked.signable(image=True, modules=True):
        name = unpacked.relative(path)
        if name not in signatures:
            continue
        before = path.stat().st_size
        _attached(path, name, signatures[name], run)
        content = path.read_bytes()
        grown += _kib(len(content)) - _kib(before)
        # dpkg's format; it detects accidents, not against people.
        sums[name] = hashlib.md5(content, usedforsecurity=False).hexdigest()
    control = unpacked.root / "DEBIAN/control"
    _edit(control, lambda text: _SIZE.sub(lambda size: _grown(size, grown), text))
    _edit(unpacked.root / "DEBIAN/md5sums", lambda text: _summed(text, sums))
    return len(sums)


def _kib(size: int) -> int:
    """As dpkg-gencontrol counts a file for Installed-Size."""
    return -(-size // _KIB)


def _grown(size: re.Match[str], grown: int) -> str:
    return f"Installed-Size: {int(size[1]) + grown}"


def _summed(text: str, sums: Mapping[str, str]) -> str:
    lines = []
    for line in text.splitlines(True):
        name = line[34:].rstrip("\n")
        lines.append(f"{sums[name]}  {name}\n" if name in sums else line)
    return "".join(lines)


def _edit(path: Path, change: Callable[[str], str]) -> None:
    """Keeps the mode. A package need not have such a file."""
    if path.is_file():
        text = path.read_text(encoding="utf-8")
        path.write_text(change(text), encoding="utf-8")


def repack(unpacked: Unpacked, run: FullRunner, environment: Mapping[str, str]) -> None:
    """Replace the package. Raises AttachError."""
    new = unpacked.root.with_name(f"{unpacked.root.name}.deb")
    argv = ["dpkg-deb", "--root-owner-group", *deb.compression(environment)]
    argv += ["--build", str(unpacked.root), str(new)]
    required_output(lambda argv: run(argv, None, environment), argv, AttachError)
    new.replace(unpacked.package)
    shutil.rmtree(unpacked.root)
