# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What apt says."""

from __future__ import annotations

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common.apt_answers import (
    candidate,
    errors,
    removed,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result

TEXT = """\
Reading package lists...
The following packages will be REMOVED:
  b* a:i386*
Remv b [1:2.3] [a:i386 ]
Purg a:i386 [1]
Inst c [1] (2 Debian:12 [amd64])
Conf c (2 Debian:12 [amd64])
"""


def test_what_would_be_removed() -> None:
    assert removed(TEXT) == ["b", "a:i386"]
    assert removed("") == []


def test_what_is_wrong() -> None:
    assert errors("W: old\nE: gone \nE:none\n") == ["gone"]


@pytest.mark.parametrize(
    ("result", "version"),
    [
        (Result(0, "a:\n  Installed: 1\n  Candidate: 2~rc1-3\n"), "2~rc1-3"),
        (Result(0, "a:\n  Candidate: (none)\n"), ""),
        (Result(0), ""),
        (Result(100, "  Candidate: 2\n"), ""),
    ],
)
def test_what_would_be_installed(result: Result, version: str) -> None:
    assert candidate(lambda _argv: result, "a") == version
