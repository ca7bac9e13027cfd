# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The .buildinfo of a build: checksums of all its packages, and all that they were made of.

bindeb-pkg writes one of the kernel's packages alone. This one is dpkg's own too, of a source
package that exists as its control file only, with fields of ours for what dpkg does not know.
"""

from __future__ import annotations

import hashlib
import shutil
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._build import deb
from ansible_collections.oslab.kernel.plugins.module_utils._build.plan import Plan, needed_programs
from ansible_collections.oslab.kernel.plugins.module_utils._build.reproducible import changelog_date
from ansible_collections.oslab.kernel.plugins.module_utils._build.signatures import Signatures
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    FullRunner,
    required_output,
)

SOURCE = "linux-upstream"

# What a kernel is built with and links to, besides build-essential.
LIBRARIES = ("cpio", "kmod", "libelf-dev", "libssl-dev")
# Program → Debian package, where they are not called alike.
PACKAGES = {
    "dh_builddeb": "debhelper",
    "dpkg-buildpackage": "dpkg-dev",
    "ld": "binutils",
    "pahole": "pahole | dwarves",
    "sbattach": "sbsigntool",
    "sbsign": "sbsigntool",
    "sbverify": "sbsigntool",
    "xz": "xz-utils",
}

# When it was built says nothing of what was built, and would be the one line that differs.
LEFT_OUT = ("Build-Date:",)


class BuildInfoError(Exception):
    """dpkg-genbuildinfo failed."""


def control(plan: Plan, packages: Iterable[str]) -> str:
    """Of the source package that these packages would be built from."""
    programs = {PACKAGES.get(name, name) for name in needed_programs(plan)}
    lines = [
        f"Source: {SOURCE}",
        "Section: kernel",
        "Priority: optional",
        f"Maintainer: {deb.MAINTAINER}",
        f"Build-Depends: {', '.join(sorted({*programs, *LIBRARIES}))}",
    ]
    for name in packages:
        lines += ["", f"Package: {name}", f"Architecture: {plan.inputs.machine}"]
        lines += [f"Description: part of Linux {plan.inputs.release}"]
    return "\n".join(lines) + "\n"


def changelog(plan: Plan) -> str:
    date = changelog_date(plan.inputs.source_date_epoch)
    return (
        f"{SOURCE} ({plan.version}) stable; urgency=low\n\n  * Build {plan.build_id}.\n\n"
        f" -- {deb.MAINTAINER}  {date}\n"
    )


def _field(name: str, value: Any) -> str:
    """A line, or a line for each of several."""
    if isinstance(value, Mapping):
        value = [f"{key}: {text}" for key, text in value.items()]
    if isinstance(value, str):
        return f"Oslab-{name}: {value}\n" if value else ""
    return f"Oslab-{name}:\n" + "".join(f" {line}\n" for line in value) if value else ""


def fields(plan: Plan) -> str:
    """The inputs of the build, as the manifest states them."""
    stated = plan.manifest
    source = stated["source"]
    return "".join(
        [
            _field("Build-Id", plan.build_id),
            _field("Release", plan.inputs.release),
            _field("Source", f"linux {source['version']}"),
            _field("Source-Sha256", source["sha256"]),
            _field("Source-Commit", source.get("commit", "")),
            _field("Source-Signed-By", source.get("signed_by", "")),
            _field("Patches", [f"{each['sha256']} {each['name']}" for each in stated["patches"]]),
            _field("Patched-Sha256", plan.inputs.patch_sha256),
            _field("Config-Sha256", plan.inputs.config_sha256),
            _field("Modules-Sha256", plan.inputs.modules_sha256),
            _field("Tools-Sha256", plan.inputs.tools_sha256),
            _field("Toolchain", plan.inputs.toolchain),
            _field("Make-Arguments", plan.inputs.make_args),
            *_root_fields(plan),
            _field("Debug-Package", "yes" if plan.inputs.debug_package else "no"),
        ]
    )


def _root_fields(plan: Plan) -> list[str]:
    """The build root, with the archives that had its packages."""
    record = plan.options.environment.consists_of()
    if not record:
        return []
    packages = [
        f"{each['sha256']} {each['name']}:{each['architecture']} (= {each['version']})"
        for each in record["packages"]
    ]
    return [
        _field("Build-Root", record["id"]),
        _field("Build-Root-Suite", record["suite"]),
        _field("Build-Root-Sources", record["mirrors"]),
        _field("Build-Root-Packages", packages),
    ]


def signature_fields(signed: Optional[Signatures]) -> str:
    """The detached signatures, and the packages as they were before these were attached."""
    if not signed:
        return ""
    about = signed.described()
    unsigned = [f"{checksum} {name}" for name, checksum in sorted(about["unsigned"].items())]
    return _field("Signatures", [f"{about['sha256']} {about['file']}"]) + _field(
        "Unsigned-Packages", unsigned
    )


def without_fields(text: str, names: tuple[str, ...]) -> str:
    return "".join(line for line in text.splitlines(True) if not line.startswith(names))


def write(
    directory: Path,
    plan: Plan,
    packages: Iterable[str],
    run: FullRunner,
    environment: Mapping[str, str],
    signed: Optional[Signatures] = None,
) -> dict[str, Any]:
    """Write it beside the packages. What build.json says of it."""
    names = sorted(packages)
    machine = plan.inputs.machine
    work = plan.options.work / "buildinfo"
    shutil.rmtree(work, ignore_errors=True)
    (work / "debian").mkdir(parents=True)
    (work / "debian/control").write_text(control(plan, names), encoding="utf-8")
    (work / "debian/changelog").write_text(changelog(plan), encoding="utf-8")
    files = "".join(f"{name}_{plan.version}_{machine}.deb kernel optional\n" for name in names)
    (work / "debian/files").write_text(files, encoding="utf-8")
    name = f"{SOURCE}_{plan.version}_{machine}.buildinfo"
    made = work / name
    argv = ["dpkg-genbuildinfo", "--build=binary", f"-u{directory}", f"-O{made}"]
    required_output(lambda argv: run(argv, work, environment), argv, BuildInfoError)
    text = without_fields(made.read_text(encoding="utf-8"), LEFT_OUT) + fields(plan)
    text += signature_fields(signed)
    (directory / name).write_text(text, encoding="utf-8")
    checksum = hashlib.sha256(text.encode()).hexdigest()
    return {"buildinfo": {"file": name, "sha256": checksum}}
