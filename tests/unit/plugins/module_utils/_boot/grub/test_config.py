# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The menu that takes the place of another one; test_pinned.py cuts the power in between."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import config as grub_config
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.entry import GrubError
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result


def make_new(command: Sequence[str]) -> Result:
    """grub-mkconfig."""
    assert command[:4] == ["timeout", "1800", "env", "grub-mkconfig"]
    Path(command[-1].partition("=")[2]).write_text("new\n")
    return Result(0)


def nothing() -> None:
    """No journal."""


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "grub.cfg"
    path.write_text("old\n")
    path.chmod(0o640)
    return path


def names(config: Path) -> list[str]:
    return sorted(path.name for path in config.parent.iterdir())


def test_it_is_put_in_place_between_two_flushes(config: Path) -> None:
    seen: list[tuple[str, list[str]]] = []
    grub_config.make(
        make_new,
        config,
        lambda _text: "",
        lambda: seen.append((config.read_text(), names(config))),
    )
    # The blocks of the old one belong to it until the new one is on the disk.
    assert seen == [
        ("old\n", [".grub.cfg.oslab-new", "grub.cfg"]),
        ("new\n", [".grub.cfg.oslab-old", "grub.cfg"]),
    ]
    assert names(config) == ["grub.cfg"]
    assert config.stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize("links", [True, False])
@pytest.mark.parametrize("fails", ["flush", "settle"])
def test_what_fails_after_it_is_in_place_puts_the_old_one_back(
    config: Path, fails: str, links: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_link(*_names: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    if not links:
        monkeypatch.setattr(os, "link", no_link)

    def act(what: str) -> None:
        if what == fails and config.read_text() == "new\n":
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space left"):
        grub_config.make(
            make_new,
            config,
            lambda _text: "",
            lambda: act("flush"),
            settle=lambda: act("settle"),
        )
    assert config.read_text() == "old\n"
    assert config.stat().st_mode & 0o777 == 0o640
    assert names(config) == ["grub.cfg"]


def test_a_link_stays(config: Path) -> None:
    link = config.with_name("link.cfg")
    link.symlink_to(config)
    grub_config.make(make_new, link, lambda _text: "", nothing)
    assert link.is_symlink()
    assert config.read_text() == "new\n"


def test_what_a_killed_run_has_left_is_in_nobody_s_way(config: Path) -> None:
    for name in ("new", "new.new", "old"):
        config.with_name(f".grub.cfg.oslab-{name}").write_text("x")
    grub_config.make(make_new, config, lambda _text: "", nothing)
    assert names(config) == ["grub.cfg"]
    assert config.read_text() == "new\n"


@pytest.mark.parametrize("reason", ["it boots another kernel", ""])
def test_one_that_is_refused_or_was_not_made(config: Path, reason: str) -> None:
    def fail(command: Sequence[str]) -> Result:
        make_new(command)
        made = Path(command[-1].partition("=")[2])
        made.rename(made.with_name(f"{made.name}.new"))
        return Result(1, "", "Syntax errors are detected")

    with pytest.raises(GrubError, match=reason or "Syntax errors"):
        grub_config.make(make_new if reason else fail, config, lambda _text: reason, nothing)
    assert (names(config), config.read_text()) == (["grub.cfg"], "old\n")


def test_a_file_system_without_links(config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_paths: object) -> None:
        raise PermissionError(1, "Operation not permitted")

    monkeypatch.setattr(grub_config.os, "link", refuse)
    grub_config.make(make_new, config, lambda _text: "", nothing)
    assert config.read_text() == "new\n"
