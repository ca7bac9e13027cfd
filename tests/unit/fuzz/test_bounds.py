# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What takes time or memory without bound where a parser is not careful.

Each runs in a process with limits of the kernel's; a careful one needs a hundredth of them.
"""

from __future__ import annotations

import contextlib
import json
import struct
from pathlib import Path
from typing import Any, Callable

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._boot import bls
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import entry as grub_entry
from ansible_collections.oslab.kernel.plugins.module_utils._build import log as build_log
from ansible_collections.oslab.kernel.plugins.module_utils._build import package_files, progress
from ansible_collections.oslab.kernel.plugins.module_utils._build.identity import parse_config
from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    bounded_read,
    der,
    elf_notes,
    kernel_config,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._evidence import console, kernel_text
from ansible_collections.oslab.kernel.plugins.module_utils._host import (
    boot_space,
    deploy_lock,
    devices,
    secure_boot,
)
from ansible_collections.oslab.kernel.plugins.module_utils._kconfig import config
from ansible_collections.oslab.kernel.plugins.module_utils._kconfig import tree as kconfig_tree
from ansible_collections.oslab.kernel.plugins.module_utils._patch import (
    apply,
    edits,
    syscall_source,
)
from ansible_collections.oslab.kernel.plugins.module_utils._source import fetch, openpgp
from ansible_collections.oslab.kernel.plugins.module_utils._verify import (
    compare,
    kernel_log,
    syscalls,
)
from ansible_collections.oslab.kernel.plugins.module_utils._verify import files as verify_files
from ansible_collections.oslab.kernel.plugins.plugin_utils import trial_cause
from ansible_collections.oslab.kernel.tests.lib import hostile

N = 300_000


def _dearmored(text: str) -> None:
    with contextlib.suppress(openpgp.SignatureError):
        openpgp.dearmor(text)


def _complaints(text: str) -> None:
    kernel_log.groups([kernel_log.Record(0, line) for line in text.split("\n")])


def _cause(text: str) -> None:
    lines = kernel_text.lines(text)
    record = {"source": "pstore", "name": "x", "lines": lines}
    trial_cause.cause({"records": [record], "timer": text}, trial_cause.Failure("x", text))


TEXTS: dict[str, tuple[Callable[[str], Any], str]] = {
    "blank lines in grub.cfg": (grub_entry.parse_menu, "\n" * N),
    "an open menu in grub.cfg": (grub_entry.parse_menu, "menuentry {\n" * (N // 10)),
    "quotes in grub.cfg": (grub_entry.parse_menu, "menuentry '" + "a" * N + " {\n"),
    "braces in grub.cfg": (grub_entry.parse_menu, "submenu {" + "a{" * (N // 2)),
    "entries in a line of grub.cfg": (grub_entry.parse_menu, "menuentry a{b;}" * (N // 15)),
    "escapes in grub.cfg": (grub_entry.parse_menu, "set superusers" + "\\a" * (N // 2)),
    "an entry's body in a line of grub.cfg": (grub_entry.parse_menu, "menuentry {" + "a;" * N),
    "one key in grubenv": (grub_entry.parse_environment, "a=" + "#" * N),
    "words in an entry": (lambda text: bls.parse("a.conf", text), "a " * N),
    "digits in a name": (bls.is_entry, "+1" * 120 + "1" * N),
    "beginnings in armour": (_dearmored, "-----BEGIN PGP SIGNATURE-----\n" * (N // 10)),
    "words in mountinfo": (devices.parse_mounts, " - " * N),
    "colons in /proc": (compare.parse_keyed, ":" * N + "\n" + "a" * N),
    "pairs in /proc": (compare.parse_pairs, "a:" + "a_" * N),
    "parentheses of dpkg": (verify_files.parse_verify, "missing   /" + " (" * N),
    "spaces of dpkg": (verify_files.parse_verify, "missing" + " " * N),
    "addresses of apt": (verify_files.repository_urls, "URIs:" + " \t" * N),
    "a listing": (lambda text: fetch.listed_sha256(text, "a"), "0" * 64 + " " * N),
    "a status": (
        lambda text: openpgp.signer(text, openpgp.Keys("", [])),
        "[GNUPG:] NEWSIG\n" * (N // 10),
    ),
    "a patch": (
        lambda text: apply.PatchFile("x", text).touches(),
        "diff --git \n" * (N // 10),
    ),
    "a source": (
        lambda text: syscall_source.parameters(text, "a"),
        "SYSCALL_DEFINE1(a," * (N // 20),
    ),
    "conditions of a source": (syscall_source.definitions, "#if 0\n" * N),
    "quotes of a source": (syscall_source.definitions, "\\'" * N),
    "comments of a source": (syscall_source.definitions, "/*" * N),
    "a main.c": (lambda text: edits.add_banner(text, "x"), "start_kernel(void)" * (N // 20)),
    "a configuration": (kernel_config.parse, "CONFIG_" + "A" * N),
    "another configuration": (parse_config, "# CONFIG_" + "A" * N + " is\n"),
    "a step of a build": (progress.parse_step, "  CC " + " " * N),
    "an error of a build": (lambda text: build_log.compiler_error([text]), "error " * N),
    "the form of an expression": (kconfig_tree.expression_problem, "!(" * N),
    "an expression": (lambda text: kconfig_tree.evaluate(text[:20_000], {}), "$(" * N),
    "nested JSON": (bounded_read.parse_json, "[" * N),
    "nested JSON of a lock": (deploy_lock.parse, '{"a":' * N),
    "a nested manifest": (lambda text: syscalls.parse_manifest(text, "x"), "[" * N),
    **{
        f"{what} of a kernel's log": (_complaints, beginning + more * (N // len(more)))
        for what, beginning, more in (
            ("words", "", "WARNING: possible recursive " * 70 + "\n"),
            ("colons", "", "a:" * 1000 + "\n"),
            ("spaces", "", "BUG: " + " " * 2000 + "\n"),
            ("parentheses", "", "EXT4-fs (" * 200 + "\n"),
            ("errors", "", "JBD2: " + "error corrup" * 150 + "\n"),
            ("hexadecimal digits", "", "mce: [Hardware Error]: " + "0" * 2000 + "\n"),
            ("processes", "", "INFO: task " + "a:1 " * 500 + "\n"),
            ("a line", "BUG: KASAN: ", "a+0x1/0x2 "),
            ("lines of a report", "WARNING: inconsistent lock state\n", "x\n"),
            ("traces", "", "Call Trace:\n"),
            ("taints", "", "BUG x (Tainted: " + "G " * 900 + "\n"),
        )
    },
    **{
        f"{what} of what a trial boot left": (_cause, more * (N // len(more)))
        for what, more in (
            ("moves", "\x1b[1;1H"),
            ("escapes", "\x1b["),
            ("stamps", "[" + " " * 900),
            ("panics", "Kernel panic - not syncing: VFS: \n"),
            ("taints", "Tainted: " + "G " * 900 + "\n"),
            ("releases", "Linux version " + "6" * 900 + "\n"),
            ("waits", "ALERT!" + " " * 900 + "\n"),
            ("warnings", "Warning: dracut " * 60 + "\n"),
            ("systems", "file system " * 80 + "\n"),
            ("jobs", "waiting:\n1 a start running\n"),
            ("addresses", "addresses:\n" + "a/1 " * 900 + "\n"),
        )
    },
    "boots of a console": (
        lambda text: console.trial(text, "6.12"),
        "  Booting `Trial of Linux 6.12'\nLinux version 6.12 x\n" * (N // 60),
    ),
    "digits of JSON": (bounded_read.parse_json, "1" * N),
}
DECLARED = (
    ValueError,
    edits.EditError,
    openpgp.SignatureError,
    syscalls.AbiError,
    syscall_source.SourceError,
)


@pytest.mark.parametrize("name", TEXTS)
def test_texts(name: str) -> None:
    parse, text = TEXTS[name]
    hostile.within_limits(lambda: parse(text), DECLARED)


def long_sequence() -> bytes:
    return der.encode(der.SEQUENCE, b"\x05\x00" * (4 * N))


def overlapping(path: Path) -> None:
    header = struct.pack("=HHIQQQIHHH", 2, 62, 1, 0, 64, 0, 0, 64, 56, 0xFFFF)
    segments = struct.pack("=IIQQQQQQ", 4, 0, 0, 0, 0, 1 << 20, 0, 0) * 0xFFFF
    path.write_bytes(b"\x7fELF\2" + bytes(11) + header + bytes(6) + segments)


def test_binary_forms(tmp_path: Path) -> None:
    data = long_sequence()
    hostile.within_limits(lambda: der.only(data).children)
    number = der.encode(der.OBJECT, b"\xff" * (4 * N) + b"\x01")
    hostile.within_limits(lambda: der.dotted(der.only(number)), (der.DerError,))
    lists = struct.pack("<16sIII", bytes(16), 28, 0, 0) * N
    hostile.within_limits(lambda: secure_boot.list_certificates(lists))
    overlapping(tmp_path / "vmlinux")
    hostile.within_limits(lambda: elf_notes.file_build_id(tmp_path / "vmlinux"))


BOMB = "A := " + "x" * 1000 + "\n" + "A := $(A)$(A)\n" * 60
MAKEFILES = {
    "doubling": BOMB,
    "doubling by adding": BOMB.replace("A := $(A)$(A)", "A += $(A)"),
    "substitution": "A := " + "x" * 30_000 + "\n" + "B := $(subst x,$(A),$(A))\n" * 20,
    "prefixes": "A := " + "x " * 30_000 + "\n" + "B := $(addprefix $(A),$(A))\n" * 20,
    "filters": "A := " + "x y " * 15_000 + "\n" + "B := $(filter $(A),$(A))\n" * 20,
    "references": "A := " + "x" * 60_000 + "\nB := " + "$(A)" * 15_000 + "\n",
    "itself": "include $(srctree)/Makefile\n" * 3,
    "an assignment that is none": "a" * 60_000,
    "parentheses": "()" * 30_000,
    "open parentheses": "(" * 60_000,
    "commas": "ifeq (" + "," * 60_000,
    "quotes": "ifeq " + "'' " * 20_000,
}


@pytest.mark.parametrize("name", MAKEFILES)
def test_makefiles(tmp_path: Path, name: str) -> None:
    for file in ("Kbuild", "Makefile"):
        (tmp_path / file).write_text(MAKEFILES[name])
    hostile.within_limits(lambda: progress.expected_objects(tmp_path, {}), memory=256 << 20)


def test_directories_that_hold_themselves(tmp_path: Path) -> None:
    for name in "abcd":
        (tmp_path / name).symlink_to(".")
    (tmp_path / "Kbuild").write_text("obj-y := a/ b/ c/ d/ z.o\n")
    hostile.within_limits(lambda: progress.expected_objects(tmp_path, {}), seconds=120)


KCONFIGS = {
    "comments": "config A\n\tbool " + " #" * 8000 + '"\n',
    "files in files": "rsource '../d/Kconfig'\n" * 5,
    "selects": "config A\n" + "\tselect A\n" * 20_000,
}


@pytest.mark.parametrize("name", KCONFIGS)
def test_kconfig(tmp_path: Path, name: str) -> None:
    (tmp_path / "d").mkdir()
    for file in ("Kconfig", "d/Kconfig"):
        (tmp_path / file).write_text(KCONFIGS[name])
    hostile.within_limits(lambda: kconfig_tree.KconfigTree(tmp_path, "x86"))


def test_symbols_that_depend_on_each_other(tmp_path: Path) -> None:
    text = "".join(
        f'config A{n}\n\ttristate "A"\n'
        f"\tdepends on (A{n + 1} || A{n + 2}) && (A{n + 3} || A{n + 4})\n"
        for n in range(20_000)
    )
    (tmp_path / "Kconfig").write_text(text)
    tree = kconfig_tree.KconfigTree(tmp_path, "x86")
    switches = kconfig_tree.Switches(tree, {})
    hostile.within_limits(lambda: [switches.on(name) for name in tree.symbols])


def test_modules_of_makefiles(tmp_path: Path) -> None:
    text = "A = " + "x" * 200_000 + "\nobj-$(CONFIG_A) = " + "$(A)" * 50_000 + "\n"
    (tmp_path / "Makefile").write_text(text)
    hostile.within_limits(lambda: config.module_symbols(tmp_path))


@pytest.mark.parametrize("thing", ["dangling", "loop"])
def test_makefiles_that_are_none(tmp_path: Path, thing: str) -> None:
    hostile.put(tmp_path / "t", {"Makefile": thing})
    assert config.module_symbols(tmp_path / "t") == {}


def test_blank_lines_of_a_shell_file(tmp_path: Path) -> None:
    hostile.put(tmp_path / "r", {"etc/default/kexec": b"\n" * N, "sbin/kexec": b""})
    hostile.within_limits(lambda: boot_space.kexec_reboots(tmp_path / "r"))


# --- files ---------------------------------------------------------------------------------------

READERS: dict[str, Callable[[Path], Any]] = {
    "content": bounded_read.content,
    "sha256": bounded_read.sha256,
    "read": devices.read,
    "the file of a build": verify_files.found_at,
    "notes": lambda path: verify_files.Host(lambda argv: Result(1), path).running_build_id(),
}


@pytest.mark.parametrize("reader", READERS)
@pytest.mark.parametrize("thing", hostile.THINGS)
def test_what_is_no_file(tmp_path: Path, reader: str, thing: str) -> None:
    """A pipe is not waited for, a device is not opened."""
    hostile.put(tmp_path / "r", {"x": thing})
    hostile.within_limits(lambda: READERS[reader](tmp_path / "r/x"), (OSError,))


@pytest.mark.parametrize("reader", READERS)
def test_a_file_without_end(tmp_path: Path, reader: str) -> None:
    path = tmp_path / "x"
    with path.open("wb") as stream:
        stream.truncate(1 << 33)
    hostile.within_limits(lambda: READERS[reader](path), (OSError,))


def test_a_list_of_many_files() -> None:
    files = {f"/lib/modules/6.8/kernel/{n}.ko": "0" * 64 for n in range(20_000)}
    listed = {
        "schema": 1,
        "release": "6.8",
        "version": "1",
        "build_id": "a" * 64,
        "gnu_build_id": "",
    }
    text = json.dumps({**listed, "packages": {"linux-image-6.8": files}})
    hostile.within_limits(
        lambda: package_files.check_list(bounded_read.parse_json(text), "x"), seconds=20
    )
