# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What apt 2.6 and 3.0, dpkg 1.21 and dkms 3.0 and 3.2 have printed."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._host.apt_transaction import (
    InstallError,
    RefusedError,
    Transaction,
    TransactionError,
    cause,
    plan,
    plan_purge,
    reason,
    simulate,
)

VERSION = "6.12.0-oslab1.0123456789ab"
IMAGE, LIBC = "linux-image-6.12.0-test", "linux-libc-dev"
WANTED = {IMAGE: f"{IMAGE}={VERSION}", LIBC: f"{LIBC}={VERSION}"}

REMOVES = """The following packages will be REMOVED:
  libc6-dev:i386 libwine-dev:i386 linux-libc-dev:i386
The following NEW packages will be installed:
  linux-image-6.12.0-test
The following packages will be upgraded:
  linux-libc-dev
1 upgraded, 1 newly installed, 3 to remove and 1 not upgraded.
Remv libwine-dev:i386 [8.0]
Remv libc6-dev:i386 [2.36-9]
Remv linux-libc-dev:i386 [6.1.1-1]
Inst linux-image-6.12.0-test (6.12.0-oslab1.0123456789ab localhost [amd64])
Inst linux-libc-dev [6.1.1-1] (6.12.0-oslab1.0123456789ab localhost [amd64])
Conf linux-image-6.12.0-test (6.12.0-oslab1.0123456789ab localhost [amd64])
Conf linux-libc-dev (6.12.0-oslab1.0123456789ab localhost [amd64])
"""
INSTALLS = """The following NEW packages will be installed:
  linux-image-6.12.0-test
0 upgraded, 1 newly installed, 0 to remove and 2 not upgraded.
Inst linux-image-6.12.0-test (6.12.0-oslab1.0123456789ab localhost [amd64])
Conf linux-image-6.12.0-test (6.12.0-oslab1.0123456789ab localhost [amd64])
"""
PURGES = """The following packages will be REMOVED:
  linux-image-6.12.0-old* my-kernel*
0 upgraded, 0 newly installed, 2 to remove and 2 not upgraded.
Purg my-kernel [1]
Purg linux-image-6.12.0-old [6.12.0-oslab1.aaaaaaaaaaaa]
"""
UNMET = """Some packages could not be installed. This may mean that you have
requested an impossible situation or if you are using the unstable
distribution that some required packages have not yet been created
or been moved out of Incoming.
The following information may help to resolve the situation:

The following packages have unmet dependencies:
 linux-needs-x : Depends: not-there (>= 2) but it is not installable
"""
UNMET_2 = "E: Unable to correct problems, you have held broken packages.\n"
UNMET_3 = f"""W: Unable to read /etc/apt/apt.conf.d/
{UNMET_2}E: The following information from --solver 3.0 may provide additional context:
   Unable to satisfy dependencies. Reached two conflicting decisions:
   1. linux-needs-x:amd64=1 is selected for install
"""
HELD = "E: Held packages were changed and -y was used without --allow-change-held-packages.\n"

DKMS_12 = """Setting up linux-headers-6.12.0-test (6.12.0-oslab1.0123456789ab) ...
Setting up linux-image-6.12.0-test (6.12.0-oslab1.0123456789ab) ...
dkms: running auto installation service for kernel 6.12.0-test.
Sign command: /lib/modules/6.12.0-test/build/scripts/sign-file
Binary /lib/modules/6.12.0-test/build/scripts/sign-file not found, modules won't be signed

Building module:
Cleaning build area...
make -j2 KERNELRELEASE=6.12.0-test...(bad exit status: 2)
Error! Bad return status for module build on kernel: 6.12.0-test (x86_64)
Consult /var/lib/dkms/broken/1.0/build/make.log for more information.
Error! One or more modules failed to install during autoinstall.
Refer to previous errors for more information.
dkms: autoinstall for kernel: 6.12.0-test \x1b[31mfailed!\x1b[0m
run-parts: /etc/kernel/postinst.d/dkms exited with return code 11
dpkg: error processing package linux-image-6.12.0-test (--configure):
dpkg: dependency problems prevent configuration of linux-modules-oslab-6.12.0-test:
Errors were encountered while processing:
 linux-image-6.12.0-test
E: Sub-process /usr/bin/dpkg returned an error code (1)
"""
DKMS_13 = """Setting up linux-image-6.12.0-test (6.12.0-oslab1.0123456789ab) ...
Kernel config /lib/modules/6.12.0-test/build/.config not found, modules won't be signed

Autoinstall of module broken/1.0 for kernel 6.12.0-test (x86_64)
Building module(s)...(bad exit status: 1)
Failed command:
make -j2 KERNELRELEASE=6.12.0-test

Error! Bad return status for module build on kernel: 6.12.0-test (x86_64)
Consult /var/lib/dkms/broken/1.0/build/make.log for more information.

Autoinstall on 6.12.0-test succeeded for module(s) good.
Autoinstall on 6.12.0-test failed for module(s) broken(10).

Error! One or more modules failed to install during autoinstall.
Refer to previous errors for more information.
run-parts: /etc/kernel/postinst.d/dkms exited with return code 1
dpkg: error processing package linux-image-6.12.0-test (--configure):
"""
OTHER_HOOK = """Setting up linux-image-6.12.0-test (6.12.0-oslab1.0123456789ab) ...
update-initramfs: Generating /boot/initrd.img-6.12.0-test
E: /usr/share/initramfs-tools/hooks/mine failed with return 1.
update-initramfs: failed for /boot/initrd.img-6.12.0-test with 1.
run-parts: /etc/kernel/postinst.d/initramfs-tools exited with return code 1
dpkg: error processing package linux-image-6.12.0-test (--configure):
"""
NO_HOOK = """Setting up oslab-kernel-tools (2) ...
no
dpkg: error processing package oslab-kernel-tools (--configure):
E: Sub-process /usr/bin/dpkg returned an error code (1)
"""


class Host:
    """Answers by the words of a command; the last answer of several stays."""

    def __init__(self, answers: dict[str, list[Result]]) -> None:
        self.answers = answers
        self.asked: list[list[str]] = []

    def run(self, argv: Sequence[str]) -> Result:
        self.asked.append(list(argv))
        for words, answers in self.answers.items():
            if words in " ".join(argv):
                return answers.pop(0) if len(answers) > 1 else answers[0]
        return Result(0)


@pytest.mark.parametrize(("err"), [UNMET_2, UNMET_3])
def test_the_reason_of_either_apt(err: str) -> None:
    assert reason(UNMET, err) == (
        "linux-needs-x : Depends: not-there (>= 2) but it is not installable; "
        "Unable to correct problems, you have held broken packages."
    )


def test_a_reason_that_is_none() -> None:
    assert reason("", "") == "no output"
    assert len(reason("", "E: " + "x" * 1000)) == 300


def test_simulations() -> None:
    host = Host({"install a": [Result(0, REMOVES)], "purge": [Result(0, PURGES)]})
    found = simulate(host.run, "install", ["a"])
    assert found.removed == ["libwine-dev:i386", "libc6-dev:i386", "linux-libc-dev:i386"]
    assert found.problem == ""
    assert simulate(host.run, "purge", ["b"]).removed == ["my-kernel", "linux-image-6.12.0-old"]
    for argv in host.asked:
        assert argv[:2] == ["apt-get", "--simulate"]
        assert {"--yes", "--no-install-recommends", "--allow-downgrades"} <= set(argv)


def test_what_alone_would_remove_others_is_left_out() -> None:
    host = Host({f"{LIBC}=": [Result(0, REMOVES)], "install": [Result(0, INSTALLS)]})
    found = plan(host.run, WANTED, [LIBC])
    assert found.targets == {IMAGE: WANTED[IMAGE]}
    assert found.left_out == {
        LIBC: "apt would remove libwine-dev:i386, libc6-dev:i386, linux-libc-dev:i386"
    }
    assert found.changed
    # Alone, there is nothing left to simulate.
    alone = plan(host.run, {LIBC: WANTED[LIBC]}, [LIBC])
    assert (alone.targets, alone.changed) == ({}, False)


def test_what_comes_along_is_named() -> None:
    along = (
        "Inst kmod (30 localhost [amd64])\nInst libx:i386 (1 localhost [i386])\n"
        "Inst libc6 [2.35] (2.36 localhost [amd64])\n"
    )
    host = Host({"install": [Result(0, along + INSTALLS)]})
    assert list(plan(host.run, WANTED, []).brought) == ["kmod"]


def test_what_would_remove_others_without_it_too() -> None:
    host = Host({"install": [Result(0, REMOVES)]})
    with pytest.raises(RefusedError, match=r"^apt would remove libwine-dev:i386, .* to install"):
        plan(host.run, WANTED, [LIBC])


def test_a_held_package() -> None:
    host = Host({"install": [Result(100, "", HELD)]})
    with pytest.raises(RefusedError, match="Held packages were changed"):
        plan(host.run, WANTED, [])


def test_a_package_that_was_not_unpacked_whole() -> None:
    message = (
        "E: The package old-image needs to be reinstalled, but I can't find an archive for it.\n"
    )
    host = Host({"install": [Result(100, "", message)]})
    with pytest.raises(RefusedError) as failed:
        plan(host.run, WANTED, [])
    text = str(failed.value)
    assert "archive for it. Nothing was installed. `dpkg --remove --force-remove-reinstreq" in text
    assert "old-image" in text.partition("reinstreq")[2]
    assert "pins" not in text


def test_a_purge_that_takes_others_away() -> None:
    old = "linux-image-6.12.0-old"
    state = f"{old} 6.12.0-oslab1.aaaaaaaaaaaa install ok installed\n"
    host = Host({"dpkg-query": [Result(0, state)], "purge": [Result(0, PURGES)]})
    with pytest.raises(RefusedError, match=rf"^my-kernel would be removed with {old}"):
        plan_purge(host.run, [old])
    assert plan_purge(Host({}).run, [old]) == []
    # While there is a package that was not unpacked whole, apt plans nothing.
    cut = state.replace("ok installed", "reinstreq half-installed")
    assert plan_purge(Host({"dpkg-query": [Result(0, cut)]}).run, [old]) == [old]


@pytest.mark.parametrize(("text", "status"), [(DKMS_12, 11), (DKMS_13, 1)])
def test_the_cause_is_the_first_one(text: str, status: int) -> None:
    assert cause(text) == (
        f"/etc/kernel/postinst.d/dkms ended with {status}: Error! Bad return status for module "
        "build on kernel: 6.12.0-test (x86_64) (see /var/lib/dkms/broken/1.0/build/make.log)"
    )


def test_the_error_in_the_log(tmp_path: Path) -> None:
    log = tmp_path / "make.log"
    log.write_text("make: x\nbroken.c:3:10: error: no such function\nmake: *** Error 2\n")
    text = DKMS_12.replace("/var/lib/dkms/broken/1.0/build/make.log", str(log))
    assert " / broken.c:3:10: error: no such function (see " in cause(text)


def test_the_cause_in_another_hook() -> None:
    assert cause(OTHER_HOOK) == (
        "/etc/kernel/postinst.d/initramfs-tools ended with 1: update-initramfs: Generating "
        "/boot/initrd.img-6.12.0-test / E: /usr/share/initramfs-tools/hooks/mine failed with "
        "return 1. / update-initramfs: failed for /boot/initrd.img-6.12.0-test with 1"
    )
    assert cause(NO_HOOK) == "dpkg: error processing package oslab-kernel-tools (--configure): no"
    assert cause("E: Failed to fetch x  404\n") == "Failed to fetch x  404"
    full = "unable to fill /var/lib/dpkg/updates/tmp.i with padding: No space left on device"
    ended = f"dpkg: unrecoverable fatal error, aborting:\n {full}\n"
    text = f"Reading…\n{ended}E: Sub-process /usr/bin/dpkg returned an error code (2)\n"
    assert cause(text) == f"dpkg: unrecoverable fatal error, aborting: {full}"
    locked = "dpkg: error: dpkg frontend lock was locked by another process with pid 7\nNote: x\n"
    assert cause(locked).startswith("dpkg: error: dpkg frontend lock was locked")
    assert len(cause(OTHER_HOOK.replace("mine", "m" * 1000))) <= 260


def states(**found: str) -> Result:
    rows = [f"{name.replace('_', '-')} {state}" for name, state in found.items()]
    return Result(0, "".join(f"{row}\n" for row in rows))


def test_only_what_this_run_brought_is_purged(tmp_path: Path) -> None:
    """Not what was there, in whatever version, nor what has another version than was wanted."""
    wanted = {name: f"{name}=2" for name in ("new", "upgraded", "foreign")}
    before = states(upgraded="1 install ok installed")
    after = states(
        new="2 install ok half-configured",
        upgraded="2 install ok unpacked",
        foreign="9 install ok installed",
    )
    end = states(upgraded="2 install ok unpacked", foreign="9 install ok installed")
    # All of dpkg's, and of the packages: before; after the failure; at the end.
    queries = [before, before, after, end, end]
    host = Host({"dpkg-query --show": queries, "install new=2": [Result(100, NO_HOOK)]})
    with pytest.raises(InstallError) as failed:
        Transaction(host.run, 5, tmp_path).install(wanted, dict.fromkeys(wanted, "2"))
    purge = ["dpkg", "--force-remove-reinstreq", "--purge", "new"]
    assert purge in [argv[-4:] for argv in host.asked]
    assert failed.value.undone == ["new"]
    assert failed.value.unfinished == ["upgraded"]
    assert "`dpkg --configure -a`" in str(failed.value)
    assert "apt-get install --allow-downgrades upgraded=1" in str(failed.value)
    (installation,) = [argv for argv in host.asked if "install" in argv]
    assert "APT::Get::Remove=false" in installation
    assert "DPkg::Lock::Timeout=5" in installation


def test_dpkg_is_waited_for(tmp_path: Path) -> None:
    slept: list[float] = []
    locked = "dpkg: error: dpkg frontend lock was locked by another process with pid 7\n"
    host = Host(
        {
            "--purge": [Result(2, locked), Result(2, locked), Result(0)],
            "dpkg-query": [states(), states(), states(new="2 install ok unpacked"), states()],
            "install": [Result(100, NO_HOOK)],
        }
    )
    with pytest.raises(InstallError):
        Transaction(host.run, 60, tmp_path, slept.append).install({"new": "new=2"}, {"new": "2"})
    assert slept == [5.0, 5.0]


def test_a_purge_that_fails(tmp_path: Path) -> None:
    host = Host({"--purge": [Result(1, OTHER_HOOK)]})
    with pytest.raises(TransactionError, match=r"initramfs-tools ended with 1.*dpkg --audit"):
        Transaction(host.run, 5, tmp_path).purge([IMAGE])


def test_what_depmod_left_is_removed_and_nothing_else(tmp_path: Path) -> None:
    host = Host({"--search": [Result(1)]})
    kernel = tmp_path / "lib/modules/6.12.0-test"
    (kernel / "updates/dkms").mkdir(parents=True)
    (kernel / "modules.dep").touch()
    Transaction(host.run, 5, tmp_path).purge([IMAGE])
    assert not kernel.exists()
    (kernel / "extra").mkdir(parents=True)
    (kernel / "extra/mine.ko").touch()
    Transaction(host.run, 5, tmp_path).purge([IMAGE])
    assert (kernel / "extra/mine.ko").exists()
    (kernel / "modules.dep").touch()
    owned = Host({"--search": [Result(0, f"other: {kernel}\n")]})
    Transaction(owned.run, 5, tmp_path).purge([IMAGE])
    assert (kernel / "modules.dep").exists()


def test_a_module_that_dkms_forgot_is_registered_again(tmp_path: Path) -> None:
    source = tmp_path / "var/lib/dkms/good/1.0/source"
    source.parent.mkdir(parents=True)
    source.symlink_to("/usr/src/good-1.0")
    asked = []

    def run(argv: Sequence[str]) -> Result:
        asked.append(list(argv))
        if "--purge" in argv:
            source.unlink()
        return Result(0)

    Transaction(run, 5, tmp_path).purge([IMAGE])
    assert asked[-1] == ["dkms", "add", "-m", "good", "-v", "1.0"]


def test_the_hooks_path(tmp_path: Path) -> None:
    configured = {"apt-config": [Result(0, "FOUND='/opt/bin:/bin'\n")]}
    for answers, path in ((configured, "/opt/bin:/bin"), ({}, "/usr/sbin:/usr/bin:/sbin:/bin")):
        host = Host(answers)
        Transaction(host.run, 5, tmp_path).install({"new": "new=2"}, {"new": "2"}, "/run/x")
        assert f"DPkg::Path=/run/x:{path}" in host.asked[-1]
