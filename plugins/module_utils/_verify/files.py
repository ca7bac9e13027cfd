# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Compare this host's kernel, on its disk and in its memory, with that of a build. Only reads.

What a host makes by itself is not compared, because no build can know it: the initrd and the
indexes of depmod.
"""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, Callable, NamedTuple, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._build.package_files import (
    LINK,
    SHORT,
    ListError,
    check_list,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    bounded_read,
    manifest,
    own_packages,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.bounded_read import lines
from ansible_collections.oslab.kernel.plugins.module_utils._common.elf_notes import gnu_build_id
from ansible_collections.oslab.kernel.plugins.module_utils._common.plain_text import few
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Runner
from ansible_collections.oslab.kernel.plugins.module_utils._host.packages import (
    parse_packages,
    query_packages,
)
from ansible_collections.oslab.kernel.plugins.module_utils._verify.compare import Check, equal

# depmod makes these anew whenever a module comes or goes. The other modules.* are the build's.
DEPMOD = re.compile(
    r"modules\.(dep|alias|symbols|builtin|builtin\.alias|softdep|weakdep|devname)(\.bin)?"
)
BUILT = ("modules.builtin",)
# Of the headers, which are not compared.
LINKS = ("build", "source")
# dkms's, and for modules that a user prefers to the kernel's own.
UPDATES = "updates"
# dpkg leaves these out where it is told to, as in small images.
OPTIONAL = ("/usr/share/doc/", "/usr/share/man/", "/usr/share/locale/", "/usr/share/info/")
SHOWN = 3
UNCONFIRMED = "the list came over the network, and nothing from the builder confirms it"

# URL → content; raises OSError or ListError
Fetcher = Callable[[str], Any]


class Host(NamedTuple):
    """Where to look; tests put a directory and functions of their own."""

    run: Runner
    root: Path = Path("/")

    def path(self, path: str) -> Path:
        return self.root / path.lstrip("/")

    def release(self) -> str:
        return bounded_read.text(self.path("/proc/sys/kernel/osrelease")).strip()

    def running_build_id(self) -> str:
        try:
            return gnu_build_id(bounded_read.content(self.path("/sys/kernel/notes")))
        except OSError:
            return ""

    def manifest_build_id(self) -> str:
        """The build that the running kernel's own manifest names."""
        found = manifest.read(self.release(), self.root) or {}
        return str(found.get("build_id") or "")


# --- where the list comes from -----------------------------------------------------------------


def repository_urls(sources: str) -> list[str]:
    """The addresses in a file of apt's, without the slash at their end."""
    found = re.findall(r"^URIs:[ \t]*(.+)$", sources, re.MULTILINE)
    words = [word.rstrip("/") for line in found for word in line.split()]
    return [word for word in words if word.startswith(("http://", "https://"))]


def published_list(build_id: str, sources: Path, fetch: Fetcher) -> Mapping[str, Any]:
    """The list of a build from the repository that the host installs from."""
    try:
        urls = repository_urls(bounded_read.text(sources))
    except OSError as error:
        raise ListError(f"{sources}: {error.strerror}") from error
    problem = f"{sources} names no repository"
    for base in urls:
        url = f"{base}/builds/{build_id[:SHORT]}.json"
        try:
            return check_build(check_list(fetch(url), url), build_id)
        except (OSError, ListError) as error:
            problem = f"{url}: {error}" if url not in str(error) else str(error)
    raise ListError(problem)


def check_build(listed: Mapping[str, Any], build_id: str) -> Mapping[str, Any]:
    if len(build_id) < SHORT or not listed["build_id"].startswith(build_id):
        raise ListError(f"it is the list of build {listed['build_id']}, not of {build_id}")
    return listed


# --- what is on the disk -----------------------------------------------------------------------


def found_at(path: Path) -> str:
    """What stands for a file: its sha256, `-> target` of a link, or what else is there."""
    try:
        mode = path.lstat().st_mode
        if stat.S_ISLNK(mode):
            return LINK + str(path.readlink())
        if not stat.S_ISREG(mode):
            return "not a file"
        return bounded_read.sha256(path)
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        return f"cannot be read: {error.strerror}"


def installed_packages(run: Runner) -> dict[str, str]:
    """Name → version of all that dpkg has installed; empty without dpkg."""
    known = parse_packages(run(query_packages()).out_if_ok)
    return {package.name: package.version for package in known if package.installed}


def is_index(path: str) -> bool:
    """Whether depmod makes it."""
    name = path.rpartition("/")[2]
    in_place = re.fullmatch(r"(/usr)?/lib/modules/[^/]+", path.rpartition("/")[0])
    return bool(in_place and DEPMOD.fullmatch(name)) and name not in BUILT


def _is_compared(name: str, listed: Mapping[str, Any], installed: Mapping[str, str]) -> bool:
    if name == f"linux-image-{listed['release']}":
        return True
    if listed["release"] in name:
        return name in installed
    # Programs and headers serve all kernels of a host: they may be a newer build's.
    return installed.get(name) == listed["version"]


def _modules(host: Host, release: str) -> Iterator[str]:
    """All files below /lib/modules/RELEASE; what cannot be listed is not passed over."""

    def refuse(error: OSError) -> None:
        raise error

    top = f"/lib/modules/{release}"
    start = host.path(top)
    if not start.is_dir():
        return
    for directory, below, names in os.walk(start, onerror=refuse):
        links = [name for name in below if Path(directory, name).is_symlink()]
        for name in [*names, *links]:
            yield f"{top}/{Path(directory, name).relative_to(start).as_posix()}"


def _plain(path: str) -> str:
    """/usr/lib is /lib wherever this kernel runs."""
    return path[4:] if path.startswith("/usr/lib/modules/") else path


class Differences(NamedTuple):
    compared: int
    changed: list[dict[str, str]]
    missing: list[str]
    additional: list[str]
    updates: list[str]

    @property
    def names(self) -> list[tuple[str, str]]:
        changed = [("changed", entry["path"]) for entry in self.changed]
        return changed + [("missing", path) for path in self.missing]


def compare(
    host: Host, listed: Mapping[str, Any], installed: Mapping[str, str], ignore: Sequence[str] = ()
) -> Differences:
    release = listed["release"]
    named = {_plain(path) for files in listed["packages"].values() for path in files}
    changed, missing, compared = [], [], 0
    for package, files in sorted(listed["packages"].items()):
        if not _is_compared(package, listed, installed):
            continue
        for path, expected in sorted(files.items()):
            if is_index(path):
                continue
            found = found_at(host.path(path))
            if found or not path.startswith(OPTIONAL):
                compared += 1
            if found and found != expected:
                changed.append({"path": path, "expected": expected, "found": found})
            elif not found and not path.startswith(OPTIONAL):
                missing.append(path)
    additional: list[str] = []
    updates: list[str] = []
    links = [f"/lib/modules/{release}/{name}" for name in LINKS]
    for path in sorted(_modules(host, release)):
        if path in named or path in links or is_index(path):
            continue
        if any(fnmatchcase(path, pattern) for pattern in ignore):
            continue
        (updates if path.split("/")[4] == UPDATES else additional).append(path)
    return Differences(compared, changed, missing, additional, updates)


# --- the answer --------------------------------------------------------------------------------


def _what_differs(names: Sequence[tuple[str, str]]) -> str:
    texts = [
        f"{kind}: {few([path for its, path in names if its == kind], SHOWN)}"
        for kind in ("changed", "missing")
        if any(its == kind for its, _path in names)
    ]
    return "; ".join(texts)


def compare_image(expected: str, running: str) -> Check:
    name = "running image (GNU build id)"
    if not expected:
        return Check(name, None, None, running or None, None, "no list says what it has to be")
    if not running:
        return Check(name, None, expected, None, None, "/sys/kernel/notes does not tell")
    return equal(name, expected, running, "/sys/kernel/notes")


def answer_by_list(
    host: Host, listed: Mapping[str, Any], ignore: Sequence[str], caveat: str = ""
) -> dict[str, Any]:
    """`caveat`: why the list itself may be wrong."""
    installed = installed_packages(host.run)
    differences = compare(host, listed, installed, ignore)
    running = host.running_build_id()
    image = compare_image(listed["gnu_build_id"], running)
    wrong = [
        entry for entry in differences.changed if len(entry["found"]) == len(entry["expected"])
    ]
    first = [f"{e['path']} has sha256 {e['found']}, not {e['expected']}" for e in wrong[:1]]
    as_built = differences.compared - len(differences.names)
    also = f"; in {UPDATES}/: {few(differences.updates, SHOWN)}" if differences.updates else ""
    checks = [
        Check(
            "files on disk",
            not differences.names,
            f"{differences.compared} as built",
            "; ".join(filter(None, [f"{as_built} as built", _what_differs(differences.names)])),
            None,
            "; ".join(filter(None, [*first, caveat])),
        ),
        Check(
            "files that are not the build's",
            not differences.additional,
            "none",
            (few(differences.additional, SHOWN) or "none") + also,
            None,
            f"in /lib/modules/{listed['release']}",
        ),
        image,
    ]
    states = [check.ok for check in checks]
    return {
        "matches": False if False in states else None if None in states else True,
        "compared": differences.compared,
        "changed_files": differences.changed,
        "missing_files": differences.missing,
        "additional_files": differences.additional,
        "updates": differences.updates,
        "release": listed["release"],
        "build_id": listed["build_id"],
        "packages": {
            name: {
                "installed": installed.get(name),
                "compared": _is_compared(name, listed, installed),
            }
            for name in listed["packages"]
        },
        "gnu_build_id": {"expected": listed["gnu_build_id"], "running": running},
        "checks": [check._asdict() for check in checks],
    }


def parse_verify(text: str) -> list[tuple[str, str]]:
    """What `dpkg --verify` complains about, as (changed or missing, path)."""
    found = []
    for line in lines(text):
        matched = re.match(r"(missing|[?.5]{9})[ \t]+(?:c[ \t]+)?(/.*?)(?: \([^()]*\))?$", line)
        if not matched or is_index(matched[2]):
            continue
        kind = "missing" if matched[1] == "missing" else "changed"
        if kind == "changed" or not matched[2].startswith(OPTIONAL):
            found.append((kind, matched[2]))
    return found


def answer_by_dpkg(host: Host, build_id: str, reason: str) -> dict[str, Any]:
    """Without a list: what dpkg remembers of the packages. It stands on the same disk."""
    release = host.release()
    installed = installed_packages(host.run)
    ours = [f"linux-image-{release}", f"{own_packages.MODULES}-{release}", own_packages.TOOLS]
    packages = [name for name in ours if name in installed]
    detail = f"no list of the build's files ({reason}): dpkg's own sums on this host stand in"
    ok: Optional[bool] = None
    names: list[tuple[str, str]] = []
    if packages:
        names = parse_verify(host.run(["dpkg", "--verify", *packages]).out)
        ok = not names
    running = host.running_build_id()
    checks = [
        Check(
            "files on disk (dpkg --verify only)",
            ok,
            "unchanged",
            _what_differs(names) or ("unchanged" if packages else "no packages of this kernel"),
            None,
            detail,
        ),
        compare_image("", running),
    ]
    return {
        "matches": False if ok is False else None,
        "compared": 0,
        "changed_files": [
            {"path": p, "expected": "", "found": ""} for k, p in names if k == "changed"
        ],
        "missing_files": [path for kind, path in names if kind == "missing"],
        "additional_files": [],
        "updates": [],
        "release": release,
        "build_id": build_id,
        "packages": {n: {"installed": installed.get(n), "compared": n in packages} for n in ours},
        "gnu_build_id": {"expected": "", "running": running},
        "checks": [check._asdict() for check in checks],
    }


def gather(
    host: Host,
    build_id: str,
    listed: Optional[Mapping[str, Any]],
    sources: Optional[Path],
    fetch: Fetcher,
    ignore: Sequence[str] = (),
    confirmed: bool = False,
) -> dict[str, Any]:
    """Everything that the module returns.

    `confirmed`: `fetch` refuses all but the list whose checksum came from the builder.
    """
    build_id = build_id or host.manifest_build_id()
    reason = ""
    if listed:
        found = check_build(check_list(listed, "the list"), build_id)
        answer = answer_by_list(host, found, ignore)
        return {"method": "list", "reason": reason, "confirmed": True, **answer}
    if not build_id:
        reason = "nothing names a build"
    elif sources is None:
        reason = "no repository was named"
    else:
        try:
            found = published_list(build_id, sources, fetch)
            caveat = "" if confirmed else UNCONFIRMED
            answer = answer_by_list(host, found, ignore, caveat)
            return {"method": "repository", "reason": "", "confirmed": confirmed, **answer}
        except ListError as error:
            reason = str(error)
    return {
        "method": "dpkg",
        "reason": reason,
        "confirmed": False,
        **answer_by_dpkg(host, build_id, reason),
    }
