# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host that pulls reads: a description, its signature, and its own records."""

from __future__ import annotations

import contextlib
import json
from pathlib import Path
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._host import pull
from ansible_collections.oslab.kernel.plugins.module_utils._repository import description, rollout
from ansible_collections.oslab.kernel.plugins.module_utils._repository.description import (
    DescriptionError,
)
from ansible_collections.oslab.kernel.tests.lib import hostile
from hypothesis import example, given
from hypothesis import strategies as st

RELEASE, VERSION = "6.12.117-49-usac1", "6.12.117-oslab1.0123456789ab"
STEPS = [{"percent": 1, "after_hours": 0}, {"percent": 100.0, "after_hours": 24}]
DESCRIPTION: dict[str, Any] = {
    "release": RELEASE,
    "version": VERSION,
    "build_id": "0123456789ab" + "0" * 52,
    "packages": {f"linux-image-{RELEASE}": {"sha256": "a" * 64, "size": 5}},
    "installed_size_kib": 7,
    "files": {"file": "builds/0123456789ab.json", "sha256": "b" * 64},
    "manifest": {"signers": {"image": {"sha256": "c" * 64}}},
    "suite": "stable",
    "component": "main",
    "key_fingerprint": "A" * 40,
    "index_sha256": "c" * 64,
    "index_date": 1_700_000_000,
    "date": 1_800_000_000,
    "rollout": {"steps": STEPS, "started": 1_800_000_000, "stopped": False},
}
MEMORY = {"date": 1_800_000_000, "sha256": "a" * 64, "key": "A" * 40}
SIGNED = (
    "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\n"
    + json.dumps(DESCRIPTION, indent=4)
    + "\n-----BEGIN PGP SIGNATURE-----\n\nwgMAAAA=\n-----END PGP SIGNATURE-----\n"
)
KEY = "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmAEE\n-----END PGP PUBLIC KEY BLOCK-----\n"
HOST = {
    "proc/cmdline": f"ro oslab.trial={RELEASE} quiet\n".encode(),
    "proc/sys/kernel/random/boot_id": b"11111111-2222-3333-4444-555555555555\n",
    "run/oslab-trial.verified": b"",
    "var/lib/oslab-kernel/install.json": json.dumps(
        {"image": f"linux-image-{RELEASE}={VERSION}", "confirmed": False, "failure": {"image": "x"}}
    ).encode(),
    "etc/oslab-kernel/trial-outcome": (
        f"{RELEASE} scheduled 11111111-2222-3333-4444-555555555555\n".encode()
    ),
}


def check(text: str) -> None:
    try:
        found, plan = description.parse(text, "bob" if '"bob"' in text else "")
    except DescriptionError as error:
        # It stands in a message.
        assert len(str(error)) < 400
        assert str(error).isprintable()
        return
    # These become words of commands, and names of files.
    for name in ("release", "version", "build_id", "suite", "component"):
        assert not set(found[name]) & set(" \n\t'\"\\{}$;"), found[name]
    for its_place in (0, 9999):
        turn = rollout.turn(plan, its_place, 1 << 40)
        # Shown as a date.
        assert turn.at is None or pull.when(turn.at)


@given(hostile.texts(json.dumps(DESCRIPTION)))
def test_the_text_of_a_description(text: str) -> None:
    check(text)


@example({**DESCRIPTION, "date": 10**30})
@example({**DESCRIPTION, "packages": {"²": {}}})
@given(hostile.values(DESCRIPTION))
def test_the_values_of_a_description(value: Any) -> None:
    check(json.dumps(value))


@given(hostile.values(STEPS))
def test_steps(value: Any) -> None:
    with contextlib.suppress(rollout.RolloutError):
        steps = rollout.parse_steps(value)
        assert list(steps) == sorted(set(steps))


@given(hostile.contents(SIGNED.encode()), hostile.texts(KEY))
def test_a_signed_message(message: bytes, key: str) -> None:
    for public_key in (KEY, key):
        with contextlib.suppress(DescriptionError):
            description.check_signature(lambda argv: Result(0), message, public_key)


@given(hostile.values(DESCRIPTION), hostile.values(DESCRIPTION))
def test_what_was_published_before(previous: Any, publication: Any) -> None:
    if isinstance(previous, dict) and isinstance(publication, dict):
        made = description.compose(previous, publication, (), False, 1)
        assert isinstance(made["date"], int)


@given(hostile.files({"pull.json": json.dumps(MEMORY).encode()}), hostile.values(MEMORY))
def test_the_memory(tmp_path: Path, tree: dict[str, Any], value: Any) -> None:
    root = tmp_path / "root"
    seen = description.remembered("x", 1_800_000_000, "A" * 40)
    for state in (tree, {"pull.json": json.dumps(value).encode()}):
        hostile.put(root, state)
        with contextlib.suppress(DescriptionError):
            description.replayed(description.read_memory(root / "pull.json"), seen)


@given(hostile.files(HOST), st.booleans())
def test_the_records_of_a_host(tmp_path: Path, tree: dict[str, Any], retry: bool) -> None:
    root = tmp_path / "root"
    hostile.put(root, tree)
    plan = rollout.Rollout((), 0)
    found = pull.decide(pull.read(root), DESCRIPTION, plan, 0, 1, retry=retry)
    assert found.text.isprintable()


@given(hostile.values(json.loads(HOST["var/lib/oslab-kernel/install.json"])))
def test_the_values_of_a_record(tmp_path: Path, value: Any) -> None:
    root = tmp_path / "root"
    hostile.put(root, {**HOST, "var/lib/oslab-kernel/install.json": json.dumps(value).encode()})
    pull.decide(pull.read(root), DESCRIPTION, rollout.Rollout((), 0), 0, 1)
