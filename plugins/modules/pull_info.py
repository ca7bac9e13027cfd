#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: what a repository has published, by its signature, and is it this host's turn?"""

from __future__ import annotations

DOCUMENTATION = r"""
module: pull_info
short_description: Read a repository's signed description, and decide whether this host begins
version_added: 0.2.0
description:
  - Fetches C(oslab-kernel.json.asc) from a repository, checks its signature with the given key
    alone, and decides by its rollout and by the state of this host.
  - Fails if it is not signed by that key, or is older than one that this host has seen. The date of
    the newest one is written into O(memory).
  - Of a build with which the host begins, the signed description and the list of files are kept in
    C(/var/lib/oslab-kernel/finish), until its trial boot is over. In that trial boot the repository
    is not asked, as the network may be late.
  - A host computes its place in a rollout from its machine-id and the id of the build. The
    machine-id is not sent to anybody.
options:
  url:
    description: Address of the repository, http or https.
    type: str
    required: true
  public_key:
    description: The ASCII-armoured public key that has to have signed the description; one key.
    type: str
    required: true
  kernel_from:
    description:
      - Name of the builder whose kernel the host takes. By default that of the first builder.
    type: str
    default: ""
  memory:
    description: File with the date of the newest description seen.
    type: path
    default: /var/lib/oslab-kernel/pull.json
  retry_failed:
    description: Begin also with a build whose trial boot ended on this host without a confirmation.
    type: bool
    default: false
  required_rebuilds:
    description:
      - How many keys of O(rebuild_keys) have to vouch for a build, by the attestations that are
        published with it. Fails if there are fewer and the turn of this host has come.
    type: int
    default: 0
  rebuild_keys:
    description: Keys, each as ASCII-armoured text or as the absolute path of a file.
    type: list
    elements: str
    default: []
  timeout:
    description: Seconds that the repository may be silent. All of it may take six times as long.
    type: int
    default: 30
attributes:
  check_mode:
    description: Nothing is written.
    support: full
  diff_mode:
    description: Shows nothing.
    support: none
requirements:
  - gpgv
author:
  - oslab.kernel contributors (@oslab)
"""

EXAMPLES = r"""
- name: Read what the repository has published
  oslab.kernel.pull_info:
    url: https://kernel.example.org
    public_key: "{{ lookup('ansible.builtin.file', '/etc/oslab-kernel/repository.asc') }}"
  register: pull_state
"""

RETURN = r"""
description:
  description:
    - What was published, as the role C(publish) describes it in C(publish_result). With
      O(required_rebuilds), the C(attestations) of the build are in it.
  returned: success
  type: dict
state:
  description:
    - V(due) if the turn of this host has come; V(finish) if it is in the trial boot of this build
      and finishes it. Otherwise nothing is to be done.
    - V(waiting) for a later step of the rollout, V(stopped), V(pending) (the next boot is the trial
      boot), V(trial) (a trial boot that is not finished by this run), V(left) (the host was rolled
      back from this build), or V(failed) (the trial boot of this build has failed here).
  returned: success
  type: str
goes_on:
  description: Whether this host deploys the build now.
  returned: success
  type: bool
reason:
  description: The state in words, with the time at which the turn of this host comes.
  returned: success
  type: str
place:
  description: Of this host in the rollout, from 0 to 9999. A step of 5 % opens the first 500.
  returned: success
  type: int
files_path:
  description:
    - On this host, the list of the build's files that the description names by its checksum; empty
      if it is not there.
  returned: success
  type: str
public_key:
  description: The key that has signed the description, as it was given.
  returned: success
  type: str
"""

import contextlib
import time
from hashlib import sha256
from http import HTTPStatus
from pathlib import Path
from typing import Any, Optional
from urllib.error import HTTPError

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._build.package_files import LIMIT
from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    bounded_read,
    plain_text,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import module_runner
from ansible_collections.oslab.kernel.plugins.module_utils._host import (
    failed_builds,
    finish_files,
    pull,
)
from ansible_collections.oslab.kernel.plugins.module_utils._repository import (
    attestations,
    description,
    receive,
    rollout,
)

MACHINE_ID = Path("/etc/machine-id")


def argument_spec() -> dict[str, Any]:
    return {
        "url": {"type": "str", "required": True},
        "public_key": {"type": "str", "required": True, "no_log": False},
        "kernel_from": {"type": "str", "default": ""},
        "memory": {"type": "path", "default": "/var/lib/oslab-kernel/pull.json"},
        "retry_failed": {"type": "bool", "default": False},
        "required_rebuilds": {"type": "int", "default": 0},
        "rebuild_keys": {"type": "list", "elements": "str", "default": [], "no_log": False},
        "timeout": {"type": "int", "default": 30},
    }


def machine_id() -> str:
    """Raises DescriptionError if the host has none, as an image before its first boot."""
    found = bounded_read.text(MACHINE_ID, 1 << 10).strip()
    if len(found) < 32:
        raise description.DescriptionError(
            f"{MACHINE_ID} has no machine-id: run systemd-machine-id-setup"
        )
    return found


def attested(module: AnsibleModule, found: dict[str, Any]) -> list[str]:
    """The attestations of a build. Raises DescriptionError if too few known keys vouch for it."""
    params, build_id = module.params, found["build_id"]
    url = f"{params['url'].rstrip('/')}/{attestations.path(build_id)}"
    try:
        content = receive.document(url, params["timeout"], attestations.LIMIT)
        texts = attestations.parse(content.decode("utf-8", "replace"))
    except HTTPError as error:
        if error.code != HTTPStatus.NOT_FOUND:
            raise
        texts = []  # nobody has rebuilt it yet
    except attestations.AttestationsError as error:
        raise description.DescriptionError(f"{attestations.path(build_id)}: {error}") from error
    sums = {name: str(about["sha256"]) for name, about in found["packages"].items()}
    build = attestations.Build(build_id, sums)
    try:
        verdict = attestations.judge(module_runner(module), texts, params["rebuild_keys"], build)
    except attestations.AttestationsError as error:
        raise description.DescriptionError(str(error)) from error
    if refusal := attestations.refusal(verdict, params["required_rebuilds"], build_id, "this host"):
        raise description.DescriptionError(refusal)
    return texts


def checked(
    module: AnsibleModule, message: bytes
) -> tuple[str, str, dict[str, Any], rollout.Rollout]:
    """A signed description: its key, its text, the kernel that it names, and the rollout."""
    run = module_runner(module)
    key, text = description.check_signature(run, message, module.params["public_key"])
    found, plan = description.parse(text, module.params["kernel_from"])
    if found["key_fingerprint"] != key:
        raise description.DescriptionError(f"it says that {found['key_fingerprint']} signs it")
    return key, text, found, plan


def answer(
    module: AnsibleModule, boot: pull.Boot, found: dict[str, Any], plan: rollout.Rollout
) -> dict[str, Any]:
    its_place = rollout.place(machine_id(), found["build_id"])
    retry = module.params["retry_failed"]
    decision = pull.decide(boot, found, plan, its_place, time.time(), retry=retry)
    return {
        "description": found,
        "state": decision.state,
        "goes_on": decision.goes_on,
        "reason": plain_text.sentence(decision.text),
        "place": its_place,
        "public_key": module.params["public_key"],
    }


def finished(module: AnsibleModule, boot: pull.Boot) -> Optional[dict[str, Any]]:
    """In a trial boot: what finishes it without a network; None if the repository is asked."""
    if not pull.in_trial_boot(boot):
        return None
    image = str(boot.record.get("image", ""))
    message = finish_files.description(image, description.LIMIT)
    if message is None:
        return None
    try:
        _key, _text, found, plan = checked(module, message)
    except description.DescriptionError:
        return None  # another key or kernel was chosen since
    its_answer = answer(module, boot, found, plan)
    return its_answer if its_answer["state"] == "finish" else None


def keep(module: AnsibleModule, boot: pull.Boot, found: dict[str, Any], message: bytes) -> None:
    """For the trial boot. Raises OSError if it cannot be written."""
    image = failed_builds.image_of(found["release"], found["version"])
    files = found["files"]
    earlier = str(boot.record.get("image", ""))
    if earlier == image and boot.record.get("confirmed"):
        return
    listed = None
    if files and not finish_files.has_list(image, files["sha256"], LIMIT):
        url = f"{module.params['url'].rstrip('/')}/{files['file']}"
        # Without it the trial boot asks the repository, and then dpkg.
        with contextlib.suppress(receive.ReceiveError, OSError):
            content = receive.document(url, module.params["timeout"], LIMIT)
            if sha256(content).hexdigest() == files["sha256"]:
                listed = content
    finish_files.keep(image, message, listed, earlier)


def read(module: AnsibleModule, url: str) -> dict[str, Any]:
    params = module.params
    boot = pull.read()
    if (its_answer := finished(module, boot)) is not None:
        return its_answer
    message = receive.document(url, params["timeout"], description.LIMIT)
    key, text, found, plan = checked(module, message)
    memory = Path(params["memory"])
    before = description.read_memory(memory)
    seen = description.remembered(text, found["date"], key)
    if problem := description.replayed(before, seen):
        raise description.DescriptionError(
            f"{problem}: a mirror or a cache is behind, or somebody replays it"
        )
    if not module.check_mode:
        description.remember(memory, seen, before)
    its_answer = answer(module, boot, found, plan)
    # A trial boot that has begun is finished.
    if its_answer["state"] == "due":
        if params["required_rebuilds"] > 0:
            found[description.BESIDE] = attested(module, found)
        if not module.check_mode:
            keep(module, boot, found, message)
    return its_answer


def files_path(found: dict[str, Any]) -> str:
    """Of the list that is kept; empty if it is not there, or another one."""
    image = failed_builds.image_of(found["release"], found["version"])
    files = found["files"]
    there = files and finish_files.has_list(image, files["sha256"], LIMIT)
    return str(finish_files.list_path(image)) if there else ""


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    url = f"{module.params['url'].rstrip('/')}/{description.SIGNED}"
    shown = plain_text.without_password(url)
    try:
        found = read(module, url)
        found["files_path"] = files_path(found["description"])
    except description.DescriptionError as error:
        module.fail_json(msg=plain_text.sentence(f"{shown} is refused: {error}"))
    except receive.ReceiveError as error:
        module.fail_json(msg=plain_text.sentence(str(error).replace(url, shown)))
    except OSError as error:
        reason = error.strerror or str(error)
        where = error.filename or shown
        module.fail_json(msg=plain_text.sentence(f"{where}: {reason}".replace(url, shown)))
    # What it remembers and keeps is no state of the host that anybody manages.
    module.exit_json(changed=False, **found)


if __name__ == "__main__":
    main()
