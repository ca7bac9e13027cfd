# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings of the scenario, and what is left of libvirt; the machine is `make test-vagrant`."""

from __future__ import annotations

import signal
import subprocess
import time
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.tests.system.vagrant import libvirt_host, run

BUILT = {"name": "oslab-kernel-0123", "url": "file:///boxes/0123.box", "driver": "qemu"}


def test_the_built_box_is_taken() -> None:
    settings = run.settings({}, BUILT)
    assert settings["OSLAB_VAGRANT_BOX"] == "oslab-kernel-0123"
    assert settings["OSLAB_VAGRANT_BOX_URL"] == "file:///boxes/0123.box"
    assert settings["OSLAB_VAGRANT_PROVIDER"] == settings["VAGRANT_DEFAULT_PROVIDER"] == "libvirt"
    assert settings["OSLAB_VAGRANT_DRIVER"] == "qemu"
    assert settings["OSLAB_VAGRANT_LISTEN"] == settings["OSLAB_VAGRANT_HOST"] == libvirt_host.HOST


def test_a_named_box_is_fetched_by_its_name() -> None:
    settings = run.settings({"OSLAB_VAGRANT_BOX": "debian/bookworm64"}, {})
    assert settings["OSLAB_VAGRANT_BOX"] == "debian/bookworm64"
    assert settings["OSLAB_VAGRANT_BOX_URL"] == ""
    assert settings["OSLAB_VAGRANT_DRIVER"] == "kvm"


def test_virtualbox_has_this_host_elsewhere() -> None:
    given = {"OSLAB_VAGRANT_BOX": "debian/bookworm64", "OSLAB_VAGRANT_PROVIDER": "virtualbox"}
    settings = run.settings(given, BUILT)
    assert settings["OSLAB_VAGRANT_BOX_URL"] == ""
    assert (settings["OSLAB_VAGRANT_LISTEN"], settings["OSLAB_VAGRANT_HOST"]) == (
        "127.0.0.1",
        "10.0.2.2",
    )


@pytest.mark.parametrize(
    ("given", "built", "message"),
    [
        ({}, {}, "call `make box`"),
        ({"OSLAB_VAGRANT_PROVIDER": "virtualbox"}, BUILT, "name one in OSLAB_VAGRANT_BOX"),
        ({"OSLAB_VAGRANT_PROVIDER": "vmware"}, BUILT, "libvirt or virtualbox"),
    ],
)
def test_what_cannot_be_is_refused(
    given: dict[str, str], built: dict[str, str], message: str
) -> None:
    with pytest.raises(run.RunError, match=message):
        run.settings(given, built)


class Host:
    """Stands in for virsh and the daemons."""

    def __init__(self) -> None:
        self.up = False
        self.machines: list[str] = []
        self.pools = ["default"]
        self.called: list[str] = []

    def virsh(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        listed = {
            "list": self.machines,
            "net-list": ["default", "oslab-kernel"],
            "pool-list": self.pools,
            "vol-list": [" Name  Path", "-----", " box.img  /pool/box.img"],
        }.get(arguments[0])
        if listed is None:
            self.called.append(" ".join(arguments))
            if arguments[0] == "pool-start":
                self.pools.append(arguments[1])
        code = 0 if self.up or arguments[0] != "uri" else 1
        return subprocess.CompletedProcess(arguments, code, "\n".join(listed or []), "")

    def start(self, _state: Path) -> None:
        self.called.append("start")
        self.up = True

    def stop(self, _state: Path) -> None:
        self.called.append("stop")


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Host:
    host = Host()
    for name in ("virsh", "start", "stop"):
        monkeypatch.setattr(libvirt_host, name, getattr(host, name))
    return host


def test_what_was_made_is_removed_and_nothing_else(host: Host, tmp_path: Path) -> None:
    with libvirt_host.running(tmp_path):
        host.called.append("work")
    assert [line for line in host.called if line != "uri"] == [
        "start",
        "pool-define-as oslab-kernel dir --target /var/lib/libvirt/images/oslab-kernel",
        "pool-build oslab-kernel",
        "pool-start oslab-kernel",
        "work",
        "net-destroy oslab-kernel",
        "net-undefine oslab-kernel",
        "vol-delete --pool oslab-kernel box.img",
        "pool-destroy oslab-kernel",
        "pool-delete oslab-kernel",
        "pool-undefine oslab-kernel",
        "stop",
    ]


def test_a_machine_that_is_left_keeps_what_it_needs(host: Host, tmp_path: Path) -> None:
    host.machines = ["other", "oslab-kernel-target"]
    host.pools.append("oslab-kernel")
    with libvirt_host.running(tmp_path):
        pass
    assert [line for line in host.called if line != "uri"] == ["start"]


def test_a_libvirt_that_runs_is_not_started(host: Host, tmp_path: Path) -> None:
    host.up, host.machines = True, ["other"]
    with pytest.raises(KeyError), libvirt_host.running(tmp_path):
        raise KeyError
    assert "start" not in host.called
    # After a failure, too.
    assert "pool-undefine oslab-kernel" in host.called


def test_only_a_daemon_that_is_one_is_ended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Not the start of `sleep` alone: for a moment it still has its parent's name.
    sleeper = subprocess.Popen(
        ["sh", "-c", "echo; exec sleep 60"], stdout=subprocess.PIPE, start_new_session=True
    )
    assert sleeper.stdout
    sleeper.stdout.readline()
    while Path(f"/proc/{sleeper.pid}/comm").read_text() != "sleep\n":
        time.sleep(0.01)
    # A process id that has been given to another since.
    (tmp_path / "libvirtd.pid").write_text(f"{sleeper.pid}\n")
    libvirt_host.stop(tmp_path)
    assert sleeper.poll() is None
    monkeypatch.setattr(libvirt_host, "DAEMONS", ("sleep",))
    (tmp_path / "sleep.pid").write_text(f"{sleeper.pid}\n")
    libvirt_host.stop(tmp_path)
    assert sleeper.wait() == -signal.SIGTERM
    assert not list(tmp_path.iterdir())
    sleeper.stdout.close()
