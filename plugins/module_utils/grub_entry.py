# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which GRUB menu entry boots a kernel, and which one GRUB will choose.

Entries are named by the path of their ids (`submenu-id>entry-id`). Titles differ between
distributions and languages, positions change with each installed kernel.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Optional

from ansible_collections.oslab.kernel.plugins.module_utils import (
    bounded_read,
    grub_trial,
    program_output,
)
from ansible_collections.oslab.kernel.plugins.module_utils.boot_loader import (
    TRIAL,
    LoaderError,
    Runner,
    require_arguments,
)
from ansible_collections.oslab.kernel.plugins.module_utils.bounded_read import lines, words

# Makes the entries of all kernels that are there.
ENTRY_COMMAND = "update-grub"
ID_OPTIONS = ("$menuentry_id_option", "${menuentry_id_option}", "--id")
# What grub-mkconfig's own 00_header takes for places that GRUB cannot write to.
READ_ONLY_ABSTRACTIONS = ("diskfilter", "lvm")
READ_ONLY_FILESYSTEMS = ("btrfs", "cpiofs", "newc", "odc", "romfs", "squash4", "tarfs", "zfs")


class GrubError(LoaderError):
    """GRUB cannot do what was asked; the text says why and what to do."""


@dataclass(frozen=True)
class Entry:
    """One menu entry. `path` is empty where it, or a submenu around it, has no id."""

    id: str
    path: str
    kernel: str
    head: str = ""
    body: tuple[str, ...] = ()

    @property
    def release(self) -> str:
        """Release in the name of the kernel's file; '' if the entry loads none."""
        name = PurePosixPath(self.kernel).name
        if name.endswith(".efi.signed"):
            name = name[: -len(".efi.signed")]
        head, dash, rest = name.partition("-")
        return rest if dash and head in ("vmlinuz", "vmlinux", "kernel") else ""

    @property
    def normal(self) -> bool:
        """Whether this is the entry that boots this one release the usual way.

        `gnulinux-simple-…` boots whichever kernel is newest, `…-recovery-…` a single-user system,
        and `osprober-…` another system's kernel.
        """
        return bool(self.release) and self.id.startswith(f"gnulinux-{self.release}-advanced-")


@dataclass
class _Block:
    kind: str
    head: str = ""
    id: str = ""
    kernel: str = ""
    lines: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class Menu:
    """What grub.cfg says."""

    entries: tuple[Entry, ...] = ()
    honours_saved: bool = False
    honours_once: bool = False
    reads_custom: bool = False

    def find(self, release: str) -> Optional[Entry]:
        """The entry for this release; of several the first, which GRUB would take too."""
        for entry in self.entries:
            if entry.normal and entry.path and entry.release == release:
                return entry
        return None

    def releases(self) -> list[str]:
        return list(dict.fromkeys(e.release for e in self.entries if e.normal and e.path))

    def release_of(self, path: str) -> str:
        """Release that the entry with this path boots; '' if there is no such entry."""
        return next((e.release for e in self.entries if path and e.path == path), "")


@dataclass(frozen=True)
class State:
    """The menu and the environment block, as they are now."""

    menu: Menu
    environment: dict[str, str] = field(default_factory=dict)
    environment_exists: bool = False
    read_only: str = ""
    custom: str = ""


def _id_of(line: str) -> str:
    try:
        found = shlex.split(line, comments=False)
    except ValueError:
        return ""
    for position, word in enumerate(found):
        if word in ID_OPTIONS and position + 1 < len(found):
            return found[position + 1]
        if word.startswith("--id="):
            return word[len("--id=") :]
    return ""


def _entry(block: _Block, around: Sequence[_Block]) -> Entry:
    ids = [b.id for b in around if b.kind == "submenu"] + [block.id]
    # GRUB separates ids by '>' and reads a doubled one as the character itself.
    path = ">".join(part.replace(">", ">>") for part in ids) if all(ids) else ""
    return Entry(block.id, path, block.kernel, block.head, tuple(block.lines))


def _has_line(text: str, start: str) -> bool:
    return bool(re.search(rf"^[ \t]*{start}", text, re.MULTILINE))


def parse_menu(text: str) -> Menu:
    """What a grub.cfg says; what is no entry is passed over."""
    entries: list[Entry] = []
    stack: list[_Block] = []
    for raw in lines(text):
        line = raw.strip(" \t\r")
        word = next(iter(words(line)), "")
        if line.endswith("{") and word in ("menuentry", "submenu"):
            stack.append(_Block(word, line, _id_of(line[:-1])))
        elif line.endswith("{") and not line.startswith("#"):
            stack.append(_Block("other"))
        elif line == "}" and stack:
            block = stack.pop()
            if block.kind == "menuentry":
                entries.append(_entry(block, stack))
        elif stack and stack[-1].kind == "menuentry":
            stack[-1].lines.append(line)
            if word in grub_trial.LINUX:
                stack[-1].kernel = next(iter(words(line)[1:2]), "")
    return Menu(
        entries=tuple(entries),
        honours_saved=_has_line(text, r'set default="\$\{saved_entry\}"'),
        honours_once=_has_line(text, r'set default="\$\{next_entry\}"'),
        reads_custom=_has_line(text, r"source \$\{config_directory\}/custom\.cfg"),
    )


def parse_environment(text: str) -> dict[str, str]:
    """Variable -> value of an environment block."""
    pairs = (line.partition("=") for line in lines(text) if line and line[0] != "#")
    return {name: value.rstrip("#") for name, separator, value in pairs if separator}


def read_only_reason(run: Runner, directory: str) -> str:
    """Why GRUB could not clear a one-shot entry there; '' if it can."""
    code, out, _err = run(["grub-probe", "--target=abstraction", directory])
    if code == 0:
        for abstraction in out.split():
            if abstraction in READ_ONLY_ABSTRACTIONS:
                return f"{directory} is on {abstraction}"
    code, out, _err = run(["grub-probe", "--target=fs", directory])
    if code == 0 and out.strip() in READ_ONLY_FILESYSTEMS:
        return f"{directory} is on {out.strip()}"
    return ""


def read_state(run: Runner, config: str, environment: str, custom: str = "") -> State:
    try:
        text = bounded_read.text(Path(config), errors="surrogateescape")
    except FileNotFoundError as error:
        raise GrubError(
            f"{config} is not there: this host does not boot by GRUB, or GRUB was never "
            f"configured. Install GRUB and run {ENTRY_COMMAND}. If systemd-boot loads its kernels, "
            "mount efivarfs on /sys/firmware/efi/efivars, where it says so."
        ) from error
    except OSError as error:
        raise GrubError(f"{config}: {error.strerror}; run this as root (become).") from error
    block = Path(environment)
    found = _text_of(block, "replace")
    return State(
        menu=parse_menu(text),
        environment=parse_environment(found or ""),
        environment_exists=found is not None,
        read_only=read_only_reason(run, str(block.parent)),
        custom=(_text_of(Path(custom), "surrogateescape") or "") if custom else "",
    )


def _text_of(file: Path, errors: str) -> Optional[str]:
    """None if it is not there. Raises GrubError."""
    try:
        return bounded_read.text(file, errors=errors)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise GrubError(f"{file}: {error.strerror}; see what is there, as root.") from error


def wanted_variables(state: State, kind: str, path: str) -> dict[str, str]:
    """Changes to the environment block; an empty value removes the variable."""
    current = state.environment
    if kind == "cancelled":
        return {"next_entry": ""} if current.get("next_entry") else {}
    if kind == "unset":
        names = ("saved_entry", "prev_saved_entry", "next_entry")
        return {name: "" for name in names if name in current}
    if kind == "once":
        return {} if current.get("next_entry") == path else {"next_entry": path}
    if current.get("saved_entry") == path:
        return {}
    # As grub-set-default: an older trial does not outlive a new default.
    stale = {name: "" for name in ("prev_saved_entry", "next_entry") if current.get(name)}
    return {"saved_entry": path, **stale}


def wanted_custom(state: State, kind: str, entry: Optional[Entry], arguments: Sequence[str]) -> str:
    """What custom.cfg is to hold: a trial's entry, until there is a new default."""
    pending = state.environment.get("next_entry") == TRIAL
    kept = entry is not None and state.environment.get("saved_entry") == entry.path
    if kind == "present" or (kind == "default" and pending and kept):
        return state.custom
    made = ""
    if kind == "once" and arguments and entry:
        made = grub_trial.block(entry.release, entry.head, entry.body, arguments)
    return grub_trial.replaced(state.custom, made)


def unwritable(state: State) -> str:
    """Why a one-shot entry would not be forgotten, and what to do; '' if it would."""
    if not state.read_only:
        return ""
    return (
        f"GRUB cannot write its environment block: {state.read_only}. A one-shot entry would "
        "be booted again and again. Put /boot/grub on a plain ext4, xfs or FAT partition."
    )


def unread(state: State, config: str) -> str:
    """Why the entry of a trial would not be seen, and what to do; '' if it would."""
    if state.menu.reads_custom:
        return ""
    return (
        f"{config} does not read custom.cfg, where the trial's entry is. Make "
        f"/etc/grub.d/41_custom executable and run {ENTRY_COMMAND}."
    )


def require_entry(state: State, config: str, release: str) -> Entry:
    entry = state.menu.find(release)
    if entry is None:
        found = ", ".join(state.menu.releases()) or "none"
        raise GrubError(
            f"{config} has no entry for kernel {release}; it has entries for: {found}. "
            f"Check that the kernel's package is installed, and run {ENTRY_COMMAND}."
        )
    return entry


def require_working(state: State, config: str, kind: str, arguments: Sequence[str] = ()) -> None:
    """Refuse what GRUB would accept and then not do."""
    require_arguments(arguments)
    if kind == "once" and arguments and unread(state, config):
        raise GrubError(unread(state, config))
    if kind == "once" and not state.menu.honours_once:
        raise GrubError(f"{config} does not look at next_entry; run {ENTRY_COMMAND} to renew it.")
    if kind == "once" and unwritable(state):
        raise GrubError(unwritable(state))
    if kind == "default" and not state.menu.honours_saved:
        raise GrubError(
            f"{config} does not look at saved_entry; set GRUB_DEFAULT=saved in "
            f"/etc/default/grub.d and run {ENTRY_COMMAND}."
        )


def write_variables(run: Runner, state: State, environment: str, changes: dict[str, str]) -> None:
    commands = [] if state.environment_exists else [["grub-editenv", environment, "create"]]
    for name, value in changes.items():
        action = ["set", f"{name}={value}"] if value else ["unset", name]
        commands.append(["grub-editenv", environment, *action])
    for command in commands:
        code, out, err = run(command)
        if code != 0:
            raise GrubError(f"{' '.join(command)} failed ({code}): {program_output.told(out, err)}")
    written = parse_environment(_text_of(Path(environment), "replace") or "")
    wrong = [name for name, value in changes.items() if written.get(name, "") != value]
    if wrong:
        raise GrubError(f"{environment} did not keep {', '.join(wrong)}; is it full or damaged?")
