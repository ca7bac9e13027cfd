# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates that a host's firmware trusts, and whether it would start a kernel."""

from __future__ import annotations

import struct
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._boot import efi_variables
from ansible_collections.oslab.kernel.plugins.module_utils._build.signing_key import (
    parse_certificate,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._common.der import DerError

# The firmware's own list, and the one that the owner of the machine fills with mokutil.
_LISTS = (("db", efi_variables.SECURITY), ("MokListRT", efi_variables.SHIM))
# The owner's list again, in a file without attributes.
_MOK_TABLE = "sys/firmware/efi/mok-variables/MokListRT"

# EFI_CERT_X509_GUID, as it stands in memory
_X509 = bytes.fromhex("a159c0a5e494a74a87b5ab155c2bf072")
_LIST = struct.Struct("<16sIII")
_OWNER = 16
# Bytes of a list; those in use have some ten thousand.
_LARGEST = 1 << 20


def list_certificates(data: bytes) -> list[bytes]:
    """The X.509 certificates of a chain of EFI_SIGNATURE_LIST; what is broken ends it."""
    found: list[bytes] = []
    start = 0
    while len(data) >= start + _LIST.size:
        kind, size, header, each = _LIST.unpack_from(data, start)
        if not _LIST.size <= size <= len(data) - start:
            break
        if kind == _X509 and each > _OWNER:
            body = data[start + _LIST.size + header : start + size]
            found += [body[at + _OWNER : at + each] for at in range(0, len(body), each)]
        start += size
    return found


def _mok_table(root: Path) -> Optional[bytes]:
    try:
        return bounded_read.content(root / _MOK_TABLE, _LARGEST)
    except OSError:
        return None


def trusted_certificates(root: Path) -> Optional[list[dict[str, str]]]:
    """sha256 and subject of what db and MokListRT hold; None if neither can be read."""
    directory = root / efi_variables.DIRECTORY
    lists = [efi_variables.value(directory, name, vendor) for name, vendor in _LISTS]
    readable = [content for content in (*lists, _mok_table(root)) if content is not None]
    if not readable:
        return None
    found = {}
    for one in [certificate for content in readable for certificate in list_certificates(content)]:
        try:
            certificate = parse_certificate(one)
        except DerError:
            continue  # the firmware may understand it; nothing of ours looks like that
        found[certificate.sha256] = certificate.subject
    return [{"sha256": sha256, "subject": found[sha256]} for sha256 in sorted(found)]


def _knows(trusted: Any, signer: Mapping[str, str]) -> bool:
    """Whether a host's list has the certificate, or its issuer, which vouches for it."""
    return isinstance(trusted, Sequence) and any(
        isinstance(one, Mapping)
        and (one.get("sha256") == signer["sha256"] or one.get("subject") == signer["issuer"])
        for one in trusted
    )


def problem(host: str, info: Mapping[str, Any], signer: Optional[Mapping[str, str]]) -> str:
    """Why the host's firmware would refuse the image; empty if it would not.

    `info` is the result of host_kernel_info, `signer` the certificate of the image's
    signature, nothing if it has none.
    """
    if info.get("secure_boot") is not True:
        return ""
    if not signer:
        return (
            f"{host} enforces Secure Boot, and its firmware would refuse this kernel, whose image "
            "is not signed. Name a key in build_image_signing_key and enrol its certificate there "
            "(docs/how-to/use-secure-boot.md), or turn Secure Boot off."
        )
    trusted = info.get("trusted_certificates")
    # Without a list the firmware alone knows.
    if trusted is None or _knows(trusted, signer):
        return ""
    return (
        f"{host} enforces Secure Boot and does not know the certificate that this kernel's image "
        f"is signed with ({signer['subject']}, sha256 {signer['sha256']}): neither the firmware's "
        "db nor the owner's list (MOK) holds it. Enrol it there with mokutil --import and a "
        "reboot (docs/how-to/use-secure-boot.md), or name the key of one that is enrolled in "
        "build_image_signing_key."
    )
