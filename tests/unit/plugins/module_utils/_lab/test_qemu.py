# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu


@pytest.fixture
def host(tmp_path: Path) -> Path:
    """A host with a KVM device and an image."""
    for name, text in (("kvm", ""), ("boot_id", "boot-1\n"), ("vmlinuz", "k1"), ("initrd", "i")):
        (tmp_path / name).write_text(text)
    return tmp_path


def choose(host: Path, proofs: list[bool], requested: str = "auto") -> qemu.Accel:
    def prove(_kernel: Path, _initrd: Path) -> tuple[bool, str]:
        return proofs.pop(0), "seen"

    return qemu.choose_accel(
        requested,
        host / "vmlinuz",
        host / "initrd",
        host / "accel.json",
        prove=prove,
        device=host / "kvm",
        read_boot_id=(host / "boot_id").read_text,
    )


def test_accel_is_what_was_asked_for(host: Path) -> None:
    assert choose(host, [], requested="kvm").name == "kvm"
    assert not (host / "accel.json").exists()


def test_accel_without_a_device_is_tcg_without_a_proof(host: Path) -> None:
    (host / "kvm").unlink()
    accel = choose(host, [])
    assert accel.name == "tcg"
    assert "missing" in accel.reason


@pytest.mark.parametrize(("works", "name"), [(True, "kvm"), (False, "tcg")])
def test_accel_is_probed_once_for_each_boot_of_the_host(host: Path, works: bool, name: str) -> None:
    proofs = [works]
    assert choose(host, proofs).name == name
    assert choose(host, proofs) == qemu.Accel(name, "seen")
    assert proofs == []


def test_accel_is_probed_again_after_a_boot_or_with_another_kernel(host: Path) -> None:
    proofs = [False, True, False]
    assert choose(host, proofs).name == "tcg"
    (host / "boot_id").write_text("boot-2\n")
    assert choose(host, proofs).name == "kvm"
    (host / "vmlinuz").write_text("k2")
    assert choose(host, proofs).name == "tcg"


def test_accel_survives_a_damaged_verdict(host: Path) -> None:
    (host / "accel.json").write_text("{")
    assert choose(host, [True]).name == "kvm"


def guest(code: str) -> list[str]:
    return [sys.executable, "-c", code]


def test_watch_ends_at_the_marker() -> None:
    boot = qemu.watch_boot(
        guest("import time; print('..up..', flush=True); time.sleep(60)"), "up", 20
    )
    assert boot.seen
    assert boot.exited is None


def test_watch_ends_with_the_guest_and_keeps_its_last_words() -> None:
    boot = qemu.watch_boot(guest("import sys; print('x'); sys.exit('failed to set MSR')"), "up", 20)
    assert (boot.seen, boot.exited, boot.stderr) == (False, 1, "failed to set MSR")
    assert boot.serial == "x\n"


def test_watch_gives_up_on_a_guest_that_hangs() -> None:
    boot = qemu.watch_boot(guest("import time; time.sleep(60)"), "up", 0.5)
    assert not boot.seen
    assert boot.exited is None


def test_watch_does_not_count_the_time_in_which_it_was_stopped(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hours = iter(range(0, 10**9, 3600))
    monkeypatch.setattr(qemu.time, "monotonic", lambda: float(next(hours)))
    boot = qemu.watch_boot(guest("import time; time.sleep(0.5); print('up')"), "up", 1000)
    assert boot.seen


def test_watch_ends_a_guest_that_prints_without_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(qemu, "MOST_OUTPUT", 1 << 16)
    monkeypatch.setattr(qemu, "_CHUNK", 1 << 16)
    boot = qemu.watch_boot(["yes"], None, 1000)
    assert boot.exited is None
    assert 1 << 16 < len(boot.serial) < 1 << 18


def test_watch_without_a_marker_waits_for_the_end() -> None:
    boot = qemu.watch_boot(guest("print('done')"), None, 20)
    assert (boot.seen, boot.exited, boot.serial) == (False, 0, "done\n")


@pytest.mark.parametrize(
    ("boot", "works", "reason"),
    [
        (qemu.Boot(True, None, "", ""), True, "booted a test guest"),
        (qemu.Boot(False, -6, "", "warning\nfailed to set MSR"), False, "failed to set MSR"),
        (qemu.Boot(False, None, "", ""), False, "hung"),
    ],
)
def test_proof(monkeypatch: pytest.MonkeyPatch, boot: qemu.Boot, works: bool, reason: str) -> None:
    monkeypatch.setattr(qemu, "watch_boot", lambda *_args: boot)
    found = qemu.prove_kvm(Path("k"), Path("i"))
    assert found[0] is works
    assert reason in found[1]


def test_machine_takes_no_feature_from_the_cpu() -> None:
    argv = qemu.machine_argv("tcg", cpus=2, memory=512)
    assert argv[argv.index("-cpu") + 1] == "max"
    assert qemu.machine_argv("kvm", 2, 512)[6] == "host"


def test_emulated_processors_run_in_turns_if_that_is_asked_for() -> None:
    def argv(accel: str, in_turns: bool = False) -> str:
        argv = qemu.direct_boot_argv(accel, Path("k"), Path("i"), "x", in_turns=in_turns)
        return " ".join(argv)

    assert "-accel tcg,thread=single" in argv("tcg", in_turns=True)
    assert "accel=tcg" not in argv("tcg", in_turns=True)
    assert argv("kvm", in_turns=True) == argv("kvm")
    assert "q35,accel=tcg," in argv("tcg")


def test_last_lines_are_readable() -> None:
    serial = "one\r\n\x1b[32m  OK  \x1b[0m two\r\n\r\n\x1b[K\x1b[1;1Hthree\x07\r\n"
    assert qemu.last_lines(serial, 2) == "  OK   two\nthree\\x07"


def test_escape() -> None:
    assert qemu.escape("/a,b") == "/a,,b"


def test_write_is_whole_and_private(tmp_path: Path) -> None:
    path = tmp_path / "new" / "key"
    qemu.write_file(path, b"x", mode=0o600)
    assert path.stat().st_mode & 0o777 == 0o600
    assert [entry.name for entry in path.parent.iterdir()] == ["key"]


def test_lock_says_who_holds_it(tmp_path: Path) -> None:
    lock = tmp_path / "lock"
    with (
        qemu.locked(lock, 1),
        pytest.raises(qemu.QemuError, match="has been held by another run"),
        qemu.locked(lock, 0.2),
    ):
        pass
    with qemu.locked(lock, 0):
        pass


def test_nobody_else_can_take_the_lock(tmp_path: Path) -> None:
    """Whoever can read a file can lock it."""
    lock = tmp_path / "lock"
    lock.write_text("")
    lock.chmod(0o644)
    for _existing in (True, False):
        with qemu.locked(lock, 0):
            assert lock.stat().st_mode & 0o777 == 0o600
        lock.unlink()


def test_missing_program_is_named() -> None:
    with pytest.raises(qemu.QemuError, match="no-such-program is not installed"):
        qemu.run(["no-such-program"])
    boot = qemu.watch_boot(["no-such-program"], "x", 20)
    assert boot.exited == 127
    assert "no-such-program" in boot.stderr


def test_guest_ends_with_whoever_watches_it(tmp_path: Path) -> None:
    code = (
        "from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu\n"
        f"qemu.watch_boot(['sh', '-c', 'echo $$ > {tmp_path}/pid; exec sleep 60'], None, 60)\n"
    )
    watcher = subprocess.Popen(
        [sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": ":".join(sys.path)}
    )
    deadline = time.monotonic() + 20
    while not (tmp_path / "pid").exists() or not (tmp_path / "pid").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    guest_process = Path("/proc", (tmp_path / "pid").read_text().strip())
    watcher.kill()
    watcher.wait()
    while guest_process.exists() and "Z" not in (guest_process / "stat").read_text():
        assert time.monotonic() < deadline
        time.sleep(0.05)
