# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is added, what is published and why; on real aptly where it is installed."""

from __future__ import annotations

import errno
import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common import atomic_file
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._repository.aptly import (
    Aptly,
    AptlyError,
    Deb,
    Key,
    Target,
    check_expected,
    check_names,
    conflicts,
    parse_expected,
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


@pytest.mark.parametrize("end", "\x0b\x0c\x1c\x1d\x1e\x85\u2028")
def test_a_line_ends_where_dpkg_ends_it(end: str) -> None:
    assert parse_stanzas(f"Package: a\nDescription: x{end}Package: b\n")[0]["Package"] == "a"


CONTROL = "Package: a\nVersion: 1\nArchitecture: amd64\n"


@pytest.mark.parametrize(
    ("control", "message"),
    [
        (CONTROL.replace(": a\n", ": ../../a\n"), "the Package '../../a'"),
        (CONTROL.replace(": a\n", ": a b\n"), "the Package"),
        (CONTROL.replace(": a\n", ": -a\n"), "the Package"),
        (CONTROL.replace(": a\n", ": a\x1b[2J\n"), r"the Package 'a\\x1b"),
        (CONTROL.replace(": 1", ": 1) | Name (% *"), "the Version"),
        (CONTROL.replace(": 1", ": 1/../../x"), "the Version"),
        (CONTROL.replace("amd64", "amd64/.."), "the Architecture"),
        (CONTROL + "Installed-Size: many\n", "the Installed-Size 'many'"),
        (CONTROL + "Installed-Size: \u0661\n", "the Installed-Size"),
        (CONTROL + "package: b\n", "state package twice"),
        (CONTROL + "\nPackage: b\n", "state package twice"),
        (CONTROL + "\nSource: b\n", "are of several packages"),
    ],
)
def test_strange_control_data_are_refused(tmp_path: Path, control: str, message: str) -> None:
    file = tmp_path / "a.deb"
    file.write_text("x")
    with pytest.raises(AptlyError, match=message):
        read_deb(lambda command: Result(0, control), str(file))


SUM = "ab" * 32


def test_what_a_build_says_of_its_packages() -> None:
    found = parse_expected({"a": {"file": "a.deb", "sha256": SUM, "size": 1}}, "1")
    check_expected([deb("a", sha256=SUM)], found, True)
    check_expected([], found, False)  # a check run without the files
    for about in ({}, {"sha256": "x"}, {"sha256": None}, "x"):
        with pytest.raises(AptlyError, match="64 hexadecimal digits"):
            parse_expected({"a": about}, "1")


@pytest.mark.parametrize(
    ("debs", "message"),
    [
        ([deb("a", sha256=SUM), deb("b", sha256=SUM)], r"/x/b.deb holds the package b, which"),
        ([deb("a", sha256="cd" * 32)], r"/x/a.deb is not the file that publish_build describes"),
        ([deb("a", version="2", sha256=SUM)], "it has version 2"),
        ([deb("a", sha256=SUM), deb("a", sha256=SUM)], "both hold the package a"),
        ([], "No file holds a"),
    ],
)
def test_other_packages_than_the_build_has(debs: list[Deb], message: str) -> None:
    expected = parse_expected({"a": {"sha256": SUM}}, "1")
    with pytest.raises(AptlyError, match=rf"{message}.*Nothing was published\."):
        check_expected(debs, expected, True)


OURS = [
    *("linux-image-6.12-1-usac1", "linux-image-6.12-1-usac1-dbg", "linux-headers-6.12-1-usac1"),
    *("linux-modules-oslab-6.12-1-usac1", "linux-libc-dev", "oslab-kernel-tools"),
]


def test_the_packages_of_a_kernel() -> None:
    check_names(OURS, "6.12-1-usac1")
    check_names([], "6.12-1-usac1")


@pytest.mark.parametrize(
    "name",
    [
        *(
            "bash",
            "linux-image-amd64",
            "linux-image-6.12-1-usac2",
            "linux-libc-dev-x",
            "linux-image-",
        ),
        *("linux-headers-6.12-1-usac1-dbg", "xlinux-libc-dev", "linux-libc-dev\n"),
    ],
)
def test_a_package_that_no_kernel_has_is_not_published(name: str) -> None:
    with pytest.raises(AptlyError, match="which is no package of the kernel 6"):
        check_names([*OURS, name], "6.12-1-usac1")


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
        read_deb(lambda command: Result(0), str(tmp_path / "a.deb"))


def test_file_that_is_no_package_names_the_file(tmp_path: Path) -> None:
    file = tmp_path / "a.deb"
    file.write_text("no package")
    with pytest.raises(AptlyError, match=r"a\.deb: its control data have no Package"):
        read_deb(lambda command: Result(0, "Version: 1\nArchitecture: amd64\n"), str(file))


def test_a_package_of_another_user_than_the_one_who_builds(tmp_path: Path) -> None:
    file = tmp_path / "a.deb"
    file.write_text("not theirs")
    with pytest.raises(PermissionError, match="does not belong to the user number"):
        read_deb(lambda command: Result(0), str(file), os.geteuid() + 4711)


def test_failed_command_shows_the_end_of_its_output(tmp_path: Path) -> None:
    target = Target("r", str(tmp_path), "stable", "main", ("amd64",), "F" * 40, "l")
    aptly = Aptly(lambda command: Result(1, "", "ERROR: unable to open db"), "c", target)
    with pytest.raises(AptlyError, match=r"aptly -config=c repo list -raw failed .*open db"):
        aptly.exists()


def test_a_failed_command_shows_both_of_its_streams(tmp_path: Path) -> None:
    """As aptly 1.4 has it for a package that is compressed by zstd."""
    target = Target("r", str(tmp_path), "stable", "main", ("amd64",), "F" * 40, "l")
    out = "Loading packages...\n[!] Unable to read file a.deb: unsupported tar compression\n"
    aptly = Aptly(
        lambda command: Result(1, out, "ERROR: some files failed to be added\n"), "c", target
    )
    for act in (aptly.exists, aptly.stored):
        with pytest.raises(AptlyError, match=r"unsupported tar compression.*some files failed"):
            act()


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

    def run(self, command: Sequence[str]) -> Result:
        self.commands.append(" ".join(command))
        done = subprocess.run(
            list(command), env=self.env, capture_output=True, text=True, check=False
        )
        return Result(done.returncode, done.stdout, done.stderr)

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


def state(lab: Lab) -> tuple[bytes, set[Key]]:
    """What is served, and what the repository holds."""
    return (lab.root / "public/dists/stable/InRelease").read_bytes(), lab.aptly().stored()


@needs_aptly
def test_a_file_that_changes_after_it_was_compared(lab: Lab) -> None:
    lab.ensure(lab.package("pkg", "1"))
    before = state(lab)
    file = lab.package("pkg", "2")
    aptly = lab.aptly()
    plan = aptly.plan([read_deb(lab.run, file)])
    with Path(file).open("ab") as stream:
        stream.write(b"\n")
    with pytest.raises(AptlyError, match=r"was changed while it was published.*Nothing was"):
        aptly.apply(plan)
    assert state(lab) == before
    assert not (lab.root / "incoming").exists()


@needs_aptly
@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")
def test_a_link_in_the_place_of_a_package_is_not_followed(lab: Lab) -> None:
    """As root, who could read more than the user who builds."""
    store = lab.root / "store"
    store.mkdir()
    file = store / "pkg_1_amd64.deb"
    secret = Path(lab.package("pkg", "1")).rename(lab.root / "secret.deb")
    shutil.copy(secret, file)
    for place in (store, file):
        os.chown(place, 4711, 4711)
    aptly = lab.aptly()
    plan = aptly.plan([read_deb(lab.run, str(file))])
    file.unlink()
    file.symlink_to(secret)
    with pytest.raises(PermissionError, match="a link where a file has to be"):
        aptly.apply(plan)
    assert not (lab.root / "incoming").exists()


@needs_aptly
def test_a_file_that_changes_while_aptly_reads_it(lab: Lab) -> None:
    """aptly is given a copy: whoever owns the store cannot change that."""
    file = lab.package("pkg", "1")
    wanted = Path(file).read_bytes()

    def run(command: Sequence[str]) -> Result:
        if "add" in command:
            # Through the inode, as a link to it would be changed, too.
            Path(file).write_bytes(wanted + b"\n")
        return lab.run(command)

    aptly = lab.aptly()
    aptly.run = run
    plan = aptly.plan([read_deb(lab.run, file)])
    aptly.apply(plan)
    assert (lab.root / "public/pool/main/p/pkg/pkg_1_amd64.deb").read_bytes() == wanted


@needs_aptly
def test_what_aptly_takes_for_something_else_is_removed_again(lab: Lab) -> None:
    lab.ensure(lab.package("pkg", "1"))
    before = state(lab)
    two, other = lab.package("pkg", "2"), lab.package("other", "2")

    def run(command: Sequence[str]) -> Result:
        if "add" in command:
            shutil.copy(other, command[-1])
        return lab.run(command)

    aptly = lab.aptly()
    aptly.run = run
    plan = aptly.plan([read_deb(lab.run, two)])
    with pytest.raises(AptlyError, match=r"aptly took other 2 for pkg_2_amd64\.deb"):
        aptly.apply(plan)
    assert state(lab) == before


@needs_aptly
def test_bytes_that_the_disk_changed_are_not_served(lab: Lab) -> None:
    one = lab.package("pkg", "1")
    lab.ensure(one)
    before = state(lab)
    for path in (lab.root / "pool").rglob("*.deb"):  # one inode with staging and public
        data = bytearray(path.read_bytes())
        data[-1] ^= 1
        path.write_bytes(bytes(data))
    with pytest.raises(AptlyError, match=r"Move db, pool and staging in .* away and publish again"):
        lab.ensure(one)
    assert state(lab) == before
    for name in ("db", "pool", "staging"):
        shutil.rmtree(lab.root / name)
    lab.ensure(one)
    assert lab.ensure(one) == ""


@needs_aptly
def test_a_package_of_another_machine(lab: Lab) -> None:
    found = Deb(Key("pkg", "1", "arm64", SUM), "/x/pkg.deb", 1, 1)
    with pytest.raises(AptlyError, match=r"/x/pkg.deb is for arm64, and the repository is for amd"):
        lab.aptly().plan([found])


@needs_aptly
def test_a_full_disk_leaves_the_old_and_the_next_run_finishes(
    lab: Lab, monkeypatch: pytest.MonkeyPatch
) -> None:
    lab.ensure(lab.package("pkg", "1"))
    served = (lab.root / "public/dists/stable/InRelease").read_bytes()
    two = lab.package("pkg", "2")

    def full(path: object, *_more: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", str(path))

    for when in ("copy", "place"):
        with monkeypatch.context() as patch:
            if when == "copy":
                patch.setattr(atomic_file, "sync", full)
            else:
                patch.setattr(os, "link", full)
                patch.setattr(shutil, "copy2", full)
            with pytest.raises(OSError, match="No space left"):
                lab.ensure(two)
        assert (lab.root / "public/dists/stable/InRelease").read_bytes() == served
        assert list(lab.root.glob("public/**/.*.part")) == []
    assert lab.ensure(two)
    assert lab.index() == ["pkg=1", "pkg=2"]
    assert lab.ensure(two) == ""


@needs_aptly
def test_room_is_looked_for_first(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> None:
    usage = shutil.disk_usage("/")._replace(free=1 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda path: usage)
    lab.commands.clear()
    with pytest.raises(AptlyError, match=r"1 MiB are free there, and 5 MiB are needed"):
        lab.ensure(lab.package("pkg", "1"))
    assert not any("repo add" in command for command in lab.commands)


@needs_aptly
def test_aptlys_own_word_for_a_full_disk(lab: Lab) -> None:
    aptly = lab.aptly()
    aptly.run = lambda command: Result(1, "", "ERROR: write /r/db: no space left on device")
    with pytest.raises(AptlyError, match=f"Free space on the file system of {lab.root}"):
        aptly.exists()


@needs_aptly
def test_names_that_lead_out_of_the_pool_are_not_followed(lab: Lab) -> None:
    file = lab.package("pkg", "1")
    lab.ensure(file)
    index = lab.root / "public/dists/stable/main/binary-amd64/Packages"
    text = index.read_text()
    for name in ("../../etc/passwd", "/etc/passwd", "pool/../../etc/passwd"):
        index.unlink()
        index.write_text(text.replace("pool/main/p/pkg/pkg_1_amd64.deb", name))
        assert served_filenames(lab.aptly().target) == {}
