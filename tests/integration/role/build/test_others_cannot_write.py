# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Nobody but the one who builds can write to what is built, whatever the umask."""

from __future__ import annotations

import os

import pytest


def writable(top):
    return [
        f"{path.relative_to(top)} {path.stat().st_mode:o}"
        for path in [top, *top.rglob("*")]
        if not path.is_symlink() and path.stat().st_mode & 0o022
    ]


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_a_build(role, umask):
    source = role.directory / "sources" / "tools"
    (source / "below").mkdir()
    (source / "below" / "script").write_text("#!/bin/sh\n")
    for path in (role.directory / "sources").rglob("*"):
        path.chmod(0o777 if path.is_dir() or path.name == "script" else 0o666)
    # It is the role source that takes care of the tree.
    for path in (role.directory / "trees", *(role.directory / "trees").rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o755)
    before = os.umask(umask)
    try:
        done = role.run()
    finally:
        os.umask(before)
    assert done.status == 0, done.output
    assert [writable(role.directory / name) for name in ("trees", "store", "ccache")] == [[]] * 3
    copied = role.tree.parent / "oslab" / "tools"
    modes = [oct(path.stat().st_mode & 0o777) for path in (copied, copied / "below/script")]
    assert modes == ["0o755", "0o755"]
    assert (copied / "hello_tool.c").stat().st_mode & 0o777 == 0o644
    for path in (role.store, *role.store.rglob("*")):
        assert path.stat().st_mode & 0o044 == 0o044, path
    assert (role.work / "lock").stat().st_mode & 0o777 == 0o600
    assert role.run().recap("changed") == 0
