# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A host is compared with the list of a build: what was changed is named, and nothing else."""

from __future__ import annotations

import copy
import hashlib
import shutil
import struct
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build.package_files import ListError
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._verify import files as verify_files
from ansible_collections.oslab.kernel.plugins.module_utils._verify.files import Host, gather

RELEASE, VERSION, ID = "6.12-x", "6.12-oslab1.abababababab", "ab" * 32
IMAGE, MODULES, TOOLS = f"linux-image-{RELEASE}", f"linux-modules-oslab-{RELEASE}", "oslab-tools"
MODULES_DIR = f"/lib/modules/{RELEASE}"
KO = f"{MODULES_DIR}/kernel/fs/a.ko"
OWN_KO = f"{MODULES_DIR}/extra/oslab/b.ko"
CONTENT = {
    IMAGE: {
        f"/boot/vmlinuz-{RELEASE}": "image",
        KO: "a",
        f"{MODULES_DIR}/modules.builtin": "fs/x.ko",
        f"{MODULES_DIR}/modules.dep": "as packaged",
        f"{MODULES_DIR}/oslab-kernel.json": f'{{"build_id": "{ID}"}}',
        f"/usr/share/doc/{IMAGE}/copyright": "doc",
    },
    MODULES: {OWN_KO: "b"},
    TOOLS: {"/usr/bin/tool": "tool"},
}
INSTALLED = {IMAGE: VERSION, MODULES: VERSION, TOOLS: VERSION, "bash": "5"}
GNU_ID = "0f" * 20


def sha256(content: str) -> str:
    return hashlib.sha256(content.encode()).hexdigest()


LIST = {
    "schema": 1,
    "release": RELEASE,
    "version": VERSION,
    "build_id": ID,
    "gnu_build_id": GNU_ID,
    "packages": {
        name: {path: sha256(content) for path, content in files.items()}
        for name, files in CONTENT.items()
    },
}


class Machine:
    """A host in a directory, as the packages and depmod leave it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.installed = dict(INSTALLED)
        self.verify = ""
        self.listed = copy.deepcopy(LIST)
        self.served: dict[str, object] = {}
        self.asked: list[str] = []
        for files in CONTENT.values():
            for path, content in files.items():
                self.write(path, content)
        self.write(f"{MODULES_DIR}/modules.dep", "as depmod made it")
        self.write(f"{MODULES_DIR}/modules.builtin.alias.bin", "as depmod made it")
        self.write(f"/boot/initrd.img-{RELEASE}", "as the host made it")
        self.path(f"{MODULES_DIR}/build").symlink_to("/usr/src/headers")
        self.write("/proc/sys/kernel/osrelease", f"{RELEASE}\n")
        self.write("/apt.sources", "Types: deb\nURIs: http://one/ http://two\nSuites: stable\n")
        self.runs(GNU_ID)

    def path(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def write(self, path: str, content: str) -> None:
        self.path(path).parent.mkdir(parents=True, exist_ok=True)
        self.path(path).write_text(content)

    def runs(self, build_id: str) -> None:
        notes = self.path("/sys/kernel/notes")
        notes.parent.mkdir(parents=True, exist_ok=True)
        content = bytes.fromhex(build_id)
        notes.write_bytes(struct.pack("=III", 4, len(content), 3) + b"GNU\0" + content)

    def run(self, argv):
        if argv[0] == "dpkg-query":
            state = "install ok installed"
            lines = [f"{name} {version} {state}" for name, version in self.installed.items()]
            return Result(0, "\n".join([*lines, "gone 1 deinstall ok config-files"]))
        assert argv[:2] == ["dpkg", "--verify"]
        self.asked += argv[2:]
        return Result(1 if self.verify else 0, self.verify)

    def fetch(self, url):
        self.asked.append(url)
        if url not in self.served:
            raise OSError("404")
        return self.served[url]

    def answer(self, build_id=ID, listed=True, sources="/apt.sources", ignore=()):
        return gather(
            Host(self.run, self.root),
            build_id,
            self.listed if listed else None,
            self.path(sources) if sources else None,
            self.fetch,
            ignore,
        )


@pytest.fixture
def machine(tmp_path):
    return Machine(tmp_path)


def rows(found):
    return {check["name"].split(" (")[0]: check for check in found["checks"]}


def test_exactly_that_build(machine):
    found = machine.answer()
    assert found["matches"] is True
    assert found["method"] == "list"
    assert found["compared"] == 7  # all but depmod's index
    assert [check["ok"] for check in found["checks"]] == [True, True, True]
    assert found["gnu_build_id"] == {"expected": GNU_ID, "running": GNU_ID}


def test_a_changed_byte_is_named(machine):
    machine.write(KO, "A")
    found = machine.answer()
    assert found["matches"] is False
    assert found["changed_files"] == [{"path": KO, "expected": sha256("a"), "found": sha256("A")}]
    row = rows(found)["files on disk"]
    assert row["ok"] is False
    assert row["expected"] == "7 as built"
    assert row["actual"] == f"6 as built; changed: {KO}"
    assert sha256("A") in row["detail"]
    assert rows(found)["running image"]["ok"] is True


def test_another_image_on_the_disk_is_named(machine):
    machine.write(f"/boot/vmlinuz-{RELEASE}", "other")
    assert [file["path"] for file in machine.answer()["changed_files"]] == [
        f"/boot/vmlinuz-{RELEASE}"
    ]


def test_a_missing_file_is_named(machine):
    machine.path(OWN_KO).unlink()
    found = machine.answer()
    assert (found["matches"], found["missing_files"]) == (False, [OWN_KO])
    assert f"missing: {OWN_KO}" in rows(found)["files on disk"]["actual"]


@pytest.mark.parametrize("kind", ["link", "directory"])
def test_something_else_in_a_files_place(machine, kind):
    path = machine.path(KO)
    path.unlink()
    if kind == "link":
        machine.write("/same", "a")
        path.symlink_to(machine.path("/same"))
    else:
        path.mkdir()
    assert [file["path"] for file in machine.answer()["changed_files"]] == [KO]


def test_a_link_of_the_build(machine):
    path = f"{MODULES_DIR}/link"
    machine.listed["packages"][IMAGE][path] = "-> there"
    machine.path(path).symlink_to("there")
    assert machine.answer()["matches"] is True
    machine.path(path).unlink()
    machine.path(path).symlink_to("elsewhere")
    assert machine.answer()["changed_files"][0]["found"] == "-> elsewhere"


@pytest.mark.parametrize(
    "path",
    [
        "kernel/fs/evil.ko",
        "extra/evil.ko",
        "evil",
        # These names are depmod's only where depmod puts them.
        "kernel/modules.dep",
        "extra/build",
    ],
)
def test_a_file_more_is_named(machine, path):
    machine.write(f"{MODULES_DIR}/{path}", "x")
    found = machine.answer()
    assert (found["matches"], found["additional_files"]) == (False, [f"{MODULES_DIR}/{path}"])
    row = rows(found)["files that are not the build's"]
    assert (row["ok"], row["actual"]) == (False, f"{MODULES_DIR}/{path}")


def test_a_linked_directory_more_is_named(machine):
    for name, target in (("gone", "/elsewhere"), ("more", machine.path("/boot"))):
        machine.path(f"{MODULES_DIR}/kernel/{name}").symlink_to(target)
    assert machine.answer()["additional_files"] == [
        f"{MODULES_DIR}/kernel/gone",
        f"{MODULES_DIR}/kernel/more",
    ]


def test_the_users_own_files_may_be_there(machine):
    machine.write(f"{MODULES_DIR}/extra/mine.ko", "x")
    assert machine.answer(ignore=["/lib/modules/*/extra/mine.ko"])["matches"] is True
    # Files of the build cannot be left out.
    machine.write(KO, "A")
    assert machine.answer(ignore=["*"])["matches"] is False


def test_what_dkms_built_is_distinguished(machine):
    path = f"{MODULES_DIR}/updates/dkms/c.ko"
    machine.write(path, "x")
    found = machine.answer()
    assert (found["matches"], found["updates"], found["additional_files"]) == (True, [path], [])
    assert rows(found)["files that are not the build's"]["actual"] == f"none; in updates/: {path}"


def test_many_are_counted(machine):
    for number in range(9):
        machine.write(f"{MODULES_DIR}/kernel/{number}.ko", "x")
    actual = rows(machine.answer())["files that are not the build's"]["actual"]
    assert actual.count(".ko") == 3
    assert actual.endswith(" and 6 more")


def test_documentation_may_be_left_out_but_not_changed(machine):
    path = machine.path(f"/usr/share/doc/{IMAGE}/copyright")
    path.write_text("other")
    assert machine.answer()["matches"] is False
    path.unlink()
    found = machine.answer()
    assert (found["matches"], found["compared"]) == (True, 6)


def test_another_image_that_runs(machine):
    machine.runs("aa" * 20)
    found = machine.answer()
    row = rows(found)["running image"]
    assert (row["ok"], row["expected"], row["actual"]) == (False, GNU_ID, "aa" * 20)
    assert found["matches"] is False


@pytest.mark.parametrize("known", [True, False])
def test_an_image_that_nobody_can_tell(machine, known):
    if known:
        machine.path("/sys/kernel/notes").unlink()
    else:
        machine.listed["gnu_build_id"] = ""
    found = machine.answer()
    assert (found["matches"], rows(found)["running image"]["ok"]) == (None, None)


def test_programs_of_a_newer_build_are_not_compared(machine):
    machine.installed[TOOLS] = "6.12-oslab1.cdcdcdcdcdcd"
    machine.write("/usr/bin/tool", "newer")
    found = machine.answer()
    assert found["matches"] is True
    assert found["packages"][TOOLS] == {
        "installed": "6.12-oslab1.cdcdcdcdcdcd",
        "compared": False,
    }


def test_modules_that_were_never_installed_are_not_missing(machine):
    del machine.installed[MODULES]
    shutil.rmtree(machine.path(f"{MODULES_DIR}/extra"))
    assert machine.answer()["matches"] is True


def test_a_rebuild_of_the_same_release_is_compared_and_not_excused(machine):
    machine.installed = dict.fromkeys(INSTALLED, "6.12-oslab1.cdcdcdcdcdcd")
    machine.write(KO, "rebuilt")
    machine.write(OWN_KO, "rebuilt")
    assert [file["path"] for file in machine.answer()["changed_files"]] == [KO, OWN_KO]


def test_the_image_is_compared_without_dpkg(machine):
    machine.installed = {}
    machine.write(KO, "A")
    assert machine.answer()["matches"] is False


def test_a_list_of_another_build_is_refused(machine):
    with pytest.raises(ListError, match="not of cdcdcdcdcdcd"):
        machine.answer(build_id="cdcdcdcdcdcd")
    assert machine.answer(build_id=ID[:12])["build_id"] == ID


# --- without a list in the hand


def test_the_list_from_the_hosts_repository(machine):
    machine.served["http://two/builds/abababababab.json"] = LIST
    found = machine.answer(listed=False, build_id="")  # the host names it itself
    assert (found["matches"], found["method"], found["build_id"]) == (True, "repository", ID)
    assert machine.asked == [
        "http://one/builds/abababababab.json",
        "http://two/builds/abababababab.json",
    ]


@pytest.mark.parametrize(
    ("served", "reason"),
    [
        (None, "http://two/builds/abababababab.json: 404"),
        ([], "is not a JSON object"),
        ({**LIST, "build_id": "cd" * 32}, "it is the list of build cdcd"),
        ({**LIST, "schema": 9}, "schema 9"),
    ],
)
def test_dpkg_stands_in_and_that_is_said(machine, served, reason):
    if served is not None:
        machine.served["http://two/builds/abababababab.json"] = served
    machine.installed["oslab-kernel-tools"] = VERSION
    found = machine.answer(listed=False)
    assert (found["method"], found["matches"]) == ("dpkg", None)
    assert reason in found["reason"]
    row = found["checks"][0]
    assert (row["name"], row["ok"]) == ("files on disk (dpkg --verify only)", True)
    assert found["reason"] in row["detail"]
    assert machine.asked[2:] == [IMAGE, MODULES, "oslab-kernel-tools"]
    assert found["checks"][1]["ok"] is None


def test_what_dpkg_finds(machine):
    machine.verify = (
        f"??5??????   {KO}\n"
        f"??5?????? c /etc/a\n"
        f"missing     {OWN_KO}\n"
        f"missing     /usr/share/doc/x/copyright\n"
        f"??5??????   {MODULES_DIR}/modules.dep\n"
        "missing     /root/b (Permission denied)\n"
    )
    found = machine.answer(listed=False, sources="")
    assert found["matches"] is False
    assert [file["path"] for file in found["changed_files"]] == [KO, "/etc/a"]
    assert found["missing_files"] == [OWN_KO, "/root/b"]
    assert found["reason"] == "no repository was named"


def test_a_host_without_packages_of_this_kernel(machine):
    machine.installed = {}
    found = machine.answer(listed=False, sources="")
    assert (found["matches"], found["checks"][0]["ok"]) == (None, None)


def test_a_file_of_apts_that_is_not_there(machine):
    assert "No such file" in machine.answer(listed=False, sources="/none")["reason"]


@pytest.mark.parametrize(
    ("path", "index"),
    [
        ("/lib/modules/6/modules.dep.bin", True),
        ("/usr/lib/modules/6/modules.alias", True),
        ("/lib/modules/6/modules.weakdep", True),
        ("/lib/modules/6/modules.builtin.bin", True),
        ("/lib/modules/6/modules.builtin", False),
        ("/lib/modules/6/modules.builtin.modinfo", False),
        ("/lib/modules/6/modules.order", False),
        ("/lib/modules/6/kernel/modules.dep", False),
        ("/lib/modules/6/modules.depx", False),
    ],
)
def test_indexes_of_depmod(path, index):
    assert verify_files.is_index(path) is index
