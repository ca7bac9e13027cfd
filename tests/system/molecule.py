#!/usr/bin/env python3
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Molecule, with the longest tasks and the reason of a failure as its last words.

    molecule.py [MOLECULE'S ARGUMENTS]...

When a step fails, Molecule removes its machines, which is hundreds of lines. Who reads a log from
its end, or is shown no more of it, finds there what Ansible said of the task that failed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator
from datetime import datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
#: Molecule finds it by itself only in a clone of git, and not beside another --base-config.
BASE = ROOT / ".config/molecule/config.yml"
#: A line of Ansible's log begins with this; those that follow without it belong to it.
RECORD = re.compile(r"^(\d{4}-\d\d-\d\d \d\d:\d\d:\d\d),\d{3} p=\d+ u=\S* n=\S+ [A-Z]+\|\s?")
TASKS = ("TASK [", "RUNNING HANDLER [")
LOST = re.compile(r"^(fatal|failed): \[")
#: Enough of each to know what happened; the whole is further up.
CHARACTERS = 1200
FAILURES = 3
LONGEST = 12


def records(lines: Iterable[str]) -> Iterator[str]:
    """What was logged, piece by piece, without the time."""
    piece = ""
    for line in lines:
        begin = RECORD.match(line)
        if begin:
            yield piece
            piece = line[begin.end() :]
        else:
            piece += line
    yield piece


def failures(lines: Iterable[str]) -> list[str]:
    """Each failed task with what it said. One that a rescue has answered is among them."""
    task, found = "", []
    for piece in records(lines):
        if piece.startswith(TASKS):
            task = piece.strip().rstrip("* ")
        elif LOST.match(piece):
            text = piece.strip()
            cut = f"{text[:CHARACTERS]} …" if len(text) > CHARACTERS else text
            found.append(f"{task}\n{cut}")
    return found


def longest(lines: Iterable[str], count: int = LONGEST) -> list[str]:
    """The tasks that took longest, with their seconds, each to the begin of the next one."""
    took: list[tuple[float, str]] = []
    task, began = "", datetime.min
    for line in lines:
        begin = RECORD.match(line)
        words = line[begin.end() :] if begin else ""
        if begin and words.startswith((*TASKS, "PLAY")):
            now = datetime.fromisoformat(begin[1])
            took += [((now - began).total_seconds(), task)] if task else []
            task, began = (words.strip().rstrip("* ") if words.startswith(TASKS) else ""), now
    return [f"{seconds:6.0f} s  {name}" for seconds, name in sorted(took, reverse=True)[:count]]


def run(arguments: list[str]) -> int:
    with tempfile.TemporaryDirectory(prefix="oslab-molecule-") as scratch:
        log = Path(scratch) / "ansible.log"
        environment = {
            "MOLECULE_COMMAND_BORDERS": "false",
            **os.environ,
            "ANSIBLE_LOG_PATH": str(log),
        }
        status = subprocess.run(
            ["molecule", "--base-config", str(BASE), *arguments],
            cwd=ROOT,
            env=environment,
            check=False,
        ).returncode
        if log.exists():
            with log.open(encoding="utf-8", errors="replace") as lines:
                slow = longest(lines)
            if slow:
                print("\nThe tasks that took longest:", *slow, sep="\n")
        if status and log.exists():
            with log.open(encoding="utf-8", errors="replace") as lines:
                found = failures(lines)
            for text in found[-FAILURES:]:
                print(f"\n{text}")
    return status


if __name__ == "__main__":
    try:
        sys.exit(run(sys.argv[1:]))
    except FileNotFoundError as error:
        sys.exit(f"{Path(__file__).name}: {error}; call make, which installs it")
    except KeyboardInterrupt:
        sys.exit(130)
