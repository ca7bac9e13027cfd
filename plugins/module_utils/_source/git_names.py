# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Addresses of git repositories, and names of what is in them, as a user may give them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common.plain_text import account_problem

COMMIT, TAG, BRANCH = "commit", "tag", "branch"
VERIFY_TAG, VERIFY_COMMIT, VERIFY_NONE = VERIFY = ("tag", "commit", "none")

HEX = re.compile(r"[0-9a-f]{40}")
_HEX_ANY_CASE = re.compile(r"[0-9A-Fa-f]{40}")
_NETWORK = re.compile(r"(https|git)://([^/\s]+)(/\S*)")
_HOST = re.compile(r"(?:[A-Za-z0-9_][A-Za-z0-9_.-]*|\[[0-9A-Fa-f:.]+\])(?::[0-9]{1,5})?")
_LOCAL = re.compile(r"(?:file://)?(/[^\x00-\x1f\x7f]*)")
_NAME = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.+@/-]*")
_LONGEST = 200
_PREFIXES = {TAG: "refs/tags/", BRANCH: "refs/heads/"}


@dataclass(frozen=True)
class Address:
    """`url`: for git. `protocol`: https, git or file. `path`: of a repository on this machine."""

    url: str
    protocol: str
    path: Optional[Path] = None


@dataclass(frozen=True)
class Ref:
    """`kind`: commit, tag or branch; empty for a short name, which is that of a tag or a branch."""

    kind: str
    name: str

    @property
    def full(self) -> str:
        """Of a tag or a branch, in its repository."""
        return f"{_PREFIXES[self.kind]}{self.name}"


def url_problem(url: str) -> str:
    """What is wrong with an address; empty if nothing is. No secret is repeated."""
    network = _NETWORK.fullmatch(url)
    account = account_problem(url, "a clone on the builder (/path or file:///path)")
    if account:
        return account
    if network and ("?" in url or "#" in url):
        return "it has a part behind ? or #, which no repository has: remove that"
    if (network and _HOST.fullmatch(network[2])) or _LOCAL.fullmatch(url):
        return ""
    return (
        "it has to be https://HOST/PATH, git://HOST/PATH, or the absolute path of a repository on "
        "the builder (/path or file:///path)"
    )


def address(url: str) -> Address:
    """Raises ValueError with what is wrong."""
    problem = url_problem(url)
    if problem:
        raise ValueError(problem)
    local = _LOCAL.fullmatch(url)
    if local:
        return Address(local[1], "file", Path(local[1]))
    return Address(url, url.partition(":")[0])


def ref_problem(text: str) -> str:
    """What is wrong with the name of a tag, branch or commit; empty if nothing is."""
    parts = text.split("/")
    if (
        _NAME.fullmatch(text)
        and len(text) <= _LONGEST
        and ".." not in text
        and text not in ("HEAD", *_PREFIXES.values())
        and (parts[0] != "refs" or text.startswith(tuple(_PREFIXES.values())))
        and not any(
            not part or part.startswith((".", "-")) or part.endswith((".", ".lock"))
            for part in parts
        )
    ):
        return ""
    return (
        "it has to be a tag (v6.12), a branch (refs/heads/NAME if a tag has the same name) or all "
        "40 hexadecimal digits of a commit"
    )


def ref(text: str) -> Ref:
    """Raises ValueError with what is wrong."""
    problem = ref_problem(text)
    if problem:
        raise ValueError(problem)
    if _HEX_ANY_CASE.fullmatch(text):
        return Ref(COMMIT, text.lower())
    for kind, prefix in _PREFIXES.items():
        if text.startswith(prefix):
            return Ref(kind, text[len(prefix) :])
    return Ref("", text)


def verify_problem(text: str, verify: str) -> str:
    """Whether what `ref` names can have no signature of that kind; empty if it can."""
    kind = ref(text).kind
    if verify != VERIFY_TAG or kind in ("", TAG):
        return ""
    return (
        f"source_git_verify is tag, but source_git_ref names a {kind}: name a signed tag, or set "
        "source_git_verify to commit (the commit has to be signed) or to none"
    )
