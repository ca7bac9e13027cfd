# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The signed description of a repository, for hosts that no control node reaches.

It is one file, text and signature together, so that a reader gets both of one publication. It names
the build with the checksum of its list of files, the index, the rollout, and its own date. That
date grows with each change, by a second at least. A host remembers the newest one that it has
seen, and takes no older description: whoever stands between could otherwise give out the one from
before a rollout was stopped.

A repository may hold the kernels of several builders. That of the first one is what a host takes
without a choice, and its entry is the description itself, as if there were no other one; `kernel`
names its builder. `kernels` has the entries of the others by the names of theirs.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    bounded_read,
    json_file,
    manifest,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.checksum import SHA256
from ansible_collections.oslab.kernel.plugins.module_utils._common.name_forms import (
    BUILD_ID,
    RELEASE,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.plain_text import shown
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Runner
from ansible_collections.oslab.kernel.plugins.module_utils._repository import rollout
from ansible_collections.oslab.kernel.plugins.module_utils._source import openpgp

NAME = manifest.NAME
SIGNED = f"{NAME}.asc"
#: What facts of a publication have of other documents.
BESIDE = "attestations"
# One of ours has some KiB.
LIMIT = 1 << 20
# What a signature adds to it at most.
_SIGNATURE = 16 << 10
# Of a date: the year 9999.
_LATEST = 253_402_300_799
_SIZE = 1 << 40
_PACKAGE = re.compile(r"[A-Za-z0-9][A-Za-z0-9+.-]{0,254}")
_VERSION = re.compile(r"[0-9][A-Za-z0-9+.~:-]{0,254}")
_SUITE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._/-]{0,99}")
_FINGERPRINT = re.compile(r"[0-9A-F]{40}|[0-9A-F]{64}")
_LIST = re.compile(r"builds/[0-9a-f]{12}\.json")
#: Of the whole description, and of no kernel.
_COMMON = ("date", "key_fingerprint", "index_sha256", "index_date")
#: Of a builder in its inventory: the only one, the first of several, or another one.
ONLY, FIRST, OTHER = RANKS = ("only", "first", "other")


class DescriptionError(Exception):
    """It cannot be made, or is not to be believed; the message says why."""


# --- several kernels ---------------------------------------------------------------------------


def kernels(description: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """The entry of each builder by its name, that of the first builder first.

    A description of an older version of this collection has one entry, whose name is empty.
    """
    first = _entry(description)
    found = {str(description.get("kernel") or ""): first} if first else {}
    more = description.get("kernels")
    for name, entry in more.items() if isinstance(more, Mapping) else ():
        if isinstance(entry, Mapping):
            found.setdefault(str(name), dict(entry))
    return found


def _entry(description: Mapping[str, Any]) -> dict[str, Any]:
    apart = (*_COMMON, "kernel", "kernels")
    return {name: value for name, value in description.items() if name not in apart}


def first_kernel(description: Mapping[str, Any]) -> Optional[str]:
    """The name of the builder whose kernel a host takes without a choice; None if there is none."""
    return str(description.get("kernel") or "") if _entry(description) else None


def others(description: Mapping[str, Any], kernel: str, rank: str) -> dict[str, dict[str, Any]]:
    """The entries that stay as they are when a builder publishes.

    :param kernel: name of the builder.
    :param rank: one of RANKS.
    """
    replaced = (kernel, _taken_over(description, rank))
    return {name: entry for name, entry in kernels(description).items() if name not in replaced}


def _taken_over(description: Mapping[str, Any], rank: str) -> Optional[str]:
    """The name of the first entry if a builder of this rank goes on with it; else None.

    An only builder does, as its name in the inventory may have changed. The first of several does
    with an entry without a name.
    """
    first = first_kernel(description)
    return first if rank == ONLY or (rank == FIRST and not first) else None


def conflict(
    description: Mapping[str, Any], kernel: str, rank: str, publication: Mapping[str, Any]
) -> str:
    """Why a publication cannot stand beside the entries that stay; empty if it can.

    :param publication: of which C(release), C(version), C(suite) and C(component) count.
    """
    for name, entry in others(description, kernel, rank).items():
        where = shown(name) or "an older publication"
        gone = f"if that builder is gone, remove its entry from {NAME}"
        if entry.get("release") == publication["release"] != "" and (
            entry.get("version") != publication["version"]
        ):
            return (
                f"the kernel of {shown(kernel)} has the release {publication['release']}, and so "
                f"has that of {where} there, which is another build: a host tells kernels apart by "
                f"their releases. Set version_extraversion of one of them to another text; {gone}"
            )
        for one in ("suite", "component"):
            if entry.get(one) != publication[one]:
                return (
                    f"publish_{one} is {publication[one]}, and that of {where} there is "
                    f"{shown(str(entry.get(one)))}: all kernels of one repository have one. Set it "
                    f"for the group kernel_builders, or use another publish_root; {gone}"
                )
    return ""


def one_kernel(description: Mapping[str, Any], kernel: str, rank: str) -> dict[str, Any]:
    """What a builder has published, as a description of this kernel alone; else empty."""
    found = kernels(description)
    name = kernel if kernel in found else _taken_over(description, rank)
    return {} if name is None else _alone(description, name, found[name])


def _alone(description: Mapping[str, Any], name: str, entry: Mapping[str, Any]) -> dict[str, Any]:
    common = {one: description[one] for one in _COMMON if one in description}
    return {**entry, **common, **({"kernel": name} if name else {})}


def chosen(description: Mapping[str, Any], kernel: str) -> dict[str, Any]:
    """What a host takes, in the same form. Raises DescriptionError if it is not there.

    :param kernel: name of a builder; empty for that of the first one.
    """
    found = kernels(description)
    name = kernel or first_kernel(description)
    if name is not None and name in found:
        return _alone(description, name, found[name])
    if not found:
        return dict(description)  # whose form is refused
    names = shown(", ".join(sorted(filter(None, found))))
    if not kernel:
        raise DescriptionError(f"it has no kernel of a first builder: set kernel_from ({names})")
    raise DescriptionError(
        f"it has no kernel of {shown(kernel)} (kernel_from), but of {names or 'one without a name'}"
    )


# --- on the builder ----------------------------------------------------------------------------


def _whole(number: float) -> Any:
    return int(number) if number == int(number) else number


def compose(
    previous: Mapping[str, Any],
    publication: Mapping[str, Any],
    steps: Sequence[rollout.Step],
    stopped: Optional[bool],
    now: int,
    kernel: str = "",
    rank: str = ONLY,
) -> dict[str, Any]:
    """The description with this publication; `previous` itself if nothing differs.

    The clock of the rollout starts with the first publication of the build, and goes on with later
    ones of the same build.

    :param stopped: None leaves it as it is; another build is not stopped then.
    :param kernel: name of the builder.
    :param rank: one of RANKS.
    """
    started = now
    old = one_kernel(previous, kernel, rank)
    before = old.get("rollout")
    same = old.get("build_id") == publication.get("build_id")
    if same and isinstance(before, Mapping) and _is_number(before.get("started"), now):
        started = before["started"]
    if stopped is None:
        # Nobody lifts a stop by publishing the same build again.
        stopped = same and isinstance(before, Mapping) and before.get("stopped") is True
    entry = {
        # One that was read back has the date that it had.
        # The attestations that stand beside it are no part of it.
        **{name: value for name, value in _entry(publication).items() if name != BESIDE},
        "rollout": {
            "steps": [
                {
                    "percent": _whole(step.share * 100 / rollout.PLACES),
                    "after_hours": _whole(step.after / 3600),
                }
                for step in steps
            ],
            "started": started,
            "stopped": stopped,
        },
    }
    kept = others(previous, kernel, rank)
    # Another builder leaves the first entry where it is. If it was the first one itself, that is
    # empty until the first one publishes.
    first = kernel if rank != OTHER else first_kernel(previous)
    kept[kernel] = entry
    head = kept.pop(first, {}) if first is not None and (first != kernel or rank != OTHER) else {}
    wanted: dict[str, Any] = {
        **head,
        **({"kernel": first} if head and first else {}),
        **({"kernels": kept} if kept else {}),
        **{name: publication[name] for name in _COMMON[1:] if name in publication},
    }
    date = previous.get("date")
    if not isinstance(date, int) or not _is_number(date, _LATEST):
        return {**wanted, "date": now}
    same_again = {**wanted, "date": date} == previous
    return {**wanted, "date": date if same_again else max(now, date + 1)}


def encode(description: Mapping[str, Any]) -> bytes:
    """Equal descriptions give equal texts, all in ASCII. Raises DescriptionError."""
    text = f"{json.dumps(description, indent=4, sort_keys=True)}\n".encode()
    if len(text) > LIMIT - _SIGNATURE:
        raise DescriptionError(
            f"{NAME} would have {len(text)} bytes, and hosts take {LIMIT - _SIGNATURE}: remove "
            "entries from its kernels whose builders are gone, or use another publish_root for "
            "some builders"
        )
    return text


def is_signed(run: Runner, signed: Path, text: bytes, public_key: str) -> bool:
    """Whether the file has this very text and a good signature of the key."""
    return openpgp.is_clearsigned(run, signed, text.decode(), public_key)


def sign(run: Runner, text: Path, home: str, fingerprint: str) -> bytes:
    """The text of a file with its signature. Raises DescriptionError."""
    try:
        return openpgp.clearsign(run, text, home, fingerprint)
    except openpgp.SignatureError as error:
        raise DescriptionError(str(error)) from error


# --- on a host ---------------------------------------------------------------------------------


def fingerprint_of(public_key: str) -> str:
    """Of the one key in an ASCII text. Raises DescriptionError."""
    try:
        return openpgp.fingerprint_of(public_key, "the key of the repository")
    except openpgp.SignatureError as error:
        raise DescriptionError(str(error)) from error


def check_signature(run: Runner, message: bytes, public_key: str) -> tuple[str, str]:
    """The fingerprint of the key, and the text that it has signed. Raises DescriptionError."""
    keys = openpgp.Keys(public_key, [fingerprint_of(public_key)])
    try:
        return openpgp.verify_clearsigned(keys, message, openpgp.feeder(run))
    except openpgp.SignatureError as error:
        raise DescriptionError(str(error)) from error


def _is_number(value: Any, largest: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= largest


def _is_text(value: Any, form: re.Pattern[str]) -> bool:
    return isinstance(value, str) and form.fullmatch(value) is not None


_TEXTS = {
    "release": RELEASE,
    "version": _VERSION,
    "build_id": BUILD_ID,
    "suite": _SUITE,
    "component": _SUITE,
    "key_fingerprint": _FINGERPRINT,
    "index_sha256": SHA256,
}
_NUMBERS = {"date": _LATEST, "index_date": _LATEST, "installed_size_kib": _SIZE}


def _package_problems(packages: Any) -> Iterator[str]:
    if not isinstance(packages, Mapping) or not packages:
        yield "it has no packages"
        return
    for name, about in packages.items():
        if not _is_text(name, _PACKAGE) or not isinstance(about, Mapping):
            yield f"packages has {shown(repr(name))}"
        elif not _is_text(about.get("sha256"), SHA256) or not _is_number(about.get("size"), _SIZE):
            yield f"packages has no checksum or size of {name}"


def _problems(found: Mapping[str, Any]) -> Iterator[str]:
    """Where it does not have the form that the tasks of a deployment read."""
    for name, form in _TEXTS.items():
        if not _is_text(found.get(name), form):
            yield f"{name} is {shown(repr(found.get(name)))}"
    for name, largest in _NUMBERS.items():
        if not _is_number(found.get(name), largest):
            yield f"{name} is {shown(repr(found.get(name)))}"
    yield from _package_problems(found.get("packages"))
    files = found.get("files")
    # Builds of older versions of this collection have no list.
    if not isinstance(files, Mapping) or not (
        not files or (_is_text(files.get("file"), _LIST) and _is_text(files.get("sha256"), SHA256))
    ):
        yield "files names no list of files"
    made_from = found.get("manifest")
    if not isinstance(made_from, Mapping):
        yield "it has no manifest"
        return
    signers = made_from.get("signers", {})
    if not isinstance(signers, Mapping) or not isinstance(signers.get("image", {}), Mapping):
        yield "the signers of its manifest are none"


def parse(text: str, kernel: str = "") -> tuple[dict[str, Any], rollout.Rollout]:
    """What a description says of one kernel, and the rollout of that.

    Raises DescriptionError for anything else.

    :param kernel: name of its builder; empty for the first one.
    """
    if len(text) > LIMIT:
        raise DescriptionError(f"it is larger than {LIMIT} bytes")
    try:
        found = bounded_read.parse_json(text)
    except ValueError as error:
        raise DescriptionError(f"it is no JSON ({error})") from error
    if not isinstance(found, dict):
        raise DescriptionError("it is no JSON object")
    found = chosen(found, kernel)
    for problem in _problems(found):
        raise DescriptionError(problem)
    return found, _rollout(found.get("rollout"))


def _rollout(found: Any) -> rollout.Rollout:
    if (
        not isinstance(found, Mapping)
        or not _is_number(found.get("started"), _LATEST)
        or not isinstance(found.get("stopped"), bool)
    ):
        raise DescriptionError("it has no rollout")
    try:
        steps = rollout.parse_steps(found.get("steps"))
    except rollout.RolloutError as error:
        raise DescriptionError(f"the steps of its rollout: {error}") from error
    return rollout.Rollout(steps, found["started"], found["stopped"])


# --- the newest that a host has seen -----------------------------------------------------------


def read_memory(path: Path) -> dict[str, Any]:
    """Empty if there is none yet. Raises DescriptionError if it is damaged."""
    try:
        found = bounded_read.json_object(path, LIMIT)
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        raise DescriptionError(
            f"{path}, which has the date of the newest description seen, cannot be read ({error}). "
            "Remove it if you trust the address of the repository"
        ) from error
    if (
        not _is_number(found.get("date"), _LATEST)
        or not _is_text(found.get("sha256"), SHA256)
        or not _is_text(found.get("key"), _FINGERPRINT)
    ):
        raise DescriptionError(
            f"{path} does not have the date of the newest description seen. Remove it if you trust "
            "the address of the repository"
        )
    return found


def remembered(text: str, date: int, fingerprint: str) -> dict[str, Any]:
    """What is remembered of a description."""
    return {"date": date, "sha256": sha256(text.encode()).hexdigest(), "key": fingerprint}


def replayed(memory: Mapping[str, Any], seen: Mapping[str, Any]) -> str:
    """Why what was seen now is not as new as the newest one; empty if it is.

    Another key is another repository, and its dates are its own.
    """
    if not memory or memory.get("key") != seen["key"] or seen["date"] > memory["date"]:
        return ""
    if seen["date"] < memory["date"]:
        return f"it is {memory['date'] - seen['date']} s older than one that this host has seen"
    if seen["sha256"] != memory["sha256"]:
        return "it is another one of the same second as one that this host has seen"
    return ""


def remember(path: Path, seen: Mapping[str, Any], before: Optional[Mapping[str, Any]]) -> None:
    """Raises OSError."""
    if seen != before:
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        json_file.write(path, seen, 0o644)
