# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which GRUB menu entry boots a kernel, and which one GRUB will choose.

Entries are named by the path of their ids (`submenu-id>entry-id`). Titles differ between
distributions and languages, positions change with each installed kernel.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath
from typing import Optional

from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import access as grub_access
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import disks
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import script as grub_script
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import sources as grub_sources
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import trial as grub_trial
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.access import Access
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.script import Head
from ansible_collections.oslab.kernel.plugins.module_utils._boot.loader import (
    TRIAL,
    LoaderError,
    require_arguments,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._common.bounded_read import lines, words
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    Runner,
    required_output,
)

# Makes the entries of all kernels that are there.
ENTRY_COMMAND = "update-grub"
# What grub-mkconfig's own 00_header takes for places that GRUB cannot write to.
READ_ONLY_FILESYSTEMS = ("btrfs", "cpiofs", "newc", "odc", "romfs", "squash4", "tarfs", "zfs")
# As grub-mkconfig has them, with the names that administrators know.
READ_ONLY_ABSTRACTIONS = {"diskfilter": "RAID that its firmware or Windows made", "lvm": "LVM"}
SOFTWARE_RAID = "mdraid"
CUSTOM = "custom.cfg"
# Where Ubuntu's header finds that a boot without an initrd failed, it boots that entry again, in
# place of what is chosen. It is taken back by each boot that comes up, unless that service fails.
RETRY = ("initrdfail", "prev_entry")
_PARTS = "### BEGIN "


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
    # Those of the submenus around it, the outermost first, and its own.
    heads: tuple[Head, ...] = ()
    # The file that made it.
    where: str = ""

    @property
    def choice(self) -> str:
        """The value of saved_entry or next_entry that boots it; '' if there is none."""
        return self.path or self.named

    @property
    def title(self) -> str:
        return self.heads[-1].title if self.heads else ""

    @property
    def named(self) -> str:
        """As `path`, by titles where there are no ids, as GRUB has it; '' if that is not known."""
        return _path([head.name for head in self.heads])

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


@dataclass(frozen=True)
class Item:
    """A line of the menu: an entry, or a submenu."""

    head: Head
    entry: Optional[Entry] = None
    items: tuple[Item, ...] = ()


@dataclass
class _Block:
    kind: str
    line: str = ""
    head: Head = field(default_factory=lambda: Head(""))
    kernel: str = ""
    lines: list[str] = field(default_factory=list)
    # Of a submenu: what is in it.
    items: list[Item] = field(default_factory=list)


@dataclass(frozen=True)
class Menu:
    """What grub.cfg says."""

    entries: tuple[Entry, ...] = ()
    honours_saved: bool = False
    honours_once: bool = False
    reads_custom: bool = False
    items: tuple[Item, ...] = ()
    # What the default is set to, where no entry is to be booted once.
    default: str = grub_access.SAVED[0]
    # What is set after the header, and by which file; empty where nothing is.
    overridden: tuple[str, str] = ("", "")
    access: Access = field(default_factory=Access)

    def question(self, entry: Entry) -> str:
        """Why GRUB would not start it by itself, and what to do; '' if it would."""
        where = entry.where or "the file in /etc/grub.d that makes it"
        return grub_access.question(self.access, entry.heads, entry.body, where)

    def resolve(self, chosen: str) -> Optional[Entry]:
        """The entry that GRUB takes for a default: by ids, titles or positions. None if the default
        is none of them, as of something that is known to GRUB alone."""
        items: Sequence[Item] = self.items
        for part in _parts(chosen):
            item = _item(items, part)
            if item is None or item.entry:
                return item.entry if item else None
            items = item.items
        return None

    def find(self, release: str) -> Optional[Entry]:
        """The entry for this release; of several the first, which GRUB would take too."""
        for entry in self.entries:
            if entry.normal and entry.path and entry.release == release:
                return entry
        return None

    def releases(self) -> list[str]:
        return list(dict.fromkeys(e.release for e in self.entries if e.normal and e.path))

    def release_of(self, path: str) -> str:
        """Release that the entry of this default boots; '' if there is no such entry."""
        found = self.resolve(path)
        return found.release if found else ""


@dataclass(frozen=True)
class State:
    """The menu and the environment block, as they are now."""

    menu: Menu
    environment: dict[str, str] = field(default_factory=dict)
    environment_exists: bool = False
    read_only: str = ""
    custom: str = ""


def _path(names: Sequence[str]) -> str:
    # GRUB separates ids by '>' and reads a doubled one as the character itself.
    return ">".join(name.replace(">", ">>") for name in names) if names and all(names) else ""


def _parts(path: str) -> list[str]:
    return [part.replace("\0", ">") for part in path.replace(">>", "\0").split(">")]


def _item(items: Sequence[Item], name: str) -> Optional[Item]:
    number = re.match("[0-9]+", name)
    if number:
        # GRUB looks at the digits alone.
        position = int(number[0][:9])
        return items[position] if position < len(items) else None
    return next((i for i in items if name and name in (i.head.title, i.head.id)), None)


def _has_line(text: str, start: str) -> bool:
    return bool(re.search(rf"^[ \t]*{start}", text, re.MULTILINE))


def _close(stack: list[_Block], entries: list[Entry], items: list[Item], where: str) -> None:
    block = stack.pop()
    if block.kind not in grub_script.HEADS:
        return
    around = [b for b in stack if b.kind == "submenu"]
    into = around[-1].items if around else items
    if block.kind == "submenu":
        into.append(Item(block.head, items=tuple(block.items)))
        return
    heads = tuple(b.head for b in [*around, block])
    path = _path([head.id for head in heads])
    entry = Entry(block.head.id, path, block.kernel, block.line, tuple(block.lines), heads, where)
    entries.append(entry)
    into.append(Item(block.head, entry))


class _Parser:
    """Reads grub.cfg and what it runs, line by line, as GRUB does."""

    def __init__(self, files: Mapping[str, str], environment: Mapping[str, str]) -> None:
        self.entries: list[Entry] = []
        self.items: list[Item] = []
        self.reader = grub_access.Reader(dict(environment))
        self._files = files
        self._stack: list[_Block] = []
        self._seen: set[str] = set()
        self._left = grub_sources.FILES

    def feed(self, text: str, file: str = "", around: tuple[str, ...] = ()) -> None:
        """`around` are the files that run this one, and itself."""
        where = f"{file} beside grub.cfg" if file else ""
        for line in grub_script.logical_lines(text):
            if line.startswith(_PARTS) and not file:
                where = next(iter(words(line)[2:3]), "")
            self._line(line, where)
            if any(block.kind == "menuentry" for block in self._stack):
                # Run when that entry is, if ever.
                continue
            for name in grub_sources.names(line):
                if name in self._files or name in around:
                    self._run(name, where, around)

    def _run(self, name: str, where: str, around: tuple[str, ...]) -> None:
        if name in around or self._left <= 0:
            self.reader.give_up(f"source …/{name}", where or "grub.cfg")
            return
        self._left -= 1
        # Of a file that is run twice, as custom.cfg is in two branches, the entries count once.
        before = (list(self.entries), list(self.items), list(self._stack))
        self.feed(self._files[name], name, (*around, name))
        # GRUB reads each file for itself: what one leaves open is not open in another.
        self._stack = before[2]
        if name in self._seen:
            self.entries, self.items = before[0], before[1]
        self._seen.add(name)

    def _line(self, line: str, where: str) -> None:
        stack = self._stack
        word = next(iter(words(line)), "")
        inside = any(block.kind == "menuentry" for block in stack)
        if line.endswith("{") and word in grub_script.HEADS:
            stack.append(_Block(word, line, grub_script.head(line[:-1])))
        elif line == "}" and stack:
            _close(stack, self.entries, self.items, where)
        else:
            if stack and stack[-1].kind == "menuentry" and not line.endswith("{"):
                stack[-1].lines.append(line)
                if word in grub_trial.LINUX:
                    stack[-1].kernel = next(iter(words(line)[1:2]), "")
            elif not inside:
                submenus = tuple(block.head for block in stack if block.kind == "submenu")
                self.reader.read(line, where or "grub.cfg", not stack, submenus)
            if line.endswith("{") and not line.startswith("#"):
                stack.append(_Block("other"))


def parse_menu(
    text: str,
    files: Optional[Mapping[str, str]] = None,
    environment: Optional[Mapping[str, str]] = None,
) -> Menu:
    """What a grub.cfg says; what is no entry is passed over.

    `files` are those that it runs, by their names from its directory, `environment` what load_env
    finds.
    """
    parser = _Parser(files or {}, environment or {})
    parser.feed(text)
    entries, items, reader = parser.entries, parser.items, parser.reader
    return Menu(
        entries=tuple(entries),
        honours_saved=_has_line(text, r'set default="\$\{saved_entry\}"'),
        honours_once=_has_line(text, r'set default="\$\{next_entry\}"'),
        reads_custom=_has_line(text, r"source \$\{config_directory\}/custom\.cfg"),
        items=tuple(items),
        default=reader.default,
        overridden=reader.overridden,
        access=reader.result(),
    )


def parse_environment(text: str) -> dict[str, str]:
    """Variable -> value of an environment block."""
    pairs = (line.partition("=") for line in lines(text) if line and line[0] != "#")
    return {name: value.rstrip("#") for name, separator, value in pairs if separator}


def read_only_reason(run: Runner, directory: str, root: Path = Path("/")) -> str:
    """Why GRUB could not clear a one-shot entry there; '' if it can."""
    layers = run(["grub-probe", "--target=abstraction", directory])
    names = layers.out.split() if layers.status == 0 else []
    if any(name.startswith(SOFTWARE_RAID) for name in names):
        return f"{directory} is on software RAID (md)"
    for name in names:
        if name in READ_ONLY_ABSTRACTIONS:
            return f"{directory} is on {READ_ONLY_ABSTRACTIONS[name]}"
    filesystem = run(["grub-probe", "--target=fs", directory])
    if filesystem.status == 0 and filesystem.out.strip() in READ_ONLY_FILESYSTEMS:
        return f"{directory} is on {filesystem.out.strip()}"
    if layers.status or filesystem.status:
        # It finds no disk, as with an outdated device.map. GRUB itself may well find it.
        return disks.read_only_reason(directory, root)
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
    variables = parse_environment(found or "")
    own = (_text_of(Path(custom), "surrogateescape") or "") if custom else ""
    return State(
        menu=read_menu(text, config, {CUSTOM: own} if custom else {}, variables),
        environment=variables,
        environment_exists=found is not None,
        read_only=read_only_reason(run, str(block.parent)),
        custom=own,
    )


def read_menu(
    text: str, config: str, known: Mapping[str, str], environment: Mapping[str, str]
) -> Menu:
    """What a text says as grub.cfg, with the files that it runs there; some of them are `known`.

    Raises GrubError.
    """
    try:
        files = grub_sources.collect(
            text,
            known,
            lambda name: _text_of(Path(config).parent / name, "surrogateescape") or "",
        )
    except ValueError as error:
        raise GrubError(f"{config}: {error}; see which `source` lines it has.") from error
    return parse_menu(text, files, environment)


def _text_of(file: Path, errors: str) -> Optional[str]:
    """None if it is not there. Raises GrubError."""
    try:
        return bounded_read.text(file, errors=errors)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise GrubError(f"{file}: {error.strerror}; see what is there, as root.") from error


def wanted_variables(state: State, kind: str, path: str) -> dict[str, str]:
    """Changes to the environment block; an empty value removes the variable.

    Where GRUB cannot write it, the default is not there: what it has may be booted in its place.
    """
    current = state.environment
    if kind == "cancelled":
        return {"next_entry": ""} if current.get("next_entry") else {}
    if kind in ("unset", "restored"):
        default = path if kind == "restored" else ""
        names = ("prev_saved_entry", "next_entry", *([] if default else ["saved_entry"]))
        changes = {name: "" for name in names if name in current}
        if default and current.get("saved_entry") != default:
            changes["saved_entry"] = default
        return changes
    if kind == "once":
        chosen = {} if current.get("next_entry") == path else {"next_entry": path}
        return {**{name: "" for name in RETRY if current.get(name)}, **chosen}
    # As grub-set-default: an older trial does not outlive a new default.
    ended = {n: "" for n in ("prev_saved_entry", "next_entry", *RETRY) if current.get(n)}
    if state.read_only:
        return ended
    return {} if current.get("saved_entry") == path else {"saved_entry": path, **ended}


def restored(state: State, entry: str) -> str:
    """The default from before if it is there; else the present one, or '' if that is not."""
    saved = state.environment.get("saved_entry", "")
    if not entry or state.menu.resolve(entry):
        return entry
    return saved if state.menu.resolve(saved) else ""


def wanted_custom(state: State, kind: str, entry: Optional[Entry], arguments: Sequence[str]) -> str:
    """What custom.cfg is to hold: the entry of a trial boot, until there is a new default."""
    pending = state.environment.get("next_entry") == TRIAL
    is_default = entry is not None and state.environment.get("saved_entry") == entry.choice
    if kind == "present" or (kind == "default" and pending and is_default):
        return state.custom
    made = ""
    if kind == "once" and arguments and entry:
        made = grub_trial.block(entry.release, entry.head, entry.body, arguments)
    return grub_trial.replaced(state.custom, made)


def unwritable(state: State) -> str:
    """Why a one-shot entry would not be forgotten; '' if it would."""
    if not state.read_only:
        return ""
    return f"GRUB cannot write its environment block: {state.read_only}"


def another_way() -> str:
    """What a host can do that GRUB boots from there, and that has no kexec."""
    return (
        "Or give /boot a plain partition of its own with ext4 or xfs: copy its files there, name "
        f"it in /etc/fstab, mount it, run grub-install and {ENTRY_COMMAND}. Or boot the host by "
        "systemd-boot, where it has UEFI. Or take it out of kernel_targets."
    )


def unread(state: State, config: str) -> str:
    """Why the entry of a trial would not be seen, and what to do; '' if it would."""
    if state.menu.reads_custom:
        return ""
    return (
        f"{config} does not read custom.cfg, where the entry of the trial boot is. Make "
        f"/etc/grub.d/41_custom executable and run {ENTRY_COMMAND}."
    )


def overruled(menu: Menu, config: str) -> str:
    """Why no choice of a default, or for one boot, would count, and what to do; '' if it would."""
    value, where = menu.overridden
    if not where:
        return ""
    return (
        f"{where} sets default to '{value}' after {config} has looked at what was chosen, so "
        f"nothing else is booted. Take that line out of it, and run {ENTRY_COMMAND}."
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


def default_of(state: State) -> Optional[Entry]:
    """What GRUB boots after a trial boot, as far as the files show it."""
    saved, chosen = state.environment.get("saved_entry", ""), state.menu.default
    return state.menu.resolve(saved if chosen in grub_access.SAVED else chosen)


def require_unattended(state: State, kind: str, entry: Entry, trial: str = "") -> None:
    """Refuse an entry before which GRUB would wait for somebody. `trial` is the text
    of the trial boot's entry.

    The usual entry of the requested kernel has to boot by itself, too: it is the default once the
    kernel is confirmed. So has that of the fallback kernel.
    """
    asked = [("", entry)]
    if kind == "once":
        asked += [("for the trial boot: ", made) for made in parse_menu(trial).entries]
        default = default_of(state)
        asked += [("for the default, the fallback kernel: ", default)] if default else []
    for which, one in asked:
        problem = state.menu.question(one)
        if problem:
            raise GrubError(f"{entry.release or entry.title}: {which}{problem}")


def require_working(
    state: State,
    config: str,
    kind: str,
    arguments: Sequence[str] = (),
) -> None:
    """Refuse what GRUB would accept and then not do."""
    require_arguments(arguments)
    if kind in ("once", "default") and overruled(state.menu, config):
        raise GrubError(overruled(state.menu, config))
    if kind == "once" and arguments and unread(state, config):
        raise GrubError(unread(state, config))
    if kind == "once" and not state.menu.honours_once:
        raise GrubError(f"{config} does not look at next_entry; run {ENTRY_COMMAND} to renew it.")
    if kind == "once" and unwritable(state):
        raise GrubError(
            f"{unwritable(state)}. A one-shot entry would be booted again and again: let kexec "
            "start the trial boot (trial_kexec)."
        )


def write_variables(run: Runner, state: State, environment: str, changes: dict[str, str]) -> None:
    commands = [] if state.environment_exists else [["grub-editenv", environment, "create"]]
    for name, value in changes.items():
        action = ["set", f"{name}={value}"] if value else ["unset", name]
        commands.append(["grub-editenv", environment, *action])
    for command in commands:
        required_output(run, command, GrubError)
    written = parse_environment(_text_of(Path(environment), "replace") or "")
    wrong = [name for name, value in changes.items() if written.get(name, "") != value]
    if wrong:
        raise GrubError(f"{environment} did not keep {', '.join(wrong)}; is it full or damaged?")
