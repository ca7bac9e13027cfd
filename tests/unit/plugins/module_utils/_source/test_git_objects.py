# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is read out of git's objects; the real ones are in test_git_cache.py."""

from __future__ import annotations

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._source import git_objects
from ansible_collections.oslab.kernel.plugins.module_utils._source.git_objects import ObjectError

A, B = "a" * 40, "b" * 40
BLOCK = b"-----BEGIN PGP SIGNATURE-----\n\nabcd\n-----END PGP SIGNATURE-----\n"
TAG = f"object {A}\ntype commit\ntag v6.12\ntagger A <a@b> 1 +0000\n\nLinux 6.12\n".encode()
HEADERS = f"tree {A}\nparent {B}\nauthor A <a@b> 1 +0000\ncommitter A <a@b> 1 +0000\n".encode()
INSIDE = b"gpgsig " + BLOCK.rstrip(b"\n").replace(b"\n", b"\n ") + b"\n"


def test_references():
    text = f"{A}\trefs/tags/v6.12\n{B}\trefs/tags/v6.12^{{}}\n"
    assert git_objects.references(text) == {"refs/tags/v6.12": A, "refs/tags/v6.12^{}": B}
    assert git_objects.references("") == {}


@pytest.mark.parametrize(
    "text", ["<html>\n", f"{A} refs/heads/x\n", f"{A}\t/etc/passwd\n", "x" * 40]
)
def test_something_else_than_references(text):
    with pytest.raises(ObjectError, match="something else"):
        git_objects.references(text)


def test_a_tag():
    assert git_objects.tag(TAG + BLOCK) == git_objects.Tag(A, "commit", "v6.12")
    signed = git_objects.signed_tag(TAG + BLOCK)
    assert (signed.payload, signed.signature) == (TAG, BLOCK)


def test_of_two_signatures_the_last_one_counts_as_in_git():
    assert git_objects.signed_tag(TAG + BLOCK + BLOCK).payload == TAG + BLOCK


@pytest.mark.parametrize(
    "data",
    [b"", b"\n" + TAG, TAG.replace(b"type commit\n", b""), TAG.replace(b"tag v6.12\n", b""),
     TAG.replace(b"object", b"objects"), HEADERS],
)  # fmt: skip
def test_no_tag(data):
    with pytest.raises(ObjectError):
        git_objects.tag(data)


def test_no_signature():
    with pytest.raises(ObjectError, match="the tag has no OpenPGP"):
        git_objects.signed_tag(TAG)
    ssh = b"-----BEGIN SSH SIGNATURE-----\nabcd\n-----END SSH SIGNATURE-----\n"
    with pytest.raises(ObjectError, match="the tag has no OpenPGP"):
        git_objects.signed_tag(TAG + ssh)
    with pytest.raises(ObjectError, match="the commit has no OpenPGP"):
        git_objects.signed_commit(HEADERS + b"\nmessage\n" + INSIDE)


def test_a_commit():
    signed = git_objects.signed_commit(HEADERS + INSIDE + b"\nmessage\n\nmore\n")
    assert signed.payload == HEADERS + b"\nmessage\n\nmore\n"
    assert signed.signature == BLOCK


def test_a_commit_with_headers_behind_the_signature():
    signed = git_objects.signed_commit(HEADERS + INSIDE + b"encoding x\n more\n\nmessage\n")
    assert signed.payload == HEADERS + b"encoding x\n more\n\nmessage\n"


def test_a_commit_with_two_signatures_is_refused():
    with pytest.raises(ObjectError, match="two signatures"):
        git_objects.signed_commit(HEADERS + INSIDE + b"x y\n" + INSIDE + b"\nmessage\n")


def test_no_commit():
    with pytest.raises(ObjectError, match="no commit"):
        git_objects.signed_commit(TAG)
