# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-playbook that remembers modules packed by earlier runs: quick_playbook.py PROGRAM …

ansible-playbook packs a module and what it imports once a run, which takes as much of a processor
as the module itself; and a host compiles all of that at each call. Here a run leaves what it has
packed, and compiled files beside the sources, for the runs after it. Sources that change are packed
anew. What runs is PROGRAM itself, in this process.
"""

from __future__ import annotations

import base64
import contextlib
import dataclasses
import hashlib
import importlib.util
import io
import marshal
import os
import runpy
import shutil
import sys
import tempfile
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
MEMORY = ROOT / ".cache/packed_modules"
COLLECTION = "ansible_collections/oslab/kernel"
# Modules of the collection ship these as they are: they ask the loader for the file, which would be
# the compiled one.
SHIPPED = ("_build/enter.py", "_verify/syscalls.py")


def compiled(name: str, source: bytes) -> bytes:
    """As a .pyc that is taken without a look at the source; other releases of Python ignore it."""
    head = importlib.util.MAGIC_NUMBER + (1).to_bytes(4, "little")
    code = compile(source, name, "exec", dont_inherit=True)
    return head + importlib.util.source_hash(source) + marshal.dumps(code)


def with_compiled(packed: bytes) -> bytes:
    """The archive, and each source compiled but those that are read."""
    out = io.BytesIO(packed)
    with zipfile.ZipFile(out, "a", zipfile.ZIP_DEFLATED) as archive:
        for info in archive.infolist():
            if info.filename.endswith(".py") and not info.filename.endswith(SHIPPED):
                data = compiled(info.filename, archive.read(info))
                archive.writestr(f"{info.filename}c", data)
    return out.getvalue()


def memory() -> Path | None:
    """Where modules of this state of the sources are; nowhere if a playbook may bring others."""
    from ansible import constants, release

    place = next((x for x in constants.COLLECTIONS_PATHS if Path(x, COLLECTION).is_dir()), None)
    if place is None or os.environ.get("ANSIBLE_LIBRARY"):
        return None
    books = [Path(word) for word in sys.argv if word.endswith((".yml", ".json"))]
    for directory in {path.parent for path in [*books, Path("x")]}:
        others = directory / "collections"
        if (directory / "library").exists() or (
            others.exists() and others.resolve() != Path(place).resolve()
        ):
            return None
    plugins = Path(place, COLLECTION, "plugins").resolve()
    digest = hashlib.sha256(f"{release.__file__} {release.__version__} {sys.version}".encode())
    for path in [Path(__file__), *sorted(plugins.rglob("*.py"))]:
        status = path.stat()
        digest.update(f"{path} {status.st_size} {status.st_mtime_ns}\n".encode())
    directory = MEMORY / digest.hexdigest()[:32]
    if not directory.exists():
        forget(time.time() - 86400)
        # What is read there is run; some tests have a umask with which others may write.
        for place in (MEMORY.parent, MEMORY, directory):
            place.mkdir(exist_ok=True, mode=0o755)
    return directory


def forget(before: float) -> None:
    """Of states of the sources that have been replaced."""
    for old in MEMORY.glob("*"):
        if old.stat().st_mtime < before:
            shutil.rmtree(old, ignore_errors=True)


def keep(path: Path, directory: Path) -> None:
    """At once, whoever else does the same."""
    from ansible.executor.module_common import _CachedModule

    module = _CachedModule.load(str(path))
    packed = base64.b64encode(with_compiled(base64.b64decode(module.zip_data)))
    with tempfile.TemporaryDirectory(dir=directory) as made:
        dataclasses.replace(module, zip_data=packed).dump(f"{made}/module")
        Path(made, "module").replace(directory / path.name)


@contextlib.contextmanager
def remembered() -> Iterator[None]:
    from ansible import constants

    directory = memory()
    if directory is None:
        yield
        return
    here = Path(constants.DEFAULT_LOCAL_TMP) / "ansiballz_cache"
    here.mkdir()
    for path in directory.iterdir():
        if path.is_file():
            (here / path.name).symlink_to(path)
    try:
        yield
    finally:
        for path in here.iterdir():
            whole = not path.name.endswith((".lock", "-part"))
            if whole and not path.is_symlink() and not (directory / path.name).exists():
                keep(path, directory)


if __name__ == "__main__":
    sys.argv = sys.argv[1:]
    # Other releases of Ansible keep them in another form.
    from ansible.executor import module_common

    known = hasattr(module_common, "_CachedModule")
    with remembered() if known else contextlib.nullcontext():
        runpy.run_path(sys.argv[0], run_name="__main__")
