# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whose signatures a host takes from the kernel's repository."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable

from ansible_collections.oslab.kernel.plugins.module_utils._common.openpgp_key import (
    primary_fingerprints,
)
from ansible_collections.oslab.kernel.plugins.module_utils._source.openpgp import (
    SignatureError,
    dearmor,
)

#: Bytes of a source file. One of ours has some KiB.
LIMIT = 256 << 10
_SIGNED_BY = re.compile(r"^Signed-By:[ \t]*(\S+)", re.MULTILINE | re.IGNORECASE)


def _trusted(source: str) -> tuple[list[str], str]:
    """Fingerprints of the keys in a .sources file, and what else there is in their place."""
    lines = [line[1:] if line.startswith(" ") else line for line in source.splitlines()]
    text = "\n".join("" if line == "." else line for line in lines)
    named = [word for word in _SIGNED_BY.findall(source) if word.startswith("/")]
    if named:
        return [], f"the file {named[0]}"
    if "BEGIN PGP" not in text:
        return [], ""
    try:
        return primary_fingerprints(dearmor(text)), "a key that cannot be read"
    except (SignatureError, ValueError):
        return [], "a key that cannot be read"


def _shown(fingerprints: Iterable[str]) -> str:
    return ", ".join(fingerprints)


def key_problem(content: str, key: str, host: str, path: str) -> str:
    """Why `key` may not replace the one that a host trusts; empty if it may, or is the same.

    `content`: the source file on the host, in base64 as slurp returns it. It is the host's.
    """
    data = base64.b64decode(content)
    if len(data) > LIMIT:
        return (
            f"{host}: {path} is longer than {LIMIT >> 10} KiB, so it is no source of the kernel's "
            "repository. Nothing was changed. See who wrote it, and remove it."
        )
    source = data.decode("utf-8", errors="replace")
    trusted, otherwise = _trusted(source)
    try:
        wanted = primary_fingerprints(dearmor(key))
    except (SignatureError, ValueError) as error:
        return f"{host}: install_repository_key is not a public key: {error}."
    if sorted(trusted) == sorted(wanted) or not (trusted or otherwise):
        return ""
    return (
        f"{host} trusts {_shown(trusted) or otherwise} for the kernel's repository ({path}), and "
        f"install_repository_key is {_shown(wanted)}. Nothing was changed. If the repository got "
        "another key on purpose, set install_replace_repository_key to true for one run; if not, "
        "somebody may have taken the place of the repository or of its builder."
    )
