# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to GRUB's files, and in which order."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import loader as grub_loader
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.loader import Grub
from ansible_collections.oslab.kernel.plugins.module_utils._boot.loader import LoaderError, Request
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.tests.lib.grub_settings import settled

CONFIG = Path(__file__).with_name("grub_cfg") / "debian-13.cfg"
NEW = "6.12.57-49-usac1"


def steps(directory: Path, monkeypatch: pytest.MonkeyPatch, request: Request) -> list[str]:
    """What is done, a word for each."""
    done: list[str] = []
    monkeypatch.setattr(grub_loader, "flush", lambda path: done.append(f"flush {path.name}"))
    monkeypatch.setattr(
        grub_loader.grub_entry, "write_variables", lambda *_: done.append("variables")
    )
    monkeypatch.setattr(grub_loader.atomic_file, "write", lambda *_: done.append("custom"))
    environment, custom = directory / "grubenv", directory / "custom.cfg"
    files = (str(CONFIG), str(environment), str(custom))
    loader = Grub(lambda _command: Result(0), *files, settings=settled(directory))
    for step in loader.plan(request).steps:
        step()
    return done


@pytest.mark.parametrize(("state", "before"), [("default", []), ("once", ["custom"])])
def test_neither_the_kernel_nor_the_choice_stays_in_a_journal(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str, before: list[str]
) -> None:
    flushed = f"flush {tmp_path.name}"
    request = Request(state, NEW, ["panic=10"] if state == "once" else [])
    assert steps(tmp_path, monkeypatch, request) == [*before, flushed, "variables", flushed]


def test_what_is_taken_back_is_not_flushed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "grubenv").write_text("next_entry=oslab-trial\n")
    assert steps(tmp_path, monkeypatch, Request("cancelled", "", [])) == ["variables"]


def test_nothing_is_frozen_where_nothing_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = grub_loader.grub_entry.parse_menu(CONFIG.read_text()).find(NEW)
    assert chosen
    (tmp_path / "grubenv").write_text(f"saved_entry={chosen.path}\n")
    assert steps(tmp_path, monkeypatch, Request("default", NEW, [])) == []


def test_nothing_is_chosen_where_grub_does_not_look(tmp_path: Path) -> None:
    names = (str(CONFIG), str(tmp_path / "grubenv"), str(tmp_path / "custom.cfg"))
    place = "/boot is not mounted."
    loader = Grub(lambda _command: Result(0), *names, settings=settled(tmp_path), place=place)
    for state in ("once", "default"):
        with pytest.raises(LoaderError, match="is not mounted"):
            loader.plan(Request(state, NEW, []))
    assert loader.plan(Request("cancelled", "", [])).steps == []


def test_why_a_kernel_could_not_be_tried(tmp_path: Path) -> None:
    def loader(config: Path) -> Grub:
        answer = {"--target=abstraction": "", "--target=fs": "ext2"}
        return Grub(
            lambda command: Result(0, answer.get(command[1], "")),
            str(config),
            str(tmp_path / "grubenv"),
            str(tmp_path / "custom.cfg"),
            settings=settled(tmp_path),
        )

    assert loader(CONFIG).trial_problem == ""
    assert loader(CONFIG).needs_kexec == ""
    # As made where 41_custom is not executable.
    bare = tmp_path / "grub.cfg"
    bare.write_text(CONFIG.read_text().replace("custom.cfg", "other.cfg"))
    assert "41_custom executable and run update-grub" in loader(bare).trial_problem


def test_the_default_of_before(tmp_path: Path) -> None:
    environment = tmp_path / "grubenv"
    entries = [e for e in grub_loader.grub_entry.parse_menu(CONFIG.read_text()).entries if e.path]
    present = entries[-1].path

    def after(entry: str, saved: str = present) -> tuple[str, str, int]:
        environment.write_text(f"saved_entry={saved}\nnext_entry=x\n")
        files = (str(CONFIG), str(environment), "")
        loader = Grub(lambda _command: Result(0), *files, settings=settled(tmp_path))
        plan = loader.plan(Request("restored", entry=entry))
        return plan.after.default_entry, plan.after.next_entry, len(plan.steps)

    # As it was written: by ids, positions or titles.
    for entry in (entries[0].path, "0", "1>0", entries[0].named, ""):
        assert after(entry) == (entry, "", 1)
    # One that is gone: what is the default now, if it is there.
    assert after("gone") == (present, "", 1)
    assert after("gone", "gone, too") == ("", "", 1)
    environment.write_text(f"saved_entry={present}\n")
    files = (str(CONFIG), str(environment), "")
    loader = Grub(lambda _command: Result(0), *files, settings=settled(tmp_path))
    assert loader.plan(Request("restored", entry=present)).steps == []
