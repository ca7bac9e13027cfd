# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Templates in tasks and variables mean what they seem to."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[2]


def texts(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for value in node.values():
            yield from texts(value)
    elif isinstance(node, list):
        for value in node:
            yield from texts(value)
    elif isinstance(node, str):
        yield node


def test_a_line_break_in_a_template_is_one() -> None:
    """Ansible keeps a backslash that reaches it. In double quotes, YAML makes the line break."""
    files = [*ROOT.glob("roles/*/*/**/*.yml"), *ROOT.glob("playbooks/**/*.yml")]
    wrong = [
        f"{file.relative_to(ROOT)}: {text[:60]}"
        for file in sorted(files)
        for text in texts(yaml.safe_load(file.read_text(encoding="utf-8")))
        # A regular expression may have it: that makes a line break of it.
        if re.search(r"""(~\s*|join\()(['"])[^'"]*\\[nt]""", text)
    ]
    assert wrong == []
