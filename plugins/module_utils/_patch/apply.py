# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Change a kernel tree to the wanted state, always computed from its stock files.

The stock text of every file that is touched is kept in `.oslab/pristine/`; each run computes the
wanted files from those and writes the ones that differ. So a second run changes nothing, and a
run with other variables leaves what a fresh one would. Files that stay the same keep their time
stamps, so `make` rebuilds no more than needed.
"""

from __future__ import annotations

import difflib
import hashlib
import re
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Callable, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    atomic_file,
    bounded_read,
    json_file,
    kernel_makefile,
    tree_records,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import FullRunner
from ansible_collections.oslab.kernel.plugins.module_utils._kconfig.tree import KconfigTree
from ansible_collections.oslab.kernel.plugins.module_utils._patch import edits, hooks, record
from ansible_collections.oslab.kernel.plugins.module_utils._patch.edits import EditError, Syscall
from ansible_collections.oslab.kernel.plugins.module_utils._source import workdir

# As patch(1) has it by default: with more, a piece of three lines of context fits anywhere.
MOST_FUZZ = 2

_UNPACK = "remove the tree and run the role source again"
_UNSUPPORTED = {
    "removes a file": r"^\+\+\+ /dev/null",
    "renames or copies a file": r"^diff --git .*\n(?:.*\n){0,3}?(?:rename|copy) from ",
    "changes a binary file": r"^GIT binary patch",
}


@dataclass(frozen=True)
class PatchFile:
    """A patch in unified format, with the name under which it is reported."""

    name: str
    text: str
    own: bool = True  # the user's, not of the collection

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()

    def touches(self) -> list[str]:
        """Paths in the tree that the patch changes or creates; deleting is not supported."""
        for what, found in _UNSUPPORTED.items():
            if re.search(found, self.text, re.MULTILINE):
                raise EditError(f"{self.name} {what}: patches may only change and add files")
        paths = re.findall(r"^\+\+\+ b/(\S+)", self.text, re.MULTILINE)
        if not paths:
            raise EditError(
                f"{self.name}: no '+++ b/…' lines; a patch must be in the form of git format-patch"
            )
        for path in paths:
            if path.startswith("/") or ".." in Path(path).parts:
                raise EditError(f"{self.name}: the path {path!r} leads out of the tree")
        return paths


@dataclass(frozen=True)
class Plan:
    """All that the tree is to carry."""

    sysname: str
    banner: str
    syscalls: Sequence[Syscall] = ()
    headers: dict[str, str] = field(default_factory=dict)  # path in the tree → text
    patches: Sequence[PatchFile] = ()
    fuzz: int = 0  # lines of context that may differ, in patches of the user's


@dataclass
class Outcome:
    """What was (or in check mode would be) done to the tree."""

    changed: list[str]
    state: dict[str, Any]
    before: str
    after: str


def _is_inside(path: Any) -> bool:
    """Whether it is the path of a file below the tree."""
    return isinstance(path, str) and not path.startswith("/") and ".." not in Path(path).parts


class Tree:
    """The tree's files, with the stock ones within reach."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.pristine = root / tree_records.PRISTINE
        self.state_file = root / tree_records.PATCH
        self.state: dict[str, Any] = {}
        try:
            self.state = bounded_read.json_object(self.state_file)
        except FileNotFoundError:
            pass
        except (OSError, ValueError) as error:
            raise EditError(f"{self.state_file} cannot be read ({error}): {_UNPACK}") from error
        created = self.state.get("created", [])
        if not isinstance(created, list) or not all(map(_is_inside, created)):
            raise EditError(f"{self.state_file} names files that are not in the tree: {_UNPACK}")
        self.created: list[str] = created

    def _pristine(self, path: str) -> Path:
        return self.pristine / path

    def kept_files(self) -> list[str]:
        """Paths whose stock text is kept."""
        files = (item for item in self.pristine.rglob("*") if item.is_file())
        return sorted(str(item.relative_to(self.pristine)) for item in files)

    def stock(self, path: str) -> Optional[str]:
        """The stock text, or None where the stock tree has no such file."""
        if path in self.created:
            return None
        for candidate in (self._pristine(path), self.root / path):
            if candidate.is_file():
                return candidate.read_text(encoding="utf-8")
        return None

    def stock_of(self, path: str) -> str:
        text = self.stock(path)
        if text is None:
            raise EditError(f"{path}: the tree has no such file; is it a kernel's source tree?")
        return text

    def current(self, path: str) -> Optional[str]:
        file = self.root / path
        return file.read_text(encoding="utf-8") if file.is_file() else None

    def keep(self, path: str) -> None:
        """Save the stock text before the first change of a file."""
        pristine = self._pristine(path)
        if pristine.exists():
            return
        text = self.stock_of(path)
        workdir.make(pristine.parent)
        _write(pristine, text)

    def write_state(self, state: dict[str, Any]) -> None:
        workdir.make(self.state_file.parent)
        json_file.write(self.state_file, state)


def _write(path: Path, text: str) -> None:
    """Replace a file in one step: a killed run leaves the old text or the new."""
    mode = workdir.safe_mode(path.stat().st_mode) if path.exists() else 0o644
    atomic_file.write(path, text, mode)


def first_failure(output: str, text: str) -> str:
    """Which hunk it was, from what patch(1) said; empty if it said nothing of the kind."""
    path = ""
    for line in output.splitlines():
        header = re.match(r"(?:patching file|\|\+\+\+ b/)\s*'?([^\s']+)", line)
        if header:
            path = header.group(1)
        elif line.startswith("No file to patch"):
            return f"the tree has no file {path}"
        elif line.startswith("Reversed (or previously applied)"):
            return f"the tree has what it does to {path} already"
        hunk = re.match(r"Hunk #(\d+) FAILED at (\d+)", line)
        if hunk:
            number = int(hunk.group(1))
            of_file = text.partition(f"+++ b/{path}")[2]
            heads = re.findall(r"^@@ .*@@.*$", of_file, re.MULTILINE)
            head = f" ({heads[number - 1]})" if number <= len(heads) else ""
            return f"hunk {number} of {path}{head} finds no place near line {hunk.group(2)}"
    return ""


def _refused(item: PatchFile, output: str, fuzz: int) -> EditError:
    first = first_failure(output, item.text)
    advice = ""
    if item.own and fuzz < MOST_FUZZ and " finds no place " in first:
        advice = (
            "Make the patch anew for this tree, or, where only lines around the change differ, set "
            f"patch_fuzz to {' or '.join(str(more) for more in range(fuzz + 1, MOST_FUZZ + 1))}. "
        )
    return EditError(
        f"{item.name} does not apply to this tree{': ' if first else ''}{first}; "
        f"nothing was changed. {advice}patch said:\n{output.strip()}"
    )


def _check_hooks(item: PatchFile, before: dict[str, str], after: dict[str, str]) -> None:
    """Refuse a patch whose hooks have come into other functions than it says."""
    wrong = [
        sentence
        for path in item.touches()
        for sentence in hooks.misplaced(item.text, path, before.get(path, ""), after[path])
    ]
    if wrong:
        raise EditError(
            f"{item.name} applies to this tree, but not where it should: {'; '.join(wrong)}; "
            "nothing was changed. This kernel's functions differ from those that the patch was "
            "made for: move these lines in a copy of the patch, and name the copy in patch_series"
        )


def apply_patches(
    tree: Tree, patches: Sequence[PatchFile], run: FullRunner, fuzz: int = 0
) -> dict[str, str]:
    """The texts of the patched files, made in a directory of their own.

    Patches of the collection get no fuzz: they are known to apply without.
    """
    paths = sorted({path for item in patches for path in item.touches()})
    texts = {path: text for path in paths if (text := tree.stock(path)) is not None}
    if not patches:
        return texts
    with tempfile.TemporaryDirectory(prefix="oslab-patch-") as scratch:
        for path in paths:
            target = Path(scratch, path)
            target.parent.mkdir(parents=True, exist_ok=True)
            if path in texts:
                target.write_text(texts[path], encoding="utf-8")
        for item in patches:
            file = Path(scratch, ".patch")
            file.write_text(item.text, encoding="utf-8")
            allowed = fuzz if item.own else 0
            done = run(
                [
                    "patch", "--strip=1", f"--fuzz={allowed}", "--forward", "--batch",
                    "--no-backup-if-mismatch", "--reject-file=-", f"--input={file}",
                ],
                Path(scratch),
            )  # fmt: skip
            if done.status != 0:
                raise _refused(item, done.both, allowed)
            patched = {
                path: Path(scratch, path).read_text(encoding="utf-8") for path in item.touches()
            }
            _check_hooks(item, texts, patched)
            texts.update(patched)
        return texts


def wanted_files(tree: Tree, plan: Plan, run: FullRunner) -> tuple[dict[str, str], dict[str, int]]:
    """Path → text of every file that the plan touches, and the syscalls' numbers."""
    numbers = edits.choose_numbers(edits.parse_table(tree.stock_of(edits.TABLE)), plan.syscalls)
    if plan.syscalls:
        symbols = KconfigTree(tree.root, "x86").symbols
        edits.check_symbols(plan.syscalls, {name: one.files for name, one in symbols.items()})
    files = apply_patches(tree, plan.patches, run, plan.fuzz)
    if edits.TOP in files:  # EXTRAVERSION is the role version's to set
        files[edits.TOP] = kernel_makefile.keep_extraversion(
            files[edits.TOP], tree.current(edits.TOP) or ""
        )

    def edit(path: str, function: Callable[[str], str]) -> None:
        files[path] = function(files[path] if path in files else tree.stock_of(path))

    def add(path: str, text: str) -> None:
        if tree.stock(path) is not None or path in files:
            raise EditError(f"{path}: the tree already has this file; choose another name")
        files[path] = text

    if plan.sysname != "Linux":
        edit(edits.UTS, lambda text: edits.set_sysname(text, plan.sysname))
    if plan.banner.strip():
        edit(edits.START, lambda text: edits.add_banner(text, plan.banner))
    edit(edits.INSTALL, edits.add_manifest_rule)
    if plan.syscalls:
        edit(edits.TABLE, lambda text: edits.add_table_lines(text, numbers))
        edit(edits.PROTOTYPES, lambda text: edits.add_prototypes(text, plan.syscalls))
        edit(edits.NOT_IMPLEMENTED, lambda text: edits.add_not_implemented(text, plan.syscalls))
        edit(edits.OBJECTS, lambda text: edits.add_objects(text, plan.syscalls))
        edit(edits.KCONFIG_PARENT, edits.source_kconfig)
        add(edits.KCONFIG, edits.kconfig(plan.syscalls))
        for call in plan.syscalls:
            add(f"kernel/{call.source}", call.text)
    for path, text in plan.headers.items():
        if path.startswith("/") or ".." in Path(path).parts:
            raise EditError(f"patch_headers: the path {path!r} leads out of the tree")
        add(path, text)
    return files, numbers


def _digest(files: dict[str, str]) -> str:
    """One hash over all wanted files: what the build depends on."""
    total = hashlib.sha256()
    for path in sorted(files):
        total.update(f"{path}\0{hashlib.sha256(files[path].encode()).hexdigest()}\n".encode())
    return total.hexdigest()


def _diff(tree: Tree, changes: dict[str, Optional[str]]) -> tuple[str, str]:
    """Both sides of every changed file, cut to the lines around the changes."""
    before, after = [], []
    for path, text in sorted(changes.items()):
        old = (tree.current(path) or "").splitlines()
        new = (text or "").splitlines()
        matcher = difflib.SequenceMatcher(None, old, new, autojunk=False)
        before.append(f"{path}:")
        after.append(f"{path}:")
        for group in matcher.get_grouped_opcodes(2):
            before += old[group[0][1] : group[-1][2]]
            after += new[group[0][3] : group[-1][4]]
    return "\n".join(before) + "\n", "\n".join(after) + "\n"


def apply(root: Path, plan: Plan, run: FullRunner, check: bool = False) -> Outcome:
    """Change the tree at `root` to match the plan; with `check`, only predict the changes."""
    tree = Tree(root)
    files, numbers = wanted_files(tree, plan, run)

    # Files of an earlier run that the plan no longer touches go back to stock.
    wanted: dict[str, Optional[str]] = dict(files)
    for path in [*tree.kept_files(), *tree.created]:
        if path not in wanted:
            wanted[path] = tree.stock(path)
    changes = {path: text for path, text in wanted.items() if tree.current(path) != text}

    created = sorted(path for path in files if tree.stock(path) is None)
    state: dict[str, Any] = {
        "sysname": plan.sysname,
        "banner": plan.banner,
        "syscalls": numbers,
        "entries": [
            record.entry(record.Added(call.name, call.kconfig, call.source, call.own, call.called))
            for call in plan.syscalls
        ],
        "patches": [{"name": item.name, "sha256": item.sha256} for item in plan.patches],
        "sha256": _digest(files),
        "created": created,
    }
    before, after = _diff(tree, changes)
    outcome = Outcome(sorted(changes), state, before, after)
    if check or (not changes and state == tree.state):
        return outcome

    # First what is needed to come back, then the changes, then the record that they are made.
    for path in files:
        if path not in created:
            tree.keep(path)
    unfinished = dict(tree.state, sha256="", created=sorted({*tree.created, *created}))
    tree.write_state(unfinished)
    for path, text in changes.items():
        target = root / path
        if text is None:
            target.unlink(missing_ok=True)
        else:
            workdir.make(target.parent)
            _write(target, text)
    tree.write_state(state)
    return outcome
