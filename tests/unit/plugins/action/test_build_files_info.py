# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A build's list goes from the builder to the hosts without becoming a variable of each."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible import constants
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible_collections.oslab.kernel.plugins.action import (
    build_files_info,
    kernel_files,
    syscall_info,
)

LIST = {"release": "6.12-x", "packages": {"linux-image": {"/boot/vmlinuz": "ab"}}}


@pytest.fixture
def fleet(monkeypatch, tmp_path):
    """What was sent to whom, and what the builder answers."""
    known = SimpleNamespace(sent=[], answer={"changed": False, "files": LIST}, error=None)

    def execute(self, module_name, module_args, task_vars):
        known.sent.append((module_name, module_args))
        if known.error:
            raise known.error
        return dict(known.answer) if "build_files" in module_name else {"matches": True}

    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    monkeypatch.setattr(ActionBase, "run", lambda self, tmp, task_vars: {})
    monkeypatch.setattr(ActionBase, "_execute_module", execute)
    return known


def act(plugin, **arguments):
    action = plugin.ActionModule.__new__(plugin.ActionModule)
    action._task = SimpleNamespace(args=arguments, delegate_to="builder")
    return action.run(None, {"inventory_hostname": "web1"})


def test_the_list_itself_is_returned_as_ever(fleet):
    assert act(build_files_info, store="/s", build_id="ab")["files"] == LIST
    assert act(build_files_info, store="/s", build_id="ab")["files"] == LIST
    assert len(fleet.sent) == 2


def test_a_kept_list_is_asked_for_once_and_reaches_each_host(fleet):
    answers = [act(build_files_info, store="/s", build_id="ab", keep=True) for _host in range(3)]
    assert len(fleet.sent) == 1
    assert answers == [{"changed": False, "path": answers[0]["path"], "release": "6.12-x"}] * 3
    act(kernel_files, build_id="ab", files_path=answers[0]["path"])
    assert fleet.sent[-1][1] == {"build_id": "ab", "files": LIST}
    act(syscall_info, files={"files_path": answers[0]["path"], "ignore": ["x"]})
    assert fleet.sent[-1][1]["files"]["files"] == LIST
    assert fleet.sent[-1][1]["files"]["ignore"] == ["x"]


def test_a_build_that_the_store_does_not_have(fleet):
    fleet.answer = {"changed": False, "files": None}
    answer = act(build_files_info, store="/s", build_id="ab", keep=True)
    assert answer == {"changed": False, "path": None, "release": None}


def test_a_list_that_was_changed_fails_each_host(fleet):
    fleet.answer = {"failed": True, "msg": "it was changed"}
    for _host in range(2):
        answer = act(build_files_info, store="/s", build_id="ab", keep=True)
        assert answer == {"failed": True, "msg": "it was changed"}


def test_an_answer_that_is_no_list(fleet):
    answers: tuple[Any, ...] = ("x", ["x"], {"release": 1}, {"packages": {}})
    for files in answers:
        fleet.answer = {"changed": False, "files": files}
        answer = act(build_files_info, store="/s", build_id=repr(files), keep=True)
        assert answer == {"failed": True, "msg": "builder answered with something that is no list"}


def test_a_builder_that_is_off_is_waited_for_once(fleet):
    fleet.error = AnsibleConnectionFailure("no route")
    for _host in range(3):
        with pytest.raises(AnsibleConnectionFailure, match="no route"):
            act(build_files_info, store="/s", build_id="ab", keep=True)
    assert len(fleet.sent) == 1


def test_a_file_that_is_no_kept_list_is_refused(fleet, tmp_path):
    (tmp_path / "other.json").write_text("{}")
    for name in ("other.json", "none.json"):
        with pytest.raises(AnsibleActionFail, match="is not what build_files_info has kept"):
            act(kernel_files, files_path=str(tmp_path / name))
    assert fleet.sent == []


def test_two_lists_are_one_too_many(fleet):
    with pytest.raises(AnsibleActionFail, match="two ways"):
        act(kernel_files, files=LIST, files_path="/x")
