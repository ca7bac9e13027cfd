# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""`ansible-doc` shows all of the installed collection, without a warning."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.oslab.kernel.tests.integration.galaxy.installation import ROOT, Installed

MODULES = sorted(path.stem for path in (ROOT / "plugins/modules").glob("*.py"))
FILTERS = sorted(path.stem for path in (ROOT / "plugins/filter").glob("*.py"))
ROLES = sorted(path.name for path in (ROOT / "roles").iterdir())
NAMES = {"module": MODULES, "filter": FILTERS, "role": ROLES}


def ansible_doc(installed: Installed, *arguments: str) -> str:
    done = installed.run("ansible-doc", *arguments)
    assert done.returncode == 0, done.stderr
    # ansible-core 2.21 misses the version of a collection of its own.
    warnings = [line for line in done.stderr.splitlines() if "_protomatter" not in line]
    assert warnings == []
    return done.stdout


@pytest.mark.parametrize("kind", NAMES)
def test_all_are_listed(installed: Installed, kind: str) -> None:
    listed = json.loads(ansible_doc(installed, "--json", "-t", kind, "-l", "oslab.kernel"))
    assert sorted(listed) == [f"oslab.kernel.{name}" for name in NAMES[kind]]


@pytest.mark.parametrize("kind", NAMES)
def test_all_are_shown(installed: Installed, kind: str) -> None:
    names = [f"oslab.kernel.{name}" for name in NAMES[kind]]
    text = ansible_doc(installed, "-t", kind, *names).lower()
    for name in names:
        assert name in text


def undescribed(options: dict[str, Any], above: str = "") -> list[str]:
    missing = []
    for name, option in options.items():
        if not option.get("description"):
            missing.append(above + name)
        below = option.get("suboptions") or option.get("options") or option.get("contains") or {}
        missing += undescribed(below, f"{above}{name}.")
    return missing


@pytest.mark.parametrize("kind", ["module", "filter"])
def test_each_plugin_has_examples_and_describes_what_it_returns(
    installed: Installed, kind: str
) -> None:
    names = [f"oslab.kernel.{name}" for name in NAMES[kind]]
    shown = json.loads(ansible_doc(installed, "--json", "-t", kind, *names))
    for name in names:
        one = shown[name]
        assert one["doc"]["description"], name
        assert one["return"], name
        assert undescribed(one["doc"].get("options") or {}) == [], name
        assert undescribed(one["return"]) == [], name
        (example, *_others) = yaml.safe_load(one["examples"])
        assert name in json.dumps(example), name


def test_each_variable_of_a_role_is_described(installed: Installed) -> None:
    names = [f"oslab.kernel.{name}" for name in ROLES]
    shown = json.loads(ansible_doc(installed, "--json", "-t", "role", *names))
    for name in names:
        for entry in shown[name]["entry_points"].values():
            assert entry["short_description"] and entry["description"], name
            assert undescribed(entry.get("options") or {}) == [], name


@pytest.mark.parametrize("role", ROLES)
def test_each_default_of_a_role_is_a_variable_of_its_specification(role: str) -> None:
    place = ROOT / "roles" / role
    defaults = yaml.safe_load((place / "defaults/main.yml").read_text()) or {}
    specification = yaml.safe_load((place / "meta/argument_specs.yml").read_text())
    assert set(defaults) <= set(specification["argument_specs"]["main"].get("options") or {})


@pytest.mark.parametrize("role", ROLES)
def test_each_default_of_a_role_is_shown(role: str) -> None:
    """A template of what the role requires would fail where that is missing: words say it."""
    place = ROOT / "roles" / role
    defaults = yaml.safe_load((place / "defaults/main.yml").read_text()) or {}
    entries = yaml.safe_load((place / "meta/argument_specs.yml").read_text())["argument_specs"]
    for entry in entries.values():
        options = entry.get("options") or {}
        required = [name for name, option in options.items() if option.get("required")]
        for name in sorted(set(defaults) & set(options)):
            if any(f"{{{{ {one} " in str(defaults[name]) for one in required):
                assert "default" not in options[name], name
                assert "by default" in " ".join(options[name]["description"]), name
            else:
                assert options[name].get("default", "none") == defaults[name], name


def test_no_option_of_a_role_lacks_a_documented_default() -> None:
    for role in ROLES:
        text = (ROOT / "roles" / role / "meta/argument_specs.yml").read_text()
        for entry in yaml.safe_load(text)["argument_specs"].values():
            for name, option in (entry.get("options") or {}).items():
                assert {"default", "required"} & set(option) or name == "config_inputs_dir", name


@pytest.mark.parametrize("book", ["deploy_hosts", "restore_hosts"])
def test_the_default_waves_are_those_of_the_playbooks(book: str) -> None:
    entries = yaml.safe_load((ROOT / "roles/preflight/meta/argument_specs.yml").read_text())
    options = entries["argument_specs"]["main"]["options"]
    plays = yaml.safe_load((ROOT / f"playbooks/{book}.yml").read_text())
    (play,) = (play for play in plays if "serial" in play)
    for key in ("serial", "max_fail_percentage"):
        (shown,) = re.findall(r"default\(([^()]*)\) }}$", play[key].strip())
        assert yaml.safe_load(shown) == options[f"deploy_{key}"]["default"]


def test_the_readme_installs_this_version() -> None:
    version = yaml.safe_load((ROOT / "galaxy.yml").read_text())["version"]
    named = re.findall(r"oslab-kernel-(\S+)\.tar\.gz", (ROOT / "README.md").read_text())
    assert named and set(named) == {version}


def test_paths_in_the_documents_are_there() -> None:
    """Links of README and docs/ to files of the checkout."""
    missing = []
    for page in [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *ROOT.glob("roles/*/*.md")]:
        text = page.read_text()
        for target in (part.split(")")[0] for part in text.split("](")[1:]):
            path = target.split("#")[0].replace("\n", " ").strip()
            if path and "://" not in path and not (page.parent / Path(path)).exists():
                missing.append(f"{page.relative_to(ROOT)}: {path}")
    assert missing == []
