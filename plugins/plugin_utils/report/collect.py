# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of a run, from the variables of its hosts.

Most of them are answers of the hosts, which may be anything: whatever has another form than the
module gives is left out, and texts become safe to print.
"""

from __future__ import annotations

from collections import Counter as Tally
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text
from ansible_collections.oslab.kernel.plugins.module_utils._host import kernel_sizes
from ansible_collections.oslab.kernel.plugins.module_utils._verify import report as checks_report
from ansible_collections.oslab.kernel.plugins.module_utils._verify.syscalls import (
    CAPTURE,
    THROTTLE,
    TRACK,
)
from ansible_collections.oslab.kernel.plugins.plugin_utils import boot_stages
from ansible_collections.oslab.kernel.plugins.plugin_utils.report import model, outcome

# Nothing of a host is longer than what people read, and no number larger than 64 bits.
_LONGEST_LISTS = 1000
_LARGEST = 2**64
_LONGEST = 4000
#: The fact that has lines.
_LINES = "boot message"
_RESULTS = {True: model.OK, False: model.FAILED, None: model.UNKNOWN}
_MEMORY, _IO, _CALLS = "memory", "io", "calls"


class Run(NamedTuple):
    """What is known of the run as a whole."""

    #: One of outcome.RUNS.
    name: str
    written: int
    versions: str
    #: Names of all hosts, in their order.
    hosts: Sequence[str]
    #: Names of those that Ansible works on no more.
    lost: Sequence[str]
    #: Names of the hosts of each wave.
    waves: Sequence[Sequence[str]]
    #: What became of each gate, as the action deploy_gate returns it, with the number of its wave.
    gates: Sequence[Mapping[str, Any]]
    #: Manifests of the builds, by the names of the builders.
    builds: Mapping[str, Mapping[str, Any]]
    #: Of each host, the builder whose kernel it takes.
    kernel_from: Mapping[str, str] = {}
    #: Of each builder, why it has no kernel for its targets; empty if it has one.
    without_kernel: Mapping[str, str] = {}


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _dicts(value: Any) -> list[Mapping[str, Any]]:
    found = value if isinstance(value, (list, tuple)) else []
    return [one for one in found[:_LONGEST_LISTS] if isinstance(one, Mapping)]


def _text(value: Any, length: int = plain_text.LENGTH) -> str:
    return "" if value is None else plain_text.sentence(value, length)


def _line(value: Any) -> str:
    """Of a log, with its indentation."""
    return plain_text.cut(plain_text.escape(str(value)[: plain_text.LENGTH + 1]), plain_text.LENGTH)


def _int(value: Any) -> Optional[int]:
    """A number that is none of seconds, bytes or calls is not known."""
    known = isinstance(value, (int, float)) and not isinstance(value, bool)
    return int(value) if known and 0 <= value < _LARGEST else None


def _value(value: Any) -> model.Value:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int) and abs(value) < _LARGEST:
        return int(value)
    return _text(value)


def _checks(found: Any) -> list[model.Check]:
    return [
        {
            "name": _text(one.get("name", "(no name)")),
            "result": _RESULTS[checks_report.outcome(one)],
            "expected": _value(one.get("expected")),
            "read": _value(one.get("actual")),
            "tolerance": _text(one.get("tolerance")),
            "detail": _text(one.get("detail")),
        }
        for one in _dicts(found)
    ]


def _verdict(found: Any) -> str:
    """Of the row that sums up the kernel's log or the health."""
    rows = _checks(_dict(found).get("checks"))
    return rows[0]["result"] if rows else model.NOT_JUDGED


def _log(found: Any) -> model.Log:
    complaints: list[model.Complaint] = [
        {
            "kind": _text(one.get("kind")),
            "severity": _text(one.get("severity")),
            "state": _text(one.get("state")),
            "count": _int(one.get("count")) or 0,
            "fails": one.get("fails") is True,
            "reason": _text(one.get("reason")),
            "lines": [_line(line) for line in _list(one.get("lines"))],
        }
        for one in _dicts(_dict(found).get("complaints"))
    ]
    return {
        "verdict": _verdict(found),
        "baseline": _text(_dict(found).get("baseline")),
        "complaints": complaints,
    }


def _list(value: Any) -> list[Any]:
    return list(value[:_LONGEST_LISTS]) if isinstance(value, (list, tuple)) else []


def _health(found: Any) -> model.Health:
    changes: list[model.Change] = [
        {
            "what": _text(one.get("label")),
            "before": _text(one.get("before")),
            "now": _text(one.get("now")),
            "state": _text(one.get("state")),
            "fails": one.get("fails") is True,
            "reason": _text(one.get("reason")),
        }
        for one in _dicts(_dict(found).get("changes"))
    ]
    return {
        "verdict": _verdict(found),
        "baseline": _text(_dict(found).get("baseline")),
        "changes": changes,
    }


def _size(release: Any, sizes: Any) -> Iterator[model.Size]:
    known = {part: _int(_dict(sizes).get(part)) for part in kernel_sizes.PARTS}
    if release and any(size is not None for size in known.values()):
        yield {
            "release": _text(release),
            "image": known["image"],
            "initrd": known["initrd"],
            "modules": known["modules"],
        }


def _sizes(found: Any) -> list[model.Size]:
    about = _dict(found)
    custom = _size(about.get("release"), about.get("sizes"))
    return [*custom, *_size(about.get("stock_release"), about.get("stock_sizes"))]


def _values(name: str, result: Any) -> Mapping[str, Any]:
    if name == TRACK:
        return {str(one.get("name")): one.get("count") for one in _dicts(result)}
    return _dict(result)


def _counters(syscalls: Any) -> list[model.Counter]:
    found: list[model.Counter] = []
    for group, name in ((_MEMORY, CAPTURE), (_IO, THROTTLE), (_CALLS, TRACK)):
        about = _dict(_dict(syscalls).get(name))
        before, after = _values(name, about.get("result")), _values(name, about.get("after"))
        for field, value in list(before.items())[:_LONGEST_LISTS]:
            number = _int(value)
            if number is not None and field not in ("pid", "timestamp_ns"):
                counter: model.Counter = {
                    "group": group,
                    "name": _text(field),
                    "before": number,
                    "after": _int(after.get(field)),
                }
                found.append(counter)
    return found


def _boot(known: Mapping[str, Any]) -> model.Boot:
    """Of a trial boot that failed, with the recovery from it."""
    reboot, result = _dict(known.get("trial_rebooted")), _dict(known.get("trial_result"))
    recovered = _dict(known.get("trial_recovered"))
    rebooted = result.get("rebooted") is True or (
        reboot.get("rebooted") is True and "trial_failure" in known
    )
    if not rebooted:
        return {
            "rebooted": False,
            "method": "",
            "downtime": None,
            "stages": [],
            "started": None,
            "answered": None,
            "confirmed": None,
        }
    elapsed = _int(reboot.get("elapsed"))
    elapsed = elapsed if elapsed is not None else _int(result.get("downtime"))
    answered, verification = _int(reboot.get("answered")), _int(result.get("verification"))
    loaded = _dict(known.get("trial_kexec_load")).get("loaded") is True
    loader = _text(_dict(known.get("install_host_facts")).get("boot_loader"))
    stages: list[model.Stage] = []
    for name, words in boot_stages.NAMES.items():
        seconds: Any = _dict(reboot.get("stages") or result.get("stages")).get(name)
        if _int(seconds) is not None:
            stages.append({"name": name, "words": words, "seconds": round(float(seconds), 1)})
    spent = [one for one in (elapsed, _int(recovered.get("elapsed"))) if one is not None]
    began = answered is not None and elapsed is not None
    done = answered is not None and verification is not None
    return {
        "rebooted": True,
        "method": "kexec" if loaded else loader,
        "downtime": sum(spent) if spent else None,
        "stages": stages,
        "started": (answered or 0) - (elapsed or 0) if began else None,
        "answered": answered,
        "confirmed": (answered or 0) + (verification or 0) if done else None,
    }


def host(
    name: str,
    known: Mapping[str, Any],
    run: str,
    *,
    lost: bool = False,
    kernel_from: str = "",
    expected: Optional[Mapping[str, Any]] = None,
    no_kernel: str = "",
) -> model.Host:
    """By what the playbooks and roles left among the host's variables.

    :param kernel_from: the builder whose kernel it takes.
    :param expected: manifest of that kernel.
    :param no_kernel: why the builder has none; empty if it has one.
    """
    ended = outcome.of(known, run, lost=lost, no_kernel=no_kernel)
    result, shown = _dict(known.get("verify_result")), _dict(known.get("verify_shown"))
    verdicts = _dict(shown.get("report"))
    if run == outcome.VERIFY and ended.kind in ("failed", "no_answer"):
        # Of the deployment before, in the same run: the host was not verified since.
        verdicts = {}
    verified, asked = result, _dict(known.get("trial_host_facts"))
    # Where it came back from a kernel, it was asked once more after the verification of that one.
    last, before = (asked, verified) if ended.kind == "not_confirmed" else (verified, asked)
    running = last.get("release") or before.get("release")
    running = running or _dict(known.get("install_host_facts")).get("release")
    return {
        "name": plain_text.cell(name, plain_text.LENGTH),
        "outcome": ended.kind,
        "passed": outcome.KINDS[ended.kind].passed,
        "cause": ended.cause,
        "remedy": ended.remedy,
        "release": _text(running),
        "build_id": _text(_dict(result.get("manifest")).get("build_id")),
        "kernel_from": plain_text.cell(kernel_from, plain_text.LENGTH),
        "expected_release": _text(_dict(expected).get("release")),
        "expected_build_id": _text(_dict(expected).get("build_id")),
        "boot": _boot(known),
        "checks": _checks(verdicts.get("checks")),
        "log": _log(verdicts.get("kernel_log")),
        "health": _health(verdicts.get("health")),
        "sizes": _sizes(verdicts.get("sizes")),
        "counters": _counters(result.get("syscalls")),
    }


def _facts(manifest: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in ("release", "version", "build_id", "sysname"):
        yield name.replace("_", " "), manifest.get(name)
    yield _LINES, str(manifest.get("banner") or "").strip("\n")
    source = _dict(manifest.get("source"))
    yield "source", source.get("version")
    yield "source commit", source.get("commit")
    yield "source sha256", source.get("sha256")
    yield "source signed by", source.get("signed_by")
    numbers = _dict(manifest.get("syscalls"))
    yield "syscalls", ", ".join(f"{name} {number}" for name, number in numbers.items())
    yield "patches", ", ".join(str(one.get("name")) for one in _dicts(manifest.get("patches")))
    yield "configuration sha256", manifest.get("config_sha256")
    tools = _dict(manifest.get("toolchain"))
    yield "toolchain", ", ".join(f"{name}: {version}" for name, version in tools.items())
    smoke_test = _dict(manifest.get("smoke_test"))
    parts = [str(smoke_test.get(name) or "") for name in ("result", "reason")]
    yield "smoke test", ": ".join(filter(None, parts))
    root = _dict(manifest.get("build_root"))
    yield "build root", " ".join(str(root[one]) for one in ("suite", "architecture") if one in root)


def build(manifest: Mapping[str, Any]) -> list[model.Fact]:
    """What it says, without what is empty. A boot message has lines."""
    found = [
        (name, plain_text.lines(value)[:_LONGEST] if name == _LINES and value else _text(value))
        for name, value in _facts(manifest)
    ]
    return [{"name": name, "value": value} for name, value in found if value]


def _kernels(run: Run, variables: Mapping[str, Mapping[str, Any]]) -> list[model.Kernel]:
    """Of each builder whose kernel a host takes, in the order of the hosts."""
    taking: dict[str, list[str]] = {}
    for name in run.hosts:
        taking.setdefault(run.kernel_from.get(name, ""), []).append(name)
    known = {str(_dict(one).get("build_id")) for one in run.builds.values()}
    kernels: list[model.Kernel] = [
        {
            "kernel_from": plain_text.cell(builder, plain_text.LENGTH),
            "hosts": len(names),
            "build": build(run.builds.get(builder) or _of_most(names, variables, known)),
        }
        for builder, names in taking.items()
    ]
    return [one for one in kernels if one["build"]]


def _of_most(
    names: Sequence[str], variables: Mapping[str, Mapping[str, Any]], known: Collection[str]
) -> Mapping[str, Any]:
    """The manifest that most of the hosts have.

    :param known: ids of builds whose builder is known, which are no other builder's.
    """
    found = [_dict(_dict(variables[name].get("verify_result")).get("manifest")) for name in names]
    ids = Tally(str(one["build_id"]) for one in found if one.get("build_id"))
    for build_id in known:
        del ids[build_id]
    most = next((build_id for build_id, _count in ids.most_common(1)), "")
    return next((one for one in found if str(one.get("build_id")) == most and most), {})


def _waves(run: Run, hosts: Mapping[str, model.Host]) -> list[model.Wave]:
    waves: list[model.Wave] = []
    for number, names in enumerate(run.waves, 1):
        boots = [hosts[name]["boot"] for name in names if name in hosts]
        started = [one["started"] for one in boots if one["started"] is not None]
        ended = [
            end
            for one in boots
            for end in (one["confirmed"] if one["confirmed"] is not None else one["answered"],)
            if end is not None
        ]
        wave: model.Wave = {
            "number": number,
            "hosts": [plain_text.cell(name, plain_text.LENGTH) for name in names],
            "started": min(started, default=None),
            "ended": max(ended, default=None),
        }
        waves.append(wave)
    return waves


def _gate(one: Mapping[str, Any]) -> model.Gate:
    return {
        "wave": int(one["wave"]),
        "name": _text(one["name"]),
        "kind": _text(one["kind"]),
        "passed": bool(one["passed"]),
        "waited": int(one["waited"]),
        "answer": _text(one["answer"]),
    }


def _order(one: model.Host) -> int:
    return list(outcome.KINDS).index(one["outcome"])


def counted(hosts: Iterable[model.Host]) -> dict[str, int]:
    """Number of hosts of each outcome that occurs, those that ask for somebody first."""
    number = Tally(one["outcome"] for one in hosts)
    return {kind: number[kind] for kind in outcome.KINDS if number[kind]}


def report(run: Run, variables: Mapping[str, Mapping[str, Any]]) -> model.Report:
    """The whole; hosts that failed come first.

    :param variables: of each host by its name.
    """
    found = {
        name: host(
            name,
            variables[name],
            run.name,
            lost=name in run.lost,
            kernel_from=run.kernel_from.get(name, ""),
            expected=run.builds.get(run.kernel_from.get(name, "")),
            no_kernel=run.without_kernel.get(run.kernel_from.get(name, ""), ""),
        )
        for name in run.hosts
    }
    kernels = _kernels(run, variables)
    most = max(kernels, key=lambda one: one["hosts"], default=None)
    hosts = sorted(found.values(), key=_order)
    return {
        "schema": model.SCHEMA,
        "run": run.name,
        "written": run.written,
        "versions": _text(run.versions),
        "outcomes": counted(hosts),
        "build": most["build"] if most else [],
        "kernels": kernels,
        "waves": _waves(run, found),
        "gates": [_gate(one) for one in run.gates],
        "hosts": hosts,
    }
