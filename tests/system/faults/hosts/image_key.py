#!/usr/bin/env python3
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Have the key that signs the image of hosts/kernel.yml, and that one of the hosts trusts.

It is made once: another key is another build.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[4] / "collections"))

from ansible_collections.oslab.kernel.tests.lib import signing_keys

# In the working directory of the lab's builder, as kernel.yml names it.
PATH = (
    Path(os.environ.get("OSLAB_CACHE") or Path.home() / ".cache/oslab-kernel")
    / "work/image-key.pem"
)
CERTIFICATE = PATH.with_suffix(".crt")

if __name__ == "__main__":
    if not PATH.exists():
        signing_keys.pair(PATH.parent, PATH.stem, "-days", "3650")
