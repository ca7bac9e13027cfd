# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Tarballs that are damaged, too large, or lead out of the tree."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import tarfile

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._source import archive

LIMIT = 1 << 20


def tar(*members, form=tarfile.GNU_FORMAT, pax=None):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form, pax_headers=pax) as made:
        for member in members:
            made.addfile(member, io.BytesIO(bytes(member.size)))
    return out.getvalue()


def member(name, kind=tarfile.REGTYPE, link="", size=0, pax=None):
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, size
    info.pax_headers = pax or {}
    return info


def read(tmp_path, data, limit=LIMIT):
    path = tmp_path / "tarball"
    path.write_bytes(data)
    return b"".join(archive.checked(archive.decompressed(path, limit)))


GOOD = tar(member("linux-6.8/Makefile", size=700), member("linux-6.8/COPYING", size=512))


@pytest.mark.parametrize("compress", [bytes, lzma.compress, gzip.compress, bz2.compress])
def test_the_bytes_come_through_unchanged(tmp_path, compress):
    assert read(tmp_path, compress(GOOD)) == GOOD


def test_several_streams_and_padding_between_them(tmp_path):
    parts = lzma.compress(GOOD[:1000]) + bytes(8) + lzma.compress(GOOD[1000:]) + bytes(4)
    assert read(tmp_path, parts) == GOOD


@pytest.mark.parametrize("step", [1, 511, 512, 513, 5000])
def test_members_are_found_wherever_the_chunks_end(step):
    data = tar(
        member("linux-6.8/" + "x/" * 150 + "y", size=700),
        member("linux-6.8/a", tarfile.SYMTYPE, "b" * 200),
        member("/evil"),
    )
    chunks = (data[at : at + step] for at in range(0, len(data), step))
    with pytest.raises(archive.ArchiveError, match="'/evil' leads out"):
        list(archive.checked(chunks))


def test_nothing_is_handed_on_before_it_was_looked_at():
    data = tar(member("linux/a", size=10 << 10), member("/evil"))
    at = data.index(b"/evil")
    got = 0
    with pytest.raises(archive.ArchiveError):
        for chunk in archive.checked(data[i : i + 512] for i in range(0, len(data), 512)):
            got += len(chunk)
    assert got == at


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize(
    ("bad", "message"),
    [
        (member("/etc/passwd"), "leads out"),
        (member("linux/../../etc/passwd"), "leads out"),
        (member("linux/" + "d/" * 30 + "../" * 40 + "x"), "leads out"),
        (member("linux/a", tarfile.SYMTYPE, "/etc"), "leads out of the tree, to '/etc'"),
        (member("linux/a", tarfile.SYMTYPE, "../etc"), "leads out"),
        (member("linux/a/b", tarfile.SYMTYPE, "c/../../../../etc"), "leads out"),
        (member("linux/a/b", tarfile.SYMTYPE, "c/../d"), "leads out"),
        (member("linux/a", tarfile.LNKTYPE, "../etc/shadow"), "leads out"),
        (member("linux/a", tarfile.LNKTYPE, "/etc/shadow"), "leads out"),
        (member("linux/a", tarfile.LNKTYPE, "other/a"), "leads out"),
        (member("linux/a", tarfile.CHRTYPE), "character device"),
        (member("linux/a", tarfile.BLKTYPE), "block device"),
        (member("linux/a", tarfile.FIFOTYPE), "FIFO"),
        (member("linux/a", tarfile.GNUTYPE_SPARSE), "sparse"),
    ],
)
def test_what_leads_out_is_refused(tmp_path, form, bad, message):
    with pytest.raises(archive.ArchiveError, match=message):
        read(tmp_path, tar(member("linux/ok"), bad, form=form))


@pytest.mark.parametrize("link", ["b", "../x/y", "./z", "../../arch/arm/boot/dts", "...x/y"])
def test_links_inside_the_tree_are_fine(tmp_path, link):
    assert read(tmp_path, tar(member("linux/a/b/c", tarfile.SYMTYPE, link)))


def test_no_member_is_written_through_a_link(tmp_path):
    data = tar(member("linux/a", tarfile.SYMTYPE, "."), member("linux/a/a/l"))
    with pytest.raises(archive.ArchiveError, match="through a link"):
        read(tmp_path, data)


def test_gits_global_header_is_fine_but_not_with_names(tmp_path):
    assert read(tmp_path, tar(member("linux/a"), form=tarfile.PAX_FORMAT, pax={"comment": "e8"}))
    data = tar(member("linux/a"), form=tarfile.PAX_FORMAT, pax={"path": "/etc/passwd"})
    with pytest.raises(archive.ArchiveError, match="for all of them"):
        read(tmp_path, data)


def test_headers_that_two_readers_could_read_in_two_ways(tmp_path):
    sized = member("linux/d", tarfile.DIRTYPE)
    header = sized.tobuf(tarfile.GNU_FORMAT)
    lying = bytearray(header)
    lying[124:136] = b"00000001000\0"
    lying[148:156] = b"%06o\0 " % (sum(lying[:148]) + sum(lying[156:]) + 256)
    with pytest.raises(archive.ArchiveError, match="impossible size"):
        read(tmp_path, bytes(lying) + bytes(1024))
    sized = tar(member("linux/a", pax={"size": "1.5"}), form=tarfile.PAX_FORMAT)
    with pytest.raises(archive.ArchiveError, match="impossible size"):
        read(tmp_path, sized)
    with pytest.raises(archive.ArchiveError, match="wrong checksum"):
        read(tmp_path, GOOD.replace(b"linux-6.8/COPYING", b"linux-6.8/COPYINg"))


def test_a_bomb_goes_off_at_the_limit(tmp_path):
    bomb = lzma.compress(tar(member("linux/zeros", size=64 << 20)))
    assert len(bomb) < LIMIT
    with pytest.raises(archive.ArchiveError, match="more than 1048576 bytes"):
        read(tmp_path, bomb)
    path = tmp_path / "tarball"
    assert sum(map(len, _until_error(archive.decompressed(path, LIMIT)))) <= LIMIT


def _until_error(chunks):
    try:
        yield from chunks
    except archive.ArchiveError:
        return


def test_xz_that_wants_too_much_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MEMORY", 1 << 20)
    with pytest.raises(archive.ArchiveError, match=r"[Mm]emory"):
        read(tmp_path, lzma.compress(GOOD, preset=6))


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a tarball"),
        (b"<html>", "not a tarball"),
        (lzma.compress(GOOD)[:-20], "ends too early"),
        (gzip.compress(GOOD)[:-20], "ends too early"),
        (lzma.compress(GOOD[:1100]), "ends too early"),
        (lzma.compress(bytes(1024)), "empty"),
        (lzma.compress(GOOD) + b"more", "no archive follows"),
        (b"\xfd7zXZ\0" + b"x" * 100, "damaged"),
        (gzip.compress(GOOD)[:20] + b"x" * 100, "damaged|too early"),
    ],
)
def test_damage(tmp_path, data, message):
    with pytest.raises(archive.ArchiveError, match=message):
        read(tmp_path, data)


def test_what_would_only_fill_memory_and_time(tmp_path, monkeypatch):
    monkeypatch.setattr(archive, "MEMBERS", 3)
    monkeypatch.setattr(archive, "LINKS", 1)
    monkeypatch.setattr(archive, "STREAMS", 3)
    many = tar(*(member(f"linux/{number}") for number in range(4)))
    links = tar(*(member(f"linux/{number}", tarfile.SYMTYPE, "a") for number in range(2)))
    for data in (many, links):
        with pytest.raises(archive.ArchiveError, match="more members than"):
            read(tmp_path, data)
    with pytest.raises(archive.ArchiveError, match="more compressed parts"):
        read(tmp_path, gzip.compress(GOOD) + gzip.compress(b"") * 3)
    with pytest.raises(archive.ArchiveError, match="unreasonable length") as caught:
        read(tmp_path, tar(member("linux/\x1b" + "a/" * 1000)))
    assert len(str(caught.value)) < 300
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("name", ["linux/l/x", "./linux/l/x", "linux//l/x", "linux/./l/x"])
def test_a_link_is_known_however_its_name_is_spelled(tmp_path, name):
    with pytest.raises(archive.ArchiveError, match="through a link"):
        read(tmp_path, tar(member("linux/l", tarfile.SYMTYPE, "d"), member(name)))
