# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What docs/tutorial-syscall.md tells its reader to write is accepted, and its check can fail."""

from __future__ import annotations

import ctypes
import io
import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.oslab.kernel.plugins.module_utils._patch import inputs
from ansible_collections.oslab.kernel.plugins.plugin_utils import known_variables, variable_forms

ROOT = Path(__file__).resolve().parents[2]
PAGE = (ROOT / "docs/tutorial-syscall.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)


@pytest.fixture
def variables() -> dict[str, Any]:
    found = yaml.safe_load(blocks("yaml")[0])
    assert isinstance(found, dict)
    return found


def test_the_variables_are_known_and_of_the_right_form(variables: dict[str, Any]) -> None:
    known = known_variables.collect(ROOT)
    for text in blocks("yaml"):
        for name, value in yaml.safe_load(text).items():
            assert name in known.options
            assert variable_forms.problems(name, value) == []
    assert inputs.check_sysname(variables["patch_sysname"]) == []
    assert inputs.check_banner(variables["patch_banner"]) == []
    assert inputs.check_extraversion(variables["version_extraversion"], "6.12.117") == []


def test_the_source_defines_the_syscall(variables: dict[str, Any]) -> None:
    (entry,) = variables["patch_syscalls_extra"]
    (source,) = blocks("c")
    assert inputs.check_syscalls((), [entry]) == []
    assert inputs.check_definition("x", entry["name"], entry["source"], source) == []


@pytest.mark.parametrize(("answer", "passes"), [("", True), ("Good bye", False)])
def test_the_check_fails_for_another_answer(
    variables: dict[str, Any], monkeypatch: pytest.MonkeyPatch, answer: str, passes: bool
) -> None:
    """As a kernel with this source would answer, or one with another text."""
    (text,) = re.findall(r'text\[\] = "(.*)"', blocks("c")[0])
    said = (answer or text).encode()

    class Library:
        def syscall(self, number: int, buffer: Any, size: int) -> int:
            assert (number, size) == (466, 64)
            buffer.value = said
            return len(said)

    monkeypatch.setattr(ctypes, "CDLL", lambda name: Library())
    manifest = json.dumps({"syscalls": {"hello_student": 466}})
    (check,) = variables["trial_health_checks"]
    # As ansible.builtin.command splits it.
    program, option, code = shlex.split(check)
    assert (program, option) == ("python3", "-c")
    names = {"open": lambda path: io.StringIO(manifest)}
    if passes:
        exec(compile(code, "check", "exec"), names)
    else:
        with pytest.raises(AssertionError):
            exec(compile(code, "check", "exec"), names)
