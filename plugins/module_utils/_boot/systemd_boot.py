# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""systemd-boot: its entries are files in the ESP, its choices are variables of the firmware.

The trial boot has an entry of its own with one try. The loader removes the one-shot choice as it
reads it, and takes the try away before it starts the kernel; either is enough for it not to be
started twice. systemd would call a boot that came up a good one, and give the entry a name without
counters: that is off in that boot, so that the entry stays behind all others until it is
removed.
"""

from __future__ import annotations

import filecmp
import fnmatch
import functools
import re
import shlex
import stat
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Callable, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._boot import bls, efi_variables
from ansible_collections.oslab.kernel.plugins.module_utils._boot.bls import Entry
from ansible_collections.oslab.kernel.plugins.module_utils._boot.fsfreeze import flush
from ansible_collections.oslab.kernel.plugins.module_utils._boot.kexec import Image, KexecError
from ansible_collections.oslab.kernel.plugins.module_utils._boot.loader import (
    TRIAL,
    Choice,
    LoaderError,
    Plan,
    Request,
    require_arguments,
    with_words,
)
from ansible_collections.oslab.kernel.plugins.module_utils._boot.mounts import read_only_reason
from ansible_collections.oslab.kernel.plugins.module_utils._common import atomic_file, bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    Runner,
    output_summary,
    required_output,
)
from ansible_collections.oslab.kernel.plugins.module_utils._host.devices import ModuleIndex, read

ENTRIES = Path("loader/entries")
# Kernels that are entries by themselves.
IMAGES = Path("EFI/Linux")
TRIAL_NAME = f"{TRIAL}+1{bls.SUFFIX}"
UNBLESSED = "systemd.mask=systemd-bless-boot.service"
# Where bootctl writes its settings.
DEFAULT, ONCE = "LoaderEntryDefault", "LoaderEntryOneShot"
# How long its menu is there, once and always; without them, loader.conf says it.
TIMEOUT_ONCE, TIMEOUT = "LoaderConfigTimeoutOneShot", "LoaderConfigTimeout"
# What the loader takes for a timeout.
_TIMEOUT = re.compile(r"[0-9]+|menu-force|menu-hidden|menu-disabled")
CONFIG = Path("loader/loader.conf")
# Where it waits in its menu until somebody chooses.
FOREVER = "menu-force"
# Where the loader says what it has started.
SELECTED = "LoaderEntrySelected"
_COMMANDS = {DEFAULT: "set-default", ONCE: "set-oneshot"}
# Bits of LoaderFeatures.
_HONOURS_DEFAULT, _HONOURS_ONCE, _COUNTS = 1 << 2, 1 << 3, 1 << 4
_LARGEST_ENTRY = 1 << 20
# What a kernel needs for the host to choose another one.
_NEEDED = ("efivarfs", "vfat")


def find_boot(run: Runner) -> Path:
    """Where kernels and entries are: the ESP, or the partition that has them in its place."""
    code, out, err = run(["bootctl", "--print-boot-path"])
    if code != 0 or not out.strip():
        output = output_summary(out, err).rstrip(".")
        raise LoaderError(
            f"The ESP is not found, or not mounted: {output}. Mount it on /efi or /boot/efi, and "
            "name it in /etc/fstab."
        )
    return Path(out.strip())


def lacking(modules: Path) -> list[str]:
    """What a kernel, whose modules are there, has neither built in nor as a module."""
    index = ModuleIndex(modules)
    return [name for name in _NEEDED if not index.knows(name)]


def _text(path: Path) -> str:
    return bounded_read.text(path, _LARGEST_ENTRY, errors="surrogateescape")


def _has_content(path: Path) -> bool:
    try:
        found = path.stat()
    except OSError:
        return False
    return stat.S_ISREG(found.st_mode) and found.st_size > 0


class SystemdBoot:
    """It and its entries, as they are now."""

    name = "systemd-boot"

    def __init__(
        self,
        run: Runner,
        boot: str,
        variables: Path,
        root: Path = Path("/"),
        running: str = "",
    ) -> None:
        self._run = run
        self._running = running
        self._variables = variables
        self._root = root
        if not efi_variables.text(variables, "LoaderInfo"):
            raise LoaderError(
                f"{variables} does not tell which loader has started this kernel: efivarfs is not "
                "mounted there, the kernel has none (CONFIG_EFIVAR_FS), or it was not systemd-boot."
            )
        self._boot = Path(boot) if boot else find_boot(run)
        self._entries = self._boot / ENTRIES
        self._machine = read(root / "etc/machine-id").strip()
        self._known = self._read()
        self._read_only = read_only_reason((variables, self._boot))

    def _read(self) -> list[Entry]:
        try:
            files = sorted(self._entries.iterdir())
        except FileNotFoundError:
            return []
        except OSError as error:
            raise LoaderError(
                f"{self._entries}: {error.strerror}; run this as root (become)."
            ) from error
        try:
            return [
                bls.parse(file.name, _text(file))
                for file in files
                if bls.is_entry(file.name) and file.is_file()
            ]
        except OSError as error:
            raise LoaderError(f"{error.filename} cannot be read: {error.strerror}.") from error

    # What it says ---------------------------------------------------------------------------------

    def _features(self) -> int:
        return efi_variables.number(self._variables, "LoaderFeatures")

    @property
    def honours_default(self) -> bool:
        return bool(self._features() & _HONOURS_DEFAULT)

    @property
    def default_problem(self) -> str:
        if self.honours_default:
            return ""
        return "This systemd-boot takes no default. Run `bootctl update` and reboot."

    @property
    def trial_problem(self) -> str:
        return self._unwritable() or self._unable() or self._waiting()

    @property
    def needs_kexec(self) -> str:
        return ""

    def _waiting(self) -> str:
        """Why it would wait in its menu for ever, and what to do; '' if it would not."""
        where, remedy = "", ""
        if efi_variables.text(self._variables, TIMEOUT_ONCE) == FOREVER:
            where, remedy = TIMEOUT_ONCE, "Run `bootctl set-timeout-oneshot 3`"
        # And for the boot after it, which ends a trial.
        elif _TIMEOUT.fullmatch(efi_variables.text(self._variables, TIMEOUT)):
            if efi_variables.text(self._variables, TIMEOUT) == FOREVER:
                where, remedy = TIMEOUT, "Run `bootctl set-timeout 3`"
        else:
            path = self._config()
            if self._configured(path) == FOREVER:
                where, remedy = str(path), "Write `timeout 3` there"
        if not where:
            return ""
        return (
            f"systemd-boot waits in its menu for a key, for ever: {where} is, or has, the timeout "
            f"{FOREVER}. {remedy}."
        )

    def _config(self) -> Path:
        """It is in the ESP, also where the kernels are in another partition."""
        here = self._boot / CONFIG
        if here.exists():
            return here
        code, out, _err = self._run(["bootctl", "--print-esp-path"])
        return Path(out.strip()) / CONFIG if code == 0 and out.strip() else here

    @staticmethod
    def _configured(path: Path) -> str:
        """The timeout of loader.conf, where the last one counts."""
        try:
            lines = bounded_read.lines(_text(path))
        except FileNotFoundError:
            return ""
        except OSError as error:
            raise LoaderError(f"{path} cannot be read: {error.strerror}.") from error
        found = ""
        for line in lines:
            words = bounded_read.words(line.strip("\r"))
            if words[:1] == ["timeout"] and len(words) > 1:
                found = " ".join(words[1:]).strip("\"'")
        return found

    def _unwritable(self) -> str:
        if not self._read_only:
            return ""
        return f"systemd-boot cannot be configured: {self._read_only}. Mount it read-write."

    def _unable(self) -> str:
        wanted = _HONOURS_ONCE | _COUNTS
        if self._features() & wanted == wanted:
            return ""
        return (
            "This systemd-boot takes no choice for one boot, or does not count. Run "
            "`bootctl update` and reboot."
        )

    def entry_command(self, release: str) -> str:
        return f"kernel-install add {release} /boot/vmlinuz-{release} /boot/initrd.img-{release}"

    def releases(self) -> list[str]:
        found = [entry.release(self._machine) for entry in self._known]
        own = self._running if self._booted() else ""
        return bls.newest_first(filter(None, [*found, own]))

    def _booted(self) -> Optional[Entry]:
        """The entry that has started the kernel that runs; None if it is unknown.

        The entry of a trial boot is none to keep, nor one that loads whichever kernel is newest.
        """
        # Counters may have been in its name, and are others by now.
        stem = Entry(efi_variables.text(self._variables, SELECTED)).stem.lower()
        found = (one for one in self._known if one.stem.lower() == stem and one.stem != TRIAL)
        return next((one for one in found if one.loads(self._running)), None)

    def _default_entry(self, release: str) -> Optional[Entry]:
        """The entry of a kernel that becomes the default: that which was booted, if it runs."""
        booted = self._booted() if release and release == self._running else None
        return booted or bls.find(self._known, release, self._machine)

    def entry_problem(self, release: str) -> str:
        del release  # systemd-boot asks nobody for a password; the menu is the same for all
        return self._waiting()

    def release_of(self, entry: str) -> str:
        return next((e.release(self._machine) for e in self._named(entry)), "")

    def _named(self, name: str) -> list[Entry]:
        """As the loader finds it: by the whole name of its file, whose case FAT does not tell."""
        return [entry for entry in self._known if entry.name.lower() == name.lower()]

    def _trials(self) -> list[Entry]:
        return [entry for entry in self._known if entry.stem == TRIAL]

    def _require(self, release: str) -> Entry:
        entry = bls.find(self._known, release, self._machine)
        if entry is None:
            found = ", ".join(self.releases()) or "none"
            raise LoaderError(
                f"{self._entries} has no entry for kernel {release}; it has entries for: {found}. "
                "Check that the kernel's package is installed, and run "
                f"`{self.entry_command(release)}`."
            )
        return entry

    def _path(self, name: str) -> Path:
        """Of a file that an entry names. Raises LoaderError if it is none below the boot directory,
        where the loader would not find it either."""
        path = self._boot / name.lstrip("/")
        if ".." in path.parts or "\0" in name:
            raise LoaderError(f"{self._entries} has an entry with the file {name!r}: correct it.")
        return path

    def _lost(self, entry: Entry) -> list[str]:
        """Files that an entry needs and that are not there, or empty."""
        paths = [self._path(name) for key in ("linux", "initrd") for name in entry.values(key)]
        return [str(path) for path in paths if not _has_content(path)]

    # What it is asked for -------------------------------------------------------------------------

    def _require_working(self, request: Request, entry: Optional[Entry], default: str) -> None:
        """Refuse what would be written and then not be done."""
        if request.state not in ("once", "default") or entry is None:
            return
        if self._unwritable():
            raise LoaderError(self._unwritable())
        if self._waiting():
            raise LoaderError(self._waiting())
        lost = self._lost(entry)
        if lost:
            raise LoaderError(
                f"The entry of {request.release} needs {', '.join(lost)}, which is not there or "
                f"empty: run `{self.entry_command(request.release)}`, and look at the space there."
            )
        if request.state == "default" and self.default_problem:
            raise LoaderError(self.default_problem)
        if request.state == "once":
            self._require_whole(request.release, entry)
            self._require_fallback(request.release, default)

    def _require_whole(self, release: str, entry: Entry) -> None:
        """A loader that cannot start a kernel leaves the host to the firmware, which may stop."""
        original, copy = self._root / f"boot/vmlinuz-{release}", self._path(entry.value("linux"))
        if original.is_file() and not filecmp.cmp(original, copy, shallow=False):
            raise LoaderError(
                f"{copy} is not what {original} is: copying it was cut short, or the ESP is "
                f"damaged. Run `{self.entry_command(release)}`."
            )

    def _require_fallback(self, release: str, default: str) -> None:
        if self._unable():
            raise LoaderError(self._unable())
        if not any(not self._lost(named) for named in self._named(default)):
            raise LoaderError(
                f"The default, {default or 'none'}, is no entry that boots: a trial boot "
                "would have no fallback kernel. Choose one with state=default first."
            )
        without = lacking(self._root / "lib/modules" / release)
        if without:
            raise LoaderError(
                f"Kernel {release} has no {', '.join(without)}: with it, this host could neither "
                "read its ESP nor choose what is booted. Configure it after this host while the "
                "ESP is mounted, or put CONFIG_EFIVAR_FS and CONFIG_VFAT_FS into config_options."
            )

    def plan(self, request: Request) -> Plan:
        require_arguments(request.arguments)
        predict = request.predict and request.state != "present"
        entry = bls.find(self._known, request.release, self._machine)
        if request.state == "default":
            entry = self._default_entry(request.release)
        if request.release and not predict and not entry:
            entry = self._require(request.release)
        before = Choice(
            efi_variables.text(self._variables, DEFAULT),
            efi_variables.text(self._variables, ONCE),
            "".join(f"{one.name}\n{_text(self._entries / one.name)}" for one in self._trials()),
        )
        if not predict:
            self._require_working(request, entry, before.default_entry)
        name = entry.id if entry else f"(the entry of {request.release})"
        made = bls.trial(entry, (*request.arguments, UNBLESSED)) if entry else ""
        if request.state == "restored":
            name = self._restored(request.entry, before.default_entry)
        after = self._after(request.state, name, made, before)
        return Plan(
            before,
            after,
            entry.id if entry else "",
            entry.options if entry else "",
            self._steps(request, entry, made, before, after),
        )

    def _restored(self, entry: str, present: str) -> str:
        """The default from before if it is there; else the present one, or '' if that is not."""
        return next((name for name in (entry, present) if not entry or self._is_there(name)), "")

    def _is_there(self, name: str) -> bool:
        """Whether a default is one: a file, a pattern for some, or what the loader finds itself."""
        if not name or name.startswith(("@", "auto-")):
            return bool(name)
        try:
            images = [file.name for file in (self._boot / IMAGES).iterdir()]
        except OSError:
            images = []
        known = [*images, *(one for entry in self._known for one in (entry.name, entry.id))]
        return any(fnmatch.fnmatchcase(one.lower(), name.lower()) for one in known)

    @staticmethod
    def _after(state: str, name: str, trial: str, before: Choice) -> Choice:
        if state == "once":
            return replace(before, next_entry=TRIAL_NAME, trial=f"{TRIAL_NAME}\n{trial}")
        if state == "cancelled":
            return replace(before, next_entry="", trial="")
        if state in ("unset", "restored"):
            return Choice(default_entry=name if state == "restored" else "")
        if state == "default" and before.default_entry.lower() != name.lower():
            # An older trial does not outlive a new default.
            return Choice(default_entry=name)
        if state == "default" and before.next_entry != TRIAL_NAME:
            return replace(before, trial="")
        return before

    def _steps(
        self, request: Request, entry: Optional[Entry], made: str, before: Choice, after: Choice
    ) -> list[Callable[[], object]]:
        """An entry is there before it is chosen, and until another one is."""
        trials = self._trials()
        steps: list[Callable[[], object]] = []
        if request.state == "default" and entry and entry.name != entry.id:
            old, new = self._entries / entry.name, self._entries / entry.id
            steps.append(functools.partial(atomic_file.rename, old, new))
        if after.trial and after.trial != before.trial:
            steps.append(functools.partial(self._write_trial, trials, made))
        if request.flush and request.state in ("once", "default") and (steps or after != before):
            steps.append(functools.partial(flush, self._boot))
        if after.default_entry != before.default_entry:
            steps.append(functools.partial(self._choose, DEFAULT, after.default_entry))
        if after.next_entry != before.next_entry:
            steps.append(functools.partial(self._choose, ONCE, after.next_entry))
        if trials and not after.trial:
            steps.append(functools.partial(self._remove, trials))
        return steps

    def _write_trial(self, old: Sequence[Entry], text: str) -> None:
        self._remove([entry for entry in old if entry.name != TRIAL_NAME])
        path = self._entries / TRIAL_NAME
        atomic_file.write(path, text)
        if _text(path) != text:
            raise LoaderError(f"{path} did not keep what was written there; is the ESP damaged?")

    def _remove(self, entries: Sequence[Entry]) -> None:
        for entry in entries:
            atomic_file.remove(self._entries / entry.name)

    def _choose(self, variable: str, name: str) -> None:
        required_output(self._run, ["bootctl", _COMMANDS[variable], name], LoaderError)
        if efi_variables.text(self._variables, variable) != name:
            raise LoaderError(
                f"The firmware did not keep '{name}' in {variable}: it may have no room left."
            )

    # Without it -----------------------------------------------------------------------------------

    def image(self, release: str, arguments: Sequence[str]) -> Image:
        entry = self._require(release)
        initrds = entry.values("initrd")
        if len(initrds) != 1:
            raise KexecError(f"its entry has {len(initrds)} initrds, and kexec takes one")
        kernel, initrd = self._path(entry.value("linux")), self._path(initrds[0])
        try:
            options = shlex.split(entry.options)
        except ValueError as error:
            raise KexecError(f"the options of its entry cannot be read: {error}") from error
        return Image(kernel, initrd, with_words(options, arguments))
