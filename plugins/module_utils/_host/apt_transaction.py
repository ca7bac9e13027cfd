# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Install or purge packages in one transaction that removes nothing else and is undone if it fails.

apt is asked first what it would do. What dpkg has unpacked and could not configure is purged again:
a package that stays half-configured makes every later `apt-get install` on the host fail.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Callable, NamedTuple

from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    apt_answers,
    bounded_read,
    plain_text,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.plain_text import FEW, few
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Runner, output_summary
from ansible_collections.oslab.kernel.plugins.module_utils._host import (
    apt_config,
    apt_lock,
    dkms,
)
from ansible_collections.oslab.kernel.plugins.module_utils._host.packages import (
    parse_packages,
    query_packages,
)

#: Of the simulation and of the act, so that both come to the same.
OPTIONS = (
    "--yes",
    "--no-install-recommends",
    "--allow-downgrades",
    "--option",
    "APT::Get::AutomaticRemove=false",
)
_CONFFILES = ("Dpkg::Options::=--force-confdef", "Dpkg::Options::=--force-confold")
#: apt's own, where its configuration names none.
_PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
_REASON = 300  # characters
_CAUSE = 260  # of them, where more is said
_LOG_BYTES = 4 << 20

# What had a version before has it in brackets.
_NEW = re.compile(r"^Inst (\S+) \(", re.MULTILINE)
_CHANGED = re.compile(r"^(?:Inst|Conf|Remv|Purg) (\S+)", re.MULTILINE)
_HOOK = re.compile(r"^run-parts: (\S+) exited with return code (\d+)$")
_SETTING_UP = re.compile(r"^(?:Setting up|Processing triggers for) ")
_DPKG_ERROR = re.compile(r"^dpkg: error ")
# dpkg itself cannot go on; the next line says why.
_DPKG_ENDS = re.compile(r"^dpkg: (?:unrecoverable fatal )?error[,:]")
_MAKE_LOG = re.compile(r"(/\S+/make\.log)\b")
#: dkms's last words, which repeat that there were others.
_NO_CAUSE = re.compile(
    r"^(Error! One or more modules failed|Refer to previous errors|Consult /|run-parts: |"
    r"dkms: autoinstall for kernel|Autoinstall on )"
)
#: Goes before dkms in the PATH of the hooks, all of which find it there (dkms 2.8 to 3.2).
TOLERANT_DKMS = """#!/bin/sh
{real} "$@" && exit
status=$?
case "$1" in
autoinstall | kernel_postinst)
	echo "dkms $1 ended with $status, which install_dkms lets pass." >&2
	exit 0
	;;
esac
exit $status
"""
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


class TransactionError(Exception):
    """A sentence with what to do."""


class RefusedError(TransactionError):
    """Nothing was changed."""


class Simulation(NamedTuple):
    """The plan of apt, or its reason to refuse."""

    changed: list[str]
    removed: list[str]
    problem: str
    new: Sequence[str] = ()


class Plan(NamedTuple):
    """What is to be handed to apt by package, what is left out, with the reason, and what comes
    along because it is needed."""

    targets: Mapping[str, str]
    left_out: Mapping[str, str]
    changed: bool
    brought: Sequence[str] = ()


class State(NamedTuple):
    """Of a package, as dpkg records it."""

    version: str
    error: str
    status: str

    @property
    def there(self) -> bool:
        return self.status not in ("not-installed", "config-files")

    @property
    def finished(self) -> bool:
        return self.error == "ok" and (self.status == "installed" or not self.there)


def reason(out: str, err: str) -> str:
    """Why apt refuses a transaction: what is unmet, and its errors."""
    unmet: list[str] = []
    inside = False
    for line in out.splitlines():
        if inside and line.startswith(" "):
            unmet.append(" ".join(line.split()))
        else:
            inside = "unmet dependencies" in line
    # apt 3 adds what its other solver thinks, in lines of its own.
    errors = [error for error in apt_answers.errors(err) if "--solver" not in error]
    message = "; ".join([*unmet, *errors]) or output_summary(out, err)
    return plain_text.cut(message, _REASON)


def simulate(run: Runner, action: str, targets: Iterable[str]) -> Simulation:
    code, out, err = run(["apt-get", "--simulate", *OPTIONS, action, *targets])
    problem = "" if code == 0 else reason(out, err).rstrip(".")
    removed = apt_answers.removed(out)
    return Simulation(_CHANGED.findall(out), removed, problem, _NEW.findall(out))


def _brought(simulation: Simulation, targets: Iterable[str]) -> list[str]:
    """Of this architecture: what ours need is never of a foreign one, which apt prints."""
    return sorted({name for name in simulation.new if ":" not in name} - set(targets))


def _why(simulation: Simulation) -> str:
    if simulation.problem:
        return f"apt cannot install it ({simulation.problem})"
    return f"apt would remove {few(simulation.removed)}"


def plan(run: Runner, targets: Mapping[str, str], optional: Sequence[str]) -> Plan:
    """Raises RefusedError where the transaction is not possible without removing anything.

    `targets`: package to NAME=VERSION or a path. What is `optional` is left out where the rest is
    possible without it.
    """
    whole = simulate(run, "install", targets.values())
    if not whole.problem and not whole.removed:
        return Plan(targets, {}, bool(whole.changed), _brought(whole, targets))
    rest = {name: target for name, target in targets.items() if name not in optional}
    if len(rest) < len(targets):
        without = simulate(run, "install", rest.values()) if rest else Simulation([], [], "")
        if not without.problem and not without.removed:
            left_out = {name: _why(whole) for name in targets if name not in rest}
            return Plan(rest, left_out, bool(without.changed), _brought(without, rest))
    command = f"apt-get --simulate install {' '.join(targets)}"
    if whole.problem:
        remedy = apt_answers.remedy(whole.problem) or (
            "See to these dependencies, pins or holds; `apt-cache policy PACKAGE` shows what holds"
        )
        raise RefusedError(
            f"apt cannot install {few(list(targets))}: {whole.problem}. Nothing was installed. "
            f"{remedy}"
        )
    raise RefusedError(
        f"apt would remove {few(whole.removed)} to install {few(list(targets))}. Nothing was "
        "installed: no package is removed for a kernel. Remove them yourself if they are not "
        f"needed, or take what they conflict with out of install_packages; see `{command}`"
    )


def plan_purge(run: Runner, names: Sequence[str]) -> list[str]:
    """Those of `names` that are there. Raises RefusedError if others would go with them."""
    known = states(run, names)
    there = [name for name in names if name in known]
    # apt plans nothing while there is one that was not unpacked whole; on such nobody depends.
    if not there or any(known[name].error != "ok" for name in there):
        return there
    simulation = simulate(run, "purge", there)
    if simulation.problem:
        raise RefusedError(
            f"apt cannot remove {few(there)}: {simulation.problem}. Nothing was removed"
        )
    others = [name for name in simulation.removed if name.partition(":")[0] not in there]
    if others:
        raise RefusedError(
            f"{few(others)} would be removed with {few(there)}. Nothing was removed, as only "
            "packages of this collection are. Remove what depends on them, or change its "
            f"dependency, with `apt-get purge {' '.join(others[:FEW])}`, and run this again"
        )
    return there


def states(run: Runner, names: Sequence[str] = ()) -> dict[str, State]:
    """Of those that dpkg knows a version of; of all without `names`."""
    found: dict[str, State] = {}
    for package in parse_packages(run(query_packages(names)).out):
        state = State(package.version, package.error, package.status)
        # The same package of several architectures counts as unfinished if one is.
        if package.name not in found or not state.finished:
            found[package.name] = state
    return found


def _tail(path: str) -> str:
    """The first line of dkms' log that names an error."""
    try:
        text = bounded_read.content(Path(path), _LOG_BYTES).decode(errors="replace")
    except OSError:
        return ""
    errors = (line.strip() for line in text.splitlines() if re.search(r"\berror\b", line, re.I))
    return next(errors, "")[:120]


def cause(out: str) -> str:
    """The first thing that went wrong in the output of apt or dpkg, in one sentence."""
    lines = [_COLOUR.sub("", line).strip() for line in out.splitlines()]
    lines = [line for line in lines if line]
    ends = [at for at, line in enumerate(lines) if _HOOK.match(line)]
    ends = ends or [at for at, line in enumerate(lines) if _DPKG_ERROR.match(line)]
    fatal = [at for at, line in enumerate(lines) if _DPKG_ENDS.match(line)]
    if fatal and not ends:
        return plain_text.cut(" ".join(lines[fatal[0] : fatal[0] + 2]), _CAUSE)
    if not ends:
        return reason(out, "\n".join(line for line in lines if line.startswith("E: ")))
    end = ends[0]
    begin = max((at for at in range(end) if _SETTING_UP.match(lines[at])), default=-1) + 1
    shown = [line for line in lines[begin:end] if not _NO_CAUSE.match(line)]
    wrong = [at for at, line in enumerate(shown) if line.startswith("Error!")]
    shown = shown[wrong[0] : wrong[0] + 2] if wrong else shown[-3:]
    logs = list(dict.fromkeys(_MAKE_LOG.findall("\n".join(lines[begin:end]))))
    shown += [line for line in map(_tail, logs[:1]) if line]
    hook = _HOOK.match(lines[end])
    who = f"{hook[1]} ended with {hook[2]}" if hook else lines[end].rstrip(":")
    text = f"{who}: {' / '.join(shown)}" if shown else who
    text = plain_text.cut(text.rstrip("."), _CAUSE)
    return f"{text} (see {', '.join(logs[:3])})" if logs else text


def _unfinished(run: Runner) -> set[str]:
    return {name for name, state in states(run).items() if not state.finished}


def _dpkg(
    run: Runner, names: Sequence[str], seconds: float, sleep: Callable[[float], None]
) -> tuple[int, str]:
    """Purge packages. dpkg refuses it if others depend on them; it does not wait for its lock."""
    argv = ["dpkg", "--force-remove-reinstreq", "--purge", *names]
    merged = ["sh", "-c", 'exec "$@" 2>&1', "sh", *argv]
    code, out, _err = apt_lock.run_when_free(run, merged, seconds, sleep)
    return code, out


class Transaction:
    """apt and dpkg on a host; tests put a directory and functions of their own."""

    def __init__(
        self,
        run: Runner,
        lock_seconds: int,
        root: Path = Path("/"),
        sleep: Callable[[float], None] = time.sleep,
    ):
        self.run, self.lock_seconds, self.root, self.sleep = run, lock_seconds, root, sleep

    def _apt_install(self, targets: Iterable[str], *options: str) -> tuple[int, str]:
        named = [f"DPkg::Lock::Timeout={self.lock_seconds}", *_CONFFILES, *options]
        argv = ["apt-get", "--quiet", *OPTIONS]
        for option in named:
            argv += ["--option", option]
        # Both streams in the order in which they were written: hooks use both.
        merged = ["sh", "-c", 'exec "$@" 2>&1', "sh", *argv, "install", *targets]
        code, out, _err = self.run(merged)
        return code, out

    def _path_option(self, directory: str) -> str:
        return f"DPkg::Path={directory}:{apt_config.value(self.run, 'DPkg::Path') or _PATH}"

    def _sweep(self, names: Iterable[str]) -> None:
        """Remove what depmod has made for kernels that were purged; nothing else is nobody's."""
        for name in names:
            if not name.startswith("linux-image-"):
                continue
            directory = self.root / "lib/modules" / name[len("linux-image-") :]
            paths = [f"/{top}/{directory.name}" for top in ("lib/modules", "usr/lib/modules")]
            if self.run(["dpkg-query", "--search", *paths])[1].strip():
                continue  # another package has files there
            for index in directory.glob("modules.*"):
                if index.is_file():
                    index.unlink()
            for empty in ("updates/dkms", "updates", ""):
                with suppress(OSError):  # not there, or not empty
                    (directory / empty).rmdir()

    def install(
        self, targets: Mapping[str, str], versions: Mapping[str, str], programs: str = ""
    ) -> None:
        """Raises InstallError. `programs`: a directory that goes before the hooks' PATH."""
        before, unfinished = states(self.run, list(targets)), _unfinished(self.run)
        registered = dkms.registered(self.root)
        options = ["APT::Get::Remove=false"]  # as --no-remove
        if programs:
            options.append(self._path_option(programs))
        code, out = self._apt_install(targets.values(), *options)
        if code == 0:
            return
        problem = cause(out)
        after = states(self.run, list(targets))
        new = [
            name
            for name, version in versions.items()
            if name in targets
            and not (name in before and before[name].there)
            and name in after
            and after[name].there
            and after[name].version == version
        ]
        if new:
            _dpkg(self.run, new, self.lock_seconds, self.sleep)
        after = states(self.run, list(targets))
        gone = [name for name in new if name not in after or not after[name].there]
        self._sweep(gone)
        self.register_again(registered)
        left = sorted(_unfinished(self.run) - unfinished)
        raise InstallError(problem, gone, left, before)

    def purge(self, names: Sequence[str]) -> None:
        registered = dkms.registered(self.root)
        code, out = _dpkg(self.run, names, self.lock_seconds, self.sleep)
        self._sweep(names if code == 0 else [])
        self.register_again(registered)
        if code != 0:
            raise TransactionError(
                f"dpkg could not purge {few(names)}: {cause(out)}. `dpkg --audit` shows what is "
                f"unfinished; correct that, then run `dpkg --purge {' '.join(names)}`"
            )

    def register_again(self, before: Iterable[str]) -> None:
        """dkms 3.0 and earlier forget a module with the last kernel that it is built for."""
        for module in sorted(set(before) - set(dkms.registered(self.root))):
            name, _, version = module.partition("/")
            self.run(["dkms", "add", "-m", name, "-v", version])


class InstallError(Exception):
    """An installation that was undone, as far as that was possible."""

    def __init__(
        self, problem: str, undone: list[str], unfinished: list[str], before: Mapping[str, State]
    ):
        self.undone, self.unfinished = undone, unfinished
        parts = [f"The installation failed: {problem}."]
        if undone:
            parts.append(f"Purged again: {few(undone)}.")
        upgraded = [name for name in unfinished if name in before and before[name].there]
        if upgraded:
            back = " ".join(f"{name}={before[name].version}" for name in upgraded)
            parts.append(
                f"Half-configured: {few(upgraded)}, which the host had before. Correct the fault, "
                f"then run `dpkg --configure -a`, or `apt-get install --allow-downgrades {back}`."
            )
        others = [name for name in unfinished if name not in upgraded]
        if others:
            parts.append(
                f"Half-configured: {few(others)}. Correct the fault, then run `dpkg --configure "
                f"-a`, or `dpkg --purge {' '.join(others)}`."
            )
        if not unfinished:
            parts.append("dpkg has nothing unfinished. Correct the fault and run this again.")
        super().__init__(" ".join(parts))
