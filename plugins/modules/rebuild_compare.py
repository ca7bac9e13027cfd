#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: whether a rebuilt kernel is the published one."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: rebuild_compare
short_description: Compare a rebuilt kernel with the published one
description:
  - Compares the checksums of the packages that were built with those that a C(.buildinfo) or the
    description of a repository names, and writes an in-toto statement of the result.
  - Fails if a package differs. If the published packages are there, it names the files that differ.
    If C(diffoscope) is installed, it writes a report of each beside O(attestation).
version_added: "0.2.0"
author: oslab.kernel contributors (@oslab)
options:
  document:
    description: The C(.buildinfo) or the description, in base64.
    type: str
    required: true
  kernel:
    description: Name of the builder, whose kernel counts if O(document) has those of several.
    type: str
    default: ""
  result:
    description: RV(oslab.kernel.kernel_build#module:build_result) of the build to compare.
    type: dict
    required: true
  published_packages:
    description: Directory with the published packages, or with directories that have them.
    type: path
  attestation:
    description: File of the statement.
    type: path
    required: true
  gpg_key:
    description:
      - Fingerprint of the key that signs the statement, which is written with its signature
        (OpenPGP, as C(InRelease) has it) to the file O(attestation) with C(.asc) appended.
      - Empty for no signature.
    type: str
    default: ""
  gpg_home:
    description: >-
      GnuPG home with the secret key, which needs no passphrase. Empty for the user's own.
    type: str
    default: ""
attributes:
  check_mode:
    description: Compares, and writes nothing.
    support: full
  diff_mode:
    description: The differences are in the message.
    support: none
"""

EXAMPLES = r"""
- name: Compare the rebuilt packages with the published packages
  oslab.kernel.rebuild_compare:
    document: "{{ lookup('ansible.builtin.file', 'linux.buildinfo', rstrip=false) | b64encode }}"
    result: "{{ build_result }}"
    attestation: /var/lib/oslab-kernel/rebuild/attestation.json
"""

RETURN = r"""
identical:
  description: Whether all packages are the same, byte for byte.
  returned: when both could be read
  type: bool
differences:
  description: >-
    The packages that differ, each with C(package), C(published) and C(rebuilt) (sha256, empty where
    it is missing), C(signatures_alone) (whether they are the same without signatures), and C(files)
    (those that differ).
  returned: when both could be read
  type: list
  elements: dict
"""

import os
import shutil
import tempfile
from pathlib import Path
from typing import Any, Optional

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._build import published, rebuild
from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    atomic_file,
    bounded_read,
    json_file,
    plain_text,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    module_runner,
    required_output,
)
from ansible_collections.oslab.kernel.plugins.module_utils._source import openpgp, workdir

DIFFOSCOPE = "diffoscope"
#: Seconds that diffoscope may take for a package.
LONGEST = "900"


def _published_file(places: Path, checksum: str, name: str) -> Optional[Path]:
    """The published package, if the directory has one with this checksum."""
    for path in sorted(places.rglob(f"{name}_*.deb")):
        if path.is_file() and bounded_read.sha256(path) == checksum:
            return path
    return None


def _files(module: AnsibleModule, unequal: rebuild.Unequal, rebuilt: Path, report: Path) -> Any:
    """What differs in two packages that are both there; empty if the published one is not."""
    places = module.params["published_packages"]
    if not places or not rebuilt.is_file():
        return []
    original = _published_file(Path(places), unequal.published, unequal.package)
    if original is None:
        return []
    run = module_runner(module, required=False)
    if not module.check_mode and shutil.which(DIFFOSCOPE):
        run(["timeout", LONGEST, DIFFOSCOPE, "--text", str(report), str(original), str(rebuilt)])
    with tempfile.TemporaryDirectory() as scratch:
        return rebuild.differing_files(original, rebuilt, run, Path(scratch))


def _sign(module: AnsibleModule, target: Path, text: str) -> bool:
    """Whether the statement was signed, or would be. One that is signed already stays as it is."""
    key, home = module.params["gpg_key"], module.params["gpg_home"]
    if not key:
        return False
    signed = target.with_name(f"{target.name}{rebuild.SIGNED}")
    run = module_runner(module)
    argv = ["gpg", "--batch", *(["--homedir", home] if home else []), "--armor", "--export", key]
    public = required_output(run, argv, openpgp.SignatureError)
    if openpgp.is_clearsigned(run, signed, text, public):
        return False
    if not module.check_mode:
        atomic_file.write(signed, openpgp.clearsign(run, target, home, key), 0o644)
    return True


def _sentence(each: dict[str, Any]) -> str:
    files = f": {', '.join(each['files'])}" if each["files"] else ""
    same = " (the same without signatures)" if each["signatures_alone"] else ""
    return (
        f"- {each['package']}: published {each['published'] or 'nothing'}, rebuilt "
        f"{each['rebuilt'] or 'nothing'}{same}{files}"
    )


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "document": {"type": "str", "required": True},
            "kernel": {"type": "str", "default": ""},
            "result": {"type": "dict", "required": True},
            "published_packages": {"type": "path"},
            "attestation": {"type": "path", "required": True},
            "gpg_key": {"type": "str", "default": "", "no_log": False},
            "gpg_home": {"type": "str", "default": ""},
        },
        supports_check_mode=True,
    )
    os.umask(workdir.UMASK)
    params = module.params
    result, target = params["result"], Path(params["attestation"])
    try:
        wanted = published.decode(params["document"], params["kernel"])
        store = Path(result["store"])
        made = {name: str(about["sha256"]) for name, about in result["packages"].items()}
        unsigned = (result.get("signatures") or {}).get("unsigned") or {}
        unequal = rebuild.compare(wanted, made, unsigned)
        differences = []
        for each in unequal:
            file = store / result["packages"].get(each.package, {}).get("file", "missing")
            report = target.with_name(f"{each.package}.diffoscope.txt")
            differences.append({**each._asdict(), "files": _files(module, each, file, report)})
        statement = rebuild.statement(wanted, unequal)
        text = json_file.encode(statement)
        changed = not target.is_file() or target.read_text(encoding="utf-8") != text
        if changed and not module.check_mode:
            workdir.make(target.parent)
            json_file.write(target, statement)
        changed = _sign(module, target, text) or changed
    except (
        published.PublishedError,
        rebuild.RebuildError,
        openpgp.SignatureError,
        OSError,
        KeyError,
    ) as error:
        module.fail_json(msg=f"the builds cannot be compared: {error}")
    facts = {"identical": not differences, "differences": differences, "changed": changed}
    if differences:
        lines = [
            f"The rebuilt kernel is not the published one ({wanted.build_id[:12]}):",
            *map(_sentence, differences),
            f"The attestation is {target}{rebuild.SIGNED if params['gpg_key'] else ''}.",
        ]
        module.fail_json(msg=plain_text.wrapped("\n".join(lines)), **facts)
    attached = f"; the published signatures are in {len(unsigned)} of them" if unsigned else ""
    count = len(wanted.packages)
    module.exit_json(
        msg=f"identical: all {count} packages of {wanted.build_id[:12]}{attached}", **facts
    )


if __name__ == "__main__":
    main()
