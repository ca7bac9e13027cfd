# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Other machines that compile: which can be used, and what is said of the others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Optional

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build.remote_compilation import (
    Remote,
    RemoteError,
    environment,
    problem,
    usable_hosts,
    wrapper,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result

WORK = Path("/w")


def test_ccache_is_asked_first() -> None:
    distcc = Remote("distcc", "a b")
    assert wrapper(distcc, ccache=True) == "ccache "
    assert environment(distcc, True, WORK)["CCACHE_PREFIX"] == "distcc"
    assert wrapper(distcc, ccache=False) == "distcc "
    assert environment(distcc, False, WORK) == {
        "DISTCC_HOSTS": "a b",
        "DISTCC_DIR": "/w/distcc",
        "DISTCC_NO_REWRITE_CROSS": "1",
    }
    assert wrapper(Remote(), ccache=False) == ""
    assert environment(Remote(), True, WORK) == {}


@pytest.mark.parametrize(
    ("remote", "ccache", "message"),
    [
        (Remote(ccache_remote="http://a/"), False, "build_ccache is false"),
        (Remote("icecc", "a"), True, "build_distribute_hosts is for distcc"),
        (Remote("distcc", " "), True, "names no host"),
        (Remote("icecc"), True, "icecc, which the builder lacks"),
    ],
)
def test_what_is_wrong_names_its_variable(remote: Remote, ccache: bool, message: str) -> None:
    assert message in (problem(remote, ccache, lambda name: None) or "")


def test_nothing_is_wrong() -> None:
    assert problem(Remote("distcc", "a"), True, lambda name: name) is None
    assert problem(Remote(), False, lambda name: None) is None


class Workers:
    """Each makes an object of its own kind; gcc here makes b"good"."""

    def __init__(self, **objects: bytes) -> None:
        self.objects = objects

    def run(
        self,
        argv: Sequence[str],
        cwd: Optional[Path] = None,
        environment: Optional[Mapping[str, str]] = None,
    ) -> Result:
        output = Path(argv[argv.index("-o") + 1])
        if argv[0] == "gcc":
            output.write_bytes(b"good")
            return Result(0)
        settings = environment or {}
        assert settings["DISTCC_FALLBACK"] == "0"
        made = self.objects.get(settings["DISTCC_HOSTS"].split("/")[0])
        if made is None:
            return Result(1, "connection refused")
        output.write_bytes(made)
        return Result(0)


def test_who_does_not_answer_is_done_without() -> None:
    workers = Workers(a=b"good")
    used, silent = usable_hosts(Remote("distcc", "--randomize localhost a/8 b"), workers.run)
    assert (used, silent) == ("--randomize localhost a/8", ["b"])


def test_another_compiler_is_refused() -> None:
    with pytest.raises(RemoteError, match="b of build_distribute_hosts compiles otherwise"):
        usable_hosts(Remote("distcc", "a b"), Workers(a=b"good", b=b"other").run)


def test_nobody_answers() -> None:
    with pytest.raises(RemoteError, match=r"no host of build_distribute_hosts compiles \(a, b\)"):
        usable_hosts(Remote("distcc", "localhost a b"), Workers().run)
