# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Make a Debian package of a directory, the same one for the same files, and read one."""

from __future__ import annotations

import contextlib
import hashlib
import os
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    FullRunner,
    locale_environment,
    output_summary,
    required_output,
)

_CHUNK = 1 << 20

MAINTAINER = "oslab.kernel <oslab@localhost>"


class PackageError(Exception):
    """dpkg-deb refused."""


@contextlib.contextmanager
def contents(path: Path) -> Iterator[IO[bytes]]:
    """The tar of a .deb's files; dpkg-deb knows every compression that it may have.

    Raises PackageError, also in place of what tarfile raises of a damaged one.
    """
    argv = ["dpkg-deb", "--fsys-tarfile", str(path)]
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(
            argv,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            env=locale_environment(),
        ) as process,
    ):
        if process.stdout is None:
            raise AssertionError("stdout is a pipe")
        try:
            yield process.stdout
            while process.stdout.read(_CHUNK):  # the padding at the end
                pass
        # The last: numbers in headers that are none.
        except (tarfile.TarError, EOFError, ValueError, OverflowError) as error:
            raise PackageError(f"{path} cannot be read: {error}") from error
        process.wait()
        errors.seek(0)
        error_output = errors.read(_CHUNK).decode("utf-8", "replace")
    if process.returncode != 0:
        reason = output_summary("", error_output)
        raise PackageError(f"{' '.join(argv)} ended with status {process.returncode}: {reason}")


@dataclass(frozen=True)
class Package:
    name: str
    version: str
    architecture: str
    section: str
    summary: str
    description: str
    source: str
    depends: str = ""
    suggests: str = ""
    scripts: Mapping[str, str] = field(default_factory=dict)

    @property
    def filename(self) -> str:
        return f"{self.name}_{self.version}_{self.architecture}.deb"


def control(package: Package, installed_kib: int) -> str:
    """The control file, in the order that Debian's tools write it."""
    fields = {
        "Package": package.name,
        "Source": package.source,
        "Version": package.version,
        "Architecture": package.architecture,
        "Maintainer": MAINTAINER,
        "Installed-Size": str(installed_kib),
        "Depends": package.depends,
        "Suggests": package.suggests,
        "Section": package.section,
        "Priority": "optional",
        "Description": f"{package.summary}\n {package.description}",
    }
    return "".join(f"{name}: {value}\n" for name, value in fields.items() if value)


def compression(environment: Mapping[str, str]) -> list[str]:
    """As bindeb-pkg asks for it; dpkg of Ubuntu 22.04 takes none from the environment."""
    kind = environment.get("KDEB_COMPRESS")
    return [f"-Z{kind}"] if kind else []


def build(
    package: Package, root: Path, output: Path, run: FullRunner, environment: Mapping[str, str]
) -> Path:
    """Make `output`/NAME_VERSION_ARCH.deb of the files under `root`."""
    files = sorted(path for path in root.rglob("*") if path.is_file() and not path.is_symlink())
    sums = []
    size = 0
    for path in files:
        path.chmod(0o755 if os.access(path, os.X_OK) else 0o644)
        content = path.read_bytes()
        size += len(content)
        # dpkg's format; it detects accidents, not against people.
        digest = hashlib.md5(content, usedforsecurity=False).hexdigest()
        sums.append(f"{digest}  {path.relative_to(root).as_posix()}\n")
    meta = root / "DEBIAN"
    meta.mkdir()
    (meta / "control").write_text(control(package, -(-size // 1024)), encoding="utf-8")
    (meta / "md5sums").write_text("".join(sums), encoding="utf-8")
    for name, text in package.scripts.items():
        (meta / name).write_text(text, encoding="utf-8")
        (meta / name).chmod(0o755)
    for directory in [root, *(path for path in root.rglob("*") if path.is_dir())]:
        directory.chmod(0o755)
    (meta / "control").chmod(0o644)
    (meta / "md5sums").chmod(0o644)
    result = output / package.filename
    argv = ["dpkg-deb", "--root-owner-group", *compression(environment)]
    argv += ["--build", str(root), str(result)]
    required_output(lambda argv: run(argv, output, environment), argv, PackageError)
    return result
