# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a kernel configuration: a base, only the modules that are wanted, options, checked.

All work happens in a scratch directory, the tree's .config is not touched. Kconfig itself (the
tree's `make olddefconfig`) says what the result is; here is only checked that it kept its word.
"""

from __future__ import annotations

import contextlib
import difflib
import hashlib
import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    bounded_read,
    kernel_config,
    kernel_makefile,
    plain_text,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.name_forms import MODULE
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import FullRunner
from ansible_collections.oslab.kernel.plugins.module_utils._kconfig import base as kconfig_base
from ansible_collections.oslab.kernel.plugins.module_utils._kconfig.tree import (
    KconfigTree,
    Switches,
    Symbol,
    explain,
    explain_below,
    missing_below,
    srcarch,
)
from ansible_collections.oslab.kernel.plugins.module_utils._patch import inputs
from ansible_collections.oslab.kernel.plugins.module_utils._patch.edits import KCONFIG_MENU

#: The variables that options come from, for messages.
OPTIONS, EXTRA = "config_options", "config_options_extra"
DEFAULTS, REQUIRED = "config_default_options", "config_required"
FRAGMENTS = "config_fragments"


class KconfigError(Exception):
    """The input is wrong or Kconfig did not accept it; the text says what to do."""


_OVERRULE = f"{DEFAULTS} or {FRAGMENTS} leaves it out, and {OPTIONS} can set it"
_PAHOLE_NEEDED = (1, 16)
_PAHOLE_ADVICE = "install a newer pahole (package dwarves or pahole), or set DEBUG_INFO_BTF to n"
# Perl's random hash order would let streamline_config.pl choose differently each time.
_ENVIRONMENT = {"LC_ALL": "C", "PERL_HASH_SEED": "0", "PERL_PERTURB_KEYS": "0"}


# --- the text of a .config -------------------------------------------------------------------


def set_values(text: str, values: Mapping[str, str]) -> str:
    """The configuration with these values in place of its own, in their order at the end."""
    kept_lines = []
    for line in text.splitlines():
        if not kernel_config.parse(line).keys() & values.keys():
            kept_lines.append(line)
    kept_lines.extend(kernel_config.line(name, value) for name, value in values.items())
    return "".join(f"{line}\n" for line in kept_lines)


def differences(before: str, after: str) -> dict[str, tuple[str | None, str | None]]:
    """Symbols whose value differs; absent and `not set` are the same thing."""
    old, new = kernel_config.parse(before), kernel_config.parse(after)
    return {
        name: (old.get(name), new.get(name))
        for name in sorted({*old, *new})
        if old.get(name, "n") != new.get(name, "n")
    }


def diff_texts(before: str, after: str) -> tuple[str, str]:
    """Only the lines that differ, of both configurations."""
    changed = differences(before, after)
    return (
        "".join(
            kernel_config.line(name, old or "n") + "\n" for name, (old, _new) in changed.items()
        ),
        "".join(
            kernel_config.line(name, new or "n") + "\n" for name, (_old, new) in changed.items()
        ),
    )


# --- values as a user writes them ------------------------------------------------------------


def to_value(symbol: Symbol, value: Any) -> str:
    """The value as a .config has it, by the symbol's type."""
    kind = symbol.type
    if isinstance(value, bool):
        if kind == "string" and not value:
            return '""'  # "disabled", as scripts/config means it
        if kind in ("string", "int", "hex"):
            raise KconfigError(f"{symbol.name} is of type {kind}: {value} is no value for it")
        return "y" if value else "n"
    text = str(value)
    if value is None or any(character in text for character in "\n\r\0"):
        raise KconfigError(f"{symbol.name}: {value!r} is no value")
    if kind == "string":
        try:
            kconfig_base.require_safe(symbol.name, text)
        except ValueError as error:
            raise KconfigError(str(error)) from None
        return f'"{text}"'
    if kind in ("int", "hex"):
        return _number(symbol, value)
    allowed = ("y", "n") if kind == "bool" else ("y", "m", "n")
    if text.lower() not in allowed:
        raise KconfigError(
            f"{symbol.name} is of type {kind}: {text!r} is none of {', '.join(allowed)}"
        )
    return text.lower()


def _number(symbol: Symbol, value: Any) -> str:
    try:
        if symbol.type == "hex":
            return hex(value if isinstance(value, int) else int(value, 16))
        return str(int(value))
    except (TypeError, ValueError):
        raise KconfigError(
            f"{symbol.name} is of type {symbol.type}: {value!r} is no number"
        ) from None


def same(symbol: Symbol, wanted: str, got: str | None) -> bool:
    """Whether a configuration that says `got` gives what was wanted; an absent string is empty."""
    if got is None:
        return wanted in ("n", '""')
    if symbol.type in ("int", "hex"):
        try:
            return int(wanted, 0) == int(got, 0)
        except ValueError:
            return False
    return wanted == got


def _unknown(tree: KconfigTree, names: Iterable[str], what: str) -> list[str]:
    messages = []
    for name in names:
        close = difflib.get_close_matches(name, tree.symbols, n=3, cutoff=0.7)
        hint = f" (did you mean {', '.join(close)}?)" if close else ""
        messages.append(f"{what} {name}: no Kconfig file of this tree defines it{hint}")
    return messages


@dataclass
class Wanted:
    """Values by symbol, in the form of a .config."""

    optional: dict[str, str] = field(default_factory=dict)
    options: dict[str, str] = field(default_factory=dict)
    required: dict[str, str] = field(default_factory=dict)
    syscalls: dict[str, str] = field(default_factory=dict)  # symbol -> name of the syscall
    extra: set[str] = field(default_factory=set)  # of the options those of config_options_extra

    def variable(self, name: str) -> str:
        """In which the user has set the option."""
        return EXTRA if name in self.extra else OPTIONS

    @property
    def switches(self) -> dict[str, str]:
        """What switches the syscalls on."""
        return dict.fromkeys([KCONFIG_MENU, *self.syscalls] if self.syscalls else [], "y")


def check_wanted(
    tree: KconfigTree,
    options: Mapping[str, Any],
    optional: Mapping[str, Any],
    required: Mapping[str, Any],
    syscalls: Mapping[str, str] | None = None,
    extra: Mapping[str, Any] | None = None,
) -> Wanted:
    """Refuse what the tree does not know or cannot take, all of it in one message.

    `extra`: more options, which win over the others.
    `syscalls`: symbol to name of each syscall that the kernel has to have.
    """
    wanted, wrong = Wanted(syscalls=dict(syscalls or {})), []
    for symbol, name in wanted.syscalls.items():
        if symbol not in tree.symbols:
            wrong.append(
                f"syscall {name}: no Kconfig file of this tree defines {symbol}; run the role "
                "patch again"
            )
    for source, target, what in (
        (optional, wanted.optional, DEFAULTS),
        (options, wanted.options, OPTIONS),
        (extra or {}, wanted.options, EXTRA),
        (required, wanted.required, REQUIRED),
    ):
        names = {inputs.plain_symbols(name): value for name, value in source.items()}
        if what == EXTRA:
            wanted.extra = set(names)
        if what != DEFAULTS:
            wrong += _unknown(tree, (name for name in names if name not in tree.symbols), what)
        for name, value in names.items():
            if name in tree.symbols:
                try:
                    target[name] = to_value(tree.symbols[name], value)
                except KconfigError as error:
                    where = f"{DEFAULTS} or {FRAGMENTS}:" if what == DEFAULTS else what
                    wrong.append(f"{where} {error}")
    if wrong:
        raise KconfigError("\n".join(wrong))
    return wanted


def check_modules(names: Iterable[str]) -> None:
    """Refuse what cannot be a module's name: each is a line of a file that localmodconfig reads."""
    wrong = [repr(name[:40]) for name in names if not MODULE.fullmatch(name)]
    if wrong:
        raise KconfigError(
            f"{plain_text.few(wrong, 5)}: no name of a module, which has letters, digits, _ and -"
        )


# --- modules and the symbols that build them -------------------------------------------------


def module_symbols(tree: Path) -> dict[str, list[str]]:
    """Module (`-` written as `_`) -> the symbols that build it, from the tree's Makefiles."""
    found: dict[str, list[str]] = {}
    for directory, subdirectories, files in os.walk(tree):
        # Neither has modules of the running kernel; tools alone has some 2000 directories.
        if Path(directory) == tree:
            subdirectories[:] = [d for d in subdirectories if d not in ("tools", "Documentation")]
        for name in ("Makefile", "Kbuild"):
            text = ""
            if name in files:
                with contextlib.suppress(OSError):  # a link to nothing, or no Makefile by its size
                    text = bounded_read.text(Path(directory) / name)
                if "obj-$" in text:
                    _add_symbols(text, found)
    return found


def _add_symbols(makefile: str, found: dict[str, list[str]]) -> None:
    prefix = "CONFIG_"
    for name, symbol, words in kernel_makefile.object_lists(makefile):
        # Of some directories the list is made of others: my-obj-$(CONFIG_X) += …
        if not (name == "obj" or name.endswith("-obj")) or not symbol.startswith(prefix):
            continue
        for word in words:
            if word.endswith(".o"):
                symbols = found.setdefault(word[: -len(".o")].replace("-", "_"), [])
                if symbol[len(prefix) :] not in symbols:
                    symbols.append(symbol[len(prefix) :])


# --- the work --------------------------------------------------------------------------------


@dataclass
class Request:
    """What to make a configuration from. An empty `lsmod` leaves all modules of the base."""

    tree: Path
    base: str
    lsmod: list[str] = field(default_factory=list)
    keep: list[str] = field(default_factory=list)
    make_args: list[str] = field(default_factory=list)


@dataclass
class Outcome:
    """The configuration, and what could not be had."""

    text: str
    not_taken: list[str] = field(default_factory=list)
    modules_unknown: list[str] = field(default_factory=list)
    modules_disabled: list[str] = field(default_factory=list)
    failed: list[str] = field(default_factory=list)


def make_variable(make_args: Sequence[str], name: str) -> str | None:
    values = [arg.partition("=")[2] for arg in make_args if arg.startswith(f"{name}=")]
    return values[-1] if values else None


def architecture(make_args: Sequence[str], machine: str) -> str:
    return srcarch(make_variable(make_args, "ARCH") or machine)


class Configurator:
    """Runs the tree's Kconfig in a scratch directory."""

    def __init__(
        self, request: Request, kconfig: KconfigTree, run: FullRunner, scratch: Path, arch: str
    ) -> None:
        self.request, self.kconfig, self.run, self.arch = request, kconfig, run, arch
        self.config = scratch / ".config"

    def make(self, *arguments: str) -> str:
        argv = ["make", "-C", str(self.request.tree), *self.request.make_args, *arguments]
        result = self.run(argv, self.config.parent, _ENVIRONMENT)
        if result.status != 0:
            tail = "\n".join((result.out + result.err).splitlines()[-20:])
            raise KconfigError(f"`{' '.join(argv)}` failed:\n{tail}")
        return result.out

    def olddefconfig(self, text: str) -> str:
        self.config.write_text(text, encoding="utf-8")
        self.make(f"KCONFIG_CONFIG={self.config}", "olddefconfig")
        return self.config.read_text(encoding="utf-8")

    def apply(self, text: str, wanted: Wanted) -> str:
        """The options over the text; of a choice only the wanted member is left on."""
        values: dict[str, str] = {}
        for group in (wanted.optional, wanted.switches, wanted.options):
            for name, value in group.items():
                if value == "y":
                    values.update(dict.fromkeys(self.kconfig.siblings(name), "n"))
                values.pop(name, None)
                values[name] = value
        return set_values(text, values)

    def streamline(self, text: str) -> str:
        """The configuration without the modules that are not listed.

        `make localmodconfig` works on the tree's own .config and may ask questions, so its script
        is called as that does.
        """
        self.config.write_text(text, encoding="utf-8")
        lsmod = self.config.parent / "lsmod"
        names = sorted({*self.request.lsmod, *self.request.keep})
        lsmod.write_text(
            "Module Size Used by\n" + "".join(f"{name} 1 0\n" for name in names), encoding="utf-8"
        )
        tree = str(self.request.tree)
        script = f"{tree}/scripts/kconfig/streamline_config.pl"
        environment = {
            **_ENVIRONMENT,
            "LSMOD": str(lsmod),
            "SRCARCH": self.arch,
            "HEADER_ARCH": self.arch,
            "srctree": tree,
            "objtree": tree,
        }
        argv = ["perl", script, "--localmodconfig", tree, "Kconfig"]
        result = self.run(argv, self.config.parent, environment)
        if result.status != 0 or not result.out:
            # What it prints is the configuration; without one, whatever it said.
            raise KconfigError(f"{script} failed:\n{result.err[-2000:] or result.out[-2000:]}")
        return result.out

    def choose_modules(self, full: str, wanted: Wanted, outcome: Outcome) -> str:
        """Leave only the listed modules, then give back those that got lost on the way."""
        builders = module_symbols(self.request.tree)
        before = kernel_config.parse(full)
        reduced = full
        if self.request.lsmod:
            reduced = self.olddefconfig(self.apply(self.streamline(full), wanted))
        listed = {name.replace("-", "_") for name in self.request.lsmod}
        kept = {name.replace("-", "_") for name in self.request.keep}

        def is_lost(module: str, values: Mapping[str, str]) -> bool:
            return all(values.get(symbol, "n") == "n" for symbol in builders[module])

        outcome.modules_unknown = sorted(m for m in listed | kept if m not in builders)
        now = kernel_config.parse(reduced)
        lost = [m for m in sorted((listed | kept) & set(builders)) if is_lost(m, now)]
        again = {}
        switches = Switches(self.kconfig, now)
        for module in lost:
            symbols = builders[module]
            again.update({s: before[s] for s in symbols if before.get(s, "n") != "n"})
            if module in kept and all(before.get(s, "n") == "n" for s in symbols):
                again.update(self._switch_on(symbols, switches))
        set_already = {*wanted.options, *wanted.optional, *wanted.switches}
        again = {s: v for s, v in again.items() if s not in set_already}
        if again:
            reduced = self.olddefconfig(self.apply(set_values(reduced, again), wanted))
            now = kernel_config.parse(reduced)
        for module in lost:
            if not is_lost(module, now):
                continue
            outcome.modules_disabled.append(module)
            had = [s for s in builders[module] if before.get(s, "n") != "n"]
            if module in kept and had and had[0] not in wanted.options:
                why = explain(self.kconfig, had[0], before[had[0]], now)
                outcome.failed.append(
                    f"module {module}, which must be kept: {had[0]} was {before[had[0]]}, "
                    f"is {now.get(had[0], 'n')}" + (f": {why}" if why else "")
                )
        left = [m for m in outcome.modules_disabled if m in kept and m in builders]
        outcome.failed.extend(self._left_out(left, builders, wanted, now))
        return reduced

    def _left_out(
        self,
        modules: Sequence[str],
        builders: Mapping[str, Sequence[str]],
        wanted: Wanted,
        now: Mapping[str, str],
    ) -> Iterator[str]:
        """Of modules that must be kept, those that only the optional settings switch off."""
        if not modules or not wanted.optional:
            return
        without = kernel_config.parse(
            self.olddefconfig(self.apply(self.request.base, replace(wanted, optional={})))
        )
        for module in modules:
            for symbol in builders[module]:
                value = without.get(symbol, "n")
                if symbol in wanted.options or (
                    value == "n" and wanted.optional.get(symbol) != "n"
                ):
                    continue
                why = explain(self.kconfig, symbol, "m" if value == "n" else value, now)
                yield (
                    f"module {module}, which must be kept: {symbol} is n"
                    + (f": {why}" if why else "")
                    + f"; {_OVERRULE}"
                )
                break

    def _switch_on(self, symbols: Iterable[str], switches: Switches) -> dict[str, str]:
        """What switches on the first symbol that can be, as a module if that can be.

        What it depends on comes with it: the base may be that of a host without such a device.
        """
        for name in symbols:
            found = {s: value for s, value in (switches.followed(name) or {}).items() if value}
            if found:
                return found
        for name in symbols:
            symbol = self.kconfig.symbols.get(name)
            if symbol and symbol.prompt:  # what Kconfig says to it shows in the end
                return {name: "m" if symbol.type == "tristate" else "y"}
        return {}

    def configure(self, wanted: Wanted) -> Outcome:
        outcome = Outcome("")
        outcome.text = self.olddefconfig(self.apply(self.request.base, wanted))
        if self.request.lsmod or self.request.keep:
            outcome.text = self.choose_modules(outcome.text, wanted, outcome)
        self._check(wanted, outcome)
        return outcome

    def _check(self, wanted: Wanted, outcome: Outcome) -> None:
        outcome.failed.extend(kconfig_base.unsafe(outcome.text))
        values = kernel_config.parse(outcome.text)
        for group, what, messages in (
            (wanted.optional, "", outcome.not_taken),
            (wanted.options, f"{OPTIONS} ", outcome.failed),
            (wanted.required, f"{REQUIRED} ", outcome.failed),
        ):
            for name, value in group.items():
                if group is wanted.optional and name in wanted.options:
                    continue  # the user's own word comes first
                got = values.get(name)
                if not same(self.kconfig.symbols[name], value, got):
                    why = explain(self.kconfig, name, value, values)
                    if group is wanted.required and wanted.options.get(name, value) != value:
                        why = f"{wanted.variable(name)} sets it to {wanted.options[name]}"
                    elif "PAHOLE_VERSION" in why:
                        why += f"; {_PAHOLE_ADVICE}"
                    reason = f": {why}" if why else ""
                    prefix = (
                        f"{EXTRA} " if group is wanted.options and name in wanted.extra else what
                    )
                    messages.append(f"{prefix}{name}: wanted {value}, got {got or 'n'}{reason}")
        outcome.failed.extend(
            self._missing_syscall(symbol, wanted, values)
            for symbol in wanted.syscalls
            if values.get(symbol) != "y"
        )

    def _missing_syscall(self, symbol: str, wanted: Wanted, values: Mapping[str, str]) -> str:
        """A syscall that is listed and would not be in the kernel."""
        what = f"syscall {wanted.syscalls[symbol]} would not be in the kernel: {symbol}"
        leave = "take it out of patch_syscalls or patch_syscalls_extra"
        if wanted.options.get(symbol, "y") != "y":
            value = wanted.options[symbol]
            variable = wanted.variable(symbol)
            return f"{what} is set to {value} by {variable}. Take that out, or {leave}."
        why = explain_below(self.kconfig, symbol, values)
        reason = f", because it {why}" if why.startswith("depends") else f": {why}" if why else ""
        below = ", ".join(
            f"{name}: {value}"
            for name, value in missing_below(self.kconfig, symbol, values).items()
        )
        remedy = f"Set {EXTRA}: {{{below}}}" if below else f"Have that hold by {EXTRA}"
        return f"{what} is {values.get(symbol, 'n')}{reason}. {remedy}, or {leave}."


def set_aside(
    tree: KconfigTree, refused: Mapping[str, str], values: Mapping[str, str]
) -> list[str]:
    """Of the refused symbols those that can be set and have another value now."""
    return sorted(
        name
        for name, value in refused.items()
        if name in tree.symbols
        and tree.symbols[name].prompt
        and values.get(name, "n") != value
        and not (value == '""' and name not in values)
    )


def check_pahole(values: Mapping[str, str], run: FullRunner, scratch: Path) -> str | None:
    """What is wrong with pahole for this configuration, which would show at the very end."""
    if values.get("DEBUG_INFO_BTF") != "y":
        return None
    result = run(["pahole", "--version"], scratch, {"LC_ALL": "C"})
    match = re.search(r"v?(\d+)\.(\d+)", result.out)
    if result.status != 0 or not match:
        return f"DEBUG_INFO_BTF=y needs pahole, which is not there: {_PAHOLE_ADVICE}"
    if (int(match[1]), int(match[2])) < _PAHOLE_NEEDED:
        return f"DEBUG_INFO_BTF=y, but pahole is {match[1]}.{match[2]}: {_PAHOLE_ADVICE}"
    return None


def sha256(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
