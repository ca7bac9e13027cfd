# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The file that beats ours is named, before and after ours is written."""

from __future__ import annotations

import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import (
    settings as grub_settings,
)
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.entry import (
    GrubError,
    parse_menu,
)
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.loader import Grub
from ansible_collections.oslab.kernel.plugins.module_utils._boot.loader import Request
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.tests.lib import grub_emulator

SAMPLES = Path(__file__).with_name("grub_cfg")
RELEASE = "6.12.57+deb13-amd64"
PATH = "/usr/sbin:/usr/bin:/sbin:/bin"
DEBIAN = "GRUB_DEFAULT=0\nGRUB_TIMEOUT=5\nGRUB_DISTRIBUTOR=`echo Debian`\n"
# As Debian's xen-hypervisor-common has it.
XEN = """\
echo "Including Xen overrides from xen.cfg"
if [ "$XEN_OVERRIDE_GRUB_DEFAULT" = "" ]; then
\techo "WARNING: GRUB_DEFAULT changed to boot into Xen by default!"
\tXEN_OVERRIDE_GRUB_DEFAULT=1
fi
if [ "$XEN_OVERRIDE_GRUB_DEFAULT" = "1" ]; then
\tGRUB_DEFAULT=$( \\
\t\tprintf "%s, with Xen hypervisor" \\
\t\t"Debian GNU/Linux")
fi
"""
PIN = 'GRUB_DEFAULT="gnulinux-advanced-1>gnulinux-6.8.12-1-pve-advanced-1"\n'
OURS = grub_settings.OURS


def run(command: Sequence[str]) -> Result:
    done = subprocess.run(
        list(command),
        capture_output=True,
        text=True,
        check=False,
        stdin=subprocess.DEVNULL,
        env={"PATH": PATH},
    )
    return Result(done.returncode, done.stdout, done.stderr)


def put(directory: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return directory / "grub"


@pytest.mark.parametrize("written", [False, True])
@pytest.mark.parametrize(
    ("files", "name", "value"),
    [
        ({}, "", ""),
        ({"grub": DEBIAN}, "", ""),
        ({"grub": "GRUB_DEFAULT=saved\n"}, "", ""),
        ({"grub.d/50-cloudimg-settings.cfg": "GRUB_DEFAULT=2\n"}, "", ""),
        (
            {"grub": DEBIAN, "grub.d/xen.cfg": XEN},
            "xen.cfg",
            "Debian GNU/Linux, with Xen hypervisor",
        ),
        ({"grub": "XEN_OVERRIDE_GRUB_DEFAULT=0\n", "grub.d/xen.cfg": XEN}, "", ""),
        ({"grub.d/xen.cfg": "XEN_OVERRIDE_GRUB_DEFAULT=0\n" + XEN}, "", ""),
        ({"grub.d/proxmox-kpin.cfg": PIN}, "proxmox-kpin.cfg", PIN[14:-2]),
        ({"grub.d/zz.cfg": "GRUB_DEFAULT=\n"}, "zz.cfg", ""),
        ({"grub.d/x.cfg": "GRUB_DEFAULT=1\n", "grub.d/z.cfg": "GRUB_DEFAULT=2\n"}, "z.cfg", "2"),
        ({"grub.d/x.cfg": "GRUB_DEFAULT=1\n", "grub.d/z.cfg": "GRUB_DEFAULT=saved\n"}, "", ""),
        ({"grub.d/x.cfg": "GRUB_DEFAULT=1\n", "grub.d/z.cfg": "GRUB_TIMEOUT=2\n"}, "x.cfg", "1"),
        ({"grub.d/x.cfg": "# GRUB_DEFAULT=1\n", "grub.d/x": "GRUB_DEFAULT=1\n"}, "", ""),
        # Its shell sorts by bytes.
        ({"grub.d/Zoo.cfg": "GRUB_DEFAULT=1\n"}, "", ""),
        ({"grub.d/x.cfg": "set -- a b\nGRUB_DEFAULT=1\n"}, "x.cfg", "1"),
        ({"grub.d/x.cfg": "read GRUB_DEFAULT\n"}, "x.cfg", ""),
    ],
)
def test_the_last_one_is_named(
    tmp_path: Path, files: dict[str, str], name: str, value: str, written: bool
) -> None:
    more = {f"grub.d/{OURS}": "GRUB_DEFAULT=saved\n"} if written else {}
    found = grub_settings.winner(run, put(tmp_path, {**files, **more}))
    if not name:
        assert found is None
        return
    assert found
    assert (found.path, found.value) == (str(tmp_path / "grub.d" / name), value)
    assert f"grub.d/{name} sets GRUB_DEFAULT to '{value}' after {OURS}" in found.problem


def test_what_cannot_be_read_is_no_answer(tmp_path: Path) -> None:
    settings = put(tmp_path, {"grub": "exit 1\n", "grub.d/x.cfg": "GRUB_DEFAULT=1\n"})
    assert grub_settings.winner(run, settings) is None
    assert grub_settings.winner(lambda _: Result(127, "", "no such program"), settings) is None


def grub(directory: Path, config: str, custom: str = "") -> Grub:
    settings = put(directory, {"grub.cfg": config, "grub": DEBIAN, "grub.d/xen.cfg": XEN})
    if custom:
        put(directory, {"custom.cfg": custom})
    menu, environment, own = (
        str(directory / name) for name in ("grub.cfg", "grubenv", "custom.cfg")
    )
    return Grub(run, menu, environment, own, settings=str(settings))


def test_the_advice_is_not_what_was_just_done(tmp_path: Path) -> None:
    text = (SAMPLES / "debian-13.cfg").read_text()
    made = text.replace("${saved_entry}", "Debian GNU/Linux, with Xen hypervisor")
    loader = grub(tmp_path, made)
    # Said before ours is written, too.
    assert "grub.d/xen.cfg sets GRUB_DEFAULT" in grub(tmp_path, text).default_problem
    with pytest.raises(GrubError, match=r"xen\.cfg sets .*Set XEN_OVERRIDE_GRUB_DEFAULT=0 there"):
        loader.plan(Request("default", RELEASE, flush=False))


@pytest.mark.parametrize("where", ["40_custom", "custom.cfg"])
def test_a_default_that_is_set_after_the_choice(tmp_path: Path, where: str) -> None:
    text = (SAMPLES / "debian-13.cfg").read_text()
    own = 'set default="mine"\nmenuentry M --id mine {\n linux /x\n}\n'
    part = f"### BEGIN /etc/grub.d/40_custom ###\n{own}"
    after = "### BEGIN /etc/grub.d/41"
    config = text if where == "custom.cfg" else text.replace(after, part + after)
    custom = own if where == "custom.cfg" else ""
    loader = grub(tmp_path, config, custom)
    assert not loader.honours_default
    assert f"{where}" in loader.default_problem
    assert "sets default to 'mine'" in loader.default_problem
    for state in ("default", "once"):
        with pytest.raises(GrubError, match="sets default to 'mine'"):
            loader.plan(Request(state, RELEASE, flush=False))
    menu = parse_menu(config, {"custom.cfg": custom})
    usual = menu.find(RELEASE)
    assert usual
    if grub_emulator.PROGRAM:
        chosen = {"saved_entry": usual.path, "next_entry": usual.path}
        assert grub_emulator.boot(config, chosen, {"custom.cfg": custom}) == "mine"
