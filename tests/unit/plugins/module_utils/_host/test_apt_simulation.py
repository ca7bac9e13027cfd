# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What apt says that it would remove."""

from __future__ import annotations

from ansible_collections.oslab.kernel.plugins.module_utils._host.apt_simulation import removed

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
