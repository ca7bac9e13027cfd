# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The status lines of gpg and gpgv, as `--status-fd` prints them."""

from __future__ import annotations

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read

# Fields of VALIDSIG: the digest, and the fingerprint of the primary key.
DIGEST, PRIMARY_KEY = 7, 9


def signatures(status: str) -> list[dict[str, list[str]]]:
    """The lines of each signature, as keyword and fields; those before the first one come first."""
    found: list[dict[str, list[str]]] = [{}]
    # Names and notations stand in these lines as the signer wrote them, also with other white
    # space than a line's own.
    for line in bounded_read.lines(status):
        words = bounded_read.words(line.rstrip("\r"))
        if len(words) < 2 or words[0] != "[GNUPG:]":
            continue
        if words[1] == "NEWSIG":
            found.append({})
        found[-1][words[1]] = words[2:]
    return found
