# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A user's own patches: from files and addresses, in order, or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.tests.lib import kernel_mirror as mirrors

ROOT = Path(__file__).resolve().parents[4]

TAGS = ("--tags", "patch")
OURS = str(ROOT / "files/kernel/patches/0001-count-open-read-write-and-fork.patch")


def patch(before: str, after: str) -> bytes:
    return (
        "From: Somebody <somebody@example.org>\n"
        "Subject: [PATCH] one more name\n\n"
        "--- a/include/linux/uts.h\n+++ b/include/linux/uts.h\n"
        f"@@ -1 +1 @@\n-{before}\n+{after}\n"
    ).encode()


@pytest.fixture
def given(worked, fake_tarball, tmp_path):
    """A tree, unpacked; the variables that lead to it."""
    variables = {
        "source_provider": "file",
        "source_file": str(fake_tarball),
        "source_version": "6.12",
        "patch_cache": str(tmp_path / "cache"),
    }
    worked("source,version")
    return variables


@pytest.fixture
def header(given, tmp_path):
    return tmp_path / "work/trees/file-6.12/linux/include/linux/uts.h"


def contents(path):
    return {item: item.read_bytes() for item in path.rglob("*") if item.is_file()}


def test_files_and_addresses_in_order_and_offline(playbook, given, header, tmp_path):
    first = header.read_text().splitlines()[0]
    (tmp_path / "one.patch").write_bytes(patch(first, "/* one */"))
    second = patch("/* one */", "/* two */")
    server = mirrors.Server({"good": {"two.patch": second}})
    series = [
        str(tmp_path / "one.patch"),
        {
            "source": server.mirror("good/two.patch"),
            "sha256": hashlib.sha256(second).hexdigest(),
        },
    ]
    try:
        preview = playbook("build.yml", *TAGS, "--check", "--diff", **given, patch_series=series)
        assert preview.status == 0, preview.output
        assert "/* two */" in preview.output
        done = playbook("build.yml", *TAGS, **given, patch_series=series)
        assert done.status == 0, done.output
    finally:
        server.close()
    assert header.read_text().splitlines()[0] == "/* two */"
    again = playbook("build.yml", *TAGS, **given, patch_series=series)
    assert (again.status, again.recap("changed")) == (0, 0), again.output
    assert len(server.asked) == 1
    assert playbook("build.yml", *TAGS, **given, patch_series=[]).status == 0
    assert header.read_text().splitlines()[0] == first


@pytest.mark.parametrize("fault", ["hunk", "address", "bytes"])
def test_a_series_that_fails_leaves_the_tree_as_it_was(playbook, given, header, tmp_path, fault):
    first = header.read_text().splitlines()[0]
    fine, bad = patch(first, "/* one */"), patch("/* elsewhere */", "/* two */")
    (tmp_path / "one.patch").write_bytes(fine)
    server = mirrors.Server({"good": {"two.patch": bad}})
    address = server.mirror("missing/two.patch" if fault == "address" else "good/two.patch")
    sha256 = hashlib.sha256(fine if fault == "bytes" else bad).hexdigest()
    before = contents(header.parents[2])
    try:
        done = playbook(
            "build.yml",
            *TAGS,
            **given,
            patch_series=[
                str(tmp_path / "one.patch"),
                {"source": address, "sha256": sha256},
            ],
        )
    finally:
        server.close()
    assert done.status != 0
    message = {
        "hunk": "two.patch does not apply to this tree: hunk 1 of include/linux/uts.h",
        "address": f"cannot fetch {address}: HTTP status 404",
        "bytes": f"{address}: sha256 is {hashlib.sha256(bad).hexdigest()}, expected {sha256}",
    }[fault]
    assert message in " ".join(done.output.split())
    assert contents(header.parents[2]) == before


def test_lines_around_a_change_may_differ_where_the_user_says_so(playbook, given, header, tmp_path):
    lines = header.read_text().splitlines()[:4]
    body = "".join(f" {line}\n" for line in ["/* another line */", lines[1]])
    body += "+/* mine */\n" + "".join(f" {line}\n" for line in lines[2:4])
    text = "--- a/include/linux/uts.h\n+++ b/include/linux/uts.h\n@@ -1,4 +1,5 @@\n"
    (tmp_path / "mine.patch").write_text(text + body)
    series = [OURS, str(tmp_path / "mine.patch")]
    before = header.read_bytes()
    done = playbook("build.yml", *TAGS, **given, patch_series=series)
    assert done.status != 0
    assert "set patch_fuzz to 1 or 2" in " ".join(done.output.split())
    assert header.read_bytes() == before
    assert playbook("build.yml", *TAGS, **given, patch_series=series, patch_fuzz=2).status == 0
    assert "/* mine */" in header.read_text()

    # The collection's own is not given any, wherever a file of it is named from.
    fork = header.parents[2] / ".oslab/pristine/kernel/fork.c"
    fork.write_text(fork.read_text().replace("<linux/mman.h>", "<linux/others.h>"))
    done = playbook("build.yml", *TAGS, **given, patch_series=[OURS], patch_fuzz=2)
    assert done.status != 0
    assert "does not apply to this tree: hunk 1 of kernel/fork.c" in " ".join(done.output.split())
