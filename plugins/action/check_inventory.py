# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Check the groups and the variables of all hosts before anything is changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Callable, Optional

from ansible import constants
from ansible.errors import AnsibleError
from ansible.release import __version__ as ansible_version
from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text
from ansible_collections.oslab.kernel.plugins.module_utils._patch import inputs
from ansible_collections.oslab.kernel.plugins.plugin_utils import (
    build_inputs,
    collection_version,
    control_files,
    control_keys,
    group_problems,
    kernel_choice,
    kernel_problems,
    known_variables,
    problem_report,
    renamed_variables,
    variable_forms,
    variable_origin,
    variable_problems,
)
from ansible_collections.oslab.kernel.plugins.plugin_utils.action import ControlAction
from ansible_collections.oslab.kernel.plugins.plugin_utils.problem_report import Problems
from ansible_collections.oslab.kernel.plugins.plugin_utils.run_memory import once

MODULE = "oslab.kernel.check_inventory"
EXTRA = "patch_syscalls_extra"
SYSCALLS = ("patch_syscalls", EXTRA)
ROOT = Path(__file__).resolve().parents[2]
# Roles that run in one of the groups alone; the playbooks' own variables are about targets.
FOR_BUILDERS = ("source", "version", "patch", "config", "build", "dependencies")
FOR_TARGETS = ("install", "trial", "remove", "modules", "verify", "pull", "deploy", "preflight")
# Read by the playbooks, for which no role has to be checked.
ALWAYS = ("preflight",)
# Of these, templates are evaluated before a host is asked.
NOW = ("deploy_", "preflight_", kernel_choice.CHOICE)
TEXTS: dict[str, Callable[[Any], list[str]]] = {
    "source_version": inputs.check_source_version,
    "patch_sysname": inputs.check_sysname,
    "patch_banner": inputs.check_banner,
    "patch_syscalls": inputs.check_syscalls,
    "patch_series": inputs.check_patches,
}


class Host:
    """The variables of one host, as roles will see them."""

    def __init__(
        self, name: str, raw: Mapping[str, Any], everything: dict[str, Any], templar: Any
    ) -> None:
        self.name = name
        #: Those that somebody has set.
        self.raw = raw
        #: These, and what else their templates may name.
        self.everything = everything
        self._templar = templar.copy_with_new_env(available_variables=everything)

    def value(self, raw: Any) -> Any:
        return self._templar.template(raw)


class ActionModule(ControlAction):
    """Runs on the control node, once for all hosts."""

    spec: Mapping[str, Any] = {
        "groups": {"type": "dict", "default": {}},
        "roles": {"type": "list", "elements": "str", "default": []},
        # The role's own variable is checked and named for any other value.
        "unknown": {"type": "str", "default": "refuse"},
        "others": {"type": "list", "elements": "str", "default": []},
    }

    def act(self, arguments: dict[str, Any], variables: dict[str, Any]) -> dict[str, Any]:
        problem = collection_version.ansible_problem(ansible_version)
        if problem:
            return {"failed": True, "msg": problem}
        groups = variables.get("groups") or {}
        reached = [str(name) for name in variables.get("ansible_play_hosts_all") or ()]
        names = self._checked_hosts(groups, reached)

        def ask() -> dict[str, Any]:
            return self._variables(names, variables, arguments)

        question = [MODULE, *sorted(arguments["roles"]), "|", *arguments["others"], "|", *names]
        answer = once(Path(constants.DEFAULT_LOCAL_TMP), question, ask)[1]
        problems = list(
            group_problems.problems(
                arguments["groups"],
                groups,
                reached,
                str(variables.get("ansible_limit") or ""),
                [str(tag) for tag in variables.get("ansible_run_tags") or () if tag != "all"],
                [str(tag) for tag in variables.get("ansible_skip_tags") or ()],
                answer["taken"],
            )
        )
        notes: list[str] = []
        if problems and group_problems.example_needed(arguments["groups"], groups):
            notes += ["Such an inventory is enough:", *group_problems.EXAMPLE.splitlines()]
        result: dict[str, Any] = {"changed": False}
        problems += answer["problems"]
        # Who does not build is not refused for what builders would do to each other.
        wanted = arguments["groups"].get(kernel_choice.BUILDERS)
        if wanted is not None and (not wanted or "config" in wanted):
            problems += answer["builders"]
        unknown = answer["unknown"]
        if unknown and arguments["unknown"] not in ("warn", "ignore"):
            problems += unknown
            notes += OWN_NAMES
        elif unknown and arguments["unknown"] == "warn":
            result["warnings"] = unknown[: problem_report.SHOWN]
        result["problems"] = len(problems)
        if problems:
            result["failed"] = True
            result["msg"] = problem_report.message(problems, notes)
        return result

    @staticmethod
    def _checked_hosts(groups: Mapping[str, Sequence[str]], reached: Sequence[str]) -> list[str]:
        ours = {name for group in group_problems.FOR for name in groups.get(group) or ()}
        return [name for name in reached if name in ours] or list(reached)

    def _variables(
        self, names: Sequence[str], given: dict[str, Any], arguments: Mapping[str, Any]
    ) -> dict[str, Any]:
        """All that is wrong with variables: the sentences, and those for unknown names.

        Of several builders also `taken`, target → builder whose kernel it takes, and `builders`,
        the sentences for those that cannot build together.
        """
        known = known_variables.collect(ROOT)
        roles = (*arguments["roles"], *ALWAYS)
        options = {
            name: option
            for name, option in known.options.items()
            # A required variable is what one role hands to the next: the playbooks set it.
            if known.roles[name] in roles and not option.get("required")
        }
        builders = set((given.get("groups") or {}).get(group_problems.BUILDERS) or ())
        targets = set((given.get("groups") or {}).get(group_problems.TARGETS) or ())
        used_by = {**dict.fromkeys(FOR_BUILDERS, builders), **dict.fromkeys(FOR_TARGETS, targets)}
        problems, unknown = Problems(), Problems()
        # Of most variables thousands of hosts have the same name and value.
        likes: dict[str, Optional[str]] = {}
        memory: dict[tuple[str, ...], list[str]] = {}
        # Host → whose kernel it would take as a target; empty for the first builder's.
        chosen: dict[str, str] = {}
        first = self._first_target(given)
        extra = _kept(given.get("hostvars"), "_extra_vars")
        for host in self._hosts(names, given):
            registered = _registered(given.get("hostvars"), host.name)
            for name, raw in host.raw.items():
                if name in options:
                    # Of a template that another group uses nobody asks here; it may be slow, too.
                    users = used_by.get(known.roles[name])
                    if users and host.name not in users and self._templar.is_template(raw):
                        continue
                    for sentence in self._wrong(name, options[name], raw, host, memory):
                        problems.add(sentence, host.name)
                    continue
                # Always refused: with unknown names ignored, the default would silently be used.
                if name in renamed_variables.RENAMED and name not in registered:
                    if name not in arguments["others"]:
                        origin = _origin(name, raw, extra)
                        problems.add(renamed_variables.problem(name, origin), host.name)
                    continue
                if name not in likes:
                    likes[name] = known_variables.meant(name, known)
                like = likes[name]
                if like is None or name in registered:
                    continue
                if not known_variables.allowed(name, arguments["others"]):
                    unknown.add(_unknown(name, like, _origin(name, raw, extra)), host.name)
            chosen[host.name] = self._choice(host)
            counts = first if host.name in targets else None
            for sentence in self._together(host, counts, host.name in builders, roles):
                problems.add(sentence, host.name)
        if "patch" in roles:
            self._calls(sorted(targets.intersection(names)), given, problems)
        taken = self._kernels(chosen, given, roles, problems)
        return {
            "taken": taken,
            "builders": self._builders(names, taken, given, roles),
            "problems": problems.sentences(names),
            "unknown": unknown.sentences(names),
        }

    @staticmethod
    def _kernels(
        chosen: Mapping[str, str], given: dict[str, Any], roles: Sequence[str], problems: Problems
    ) -> dict[str, str]:
        """Of several builders: target → builder whose kernel it takes. Adds what is wrong."""
        builders = kernel_choice.builders(given.get("groups") or {})
        for sentence in kernel_problems.names(builders):
            problems.add(sentence)
        # A host that pulls chooses among what is published.
        if not builders or "pull" in roles:
            return {}
        targets = given["groups"].get(group_problems.TARGETS) or ()
        taken = {name: chosen[name] or builders[0] for name in targets if name in chosen}
        for sentence, name in kernel_problems.choices(taken, builders):
            problems.add(sentence, name)
        return taken if len(builders) > 1 else {}

    def _builders(
        self,
        names: Sequence[str],
        taken: Mapping[str, str],
        given: dict[str, Any],
        roles: Sequence[str],
    ) -> list[str]:
        """What several builders would do to each other.

        :param taken: reached target → builder whose kernel it takes.
        """
        builders = kernel_choice.builders(given.get("groups") or {})
        if len(builders) < 2 or "pull" in roles or "config" not in roles:
            return []
        targets = given["groups"].get(group_problems.TARGETS) or ()
        others = [name for name in targets if name not in taken]
        everybody = {self._choice(host) or builders[0] for host in self._hosts(others, given)}
        facts = [self._builder(host) for host in self._hosts(builders, given)]
        return list(kernel_problems.together(facts, names, everybody.union(taken.values())))

    def _calls(self, targets: Sequence[str], given: dict[str, Any], problems: Problems) -> None:
        """Calls of syscalls that the kernel of a target will not have."""
        builders = kernel_choice.builders(given.get("groups") or {})
        added: dict[str, Optional[set[str]]] = {}
        for host in self._hosts(targets, given):
            builder = self._choice(host) or next(iter(builders), "")
            if "verify_calls" not in host.raw or builder not in builders:
                continue
            if builder not in added:
                added[builder] = next(map(self._syscalls, self._hosts([builder], given)))
            names = added[builder]
            try:
                wanted = [str(entry["name"]) for entry in host.value(host.raw["verify_calls"])]
            except Exception:  # reported with the variable
                continue
            for index, name in enumerate(wanted):
                if names is not None and name not in names:
                    problems.add(
                        f"verify_calls[{index}] calls {plain_text.shown(name)}, which is no "
                        f"syscall of the kernel of {builder}: it has "
                        f"{plain_text.few(sorted(names)) or 'none'}",
                        host.name,
                    )

    @staticmethod
    def _syscalls(builder: Host) -> Optional[set[str]]:
        """Names of those that a builder adds; None if that is not known."""
        try:
            if builder.value(builder.everything["build_lock"]):
                return None  # it has its own
            return {
                str(entry["name"])
                for name in SYSCALLS
                for entry in builder.value(builder.everything[name])
            }
        except Exception:  # reported with the variable
            return None

    @staticmethod
    def _choice(host: Host) -> str:
        """Whose kernel a target takes; empty for the first builder's."""
        try:
            return str(host.value(host.raw.get(kernel_choice.CHOICE) or "") or "")
        except Exception:  # reported with the variable
            return ""

    @staticmethod
    def _builder(host: Host) -> kernel_problems.Builder:
        """What the variables of a builder say; what a template does not tell yet is not known."""

        def value(name: str) -> Any:
            try:
                return variable_origin.decrypted(host.value(host.everything[name]))
            except Exception:  # the role that needs it says so
                return None

        values = {name: value(name) for name in kernel_problems.INPUTS}
        lock, base, targets = value("build_lock"), value("config_base"), value("config_targets")
        options: dict[str, Any] = {}
        for name in ("config_default_options", "config_options", "config_options_extra"):
            # One of another form is reported with the variable.
            options.update(values[name] if isinstance(values[name], Mapping) else {})
        provider, version, extra = (
            values[name] for name in ("source_provider", "source_version", "version_extraversion")
        )
        # A lock has a version of its own.
        known = not lock and None not in (provider, version, extra)
        local = str(options.get("LOCALVERSION") or "")
        if values["config_localmodconfig"] or not base:
            values["config_targets"] = targets
        return kernel_problems.Builder(
            host.name,
            kernel_problems.release(provider, str(version), str(extra), local) if known else "",
            # As a text: any value has one.
            build_inputs.checksum(str(values)),
            str(lock or ""),
            bool(lock or base or targets),
        )

    def _together(
        self, host: Host, first: Optional[Host], builds: bool, roles: Sequence[str]
    ) -> Iterator[str]:
        """What several variables make wrong, or those of several hosts."""
        if first is not None:
            yield from self._ignored(host, first)
            yield from self._times(host)
            yield from self._rebuilds(host)
        if builds and "source" in roles:
            yield from self._source(host)
        if builds and "build" in roles:
            yield from self._keys(host)

    @staticmethod
    def _times(host: Host) -> Iterator[str]:
        """A wait that the trial boot does not last."""
        wait, limit = "verify_health_timeout", "trial_timeout"
        # The default is nobody's mistake.
        if wait not in host.raw:
            return
        try:
            seconds, end = (int(host.value(host.everything[name])) for name in (wait, limit))
        except Exception:  # as below
            return
        if seconds >= end:
            yield (
                f"{wait} is {seconds}, but {limit} is {end}: the host has to be waited for less "
                "long than the trial boot lasts"
            )

    @staticmethod
    def _rebuilds(host: Host) -> Iterator[str]:
        """More keys than there are."""
        names = ("install_required_rebuilds", "install_rebuild_keys")
        if names[0] not in host.raw:
            return
        try:
            required, keys = (host.value(host.everything[name]) for name in names)
            missing = int(required) > len(keys)
        except Exception:  # as below
            return
        if missing:
            yield (
                f"{names[0]} is {required}, but {names[1]} has {len(keys)} keys: no build could be "
                "installed; add keys of people who rebuild, or ask for fewer"
            )

    def _first_target(self, given: dict[str, Any]) -> Optional[Host]:
        """Of the whole group: `--limit` does not change whose waves there are."""
        targets = (given.get("groups") or {}).get(group_problems.TARGETS) or ()
        return next(self._hosts(targets[:1], given), None)

    def _ignored(self, host: Host, first: Host) -> Iterator[str]:
        """What a host has of its own, where a play asks the first target alone."""
        for name in variable_problems.OF_THE_FIRST_TARGET:
            if name not in host.raw or host.name == first.name:
                continue
            raw = host.raw[name]
            if raw == first.raw.get(name) and not self._templar.is_template(raw):
                continue
            try:
                own = host.value(host.raw[name])
                counts = first.value(first.raw.get(name))
            except Exception:  # undefined, which was reported
                continue
            if own != counts:
                there = variable_problems.shown(name, counts) if counts is not None else "not set"
                yield (
                    f"{name} is {variable_problems.shown(name, own)}, but that of {first.name} "
                    f"counts, the first of {group_problems.TARGETS} ({there}): set it for the "
                    "whole group"
                )

    def _hosts(self, names: Sequence[str], given: dict[str, Any]) -> Iterator[Host]:
        hostvars = given["hostvars"]
        defaults = variable_origin.trusted(known_variables.defaults(ROOT))
        here = str(given.get("inventory_hostname", ""))
        own = hostvars.raw_get(here) if here in hostvars else {}
        # Variables of the play are nowhere else.
        play = {name: value for name, value in given.items() if name not in own}
        for name in names:
            raw = {**play, **hostvars.raw_get(name)} if name != here else given
            everything = {**defaults, **raw, "hostvars": hostvars}
            yield Host(name, raw, everything, self._templar)

    def _wrong(
        self,
        name: str,
        option: Mapping[str, Any],
        raw: Any,
        host: Host,
        memory: dict[tuple[str, ...], list[str]],
    ) -> list[str]:
        if variable_origin.is_secret(raw):
            return self._wrong_here(name, option, raw, host, variable_problems.HIDDEN)
        if self._templar.is_template(raw):
            return self._wrong_here(name, option, raw, host, str(raw))
        # What else it is compared with, or looked up beside, may be another host's own.
        key = (name, repr(raw), repr(host.raw.get("patch_syscalls")) if name == EXTRA else "")
        if key not in memory:
            memory[key] = self._wrong_here(name, option, raw, host, "")
        return memory[key]

    def _wrong_here(
        self, name: str, option: Mapping[str, Any], raw: Any, host: Host, template: str
    ) -> list[str]:
        try:
            value = host.value(raw)
        except Exception as error:
            if not name.startswith(NOW):
                return []  # of what is not known yet; the role that needs it says so
            return [f"{name} is {variable_problems.shown(name, raw, template)}: {error}"]
        # Since ansible-core 2.19 there is none to compare with, and nothing is no omitted value.
        if value is not None and value == host.everything.get("omit"):
            return []
        value = variable_origin.decrypted(value)
        found = variable_problems.problems(name, option, value, template)
        hidden = template == variable_problems.HIDDEN
        if found and not (hidden and name in variable_problems.WAVES):
            return found
        if option.get("type", "str") == "str" and not isinstance(value, (str, type(None))):
            value = str(value)  # a number or a date, which tasks take for its text
        found = found or self._of_wrong_form(name, value, host)
        if found and hidden and name not in variable_forms.QUOTES_NO_SECRET:
            return [f"{name} is a value that is not shown: it is not of the form that is asked for"]
        return found

    def _of_wrong_form(self, name: str, value: Any, host: Host) -> list[str]:
        check = TEXTS.get(name)
        found = check(value) if check else variable_forms.problems(name, value)
        if name == "version_extraversion":
            found = inputs.check_extraversion(value, self._version(host))
        elif name == EXTRA:
            found = self._extra_syscalls(value, host)
        return found or list(self._missing(name, value, host))

    @staticmethod
    def _source(host: Host) -> Iterator[str]:
        names = ("provider", "file", "git_url", "git_ref", "git_verify", "series")
        try:
            provider, file, url, ref, verify, series = (
                str(host.value(host.everything[f"source_{name}"])) for name in names
            )
            lock = str(host.value(host.everything["build_lock"]))
        except Exception:  # as above
            return
        yield from filter(
            None,
            (
                variable_forms.source_file_problem(provider, file),
                variable_forms.source_git_problem(provider, url, ref, verify),
                variable_forms.source_series_problem(series, provider, lock),
            ),
        )

    @staticmethod
    def _extra_syscalls(value: Sequence[Mapping[str, Any]], host: Host) -> list[str]:
        """Both lists are one; what is wrong with the other alone is said there."""
        try:
            first = host.value(host.everything["patch_syscalls"])
            together = inputs.check_syscalls(first, value)
        except Exception:  # as above, or of another form
            together = inputs.check_syscalls((), value)
        return [sentence for sentence in together if sentence.startswith(f"{EXTRA}[")]

    def _version(self, host: Host) -> str:
        try:
            return str(host.value(host.everything["source_version"]))
        except Exception:  # as above
            return ""

    def _missing(self, name: str, value: Any, host: Host) -> Iterator[str]:
        beside = host.everything if name in control_files.FOUND else {}
        role = ROOT / "roles" / name.partition("_")[0]
        for where, path in control_files.named_in(name, value):
            try:
                found = control_files.find(self, path, beside, [str(role)] if role.is_dir() else [])
            except AnsibleError as error:
                yield f"{where} is {path!r}: {error}"
            else:
                problem = control_files.kind_problem(name, found)
                if problem:
                    yield f"{where} is {path!r}: {problem}"
                if name in SYSCALLS:
                    entry, _dot, _key = where.partition(".")
                    index = int(entry.partition("[")[2].rstrip("]"))
                    yield from _definition(entry, str(value[index]["name"]), Path(found))

    def _keys(self, host: Host) -> Iterator[str]:
        # Who rebuilds what others have signed need not have their keys.
        if host.everything.get("build_goal") == "rebuild":
            return
        for name in control_files.KEYS:
            try:
                path = variable_origin.decrypted(host.value(host.raw.get(name) or ""))
            except Exception:  # as above
                continue
            if isinstance(path, str) and path:
                try:
                    control_keys.read(self, path, name, host.everything)
                except AnsibleError as error:
                    yield str(error)


#: Below the unknown names.
OWN_NAMES = (
    "If such a variable is your own, add its name to preflight_other_variables (patterns such as",
    "build_* too), or set preflight_unknown_variables to warn or ignore.",
)


def _definition(where: str, name: str, path: Path) -> list[str]:
    """What is wrong with a syscall's source, by its text alone."""
    try:
        # The compiler takes any bytes in a comment.
        text = path.read_text(encoding="utf-8", errors="replace")
    except OSError as error:
        return [f"{where} ({name}): {path} cannot be read: {error}"]
    return inputs.check_definition(where, name, str(path), text)


def _unknown(name: str, like: str, origin: str) -> str:
    place = f" ({origin})" if origin else ""
    meant = f"did you mean {like}?" if like else "none has a name like it"
    return f"{name}{place} is no variable of the collection: {meant}"


def _origin(name: str, raw: Any, extra: Mapping[str, Any]) -> str:
    """Switches, and what has no value, have none of their own."""
    found = variable_origin.of(raw) or variable_origin.of(name)
    return found or ("option -e" if name in extra else "")


def _kept(hostvars: Any, what: str) -> Mapping[str, Any]:
    found = getattr(getattr(hostvars, "_variable_manager", None), what, {})
    return found if isinstance(found, Mapping) else {}


def _registered(hostvars: Any, host: str) -> Mapping[str, Any]:
    """What tasks of others' plays have registered and set: it is not the inventory's."""
    found = _kept(hostvars, "_nonpersistent_fact_cache").get(host)
    return found if isinstance(found, Mapping) else {}
