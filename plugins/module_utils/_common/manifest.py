# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The manifest of a kernel: which build it is, what it was made from, and its syscalls' numbers.

The image package installs it as /lib/modules/RELEASE/oslab-kernel.json. It is a contract with the
programs in files/kernel/tools, with `_verify/syscalls.py` and with the users' own programs:

    schema          1
    release         what `uname -r` says
    version         the Debian version of the packages
    build_id        64 digits, the identity of the build; `version` ends with the first 12
    sysname         what `uname -s` says
    banner          the boot message; empty if there is none
    syscalls        name -> number, of the syscalls that were added
    not_called      names of syscalls that verify must not call; absent if there are none
    source          version, sha256 and signed_by (fingerprint, or empty) of the tarball; of a git
                    repository commit as well
    patches         name and sha256 of each patch, in their order
    config_sha256, modules_sha256, tools_sha256
                    checksums of the configuration, the modules and the programs
    toolchain       program -> the version that it states
    make_args       the user's arguments of make
    signers         certificates that sign the modules and the image; absent if there are none
    compression     of the packages; absent if it is zstd
    build_root      id, suite, architecture and packages (name -> version) of the root file system
                    that it was built in; absent if that was the builder's own
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import atomic_file, json_file

# In the source tree while it is built, in the store beside the packages, and on hosts.
NAME = "oslab-kernel.json"
SCHEMA = 1
_MODULES = Path("lib/modules")


def path(release: str, root: Path = Path("/")) -> Path:
    """Of the kernel with this release, on the host whose file system is at `root`."""
    return root / _MODULES / release / NAME


def find(root: Path = Path("/")) -> Iterator[Path]:
    """The manifests of all kernels on a host."""
    return (root / _MODULES).glob(f"*/{NAME}")


def read(release: str, root: Path = Path("/")) -> Optional[dict[str, Any]]:
    """None if there is none, or something else."""
    return json_file.read(path(release, root))


def write(directory: Path, manifest: Mapping[str, Any]) -> None:
    """Into a source tree, from where the kernel's own rule installs it."""
    # A banner may have letters of any script, which people are to read there.
    text = json_file.encode(manifest, ascii_only=False)
    atomic_file.write(directory / NAME, text, 0o644)
