# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every parser of what a target or a mirror sends: the declared errors and no others.

The examples are the same in each run. OSLAB_FUZZ_EXAMPLES=10000 takes so many, other ones each
time.
"""

from __future__ import annotations

import os

MORE = os.environ.get("OSLAB_FUZZ_EXAMPLES")

try:
    from hypothesis import HealthCheck, settings
except ImportError:  # ansible-test in an environment that has pytest alone
    collect_ignore_glob = ["test_*.py"]
else:
    settings.register_profile(
        "oslab",
        max_examples=int(MORE or 60),
        derandomize=not MORE,
        database=None,
        deadline=None,
        # Files are written anew for each example, into the same directory.
        suppress_health_check=list(HealthCheck),
    )
    settings.load_profile("oslab")
