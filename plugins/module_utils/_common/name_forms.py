# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What names that users and hosts give may be: they become words of commands, and files."""

from __future__ import annotations

import re

#: Of a kernel: UTS_RELEASE has 64 bytes.
RELEASE = re.compile(r"[A-Za-z0-9][A-Za-z0-9.+~_-]{0,63}")
#: Of a module of the kernel, with - where its file has it.
MODULE = re.compile(r"[A-Za-z0-9_-]{1,64}")
#: Of a package as Debian's policy has it. dpkg itself takes capitals, too.
PACKAGE = re.compile(r"[a-z0-9][a-z0-9.+-]{1,99}")
#: Of a build, or its beginning, which is the end of the packages' version.
BUILD_ID = re.compile(r"[0-9a-f]{12,64}")
