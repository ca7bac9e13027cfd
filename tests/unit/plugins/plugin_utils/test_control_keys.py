# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Private keys: which files are refused, and which ways to a builder."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest
from ansible import constants
from ansible.errors import AnsibleActionFail, AnsibleConnectionFailure
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible.plugins.action import ActionBase
from ansible_collections.oslab.kernel.plugins.plugin_utils import control_keys
from ansible_collections.oslab.kernel.tests.lib import signing_keys as made

SU = SimpleNamespace(name="su", pipelining=False)
SUDO = SimpleNamespace(name="sudo", pipelining=True)


class Connection:
    """As much of a connection as pipelining depends on, in old and new releases of Ansible."""

    transport = "ssh"
    has_pipelining = True
    always_pipeline_modules = False
    has_native_async = False
    become: SimpleNamespace | None = None

    def __init__(self):
        self.options = {"pipelining": False}

    def get_option(self, name):
        return self.options[name]

    def set_option(self, name, value):
        self.options[name] = value

    def is_pipelining_enabled(self, wrap_async=False):
        able = self.has_pipelining and (not self.become or self.become.pipelining)
        return able and self.options.get("pipelining", False)


class Action:
    """With this machine's shell behind the connection, between `prefix` and `suffix`."""

    _is_pipelining_enabled = ActionBase._is_pipelining_enabled

    def __init__(self, shell=("sh", "-c")):
        self._connection = Connection()
        self._play_context = SimpleNamespace(pipelining=False)
        self._loader = self._templar = None
        self.shell = shell
        self.files = {}

    def _find_needle(self, _kind, path):
        return path

    def _low_level_execute_command(self, command, in_data):
        done = subprocess.run(
            [*self.shell, command], input=in_data, capture_output=True, check=False, timeout=20
        )
        return {"rc": done.returncode, "stdout": done.stdout.decode(), "stderr": ""}

    def _execute_remote_stat(self, path, all_vars, follow, checksum):
        return {"exists": path in self.files, **self.files.get(path, {})}


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    return made.pair(tmp_path_factory.mktemp("keys"))


@pytest.fixture
def key(pem, tmp_path):
    """A copy of the key's file."""
    path = tmp_path / "key.pem"
    path.write_bytes(pem.read_bytes())
    path.chmod(0o600)
    return path


def read(path):
    return control_keys.read(Action(), str(path), "build_x", {})


# --- files -------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_private_file(key, mode):
    key.chmod(mode)
    assert read(key).certificate.subject


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o620, 0o602, 0o610])
def test_a_file_that_others_can_read_or_change(key, mode):
    key.chmod(mode)
    with pytest.raises(AnsibleActionFail) as caught:
        read(key)
    message = str(caught.value)
    assert message.startswith("build_x: ")
    assert f"{key} on the control node" in message
    assert f"has the mode {mode:04o}" in message
    assert f"chmod 0600 {key}" in message


def test_the_file_counts_and_not_a_link_to_it(key, tmp_path):
    link = tmp_path / "link.pem"
    link.symlink_to(key)
    assert read(link).certificate.subject
    key.chmod(0o644)
    with pytest.raises(AnsibleActionFail, match="0644"):
        read(link)


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files away")
def test_a_file_of_somebody_else(key):
    os.chown(key, 12345, -1)
    with pytest.raises(AnsibleActionFail, match=r"the ID 12345.*chown 0 "):
        read(key)


def test_roots_file_serves_everybody_who_can_read_it():
    assert control_keys.exposure("/k", "here", 0o100600, 0, 1000) is None
    assert control_keys.exposure("/k", "here", 0o100600, 1000, 1000) is None
    assert "chown 1000 /k" in (control_keys.exposure("/k", "here", 0o100600, 7, 1000) or "")
    # Whoever is in the group may be many.
    assert "0640" in (control_keys.exposure("/k", "here", 0o100640, 0, 1000) or "")


def test_a_file_in_a_vault_may_be_read_by_all(key, monkeypatch):
    vault = VaultLib([("default", VaultSecret(b"x"))])
    key.write_bytes(vault.encrypt(key.read_text()))
    key.chmod(0o644)

    def decrypted(path):
        return vault.decrypt(Path(path).read_bytes()).decode()

    texts = SimpleNamespace(run=lambda paths, variables: [decrypted(paths[0])])
    monkeypatch.setattr(control_keys.lookup_loader, "get", lambda *_name, **_given: texts)
    assert read(key).certificate.subject


def test_a_pipe_is_not_waited_for(tmp_path):
    os.mkfifo(tmp_path / "pipe", 0o600)
    with pytest.raises(AnsibleActionFail, match="it is not a file"):
        read(tmp_path / "pipe")
    with pytest.raises(AnsibleActionFail, match="cannot read"):
        read(tmp_path)
    with pytest.raises(AnsibleActionFail, match="cannot read"):
        read(tmp_path / "none")


def on_host(**file):
    action = Action()
    action.files = {"/proc/self": {"uid": 0}}
    if file:
        action.files["/root/secret.asc"] = {"uid": 0, "mode": "0600", **file}
    control_keys.check_on_host(action, "/root/secret.asc", "publish_x", {}, "builder")


def test_a_file_of_the_host():
    on_host(mode="0600")
    with pytest.raises(AnsibleActionFail, match=r"publish_x: /root/secret.asc on builder .*0640"):
        on_host(mode="0640")
    with pytest.raises(AnsibleActionFail, match="the ID 1000"):
        on_host(uid=1000)
    with pytest.raises(AnsibleActionFail, match="builder has no such file"):
        on_host()


# --- the way to the builder --------------------------------------------------------------------


def send(action):
    with control_keys.only_by_pipe(action, "build_x", "builder"):
        assert action._is_pipelining_enabled("new")


@pytest.mark.parametrize("become", [None, SUDO])
@pytest.mark.parametrize("configured", [True, False])
def test_pipelining_is_on_while_a_key_is_sent(become, configured):
    action = Action()
    action._connection.become = become
    action._connection.options["pipelining"] = configured
    send(action)
    assert action._connection.options["pipelining"] is configured


def refused(action):
    before = dict(action._connection.options)
    with pytest.raises(AnsibleActionFail) as caught:
        send(action)
    assert action._connection.options == before
    message = str(caught.value)
    assert message.startswith("build_x names a private key, but ")
    assert "builder" in message
    return message


def test_files_that_ansible_keeps(monkeypatch):
    monkeypatch.setattr(constants, "DEFAULT_KEEP_REMOTE_FILES", True)
    assert "keep_remote_files is set" in refused(Action())


def test_ways_without_a_pipe():
    action = Action()
    action._connection.become = SU
    assert "become_method su cannot do without" in refused(action)
    action = Action()
    action._connection.has_pipelining = False
    assert "the connection ssh cannot do without" in refused(action)
    action = Action()
    action._connection.options = {}
    assert "cannot do without" in refused(action)


def test_sudo_that_wants_a_terminal(monkeypatch):
    script = 'echo "sudo: sorry, you must have a tty to run sudo"; exit 1; '
    assert "must have a tty to run sudo" in refused(Action(("sh", "-c", script)))
    action = Action()

    def fail(*_arguments, **_options):
        raise AnsibleConnectionFailure("Premature end of stream:\nyou must have a tty")

    monkeypatch.setattr(action, "_low_level_execute_command", fail)
    assert "Premature end of stream: you must have a tty" in refused(action)


def test_a_terminal_that_repeats_what_is_sent():
    echo = 'read -r line; echo $line; echo $line | sh -c "$0"'
    assert "repeats" in refused(Action(("sh", "-c", echo)))


def test_a_connection_that_loses_the_input():
    assert "status 1" in refused(Action(("sh", "-c", 'exec sh -c "$0" </dev/null')))
