# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a running kernel answers, and the lists that it is compared with."""

from __future__ import annotations

import contextlib
import errno
import json
import tarfile
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import deb, package_files
from ansible_collections.oslab.kernel.plugins.module_utils._common import json_file
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._repository import aptly, retention
from ansible_collections.oslab.kernel.plugins.module_utils._verify import (
    compare,
    syscalls,
    verification,
)
from ansible_collections.oslab.kernel.plugins.module_utils._verify import files as verify_files
from ansible_collections.oslab.kernel.plugins.module_utils._verify import system as verify_system
from ansible_collections.oslab.kernel.tests.lib import hostile
from hypothesis import example, given
from hypothesis import strategies as st

RELEASE = "6.12.117-49-usac1"
BUILD = "0123456789ab" + "c" * 52
MANIFEST = {
    "release": RELEASE,
    "version": "6.12.117-oslab1.0123456789ab",
    "build_id": BUILD,
    "sysname": "Usac Linux",
    "banner": "one\ntwo\n",
    "syscalls": {"capture_memory_snapshot": 463, "track_syscall_usage": "464", "mine": 470},
}


class Answers(verify_system.System):
    """A kernel without the syscalls, whose files hold anything."""

    def __init__(self, files: dict[str, bytes], log: list[bytes]) -> None:
        super().__init__(lambda command: Result(1))
        self.files, self.log = files, log

    def read(self, path: str) -> bytes:
        if path not in self.files:
            raise FileNotFoundError(errno.ENOENT, "not there", path)
        return self.files[path]

    def exists(self, path: str) -> bool:
        return path in self.files

    def syscall_function(self) -> syscalls.SyscallFunction:
        return lambda number, *words: syscalls.Answer(-1, errno.ENOSYS)

    def isolated(self, function: Any) -> syscalls.Isolated:
        return syscalls.Isolated(list(function()), None)

    def kernel_log(self) -> Any:
        return [("the log", lambda: self.log)]


PATH = f"/lib/modules/{RELEASE}/oslab-kernel.json"
GOOD = json.dumps(MANIFEST).encode()


@example(b"[" * 100_000, [])
@example(GOOD.replace(b"464", "4²".encode()), [])
@example(b'{"banner": "\\ud800"}', [])
@example(b'{"build_id": 5}', [])
@given(
    st.one_of(
        hostile.contents(GOOD),
        hostile.values(MANIFEST).map(lambda value: json.dumps(value).encode()),
    ),
    st.lists(hostile.contents(b"Linux version 6.12", b"one", b"two"), max_size=3),
)
def test_all_that_a_kernel_says(manifest: bytes, log: list[bytes]) -> None:
    system = Answers({PATH: manifest, "/proc/sys/kernel/random/boot_id": b"x"}, log)
    options = verification.Options(PATH, {}, None, {}, 1, True, True, 0, False, None)
    with contextlib.suppress(syscalls.AbiError):
        found = verification.gather(options, system)
        json.dumps(found, allow_nan=False, ensure_ascii=False).encode()


@example("²")
@example("9" * 5000)
@given(st.one_of(hostile.texts("463"), st.sampled_from(hostile.ODD)))
def test_numbers(number: Any) -> None:
    with contextlib.suppress(syscalls.AbiError):
        assert 337 <= syscalls.check_number("one", number) <= 511


PROC = (
    "MemTotal:  1024 kB\nMemFree: 5 kB\n",
    "open: count=1 last_timestamp_ns=2\n",
    "cpu  1 2 3 4 5 6 7 8 9 10\ncpu0 1\nprocesses 77\n",
    "storage_path: /\ncpus_online: 2\n",
)


@given(hostile.texts(*PROC))
def test_files_of_proc(text: str) -> None:
    for value in [*compare.parse_keyed(text).values(), *compare.parse_cpu(text).values()]:
        assert 0 <= value < 10**20
    compare.parse_pairs(text)
    compare.number(text)
    known = compare.parse_keyed(text)
    compare.compare_memory(known, dict.fromkeys(compare.MEMINFO_KEYS, 1), known)
    compare.compare_io(known, dict.fromkeys(compare.IO_FIELDS, 1), known, "x")
    sources = compare.StatsSources(compare.parse_cpu(text), known, {"total": 1})
    compare.compare_stats_shown(sources, text, sources, "/")


@given(hostile.contents(rb"6,1,0,-;Linux version\x0a6.8" + b"\n SUBSYSTEM=acpi\n"))
def test_records_of_the_kernel_log(record: bytes) -> None:
    verify_system.parse_kmsg_record(record)


# --- lists of files ----------------------------------------------------------------------------

LIST = {
    "schema": 1,
    "release": RELEASE,
    "version": "6.12.117-oslab1.0123456789ab",
    "build_id": BUILD,
    "gnu_build_id": "ab",
    "packages": {
        f"linux-image-{RELEASE}": {
            f"/boot/vmlinuz-{RELEASE}": "0" * 64,
            f"/lib/modules/{RELEASE}/kernel/a.ko": "1" * 64,
            f"/lib/modules/{RELEASE}/build": "-> /usr/src",
        }
    },
}


def odd_list(**changes: Any) -> dict[str, Any]:
    return {**LIST, **changes}


def odd_files(files: Any) -> dict[str, Any]:
    return odd_list(packages={f"linux-image-{RELEASE}": files})


@example(odd_files({"/boot/\0": "0"}), "")
@example(odd_files({"/boot/a": 5}), "")
@example(odd_files({"/" + "a" * 5000: "0"}), "")
@example(odd_list(release="../../.."), "")
@example(odd_files({"/proc/kmsg": "0", "/proc/kcore": "0", "/pipe": "0", "/zero": "0"}), "")
@given(
    hostile.values(LIST), hostile.texts("missing   c /usr/x (Permission denied)\n??5?????? /b\n")
)
def test_lists_of_a_repository(tmp_path: Path, listed: Any, output: str) -> None:
    tree: dict[str, Any] = {"proc/sys/kernel/osrelease": RELEASE.encode(), "pipe": "pipe"}
    hostile.put(tmp_path / "root", {**tree, "zero": "device", "x": b""})
    sources = tmp_path / "sources"
    sources.write_text("URIs: https://a/\n")
    host = verify_files.Host(lambda argv: Result(0, output), tmp_path / "root")
    with contextlib.suppress(package_files.ListError):
        found = verify_files.gather(host, BUILD, None, sources, lambda url: listed)
        json.dumps(found)
    with contextlib.suppress(package_files.ListError):
        checked = package_files.check_list(listed, "x")
        assert "/" not in checked["release"]


@given(hostile.texts("missing   c /usr/share/doc/x (Permission denied)\n??5?????? c /etc/b\n"))
def test_what_dpkg_says(text: str) -> None:
    verify_files.parse_verify(text)
    verify_files.repository_urls(text)
    verify_files.installed_packages(lambda argv: Result(0, text))


@given(hostile.contents(json.dumps(LIST).encode(), b"[" * 3000))
def test_json_in_the_store(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "build.json").write_bytes(content)
    (tmp_path / retention.RECORD).write_bytes(content)
    assert json_file.read(tmp_path / "build.json") is None or b"{" in content
    retention.read_order(tmp_path)


@pytest.mark.parametrize("thing", hostile.THINGS)
def test_json_that_is_no_file(tmp_path: Path, thing: str) -> None:
    hostile.put(tmp_path / "store", {"build.json": thing})
    assert json_file.read(tmp_path / "store/build.json") is None


def archive(*members: tuple[str, bytes, str]) -> bytes:
    stream = BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as tar:
        for name, kind, link in members:
            item = tarfile.TarInfo(name)
            item.type, item.linkname = kind, link
            item.size = 5 if kind == tarfile.REGTYPE else 0
            tar.addfile(item, BytesIO(b"hello"))
    return stream.getvalue()


PACKAGE = archive(
    ("./boot/vmlinuz", tarfile.REGTYPE, ""),
    ("./boot/link", tarfile.SYMTYPE, "vmlinuz"),
    ("./boot/hard", tarfile.LNKTYPE, "./boot/vmlinuz"),
    ("./boot/" + "é" * 120, tarfile.REGTYPE, ""),
)


@example(archive(("./a", tarfile.LNKTYPE, "./not-there")))
@given(hostile.contents(PACKAGE))
def test_packages(data: bytes) -> None:
    """As deb_package.contents has them: it makes one error of all those of tarfile."""

    def popen(*_args: Any, **_kwargs: Any) -> Any:
        class Process(SimpleNamespace):
            def __enter__(self) -> Any:
                return self

            def __exit__(self, *_error: object) -> None:
                return None

            def wait(self) -> int:
                return 0

        return Process(stdout=BytesIO(data), returncode=0)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(deb.subprocess, "Popen", popen)
        with contextlib.suppress(package_files.ListError):
            package_files.deb_files(Path("x.deb"))


CONTROL = "Package: a\nVersion: 1\nArchitecture: amd64\nInstalled-Size: 5\nDescription: x\n y\n\n"


@given(hostile.texts(CONTROL + CONTROL))
def test_indexes_of_a_repository(text: str) -> None:
    aptly.index_keys(aptly.parse_stanzas(text))
    aptly.parse_search(text.replace(" ", "\t"))


@example(CONTROL.replace("5", "many"))
@given(hostile.texts(CONTROL))
def test_control_data(tmp_path: Path, text: str) -> None:
    package = tmp_path / "a.deb"
    package.write_bytes(b"")
    with contextlib.suppress(aptly.AptlyError):
        aptly.read_deb(lambda command: Result(0, text), str(package))
