# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The symbols that a kernel tree's Kconfig files define, and why one is what it is.

Not a second Kconfig: what a configuration comes to is the tree's own `make olddefconfig` to say.
This reads names, types, dependencies and choices, to refuse unknown options and to explain.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read

_TYPES = ("bool", "tristate", "string", "int", "hex")
_SOURCES = ("source", "osource", "rsource", "orsource")
_KEYWORD = re.compile(
    r"\s*(config|menuconfig|bool|tristate|string|int|hex|def_bool|def_tristate|depends|select"
    r"|imply|default|range|prompt|choice|endchoice|if|endif|menu|endmenu|source|osource|rsource"
    r"|orsource|help|---help---|comment|mainmenu)(?![\w-])(.*)"
)
_COMMENT = re.compile(r"\s#")
# Of what is read: files that name each other, parentheses in an expression, characters of a line.
_DEEPEST = 64
_LONGEST = 1 << 14
# Of why a symbol is off: more is no explanation.
_REASONS = 6
_TOKEN = re.compile(r'"[^"]*"|\'[^\']*\'|\$\([^)]*\)|&&|\|\||[!<>]=|[()=!<>]|[\w./-]+')
_NAME = re.compile(r"[A-Z0-9_]*[A-Z][A-Z0-9_]*")
_COMPARISONS = ("=", "!=", "<", ">", "<=", ">=")
_NO_OPERANDS = ("&&", "||", "!", "(", ")", *_COMPARISONS)
_LEVEL = {"n": 0, "m": 1, "y": 2}
# What no driver brings along: a target may ask for any, and has them switched on for all.
_NO_DEPENDENCY = re.compile(r"EXPERT|EMBEDDED|STAGING|.*(DEBUG|TEST|FORCE|BROKEN).*")

# ARCH as `uname -m` names it -> directory below arch/.
_SRCARCH = {"x86_64": "x86", "i386": "x86", "i686": "x86", "aarch64": "arm64", "riscv64": "riscv"}


@dataclass
class Symbol:
    """What the Kconfig files say about one symbol, all definitions together."""

    name: str
    type: str = ""
    prompt: bool = False
    depends: list[str] = field(default_factory=list)
    selected_by: list[str] = field(default_factory=list)
    range: str = ""
    choice: int | None = None  # number of the choice that it is a member of
    files: list[str] = field(default_factory=list)  # that define it, in the tree


@dataclass
class _Block:
    condition: str = ""
    choice: int | None = None


def srcarch(machine: str) -> str:
    """The directory below arch/ for an ARCH= or a `uname -m`."""
    return _SRCARCH.get(machine, machine)


class KconfigTree:
    """All symbols of a tree, for one architecture."""

    def __init__(self, tree: Path, arch: str) -> None:
        self.symbols: dict[str, Symbol] = {}
        self.members: list[list[str]] = []  # of each choice
        self._tree = tree
        self._variables = {"SRCARCH": arch, "HEADER_ARCH": arch, "srctree": "."}
        self._blocks: list[_Block] = []
        self._entry: Symbol | _Block | None = None
        self._read_files: set[Path] = set()
        self._selects: list[tuple[str, str]] = []
        self._read(tree / "Kconfig")
        for selecting, selected in self._selects:
            symbol = self.symbols.get(selected)
            if symbol and selecting not in symbol.selected_by:
                symbol.selected_by.append(selecting)

    def siblings(self, name: str) -> list[str]:
        """The other members of a symbol's choice."""
        symbol = self.symbols.get(name)
        if symbol is None or symbol.choice is None:
            return []
        return [member for member in self.members[symbol.choice] if member != name]

    def _read(self, path: Path, depth: int = 0) -> None:
        # "a/../a/Kconfig" is the file that it was. A name may be too long for one, or hold a NUL.
        path = Path(os.path.normpath(path))
        if path in self._read_files or depth > _DEEPEST:
            return
        self._read_files.add(path)
        file = os.path.relpath(path, self._tree)
        for keyword, rest in _statements(path):
            if keyword in _SOURCES:
                name = re.sub(
                    r"\$\(?(\w+)\)?", lambda m: self._variables.get(m[1], m[0]), rest.strip("\"'")
                )
                self._read((path.parent if "rsource" in keyword else self._tree) / name, depth + 1)
            elif keyword in ("config", "menuconfig"):
                self._begin_symbol(rest)
                if file not in self.symbols[rest].files:
                    self.symbols[rest].files.append(file)
            elif keyword in ("choice", "if", "menu", "comment") or keyword.startswith("end"):
                self._block(keyword, rest)
            elif isinstance(self._entry, Symbol):
                self._attribute(self._entry, keyword, rest)
            elif isinstance(self._entry, _Block) and keyword == "depends":
                self._entry.condition = rest.partition("on ")[2]

    def _begin_symbol(self, name: str) -> None:
        symbol = self.symbols.setdefault(name, Symbol(name))
        self._entry = symbol
        for block in self._blocks:
            if block.condition and block.condition not in symbol.depends:
                symbol.depends.append(block.condition)
        choice = next((b.choice for b in reversed(self._blocks) if b.choice is not None), None)
        if choice is not None:
            symbol.choice = choice
            self.members[choice].append(name)

    def _block(self, keyword: str, rest: str) -> None:
        self._entry = None
        if keyword in ("endif", "endmenu", "endchoice"):
            if self._blocks:
                self._blocks.pop()
        elif keyword == "choice":
            self.members.append([])
            self._entry = _Block(choice=len(self.members) - 1)
            self._blocks.append(self._entry)
        elif keyword == "if":
            self._blocks.append(_Block(condition=rest))
        elif keyword == "menu":
            self._entry = _Block()
            self._blocks.append(self._entry)

    def _attribute(self, symbol: Symbol, keyword: str, rest: str) -> None:
        if keyword in _TYPES:
            symbol.type = keyword
            symbol.prompt = symbol.prompt or bool(rest)
        elif keyword in ("def_bool", "def_tristate"):
            symbol.type = keyword[len("def_") :]
        elif keyword == "prompt":
            symbol.prompt = True
        elif keyword == "depends":
            symbol.depends.append(rest.partition("on ")[2].strip())
        elif keyword == "select":
            self._selects.append((symbol.name, next(iter(rest.split()), "")))
        elif keyword == "range":
            symbol.range = rest


def _statements(path: Path) -> Iterator[tuple[str, str]]:
    """Keyword and the rest of each statement; help texts and comments left out."""
    help_indent: int | None = None
    pending = ""
    try:
        text = bounded_read.text(path)
    except OSError:
        return
    for raw in bounded_read.lines(text):
        if help_indent is not None:
            shown = raw.expandtabs()
            indent = len(shown) - len(shown.lstrip())
            if not shown.strip() or (indent >= help_indent if help_indent else indent > 0):
                # The first line of a help text says how far it is indented.
                if shown.strip() and not help_indent:
                    help_indent = indent
                continue
            help_indent = None
        line = pending + raw
        pending = ""
        if line.endswith("\\"):
            pending = line[:-1]
            continue
        match = _KEYWORD.match(line) if len(line) <= _LONGEST else None
        if not match:
            continue
        keyword, rest = match[1], match[2]
        if "help" in keyword:
            help_indent = 0
        elif not rest.lstrip().startswith(("=", ":=")):
            yield keyword, _without_comment(rest).strip()


def _without_comment(rest: str) -> str:
    """Up to the first # behind white space that is in no quotes: none follow it."""
    found = _COMMENT.search(rest, rest.rfind('"') + 1)
    return rest[: found.start()] if found else rest


class _Tokens:
    """Those of an expression, read one after the other; empty at the end."""

    def __init__(self, text: str) -> None:
        self.tokens = _TOKEN.findall(text)
        self.position = 0
        self.depth = 0

    def peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def advance(self) -> str:
        token = self.peek()
        self.position += 1
        return token


class _Expression(_Tokens):
    """A dependency, evaluated against the values of a configuration."""

    def __init__(self, text: str, values: Mapping[str, str]) -> None:
        super().__init__(text)
        self.values = values

    def either(self) -> int:
        level = self.both()
        while self.peek() == "||":
            self.advance()
            level = max(level, self.both())
        return level

    def both(self) -> int:
        level = self.single()
        while self.peek() == "&&":
            self.advance()
            level = min(level, self.single())
        return level

    def single(self) -> int:
        token = self.advance()
        if token in ("!", "("):
            self.depth += 1
            if self.depth > _DEEPEST:  # nobody writes that; what it comes to is not known
                self.position = len(self.tokens)
                return 0
            level = 2 - self.single() if token == "!" else self.either()
            if token == "(":
                self.advance()
            self.depth -= 1
            return level
        if self.peek() in ("=", "!=", "<", ">", "<=", ">="):
            return 2 if _compare(self.text(token), self.advance(), self.text(self.advance())) else 0
        if token.startswith("$"):
            return 2  # asks the toolchain; not known here
        return _LEVEL.get(self.text(token), 0)

    def text(self, token: str) -> str:
        if token[:1] in "\"'" or token in _LEVEL or not re.match(r"[A-Z_0-9]*[A-Z_]", token):
            return token.strip("\"'")
        return self.values.get(token, "n").strip('"')


def _compare(left: str, operator: str, right: str) -> bool:
    if operator in ("=", "!="):
        return (left == right) == (operator == "=")
    try:
        difference = int(left, 0) - int(right, 0)
    except ValueError:
        return False
    if operator.endswith("=") and difference == 0:
        return True
    return difference < 0 if operator.startswith("<") else difference > 0


def evaluate(expression: str, values: Mapping[str, str]) -> int:
    """0 (n), 1 (m) or 2 (y)."""
    return _Expression(expression, values).either()


class _Form(_Tokens):
    """Whether a text is an expression, as Kconfig's own grammar has it."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        self.wrong = next(iter(_TOKEN.sub(" ", text).split()), "")

    def whole(self) -> str:
        """What is wrong, or empty."""
        if self.wrong:
            return f"holds {self.wrong!r}"
        problem = self.joined()
        if not problem and self.peek() == "if":  # `depends on A if B`, of newer kernels
            self.advance()
            problem = self.joined()
        return problem or (f"has {self.peek()!r} where && or || is due" if self.peek() else "")

    def joined(self) -> str:
        problem = self.single()
        while not problem and self.peek() in ("&&", "||"):
            self.advance()
            problem = self.single()
        return problem

    def single(self) -> str:
        while self.peek() == "!":
            self.advance()
        token = self.advance()
        if token == "(":
            self.depth += 1
            problem = self.joined() if self.depth < _DEEPEST else "is too deep"
            self.depth -= 1
            return problem or ("" if self.advance() == ")" else "lacks a ')'")
        if not token:
            return "ends where a symbol is due"
        if token in _NO_OPERANDS:
            return f"has {token!r} where a symbol is due"
        if self.peek() in _COMPARISONS:
            self.advance()
            other = self.advance()
            return "" if other and other not in _NO_OPERANDS else "compares with nothing"
        return ""


def expression_problem(text: str) -> str:
    """What is wrong with the form of a dependency; empty for a good one, and for none.

    One that asks the toolchain may hold any text, and is not judged.
    """
    return _Form(text).whole() if text.strip() and "$(" not in text else ""


class Switches:
    """What to set so that a symbol that is off can be on: itself and what it depends on.

    An estimate from the Kconfig files; whether it holds is for `make olddefconfig` to say.
    """

    def __init__(self, tree: KconfigTree, values: Mapping[str, str]) -> None:
        self.tree, self.values = tree, values
        self.depth = 0
        self._found: dict[str, dict[str, str] | None] = {}

    def on(self, name: str) -> dict[str, str] | None:
        """Symbol to value, as a module if that can be; None if nothing would do.

        The value is empty for a symbol that nobody can set: another one has to select it.
        """
        if self.values.get(name, "n") != "n":
            return {}
        if name not in self._found:
            self._found[name] = {}  # if it depends on itself
            self.depth += 1
            self._found[name] = self._on(name) if self.depth < _DEEPEST else None
            self.depth -= 1
        return self._found[name]

    def dependency(self, name: str) -> dict[str, str] | None:
        """As `on`, but nothing that opens the kernel for all other hosts too."""
        return None if _NO_DEPENDENCY.fullmatch(name) else self.on(name)

    def _on(self, name: str) -> dict[str, str] | None:
        symbol = self.tree.symbols.get(name)
        if symbol is None or symbol.choice is not None or symbol.type not in ("bool", "tristate"):
            return None
        if not symbol.prompt:
            return {name: ""}
        below = self._below(symbol)
        if below is None:
            return None
        return {name: "m" if symbol.type == "tristate" else "y", **below}

    def followed(self, name: str) -> dict[str, str] | None:
        """As `on`, for a module's symbol: one without a prompt follows from what it depends on."""
        symbol = self.tree.symbols.get(name)
        if symbol is None or symbol.prompt or symbol.selected_by:
            return self.on(name)
        return self._below(symbol)

    def _below(self, symbol: Symbol) -> dict[str, str] | None:
        found: dict[str, str] = {}
        for expression in symbol.depends:
            if not evaluate(expression, self.values):
                missing = _Missing(expression, self).either()
                if missing is None:
                    return None
                found.update(missing)
        return found


class _Missing(_Tokens):
    """What to switch on for a dependency that does not hold; None if nothing would do."""

    def __init__(self, text: str, switches: Switches) -> None:
        super().__init__(text)
        self.switches = switches

    def either(self) -> dict[str, str] | None:
        ways = [self.both()]
        while self.peek() == "||":
            self.advance()
            ways.append(self.both())
        # That which can be set, and the fewest of it.
        possible = [way for way in ways if way is not None]
        return min(possible, key=lambda way: ("" in way.values(), len(way)), default=None)

    def both(self) -> dict[str, str] | None:
        parts = [self.single()]
        while self.peek() == "&&":
            self.advance()
            parts.append(self.single())
        joined: dict[str, str] = {}
        for part in parts:
            if part is None:
                return None
            joined.update(part)
        return joined

    def single(self) -> dict[str, str] | None:
        start = self.position
        token = self.advance()
        if token == "(":
            self.switches.depth += 1
            inner = self.either() if self.switches.depth < _DEEPEST else None
            self.switches.depth -= 1
            self.advance()
            return inner
        if token == "!":
            self._skip()
        elif not self._comparison() and re.fullmatch(r"[A-Z_0-9]*[A-Z_]\w*", token):
            return self.switches.dependency(token)
        # Nothing is switched off for a module: it holds as it is, or it does not.
        text = " ".join(self.tokens[start : self.position])
        return {} if evaluate(text, self.switches.values) else None

    def _comparison(self) -> bool:
        if self.peek() not in ("=", "!=", "<", ">", "<=", ">="):
            return False
        self.position += 2
        return True

    def _skip(self) -> None:
        """Go behind what a ! stands before."""
        while self.peek() == "!":
            self.advance()
        depth = 0
        while self.peek():
            token = self.advance()
            depth += (token == "(") - (token == ")")
            if depth <= 0:
                break
        self._comparison()


def _with_values(expression: str, values: Mapping[str, str]) -> str:
    names = []
    for token in _TOKEN.findall(expression):
        if _NAME.fullmatch(token) and token not in names:
            names.append(token)
    shown = ", ".join(f"{name}={values.get(name, 'n')}" for name in names)
    return f"depends on {expression} ({shown})" if shown else f"depends on {expression}"


def explain(tree: KconfigTree, name: str, wanted: str, values: Mapping[str, str]) -> str:
    """Why a symbol does not have the value that was wanted; empty if the reason is unknown."""
    symbol = tree.symbols.get(name)
    if symbol is None:
        return "no Kconfig file of this tree defines it"
    got = values.get(name, "n")
    reasons = []
    if wanted != "n":
        needed = _LEVEL.get(wanted, 1)
        reasons = [_with_values(d, values) for d in symbol.depends if evaluate(d, values) < needed]
    if not reasons:
        taken = [s for s in tree.siblings(name) if values.get(s) == "y"]
        selecting = [s for s in symbol.selected_by if values.get(s, "n") != "n"]
        if taken and wanted != "n":
            reasons.append(f"the choice is taken by {taken[0]}")
        elif selecting and _LEVEL.get(wanted, 3) < _LEVEL.get(got, 0):
            reasons.append("selected by " + ", ".join(sorted(selecting)[:5]))
        elif not symbol.prompt:
            by = f" (selected by {', '.join(symbol.selected_by[:5])})" if symbol.selected_by else ""
            reasons.append(f"it cannot be set by hand, it follows from others{by}")
        elif symbol.range:
            reasons.append(f"its range is {symbol.range}")
    return "; ".join(reasons)


def explain_below(tree: KconfigTree, name: str, values: Mapping[str, str]) -> str:
    """Why a symbol is off: what it depends on, and why that is off in turn, nearest first."""
    reasons: list[str] = []
    todo, seen = [name], {name}
    while todo and len(reasons) < _REASONS:
        symbol = todo.pop(0)
        why = explain(tree, symbol, "y", values)
        if why:
            reasons.append(why if symbol == name else f"{symbol}: {why}")
        for needed in _needed(tree.symbols.get(symbol), values):
            if needed not in seen:
                seen.add(needed)
                todo.append(needed)
    return "; ".join(reasons)


def _needed(symbol: Symbol | None, values: Mapping[str, str]) -> list[str]:
    """The symbols that are off in the dependencies that do not hold."""
    found: list[str] = []
    for expression in symbol.depends if symbol else ():
        if evaluate(expression, values):
            continue
        tokens = _TOKEN.findall(expression)
        found += [
            token
            for before, token in zip(["", *tokens], tokens)
            if before != "!" and _NAME.fullmatch(token) and values.get(token, "n") == "n"
        ]
    return found


def missing_below(tree: KconfigTree, name: str, values: Mapping[str, str]) -> dict[str, str]:
    """What a user could set so that a symbol can be on, besides itself; empty if not known."""
    found = Switches(tree, values).on(name) or {}
    below = {symbol: value for symbol, value in found.items() if symbol != name}
    # One that has to be selected by others is not the user's to set.
    return below if all(below.values()) else {}
