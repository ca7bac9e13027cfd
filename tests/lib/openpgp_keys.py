# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""OpenPGP keys in GnuPG homes of their own, and what they sign; for tests only."""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._build import rebuild
from ansible_collections.oslab.kernel.plugins.module_utils._build.published import Published
from ansible_collections.oslab.kernel.plugins.module_utils._common import json_file
from ansible_collections.oslab.kernel.plugins.module_utils._source import openpgp


class Key:
    """A key that signs, without a passphrase."""

    def __init__(self, home: Path) -> None:
        home.mkdir(mode=0o700)
        self.home = home
        made = ("--passphrase", "", "--quick-generate-key", home.name, "ed25519", "sign", "never")
        self.gpg(*made)
        self.public = self.gpg("--armor", "--export")
        self.fingerprint = openpgp.fingerprint_of(self.public)

    def gpg(self, *arguments: str, text: str = "") -> str:
        return subprocess.run(
            ["gpg", "--batch", "--quiet", "--homedir", str(self.home), *arguments],
            input=text,
            capture_output=True,
            text=True,
            check=True,
        ).stdout

    def clearsign(self, text: str) -> str:
        return self.gpg("--digest-algo", "SHA512", "--clearsign", text=text)

    def attest(self, build_id: str, packages: Mapping[str, str], failed: bool = False) -> str:
        """A signed attestation of a rebuild."""
        build = Published(build_id, {}, packages, "d" * 64)
        unequal = [rebuild.Unequal(next(iter(packages)), "", "")] if failed else []
        return self.clearsign(json_file.encode(rebuild.statement(build, unequal)))

    def close(self) -> None:
        argv = ["gpgconf", "--homedir", str(self.home), "--kill", "all"]
        subprocess.run(argv, check=False)


@contextlib.contextmanager
def keys(*names: str) -> Iterator[list[Key]]:
    """One of each name. gpg-agent's socket has a path of at most 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="oslab") as directory, contextlib.ExitStack() as stack:
        found: list[Any] = []
        for name in names:
            key = Key(Path(directory, name))
            stack.callback(key.close)
            found.append(key)
        yield found
