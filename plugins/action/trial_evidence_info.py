# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a trial boot left behind: on the host, and in the log of its console on the control node."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from ansible.module_utils.parsing.convert_bool import boolean
from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text
from ansible_collections.oslab.kernel.plugins.module_utils._evidence import (
    console,
    earlier,
    journal,
    kdump,
    kernel_text,
    pstore,
)
from ansible_collections.oslab.kernel.plugins.plugin_utils.action import HostAction
from ansible_collections.oslab.kernel.plugins.plugin_utils.host_answer import Form

# An escape takes ten characters for one.
_LINE = re.compile(rf"[^\n]{{0,{10 * kernel_text.LENGTH}}}")
_SOURCE = re.compile(r"pstore|kdump|journal")
_MOST_RECORDS = pstore.MOST_RECORDS + kdump.MOST_RECORDS + 1
_LINES = Form(list, str, like=_LINE, most=kernel_text.MOST_LINES)
FORMS = {
    "records": Form(
        list,
        dict,
        most=_MOST_RECORDS,
        each={
            "source": Form(str, like=_SOURCE),
            "name": Form(str, like=_LINE),
            "lines": _LINES,
        },
    ),
    "journal": Form(
        dict,
        null=True,
        fields={
            "boot_id": Form(str, like=re.compile(r"[0-9a-f]{32}")),
            "units": Form(list, str, like=_LINE, most=journal.MOST_UNITS),
            "manager": Form(list, str, like=_LINE, most=journal.MOST_LAST),
            "shut_down": Form(bool),
        },
    ),
    "timer": Form(str),
    "failed_before": Form(list, str, like=_LINE, most=earlier.MOST),
    "complaints_before": Form(list, str, like=_LINE, most=earlier.MOST),
    "kept_by": Form(
        dict,
        fields={
            "journal": Form(bool),
            "pstore": Form(str, like=re.compile(r"[a-z_]{0,32}")),
            "kdump": Form(bool),
        },
    ),
}
#: Of a host that does not answer.
NOTHING: dict[str, Any] = {
    **{"records": [], "journal": None, "timer": "", "kept_by": {}},
    **{"failed_before": [], "complaints_before": []},
}


def with_console(
    answer: dict[str, Any], path: str, release: str, offset: int = -1
) -> dict[str, Any]:
    """The answer, and what the log of the host's console has.

    @offset: as in console.read.
    """
    seen: dict[str, Any] = {"read": False, "console": False, "started": False}
    if not path:
        return {**answer, "console": seen}
    try:
        trial = console.read(Path(path).expanduser(), release, offset)
    except (OSError, RuntimeError) as error:
        reason = getattr(error, "strerror", None) or error
        warning = f"trial_serial_log: {path} cannot be read: {reason}"
        warnings = [*answer.get("warnings", []), plain_text.sentence(warning)]
        return {**answer, "console": seen, "warnings": warnings}
    seen = {"read": True, "console": trial.console, "started": trial.started}
    records = [*answer["records"]]
    if trial.lines:
        lines = [plain_text.escape(line) for line in trial.lines]
        name, last = plain_text.sentence(path), plain_text.escape(trial.last)
        records.append({"source": "serial", "name": name, "lines": lines, "last": last})
    return {**answer, "records": records, "console": seen}


class ActionModule(HostAction):
    module = "oslab.kernel.trial_evidence_info"
    forms = FORMS
    # The report of the rollback timer.
    lines = ("timer",)

    def act(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        if boolean(arguments.get("answers", True), strict=False):
            answer = super().act(arguments, variables)
        else:
            answer = {"changed": False, **NOTHING}
        path, release = arguments.get("serial_log") or "", str(arguments.get("release", ""))
        if answer.get("failed") or answer.get("unreachable"):
            if not path:
                return answer
            # The log of the console is here all the same.
            reason = f"the host's own evidence is missing: {answer.get('msg') or 'no answer'}"
            answer = {"changed": False, **NOTHING, "warnings": [plain_text.sentence(reason)]}
        return with_console(answer, str(path), release, int(arguments.get("serial_offset", -1)))
