# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The serial line of a kernel that is broken: it may print anything, and is judged all the same."""

from __future__ import annotations

from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu
from ansible_collections.oslab.kernel.plugins.module_utils._smoke import (
    console,
    contents,
    record,
    steps,
    verdict,
)
from ansible_collections.oslab.kernel.plugins.module_utils._verify import log_rules
from ansible_collections.oslab.kernel.tests.lib import hostile, smoke_line
from hypothesis import given
from hypothesis import strategies as st

PLANNED = steps.plan(smoke_line.contents())
PIECES = (
    *smoke_line.line(PLANNED).splitlines(keepends=True),
    *(rule.example for rule in log_rules.RULES),
    "[    1.000000] oslab-smoke: end 3 exit 1\n",
    '[    1.000000] oslab-smoke: out 4 {"total_kb": [NaN]}\n',
    "[    1.000000] oslab-smoke: end 9999 signal 99999\n",
)


@given(
    st.lists(st.one_of(st.sampled_from(PIECES), hostile.texts(*PIECES)), max_size=40),
    st.sampled_from([None, 0, 1]),
)
def test_any_line_is_judged(pieces: list[str], exited: int | None) -> None:
    serial = "".join(pieces)
    boot = qemu.Boot(False, exited, serial, "")
    problems = verdict.problems(verdict.Test(PLANNED, boot, smoke_line.MANIFEST, (), 90.0))
    if not console.parse(serial).done:
        assert problems
    outcome = record.of_problems(problems, "tcg")
    assert (outcome.result == record.PASSED) is not bool(problems)
    assert outcome.reason.isprintable()


@given(st.binary(max_size=200))
def test_any_module_names_what_it_needs(data: bytes) -> None:
    assert all(isinstance(name, str) for name in contents.needs(data))
