# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""aptly_repo: what is added, what is published and why; on real aptly where it is installed."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils.aptly_repo import (
    Aptly,
    AptlyError,
    Deb,
    Key,
    Target,
    conflicts,
    parse_search,
    parse_stanzas,
    read_deb,
    served_filenames,
    stale_reason,
)


def deb(name: str, version: str = "1", sha256: str = "aa") -> Deb:
    return Deb(Key(name, version, "amd64", sha256), f"/x/{name}.deb", 10, 1)


def test_stanzas_join_continuation_lines() -> None:
    text = "Package: a\nDescription: x\n more\n\nPackage: b\n\n\n"
    assert parse_stanzas(text) == [{"Package": "a", "Description": "x\nmore"}, {"Package": "b"}]


def test_search_lines_become_keys_and_noise_is_dropped() -> None:
    assert parse_search("a\t1\tamd64\tff\nLoading packages...\n") == {Key("a", "1", "amd64", "ff")}


def test_same_version_with_other_bytes_is_a_replacement() -> None:
    stored = {deb("kept").key, deb("changed", sha256="old").key}
    fresh, replaced = conflicts(
        stored, [deb("kept"), deb("changed"), deb("new"), deb("changed", version="2")]
    )
    assert [d.key[:2] for d in fresh] == [("new", "1"), ("changed", "2")]
    assert [d.key.name for d in replaced] == ["changed"]


def test_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(AptlyError, match="there is no such file; build the packages first"):
        read_deb(lambda command: (0, "", ""), str(tmp_path / "a.deb"))


def test_file_that_is_no_package_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.deb"
    file.write_text("no package")
    with pytest.raises(AptlyError, match=r"a\.deb: its control data have no Package"):
        read_deb(lambda command: (0, "Version: 1\nArchitecture: amd64\n", ""), str(file))


def test_failed_command_shows_the_end_of_its_output(tmp_path: Path) -> None:
    target = Target("r", str(tmp_path), "stable", "main", ("amd64",), "F" * 40, "l")
    aptly = Aptly(lambda command: (1, "", "ERROR: unable to open db"), "c", target)
    with pytest.raises(AptlyError, match=r"aptly -config=c repo list -raw failed .*open db"):
        aptly.exists()


needs_aptly = pytest.mark.skipif(
    not (shutil.which("aptly") and shutil.which("gpg") and shutil.which("dpkg-deb")),
    reason="aptly, gpg and dpkg-deb make the real repository",
)


class Lab:
    """A real aptly root with its own key."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.commands: list[str] = []
        gnupg = root / "gnupg"
        gnupg.mkdir(mode=0o700)
        self.env = {**os.environ, "GNUPGHOME": str(gnupg), "LC_ALL": "C.UTF-8"}
        (root / "aptly.conf").write_text(
            json.dumps(
                {
                    "rootDir": str(root),
                    "architectures": ["amd64"],
                    "gpgProvider": "gpg2",
                    "FileSystemPublishEndpoints": {
                        "staging": {"rootDir": str(root / "staging"), "linkMethod": "hardlink"}
                    },
                }
            )
        )
        self.key = self.make_key()

    def make_key(self) -> str:
        self.run(
            ["gpg", "--batch", "--passphrase", "", "--quick-generate-key", "t", "ed25519", "sign"]
            if not (self.root / "gnupg/openpgp-revocs.d").exists()
            else ["gpg", "--batch", "--passphrase", "", "--quick-generate-key", "u", "ed25519"]
        )
        out = self.run(["gpg", "--batch", "--with-colons", "--list-secret-keys"])[1]
        return [line.split(":")[9] for line in out.splitlines() if line.startswith("fpr")][-1]

    def run(self, command: Sequence[str]) -> tuple[int, str, str]:
        self.commands.append(" ".join(command))
        done = subprocess.run(
            list(command), env=self.env, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout, done.stderr

    def package(self, name: str, version: str, content: str = "x") -> str:
        tree = self.root / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        (tree / "DEBIAN").mkdir(parents=True)
        (tree / "content").write_text(content)
        (tree / "DEBIAN/control").write_text(
            f"Package: {name}\nVersion: {version}\nArchitecture: amd64\n"
            "Maintainer: t <t@example.org>\nInstalled-Size: 7\nDescription: t\n"
        )
        file = self.root / f"{name}_{version}_amd64.deb"
        self.run(["dpkg-deb", "--build", "--root-owner-group", str(tree), str(file)])
        return str(file)

    def aptly(self, key: str = "", keep: int = 0) -> Aptly:
        signer = key or self.key
        target = Target(
            "lab", str(self.root), "stable", "main", ("amd64",), signer, "oslab-kernel", keep
        )
        return Aptly(self.run, str(self.root / "aptly.conf"), target)

    def ensure(self, *files: str, key: str = "", keep: int = 0) -> str:
        aptly = self.aptly(key, keep)
        plan = aptly.plan([read_deb(self.run, file) for file in files])
        aptly.apply(plan)
        return plan.publish_reason

    def index(self) -> list[str]:
        text = (self.root / "public/dists/stable/main/binary-amd64/Packages").read_text()
        return sorted(f"{s['Package']}={s['Version']}" for s in parse_stanzas(text))


@pytest.fixture
def lab() -> Iterator[Lab]:
    # gpg-agent's socket path has to stay short, so not pytest's own tmp_path.
    import tempfile

    with tempfile.TemporaryDirectory(prefix="oslab") as root:
        made = Lab(Path(root))
        yield made
        made.run(["gpgconf", "--kill", "gpg-agent"])


@needs_aptly
def test_second_run_changes_nothing_and_versions_are_kept(lab: Lab) -> None:
    one, two = lab.package("pkg", "1"), lab.package("pkg", "2")
    assert lab.ensure(one)
    assert lab.ensure(one) == ""
    release = (lab.root / "public/dists/stable/InRelease").read_bytes()
    assert lab.ensure(two) == "packages were added"
    assert lab.index() == ["pkg=1", "pkg=2"]
    assert lab.ensure(one, two) == ""
    assert (lab.root / "public/dists/stable/InRelease").read_bytes() != release
    found = served_filenames(lab.aptly().target)
    assert found[read_deb(lab.run, two).key] == "pool/main/p/pkg/pkg_2_amd64.deb"
    signed = (lab.root / "public/dists/stable/InRelease").read_text()
    assert "Acquire-By-Hash: yes" in signed
    assert "NotAutomatic: yes" in signed


@needs_aptly
def test_a_run_killed_before_publishing_is_finished(lab: Lab) -> None:
    lab.ensure(lab.package("pkg", "1"))
    two = lab.package("pkg", "2")
    lab.run(["aptly", f"-config={lab.root / 'aptly.conf'}", "repo", "add", "lab", two])
    assert lab.ensure(two) == "the index lists other packages than the repository holds"
    assert lab.index() == ["pkg=1", "pkg=2"]


@needs_aptly
def test_other_bytes_under_the_same_version_replace_the_old(lab: Lab) -> None:
    lab.ensure(lab.package("pkg", "1", "old"))
    new = lab.package("pkg", "1", "new content")
    lab.ensure(new)
    pooled = lab.root / "public/pool/main/p/pkg/pkg_1_amd64.deb"
    assert pooled.read_bytes() == Path(new).read_bytes()
    assert lab.ensure(new) == ""


@needs_aptly
@pytest.mark.parametrize(
    ("damage", "reason"),
    [
        ("pool/main/p/pkg/pkg_1_amd64.deb", "missing or changed"),
        ("dists/stable/main/binary-amd64/Packages", "not the one that was signed"),
        ("dists/stable/InRelease", "nothing is published yet"),
    ],
)
def test_what_is_served_is_repaired(lab: Lab, damage: str, reason: str) -> None:
    file = lab.package("pkg", "1")
    lab.ensure(file)
    (lab.root / "public" / damage).unlink()
    assert reason in lab.ensure(file)
    assert (lab.root / "public" / damage).exists()
    assert lab.ensure(file) == ""


@needs_aptly
def test_another_key_signs_the_index_anew(lab: Lab) -> None:
    file = lab.package("pkg", "1")
    lab.ensure(file)
    other = lab.make_key()
    assert other != lab.key
    assert "not signed by" in lab.ensure(file, key=other)
    assert lab.ensure(file, key=other) == ""


@needs_aptly
def test_a_changed_index_is_not_taken_for_current(lab: Lab) -> None:
    lab.ensure(lab.package("pkg", "1"))
    release = lab.root / "public/dists/stable/InRelease"
    release.write_text(release.read_text().replace("Origin: oslab", "Origin: other"))
    aptly = lab.aptly()
    assert "not signed" in stale_reason(lab.run, aptly.target, aptly.stored(), set())


@needs_aptly
def test_a_package_changed_in_place_is_put_back(lab: Lab) -> None:
    file = lab.package("pkg", "1")
    lab.ensure(file)
    pooled = lab.root / "public/pool/main/p/pkg/pkg_1_amd64.deb"
    data = bytearray(pooled.read_bytes())
    data[-1] ^= 1
    pooled.unlink()
    pooled.write_bytes(bytes(data))
    assert "missing or changed" in lab.ensure(file)
    assert pooled.read_bytes() == Path(file).read_bytes()


@needs_aptly
def test_of_too_many_builds_the_ones_published_longest_ago_go(lab: Lab) -> None:
    # Versions end with a hash: their order tells nothing about their age.
    files = {name: lab.package("pkg", f"1-oslab1.{name}") for name in ("f", "a", "c")}
    for name in ("f", "a", "c"):
        lab.ensure(files[name], keep=2)
    assert lab.index() == ["pkg=1-oslab1.a", "pkg=1-oslab1.c"]
    # The package that clients may just be fetching goes with the next publication.
    pool = lab.root / "public/pool/main/p/pkg"
    assert len(list(pool.iterdir())) == 3
    assert lab.ensure(files["a"], keep=2) == ""  # the newest now, without anything to do
    assert lab.ensure(files["f"], keep=2)
    assert lab.index() == ["pkg=1-oslab1.a", "pkg=1-oslab1.f"]
    assert lab.ensure(files["f"], keep=1) == "old builds were removed"
    assert lab.index() == ["pkg=1-oslab1.f"]
    assert not (lab.root / "pool").exists() or len(list((lab.root / "pool").rglob("*.deb"))) == 1
