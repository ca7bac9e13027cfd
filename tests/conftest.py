# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""For every test: the same environment, whether `make` or a shell starts pytest."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from ansible_collections.oslab.kernel.tests.lib.kernel_mirror import KeyRing

# `make test` hands these to every make below it. There they change what is printed ("Entering
# directory"), and variables of the outer command line would overrule those of a test.
FOR_MAKE_BELOW = ("MAKEFLAGS", "MFLAGS", "MAKEOVERRIDES", "MAKELEVEL", "GNUMAKEFLAGS")


def pytest_configure() -> None:
    """Remove what an outer make has set."""
    for name in FOR_MAKE_BELOW:
        os.environ.pop(name, None)


@pytest.fixture(scope="module")
def keys() -> Iterator[KeyRing]:
    """Keys of developers and of kernel.org's autosigner, made for the tests of one file."""
    made = KeyRing()
    yield made
    made.close()
