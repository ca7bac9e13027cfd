# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host where GRUB cannot write its environment block: its default is pinned in the settings.

Every menu that is left behind is booted by grub-emu.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import (
    settings as grub_settings,
)
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.entry import (
    GrubError,
    parse_environment,
    parse_menu,
)
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.loader import Grub
from ansible_collections.oslab.kernel.plugins.module_utils._boot.loader import Request
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.tests.lib import grub_emulator

needs_grub = pytest.mark.skipif(not grub_emulator.PROGRAM, reason=grub_emulator.MISSING)

SAMPLES = Path(__file__).with_name("grub_cfg")
# Of each distribution: the new kernel, which its menu has first or not, and the fallback kernel.
KERNELS = {
    "debian-12": ("6.12.117-49-usac1", "6.1.0-41-amd64"),
    "debian-13": ("6.12.57-49-usac1", "6.12.57+deb13-amd64"),
    "ubuntu-22.04": ("6.8.0-49-usac1", "5.15.0-161-generic"),
    "ubuntu-24.04": ("6.8.0-49-usac1", "6.8.0-88-generic"),
}
LAYOUTS = ("lvm", "mdraid1x", "btrfs")
# As grub-mkconfig reads its settings.
SHELL = """\
for file; do [ ! -e "$file" ] || . "$file"; done
[ "$GRUB_DEFAULT" != saved ] || GRUB_DEFAULT='${saved_entry}'
printf %s "${GRUB_DEFAULT:-0}"
"""


class Host:
    """Its files, and the programs of GRUB."""

    def __init__(self, directory: Path, name: str = "debian-12", layout: str = "lvm") -> None:
        self.boot, self.settings = directory / "boot", directory / "default/grub"
        self.layout = layout
        self.broken = False
        self.called: list[str] = []
        self.new, self.old = KERNELS[name]
        self.made = (SAMPLES / f"{name}.cfg").read_text()
        self.boot.mkdir()
        (directory / "default/grub.d").mkdir(parents=True)
        self.settings.write_text("GRUB_DEFAULT=0\nGRUB_TIMEOUT=5\n")
        self.update_grub()

    @property
    def own(self) -> Path:
        return grub_settings.own(self.settings)

    @property
    def config(self) -> Path:
        return self.boot / "grub.cfg"

    def text(self, **variables: str) -> str:
        """What grub-mkconfig makes now, with these in its environment."""
        files = [self.settings, *sorted(Path(f"{self.settings}.d").glob("*.cfg"))]
        argv = ["sh", "-c", SHELL, "sh", *map(str, files)]
        environment = {**os.environ, **variables}
        done = subprocess.run(argv, capture_output=True, text=True, check=True, env=environment)
        default = done.stdout
        text = self.made
        for before in ("0", "${saved_entry}"):
            text = text.replace(f'set default="{before}"', f'set default="{default}"')
        return text

    def update_grub(self) -> None:
        """As the hook of a package does, whenever one is installed."""
        self.config.write_text(self.text())

    def run(self, command: Sequence[str]) -> Result:
        words = list(command)
        self.called.append(words[2] if words[0] == "timeout" else words[0])
        if words[0] == "grub-probe":
            fs, abstraction = "ext2", self.layout
            if self.layout == "btrfs":
                fs, abstraction = "btrfs", ""
            return Result(0, fs if words[1] == "--target=fs" else abstraction)
        if words[0] == "grub-editenv":
            self.write_environment(words[3:])
            return Result(0)
        if "grub-mkconfig" not in words:
            done = subprocess.run(words, capture_output=True, text=True, check=False)
            return Result(done.returncode, done.stdout, done.stderr)
        made = Path(words[-1].partition("=")[2])
        given = dict(word.split("=", 1) for word in words[words.index("env") + 1 : -2])
        made.with_name(f"{made.name}.new").write_text(self.text(**given))
        if self.broken:
            return Result(1, "", "Syntax errors are detected in generated GRUB config file.")
        with made.open("w") as file:
            file.write(made.with_name(f"{made.name}.new").read_text())
        return Result(0)

    def write_environment(self, words: Sequence[str]) -> None:
        """Of each word NAME or NAME=VALUE: unset or set it."""
        block = self.boot / "grubenv"
        values = parse_environment(block.read_text()) if block.exists() else {}
        for name, _equals, value in (word.partition("=") for word in words):
            values[name] = value
        lines = "".join(f"{k}={v}\n" for k, v in values.items() if v)
        block.write_text(f"# GRUB Environment Block\n{lines}")

    def loader(self, kexec: tuple[str, str] = ("", "")) -> Grub:
        files = (str(self.config), str(self.boot / "grubenv"), str(self.boot / "custom.cfg"))
        return Grub(self.run, *files, settings=str(self.settings), kexec_problem=lambda: kexec)

    def choose(self, release: str, state: str = "default") -> bool:
        """Whether something was done."""
        plan = self.loader().plan(Request(state, release, flush=False))
        for step in plan.steps:
            step()
        return bool(plan.steps)

    def path(self, release: str) -> str:
        found = parse_menu(self.made).find(release)
        assert found
        return found.path

    def boots(self) -> str:
        """The release that GRUB starts if nobody does anything."""
        files = {
            path.name: path.read_text()
            for path in self.boot.iterdir()
            if path.name not in ("grub.cfg", "grubenv")
        }
        block = self.boot / "grubenv"
        environment = parse_environment(block.read_text()) if block.exists() else {}
        path = grub_emulator.boot(self.config.read_text(), environment, files)
        found = parse_menu(self.made).resolve(path)
        return found.release if found else path

    def snapshot(self) -> dict[str, str]:
        top = self.boot.parent
        return {str(p.relative_to(top)): p.read_text() for p in top.rglob("*") if p.is_file()}


@needs_grub
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("name", KERNELS)
def test_the_fallback_stays_until_the_new_kernel_is_confirmed(
    tmp_path: Path, name: str, layout: str
) -> None:
    host = Host(tmp_path, name, layout)
    newest = host.boots()
    assert host.choose(host.old)
    assert host.boots() == host.old
    # The packages of the new kernel are installed: their hook makes the menu again.
    host.update_grub()
    assert host.boots() == host.old
    assert host.loader().honours_default
    assert not host.choose(host.old)
    # It is confirmed; then the host is rolled back to the other one.
    for release in (host.new, host.old):
        assert host.choose(release)
        assert not host.choose(release)
        host.update_grub()
        assert host.boots() == release
    # As the role remove does.
    host.own.unlink()
    host.update_grub()
    assert not host.choose("", "restored")
    assert host.boots() == newest
    assert "grub-editenv" not in host.called
    assert not (host.boot / "grubenv").exists()


@needs_grub
def test_without_the_pin_the_new_kernel_would_be_the_default(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.update_grub()
    assert host.boots() == host.new


def test_what_is_left_beside_the_menu_and_the_modes(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.config.chmod(0o600)
    host.choose(host.old)
    assert [path.name for path in host.boot.iterdir()] == ["grub.cfg"]
    assert host.config.stat().st_mode & 0o777 == 0o600
    assert host.own.stat().st_mode & 0o777 == 0o644
    assert f"GRUB_DEFAULT='{host.path(host.old)}'\n" in host.own.read_text()


@needs_grub
def test_a_power_cut_at_any_moment_leaves_one_of_the_two_menus(tmp_path: Path) -> None:
    """Of what the host does itself. The file of grub-mkconfig is not the one that GRUB reads."""
    ended: list[int] = []
    while 0 not in ended:
        directory = tmp_path / str(len(ended))
        directory.mkdir()
        host = Host(directory)
        host.choose(host.old)
        pid = os.fork()
        if pid == 0:
            _cut_after(host, len(ended))
        ended.append(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
        assert ended[-1] in (0, 3)
        assert host.boots() in ((host.old, host.new) if ended[-1] else (host.new,))
        if ended[-1]:
            # Somebody installs a package whose hook makes the menu again. What was cut off is never
            # made up for by that: the kernel is not confirmed yet.
            booted = host.boots()
            host.update_grub()
            assert host.boots() in (booted, host.old)
        # The next run gets on.
        host.choose(host.old)
        assert host.loader().honours_default
        assert host.path(host.old) in host.config.read_text()
    assert len(ended) > 10


def _cut_after(host: Host, last: int) -> None:
    """Confirm the new kernel, and end at once after so many changes; in a process of its own."""
    seen = 0

    def event(name: str, arguments: tuple[object, ...]) -> None:
        nonlocal seen
        here = any(str(one).startswith(str(host.boot.parent)) for one in arguments)
        if here and name in ("open", "os.rename", "os.link", "os.remove", "os.chmod"):
            seen += 1
            if seen <= last:
                return
            if name == "open" and int(str(arguments[2])) & os.O_TRUNC:
                # It is empty before anything is written.
                os.truncate(str(arguments[0]), 0)
            os._exit(3)

    sys.addaudithook(event)
    try:
        host.choose(host.new)
    except BaseException:
        os._exit(4)
    os._exit(0)


def test_what_fails_leaves_all_as_it_was(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.choose(host.old)
    before = host.snapshot()
    host.broken = True
    with pytest.raises(GrubError, match=r"grub-mkconfig .* failed .*Syntax errors"):
        host.choose(host.new)
    assert host.snapshot() == before
    host.broken = False
    # The kernel is gone from what is made, though the menu of now has it.
    host.made = host.made.replace(host.new, "6.9-other")
    with pytest.raises(GrubError, match=r"by default: .* without that entry .* is as it was"):
        host.choose(host.new)
    assert host.snapshot() == before
    host.own.unlink()
    with pytest.raises(GrubError, match="without that entry"):
        host.choose(host.new)
    assert not host.own.exists()


def test_a_later_file_that_sets_the_default_is_refused_and_stays(tmp_path: Path) -> None:
    host = Host(tmp_path)
    later = host.own.with_name("zz.cfg")
    for text in ("GRUB_DEFAULT=saved\n", "GRUB_DEFAULT=2\n"):
        later.write_text(text)
        before = host.snapshot()
        assert "zz.cfg sets GRUB_DEFAULT to" in host.loader().default_problem
        with pytest.raises(GrubError, match=r"zz\.cfg sets GRUB_DEFAULT"):
            host.choose(host.old)
        assert host.snapshot() == before
    # One that comes before ours is overruled by it, and stays, too.
    later.rename(host.own.with_name("50-cloudimg-settings.cfg"))
    assert host.loader().default_problem == ""
    assert host.choose(host.old)


@pytest.mark.parametrize("layout", ["lvm", ""])
def test_a_part_of_the_menu_that_overrules_it_is_refused(tmp_path: Path, layout: str) -> None:
    host = Host(tmp_path, layout=layout)
    host.made += "### BEGIN /etc/grub.d/50_mine ###\nset default=0\n"
    before = host.config.read_text()
    with pytest.raises(GrubError, match="50_mine sets default to '0'"):
        host.choose(host.old)
    assert host.config.read_text() == before
    assert not host.own.exists()


@needs_grub
def test_a_one_shot_entry_of_somebody_s_is_not_booted_for_ever(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.choose(host.old)
    (host.boot / "grubenv").write_text(f"next_entry={host.path(host.new)}\n")
    assert not host.loader().honours_default
    assert host.boots() == host.new
    assert host.choose(host.old)
    assert host.loader().honours_default
    assert host.boots() == host.old


def test_check_mode_writes_nothing(tmp_path: Path) -> None:
    host = Host(tmp_path)
    before = host.snapshot()
    for release in (host.old, "9.9-not-there-yet"):
        plan = host.loader().plan(Request("default", release, predict=True))
        assert plan.steps
        assert "GRUB_DEFAULT=" in plan.after.settings
        assert plan.before.settings == ""
    assert plan.after.default_entry == "(the entry of 9.9-not-there-yet)"
    assert host.snapshot() == before


@pytest.mark.parametrize("name", ["it's", 'say "x"', "a$b", "a`b", "a\\b", "a\nb", "saved"])
def test_an_entry_whose_name_would_not_get_to_grub(tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        grub_settings.text(name)


def test_what_is_pinned_is_read_back() -> None:
    for pin in ("a>b", "Debian, with Linux 6.1", "x"):
        assert grub_settings.pinned(grub_settings.text(pin)) == pin
    for text in (None, "", "GRUB_DEFAULT=saved\n", "GRUB_DEFAULT=0\n", grub_settings.text("")):
        assert grub_settings.pinned(text) == ""


def test_the_default_that_is_named(tmp_path: Path) -> None:
    host = Host(tmp_path)
    (host.boot / "grubenv").write_text("saved_entry=0\n")
    # Before anything is pinned, as the baseline records it.
    assert host.loader().plan(Request()).after.default_entry == "0"
    assert not host.loader().honours_default
    host.choose(host.old)
    assert host.loader().plan(Request()).after.default_entry == host.path(host.old)
    # A menu that somebody has made by other settings is no longer as it is pinned.
    host.config.write_text(host.text().replace(host.path(host.old), "0"))
    assert not host.loader().honours_default
    assert host.choose(host.old)


def test_a_host_whose_boot_was_moved_looks_at_the_environment_again(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.choose(host.old)
    host.layout = ""
    assert not host.loader().honours_default
    plan = host.loader().plan(Request("default", host.old, flush=False))
    assert plan.after.settings == "GRUB_DEFAULT=saved\n"
    plan.steps[-1]()
    assert 'set default="${saved_entry}"' in host.config.read_text()


@pytest.mark.parametrize("layout", LAYOUTS)
def test_kexec_is_needed_and_why_it_cannot_be_had(tmp_path: Path, layout: str) -> None:
    host = Host(tmp_path, layout=layout)
    assert "cannot write its environment block: " in host.loader().needs_kexec
    assert host.loader().trial_problem == ""
    # 41_custom is of no use there.
    host.config.write_text(host.config.read_text().replace("custom.cfg", "other.cfg"))
    assert host.loader().trial_problem == ""
    problem = host.loader(("it has no kexec-tools", "Install it")).trial_problem
    assert (
        "So kexec has to start the trial boot, and it has no kexec-tools. Install it. Or" in problem
    )
    for remedy in ("/etc/fstab", "grub-install", "update-grub", "systemd-boot", "kernel_targets"):
        assert remedy in problem
    # A screen has 80 columns and 24 lines.
    assert len(problem) < 10 * 80
    with pytest.raises(GrubError, match="again and again: let kexec start"):
        host.choose(host.new, "once")


def test_entries_that_kexec_could_not_start(tmp_path: Path) -> None:
    host = Host(tmp_path)
    host.config.write_text(host.text().replace("\tinitrd\t", "\tinitrd\t/boot/ucode.img "))
    assert "its entry has 2 initrds, and kexec takes one" in host.loader().trial_problem
