# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""files/monitoring: the rules do what they say, and ask for metrics that are written."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.oslab.kernel.plugins.module_utils._build import metrics as of_build
from ansible_collections.oslab.kernel.plugins.module_utils._repository import (
    metrics as of_repository,
)
from ansible_collections.oslab.kernel.plugins.module_utils._verify import metrics as of_host
from ansible_collections.oslab.kernel.tests.lib.promtool import needs_promtool, promtool

ROOT = Path(__file__).resolve().parents[2]
MONITORING = ROOT / "files/monitoring"
RULES, DASHBOARD = MONITORING / "alerts.yml", MONITORING / "dashboard.json"
PAGE = ROOT / "docs/how-to/monitor-a-fleet.md"
NAME = re.compile(r"\boslab_kernel_[a-z_]+\b")


def written() -> set[str]:
    return {
        metric.name
        for found in (
            of_host.metrics({}, []),
            of_build.metrics({}),
            of_repository.metrics({}, 1),
        )
        for metric in found
    }


def rules() -> list[dict[str, Any]]:
    (group,) = yaml.safe_load(RULES.read_text(encoding="utf-8"))["groups"]
    found: list[dict[str, Any]] = group["rules"]
    return found


def expressions() -> Iterator[str]:
    """Of the dashboard."""
    dashboard = json.loads(DASHBOARD.read_text(encoding="utf-8"))
    for panel in dashboard["panels"]:
        yield from (target["expr"] for target in panel.get("targets", []))
    yield from (one["expr"] for one in dashboard["annotations"]["list"])
    yield from (
        one["query"]["query"] for one in dashboard["templating"]["list"] if one["type"] == "query"
    )


def test_there_are_enough_metrics_of_both_kinds() -> None:
    assert len(written()) >= 12


@pytest.mark.parametrize("asked", [*(rule["expr"] for rule in rules()), *expressions()])
def test_all_that_is_asked_for_is_written(asked: str) -> None:
    named = set(NAME.findall(asked))
    assert named or "node_" in asked
    assert named <= written()


def test_the_page_names_each_metric_and_each_rule() -> None:
    text = PAGE.read_text(encoding="utf-8")
    # One line for all fields of the memory.
    memory = {name for name in written() if name.startswith("oslab_kernel_memory_")}
    assert sorted(name for name in written() - memory if f"`{name}`" not in text) == []
    assert "`oslab_kernel_memory_…_bytes`" in text
    assert sorted(set(NAME.findall(text)) - written()) == ["oslab_kernel_memory_"]
    assert [rule["alert"] for rule in rules() if f"`{rule['alert']}`" not in text] == []


@needs_promtool
def test_the_rules() -> None:
    assert len(rules()) == 6
    assert promtool("check", "rules", str(RULES)) == ""
    assert promtool("test", "rules", str(MONITORING / "alerts_test.yml")) == ""


def test_each_rule_is_tested() -> None:
    cases = yaml.safe_load((MONITORING / "alerts_test.yml").read_text(encoding="utf-8"))["tests"]
    fired = {
        one["alertname"] for case in cases for one in case["alert_rule_test"] if one["exp_alerts"]
    }
    assert fired == {rule["alert"] for rule in rules()}


@needs_promtool
def test_prometheus_reads_what_the_dashboard_asks(tmp_path: Path) -> None:
    asked = [one.replace("$instance", ".*") for one in expressions() if "label_values" not in one]
    records = [{"record": f"panel:{i}", "expr": one} for i, one in enumerate(asked)]
    path = tmp_path / "rules.json"
    path.write_text(json.dumps({"groups": [{"name": "dashboard", "rules": records}]}))
    assert len(asked) > 12
    assert promtool("check", "rules", str(path)) == ""
