# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role source with a mirror on this machine: from keys in files to a tree that knows them."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml
from ansible_collections.oslab.kernel.tests.lib import kernel_mirror as mirrors

ROOT = Path(__file__).resolve().parents[4]


pytestmark = pytest.mark.skipif(
    not (shutil.which("gpg") and shutil.which("gpgv")), reason="gpg and gpgv are needed"
)
TAGS = ("--tags", "source")


@pytest.fixture
def server(keys):
    good = mirrors.Content(keys, mirrors.tar_of())
    dots = mirrors.tar_of(mirrors.member("linux-6.12/../../oslab-evil"))
    served = mirrors.Server(
        {
            "good": good.files,
            "nosignature": good.without(mirrors.SIGNATURE),
            "dots": mirrors.Content(keys, dots).files,
        }
    )
    yield served
    served.close()


@pytest.fixture
def given(keys, server, tmp_path):
    """The variables of a user with mirrors and keys of their own."""
    for name in (mirrors.DEVELOPER, mirrors.AUTOSIGNER):
        (tmp_path / f"{name}.asc").write_text(keys.public(name))

    def variables(*faults, **changes):
        return {
            "source_version": mirrors.VERSION,
            "source_mirrors": [server.mirror(fault) for fault in faults],
            "source_developer_keys": str(tmp_path / "developer.asc"),
            "source_developer_fingerprints": [keys.fingerprint(mirrors.DEVELOPER)],
            "source_autosigner_key": str(tmp_path / "autosigner.asc"),
            "source_autosigner_fingerprint": keys.fingerprint(mirrors.AUTOSIGNER),
            "source_timeout": 5,
            "source_tries": 1,
            **changes,
        }

    return variables


def tree_of(tmp_path):
    return tmp_path / "work/trees/kernel_org-6.12/linux"


def downloads(tmp_path):
    return sorted(path.name for path in (tmp_path / "work/downloads").iterdir())


KEPT = [mirrors.TARBALL, f"{mirrors.TARBALL}.proof.json"]


def test_a_verified_tree_and_then_no_network(playbook, given, keys, server, tmp_path):
    done = playbook("build.yml", *TAGS, **given("missing", "slow", source_timeout=60))
    assert done.status == 0, done.output
    assert f"source: downloading {mirrors.TARBALL}" in done.output
    progress = rf"source: {re.escape(mirrors.TARBALL)}: \d+ % of 0 MiB, from 127\.0\.0\.1"
    assert re.search(progress, done.output), done.output
    state = json.loads((tree_of(tmp_path) / ".oslab/source.json").read_text())
    assert state["signed_by"] == keys.fingerprint(mirrors.DEVELOPER)
    assert state["provider"] == "kernel_org"
    assert downloads(tmp_path) == KEPT

    server.close()
    asked = len(server.asked)
    shutil.rmtree(tree_of(tmp_path))
    again = playbook("build.yml", *TAGS, **given("missing", "good"))
    assert again.status == 0, again.output
    assert again.recap("changed") == 1  # the tree
    assert len(server.asked) == asked
    assert playbook("build.yml", *TAGS, **given("good")).recap("changed") == 0


def test_quickstart_from_kernel_org(given, keys, tmp_path):
    """`make quickstart KERNEL=…` as it is typed; a tag leaves out its VM and what comes after."""
    variables = given("good", source_workdir=str(tmp_path / "work"))
    del variables["source_version"]  # KERNEL is it
    (tmp_path / "mine.yml").write_text(json.dumps(variables))
    done = subprocess.run(
        [
            *("make", "--old-file=deps", "quickstart"),
            *(f"KERNEL={mirrors.VERSION}", f"VARS={tmp_path / 'mine.yml'}"),
            *(f"OSLAB_CACHE={tmp_path / 'cache'}", f"BIN={Path(sys.executable).parent}"),
        ],
        cwd=ROOT,
        env={**os.environ, "ANSIBLE_RUN_TAGS": "source", "ANSIBLE_NOCOLOR": "1"},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    state = json.loads((tree_of(tmp_path) / ".oslab/source.json").read_text())
    assert state["provider"] == "kernel_org"
    assert state["signed_by"] == keys.fingerprint(mirrors.DEVELOPER)


def test_check_mode_on_an_untouched_machine(playbook, given, tmp_path):
    preview = playbook("build.yml", *TAGS, "--check", "--diff", **given("good"))
    assert preview.status == 0, preview.output
    assert preview.recap("changed") == 2  # download, unpack
    assert not (tmp_path / "work").exists()


@pytest.mark.parametrize(
    ("kinds", "what"), [(["autosigner"], "sha256sums.asc:"), (["developer"], "")]
)
def test_the_shipped_keys_do_not_know_the_test_mirror(playbook, given, tmp_path, kinds, what):
    variables = given("good")
    for kind in kinds:
        for name in [name for name in variables if name.startswith(f"source_{kind}_")]:
            del variables[name]
    done = playbook("build.yml", *TAGS, **variables)
    assert done.status != 0
    message = f"{what} signed by a key that is not among the given ones"
    assert message.strip() in " ".join(done.output.split())
    assert downloads(tmp_path) == []
    assert not (tmp_path / "work/trees").exists()


def test_a_tree_that_leads_out_is_not_unpacked(playbook, given, tmp_path):
    done = playbook("build.yml", *TAGS, **given("dots"))
    assert done.status != 0
    assert "leads out of the tree" in " ".join(done.output.split())
    assert downloads(tmp_path) == []


def test_a_file_of_the_users_is_looked_at_too(playbook, tmp_path):
    path = tmp_path / "linux.tar"
    path.write_bytes(mirrors.tar_of(mirrors.member("/tmp/oslab-evil")))
    done = playbook(
        "build.yml",
        *TAGS,
        source_provider="file",
        source_file=str(path),
        source_version=mirrors.VERSION,
    )
    assert done.status != 0
    assert "linux.tar is not unpacked: the member '/tmp/oslab-evil' leads out" in " ".join(
        done.output.replace("''", "'").split()
    )
    assert list((tmp_path / "work/trees").rglob("*.c")) == []
    assert not Path("/tmp/oslab-evil").exists()


@pytest.mark.parametrize("kind", ["developer", "autosigner"])
def test_the_shipped_keys_are_those_whose_fingerprints_are_pinned(tmp_path, kind):
    role = yaml.safe_load((ROOT / "roles/source/defaults/main.yml").read_text(encoding="utf-8"))
    pinned = role.get(f"source_{kind}_fingerprints") or [role[f"source_{kind}_fingerprint"]]
    name = {"developer": "kernel-developers.asc", "autosigner": "kernel-autosigner.asc"}[kind]
    shown = subprocess.run(
        [
            "gpg",
            "--homedir",
            str(tmp_path),
            "--with-colons",
            "--show-keys",
            ROOT / "files/keys" / name,
        ],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.splitlines()
    primary = [
        after.split(":")[9]
        for before, after in zip(shown, shown[1:])
        if before.startswith("pub:") and after.startswith("fpr:")
    ]
    assert sorted(primary) == sorted(entry.replace(" ", "") for entry in pinned)
