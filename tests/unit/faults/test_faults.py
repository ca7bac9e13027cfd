# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The table of faults and what is made of its results; the machines are `make test-faults`."""

from __future__ import annotations

import argparse
import inspect
import re
import subprocess
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils import trial_cause
from ansible_collections.oslab.kernel.tests.system.faults import (
    cases,
    control,
    harness,
    report,
    table,
)
from ansible_collections.oslab.kernel.tests.system.faults.hosts import host as hosts

ROOT = Path(__file__).resolve().parents[3]
ALL = (*table.ROWS, *table.ON_HOST, *table.ON_OTHERS)


@pytest.fixture(params=ALL, ids=lambda fault: fault.name)
def fault(request: pytest.FixtureRequest) -> object:
    return request.param


def test_there_are_many() -> None:
    names = [fault.name for fault in ALL]
    assert len(names) == len(set(names)) >= 20
    fast = [fault for fault in table.FAULTS if fault.fast]
    assert 2 <= len(fast) <= 3
    assert all(fault.state == table.STOCK or not fault.inject for fault in fast)
    assert any(fault.arguments for fault in fast), "a trial goes wrong"


def test_what_stays_is_followed_by_nothing() -> None:
    chains = table.chains(list(table.FAULTS))
    assert sorted(fault.name for chain in chains for fault in chain) == sorted(
        fault.name for fault in table.FAULTS
    )
    longer = [chain for chain in chains if len(chain) > 1]
    assert [{fault.state for fault in chain} for chain in longer] == [
        {table.INSTALLED},
        {table.STOCK},
    ]
    for fault in (fault for chain in longer for fault in chain):
        assert fault.expected == (table.OLD,)
        assert not fault.stays


def test_scripts_are_scripts(fault: table.Fault) -> None:
    for script in (fault.inject, fault.heal):
        done = subprocess.run(
            ["sh", "-n"], input=script, text=True, capture_output=True, check=False
        )
        assert done.returncode == 0, done.stderr


def test_patterns_and_moments(fault: table.Fault) -> None:
    re.compile(fault.message)
    assert bool(fault.action) == (fault.moment is not None)
    if fault.moment:
        re.compile(fault.moment.pattern)
        assert fault.moment.source in ("serial", "controller")
    assert fault.action in ("", "cut", "kill", "second")
    assert set(fault.expected) <= {table.OLD, table.NEW}


def test_a_cause_is_one_that_a_message_may_name(fault: table.Fault) -> None:
    assert set(fault.cause) <= set(trial_cause.KINDS)
    # It is known wherever the kernel or the rollback timer wrote down what happened.
    wrote = fault.observed and not fault.action and fault.state != table.HERE
    assert fault.cause or not wrote


def test_a_cause_that_is_not_named_is_a_problem() -> None:
    fault = table.Fault("x", "y", cause=("oops", "lockup"))
    assert fault.wrong_cause("lockup") == []
    assert fault.wrong_cause("unknown") == ["the cause is oops or lockup, and unknown is named"]
    assert fault.wrong_cause("") == ["the cause is oops or lockup, and none is named"]
    assert table.Fault("x", "y").wrong_cause("") == []


def test_the_cause_is_read_from_the_whole_message(tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    run = control.Run.__new__(control.Run)
    run._log = log
    first = "[ERROR]: Task failed: web1: x failed. Cause: oops: not the last.\n"
    text = "web1: the kernel was not confirmed. Cause: no network: no address. " + "y" * 900
    log.write_text(f"{first}[ERROR]: Task failed: {text}\n")
    assert run.cause() == "no network"
    assert len(run.failure()) == 800
    log.write_text("[ERROR]: Task failed: web1: refused\n")
    assert run.cause() == ""


def test_results_and_states_have_places_of_their_own(
    fault: table.Fault,
) -> None:
    assert fault.state not in ("deployed", "alone", "logs")


def test_something_is_injected(fault: table.Fault) -> None:
    assert fault.name == "good" or any(
        (fault.inject, fault.arguments, fault.variables, fault.action, fault.tamper, fault.case)
    )
    assert not fault.case or fault.case in cases.CASES


def test_a_host_that_is_its_own_control_node_has_many_faults() -> None:
    chosen = table.chosen([], fast=False, alone=True, here=True)
    assert len(chosen) == len(table.ON_HOST) + len(table._ALSO_ON_HOST)
    assert sum(table.NEW not in fault.expected for fault in chosen) >= 8
    # Its saved state has the packages, and nothing of a control node.
    assert all(fault.state in (table.HERE, table.INSTALLED) for fault in chosen)
    assert not any(fault.action or fault.case or fault.variables for fault in chosen)


def test_a_host_with_dkms_has_faults_of_dkms_alone() -> None:
    names = [fault.name for fault in table.chosen([], False, False, host="dkms")]
    assert names == ["dkms-confirmed", "dkms-unbuilt", "dkms-unloaded"]


LAYOUTS = [host for host in hosts.HOSTS.values() if not host.headers]


@pytest.mark.parametrize("host", LAYOUTS, ids=lambda host: str(host.name))
def test_another_host_has_its_faults(host: hosts.Host) -> None:
    chosen = {fault.name: fault for fault in table.chosen([], False, False, host=host.name)}
    asked = {host.good, "panic", "health-check", "cut-confirm", "cut-recorded"}
    assert asked | {"rollback", "remove"} <= set(chosen)
    assert ("cut-pinned" in chosen) == host.pinned
    assert ("degraded" in chosen) == (host.name == "raid1")
    assert ("signature-wrong" in chosen) == host.signed
    # GRUB says nothing of a trial boot there, if kexec starts it.
    assert not any(fault.moment == table.BOOTING for fault in chosen.values())


@pytest.mark.parametrize(
    "script", sorted(hosts.HERE.glob("*.sh")), ids=lambda script: str(script.name)
)
def test_what_makes_its_disk_is_a_script(script: Path) -> None:
    done = subprocess.run(["sh", "-n", str(script)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("fast", [True, False])
def test_programs_without_a_table_have_the_options_that_their_harness_reads(fast: bool) -> None:
    parser = argparse.ArgumentParser()
    harness.add_harness_options(parser, "x", fast=fast)
    options = vars(parser.parse_args([]))
    # What these programs call of it; make_… and run are for the tables alone.
    methods = vars(harness.Harness)
    for name in ("__init__", "deploy", "machine", "pinned"):
        source = inspect.getsource(getattr(methods[name], "fget", methods[name]))
        assert set(re.findall(r"options[.](\w+)", source)) <= set(options), name


def test_each_host_has_its_script() -> None:
    scripts = {one.script for one in hosts.HOSTS.values()}
    assert scripts == set(hosts.HERE.glob("*.sh")) - {hosts.HERE / "move.sh"}
    for one in hosts.HOSTS.values():
        # What move.sh reads.
        assert ("\nroot=" in one.script.read_text()) == one.moved
        # kexec starts the trial boot where GRUB cannot remember it.
        assert ("kexec-tools" in one.packages) == one.pinned


def test_a_difference_is_reported() -> None:
    before = {"packages": {"bash": "5", "gone": "1"}, "GRUB": {}}
    after = {"packages": {"bash": "6", "new": "2"}, "GRUB": {}}
    assert cases.differences(before, before) == []
    assert cases.differences(before, after) == [
        "packages: bash: 5 was, 6 is",
        "packages: gone: 1 was, none is",
        "packages: new: none was, 2 is",
    ]
    assert cases.shortened(["a", "b", "c"], 2) == ["a", "b", "and 1 more"]


def test_changes_are_those_of_the_last_recapitulation() -> None:
    text = "faulty  : ok=3 changed=2 failed=0\nfaulty : ok=9 changed=0 failed=0\n"
    assert (cases.changed(text), cases.changed("nothing")) == (0, -1)


def test_a_row_keeps_the_second_deployment_of_an_earlier_run() -> None:
    first = report.Outcome("a", "what", ("old",), finally_runs="new", finished_in=9, together=2)
    first.observed_at = "Monday"
    later, latest = (report.Outcome("a", "what", ("old",), observed_at=day) for day in ("Tu", "We"))
    later.take_second(first)
    latest.take_second(later)
    assert latest.row()[4:6] == ["new (one for 2)", "9 s"]
    assert latest.row()[-1] == "We; second run Monday"
    latest.take_second(report.Outcome("a", "what", ("old",), observed_at="Su"))
    assert latest.row()[-1] == "We; second run Monday"


def test_a_lost_host_is_reported(tmp_path: Path) -> None:
    good = report.Outcome("a", "what", ("old",), runs="old", back_in=61.4, finally_runs="new")
    lost = report.Outcome("b", "what | more", ("old",), lost="no answer within 600 s")
    wrong = report.Outcome("c", "what", ("old",), runs="new", problems=["the new kernel runs"])
    for outcome in (wrong, lost, good):
        outcome.save(tmp_path)
    known = report.load(tmp_path, ["a", "b", "c", "d"])
    assert [outcome.good for outcome in known] == [True, False, False]
    text = report.plain(known)
    assert "LOST: no answer within 600 s" in text
    assert text.endswith("3 faults, 1 hosts lost, 1 not as expected")
    assert "| a | what | old | 61 s | new | - | - | ok |" in report.markdown(known)
    good.together, good.cause = 3, "oops"
    assert "| oops | ok |" in report.markdown([good])
    assert "| new (one for 3) |" in report.markdown([good])
    assert "what   more" in report.markdown(known)


def test_what_a_failed_task_says_of_the_fault() -> None:
    message = "a is as it was. The clock of b is wrong; set it. Nothing was changed."
    assert report.said(message, "clock") == '"The clock of b is wrong;"'
    assert report.said("x" * 500, "x").startswith('"…x')
    assert report.said("x" * 500, "^x").endswith('x…"')
    assert max(len(report.said("x" * 500, one)) for one in ("x", "^x")) == report.SAID + 2
    assert report.said("Check the clock: b: the clock of b is wrong", "clock") == (
        '"the clock of b is wrong"'
    )
    long = f"{'x' * 500} mismatch {'y' * 500}"
    assert "x mismatch" in report.said(long, "mismatch")
    assert len(report.said(long, "mismatch")) == report.SAID + 2
    assert report.said("a failed: b is wrong", "wrong") == '"b is wrong"'
    assert report.said(message, "power") == report.said(message, "") == ""


def test_rows_of_a_document_are_read_as_they_were_written() -> None:
    rows = [
        report.Outcome("a", "w", (), runs="old", back_in=61, audit="packages unfinished"),
        report.Outcome("b", "w", (), lost="no answer", observed_at="Monday, abc"),
        report.Outcome(
            "c", "w", (), runs="new", problems=["the new kernel runs; so"], cause="oops"
        ),
        report.Outcome("d", "w", (), "old", 9, finally_runs="new", finished_in=8, together=3),
        report.Outcome("e", "w", (), "old", 9, observed_at="Tu", second_at="Mo, def+"),
    ]
    document = report.with_table(
        "x\n<!-- BEGIN deployed -->\n<!-- END deployed -->\n", "deployed", report.markdown(rows)
    )
    assert report.earlier(document, "deployed") == rows
    assert report.earlier(document, "alone") == []


def test_a_document_keeps_the_rows_of_what_was_not_run_again() -> None:
    names = ("a", "b", "c")
    old = [report.Outcome("a", "w", (), "old", 9, finally_runs="new", observed_at="Mo")]
    old += [report.Outcome("c", "w", (), "old", 7)]
    new = [report.Outcome(name, "w", (), "old", 5, observed_at="Tu") for name in ("b", "a")]
    found = report.together(names, new, old)
    assert [(one.name, one.back_in) for one in found] == [("a", 5), ("b", 5), ("c", 7)]
    assert (found[0].finally_runs, found[0].second_at) == ("new", "Mo")
    # A second deployment of its own is not overwritten.
    again = report.Outcome("a", "w", (), "old", 5, finally_runs="old")
    assert report.together(names, [again], old)[0].second_at == ""


def test_the_table_goes_where_it_was() -> None:
    document = "before\n<!-- BEGIN alone -->\nold\n<!-- END alone -->\nafter\n"
    assert report.with_table(document, "alone", "new\n") == document.replace("old", "new")


@pytest.mark.parametrize(
    ("text", "path"),
    [
        (table.ROLLBACK_TIMER, "templates/trial-rollback.j2"),
        (cases.NO_KEXEC, "tasks/boot_entry/load_kexec.yml"),
    ],
)
def test_what_is_looked_for_is_what_the_role_prints(text: str, path: str) -> None:
    assert text in (ROOT / "roles/trial" / path).read_text(encoding="utf-8")


@pytest.mark.parametrize("fault", [one for one in table.ROWS if one.moment], ids=lambda f: f.name)
def test_the_moment_is_a_task(fault: table.Fault) -> None:
    """A name that no task has any more is a moment that never comes."""
    assert fault.moment is not None
    task = r"TASK \[.*"
    if fault.moment.pattern.startswith(task):
        text = "\n".join(
            path.read_text(encoding="utf-8") for path in ROOT.glob("roles/*/tasks/**/*.yml")
        )
        assert re.search(rf"- name: .*{fault.moment.pattern.removeprefix(task)}", text)
