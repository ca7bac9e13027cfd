# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The record of how a host was before the collection changed it, as the host has it now.

Whoever is root there writes it. Names in it go into commands and paths on that host; a wrong one
ends its own run with a sentence.
"""

from __future__ import annotations

import base64
import re

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read, plain_text
from ansible_collections.oslab.kernel.plugins.plugin_utils.host_answer import (
    PACKAGE,
    VERSION,
    Form,
    problem,
)

_PRINTABLE = r"[^\x00-\x1f\x7f-\x9f]"
_TEXT = re.compile(rf"{_PRINTABLE}{{0,4096}}")
_PATH = re.compile(rf"/{_PRINTABLE}{{0,4095}}")

FORMS = {
    "names": Form(list, str, like=PACKAGE),
    "brought": Form(list, str, like=PACKAGE),
    "packages": Form(dict, str, like=VERSION, keys=PACKAGE),
    "saved_entry": Form(str, like=_TEXT),
    "directories": Form(list, str, like=_PATH),
}


def problem_of(content: str, host: str, path: str) -> str:
    """What is wrong with the record, `content` in base64; empty if nothing is."""
    wrong = ""
    try:
        found = bounded_read.parse_json(base64.b64decode(content).decode("utf-8"))
        if isinstance(found, dict):
            wrong = problem(found, {name: form for name, form in FORMS.items() if name in found})
        else:
            wrong = "it is not a JSON object"
    except ValueError:
        wrong = "it is not a JSON object"
    if not wrong:
        return ""
    return (
        f"{host}: {plain_text.escape(path)} records how the host was, and this role did not write "
        f"that: {wrong}. Remove that file on the host: then everything is removed, and no earlier "
        "version of a package is put back."
    )
