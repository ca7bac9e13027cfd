# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The collected facts of the targets of one kernel, united. Each host is gathered once."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._common.name_forms import MODULE, RELEASE

_CONFIG = re.compile(r"/[A-Za-z0-9.+~_/-]{1,255}")
_SUM = re.compile(r"[A-Za-z0-9]{1,64}")
#: Far more than a kernel has.
MAX_MODULES = 10_000


def checked(capture: Any) -> tuple[dict[str, Any], str]:
    """What is kept of a host's facts, and what is wrong with them; that is empty if nothing is.

    A host says what it likes, and later runs read it from a file. So only values of the right form
    are kept: no other text of a host reaches the builder's commands or a template.
    """
    if not isinstance(capture, Mapping):
        return {}, "its facts are no dictionary"
    for name, pattern, needed in (
        ("release", RELEASE, True),
        ("boot_config", _CONFIG, False),
        ("boot_config_sha256", _SUM, False),
    ):
        value = capture.get(name)
        if value is None and not needed:
            continue
        if not isinstance(value, str) or not pattern.fullmatch(value) or "/../" in value:
            return {}, f"its {name} has not the form of one"
    facts: dict[str, Any] = {
        # Plain text: what is a template for Ansible would not have passed.
        name: None if capture.get(name) is None else str(capture[name])
        for name in ("release", "boot_config", "boot_config_sha256")
    }
    for name in ("modules", "essential_modules"):
        found = capture.get(name)
        if not isinstance(found, list) or len(found) > MAX_MODULES:
            return {}, f"its {name} are no list of modules"
        if not all(isinstance(entry, str) and MODULE.fullmatch(entry) for entry in found):
            return {}, f"its {name} have names that no module has"
        facts[name] = [str(entry) for entry in found]
    # That it is one of ours; what its manifest says is no matter of the configuration.
    facts["oslab"] = True if capture.get("oslab") else None
    return facts, ""


def target_facts(hostvars: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    """The facts of a host in this run; empty if it did not answer."""
    facts = hostvars[name].get("kernel_target_info") if name in hostvars else None
    return facts if isinstance(facts, Mapping) and "release" in facts else {}


def _union(captures: Iterable[Mapping[str, Any]], key: str) -> list[str]:
    return sorted({module for capture in captures for module in capture[key]})


def unite(
    known: Mapping[str, Any],
    hostvars: Mapping[str, Any],
    targets: Sequence[str],
    refresh: bool,
) -> dict[str, Any]:
    """Add a target's facts, if it has none yet, to the known ones, and unite all.

    `known` may hold hosts that are no targets: they stay known and do not count. Nor does a host
    whose facts are malformed, which is in `wrong` with the reason.
    """
    captures, wrong = {}, {}
    wanted = set(targets)
    for name, capture in known.items():
        captures[name], problem = checked(capture)
        if problem:
            del captures[name]
            if name in wanted:
                wrong[name] = problem
    for name in targets:
        if refresh or name not in captures:
            facts = target_facts(hostvars, name)
            if facts:
                capture, problem = checked(facts)
                if problem:
                    wrong[name] = problem
                else:
                    captures[name] = capture
                    wrong.pop(name, None)
    # In the targets' order, so that each run starts from the same configuration.
    used = {name: captures[name] for name in targets if name in captures}
    configured = [name for name, capture in used.items() if capture["boot_config"]]
    # A stock kernel's configuration before that of one built here.
    configured.sort(key=lambda name: used[name]["oslab"] is not None)
    return {
        "captures": captures,
        "unknown": [name for name in targets if name not in captures and name not in wrong],
        "wrong": [f"{name}: {problem}" for name, problem in wrong.items()],
        "base_host": configured[0] if configured else "",
        "loaded": _union(used.values(), "modules"),
        "essential": _union(used.values(), "essential_modules"),
    }
