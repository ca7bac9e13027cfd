# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""On the control node: do enough known keys vouch for the build that a host is to install?"""

from __future__ import annotations

import functools
import subprocess
from collections.abc import Mapping, Sequence

from ansible.errors import AnsibleFilterError
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    NOT_FOUND,
    Result,
    locale_environment,
)
from ansible_collections.oslab.kernel.plugins.module_utils._repository import attestations
from ansible_collections.oslab.kernel.plugins.module_utils._repository.attestations import (
    AttestationsError,
    Build,
    Verdict,
)

#: Seconds that gpgv may take for an attestation.
LONGEST = 60


def _run(argv: Sequence[str]) -> Result:
    try:
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=LONGEST,
            check=False,
            env=locale_environment(),
        )
    except FileNotFoundError as error:
        raise AnsibleFilterError(
            f"the control node has no {argv[0]}, which checks attestations "
            "(install_required_rebuilds): install it"
        ) from error
    except subprocess.TimeoutExpired:
        return Result(NOT_FOUND, "", f"{argv[0]} took more than {LONGEST} s")
    return Result(
        done.returncode,
        done.stdout.decode("utf-8", "replace"),
        done.stderr.decode(errors="replace"),
    )


# A task may evaluate its condition and its message, and both ask.
@functools.lru_cache(maxsize=8)
def _judged(
    texts: tuple[str, ...],
    keys: tuple[str, ...],
    build_id: str,
    packages: tuple[tuple[str, str], ...],
) -> Verdict:
    return attestations.judge(_run, texts, keys, Build(build_id, dict(packages)))


def refusal(
    texts: Sequence[str],
    host: str,
    required: int,
    keys: Sequence[str],
    build_id: str,
    packages: Mapping[str, str],
) -> str:
    """Why the host does not take the build; empty if enough known keys vouch for it."""
    if required <= 0:
        return ""
    asked = tuple(map(str, texts)), tuple(map(str, keys))
    sums = tuple(sorted((str(name), str(sha256)) for name, sha256 in packages.items()))
    try:
        verdict = _judged(*asked, str(build_id), sums)
    except (AttestationsError, OSError) as error:
        raise AnsibleFilterError(f"attestations of {host} cannot be checked: {error}") from error
    return attestations.refusal(verdict, required, str(build_id), host)
