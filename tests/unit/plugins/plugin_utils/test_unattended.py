# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Programs that nobody could answer."""

from __future__ import annotations

import os
import subprocess

from ansible_collections.oslab.kernel.plugins.filter.unattended import FilterModule
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    LOCALE,
    locale_environment,
)

GERMAN = {"LANG": "de_DE.UTF-8", "LANGUAGE": "de", "LC_MESSAGES": "de_DE.UTF-8"}


def test_what_is_given_goes_first() -> None:
    unattended = FilterModule().filters()["unattended"]
    found = unattended({"LD_PRELOAD": "/x", "NEEDRESTART_MODE": 1})
    assert found["LD_PRELOAD"] == "/x"
    assert found["NEEDRESTART_MODE"] == "1"
    assert found["DEBIAN_FRONTEND"] == "noninteractive"
    assert found["LC_ALL"] == "C.UTF-8"


def test_a_hosts_language_is_not_heard() -> None:
    """apt has its German words in /usr/share/locale, also where no such locale is compiled."""
    argv = ["apt-get", "no-such-operation"]
    environment = {**os.environ, **GERMAN, **LOCALE}
    done = subprocess.run(argv, capture_output=True, text=True, env=environment, check=False)
    assert "Invalid operation" in done.stderr


def test_a_process_keeps_the_rest_of_its_environment() -> None:
    found = locale_environment(MORE="1")
    assert found["PATH"] == os.environ["PATH"]
    assert (found["MORE"], found["LANGUAGE"]) == ("1", "C")
