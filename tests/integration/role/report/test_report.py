# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Playbooks end with a report, whatever became of their hosts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Optional
from xml.etree import ElementTree as ET

import pytest
from ansible_collections.oslab.kernel.tests.lib.locked_builder import target
from ansible_collections.oslab.kernel.tests.lib.playbook import (
    CONNECTIONS,
    LOCAL,
    ROOT,
    Run,
    run_playbook,
    write_inventory,
)
from ansible_collections.oslab.kernel.tests.lib.trial_host import (
    FALLBACK,
    RELEASE,
    answers,
    reported,
    verify,
)

MARKUP = "</script><script>alert(1)</script>"


def answering(**changes: Any) -> dict[str, Any]:
    """A host whose syscall_info gives these parts of its answer otherwise."""
    known = json.loads(answers())
    known["syscall_info"].update(changes)
    return {"hostile_answers": json.dumps(known), "verify_log": False}


def check(ok: Any) -> dict[str, Any]:
    return {"name": "sysname", "ok": ok, "expected": "Mine", "actual": "Linux", "detail": MARKUP}


# Nobody listens there.
GONE = {"ansible_connection": "ssh", "ansible_host": "127.0.0.1", "ansible_port": 1}


def test_hosts_of_all_outcomes_are_in_the_report(tmp_path: Path) -> None:
    hosts = {
        "good": answering(checks=[check(ok=True)]),
        "bad": answering(checks=[check(ok=False)]),
        "other": answering(manifest=None, release=FALLBACK),
        "gone": GONE,
    }
    done = verify(tmp_path, hosts)
    assert done.status == 2, done.output
    found = reported(tmp_path)
    assert {name: host["outcome"] for name, host in found.items()} == {
        "bad": "checks_failed",
        "other": "failed",
        "gone": "no_answer",
        "good": "verified",
    }
    assert MARKUP in found["bad"]["cause"]
    assert f"other runs {FALLBACK}" in found["other"]["cause"]
    assert "Connection refused" in found["gone"]["cause"]
    assert found["good"]["release"] == RELEASE
    page = (tmp_path / "report/report.html").read_text(encoding="utf-8")
    assert "<script" not in page
    assert "alert(1)" in page
    root = ET.parse(tmp_path / "report/report.xml").getroot()
    assert (root.attrib["errors"], root.attrib["failures"]) == ("3", "1")
    assert f"Report: {tmp_path}/report/report.html" in done.output
    assert "4 hosts, 1 verified" in done.output
    for name in ("bad", "other", "gone"):
        assert f"{name} is not verified." in done.output
    assert done.recap("changed") == 0


def test_a_fleet_without_an_answer_has_a_report(tmp_path: Path) -> None:
    done = verify(tmp_path, {"gone": GONE})
    assert done.status == 2, done.output
    assert [host["outcome"] for host in reported(tmp_path).values()] == ["no_answer"]


def test_the_targets_choose_its_directory(tmp_path: Path) -> None:
    # A builder is the first host of the play that finds out who answers.
    targets = {"hosts": {"gone": GONE}, "vars": {"report_dir": str(tmp_path / "chosen")}}
    builder = {**LOCAL, "report_dir": str(tmp_path / "of the builder"), "publish_result": {}}
    inventory = tmp_path / "hosts.json"
    groups = {"kernel_targets": targets, "kernel_builders": {"hosts": {"alice": builder}}}
    inventory.write_text(json.dumps(groups))
    done = run_playbook(ROOT / "playbooks/deploy.yml", inventory=inventory, cwd=tmp_path)
    assert done.status != 0, done.output
    assert (tmp_path / "chosen/report.html").exists(), done.output
    assert not (tmp_path / "of the builder").exists()
    assert not (tmp_path / "kernel-report").exists()


def test_no_report_fails_no_host_and_a_check_run_writes_none(tmp_path: Path) -> None:
    hosts = {"good": answering(checks=[check(ok=True)])}
    done = verify(tmp_path, hosts, "--check")
    assert done.status == 0, done.output
    assert not (tmp_path / "report").exists()
    (tmp_path / "report").write_text("a file of the user")
    done = verify(tmp_path, hosts)
    assert done.status == 0, done.output
    assert "The report was not written" in done.output
    assert "(report_dir)" in " ".join(done.output.split())
    assert (tmp_path / "report").read_text() == "a file of the user"


@pytest.mark.parametrize("book", ["deploy.yml", "rollback.yml"])
def test_a_wave_that_is_lost_is_in_the_report(tmp_path: Path, book: str) -> None:
    """Ansible ends a run at once when it has lost all hosts of a wave."""
    lost = {"ansible_connection": "lossy", "lossy_at": "deploy_lock"}
    targets = {"hosts": {"canary": lost, "two": None, "three": None}}
    here = {**LOCAL, "report_dir": str(tmp_path / "report")}
    done = run_playbook(
        ROOT / "playbooks" / book,
        inventory=write_inventory(
            tmp_path / "hosts.json", kernel_targets=targets, all={"vars": here}
        ),
        variables={
            "publish_result": {"release": "no kernel", "version": "1"},
            "trial_lock_file": str(tmp_path / "lock"),
        },
        ANSIBLE_CONNECTION_PLUGINS=str(CONNECTIONS),
    )
    assert done.status == 4, done.output
    assert "duplicate" not in done.output
    found = {name: host["outcome"] for name, host in reported(tmp_path).items()}
    assert found == {"canary": "lost", "two": "not_started", "three": "not_started"}
    page = (tmp_path / "report/report.html").read_text(encoding="utf-8")
    assert "<title>1 of 3 hosts failed" in page
    root = ET.parse(tmp_path / "report/report.xml").getroot()
    assert root.attrib["errors"] == "1"


def of_an_earlier_run(directory: Path) -> None:
    """A report that says that all is well."""
    (directory / "report").mkdir()
    for name in ("report.html", "report.json", "report.xml"):
        (directory / "report" / name).write_text("all verified")


def without_a_kernel(directory: Path, book: str, builder: Optional[dict[str, Any]] = None) -> Run:
    """A run whose builder fails."""
    tarball = directory / "linux-6.12.tar.xz"
    tarball.write_text("no tarball")
    here = {
        **{**LOCAL, "report_dir": str(directory / "report"), "source_provider": "file"},
        **{"source_version": "6.12", "source_file": str(tarball), "build_smoke_test": "false"},
        **{"source_workdir": str(directory / "work"), "build_min_free_gib": 1},
        **{"build_modules_source": "", "build_tools_source": "", "publish_server": "none"},
        **{"publish_url": "http://192.0.2.1", "publish_root": str(directory / "repository")},
    }
    return run_playbook(
        ROOT / "playbooks" / book,
        inventory=write_inventory(
            directory / "hosts.json",
            all={"vars": here},
            kernel_builders={"hosts": {"alice": builder}},
            kernel_targets={"hosts": {"pc": target()}},
        ),
        ANSIBLE_CONNECTION_PLUGINS=str(CONNECTIONS),
    )


def test_a_build_that_fails_is_in_the_report(tmp_path: Path) -> None:
    of_an_earlier_run(tmp_path)
    done = without_a_kernel(tmp_path, "site.yml")
    assert done.status == 2, done.output
    host = reported(tmp_path)["pc"]
    assert (host["outcome"], host["passed"]) == ("no_kernel", False)
    assert "alice: the kernel was not built. Unpack the source: " in host["cause"]
    assert "not a tarball" in host["cause"]
    page = (tmp_path / "report/report.html").read_text(encoding="utf-8")
    assert "<title>1 of 1 host failed" in page
    root = ET.parse(tmp_path / "report/report.xml").getroot()
    assert root.attrib["errors"] == "1"
    assert f"Report: {tmp_path}/report/report.html" in done.output


@pytest.mark.parametrize("book", ["site.yml", "deploy.yml"])
def test_a_builder_that_does_not_answer_is_in_the_report(tmp_path: Path, book: str) -> None:
    of_an_earlier_run(tmp_path)
    done = without_a_kernel(tmp_path, book, GONE)
    assert done.status == 4, done.output
    host = reported(tmp_path)["pc"]
    assert (host["outcome"], host["passed"]) == ("no_kernel", False)
    assert "No kernel of alice is known" in host["cause"]


def test_a_run_of_the_build_alone_writes_none(tmp_path: Path) -> None:
    of_an_earlier_run(tmp_path)
    done = without_a_kernel(tmp_path, "build.yml")
    assert done.status == 2, done.output
    assert (tmp_path / "report/report.json").read_text() == "all verified"
