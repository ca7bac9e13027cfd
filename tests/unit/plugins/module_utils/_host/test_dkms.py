# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What dkms 2.8, 3.0 and 3.2 leave in /var/lib/dkms."""

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._host.dkms import dkms_facts, registered

CONF = 'PACKAGE_NAME="{}"\nAUTOINSTALL="yes"\n'


def module(root: Path, name: str, *releases: str, conf: str = "") -> Path:
    """As `dkms add` and `dkms install` leave it."""
    source = root / "usr/src" / name.replace("/", "-")
    source.mkdir(parents=True)
    (source / "dkms.conf").write_text(conf or CONF.format(name))
    tree = root / "var/lib/dkms" / name
    (tree / "build").mkdir(parents=True)
    (tree / "source").symlink_to(source)
    for release in releases:
        built = tree / release / "x86_64"
        (built / "log").mkdir(parents=True)
        (built / "log/make.log").touch()
        (built / "module").mkdir()
        (built / "module/m.ko.xz").touch()
        link = tree.parent / f"kernel-{release}-x86_64"
        link.symlink_to(f"{tree.name}/{release}/x86_64")
    return tree


def test_what_is_registered_and_built(tmp_path: Path) -> None:
    assert dkms_facts(tmp_path) == {"dkms_modules": {}, "dkms_automatic": []}
    module(tmp_path, "zfs/2.1.11", "6.1.0-37-amd64", "6.1.0-38-amd64")
    broken = module(tmp_path, "broken/1.0")
    (broken / "build/make.log").write_text("error")
    # Of dkms itself, and of a build that was cut off.
    for name in ("dkms_dbversion", "mok.key", "mok.pub"):
        (tmp_path / "var/lib/dkms" / name).touch()
    (broken / "6.1.0-38-amd64/x86_64/module").mkdir(parents=True)
    assert dkms_facts(tmp_path) == {
        "dkms_modules": {
            "broken/1.0": [],
            "zfs/2.1.11": ["6.1.0-37-amd64", "6.1.0-38-amd64"],
        },
        "dkms_automatic": ["broken/1.0", "zfs/2.1.11"],
    }


@pytest.mark.parametrize(
    ("conf", "automatic"),
    [
        ("AUTOINSTALL=yes\n", True),
        ("  AUTOINSTALL='YES' # each\n", True),
        ('AUTOINSTALL=""\n', False),
        ("AUTOINSTALL=\n", False),
        ("#AUTOINSTALL=yes\n", False),
        ("\n", False),
        ('AUTOINSTALL=yes\nBUILD_EXCLUSIVE_KERNEL="^5"\n', False),
        ("AUTOINSTALL=yes\nBUILD_EXCLUSIVE_KERNEL_MAX=6.1\n", False),
    ],
)
def test_what_dkms_builds_by_itself(tmp_path: Path, conf: str, automatic: bool) -> None:
    module(tmp_path, "m/1", conf=conf)
    assert (dkms_facts(tmp_path)["dkms_automatic"] == ["m/1"]) is automatic


def test_dkms_is_switched_off(tmp_path: Path) -> None:
    module(tmp_path, "m/1")
    (tmp_path / "etc/dkms").mkdir(parents=True)
    (tmp_path / "etc/dkms/no-autoinstall").touch()
    assert dkms_facts(tmp_path) == {"dkms_modules": {"m/1": []}, "dkms_automatic": []}


def test_what_is_no_module(tmp_path: Path) -> None:
    tree = tmp_path / "var/lib/dkms"
    (tree / "a b/1").mkdir(parents=True)
    (tree / "a b/1/source").symlink_to("/")
    (tree / "no-source/1").mkdir(parents=True)
    (tree / "file").touch()
    (tree / "loop").symlink_to("loop")
    assert registered(tmp_path) == []
    module(tmp_path, "gone/1")
    (tmp_path / "usr/src/gone-1/dkms.conf").unlink()
    assert dkms_facts(tmp_path) == {"dkms_modules": {"gone/1": []}, "dkms_automatic": []}


@pytest.mark.parametrize(
    ("files", "tree"),
    [
        ({"framework.conf": 'dkms_tree="/srv/dkms"\n'}, "srv/dkms"),
        ({"framework.conf": "# x\n  dkms_tree='/srv/dkms/' # moved\n"}, "srv/dkms"),
        # The last one of all, as the shell reads them.
        (
            {
                "framework.conf": "dkms_tree=/a\n",
                "framework.conf.d/b.conf": "dkms_tree=/c\n",
                "framework.conf.d/a.conf": "dkms_tree=/b\n",
            },
            "c",
        ),
        ({"framework.conf.d/b.txt": "dkms_tree=/c\n"}, "var/lib/dkms"),
        ({"framework.conf": "#dkms_tree=/c\n# dkms_tree=/d\n"}, "var/lib/dkms"),
        ({"framework.conf": "dkms_tree=c\ndkms_tree=$HOME/c\ndkms_tree=/a/../b\n"}, "var/lib/dkms"),
    ],
)
def test_another_tree(tmp_path: Path, files: dict[str, str], tree: str) -> None:
    module(tmp_path, "m/1", "6.1")
    for name, text in files.items():
        path = tmp_path / "etc/dkms" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    if tree != "var/lib/dkms":
        assert registered(tmp_path) == []
        (tmp_path / tree).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / "var/lib/dkms").rename(tmp_path / tree)
    assert dkms_facts(tmp_path)["dkms_modules"] == {"m/1": ["6.1"]}
