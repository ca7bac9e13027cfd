# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a gate can ask for: time, hours, a person, a program, an address.

What a server, a program or a person answers is shown as text that is safe to print, and without the
values of headers.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, NamedTuple, Optional, Protocol
from urllib.parse import urlsplit

from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    bounded_read,
    plain_text,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    Result,
    output_summary,
)
from ansible_collections.oslab.kernel.plugins.plugin_utils import gate_window

INTERVAL = 10.0  # seconds from one question to the next
_WITH_FILE = 60.0  # seconds that a person is asked, until the file is looked at again
#: Seconds that one answer may take, even where the limit of the gate is shorter.
ANSWER = 30
#: Bytes of an answer by HTTP.
BODY = 1 << 20
# The clock of a file system may lag behind.
_FILE_CLOCK = 2.0
_QUOTED = 120
# A word of a header's value that is a secret by itself, as in `Bearer …`.
_SECRET_LENGTH = 4


class GateError(Exception):
    """There is no answer. The message says why."""


class InterruptedByUserError(Exception):
    """Somebody has pressed Ctrl-C at a question."""


class Reply(NamedTuple):
    """An answer by HTTP; of the body, at most one byte more than is taken."""

    status: int
    body: bytes = b""


class Seen(NamedTuple):
    """A regular file: when it was written, in seconds since 1970, and whose it is."""

    time: float
    owner: str


class World(Protocol):
    """What gates see of the world. Unit tests have their own."""

    def now(self) -> float:
        """Seconds since 1970."""

    def monotonic(self) -> float:
        """Seconds of a clock that nobody sets."""

    def sleep(self, seconds: float) -> None: ...

    def http(self, url: str, headers: Mapping[str, str]) -> Reply:
        """Ends within ANSWER seconds. Raises GateError."""

    def run(self, argv: Sequence[str], seconds: float) -> Result:
        """Raises GateError if the program cannot be started or does not end in time."""

    def file(self, path: str) -> Optional[Seen]:
        """None if there is none. Raises GateError if it is no file or cannot be looked at."""

    def ask(self, question: str, seconds: float) -> Optional[str]:
        """What somebody types; None without a terminal. Raises InterruptedByUserError."""


class Answer(NamedTuple):
    passed: bool
    text: str
    #: Asking again changes nothing.
    final: bool = False
    #: Seconds until the gate is asked again.
    pause: float = INTERVAL


class Moment(NamedTuple):
    """When a gate is asked."""

    #: When the wave before ended, in seconds since 1970.
    since: float
    #: Seconds that are left of its limit.
    left: float


class Condition(Protocol):
    kind: ClassVar[str]
    #: Whether a yes stays one, however long other gates are waited for.
    lasting: ClassVar[bool]

    def __str__(self) -> str:
        """For messages: what is asked, without secrets."""

    @property
    def remedy(self) -> str: ...

    def ask(self, world: World, moment: Moment) -> Answer: ...


@dataclass(frozen=True)
class Soak:
    seconds: int
    #: Seconds in which the hosts of the wave before have to answer afterwards.
    answer: int = 60
    kind: ClassVar[str] = "soak"
    lasting: ClassVar[bool] = True

    def __str__(self) -> str:
        return f"{self.seconds} s"

    @property
    def remedy(self) -> str:
        return "Find out why: each runs the new kernel, which may be the reason"

    def ask(self, world: World, moment: Moment) -> Answer:
        left = moment.since + self.seconds - world.now()
        # Whoever sets the clock back makes nobody wait longer than the whole time.
        if left <= 0 or moment.left <= 0:
            return Answer(True, f"the wave before ended {self.seconds} s ago or earlier")
        return Answer(False, f"{left:.0f} s are left", pause=left)


@dataclass(frozen=True)
class Window:
    window: gate_window.Window
    kind: ClassVar[str] = "window"
    lasting: ClassVar[bool] = False

    def __str__(self) -> str:
        return str(self.window)

    @property
    def remedy(self) -> str:
        return "Wait until the window is open, or change it"

    def ask(self, world: World, moment: Moment) -> Answer:
        now = world.now()
        opens = gate_window.opening(self.window, now)
        here = gate_window.shown_time(self.window, now)
        if opens is None:
            return Answer(False, f"it is {here}, and the window never opens", final=True)
        if opens <= now:
            return Answer(True, f"it is {here}")
        then = gate_window.shown_time(self.window, opens)
        text = f"it is {here}, and the window opens {then}"
        # Not in one piece: a clock may be set, and a machine may sleep.
        return Answer(False, text, opens - now > moment.left, min(opens - now, 60.0))


@dataclass(frozen=True)
class Approval:
    file: str = ""
    prompt: str = ""
    kind: ClassVar[str] = "approval"
    lasting: ClassVar[bool] = True

    def __str__(self) -> str:
        places = [f"file {self.file}"] if self.file else []
        return " or ".join([*places, *(["answer at the terminal"] if self.prompt else [])])

    @property
    def remedy(self) -> str:
        ways = [f"run `touch {self.file}`"] if self.file else []
        ways += ["start the run at a terminal and answer yes"] if self.prompt else []
        return f"To approve, {' or '.join(ways)}"

    def ask(self, world: World, moment: Moment) -> Answer:
        text = ""
        if self.file:
            seen = world.file(self.file)
            text = f"there is no file {self.file}"
            if seen is not None and seen.time >= moment.since - _FILE_CLOCK:
                return Answer(True, f"{self.file} is there, written by {seen.owner}")
            if seen is not None:
                text = f"{self.file} is older than the end of the wave before"
        if not self.prompt:
            return Answer(False, text)
        # The file is looked at in between.
        left = min(moment.left, _WITH_FILE) if self.file else moment.left
        typed = world.ask(self.prompt, max(left, 1.0))
        if typed is None:
            also = text or "no file is named that approves"
            return Answer(False, f"there is no terminal to ask at, and {also}", not self.file)
        word = plain_text.shown(typed.strip().lower(), 20)
        if word in ("y", "yes"):
            return Answer(True, "somebody at the terminal answered yes")
        if word in ("n", "no"):
            return Answer(False, "somebody at the terminal answered no", final=True)
        return Answer(False, f"the answer at the terminal was {word!r}, not yes or no", pause=0.0)


@dataclass(frozen=True)
class Command:
    argv: tuple[str, ...]
    rc: int = 0
    kind: ClassVar[str] = "command"
    lasting: ClassVar[bool] = False

    def __str__(self) -> str:
        # Arguments may be secrets.
        return Path(self.argv[0]).name

    @property
    def remedy(self) -> str:
        return f"Run {self.argv[0]} on the control node, and correct what it reports"

    def ask(self, world: World, moment: Moment) -> Answer:
        status, out, err = world.run(self.argv, max(moment.left, ANSWER))
        said = f"{self} ended with {status}"
        if status == self.rc:
            return Answer(True, said)
        output = plain_text.shown(output_summary(out, err))
        return Answer(False, f"{said}, not with {self.rc}: {output}")


@dataclass(frozen=True)
class Http:
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    path: str = ""
    #: With `compared`, what has to be there.
    value: Any = None
    compared: bool = False
    kind: ClassVar[str] = "http"
    lasting: ClassVar[bool] = False

    def __str__(self) -> str:
        # A query may hold a token.
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}{parts.path}"

    @property
    def remedy(self) -> str:
        return f"Look at what {self} answers, and correct the reason"

    def ask(self, world: World, moment: Moment) -> Answer:
        status, body = world.http(self.url, self.headers)
        text = f"HTTP status {status}"
        if not 200 <= status < 300:
            hint = ": redirections are not followed" if 300 <= status < 400 else ""
            return Answer(False, f"{text}{hint}")
        if not self.compared:
            return Answer(True, text)
        try:
            found = self._found(body)
        except ValueError as error:
            return Answer(False, str(error))
        where = self.path or "the answer"
        text = f"{where} is {self._shown(found)}"
        # The same JSON; a number may be a text, as Prometheus writes it.
        if _text(found) == _text(self.value):
            return Answer(True, text)
        return Answer(False, f"{text}, not {self._shown(self.value)}")

    def hidden(self, text: str) -> str:
        """The text without values of headers, which a server or an error may repeat."""
        secrets: set[str] = set()
        for value in self.headers.values():
            secrets |= {word for word in (value, *value.split()) if len(word) >= _SECRET_LENGTH}
        secrets |= {json.dumps(secret)[1:-1] for secret in secrets}
        # The longest first: a part of one may be another one.
        for secret in sorted(secrets, key=lambda one: (-len(one), one)):
            text = text.replace(secret, "***")
        return text

    def _shown(self, value: Any) -> str:
        # Before it is cut, which would leave a part of a secret.
        return plain_text.shown(self.hidden(_json(value)), _QUOTED)

    def _found(self, body: bytes) -> Any:
        """What the path leads to. Raises ValueError if there is none."""
        if len(body) > BODY:
            raise ValueError(f"the answer has more than {BODY} bytes")
        text = body.decode("utf-8", "replace")
        try:
            value = bounded_read.parse_json(text)
        except ValueError:
            if not self.path:
                return text.strip()
            raise ValueError("the answer is no JSON") from None
        for key in filter(None, self.path.split(".")):
            index = int(key) if re.fullmatch("[0-9]{1,6}", key) else -1
            if isinstance(value, dict) and key in value:
                value = value[key]
            elif isinstance(value, list) and 0 <= index < len(value):
                value = value[index]
            else:
                raise ValueError(f"the answer has no {self.path}")
        return value


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else _json(value)
