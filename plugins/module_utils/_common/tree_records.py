# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The records in a kernel tree: what a role did to it, for the roles that come after.

Two files are the contract between roles. Every other file in the directory belongs to one role.

`.oslab/source.json`, written by the role source once the whole tree is on the disk; read by
version, patch and build. Without it the tree was not made by the role and is never replaced.

    version            VERSION.PATCHLEVEL.SUBLEVEL of the stock tree, and -rcN of a candidate
    sha256             checksum of the tarball, or of the archive that git makes of a commit
    provider, tarball  source_provider and the file's name, which is empty for a commit
    commit             of the git repository; absent for a tarball
    signed_by          fingerprint of the key that signed the tarball, tag or commit; or empty
    source_date_epoch  the time that the build states instead of the clock's

`.oslab/patch.json`, written by the role patch before and after it changes files; read by config
and build. A tree without it is not patched.

    sysname, banner    as the manifest has them
    syscalls           name -> number of each syscall that was added
    entries            the same syscalls, with what `_patch/record.py` names
    patches            name and sha256 of each patch, in their order
    sha256             checksum of all files that were touched; empty while they are being changed
    created            files that the stock tree does not have (the role patch's own)
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import json_file

DIRECTORY = Path(".oslab")
SOURCE = DIRECTORY / "source.json"
PATCH = DIRECTORY / "patch.json"
# Stock texts of the files that the role patch changes.
PRISTINE = DIRECTORY / "pristine"
# Of the role config: what the configuration was made from, and what Kconfig refused.
KCONFIG = DIRECTORY / "kconfig.json"
KCONFIG_REFUSED = DIRECTORY / "kconfig-refused.txt"


def source(tree: Path) -> Optional[dict[str, Any]]:
    """What the tree was unpacked from; None if it is not there, or was not made by the role."""
    return json_file.read(tree / SOURCE)
