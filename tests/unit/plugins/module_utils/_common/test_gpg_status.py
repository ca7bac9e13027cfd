# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What gpg reports of signatures."""

from __future__ import annotations

from ansible_collections.oslab.kernel.plugins.module_utils._common import gpg_status

STATUS = """\
gpgv: Signature made today
[GNUPG:] NEWSIG
[GNUPG:] ERRSIG 99 1 10 00 1 9 -
[GNUPG:] NEWSIG
[GNUPG:] GOODSIG 42 Ada\u2028[GNUPG:] VALIDSIG forged
[GNUPG:] VALIDSIG sub 2026-01-01 1 0 4 0 1 10 00 primary\r
[GNUPG:]
"""


def test_each_signature_has_its_lines() -> None:
    before, first, second = gpg_status.signatures(STATUS)
    assert before == {}
    assert first == {"ERRSIG": ["99", "1", "10", "00", "1", "9", "-"]} | {"NEWSIG": []}
    assert second["VALIDSIG"][gpg_status.PRIMARY_KEY] == "primary"
    assert second["VALIDSIG"][gpg_status.DIGEST] == "10"
    assert "forged" in second["GOODSIG"]


def test_without_a_signature() -> None:
    assert gpg_status.signatures("") == [{}]
