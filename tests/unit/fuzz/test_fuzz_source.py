# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a mirror sends: headers, signatures, archives, patches; and what is in a kernel's tree."""

from __future__ import annotations

import contextlib
import io
import json
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ansible_collections.oslab.kernel.plugins.module_utils._build import log as build_log
from ansible_collections.oslab.kernel.plugins.module_utils._build import progress as build_progress
from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    kernel_config,
    kernel_makefile,
    tree_records,
)
from ansible_collections.oslab.kernel.plugins.module_utils._kconfig import config as kconfig_config
from ansible_collections.oslab.kernel.plugins.module_utils._kconfig import stamp
from ansible_collections.oslab.kernel.plugins.module_utils._kconfig import tree as kconfig_tree
from ansible_collections.oslab.kernel.plugins.module_utils._patch import (
    apply,
    edits,
    patch_file,
    record,
    syscall_source,
)
from ansible_collections.oslab.kernel.plugins.module_utils._source import archive as source_archive
from ansible_collections.oslab.kernel.plugins.module_utils._source import (
    download,
    fetch,
    git_names,
    git_objects,
    openpgp,
)
from ansible_collections.oslab.kernel.plugins.module_utils._source import lock as source_lock
from ansible_collections.oslab.kernel.tests.lib import hostile
from hypothesis import example, given
from hypothesis import strategies as st

# --- HTTP --------------------------------------------------------------------------------------


class Answer(io.BytesIO):
    def __init__(self, data: bytes, status: int, headers: Mapping[str, str]) -> None:
        super().__init__(data)
        self.status, self.headers = status, headers


@example("²", "bytes 5-", b"x", 200)
@example("9" * 4000, "bytes 5-", b"x", 200)
@example("9" * 5000, "bytes 5-", b"x", 206)
@given(
    hostile.texts("10"),
    hostile.texts("bytes 5-9/10"),
    st.binary(max_size=30),
    st.integers(200, 206),
)
def test_downloads(tmp_path: Path, length: str, content: str, data: bytes, status: int) -> None:
    part = tmp_path / "part"
    part.write_bytes(b"12345")
    headers = {"Content-Length": length, "Content-Range": content}
    limits = download.Limits(size=20, tries=2, sleep=lambda seconds: None)
    with (tmp_path / "lock").open("w") as lock:
        report = source_lock.Reporter(lock, clock=iter(range(10**6)).__next__)

        def opener(url: str, given: Mapping[str, str]) -> Answer:
            return Answer(data, status, headers)

        with contextlib.suppress(download.DownloadError):
            download.download("https://a/x", part, opener, limits, report)
        with contextlib.suppress(download.DownloadError):
            download.read("https://a/x", opener, limits, 20)
    assert part.stat().st_size <= 20 + len(data)


# --- signatures --------------------------------------------------------------------------------

PRIMARY, OTHER = "A" * 40, "B" * 40
VALID = f"[GNUPG:] VALIDSIG {OTHER} 2026-01-01 1 0 4 0 1 10 00 {OTHER}"
STATUS = f"[GNUPG:] NEWSIG\n[GNUPG:] GOODSIG x Somebody <a@b>\n{VALID}\n"


@given(
    st.sampled_from(["\x0b", "\x0c", "\x1c", "\x85", "\u2028", "\u2029"]), st.sampled_from(" \xa0")
)
def test_no_notation_signs(end: str, space: str) -> None:
    """gpgv repeats notations of a signature as they are, but for what ends a line of its own."""
    good = [f"[GNUPG:] GOODSIG x y{end}", VALID.replace(OTHER, PRIMARY).replace(" ", space)]
    status = STATUS + f"[GNUPG:] NOTATION_DATA x{end}" + "".join(good) + "\n"
    with contextlib.suppress(openpgp.SignatureError):
        found = openpgp.signer(status, openpgp.Keys("x", [PRIMARY]))
        raise AssertionError(found)


@given(hostile.texts(STATUS.replace(OTHER, PRIMARY)))
def test_status_lines(text: str) -> None:
    with contextlib.suppress(openpgp.SignatureError):
        assert openpgp.signer(text, openpgp.Keys("x", [PRIMARY])) == PRIMARY


ARMOR = (
    "-----BEGIN PGP SIGNATURE-----\nVersion: 1\n\naGVsbG8=\n=abcd\n-----END PGP SIGNATURE-----\n"
)


@given(hostile.texts(ARMOR))
def test_armor(text: str) -> None:
    with contextlib.suppress(openpgp.SignatureError):
        openpgp.dearmor(text)


@given(hostile.texts(f"{'0' * 64}  linux-6.8.tar.xz\n{'1' * 64}  linux-6.9.tar.xz\r\n"))
def test_listings(text: str) -> None:
    assert fetch.listed_sha256(text, "linux-6.8.tar.xz") in (None, "0" * 64)


# --- git ---------------------------------------------------------------------------------------

BLOCK = ARMOR.replace("Version: 1\n", "")
TAG = f"object {'a' * 40}\ntype commit\ntag v6.12\ntagger A <a@b> 1 +0000\n\nLinux\n{BLOCK}"
COMMIT = (
    f"tree {'a' * 40}\nparent {'b' * 40}\nauthor A <a@b> 1 +0000\n"
    f"gpgsig {BLOCK.rstrip().replace(chr(10), chr(10) + ' ')}\n\nLinux\n"
)


@given(hostile.contents(TAG.encode(), COMMIT.encode()))
def test_objects_of_git(data: bytes) -> None:
    with contextlib.suppress(git_objects.ObjectError):
        found = git_objects.tag(data)
        assert len(found.target) == 40
        assert "\n" not in found.name
    with contextlib.suppress(git_objects.ObjectError):
        signed = git_objects.signed_tag(data)
        assert signed.payload + signed.signature == data
    with contextlib.suppress(git_objects.ObjectError):
        signed = git_objects.signed_commit(data)
        assert signed.payload.startswith(data[:46])
        assert len(signed.payload) < len(data)


@given(hostile.texts(f"{'a' * 40}\trefs/tags/v6.12\n{'b' * 40}\trefs/tags/v6.12^{{}}\n"))
def test_references_of_git(text: str) -> None:
    with contextlib.suppress(git_objects.ObjectError):
        for name, commit in git_objects.references(text).items():
            assert name == "HEAD" or name.startswith("refs/")
            assert git_names.HEX.fullmatch(commit)


@given(hostile.texts("https://git.kernel.org/x.git", "/srv/linux", "git://a.example:9418/x"))
def test_addresses_of_git(text: str) -> None:
    with contextlib.suppress(ValueError):
        found = git_names.address(text)
        assert found.url.startswith(("https://", "git://", "/"))
        assert not set(found.url) & set("\0\n\r")
        assert found.path or "@" not in found.url.split("/")[2]


@given(hostile.texts("v6.12", "refs/heads/main", "a" * 40))
def test_names_of_git(text: str) -> None:
    with contextlib.suppress(ValueError):
        found = git_names.ref(text)
        assert not found.name.startswith("-")
        assert ".." not in found.name
        assert not set(found.name) & set(" ~^:?*[\\\0\n")


PROOF = {"sha256": "0" * 64, "url": "https://a", "signed_by": PRIMARY, "listed_by": ""}


@given(
    st.one_of(
        hostile.contents(json.dumps(PROOF).encode(), b"[" * 5000),
        hostile.values(PROOF).map(lambda value: json.dumps(value).encode()),
    )
)
def test_what_was_proved_before(tmp_path: Path, content: bytes) -> None:
    tarball = tmp_path / "linux-6.8.tar.xz"
    tarball.write_bytes(b"x")
    fetch.record_of(tarball).write_bytes(content)
    policy = fetch.Policy(developers=openpgp.Keys("x", [PRIMARY]))
    assert fetch.cached(tarball, policy) is None


# --- archives ----------------------------------------------------------------------------------

KINDS = [tarfile.REGTYPE, tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE]
PARTS = st.lists(st.sampled_from(["linux", "linux", "a", "b", "..", ".", ""]), max_size=4)
PATHS = PARTS.map("/".join)
MEMBERS = st.lists(
    st.tuples(PATHS.map("linux/".__add__) | PATHS, st.sampled_from(KINDS), PATHS), max_size=6
)


def archive(members: list[tuple[str, bytes, str]], form: int = tarfile.GNU_FORMAT) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w", format=form) as tar:
        for name, kind, link in members:
            item = tarfile.TarInfo(name)
            item.type, item.linkname, item.mode = kind, link, 0o755
            item.size = 2 if kind == tarfile.REGTYPE else 0
            tar.addfile(item, io.BytesIO(b"hi"))
    return stream.getvalue()


def read_archive(path: Path) -> list[bytes]:
    return list(source_archive.checked(source_archive.decompressed(path, 1 << 20)))


@example([("linux/a", tarfile.SYMTYPE, "."), ("linux/a/../../b", tarfile.REGTYPE, "")])
@given(MEMBERS)
def test_nothing_is_unpacked_outside(tmp_path: Path, members: list[tuple[str, bytes, str]]) -> None:
    tarball, outer = tmp_path / "x.tar", tmp_path / "outer"
    tarball.write_bytes(archive(members))
    hostile.put(outer, {"inner/keep": b""})
    try:
        data = b"".join(read_archive(tarball))
    except source_archive.ArchiveError:
        return
    subprocess.run(
        ["tar", "--extract", "--file=-", f"--directory={outer / 'inner'}", "--no-same-owner"],
        input=data,
        capture_output=True,
        check=False,
    )
    assert [path.name for path in outer.iterdir()] == ["inner"]
    for path in (outer / "inner").rglob("*"):
        assert path.is_symlink() or path.is_file() or path.is_dir()
        with contextlib.suppress(RuntimeError):  # links in a circle
            assert path.resolve().is_relative_to(outer / "inner")


def with_sums(data: bytes) -> bytes:
    """The blocks with the checksums that headers have: otherwise all that is tried is the sum."""
    blocks = [bytearray(data[at : at + 512]) for at in range(0, len(data), 512)]
    for block in blocks:
        if block[257:262] == b"ustar" and len(block) == 512:
            block[148:156] = b" " * 8
            block[148:156] = b"%06o\0 " % sum(block)
    return b"".join(blocks)


GOOD = [("linux/a", tarfile.REGTYPE, ""), ("linux/" + "é" * 150, tarfile.SYMTYPE, "a")]
PAX, GNU = archive(GOOD, tarfile.PAX_FORMAT), archive(GOOD)
HUGE = tarfile.TarInfo("linux/x")
HUGE.pax_headers = {"comment": "x" * 6000}
RECORDS = b"9" * 5000 + b" path=x\n"


def pax_header(records: bytes) -> bytes:
    item = tarfile.TarInfo("x")
    item.type, item.size = tarfile.XHDTYPE, len(records)
    padded = records + bytes(-len(records) % 512)
    return item.tobuf(tarfile.USTAR_FORMAT) + padded + GNU


@example(pax_header(RECORDS))
@example(pax_header(b"5017 size=" + b"9" * 5006 + b"\n"))
@example(pax_header("11 size=٣\n".encode()))
@given(st.one_of(hostile.contents(PAX, GNU).map(with_sums), hostile.contents(PAX, GNU)))
def test_archives(tmp_path: Path, data: bytes) -> None:
    tarball = tmp_path / "x.tar"
    tarball.write_bytes(data)
    with contextlib.suppress(source_archive.ArchiveError):
        read_archive(tarball)


@given(hostile.contents(*(__import__(name).compress(GNU) for name in ("lzma", "bz2", "gzip"))))
def test_compressed_archives(tmp_path: Path, data: bytes) -> None:
    tarball = tmp_path / "x.tar.xz"
    tarball.write_bytes(data)
    with contextlib.suppress(source_archive.ArchiveError):
        read_archive(tarball)


# --- patches -----------------------------------------------------------------------------------

PATCH = """\
diff --git a/init/main.c b/init/main.c
--- a/init/main.c
+++ b/init/main.c
@@ -1,2 +1,2 @@
-old
+new
"""


@given(hostile.texts(PATCH), hostile.texts("patching file init/main.c\nHunk #1 FAILED at 5.\n"))
def test_patches(text: str, output: str) -> None:
    with contextlib.suppress(edits.EditError):
        for path in apply.PatchFile("x", text).touches():
            assert not path.startswith("/")
            assert ".." not in path.split("/")
    apply.first_failure(output, text)


@given(hostile.values({"source": "https://a/x.patch", "sha256": "0" * 64}))
def test_entries_of_the_series(entry: Any) -> None:
    with contextlib.suppress(patch_file.PatchError):
        assert patch_file.parse(entry, 0).name


ADDED = record.Added("a", "A", "a.c", own=True, called=True)
STATE = {
    "sysname": "Linux",
    "created": ["kernel/a.c"],
    "sha256": "0",
    "entries": [record.entry(ADDED)],
}


@example({"created": ["../../victim"]})
@given(hostile.values(STATE))
def test_what_a_tree_says_of_its_patches(tmp_path: Path, state: Any) -> None:
    hostile.put(tmp_path / "t", {"linux/.oslab/patch.json": json.dumps(state).encode()})
    with contextlib.suppress(edits.EditError):
        tree = apply.Tree(tmp_path / "t/linux")
        for path in tree.created:
            assert (tmp_path / "t/linux" / path).resolve().is_relative_to(tmp_path / "t/linux")


@example({"entries": [{**record.entry(ADDED), "source": "../../x.c"}]})
@given(hostile.values(STATE))
def test_the_syscalls_that_a_tree_says_it_has(tmp_path: Path, state: Any) -> None:
    hostile.put(tmp_path / "t", {".oslab/patch.json": json.dumps(state).encode()})
    with contextlib.suppress(record.RecordError):
        for call in record.added(tmp_path / "t"):
            assert (tmp_path / call.object).parent == tmp_path / "kernel"
            assert " " not in call.object


@given(hostile.files({".oslab/patch.json": json.dumps(STATE).encode()}))
def test_the_state_of_a_tree(tmp_path: Path, tree: dict[str, Any]) -> None:
    hostile.put(tmp_path / "t", tree)
    with contextlib.suppress(edits.EditError):
        apply.Tree(tmp_path / "t")
    with contextlib.suppress(record.RecordError):
        record.added(tmp_path / "t")
    for name in ("source.json", "kconfig.json"):
        (tmp_path / "t/.oslab").mkdir(parents=True, exist_ok=True)
        if isinstance(tree[".oslab/patch.json"], bytes):
            (tmp_path / "t/.oslab" / name).write_bytes(tree[".oslab/patch.json"])
    tree_records.source(tmp_path / "t")
    stamp.load(tmp_path / "t", "x", "y")


# --- the tree ----------------------------------------------------------------------------------

TABLE = "0\tcommon\tread\tsys_read\n462\tcommon\tmseal\tsys_mseal\n"
SOURCE = "SYSCALL_DEFINE2(one, struct a __user *, b,\n\tint, c)\n{\n}\n"
TOP = "VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 5\nEXTRAVERSION = -a\n"
CONFIG = 'CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C="a \\"b\\""\n'


@given(hostile.texts(TABLE), hostile.texts(SOURCE), hostile.texts(TOP), hostile.texts(CONFIG))
def test_files_of_a_tree(table: str, source: str, top: str, config: str) -> None:
    with contextlib.suppress(edits.EditError):
        edits.parse_table(table)
    with contextlib.suppress(syscall_source.SourceError):
        syscall_source.parameters(source, "one")
    with contextlib.suppress(kernel_makefile.MakefileError):
        assert kernel_makefile.version(top).kernelversion
    kernel_makefile.keep_extraversion(top, table)
    kconfig_config.set_values(config, kernel_config.parse(config))


MAKEFILE = """\
obj-y := a.o b/ \\
	c.o
obj-$(CONFIG_A) += $(addprefix x-,$(subst m,y,$(y))) d.o
d-objs := e.o f.o
ifeq ($(CONFIG_A),y)
y += g.o
else ifdef CONFIG_B
include $(srctree)/Makefile
endif
ifneq "a" 'b'
lib-y = $(filter-out a,b)
endif
"""


@given(hostile.texts(MAKEFILE), hostile.texts(MAKEFILE))
def test_makefiles(tmp_path: Path, top: str, other: str) -> None:
    files = {"Kbuild": top, "Makefile": other, "b/Makefile": other, "lib/Makefile": top}
    hostile.put(tmp_path / "t", {name: text.encode() for name, text in files.items()})
    found = build_progress.expected_objects(tmp_path / "t", {"CONFIG_A": "y"})
    assert all(".." not in name.split("/") for name in found)


@given(hostile.texts("  CC [M]  fs/ext4/inode.o", "  LD      vmlinux", "dpkg-deb: building 'a'"))
def test_output_of_a_build(line: str) -> None:
    progress = build_progress.Progress(0.0, {"a.o"})
    progress.feed(line, 1.0)
    progress.describe(2.0)
    build_log.compiler_error(line.split("\n"))


KCONFIG = """\
mainmenu "Linux $(ARCH)"
menu "General"
config A
	bool "A" # a comment
	depends on B && (C = "x" || !D) && $(cc-option,-a)
	select E if F
	help
		Some words.
choice
	prompt "one of"
config B
	tristate "B"
endchoice
endmenu
source "lib/Kconfig"
rsource "../t/Kconfig"
"""


@example(KCONFIG.replace("select E if F", "select"), "")
@example(f'source "{"a" * 300}"\n', "")
@example('source "lib/Kconfig"\n', 'rsource "../lib/Kconfig"\n' * 2)
@example("config A\n\tbool\n\tdepends on " + "(" * 3000 + "B\n", "")
@example('config A\n\tbool "A"\n\tdepends on ' + "!" * 3000 + "(" * 3000 + "B\n", "")
@example('config A\n\tbool "A"\n\tdepends on C\nconfig C\n\tbool "C"\n\tdepends on A\n', "")
@given(hostile.texts(KCONFIG), hostile.texts(KCONFIG))
def test_kconfig_files(tmp_path: Path, top: str, other: str) -> None:
    hostile.put(tmp_path / "t", {"Kconfig": top.encode(), "lib/Kconfig": other.encode()})
    tree = kconfig_tree.KconfigTree(tmp_path / "t", "x86")
    switches = kconfig_tree.Switches(tree, {"B": "m", "C": '"x"'})
    for name in tree.symbols:
        kconfig_tree.explain(tree, name, "y", {"B": "m", "C": '"x"'})
        found = {**(switches.on(name) or {}), **(switches.followed(name) or {})}
        assert set(found) <= set(tree.symbols)
        assert set(found.values()) <= {"y", "m", ""}


@given(hostile.texts('A && (B = "x" || !C) && D >= 5', "!" * 3000, "(" * 3000))
def test_expressions(text: str) -> None:
    assert kconfig_tree.evaluate(text, {"A": "y", "D": "9" * 5000}) in (0, 1, 2)
