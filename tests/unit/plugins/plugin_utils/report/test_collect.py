# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a run ended on a host, and the report of all hosts as data."""

from __future__ import annotations

import copy
import json
import typing
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils.report import (
    collect,
    model,
    outcome,
    progress,
)
from ansible_collections.oslab.kernel.tests.lib import report_example as example

SCHEMA = json.loads(
    (Path(__file__).resolve().parents[5] / "docs/reference/report.schema.json").read_text("utf-8")
)
UNREACHABLE = {"unreachable": True, "msg": "no route to host"}
Validate = Callable[[Any], None]
SHOWN = {"report": {"checks": [{"check": "release", "result": "ok"}]}}
VERIFIED = {"verify_result": {"release": "6.1"}, "verify_shown": {"failures": []}}


# --- the outcome of a host ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("run", "known", "kind"),
    [
        ("verify", VERIFIED, "verified"),
        ("verify", {**VERIFIED, "verify_shown": {"failures": ["a"]}}, "checks_failed"),
        ("verify", {"verify_result": {"release": "6.1"}}, "not_verified"),
        ("verify", {"verify_failure": "it runs 6.1"}, "failed"),
        ("verify", {"verify_failure": "lost", "verify_result": UNREACHABLE}, "no_answer"),
        ("verify", {"trial_reboot_pending": True}, "reboot_pending"),
        ("verify", {"trial_failure": "no boot"}, "not_confirmed"),
        ("verify", {}, "no_answer"),
        ("deploy", {"install_current": True}, "unchanged"),
        ("deploy", {"trial_result": {"rebooted": True}}, "confirmed"),
        ("deploy", {"trial_result": {}, "trial_reboot_pending": True}, "reboot_pending"),
        ("deploy", {"trial_result": {}, "trial_failure": "no boot"}, "not_confirmed"),
        ("deploy", {"deploy_excluded": {"failed": True, "msg": "no key"}}, "excluded"),
        ("deploy", {"install_host_facts": UNREACHABLE}, "no_answer"),
        ("deploy", {"install_host_facts": {"release": "6.1"}}, "not_started"),
        ("rollback", {"trial_lock": UNREACHABLE}, "no_answer"),
        ("rollback", {"trial_result": {"rebooted": True}}, "rolled_back"),
        ("rollback", {"trial_result": {"rebooted": False}}, "unchanged"),
        ("rollback", {"trial_failure": "no entry"}, "not_rolled_back"),
    ],
)
def test_the_outcome(run: str, known: dict[str, Any], kind: str) -> None:
    found = outcome.of(known, run)
    assert found.kind == kind
    assert bool(found.remedy) is bool(outcome.KINDS[kind].remedy)
    # Whoever has to do something is told what.
    assert outcome.KINDS[kind].passed is not False or found.remedy


def test_a_lost_host_has_no_good_outcome() -> None:
    assert outcome.of(VERIFIED, lost=True).kind == "lost"
    assert outcome.of({**VERIFIED, "verify_files": UNREACHABLE}, lost=True).kind == "no_answer"
    # What failed before keeps its cause.
    failed = {"trial_failure": "no boot", "trial_outcome": "The host answers."}
    assert outcome.of(failed, "deploy", lost=True).cause == "no boot The host answers."


def test_a_host_whose_builder_has_no_kernel() -> None:
    failed = {"build_failure": "Build the packages: no space", "build_result": {"release": "6.12"}}
    reason = outcome.without_kernel("alice", failed)
    assert reason == "alice: the kernel was not built. Build the packages: no space"
    assert "alice is known" in outcome.without_kernel("alice", {})
    assert outcome.without_kernel("alice", {"publish_result": {"release": "6.12"}}) == ""

    found = outcome.of({}, "deploy", no_kernel=reason)
    assert (found.kind, found.cause) == ("no_kernel", reason)
    # What is known of the host itself is more.
    away = {"kernel_target_info": UNREACHABLE}
    assert outcome.of(away, "deploy", no_kernel=reason).kind == "no_answer"
    assert outcome.of({"install_current": True}, "deploy", no_kernel=reason).kind == "unchanged"


def test_the_remedy_is_that_of_the_failed_check() -> None:
    def remedy(*failed: str) -> str:
        return outcome.of({**VERIFIED, "verify_shown": {"failures": [*failed]}}).remedy

    assert "verify_log_allowed" in remedy("kernel log, warn: expected none, read …")
    assert "verify_health_allowed" in remedy("release: …", "health, unit ssh.service: …")
    assert "rollback.yml" in remedy("release: …")


@pytest.mark.parametrize(
    ("known", "shown"),
    [
        ({}, True),
        ({"verify_shown": {"failures": ["a"], **SHOWN}, "verify_failure": "a check"}, True),
        ({"verify_shown": {}, "verify_failure": "it runs 6.1"}, False),
        ({"verify_result": UNREACHABLE, "verify_failure": "it is lost"}, False),
    ],
)
def test_checks_of_the_deployment_are_not_those_of_a_later_verification(
    known: dict[str, Any], shown: bool
) -> None:
    deployed = {**VERIFIED, "verify_shown": {"failures": [], **SHOWN}}
    assert bool(collect.host("web1", {**deployed, **known}, "verify")["checks"]) is shown
    assert collect.host("web1", deployed, "deploy")["checks"]


# --- the report -----------------------------------------------------------------------------------


@pytest.fixture
def validate() -> Validate:
    """Of report.json against its schema; `ansible-test units` has no such library."""
    library = pytest.importorskip("jsonschema")
    library.Draft202012Validator.check_schema(SCHEMA)
    validator = library.Draft202012Validator(SCHEMA)

    def check(report: Any) -> None:
        faults = [fault.message for fault in validator.iter_errors(json.loads(json.dumps(report)))]
        assert faults == []

    return check


def test_the_report_has_the_form_that_is_documented(validate: Validate) -> None:
    for report in (example.fleet(1), example.fleet(4), example.report({})):
        validate(report)
    wrong = example.fleet(1)
    wrong["hosts"][0]["checks"][0]["result"] = "fine"
    with pytest.raises(AssertionError, match="'fine' is not one of"):
        validate(wrong)


def test_the_schema_has_each_field() -> None:
    """And no other: a new field is documented."""
    parts = {"Report": SCHEMA, **SCHEMA["$defs"]}
    types = {
        name: typing.get_type_hints(kind)
        for name, kind in vars(model).items()
        if typing.is_typeddict(kind)
    }
    assert len(types) > 10
    for name, fields in types.items():
        assert set(parts[name]["properties"]) == set(fields), name
        assert set(parts[name]["required"]) == set(fields), name
    assert set(SCHEMA["$defs"]["Outcome"]["enum"]) == set(outcome.KINDS)
    assert set(SCHEMA["$defs"]["Verdict"]["enum"]) == set(model.VERDICTS)
    assert set(SCHEMA["properties"]["run"]["enum"]) == set(outcome.RUNS)


def test_what_is_known_of_a_host() -> None:
    report = example.report({"web1": example.host()}, waves=[["web1"]])
    (host,) = report["hosts"]
    assert host["outcome"] == "verified"
    assert host["release"] == example.RELEASE
    assert host["build_id"] == example.MANIFEST["build_id"]
    assert host["boot"]["method"] == "grub"
    assert host["boot"]["downtime"] == 70
    assert [stage["name"] for stage in host["boot"]["stages"]] == list(example.STAGES)
    assert host["boot"]["started"] == example.BEGIN + 30
    assert host["boot"]["confirmed"] == example.BEGIN + 112
    assert (host["log"]["verdict"], host["health"]["verdict"]) == ("ok", "ok")
    assert host["health"]["changes"][0]["now"] == "tsc"
    assert host["sizes"][1]["initrd"] is None
    counters = {one["name"]: (one["before"], one["after"]) for one in host["counters"]}
    assert counters["free_kb"] == (900_000, 1)
    assert counters["fork"] == (1000, 2000)
    assert "timestamp_ns" not in counters
    assert report["waves"][0]["ended"] == example.BEGIN + 112
    facts = {fact["name"]: fact["value"] for fact in report["build"]}
    assert facts["boot message"] == "***\n* Hello *"
    assert facts["syscalls"] == "capture_memory_snapshot 463"


def test_a_kexec_and_a_recovery_are_told_apart() -> None:
    known = example.host()
    known["trial_kexec_load"] = {"loaded": True}
    assert example.report({"a": known})["hosts"][0]["boot"]["method"] == "kexec"
    del known["trial_result"]
    known |= {"trial_failure": "no boot", "trial_recovered": {"elapsed": 50}}
    assert example.report({"a": known})["hosts"][0]["boot"]["downtime"] == 120


def test_a_host_that_came_back_runs_its_fallback_kernel() -> None:
    known = example.host()
    known |= {"trial_failure": "no boot", "trial_host_facts": {"release": example.FALLBACK}}
    assert example.report({"a": known})["hosts"][0]["release"] == example.FALLBACK
    # Nobody could ask it: then it is what was read last.
    known["trial_host_facts"] = {"msg": "unreachable"}
    assert example.report({"a": known})["hosts"][0]["release"] == example.RELEASE


def test_hosts_that_failed_come_first() -> None:
    report = example.fleet(5)
    assert [host["passed"] for host in report["hosts"]] == [False, False, True, True, True]
    assert report["outcomes"] == {"checks_failed": 1, "no_answer": 1, "verified": 3}
    assert report["hosts"][1]["cause"] == "ssh: no route to host"


def test_the_build_is_that_of_the_run_or_of_most_hosts() -> None:
    other = copy.deepcopy(example.host())
    other["verify_result"]["manifest"]["build_id"] = "f" * 64
    hosts = {"a": other, "b": example.host(), "c": example.host()}
    facts = {fact["name"]: fact["value"] for fact in example.report(hosts)["build"]}
    assert facts["build id"] == example.MANIFEST["build_id"]
    given = example.report(hosts, builds={"": {"release": "6.6"}})
    assert given["build"] == [{"name": "release", "value": "6.6"}]


def _spoiled(value: Any, odd: Any) -> Any:
    """The same with something else in place of each leaf."""
    if isinstance(value, dict):
        return {name: _spoiled(one, odd) for name, one in value.items()}
    if isinstance(value, list):
        return [_spoiled(one, odd) for one in value]
    return odd


@pytest.mark.parametrize(
    "odd", [example.HOSTILE, None, [], {}, -1, 2**70, float("nan"), True, ["x"], {"x": 1}]
)
def test_what_one_host_answers_leaves_a_report(odd: Any, validate: Validate) -> None:
    hosts = {"good": example.host(), "evil\r\n": _spoiled(example.host(), odd)}
    report = example.report(hosts)
    validate(report)
    assert {host["name"] for host in report["hosts"]} == {"good", "evil\\r\\n"}
    hosts["evil\r\n"] = {name: odd for name in example.host()}
    report = example.report(hosts)
    validate(report)


def _texts(value: Any) -> list[str]:
    if isinstance(value, dict):
        return [text for one in value.values() for text in _texts(one)]
    if isinstance(value, list):
        return [text for one in value for text in _texts(one)]
    return [value] if isinstance(value, str) else []


def test_texts_are_safe_to_print() -> None:
    report = example.report({"evil": _spoiled(example.host(), example.HOSTILE)})
    texts = [text for host in report["hosts"] for text in _texts(host)]
    assert len(texts) > 100
    assert all(text.isprintable() for text in texts)
    json.dumps(report).encode("utf-8")


# --- what earlier plays knew ----------------------------------------------------------------------


def test_hosts_and_waves_of_earlier_plays_are_kept(tmp_path: Path) -> None:
    assert progress.add(tmp_path, ["a", "b", "c"], ["a", "b"], []).lost == ["c"]
    assert progress.add(tmp_path, ["a", "b"], ["a", "b"], ["a"]).waves == [["a"]]
    found = progress.add(tmp_path, ["a", "b"], ["b"], ["b"])
    assert found == progress.Progress(["a", "b", "c"], ["a", "c"], [["a"], ["b"]], [], [])


def test_the_waves_of_a_run_have_their_times() -> None:
    report = example.fleet(4)
    assert [wave["number"] for wave in report["waves"]] == [1, 2]
    assert report["waves"][0]["started"] == example.BEGIN + 30
    assert report["waves"][1]["ended"] == example.BEGIN + 115
    idle = collect.report(
        collect.Run("deploy", 1, "", ["a"], [], [["a"]], [], {}), {"a": {"install_current": True}}
    )
    assert idle["waves"][0]["started"] is None


def test_each_host_has_the_kernel_that_it_has_to_run() -> None:
    hosts = {"a": example.host(), "b": example.host(), "c": example.host()}
    other = {"release": "6.6-bob", "build_id": "b" * 64}
    report = example.report(
        hosts,
        builds={"alice": example.MANIFEST, "bob": other, "nobody": {"release": "x"}},
        kernel_from={"a": "bob", "b": "alice", "c": "alice"},
    )
    found = {
        host["name"]: (host["kernel_from"], host["expected_release"], host["expected_build_id"])
        for host in report["hosts"]
    }
    assert found == {
        "a": ("bob", "6.6-bob", "b" * 64),
        "b": ("alice", example.RELEASE, example.MANIFEST["build_id"]),
        "c": ("alice", example.RELEASE, example.MANIFEST["build_id"]),
    }
    kernels = {one["kernel_from"]: one["hosts"] for one in report["kernels"]}
    assert kernels == {"bob": 1, "alice": 2}
    # The build is that which most hosts take.
    assert {"name": "release", "value": example.RELEASE} in report["build"]


def test_of_a_builder_that_is_not_known_its_hosts_tell() -> None:
    hosts = {"a": example.host(), "b": example.host()}
    hosts["b"]["verify_result"]["manifest"] = {"build_id": "f" * 64, "release": "6.6-bob"}
    report = example.report(hosts, kernel_from={"a": "alice", "b": "bob"})
    releases = {
        one["kernel_from"]: fact["value"]
        for one in report["kernels"]
        for fact in one["build"]
        if fact["name"] == "release"
    }
    assert releases == {"alice": example.RELEASE, "bob": "6.6-bob"}
    assert [host["expected_release"] for host in report["hosts"]] == ["", ""]
