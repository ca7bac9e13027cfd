# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which addresses and names are taken, and what is said of the others."""

from __future__ import annotations

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._source import git_names
from ansible_collections.oslab.kernel.plugins.module_utils._source.git_names import Ref

COMMIT = "0123456789abcdef0123456789abcdef01234567"


@pytest.mark.parametrize(
    ("url", "protocol", "path"),
    [
        ("https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git", "https", None),
        ("https://[::1]:8443/linux", "https", None),
        ("git://git.kernel.org/linux.git", "git", None),
        ("/home/me/my linux", "file", "/home/me/my linux"),
        ("file:///home/me/linux", "file", "/home/me/linux"),
    ],
)
def test_addresses(url, protocol, path):
    found = git_names.address(url)
    assert (found.protocol, str(found.path) if found.path else None) == (protocol, path)
    assert found.url == (path or url)


@pytest.mark.parametrize(
    "url",
    [
        *("", "linux", "../linux", "~/linux", "file://linux", "file://host/linux", "https://"),
        *("http://a.example/x", "ssh://a.example/x", "git@a.example:x", "ext::sh -c id"),
        *("https:///x", "https://-x/y", "https://a b/c", "https://a.example", "/a\nb", "-x"),
        *("https://a.example/x y", "https://a.example:port/x"),
    ],
)
def test_other_addresses_are_refused(url):
    assert "it has to be https://HOST/PATH" in git_names.url_problem(url)
    with pytest.raises(ValueError, match="https://HOST/PATH"):
        git_names.address(url)


@pytest.mark.parametrize(
    ("url", "problem"),
    [
        ("https://me:hunter2@a.example/x", "a name or a password"),
        ("HTTPS://hunter2@a.example/x", "a name or a password"),
        ("ssh://hunter2@a.example/x", "a name or a password"),
        ("https://a.example/x?token=hunter2", "behind ? or #"),
        ("https://a.example/x#hunter2", "behind ? or #"),
    ],
)
def test_an_address_with_a_secret_is_refused_and_not_repeated(url, problem):
    found = git_names.url_problem(url)
    assert problem in found
    assert "hunter2" not in found


@pytest.mark.parametrize(
    ("text", "ref"),
    [
        ("v6.12", Ref("", "v6.12")),
        ("feature/one", Ref("", "feature/one")),
        ("refs/tags/v6.12", Ref("tag", "v6.12")),
        ("refs/heads/v6.12", Ref("branch", "v6.12")),
        (COMMIT.upper(), Ref("commit", COMMIT)),
        (COMMIT[:39], Ref("", COMMIT[:39])),
    ],
)
def test_names(text, ref):
    assert git_names.ref(text) == ref


@pytest.mark.parametrize(
    "text",
    [
        *(
            "",
            "HEAD",
            "-x",
            "--upload-pack=x",
            "a b",
            "a..b",
            "a//b",
            "/a",
            "a/",
            "a.lock",
            "a.lock/b",
        ),
        *("a~1", "a^{commit}", "a@{1}", "a:b", "+a", ".a", "a/.b", "a/-b", "a.", "x" * 201, "a\n"),
        *("refs/heads/", "refs/notes/x", "refs/oslab/commits/x", "*", "é"),
    ],
)
def test_other_names_are_refused(text):
    with pytest.raises(ValueError, match="40 hexadecimal digits"):
        git_names.ref(text)


@pytest.mark.parametrize(
    ("text", "verify", "problem"),
    [
        ("v6.12", "tag", ""),
        ("refs/tags/v6.12", "tag", ""),
        ("refs/heads/main", "tag", "names a branch"),
        (COMMIT, "tag", "names a commit"),
        (COMMIT, "commit", ""),
        ("refs/heads/main", "none", ""),
    ],
)
def test_what_can_have_a_signature(text, verify, problem):
    found = git_names.verify_problem(text, verify)
    assert problem in found
    assert bool(problem) == bool(found)


def test_the_full_name():
    assert Ref("tag", "v6.12").full == "refs/tags/v6.12"
    assert Ref("branch", "main").full == "refs/heads/main"
