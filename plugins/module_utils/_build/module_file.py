# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Files of modules in a package, which may be compressed: `.ko`, `.ko.xz`, `.ko.gz`, `.ko.zst`."""

from __future__ import annotations

import gzip
import lzma
import os
import subprocess
from collections.abc import Sequence
from pathlib import PurePosixPath

from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    LOCALE,
    output_summary,
)

ZSTD = ("zstd", "--decompress", "--stdout", "--quiet")
# As kbuild does it (scripts/Makefile.modinst). The kernel itself unpacks no other check of xz.
PACKERS = {
    ".gz": ("gzip", "--no-name", "--stdout"),
    ".xz": ("xz", "--check=crc32", "--lzma2=dict=1MiB", "--threads=1", "--stdout"),
    ".zst": ("zstd", "--single-thread", "--stdout", "--quiet"),
}


class ModuleFileError(Exception):
    """A module cannot be unpacked or packed; the message names it and the program."""


def is_module(path: str) -> bool:
    """Whether a path in a package is that of a module."""
    return "lib/modules/" in path and ".ko" in PurePosixPath(path).suffixes


def _filter(name: str, argv: Sequence[str], content: bytes) -> bytes:
    # Nothing of a user's settings, such as XZ_DEFAULTS.
    environment = {"PATH": os.environ.get("PATH", os.defpath), **LOCALE}
    try:
        done = subprocess.run(
            argv, input=content, capture_output=True, env=environment, check=False
        )
    except OSError as error:
        raise ModuleFileError(f"{name}: {argv[0]} cannot be run: {error.strerror}") from error
    if done.returncode != 0:
        raise ModuleFileError(
            f"{name}: {' '.join(argv)} failed ({done.returncode}): "
            f"{output_summary('', done.stderr.decode(errors='replace'))}"
        )
    return done.stdout


def unpack(name: str, content: bytes) -> bytes:
    """The module in a file. Raises ModuleFileError."""
    try:
        if name.endswith(".xz"):
            return lzma.decompress(content)
        if name.endswith(".gz"):
            return gzip.decompress(content)
    except (OSError, EOFError, lzma.LZMAError) as error:
        raise ModuleFileError(f"{name} cannot be unpacked: {error}") from error
    return _filter(name, ZSTD, content) if name.endswith(".zst") else content


def pack(name: str, module: bytes) -> bytes:
    """The file of a module: the same bytes for the same module. Raises ModuleFileError."""
    argv = PACKERS.get(PurePosixPath(name).suffix)
    return _filter(name, argv, module) if argv else module
