# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Are two builds in two stores the same, byte for byte? If not: where do they differ?"""

from __future__ import annotations

import difflib
import hashlib
import io
import json
import shutil
import subprocess
import tarfile
from pathlib import Path

# How a build went: seconds, paths. What it says of the packages is compared.
RECORD = "build.json"
RECORDED = ("build_id", "release", "version", "packages", "files", "buildinfo", "manifest")
# Of a report; the whole one is longer than anybody reads.
LINES = 60


def sha256(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def build_directory(store: Path) -> Path:
    """The one build in a store."""
    builds = [path for path in store.iterdir() if not path.name.startswith(".")]
    if len(builds) != 1:
        raise ValueError(f"{store} holds {len(builds)} builds, not one")
    return builds[0]


def differing(first: Path, second: Path) -> list[str]:
    """Names of what differs between two builds in a store; what only one of them has, too."""
    names = {path.name for build in (first, second) for path in build.iterdir()}
    found = []
    for name in sorted(names - {RECORD}):
        one, other = first / name, second / name
        if not (one.is_file() and other.is_file() and one.read_bytes() == other.read_bytes()):
            found.append(name)
    records = [
        json.loads((build / RECORD).read_text(encoding="utf-8")) for build in (first, second)
    ]
    found += [f"{RECORD}: {key}" for key in RECORDED if records[0].get(key) != records[1].get(key)]
    return found


def members(package: Path, what: str) -> dict[str, str]:
    """Path → all that a .deb says of it: `--fsys-tarfile` or `--ctrl-tarfile`."""
    done = subprocess.run(["dpkg-deb", what, str(package)], stdout=subprocess.PIPE, check=True)
    found = {}
    with tarfile.open(fileobj=io.BytesIO(done.stdout)) as tar:
        for member in tar:
            content = tar.extractfile(member) if member.isfile() else None
            digest = hashlib.sha256(content.read()).hexdigest() if content else member.linkname
            found[member.name] = (
                f"mode {member.mode:o} owner {member.uname}:{member.gname} "
                f"time {member.mtime} size {member.size} {digest[:16]}"
            )
    return found


def where(first: Path, second: Path) -> list[str]:
    """Of two packages, or texts: the files or lines that are not the same."""
    if not (first.is_file() and second.is_file()):
        return [f"only {first if first.is_file() else second} is there"]
    if first.suffix != ".deb":
        before, after = (path.read_text(encoding="utf-8").splitlines() for path in (first, second))
        return list(difflib.unified_diff(before, after, str(first), str(second), lineterm="", n=1))
    differences = []
    for what in ("--ctrl-tarfile", "--fsys-tarfile"):
        one, other = members(first, what), members(second, what)
        for name in sorted({*one, *other}):
            if one.get(name) != other.get(name):
                differences += [name, f"  - {one.get(name)}", f"  + {other.get(name)}"]
        if not differences and list(one) != list(other):
            differences.append(f"the order of the files in {what}")
    return differences or ["the archives themselves: all files in them are the same"]


def diffoscope(first: Path, second: Path) -> list[str]:
    """Why they differ, if the program is there."""
    program = shutil.which("diffoscope")
    if program is None:
        return ["(apt install diffoscope-minimal binutils: then this says what in them differs)"]
    argv = [program, "--text", "-", "--no-progress", str(first), str(second)]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    return (done.stdout or done.stderr).splitlines()


def report(first: Path, second: Path, reports: Path) -> tuple[bool, str]:
    """(the same?, what to print); what is too long for that is written below `reports`."""
    names = differing(first, second)
    if not names:
        files = sorted(path for path in first.iterdir() if path.name != RECORD)
        lines = [f"  {sha256(path)[:16]}…  {path.name}" for path in files]
        return True, "\n".join([*lines, f"the same, byte for byte: build {first.name}"])
    report_lines = [f"These differ: {', '.join(names)}"]
    for name in names:
        if name.startswith(RECORD):
            continue
        one, other = first / name, second / name
        report_lines += ["", f"--- {name}", *where(one, other)[:LINES]]
        if one.is_file() and other.is_file() and one.suffix == ".deb":
            lines = diffoscope(one, other)
            report_lines += lines[:LINES]
            if len(lines) > LINES:
                reports.mkdir(parents=True, exist_ok=True)
                whole = reports / f"{name}.diffoscope.txt"
                whole.write_text("\n".join(lines) + "\n", encoding="utf-8")
                report_lines.append(f"… {len(lines) - LINES} lines more in {whole}")
    return False, "\n".join(report_lines)


def half_made(store: Path) -> list[Path]:
    """What bears a build's name, and is none."""
    bad = []
    builds = [] if not store.exists() else list(store.iterdir())
    for build in [path for path in builds if not path.name.startswith(".")]:
        try:
            record = json.loads((build / "build.json").read_text(encoding="utf-8"))
            for package in record["packages"].values():
                argv = ["dpkg-deb", "--contents", str(build / package["file"])]
                subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
        except (OSError, ValueError, KeyError, subprocess.CalledProcessError):
            bad.append(build)
    return bad
