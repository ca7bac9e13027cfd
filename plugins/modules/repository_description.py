#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: the description of a repository's publication, signed."""

from __future__ import annotations

DOCUMENTATION = r"""
module: repository_description
short_description: Publish and sign the description of a repository
version_added: 0.2.0
description:
  - Writes C(oslab-kernel.json), which describes the publication and its rollout, and
    C(oslab-kernel.json.asc), the same text with a signature of the repository's key. The signed
    file comes last. Each is replaced by a rename once its content is on the disk, with mode 0644.
  - The description has the C(date) of its last change, in seconds since 1970 (UTC), which only
    grows. Nothing is written or signed again if nothing differs.
  - The clock of the rollout starts with the first publication of the build. Another publication of
    the same build does not start it again.
  - Kernels of other builders in the description stay as they are. Runs on one repository wait for
    each other.
options:
  directory:
    description: The directory that is served; it is there already.
    type: path
    required: true
  publication:
    description: What was published, with its C(build_id).
    type: dict
    required: true
  kernel:
    description: Name of the builder.
    type: str
    default: ""
  rank:
    description:
      - Whether this is the V(only) builder, the V(first) of several, or an V(other) one. A host
        that chooses no builder takes the kernel of the only or the first one.
    type: str
    choices: [only, first, other]
    default: only
  lock_timeout:
    description: Seconds to wait for another run that publishes into this repository.
    type: int
    default: 300
  rollout:
    description: >-
      Steps of C(percent) and C(after_hours), both growing. Empty for all hosts at once.
    type: list
    elements: dict
    default: []
  stopped:
    description:
      - With V(true), hosts that have not begun do not begin. V(false) lifts that.
      - If omitted, the same build stays as it is, and another build is not stopped.
    type: bool
  gpg_home:
    description: GnuPG home that holds the secret key. No other keyring is looked at.
    type: path
    required: true
  gpg_key:
    description: Full fingerprint of the signing key.
    type: str
    required: true
  public_key:
    description: The same key, ASCII-armoured and public.
    type: str
    required: true
attributes:
  check_mode:
    description: Nothing is written or signed.
    support: full
  diff_mode:
    description: Shows the names of what changes.
    support: partial
requirements:
  - gpg
  - gpgv
author:
  - oslab.kernel contributors (@oslab)
"""

EXAMPLES = r"""
- name: Publish a build to a hundredth of the hosts, and to all a day later
  oslab.kernel.repository_description:
    directory: /var/lib/oslab-kernel/repository/public
    publication: "{{ publish_result }}"
    rollout:
      - {percent: 1, after_hours: 0}
      - {percent: 100, after_hours: 24}
    gpg_home: /var/lib/oslab-kernel/repository/gnupg
    gpg_key: 58B89D97403CC1983762083DA688F790DCEC35B1
    public_key: "{{ publish_public_key }}"
"""

RETURN = r"""
description:
  description: What is described of this kernel, with C(date) and C(rollout).
  returned: success
  type: dict
whole:
  description: The whole description, with the kernels of other builders.
  returned: success
  type: dict
names:
  description: The files that were written.
  returned: success
  type: list
  elements: str
"""

import contextlib
import os
import shutil
import time
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._common import json_file
from ansible_collections.oslab.kernel.plugins.module_utils._common.lock import HeldError, held
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import module_runner
from ansible_collections.oslab.kernel.plugins.module_utils._repository import (
    description,
    documents,
    errors,
    publish,
    rollout,
)


def argument_spec() -> dict[str, Any]:
    return {
        "directory": {"type": "path", "required": True},
        "publication": {"type": "dict", "required": True},
        "kernel": {"type": "str", "default": ""},
        "rank": {"type": "str", "choices": list(description.RANKS), "default": description.ONLY},
        "lock_timeout": {"type": "int", "default": 300},
        "rollout": {"type": "list", "elements": "dict", "default": []},
        "stopped": {"type": "bool"},
        "gpg_home": {"type": "path", "required": True},
        "gpg_key": {"type": "str", "required": True, "no_log": False},
        "public_key": {"type": "str", "required": True, "no_log": False},
    }


# A template of Ansible may have made a text of them.
NUMBERS = ("index_date", "installed_size_kib")


def write(module: AnsibleModule, made: dict[str, Any]) -> list[str]:
    """The names of what was written, or would be."""
    params = module.params
    directory = Path(params["directory"])
    run = module_runner(module, GNUPGHOME=params["gpg_home"])
    text = description.encode(made)
    plain = documents.Document(description.NAME, text)
    signed = directory / description.SIGNED
    kept = description.is_signed(run, signed, text, params["public_key"])
    if module.check_mode:
        names = documents.bring(directory, [plain], [], dry=True)
        return names if kept else [*names, description.SIGNED]
    names = documents.bring(directory, [plain], [])
    if kept:
        # Its mode may have been changed.
        message = signed.read_bytes()
    else:
        message = description.sign(
            run, directory / description.NAME, params["gpg_home"], params["gpg_key"]
        )
    return names + documents.bring(directory, [documents.Document(description.SIGNED, message)], [])


def update(module: AnsibleModule) -> tuple[dict[str, Any], list[str]]:
    """The whole description, and the names of what was written. Others may publish beside it."""
    params = module.params
    directory = Path(params["directory"])
    lock = directory.parent / publish.LOCK
    wait = contextlib.nullcontext() if module.check_mode else held(lock, params["lock_timeout"])
    with wait:
        made = description.compose(
            json_file.read(directory / description.NAME) or {},
            params["publication"],
            rollout.parse_steps(params["rollout"]),
            params["stopped"],
            int(time.time()),
            params["kernel"],
            params["rank"],
        )
        try:
            return made, write(module, made)
        finally:
            if shutil.which("gpgconf") and Path(params["gpg_home"]).is_dir():
                run = module_runner(module, GNUPGHOME=params["gpg_home"])
                run(["gpgconf", "--kill", "gpg-agent"])


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    # The web server reads what is written here, whatever the caller's umask.
    os.umask(0o022)
    publication = params["publication"]
    publication.update({name: int(publication[name]) for name in NUMBERS if name in publication})
    try:
        made, names = update(module)
    except HeldError as holder:
        module.fail_json(
            msg=f"{params['directory']} is being published into by {holder}: wait for it, or end it"
        )
    except rollout.RolloutError as error:
        module.fail_json(msg=f"rollout: {error}. Nothing was published.")
    except description.DescriptionError as error:
        module.fail_json(msg=f"{error}. {errors.remedy(str(error), params['directory'])}".strip())
    except OSError as error:
        module.fail_json(msg=errors.sentence(error, params["directory"]))
    module.exit_json(
        changed=bool(names),
        description=description.one_kernel(made, params["kernel"], params["rank"]),
        whole=made,
        names=names,
        diff={"before": "", "after": "".join(f"{name}\n" for name in names)},
    )


if __name__ == "__main__":
    main()
