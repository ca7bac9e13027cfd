#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: a kernel's source, downloaded and verified."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: source_fetch
short_description: Download a kernel's source and prove that it is the right one
description:
  - Downloads C(linux-VERSION.tar.xz) from the first mirror that answers with the right bytes. A
    download that broke off is gone on with, on the same mirror or the next.
  - Checks its sha256, its OpenPGP signature C(linux-VERSION.tar.sign) (over the uncompressed
    contents) and that no member leads out of the tree, all before the file gets its final name.
  - What was proved is kept beside the tarball, so a second run asks no mirror.
  - Keys are given as text; none is fetched, and no keyring of a user's is touched.
version_added: "0.1.0"
author: oslab.kernel contributors (@oslab)
options:
  version:
    description:
      - Version as kernel.org names it, such as V(6.8) or V(6.12.5). V(6.8.0) is V(6.8).
      - Of a release candidate such as V(6.9-rc1) kernel.org has no tarball; only other mirrors are
        asked for one.
    type: str
    required: true
  mirrors:
    description:
      - Base addresses (C(http), C(https) or C(file)), tried in this order. Each holds
        C(v6.x/linux-6.8.tar.xz) and so on, as kernel.org does.
    type: list
    elements: str
    required: true
  directory:
    description: Where the tarball is kept.
    type: path
    required: true
  sha256:
    description:
      - Pinned checksum of the tarball. If empty, the one in the mirror's C(sha256sums.asc) must
        match, and the developers' signature is required.
    type: str
    default: ""
  known_sha256:
    description: Version to checksum, used if O(sha256) is empty.
    type: dict
    default: {}
  developer_keys:
    description: ASCII-armoured public keys of those who sign releases.
    type: str
    default: ""
  developer_fingerprints:
    description: Fingerprints of the primary keys in O(developer_keys) that count.
    type: list
    elements: str
    default: []
  autosigner_key:
    description:
      - ASCII-armoured public key that signs C(sha256sums.asc). If empty, that listing only protects
        against damage.
    type: str
    default: ""
  autosigner_fingerprint:
    description: Fingerprint of the primary key in O(autosigner_key).
    type: str
    default: ""
  signature:
    description:
      - V(always) wants a good signature of the tarball. V(unless_pinned) also takes a tarball
        whose checksum is pinned from a mirror that has no signature for it; one that is there
        must be good.
    type: str
    choices: [always, unless_pinned]
    default: unless_pinned
  state:
    description:
      - V(present) downloads; V(offered) only asks whether a mirror has the version; V(cached)
        only looks whether the tarball is there.
      - V(newest) returns as RV(version) the newest stable release of the series of O(version), by
        the mirror's C(sha256sums.asc). Its signature is verified if O(autosigner_key) is given.
    type: str
    choices: [present, offered, cached, newest]
    default: present
  timeout:
    description: Seconds without an answer (or with next to none) after which a try is given up.
    type: int
    default: 30
  tries:
    description: How often a mirror is tried where a failure may pass.
    type: int
    default: 3
  max_size:
    description: Most bytes that the tarball may have, compressed and unpacked.
    type: int
    default: 4294967296
attributes:
  check_mode:
    description: Asks the mirrors, downloads nothing.
    support: full
  diff_mode:
    description: A tarball has no useful diff.
    support: none
requirements: [gpgv]
"""

EXAMPLES = r"""
- name: Fetch Linux 6.8
  oslab.kernel.source_fetch:
    version: "6.8"
    mirrors: [https://cdn.kernel.org/pub/linux/kernel]
    directory: /var/lib/oslab-kernel/downloads
    sha256: c969dea4e8bb6be991bbf7c010ba0e0a5643a3a8d8fb0a2aaa053406f1e965f3
    developer_keys: "{{ lookup('ansible.builtin.file', 'kernel-developers.asc') }}"
    developer_fingerprints: [ABAF 11C6 5A29 70B1 30AB E3C4 79BE 3E43 0041 1886]
    signature: always
"""

RETURN = r"""
path:
  description: The tarball.
  returned: success
  type: str
sha256:
  description: Its checksum; empty in check mode where only the mirror could tell it.
  returned: success
  type: str
url:
  description: Where it came from (or would come from).
  returned: success
  type: str
signed_by:
  description: Fingerprint of the key that signed the tarball; empty if there was no signature.
  returned: success
  type: str
listed_by:
  description: Fingerprint of the key that signed the checksum; empty if that was not looked at.
  returned: success
  type: str
cached:
  description: Whether the verified tarball was there already.
  returned: success
  type: bool
version:
  description: The newest release.
  returned: with O(state=newest)
  type: str
  sample: 6.12.58
attempts:
  description: The mirrors that failed, each with C(url) and C(error).
  returned: success
  type: list
  elements: dict
"""

import os
from dataclasses import replace
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._common import kernel_version
from ansible_collections.oslab.kernel.plugins.module_utils._common.lock import held_and_removed
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import feed
from ansible_collections.oslab.kernel.plugins.module_utils._patch import inputs
from ansible_collections.oslab.kernel.plugins.module_utils._source import fetch, workdir
from ansible_collections.oslab.kernel.plugins.module_utils._source.download import (
    Limits,
    disk_problem,
    url_opener,
)
from ansible_collections.oslab.kernel.plugins.module_utils._source.lock import (
    Reporter,
    lock_of,
)
from ansible_collections.oslab.kernel.plugins.module_utils._source.openpgp import Keys


def _policy(params: dict[str, Any]) -> fetch.Policy:
    autosigner = params["autosigner_fingerprint"]
    return fetch.Policy(
        sha256=params["sha256"].lower(),
        developers=Keys(params["developer_keys"], params["developer_fingerprints"]),
        autosigner=Keys(params["autosigner_key"], [autosigner] if autosigner else []),
        unsigned_if_pinned=params["signature"] == "unless_pinned",
    )


def _means(module: AnsibleModule) -> fetch.Means:
    timeout = module.params["timeout"]

    def run(argv: Any, chunks: Any) -> tuple[int, str]:
        return feed([module.get_bin_path(argv[0], required=True), *argv[1:]], chunks)

    limits = Limits(timeout, module.params["tries"], module.params["max_size"])
    return fetch.Means(url_opener(timeout), run, limits)


def _result(path: Path, proof: fetch.Proof) -> dict[str, Any]:
    return {
        "path": str(path),
        "sha256": proof.sha256,
        "url": proof.url,
        "signed_by": proof.signed_by,
        "listed_by": proof.listed_by,
    }


def _present(
    module: AnsibleModule, tarball: Path, policy: fetch.Policy, means: fetch.Means
) -> None:
    params = module.params
    workdir.make(tarball.parent)
    with held_and_removed(lock_of(tarball)) as lock:
        reporter = Reporter(lock)
        reporting = replace(means, progress=reporter, show_status=reporter.write)
        got = fetch.fetch(params["mirrors"], params["version"], tarball.parent, policy, reporting)
    if not got.proof.signed_by:
        module.warn(
            f"{tarball.name} was accepted by its pinned sha256 alone: the mirror has no signature "
            "for it. Set source_signature to 'always' to refuse that"
        )
    module.exit_json(
        changed=got.changed,
        cached=False,
        attempts=got.attempts,
        **_result(tarball, got.proof),
    )


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "version": {"type": "str", "required": True},
            "mirrors": {"type": "list", "elements": "str", "required": True},
            "directory": {"type": "path", "required": True},
            "sha256": {"type": "str", "default": ""},
            "known_sha256": {"type": "dict", "default": {}},
            "developer_keys": {"type": "str", "default": "", "no_log": False},
            "developer_fingerprints": {"type": "list", "elements": "str", "default": []},
            "autosigner_key": {"type": "str", "default": "", "no_log": False},
            "autosigner_fingerprint": {"type": "str", "default": ""},
            "signature": {
                "type": "str",
                "choices": ["always", "unless_pinned"],
                "default": "unless_pinned",
            },
            "state": {
                "type": "str",
                "choices": ["present", "offered", "cached", "newest"],
                "default": "present",
            },
            "timeout": {"type": "int", "default": 30},
            "tries": {"type": "int", "default": 3},
            "max_size": {"type": "int", "default": 4 << 30},
        },
        supports_check_mode=True,
    )
    os.umask(workdir.UMASK)
    params = module.params
    problems = inputs.check_source_version(params["version"])
    if problems:
        module.fail_json(msg=problems[0])
    version = kernel_version.parse(params["version"]).upstream
    pinned = params["known_sha256"]
    params["sha256"] = params["sha256"] or pinned.get(params["version"]) or pinned.get(version, "")
    tarball = Path(params["directory"]) / fetch.kernel_org_tarball(version)
    policy, means = _policy(params), _means(module)
    try:
        if params["state"] == "newest":
            series = kernel_version.parse(params["version"]).series
            newest = fetch.newest(params["mirrors"], series, policy, means)
            module.exit_json(changed=False, version=newest)
        proof = fetch.cached(tarball, policy)
        if proof or params["state"] == "cached":
            found = proof or fetch.Proof("")
            module.exit_json(
                changed=False, cached=bool(proof), attempts=[], **_result(tarball, found)
            )
        if params["state"] == "offered" or module.check_mode:
            url = fetch.find(params["mirrors"], params["version"], means)
            module.exit_json(
                changed=params["state"] == "present",
                cached=False,
                attempts=[],
                **_result(tarball, fetch.Proof(policy.sha256, url)),
            )
        _present(module, tarball, policy, means)
    except fetch.FetchError as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        problem = disk_problem(error, params["directory"])
        if not problem:
            raise
        module.fail_json(msg=problem)


if __name__ == "__main__":
    main()
