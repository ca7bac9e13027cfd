# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every distribution's menu, by this collection's choice, in the real GRUB: what boots, who asks.

What the loader accepts is booted by grub-emu unattended, what it refuses is asked for there.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import entry as grub_entry
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.entry import (
    GrubError,
    parse_environment,
    parse_menu,
)
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.loader import Grub
from ansible_collections.oslab.kernel.plugins.module_utils._boot.loader import TRIAL, Request
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.tests.lib import grub_emulator
from ansible_collections.oslab.kernel.tests.lib.grub_settings import settled

needs_grub = pytest.mark.skipif(not grub_emulator.PROGRAM, reason=grub_emulator.MISSING)

SAMPLES = Path(__file__).with_name("grub_cfg")
NAMES = sorted(path.stem for path in SAMPLES.iterdir())
NOW_SAVED = 'set default="${saved_entry}"'
USERS = """\
### BEGIN /etc/grub.d/01_users ###
set superusers="root"
export superusers
password_pbkdf2 root grub.pbkdf2.sha512.10000.00.00
### END /etc/grub.d/01_users ###
"""
OPEN = " --unrestricted"


def sample(name: str) -> str:
    """As it is after GRUB_DEFAULT=saved."""
    return (SAMPLES / f"{name}.cfg").read_text().replace('set default="0"', NOW_SAVED)


def hardened(text: str, entries: bool = True, submenus: bool = False, flat: bool = False) -> str:
    """The usual recipe: a password, and CLASS="… --unrestricted" in 10_linux, of which the line of
    the submenu has nothing. `flat` is GRUB_DISABLE_SUBMENU."""
    lines = []
    inside = False
    for line in text.splitlines():
        head = line.rstrip(" {")
        if line.startswith("submenu ") and flat:
            inside = True
            continue
        if line == "}" and inside:
            inside = False
            continue
        if line.lstrip().startswith("menuentry ") and entries and line.endswith("{"):
            lines.append(head.replace(" --class os", f" --class os{OPEN}") + " {")
        elif line.startswith("submenu ") and submenus:
            lines.append(f"{head}{OPEN} {{")
        else:
            lines.append(line)
    return USERS + "\n".join(lines) + "\n"


VARIANTS = {
    "as it is": lambda text: text,
    "entries": hardened,
    "nothing": lambda text: hardened(text, entries=False),
    "submenus": lambda text: hardened(text, entries=False, submenus=True),
    "entries and submenus": lambda text: hardened(text, submenus=True),
    "flat": lambda text: hardened(text, flat=True),
    "flat, nothing": lambda text: hardened(text, entries=False, flat=True),
}
BOOTS = ("as it is", "entries and submenus", "flat")


class Host:
    """GRUB's files of a host, and the one program that writes there."""

    def __init__(self, directory: Path, config: str) -> None:
        self.directory = directory
        self._settings = settled(directory.parent / f"{directory.name}-settings")
        (directory / "grub.cfg").write_text(config)

    def run(self, command: object) -> Result:
        assert isinstance(command, (list, tuple))
        if command[0] != "grub-editenv":
            return Result(0, "ext2" if command[1] == "--target=fs" else "")
        values = self.environment()
        for word in command[3:]:
            name, _equals, value = word.partition("=")
            values.pop(name, None)
            if command[2] == "set":
                values[name] = value
        (self.directory / "grubenv").write_text(
            "# GRUB Environment Block\n" + "".join(f"{k}={v}\n" for k, v in values.items())
        )
        return Result(0)

    def environment(self) -> dict[str, str]:
        block = self.directory / "grubenv"
        return parse_environment(block.read_text()) if block.exists() else {}

    def loader(self) -> Grub:
        config, environment, custom = (
            str(self.directory / name) for name in ("grub.cfg", "grubenv", "custom.cfg")
        )
        return Grub(self.run, config, environment, custom, settings=self._settings)

    def choose(self, state: str, release: str, *arguments: str) -> str:
        """Why it is refused; '' if it was done."""
        before = self.files()
        try:
            plan = self.loader().plan(Request(state, release, arguments, flush=False))
        except GrubError as error:
            assert self.files() == before
            return str(error)
        for step in plan.steps:
            step()
        return ""

    def files(self) -> dict[str, str]:
        return {
            str(path.relative_to(self.directory)): path.read_text()
            for path in self.directory.rglob("*")
            if path.is_file()
        }

    def boot(self, **variables: str) -> str:
        files = self.files()
        config = files.pop("grub.cfg")
        files.pop("grubenv", None)
        return grub_emulator.boot(config, {**self.environment(), **variables}, files)


def path_of(config: str, release: str) -> str:
    found = parse_menu(config).find(release)
    assert found
    return found.path


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", NAMES)
def test_a_default_boots_by_itself_or_is_refused(tmp_path: Path, name: str, variant: str) -> None:
    config = VARIANTS[variant](sample(name))
    for release in parse_menu(config).releases():
        host = Host(tmp_path, config)
        refused = host.choose("default", release)
        problem = host.loader().entry_problem(release)
        assert bool(refused) is bool(problem) is (variant not in BOOTS), refused
        path = path_of(config, release)
        if grub_emulator.PROGRAM:
            # What was refused is asked for if it is chosen all the same.
            answer = host.boot(saved_entry=path)
            assert answer == (grub_emulator.ASKS if refused else path)


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("name", NAMES)
def test_a_trial_starts_by_itself_and_ends_in_the_default(
    tmp_path: Path, name: str, variant: str
) -> None:
    config = VARIANTS[variant](sample(name))
    menu = parse_menu(config)
    new, old = next(r for r in menu.releases() if "usac1" in r), menu.releases()[-1]
    old = next(r for r in reversed(menu.releases()) if r != new)
    host = Host(tmp_path, config)
    refused = [host.choose("default", old), host.choose("once", new, "panic=10")]
    assert [bool(reason) for reason in refused] == [variant not in BOOTS] * 2
    if any(refused) or not grub_emulator.PROGRAM:
        return
    assert host.boot() == TRIAL
    host.run(["grub-editenv", "", "unset", "next_entry"])
    assert host.boot() == path_of(config, old)


@pytest.mark.parametrize("name", NAMES)
def test_the_remedy_is_named(tmp_path: Path, name: str) -> None:
    config = hardened(sample(name))
    release = parse_menu(config).releases()[0]
    message = Host(tmp_path, config).choose("default", release)
    assert "superusers is set (/etc/grub.d/01_users)" in message
    assert "Set GRUB_DISABLE_SUBMENU=y in /etc/default/grub, and run update-grub." in message
    assert f"{release}: " in message


def test_a_password_in_custom_cfg_counts_for_the_trial_too(tmp_path: Path) -> None:
    config = sample("debian-13")
    host = Host(tmp_path, config)
    (tmp_path / "custom.cfg").write_text("set superusers=root\n")
    for state in ("default", "once"):
        message = host.choose(state, "6.12.57-49-usac1", *(["a=b"] if state == "once" else []))
        assert "superusers is set (custom.cfg beside grub.cfg)" in message
    assert host.loader().entry_problem("6.12.57-49-usac1")


@pytest.mark.parametrize(
    ("files", "expected", "message"),
    [
        ({"d/e.cfg": USERS}, grub_emulator.ASKS, "superusers is set (d/e.cfg beside grub.cfg)"),
        ({"d/e.cfg": "source $prefix/x/f.cfg\n", "x/f.cfg": USERS}, grub_emulator.ASKS, "x/f.cfg"),
        ({"d/e.cfg": "source /nowhere\n" + USERS}, grub_emulator.ASKS, "`source /nowhere`"),
        ({"d/e.cfg": "set default=0\n"}, "", "d/e.cfg beside grub.cfg sets default to '0'"),
        ({"d/e.cfg": "set timeout=-1\n"}, grub_emulator.WAITS, "(d/e.cfg beside grub.cfg)"),
    ],
)
def test_a_file_that_the_menu_runs(
    tmp_path: Path, files: dict[str, str], expected: str, message: str
) -> None:
    config = sample("debian-13") + "source ${prefix}/d/e.cfg\n"
    release = parse_menu(config).releases()[1]
    host = Host(tmp_path, config)
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    assert message in host.choose("default", release)
    if grub_emulator.PROGRAM:
        path = path_of(config, release)
        answer = host.boot(saved_entry=path)
        assert answer == expected or (not expected and answer != path)


# What grub-mkconfig's other parts write: they set nothing that asks.
PARTS = """### BEGIN /etc/grub.d/25_bli ###
if [ "$grub_platform" = "efi" ]; then
  insmod bli
fi
### END /etc/grub.d/25_bli ###
### BEGIN /etc/grub.d/30_os-prober ###
menuentry 'Windows Boot Manager (on /dev/sda1)' --class windows $menuentry_id_option 'osprober-e' {
	insmod part_gpt
	chainloader /EFI/Microsoft/Boot/bootmgfw.efi
}
set timeout_style=menu
if [ "${timeout}" = 0 ]; then
  set timeout=10
fi
### END /etc/grub.d/30_os-prober ###
### BEGIN /etc/grub.d/30_uefi-firmware ###
if [ "$grub_platform" = "efi" ]; then
	fwsetup --is-supported
	if [ "$?" = 0 ]; then
		menuentry 'UEFI Firmware Settings' $menuentry_id_option 'uefi-firmware' {
			fwsetup
		}
	fi
fi
### END /etc/grub.d/30_uefi-firmware ###
### BEGIN /etc/grub.d/40_custom ###
menuentry 'Another GRUB' --id another {
	configfile (hd1,gpt2)/boot/grub/grub.cfg
}
### END /etc/grub.d/40_custom ###
"""


@pytest.mark.parametrize("name", NAMES)
def test_what_other_parts_write_is_not_refused(tmp_path: Path, name: str) -> None:
    config = f"set timeout=5\n{sample(name)}{PARTS}"
    release = parse_menu(config).releases()[0]
    host = Host(tmp_path, config)
    assert host.choose("default", release) == ""
    if grub_emulator.PROGRAM:
        assert host.boot() == path_of(config, release)


def test_a_trial_boot_whose_fallback_asks_for_a_password(tmp_path: Path) -> None:
    """The kernel's own entry is open, and so is the trial boot's; the fallback's is not."""
    config = hardened(sample("debian-13"), submenus=True)
    menu = parse_menu(config)
    new, old = "6.12.57-49-usac1", "6.12.57+deb13-amd64"
    path = path_of(config, old)
    head = next(e.head for e in menu.entries if e.path == path)
    host = Host(tmp_path, config.replace(head, head.replace(OPEN, "")))
    (tmp_path / "grubenv").write_text(f"saved_entry={path}\n")
    assert "the default, the fallback kernel: " in host.choose("once", new, "panic=10")
    assert host.choose("default", new) == ""
    if grub_emulator.PROGRAM:
        assert host.boot(next_entry="", saved_entry=path) == grub_emulator.ASKS


@needs_grub
def test_grub_takes_the_default_that_is_read(tmp_path: Path) -> None:
    """Titles, positions and nonsense, as people have them."""
    config = sample("debian-12")
    menu = parse_menu(config)
    for chosen in ("0", "1>2", "Debian GNU/Linux", "1>Debian GNU/Linux, with Linux 6.1.0-30-amd64"):
        found = grub_entry.parse_menu(config).resolve(chosen)
        assert found
        assert Host(tmp_path, config).boot(saved_entry=chosen) == found.path
    assert menu.resolve("nonsense") is None
    assert menu.resolve("") is None


def test_none_is_refused_of_what_is_only_looked_at(tmp_path: Path) -> None:
    config = hardened(sample("debian-13"))
    host = Host(tmp_path, config)
    assert host.choose("present", "6.12.57-49-usac1") == ""
    assert host.choose("cancelled", "") == ""
    assert host.choose("unset", "") == ""


@needs_grub
@pytest.mark.parametrize("name", ["ubuntu-22.04", "ubuntu-24.04"])
def test_ubuntu_s_retry_with_an_initrd_does_not_take_the_trial_s_place(
    tmp_path: Path, name: str
) -> None:
    """Of cloud images, which boot without an initrd first (GRUB_FORCE_PARTUUID)."""
    config = sample(name)
    releases = parse_menu(config).releases()
    new = next(r for r in releases if "usac1" in r)
    old = next(r for r in reversed(releases) if r != new)
    host = Host(tmp_path, config)
    assert host.choose("default", old) == ""
    # Of a boot after which grub-initrd-fallback.service has failed.
    host.run(["grub-editenv", "", "set", "initrdfail=1"])
    host.run(["grub-editenv", "", "set", "prev_entry=gone"])
    assert host.choose("once", new, "panic=10") == ""
    assert host.boot() == TRIAL
    # It fails, as the kernel has no driver for its disk: once more, and then the default.
    host.run(["grub-editenv", "", "unset", "next_entry"])
    assert host.boot(initrdfail="1", prev_entry=TRIAL) == TRIAL
    assert host.boot(initrdfail="2") == path_of(config, old)
