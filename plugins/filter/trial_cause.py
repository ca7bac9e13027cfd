# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Name the cause of a trial boot that failed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Callable, Optional

from ansible_collections.oslab.kernel.plugins.plugin_utils import trial_cause as causes

DOCUMENTATION = r"""
name: trial_cause
short_description: Why a trial boot failed
version_added: 0.3.0
author: oslab.kernel contributors (@oslab)
description:
  - >-
    Names one cause, by what a trial boot left behind: the first line of a panic, the device, the
    unit, the full disk. The README of the role C(trial) has the order.
options:
  _input:
    description: What M(oslab.kernel.trial_evidence_info) returned.
    type: dict
    required: true
  task:
    description: Name of the task that failed.
    type: str
    default: ""
  reason:
    description: Its reason, as the filter P(oslab.kernel.failure_reason#filter) returns it.
    type: str
    default: ""
  booted:
    description: Whether the trial boot was started, or was to be.
    type: bool
    default: true
  reached:
    description: Whether the run found the host in its trial boot.
    type: bool
    default: false
  verified:
    description: The C(report) that M(oslab.kernel.show_checks) has returned.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Show the cause
  ansible.builtin.debug:
    msg: "{{ (evidence | oslab.kernel.trial_cause).sentence }}"
"""

RETURN = r"""
_value:
  description: >-
    C(kind), the cause in a word or two; C(sentence), which names it with the line that says it,
    and what would leave more if it is V(unknown); C(reason), the same in short for a record, empty
    where the failed task says it; C(report), all of the evidence as a text. All are empty if
    nothing was booted and the failed task says all.
  type: dict
  sample:
    kind: kernel panic
    sentence: "Cause: kernel panic: Kernel panic - not syncing: sysrq triggered crash (pstore, …)."
    report: "…"
"""


def trial_cause(
    evidence: Mapping[str, Any],
    task: str = "",
    reason: str = "",
    booted: bool = True,
    reached: bool = False,
    verified: Optional[Mapping[str, Any]] = None,
) -> dict[str, str]:
    failure = causes.Failure(task, reason, booted, reached, verified or {})
    found = causes.cause(evidence, failure)
    if found is None:
        return {"kind": "", "sentence": "", "reason": "", "report": ""}
    return {
        "kind": found.kind,
        "sentence": found.sentence(),
        "reason": found.reason(),
        "report": causes.report(evidence, found),
    }


class FilterModule:
    def filters(self) -> dict[str, Callable[..., dict[str, str]]]:
        return {"trial_cause": trial_cause}
