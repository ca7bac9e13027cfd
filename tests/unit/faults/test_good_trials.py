# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of good trials; the machine is `make test-good-trials`."""

from __future__ import annotations

from typing import Any

from ansible_collections.oslab.kernel.tests.system.good_trials import run


def about() -> dict[str, Any]:
    """What a report says of a host."""
    lost = {"what": "swap /swap", "state": "lost"}
    new = {"what": "socket tcp port 1", "state": "new"}
    said = {"lines": ["clock|source", "more"], "state": "new"}
    before = {"lines": ["as ever"], "state": "before"}
    return {"health": {"changes": [lost, new]}, "log": {"complaints": [said, before]}}


def test_what_is_news_is_shown() -> None:
    assert run.shown(about()) == ["swap /swap", "clock|source"]


def test_a_false_alarm_is_counted() -> None:
    good = {"problems": [], "shown": run.shown(about()), "observed": "today"}
    bad = {"problems": ["not_confirmed: swap"], "shown": [], "observed": "later"}
    one = {"system": "Debian 12", "release": "6.8", "trials": [good, good]}
    text = run.table({"a": one, "b": {**one, "system": "Debian 13", "trials": [good, bad]}})
    assert "| Debian 12 | 6.8 | 2 | 2 | clock source; swap /swap | today |" in text
    assert "| Debian 13 | 6.8 | 2 | 1 | clock source; swap /swap | later; today |" in text
    assert text.endswith("4 trials, 1 not confirmed.\n")
