#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: a published aptly repository that holds these packages."""

from __future__ import annotations

DOCUMENTATION = r"""
module: aptly_repo
short_description: Publish packages in a signed apt repository made by aptly
version_added: 0.1.0
description:
  - Adds C(.deb) files to a local aptly repository and publishes it, signed, below C(root)/public.
  - Only files that the repository does not hold yet, by their SHA-256, are added. What it holds
    already is kept, so that several versions are served side by side.
  - The repository is published when something was added, and when what is served is incomplete,
    out of date or signed by another key.
  - aptly publishes into C(root)/staging. From there packages come into C(root)/public first, then
    the indexes, fetched by hash, and C(InRelease) last, by a rename. So a client sees either the
    old or the new at any moment, and a run that is killed leaves the old.
  - Runs on one repository wait for each other.
  - A file with the name and version of a stored one but other content replaces it.
  - With O(expected) the files are compared with the build before anything is added. What is added
    are copies that nobody but root can change, so that it is what was compared.
  - On a disk that is full or cannot be written to, the module fails, what was published before is
    served as it was, and the next run finishes.
options:
  config:
    description:
      - aptly's configuration file. Its C(rootDir) must be O(root), and its
        C(FileSystemPublishEndpoints) must have V(staging) with C(root)/staging.
    type: path
    required: true
  root:
    description: aptly's root directory.
    type: path
    required: true
  name:
    description: Name of the local repository.
    type: str
    required: true
  files:
    description: The C(.deb) files.
    type: list
    elements: path
    required: true
  expected:
    description:
      - The packages of the build, each with its C(sha256), as the role C(build) returns them. Other
        keys are not looked at. Nothing is added unless O(files) are exactly these packages, by the
        name in their control data, O(expected_version) and the SHA-256.
      - If it is not given, O(files) are believed.
    type: dict
  expected_version:
    description: Debian version that each of O(expected) has to have.
    type: str
    default: ""
  expected_release:
    description:
      - Release of the build's kernel. If it is given, O(expected) may have no packages but those
        that the build of this kernel makes.
    type: str
    default: ""
  kernel:
    description:
      - Name of the builder whose kernel O(files) are. Nothing is added if the description
        (C(oslab-kernel.json)) has a kernel of another builder with the same release, or in another
        suite.
      - The builds of all kernels that the description has are kept, whatever O(keep_builds) is.
    type: str
    default: ""
  owner:
    description: >-
      User to whom all of O(files) have to belong, if that user has named them. Empty for anybody.
    type: str
    default: ""
  rank:
    description: Which of the builders this is, as in M(oslab.kernel.repository_description).
    type: str
    choices: [only, first, other]
    default: only
  distribution:
    description: Suite and code name to publish as.
    type: str
    default: stable
  component:
    description: Component to publish as.
    type: str
    default: main
  architectures:
    description: Debian architectures to publish.
    type: list
    elements: str
    default: [amd64]
  label:
    description: C(Origin) and C(Label) of the index. Taken when the suite is published first.
    type: str
    default: oslab-kernel
  keep_builds:
    description:
      - How many versions are kept; V(0) for all. Of more, those that were published longest ago are
        removed, never those of O(files). The packages of a build have one version.
      - Where there are several builders, by O(rank), it counts for each of them.
    type: int
    default: 0
  lock_timeout:
    description: Seconds to wait for another run that publishes into this repository.
    type: int
    default: 300
  gpg_home:
    description: GnuPG home that holds the secret key. No other keyring is looked at.
    type: path
    required: true
  gpg_key:
    description: Full fingerprint of the signing key.
    type: str
    required: true
attributes:
  check_mode:
    description: Nothing is added or published. Without aptly or the files, all count as missing.
    support: full
  diff_mode:
    description: Shows the packages before and after.
    support: full
requirements:
  - aptly
  - gpg
  - dpkg-deb
author:
  - oslab.kernel contributors (@oslab)
"""

EXAMPLES = r"""
- name: Publish two packages
  oslab.kernel.aptly_repo:
    config: /var/lib/oslab-kernel/repository/aptly.conf
    root: /var/lib/oslab-kernel/repository
    name: oslab-kernel
    files:
      - /var/lib/oslab-kernel/store/0123/linux-image-6.8.0-49-usac1_6.8.0-oslab1.0123_amd64.deb
      - /var/lib/oslab-kernel/store/0123/oslab-kernel-tools_6.8.0-oslab1.0123_amd64.deb
    gpg_home: /var/lib/oslab-kernel/repository/gnupg
    gpg_key: 58B89D97403CC1983762083DA688F790DCEC35B1
"""

RETURN = r"""
added:
  description: Packages that were added, as name=version.
  returned: success
  type: list
  elements: str
replaced:
  description: Packages whose content was replaced under the same version, as name=version.
  returned: success
  type: list
  elements: str
removed:
  description: Versions that were removed.
  returned: success
  type: list
  elements: str
builds:
  description: How many versions the repository has then.
  returned: success
  type: int
publish_reason:
  description: Why it was published; empty if it was not.
  returned: success
  type: str
index_sha256:
  description: SHA-256 of the C(InRelease) that is served; empty if there is none yet.
  returned: success
  type: str
index_date:
  description: C(Date) of that C(InRelease), in seconds since 1970 (UTC); 0 if there is none yet.
  returned: success
  type: int
packages:
  description: What O(files) hold, by package name.
  returned: success
  type: dict
  contains:
    version:
      description: Debian version.
      type: str
    sha256:
      description: SHA-256 of the file.
      type: str
    size:
      description: Size of the file in bytes.
      type: int
    installed_size_kib:
      description: C(Installed-Size) in KiB.
      type: int
    filename:
      description: Path below C(root)/public; empty while it is not published.
      type: str
"""

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._common import json_file, owned_file
from ansible_collections.oslab.kernel.plugins.module_utils._common.lock import HeldError, held
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import module_runner
from ansible_collections.oslab.kernel.plugins.module_utils._repository import (
    description,
    errors,
    publish,
)
from ansible_collections.oslab.kernel.plugins.module_utils._repository import (
    index as repository_index,
)
from ansible_collections.oslab.kernel.plugins.module_utils._repository.aptly import (
    NOTHING,
    Aptly,
    AptlyError,
    Deb,
    Plan,
    Target,
    check_expected,
    check_names,
    parse_expected,
    read_deb,
    served_filenames,
)


def named(debs: tuple[Deb, ...]) -> list[str]:
    return [f"{deb.key.name}={deb.key.version}" for deb in debs]


@contextlib.contextmanager
def lock_of(module: AnsibleModule, debs: list[Deb]) -> Iterator[None]:
    if module.check_mode:
        yield
        return
    versions = ", ".join(sorted({deb.key.version for deb in debs})) or "nothing new"
    path = Path(module.params["root"], publish.LOCK)
    with held(path, module.params["lock_timeout"], f"with {versions}"):
        yield


def read_debs(module: AnsibleModule, aptly: Aptly) -> list[Deb]:
    """What the files hold; compared with the build, if one is given."""
    files: list[str] = module.params["files"]
    debs = [
        read_deb(aptly.run, path, aptly.target.owner)
        for path in files
        if Path(path).exists() or not module.check_mode
    ]
    if module.params["expected"] is not None:
        expected = parse_expected(module.params["expected"], module.params["expected_version"])
        if module.params["expected_release"]:
            check_names(expected, module.params["expected_release"])
        check_expected(debs, expected, len(debs) == len(files))
    return debs


def kept(module: AnsibleModule, target: Target) -> frozenset[str]:
    """Versions of the kernels of other builders. Raises AptlyError if this cannot be beside one."""
    params = module.params
    described = json_file.read(target.public / description.NAME) or {}
    publication = {
        "release": params["expected_release"],
        "version": params["expected_version"],
        "suite": params["distribution"],
        "component": params["component"],
    }
    problem = description.conflict(described, params["kernel"], params["rank"], publication)
    if problem:
        raise AptlyError(f"{target.public}: {problem}. {NOTHING}")
    stay = description.others(described, params["kernel"], params["rank"])
    return frozenset(str(entry.get("version")) for entry in stay.values())


def index_of(target: Target, check_mode: bool) -> dict[str, Any]:
    release = target.public / "dists" / target.distribution / "InRelease"
    try:
        index = repository_index.read(release)
    except (FileNotFoundError, repository_index.IndexFileError):
        if not check_mode:
            raise
        return {"index_sha256": "", "index_date": 0}  # a real run would make one
    return {"index_sha256": index.sha256, "index_date": index.date}


def argument_spec() -> dict[str, Any]:
    return {
        "config": {"type": "path", "required": True},
        "root": {"type": "path", "required": True},
        "name": {"type": "str", "required": True},
        "files": {"type": "list", "elements": "path", "required": True},
        "expected": {"type": "dict"},
        "expected_version": {"type": "str", "default": ""},
        "expected_release": {"type": "str", "default": ""},
        "kernel": {"type": "str", "default": ""},
        "owner": {"type": "str", "default": ""},
        "rank": {"type": "str", "choices": list(description.RANKS), "default": description.ONLY},
        "distribution": {"type": "str", "default": "stable"},
        "component": {"type": "str", "default": "main"},
        "architectures": {"type": "list", "elements": "str", "default": ["amd64"]},
        "label": {"type": "str", "default": "oslab-kernel"},
        "keep_builds": {"type": "int", "default": 0},
        "lock_timeout": {"type": "int", "default": 300},
        "gpg_home": {"type": "path", "required": True},
        # A fingerprint.
        "gpg_key": {"type": "str", "required": True, "no_log": False},
    }


def main() -> None:
    module = AnsibleModule(
        argument_spec=argument_spec(),
        supports_check_mode=True,
    )
    params = module.params
    # The web server reads what is written here, whatever the caller's umask.
    os.umask(0o022)
    run = module_runner(module, GNUPGHOME=params["gpg_home"])
    try:
        owner = owned_file.uid_of(params["owner"])
    except OSError as error:
        module.fail_json(msg=errors.sentence(error, params["root"]))
    target = Target(
        name=params["name"],
        root=params["root"],
        distribution=params["distribution"],
        component=params["component"],
        architectures=tuple(params["architectures"]),
        gpg_key=params["gpg_key"].upper().replace(" ", ""),
        label=params["label"],
        keep_builds=params["keep_builds"],
        kernel=params["kernel"],
        shared=params["rank"] != "only",
        owner=owner,
    )
    aptly = Aptly(run, params["config"], target)
    nothing_yet = module.check_mode and not (
        shutil.which("aptly") and Path(params["config"]).exists()
    )
    try:
        debs = read_debs(module, aptly)
        if nothing_yet:
            plan = Plan(True, tuple(debs), (), "nothing is published yet")
        else:
            with lock_of(module, debs):
                plan = aptly.plan(debs, kept(module, target))
                if not module.check_mode:
                    aptly.apply(plan)
        index = index_of(target, module.check_mode)
    except HeldError as holder:
        module.fail_json(
            msg=f"{params['root']} is being published into by {holder}: wait for it, or end it"
        )
    except (AptlyError, repository_index.IndexFileError) as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=errors.sentence(error, params["root"]))
    finally:
        if shutil.which("gpgconf") and Path(params["gpg_home"]).is_dir():
            run(["gpgconf", "--kill", "gpg-agent"])
    filenames = served_filenames(target)
    fresh = {deb.key for deb in plan.add}
    old = {deb.key[:3] for deb in plan.replace}
    listed = sorted(f"{d.key.name} {d.key.version} {d.key.sha256}" for d in debs)
    before = sorted(
        f"{d.key.name} {d.key.version} {'(other content)' if d.key[:3] in old else d.key.sha256}"
        for d in debs
        if d.key not in fresh
    )
    module.exit_json(
        changed=plan.changed or (module.check_mode and len(debs) < len(params["files"])),
        added=named(plan.add),
        replaced=named(plan.replace),
        removed=list(plan.remove),
        builds=len(plan.order),
        publish_reason=plan.publish_reason,
        **index,
        packages={
            deb.key.name: {
                "version": deb.key.version,
                "sha256": deb.key.sha256,
                "size": deb.size,
                "installed_size_kib": deb.installed_size_kib,
                "filename": filenames.get(deb.key, ""),
            }
            for deb in debs
        },
        diff={
            "before": "".join(f"{x}\n" for x in before),
            "after": "".join(f"{x}\n" for x in listed),
        },
    )


if __name__ == "__main__":
    main()
