#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action oslab.kernel.signing_keys, which runs on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: signing_keys
short_description: Refuse signing keys that are of no use before anything is done
version_added: 0.1.0
description:
  - Reads PEM files on the control node, each with one private key and its certificate, and fails
    with the reason if one cannot sign a kernel - it is not there, not PEM, encrypted with a
    passphrase, not RSA, too short, or its certificate is another key's, has expired or has not
    begun. Files that are encrypted by ansible-vault are decrypted.
  - Fails if others than the owner of such a file may read or change it (its mode is not C(0600) or
    stricter), or if it belongs neither to the user who runs Ansible nor to root. Files that are
    encrypted by ansible-vault may be read by others.
  - Fails if Ansible keeps the files that it sends (C(keep_remote_files)), since a key would be left
    on the builder.
  - Returns what may be shown of them. No key is sent anywhere.
options:
  modules:
    description: The file of the modules' key, C(build_module_signing_key).
    type: str
    default: ""
  image:
    description: The file of the image's key, C(build_image_signing_key).
    type: str
    default: ""
  image_signer:
    description:
      - Instead of O(image), C(sha256), C(subject) and C(issuer) of the certificate by whose
        published signature the image is signed.
    type: dict
    default: {}
  repository:
    description:
      - The file of the repository's key on the host, C(publish_gpg_key_file). Its owner and mode
        alone are checked.
    type: str
    default: ""
  check_connection:
    description:
      - Try whether the keys of O(modules) and O(image) can get to the host without a file there,
        with a line that is no secret. M(oslab.kernel.kernel_build) sends them by pipelining, also
        where that is not configured. Some connections and C(become_method=su) cannot do so.
    type: bool
    default: false
  targets:
    description:
      - Hosts for which the kernel is. By C(kernel_target_info) of each, what
        M(oslab.kernel.host_kernel_info) returned, those are found that enforce Secure Boot and
        would refuse an image that is signed with the key of O(image), by O(image_signer), or not at
        all.
      - What a host has answered counts for that host alone.
    type: list
    elements: str
    default: []
attributes:
  check_mode:
    description: Reads only; runs in check mode too.
    support: full
  diff_mode:
    description: Nothing is changed.
    support: none
  action:
    description: Has a corresponding action plugin.
    support: full
author:
  - oslab.kernel contributors (@oslab)
"""

EXAMPLES = r"""
- name: Check the signing keys
  oslab.kernel.signing_keys:
    modules: keys/kernel-signing.pem
    image: keys/kernel-signing.pem
  register: keys
"""

RETURN = r"""
signers:
  description:
    - Of V(modules) and V(image), where a file was named, the certificate's C(sha256) fingerprint,
      C(subject) and C(issuer), as a build's manifest states them.
  returned: success
  type: dict
refused:
  description: A sentence with what to do for each of O(targets) that would refuse the kernel.
  returned: success
  type: dict
accepting:
  description: Names of those that have answered and would not.
  returned: success
  type: list
  elements: str
report:
  description: The sentences of RV(refused) as one text, of which there are at most ten.
  returned: success
  type: str
"""
