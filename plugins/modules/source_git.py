#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: a commit of a git repository, fetched and verified."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: source_git
short_description: Fetch a commit of a kernel's git repository and prove who signed it
description:
  - Finds the commit that a tag or a branch names, and fetches it into a bare repository, the cache.
    Only that commit is fetched, without its history, if the server can do that.
  - A tag or a commit that is in the cache needs no network. A branch is looked up in each run.
  - Signatures are checked by C(gpgv) with the given keys. git runs without the settings of users
    and of the system, without hooks and prompts, and with a limit of time. No submodule and no
    file of LFS is fetched.
  - A repository on the builder is only read, as its owner. What is not committed there is not
    fetched; RV(uncommitted) counts it.
version_added: "0.3.0"
author: oslab.kernel contributors (@oslab)
options:
  url:
    description:
      - C(https://HOST/PATH), C(git://HOST/PATH), or the absolute path of a repository on the
        builder (C(/path) or C(file:///path)). An address with a name or password is refused.
    type: str
    required: true
  ref:
    description:
      - A tag, a branch, or all 40 digits of a commit. A tag comes before a branch of the same name;
        C(refs/heads/NAME) is the branch.
    type: str
    required: true
  verify:
    description:
      - V(tag) requires a tag with a good signature, V(commit) a commit with a good signature,
        V(none) nothing.
    type: str
    choices: [tag, commit, none]
    default: tag
  keys:
    description: ASCII-armoured public keys.
    type: str
    default: ""
  fingerprints:
    description: Fingerprints of the primary keys in O(keys) that count.
    type: list
    elements: str
    default: []
  directory:
    description: Where the caches are, one for each address.
    type: path
    required: true
  state:
    description: V(present) fetches; V(offered) only asks whether the repository has it.
    type: str
    choices: [present, offered]
    default: present
  timeout:
    description: Seconds without an answer after which git is ended.
    type: int
    default: 30
  fetch_timeout:
    description: Seconds that a fetch may take.
    type: int
    default: 3600
attributes:
  check_mode:
    description: Asks the repository, fetches nothing.
    support: full
  diff_mode:
    description: A commit has no useful diff.
    support: none
  action:
    description: Has a corresponding action plugin, which makes messages safe to print.
    support: full
requirements: [git 2.34, gpgv]
"""

EXAMPLES = r"""
- name: Fetch Linux 6.12
  oslab.kernel.source_git:
    url: https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git
    ref: v6.12
    directory: /var/lib/oslab-kernel/git
    keys: "{{ lookup('ansible.builtin.file', 'kernel-developers.asc') }}"
    fingerprints: [ABAF 11C6 5A29 70B1 30AB E3C4 79BE 3E43 0041 1886]
"""

RETURN = r"""
repository:
  description: The cache.
  returned: success
  type: str
commit:
  description: All 40 digits; empty in check mode where git is not installed yet.
  returned: success
  type: str
kind:
  description: What O(ref) is, V(tag), V(branch) or V(commit); empty if that is not known.
  returned: success
  type: str
signed_by:
  description:
    - Fingerprint of the key that signed the tag or the commit; empty if no signature was required.
  returned: success
  type: str
cached:
  description: Whether the commit was there already.
  returned: success
  type: bool
uncommitted:
  description:
    - How many files of a work tree on the builder are not as they were committed. 0 if there is no
      work tree, V(none) if git cannot tell.
  returned: success
  type: int
"""

import os
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._common.plain_text import shown
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import feed
from ansible_collections.oslab.kernel.plugins.module_utils._source import (
    git,
    git_cache,
    git_names,
    workdir,
)
from ansible_collections.oslab.kernel.plugins.module_utils._source.openpgp import (
    Keys,
    SignatureError,
)

NOT_INSTALLED = (
    "{} is not installed: run the role dependencies with dependencies_git, as playbooks/build.yml "
    "does, or apt-get install {}"
)


def _wanted(module: AnsibleModule) -> git_cache.Wanted:
    params = module.params
    try:
        ref = git_names.ref(params["ref"])
    except ValueError as error:
        module.fail_json(msg=f"source_git_ref is {shown(repr(params['ref']), 60)}: {error}")
    problem = git_names.verify_problem(params["ref"], params["verify"])
    if problem:
        module.fail_json(msg=problem)
    return git_cache.Wanted(ref, params["verify"], Keys(params["keys"], params["fingerprints"]))


def _address(module: AnsibleModule) -> git_names.Address:
    try:
        address = git_names.address(module.params["url"])
    except ValueError as error:
        module.fail_json(msg=f"source_git_url cannot be used: {error}")
    if address.path and not address.path.is_dir():
        module.fail_json(
            msg=f"source_git_url {shown(address.url)} is no directory on the builder: give the "
            "path of a git repository there"
        )
    return address


def _feed(module: AnsibleModule) -> Any:
    def run(argv: Any, chunks: Any) -> tuple[int, str]:
        program = module.get_bin_path(argv[0])
        if program is None:
            module.fail_json(msg=NOT_INSTALLED.format(argv[0], argv[0]))
        return feed([program, *argv[1:]], chunks)

    return run


def _result(cache: Path, found: git_cache.Found) -> dict[str, Any]:
    return {
        "repository": str(cache),
        "commit": found.commit,
        "kind": found.kind,
        "signed_by": found.signed_by,
        "cached": found.cached,
    }


def _warn(module: AnsibleModule, where: git_names.Address, program: git.Git, commit: str) -> Any:
    """What is not in the build although it is in the repository's work tree."""
    if where.path is None:
        return 0
    count = git.uncommitted(program, where.path, os.geteuid(), 4 * module.params["timeout"])
    if count is None:
        module.warn(
            f"git cannot tell whether {shown(where.url)} has changes that are not committed. Such "
            f"changes are not in the build, which is of commit {commit}"
        )
    elif count:
        module.warn(
            f"what is not committed in {shown(where.url)} (files: {count}) is not in the build, "
            f"which is of commit {commit}. Commit it to build it"
        )
    return count


def acquire(module: AnsibleModule) -> None:
    params = module.params
    where, wanted = _address(module), _wanted(module)
    directory = Path(params["directory"])
    offered = params["state"] == "offered"
    installed = module.get_bin_path("git")
    if installed is None:
        if not offered and not module.check_mode:
            module.fail_json(msg=NOT_INSTALLED.format("git", "git ca-certificates"))
        unknown = git_cache.Found("", "", cached=False)
        place = git_cache.directory_of(directory, where)
        module.exit_json(changed=not offered, uncommitted=0, **_result(place, unknown))
        return
    limits = git_cache.Limits(params["timeout"], params["fetch_timeout"])
    with git.private(installed, where, params["timeout"]) as program:
        cache = git_cache.Cache(directory, where, program, _feed(module), limits, os.geteuid())
        found = cache.cached(wanted)
        if found is None:
            only_ask = offered or module.check_mode
            found = cache.offered(wanted) if only_ask else cache.present(wanted)
        uncommitted = 0 if offered else _warn(module, where, program, found.commit)
    note = "" if offered else git_cache.unverified_note(wanted, where)
    if note:
        module.warn(note)
    module.exit_json(
        changed=not offered and not found.cached,
        uncommitted=uncommitted,
        **_result(cache.path, found),
    )


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "url": {"type": "str", "required": True},
            "ref": {"type": "str", "required": True},
            "verify": {"type": "str", "choices": list(git_names.VERIFY), "default": "tag"},
            "keys": {"type": "str", "default": "", "no_log": False},
            "fingerprints": {"type": "list", "elements": "str", "default": []},
            "directory": {"type": "path", "required": True},
            "state": {"type": "str", "choices": ["present", "offered"], "default": "present"},
            "timeout": {"type": "int", "default": 30},
            "fetch_timeout": {"type": "int", "default": 3600},
        },
        supports_check_mode=True,
    )
    os.umask(workdir.UMASK)
    try:
        acquire(module)
    except (git.GitError, SignatureError) as error:
        module.fail_json(msg=str(error))


if __name__ == "__main__":
    main()
