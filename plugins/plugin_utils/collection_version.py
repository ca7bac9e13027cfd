# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The version of this collection, and of the Ansible that it needs."""

from __future__ import annotations

import json
from pathlib import Path

import yaml
from packaging.specifiers import SpecifierSet

ROOT = Path(__file__).resolve().parents[2]


def collection_version() -> str:
    """Of an installed collection, or of a checkout."""
    installed, checkout = ROOT / "MANIFEST.json", ROOT / "galaxy.yml"
    if installed.is_file():
        return str(json.loads(installed.read_text(encoding="utf-8"))["collection_info"]["version"])
    if checkout.is_file():
        return str(yaml.safe_load(checkout.read_text(encoding="utf-8"))["version"])
    return "of unknown version"


def ansible_problem(running: str) -> str:
    """What to do if this collection does not work with an ansible-core; empty if it does.

    Ansible itself only warns (collections_on_ansible_version_mismatch).

    :param running: the version of ansible-core, as ansible.release has it.
    """
    runtime = yaml.safe_load((ROOT / "meta/runtime.yml").read_text(encoding="utf-8"))
    needed = runtime["requires_ansible"]
    if SpecifierSet(needed).contains(running, prereleases=True):
        return ""
    return (
        f"ansible-core {running} runs this, but the collection needs {needed}: install another "
        "one, in a virtual environment if the distribution has none"
    )
