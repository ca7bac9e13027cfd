# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who is rebooted when, what ansible.builtin.reboot is asked for, and what it runs on a host."""

from __future__ import annotations

import contextlib
import os
import pty
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible import constants
from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action.reboot import ActionModule as Reboot
from ansible_collections.oslab.kernel.plugins.action import throttled_reboot
from ansible_collections.oslab.kernel.plugins.plugin_utils import reboot_states

HOST = {"inventory_hostname": "web3"}


class Interrupted(BaseException):
    """As a task's `timeout` ends it."""


@pytest.fixture
def reboots(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """With which options a reboot was asked for; each answers what the last of its options says."""
    asked: list[dict[str, Any]] = []

    def run(self: Any, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        asked.append(dict(self._task.args))
        return {"changed": True, "failed": self._task.args["reboot_timeout"] < 1}

    monkeypatch.setattr(Reboot, "run", run)
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path), raising=False)
    return asked


def act(**arguments: Any) -> dict[str, Any]:
    action = throttled_reboot.ActionModule.__new__(throttled_reboot.ActionModule)
    action._task = SimpleNamespace(args={"reboot_timeout": 1, **arguments}, check_mode=False)
    return action.run(task_vars=HOST)


def test_the_other_options_are_handed_on(reboots: list[dict[str, Any]]) -> None:
    assert act(group="rack", at_once=2) == {"changed": True, "failed": False}
    assert act() == {"changed": True, "failed": False}
    assert reboots == [{"reboot_timeout": 1}, {"reboot_timeout": 1}]


@pytest.mark.parametrize("at_once", [0, 2])
def test_how_long_the_log_of_the_console_was(
    reboots: list[dict[str, Any]], tmp_path: Path, at_once: int
) -> None:
    path = tmp_path / "serial.log"
    assert act(at_once=at_once, serial_log=str(path))["serial_size"] == 0
    path.write_text("12345")
    assert act(at_once=at_once, serial_log=str(path))["serial_size"] == 5
    # Of a host that is lost, too.
    assert act(at_once=at_once, serial_log=str(path), reboot_timeout=0)["serial_size"] == 5
    assert {*reboots[0]} == {"reboot_timeout"}


def test_a_lost_host_is_the_last_of_its_group(reboots: list[dict[str, Any]]) -> None:
    assert act(group="rack", at_once=1, reboot_timeout=0)["failed"]
    refused = act(group="rack", at_once=1)
    assert refused["failed"] and refused["refused"] and not refused["rebooted"]
    assert "web3 of rack did not come back" in refused["msg"]
    assert not act(group="other", at_once=1)["failed"]
    assert len(reboots) == 2


def rebooted(monkeypatch: pytest.MonkeyPatch, answer: Any) -> dict[str, Any]:
    """The result of a reboot that took 39 s, of a host that answers so to the question."""
    done = {"changed": True, "rebooted": True, "elapsed": 39}
    monkeypatch.setattr(Reboot, "run", lambda *_arguments: done)
    monkeypatch.setattr(
        throttled_reboot.ActionModule, "_low_level_execute_command", answer, raising=False
    )
    return act()


def test_the_stages_of_a_reboot(monkeypatch: pytest.MonkeyPatch) -> None:
    def answer(_self: Any, _question: str, sudoable: bool) -> dict[str, Any]:
        assert not sudoable
        return {"stdout": "30.00 1.00\nUserspaceTimestampMonotonic=10000000\n"}

    result = rebooted(monkeypatch, answer)
    assert result["stages"] == {"before_kernel": 9.0, "kernel": 10.0, "user_space": 20.0}
    assert result["answered"] > 1e9


def test_a_host_that_is_gone_again_has_no_stages(monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_arguments: Any, **_named: Any) -> None:
        raise AnsibleConnectionFailure("gone")

    assert rebooted(monkeypatch, fails)["stages"] == {}


@pytest.mark.parametrize(
    ("result", "last"),
    [
        ({"rebooted": True}, "answers"),
        ({"rebooted": True, "failed": True}, "did not come back"),
        ({"rebooted": False, "failed": True}, "was not rebooted"),
        (Interrupted(), "did not come back"),
    ],
)
@pytest.mark.parametrize("read", [True, False])
def test_states_of_a_reboot(
    result: Any,
    last: str,
    read: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """In a file where a live view reads them, else on the terminal."""

    def run(self: Any, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        self.perform_reboot(task_vars, {})
        if isinstance(result, BaseException):
            raise result
        return dict(result)

    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path), raising=False)
    monkeypatch.setattr(Reboot, "run", run)
    monkeypatch.setattr(Reboot, "perform_reboot", lambda *_arguments: {})
    place = reboot_states.directory(str(tmp_path))
    if read:
        place.mkdir()
    with contextlib.suppress(Interrupted):
        act(group="rack", at_once=1)
    printed = [line for line in capsys.readouterr().out.splitlines() if line]
    if read:
        (state,) = reboot_states.read(place)
        assert (state.host, state.state, printed) == ("web3", last, [])
    else:
        assert printed == ["web3: shuts down (0:00)", f"web3: {last} (0:00)"]


def test_a_host_whose_reboot_took_too_long_is_lost(
    reboots: list[dict[str, Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def hang(self: Any, tmp: Any = None, task_vars: Any = None) -> dict[str, Any]:
        raise Interrupted

    with monkeypatch.context() as patch:
        patch.setattr(Reboot, "run", hang)
        with pytest.raises(Interrupted):
            act(group="rack", at_once=1)
    assert act(group="rack", at_once=1)["refused"]
    assert reboots == []


# As molly-guard and its like: in front of a program, with a question on the terminal.
WRAPPER = """#!/bin/sh
echo "$0" >>{log}
test -t 0 || exec sleep 60
printf 'Please type in hostname of the machine to reboot: '
read -r answer
"""
REAL = '#!/bin/sh\necho "$0 $*" >>{log}\n{then}\n'


class Host:
    """A reboot runs these programs of the test, on a terminal as ssh -tt gives one."""

    def __init__(self, directory: Path, systemd: bool, then: str = "exit 0") -> None:
        self.directory = directory
        self.log = directory / "log"
        self.log.write_text("")
        self.modules: list[str] = []
        for name in ("halt", "poweroff", "reboot", "shutdown", "coldreboot"):
            self.program(f"sbin/{name}", WRAPPER)
        self.program("bin/systemctl", REAL, then)
        self.program("sbin/init", REAL, then)
        if systemd:
            (directory / "run/systemd/system").mkdir(parents=True)

    def program(self, name: str, text: str, then: str = "") -> None:
        path = self.directory / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text.format(log=self.log, then=then))
        path.chmod(0o755)

    def ran(self) -> list[str]:
        return self.log.read_text().replace(f"{self.directory}/", "/").splitlines()

    def execute_module(self, module_name: str, **_more: Any) -> dict[str, Any]:
        self.modules.append(module_name)
        return {"files": [{"path": str(self.directory / "sbin/shutdown")}]}

    def command(self, command: str, **_more: Any) -> dict[str, Any]:
        for name in ("/bin/systemctl", "/sbin/init", "/run/systemd/system"):
            command = command.replace(f" {name}", f" {self.directory}{name}")
        master, slave = pty.openpty()
        try:
            done = subprocess.run(
                ["/bin/sh", "-c", command],
                stdin=slave,
                capture_output=True,
                text=True,
                timeout=10,
                env={**os.environ, "PATH": f"{self.directory}/sbin:/usr/bin:/bin"},
                check=False,
            )
        finally:
            os.close(master)
            os.close(slave)
        return {"rc": done.returncode, "stdout": done.stdout, "stderr": done.stderr}


def action_on(host: Host, **arguments: Any) -> Any:
    action = throttled_reboot.ActionModule.__new__(throttled_reboot.ActionModule)
    action._task = SimpleNamespace(args=arguments, action="reboot", check_mode=False)
    action._execute_module = host.execute_module
    action._low_level_execute_command = host.command
    return action


def reboot(host: Host, **arguments: Any) -> dict[str, Any]:
    action = action_on(host, **arguments)
    distribution = {"name": "debian", "version": "12", "family": "debian"}
    return dict(action.perform_reboot({}, distribution))


@pytest.fixture(params=[True, False], ids=["systemd", "sysvinit"])
def host(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Host]:
    yield Host(tmp_path, systemd=request.param)


def test_no_wrapper_is_asked_for_a_reboot(host: Host) -> None:
    result = reboot(host, msg="Trial boot of 'kernel' $HOME")
    assert not result["failed"], result
    systemd = (host.directory / "run").exists()
    assert host.ran() == [
        "/bin/systemctl --no-ask-password --message=Trial boot of 'kernel' $HOME reboot"
        if systemd
        else "/sbin/init 6"
    ]
    assert host.modules == []


def test_a_kernel_that_somebody_loaded_is_not_what_boots(tmp_path: Path) -> None:
    then = f'echo "$SYSTEMCTL_SKIP_AUTO_KEXEC" >{tmp_path}/skips'
    assert not reboot(Host(tmp_path, systemd=True, then=then))["failed"]
    assert (tmp_path / "skips").read_text() == "1\n"


def test_a_command_that_is_given_reads_no_terminal(tmp_path: Path) -> None:
    host = Host(tmp_path, systemd=True)
    host.program("sbin/asks", "#!/bin/sh\ntest -t 0 && read -r answer\necho $0 $* >>{log}\n")
    assert not reboot(host, reboot_command="asks now")["failed"]
    assert [line.split("/")[-1] for line in host.ran()] == ["asks now"]


def test_a_reboot_that_hangs_is_given_up(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(throttled_reboot, "SECONDS", 1)
    host = Host(tmp_path, systemd=True, then="exec sleep 60")
    result = reboot(host)
    assert result["failed"] and not result["rebooted"]
    assert "it did not end within 1 s" in result["msg"]


def test_what_a_refused_reboot_said_is_kept(tmp_path: Path) -> None:
    then = "echo 'Unit reboot.target is masked.' >&2; exit 4"
    result = reboot(Host(tmp_path, systemd=True, then=then))
    assert result["failed"] and not result["rebooted"]
    assert "Unit reboot.target is masked." in result["msg"]


def test_the_line_may_be_cut_by_the_reboot(tmp_path: Path) -> None:
    host = Host(tmp_path, systemd=True)

    def cut(_command: str, **_more: Any) -> dict[str, Any]:
        raise AnsibleConnectionFailure("cut")

    action = action_on(host)
    action._low_level_execute_command = cut
    assert not action.perform_reboot({}, action.get_distribution({}))["failed"]


def test_the_distribution_is_not_asked_for(tmp_path: Path) -> None:
    host = Host(tmp_path, systemd=True)
    action = action_on(host)
    distribution = action.get_distribution({})
    assert host.modules == []
    attribute = "BOOT_TIME_COMMANDS", distribution, "DEFAULT_BOOT_TIME_COMMAND"
    assert "boot_id" in action._get_value_from_facts(*attribute)
