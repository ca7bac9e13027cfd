# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether GRUB starts an entry by itself, or waits for somebody: a password, a key.

Where `superusers` is set, even to nothing, GRUB asks for a user name before each submenu and each
entry that is not --unrestricted, the default too. Submenus see the variable only if it is exported.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Optional

from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import quirks
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import sources as grub_sources
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.script import (
    Head,
    Word,
    assigned,
    command,
    statements,
)

VARIABLE, TIMEOUT = "superusers", "timeout"
ONCE, SAVED = ("${next_entry}", "$next_entry"), ("${saved_entry}", "$saved_entry")
# What Ubuntu's GRUB writes down before each boot, and takes back after a good one.
FAILED_BOOT = "recordfail"
_FAILED, _FINE = "failed", "fine"
_OPENS, _CLOSES = ("if", "for", "while", "until"), ("fi", "done")
# What GRUB takes for seconds: it looks at the digits alone, and keeps 31 bits.
_SECONDS = re.compile(r"[ \t]*([0-9]{1,12})")
_MOST = (1 << 31) - 1
_USED = re.compile(r"\$(?:(\w+)|\{(\w+)\})", re.ASCII)


@dataclass(frozen=True)
class Access:
    """Who is asked, as the whole of the configuration has it. Texts name the file; '' if not."""

    superusers: str = ""
    exported: bool = False
    # `authenticate` outside any entry, which asks before the menu is there.
    asks_first: str = ""
    # Where the menu is set to wait for a key, and nowhere set otherwise.
    waits: str = ""
    # Whether it does so because the boot before is known as a failed one.
    failed: bool = False
    # The first command that may ask, or wait, as far as the files show it; and its file.
    unknown: tuple[str, str] = ("", "")
    # `read` outside any entry.
    reads: str = ""
    # As `unknown`, in submenus, by the heads around it: GRUB runs what is in a submenu when it is
    # opened, by somebody or for an entry in it.
    hidden: Mapping[tuple[Head, ...], tuple[str, str]] = field(default_factory=dict, hash=False)

    def unknown_for(self, heads: Sequence[Head]) -> tuple[str, str]:
        """The first unknown command that GRUB runs before it starts the entry with these heads."""
        around = (tuple(heads[:count]) for count in range(1, len(heads)))
        inside = (self.hidden[submenus] for submenus in around if submenus in self.hidden)
        return self.unknown if self.unknown[0] else next(inside, ("", ""))


def _waits(timeout: str) -> bool:
    """Whether it is none that ends."""
    seconds = _SECONDS.match(timeout)
    return not seconds or int(seconds[1]) > _MOST or timeout[seconds.end() :][:1].isdigit()


class Reader:
    """Collects it, line by line, of what is in no menu entry."""

    def __init__(self, environment: dict[str, str]) -> None:
        self._environment = environment
        self._superusers = ""
        self._exported = False
        self._asks_first = ""
        # What the default is set to, in this order, and by which file.
        self._defaults: list[tuple[str, str]] = []
        # And the timeout, with what is known of the boot before where it is set so.
        self._timeouts: list[tuple[str, str, str]] = []
        self._branches: list[str] = []
        self._depth = 0
        # Where a function, or a submenu, sets one that does not end.
        self._called = ""
        # Of those that are set once, or always to the same; None where that is not so.
        self._variables: dict[str, Optional[str]] = {}
        self._unknown = ("", "")
        self._hidden: dict[tuple[Head, ...], tuple[str, str]] = {}
        self._reads = ""

    def read(self, line: str, where: str, certain: bool, submenus: tuple[Head, ...] = ()) -> None:
        """`certain` if the line is in no function and no submenu; `submenus`: those around it."""
        if line.startswith("#"):
            return
        function = line.startswith("function")
        for statement in statements(line):
            word, run = statement[0].text, command(statement)
            self._branch(word, statement)
            self._depth += word in _OPENS
            if run:
                top_level = certain and not function
                self._run(run, where, top_level and self._depth == 0, submenus)
                self._time(run, where, top_level)
            self._depth = max(self._depth - (word in _CLOSES), 0)

    def _branch(self, word: str, statement: Sequence[Word]) -> None:
        """Follow `if`: what holds about the boot before in each of its parts."""
        if word == "if":
            about = any(FAILED_BOOT in one.text for one in statement)
            self._branches.append(_FAILED if about else "")
        elif word in ("else", "elif") and self._branches:
            self._branches[-1] = _FINE if self._branches[-1] == _FAILED else ""
        elif word == "fi":
            self._branches = self._branches[:-1]

    def _run(
        self, words: Sequence[Word], where: str, certain: bool, submenus: tuple[Head, ...]
    ) -> None:
        name, texts = words[0].text, [word.text for word in words]
        default = assigned(words, "default")
        unknown = grub_sources.unknown(words)
        if unknown:
            self.give_up(unknown, where, submenus)
        if assigned(words, VARIABLE) is not None:
            self._superusers = where
        elif default is not None:
            self._defaults.append((default.text, where))
        elif name == "export":
            # One that is not there yet is made, and empty.
            if VARIABLE in texts:
                self._exported, self._superusers = True, self._superusers or where
        elif name == "unset":
            if VARIABLE in texts and certain:
                self._superusers, self._exported = "", False
        elif name == "load_env":
            if VARIABLE in self._environment:
                self._superusers = self._superusers or "the environment block (grub-editenv list)"
        elif name == "authenticate":
            self._asks_first = self._asks_first or where
        elif name == "read" and VARIABLE not in texts:
            self._reads = self._reads or where
        elif name not in quirks.HARMLESS and any(VARIABLE in text for text in texts):
            # eval, read, search --set, for: not followed, and so taken for the worst.
            self._superusers = self._superusers or where

    def give_up(self, command: str, where: str, submenus: tuple[Head, ...] = ()) -> None:
        """Take a command for one that may ask: its effect is unknown."""
        if submenus:
            self._hidden.setdefault(submenus, (command, where))
        elif not self._unknown[0]:
            self._unknown = (command, where)

    def _time(self, words: Sequence[Word], where: str, top_level: bool) -> None:
        """Follow the timeout and its sources. `top_level`: in no function and no submenu."""
        certain = top_level and self._depth == 0
        name, texts = words[0].text, [word.text for word in words[1:]]
        timeout = assigned(words, TIMEOUT)
        if timeout is not None:
            if _USED.fullmatch(timeout.text) and TIMEOUT in timeout.text:
                return  # to what it is
            self._timeout(self._value(timeout), where, top_level)
        elif name == "unset" and TIMEOUT in texts:
            self._timeout("", where, top_level)
        elif name == "load_env" and TIMEOUT in self._environment:
            self._timeout(self._environment[TIMEOUT], "the environment block", top_level)
        given = words[1] if name == "set" and len(words) > 1 else words[0]
        variable, equals, _value = given.text.partition("=")
        value = assigned(words, variable) if equals else None
        if value is not None:
            new: Optional[str] = self._value(value)
            if not certain and self._variables.get(variable) != new:
                new = None
            self._variables[variable] = new
        elif name in quirks.GIVES:
            for text in [*texts, *(self._environment if name == "load_env" else ())]:
                self._variables[re.split("[=:]", text)[-1]] = None

    def _timeout(self, value: str, where: str, top_level: bool) -> None:
        if top_level and self._depth == 0:
            # Whatever was before.
            self._timeouts, self._called = [], ""
        if not top_level and _waits(value):
            self._called = where
        self._timeouts.append((value, where, "".join(self._branches)))

    def _value(self, word: Word) -> str:
        """With what is known put in; what is not stays a variable."""
        if not word.unknown:
            return word.text
        return _USED.sub(lambda one: self._variables.get(one[1] or one[2]) or one[0], word.text)

    def _chosen(self) -> list[tuple[str, str]]:
        """What is set where no entry is booted once: by the header, then by who comes after it."""
        once = [i for i, (value, _where) in enumerate(self._defaults) if value in ONCE]
        return self._defaults[once[-1] + 1 if once else 0 :]

    @property
    def default(self) -> str:
        return self._chosen()[-1][0] if self._chosen() else ""

    @property
    def overridden(self) -> tuple[str, str]:
        """What another than the header sets the default to, and which file it is; empty if none."""
        later = [pair for pair in self._chosen()[1:] if pair[0] not in SAVED]
        return later[-1] if later else ("", "")

    def result(self) -> Access:
        # The environment block tells; a trial boot does not change it.
        failed = self._environment.get(FAILED_BOOT) == "1"
        counting = [one for one in self._timeouts if one[2] != (_FINE if failed else _FAILED)]
        waiting = [one for one in counting if _waits(one[0])]
        last = waiting[-1] if waiting and len(waiting) == len(counting) else ("", "", "")
        last = last if last[1] else ("", self._called, "")
        return Access(
            self._superusers,
            self._exported,
            self._asks_first,
            last[1],
            last[2] == _FAILED,
            self._unknown,
            self._reads,
            self._hidden,
        )


def _commands(body: Sequence[str]) -> list[Sequence[Word]]:
    return [
        found
        for line in body
        if not line.startswith("#")
        for found in map(command, statements(line))
        if found
    ]


def _stops(access: Access, heads: Sequence[Head], body: Sequence[str], where: str) -> str:
    """What would, or may, stop GRUB before the entry is started, and what to do."""
    commands = _commands(body)
    reads = access.reads or next((where for one in commands if one[0].text == "read"), "")
    if reads:
        return (
            f"GRUB waits for somebody to type a line: {reads} has `read`. Remove that, and run "
            "update-grub."
        )
    # A file that an entry runs is not read here either.
    files = (one for one in commands if grub_sources.sourced(one) is not None)
    inside = next(files, None) or next(filter(grub_sources.unknown, commands), None)
    text, file = (grub_sources.shown(inside), where) if inside else access.unknown_for(heads)
    if not text:
        return ""
    return (
        f"whether GRUB would start it by itself is unknown: {file} has `{text}`, which is not "
        "followed. Remove that line, or put what it runs into /etc/grub.d/40_custom in its "
        "place, and run update-grub."
    )


def _lock(head: Head, around: bool) -> tuple[str, str]:
    """Why one of them is not started, and the remedy's kind."""
    name = f"'{head.title}'"
    if head.users is not None:
        return (
            f"{'the submenu' if around else 'the entry'} {name} has --users, which counts more "
            "than --unrestricted",
            "users",
        )
    if head.unknown:
        return f"whether {name} is --unrestricted hangs on a variable", "unrestricted"
    if around:
        return f"the submenu {name} around its entry has no --unrestricted", "submenu"
    return f"its entry {name} has no --unrestricted", "unrestricted"


def _waiting(access: Access) -> str:
    """Why the menu would wait, and what to do; '' if it would not."""
    if access.waits and access.failed:
        return (
            f"GRUB waits in its menu for a key, for ever: {FAILED_BOOT} in the environment block "
            f"says that the boot before failed, and timeout has no end then ({access.waits}). Set "
            "GRUB_RECORDFAIL_TIMEOUT in /etc/default/grub to some seconds, and run update-grub."
        )
    if access.waits:
        return (
            f"GRUB waits in its menu for a key, for ever: timeout is no number of seconds, or "
            f"negative ({access.waits}). Set GRUB_TIMEOUT in /etc/default/grub to some seconds, "
            "take out what else sets timeout, and run update-grub."
        )
    return ""


def question(access: Access, heads: Sequence[Head], body: Sequence[str], where: str) -> str:
    """Why GRUB would not start the entry by itself, and what to do; '' if it would.

    `heads` are those of the submenus around it and its own, `where` the file that makes it.
    """
    stops = _waiting(access) or _stops(access, heads, body, where)
    if stops or not access.superusers:
        return stops
    asked = "GRUB would ask for a user name"
    if access.asks_first:
        return (
            f"{asked} before it boots anything: {access.asks_first} has `authenticate`. Remove "
            "that, and run update-grub."
        )
    seen = list(heads) if access.exported else list(heads[:1])
    locks = [_lock(head, head is not heads[-1]) for head in seen if head.restricted]
    asks = any(one[0].text == "authenticate" for one in _commands(body))
    if asks and (access.exported or len(heads) == 1):
        locks.append((f"its entry '{heads[-1].title}' has `authenticate`", "authenticate"))
    if not locks:
        return ""
    remedies = {
        "submenu": "set GRUB_DISABLE_SUBMENU=y in /etc/default/grub",
        "unrestricted": f"add --unrestricted to the entry (Debian, Ubuntu: to CLASS in {where})",
        "users": f"take --users out of {where}",
        "authenticate": f"take `authenticate` out of {where}",
    }
    needed = [text for kind, text in remedies.items() if kind in [lock[1] for lock in locks]]
    first = needed[0][0].upper() + needed[0][1:]
    return (
        f"{asked} before it boots this: superusers is set ({access.superusers}), and "
        f"{' and '.join(reason for reason, _kind in locks)}. {', '.join([first, *needed[1:]])}, "
        "and run update-grub."
    )
