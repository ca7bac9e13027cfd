#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Documentation of the action oslab.kernel.published_build, which runs on the control node."""

from __future__ import annotations

DOCUMENTATION = r"""
module: published_build
short_description: Read what somebody has published of a build
version_added: 0.2.0
description:
  - Reads, on the control node, the C(.buildinfo) of a build or the description of a repository, and
    the detached signatures that it names. Their checksum has to be the one that is named there.
  - Fails if one cannot be read, or is none.
options:
  document:
    description:
      - Path of the document on the control node, or its address (http, https or file). The
        signatures stand beside it.
    type: str
    required: true
  timeout:
    description: Seconds that a server may be silent. All of it may take six times as long.
    type: int
    default: 60
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
- name: Read what was published
  oslab.kernel.published_build:
    document: https://kernels.example.org/oslab-kernel.json
  register: published
"""

RETURN = r"""
document:
  description: The document, in base64.
  returned: success
  type: str
build_id:
  description: The id of the build.
  returned: success
  type: str
signatures:
  description: The detached signatures, in base64; empty if the build has none.
  returned: success
  type: str
signers:
  description:
    - Of V(modules) and V(image), where the build is signed, the certificate's C(sha256)
      fingerprint, C(subject) and C(issuer).
  returned: success
  type: dict
"""
