# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Configuration fragments: files such as the kernel's own kernel/configs/*.config."""

from __future__ import annotations

import re

from ansible_collections.oslab.kernel.plugins.module_utils._common import kernel_config, plain_text

# Meant as an option, and not written as one.
_ALMOST = re.compile(r"#\s*CONFIG_\w+\s+is\s+not\s+set")


class FragmentError(Exception):
    """A line is no line of a configuration; the text says which."""


def options(text: str) -> dict[str, str]:
    """Symbol, without CONFIG_, to value; a string without its quotes, `n` for `is not set`.

    Of a symbol that is named twice the last line counts. Raises FragmentError.
    """
    found: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        stripped = line.strip()
        entry = kernel_config.entry(stripped)
        if entry:
            name, value = entry
            is_text = len(value) > 1 and value[0] == value[-1] == '"'
            # Last in the order, too: of the members of a choice the last one counts.
            found.pop(name, None)
            found[name] = value[1:-1] if is_text else value
        elif stripped and (_ALMOST.match(stripped) or not stripped.startswith("#")):
            raise FragmentError(
                f"line {number} is {plain_text.cut(stripped, 60)!r}: it has to be "
                "CONFIG_NAME=value, # CONFIG_NAME is not set, or a comment"
            )
    return found
