# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible, this checkout and a repository, for a host that deploys to itself.

on_host.py FILE     Ansible and this checkout, to be unpacked in / of a host
"""

from __future__ import annotations

import io
import json
import sys
import sysconfig
import tarfile
from pathlib import Path
from typing import Any, Optional

ROOT = Path(__file__).resolve().parents[3]
#: Where all of it is on the host.
PLACE = "/root/control"
# What ansible-playbook imports. The host's Python is of the same version as the one that runs this.
PACKAGES = (
    *("ansible", "cffi", "cryptography", "jinja2", "markupsafe", "packaging", "pycparser"),
    *("resolvelib", "yaml", "_yaml"),
)
CHECKOUT = ("ansible.cfg", "files", "galaxy.yml", "meta", "playbooks", "plugins", "roles")
PROGRAM = """\
#!/usr/bin/python3
import sys

from ansible.cli.playbook import main

sys.exit(main())
"""


def published(public: Path) -> dict[str, Any]:
    """What a build leaves as facts: without one, a host would need the tools of a builder."""
    description = json.loads((public / "oslab-kernel.json").read_text())
    place = f"{PLACE}/repository/public"
    files = [one.get("filename") for one in description["packages"].values()]
    return {
        "publish_result": description,
        "publish_public_key": (public / "oslab-kernel.asc").read_text(),
        "publish_repository_url": f"file://{place}",
        "publish_package_files": [f"{place}/{name}" for name in files if name],
    }


def inventory(variables: dict[str, Any]) -> str:
    """One host, which is builder and target."""
    own = {
        "ansible_connection": "local",
        "ansible_python_interpreter": "/usr/bin/python3",
        "publish_root": f"{PLACE}/repository",
        "publish_server": "none",
        "install_transport": "copy",
        "trial_finish_on_host": True,
        **variables,
    }
    groups = {
        "kernel_builders": {"hosts": {"localhost": own}},
        "kernel_targets": {"hosts": {"localhost": {}}},
    }
    return json.dumps(groups, indent=2)


def _kept(member: tarfile.TarInfo) -> Optional[tarfile.TarInfo]:
    return None if "__pycache__" in member.name else member


def write(path: Path, repository: Path, variables: dict[str, Any]) -> None:
    """An archive to be unpacked in PLACE."""
    with tarfile.open(path, "w") as archive:
        _add_control(archive, "site", "checkout/collections")
        archive.add(repository / "public", "repository/public")
        known = {**published(repository / "public"), **variables}
        _add_text(archive, "ansible-playbook", PROGRAM)
        _add_text(archive, "hosts.json", inventory(known))


def write_system(path: Path) -> None:
    """An archive to be unpacked in /, after which ansible-playbook and the collection are there."""
    with tarfile.open(path, "w") as archive:
        major, minor = sys.version_info[:2]
        site = f"usr/local/lib/python{major}.{minor}/dist-packages"
        _add_control(archive, site, "usr/share/ansible/collections")
        _add_text(archive, "usr/bin/ansible-playbook", PROGRAM)


def _add_control(archive: tarfile.TarFile, place: str, collections: str) -> None:
    site = Path(sysconfig.get_path("purelib"))
    packages = [site / name for name in PACKAGES if (site / name).exists()]
    # ansible-core asks for the version of what it imports.
    for package in (*packages, *site.glob("_cffi_backend*"), *site.glob("*.dist-info")):
        archive.add(package, f"{place}/{package.name}", filter=_kept)
    for name in CHECKOUT:
        here = f"{collections}/ansible_collections/oslab/kernel"
        archive.add(ROOT / name, f"{here}/{name}", filter=_kept)


def _add_text(archive: tarfile.TarFile, name: str, text: str) -> None:
    member = tarfile.TarInfo(name)
    member.size, member.mode = len(text.encode()), 0o755
    archive.addfile(member, io.BytesIO(text.encode()))


def command(*options: str) -> str:
    """A line of a shell script that runs deploy.yml there."""
    books = f"{PLACE}/checkout/collections/ansible_collections/oslab/kernel/playbooks"
    settings = {
        "LC_ALL": "C.UTF-8",
        "PYTHONPATH": f"{PLACE}/site",
        "ANSIBLE_COLLECTIONS_PATH": f"{PLACE}/checkout/collections",
        "ANSIBLE_CONFIG": f"{books}/../ansible.cfg",
        "ANSIBLE_NOCOLOR": "1",
        "ANSIBLE_LOCALHOST_WARNING": "false",
    }
    words = [f"{name}={value}" for name, value in settings.items()]
    words += [f"{PLACE}/ansible-playbook", "--inventory", f"{PLACE}/hosts.json", *options]
    return " ".join(["env", *words, f"{books}/deploy.yml", "</dev/null"])


if __name__ == "__main__":
    write_system(Path(sys.argv[1]))
