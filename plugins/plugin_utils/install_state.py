# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host has of the requested kernel, and whether a deployment would change anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any, NamedTuple, Optional

_EMPTY = sha256(b"").hexdigest()


class Wanted(NamedTuple):
    """The requested kernel."""

    release: str
    version: str
    packages: Sequence[str]
    #: Packages that an installation may leave out.
    optional: Sequence[str]
    #: Path to the checksums that the file may have; None: the file is not there.
    files: Mapping[str, Sequence[Optional[str]]]
    #: Files that have to be there, whatever is in them.
    present: Sequence[str]
    #: File of the deployment lock; empty or not there where nobody holds it.
    lock: str


class State(NamedTuple):
    #: Packages to install, as name=version.
    missing: list[str]
    #: Those that an earlier run left out, in this version: nothing is done for them again.
    left_out: list[str]
    #: Whether the run that installed the packages got to its end.
    complete: bool
    #: Whether the requested kernel runs, in the version that is installed.
    running: bool
    #: Whether it is confirmed, and the host is as a deployment leaves it.
    current: bool


def state(facts: Mapping[str, Any], wanted: Wanted) -> State:
    """:param facts: the answer of the module host_kernel_info."""
    record = facts.get("install_record") or {}
    installed = facts["packages"]
    pins = {name: f"{name}={wanted.version}" for name in wanted.packages}
    absent = [pin for name, pin in pins.items() if installed.get(name) != wanted.version]
    optional = {f"{name}={wanted.version}" for name in wanted.optional}
    left_out = [pin for pin in absent if pin in optional & {*record.get("left_out", [])}]
    missing = [pin for pin in absent if pin not in left_out]
    complete = record.get("complete", True)
    image = f"linux-image-{wanted.release}"
    # /lib/modules and /boot show what is installed, not what was booted: the same release may have
    # been built and installed again since. So the boot in which a version was installed is
    # recorded; in any later boot, that release is that version. No clock is compared.
    running = (
        image in pins
        and pins[image] not in absent
        and facts["release"] == wanted.release
        and record.get("image") == pins[image]
        and record.get("boot_id") != facts["boot_id"]
    )
    current = running and complete and not missing and _is_as_deployed(facts, wanted, record)
    return State(missing, left_out, complete, running, current)


def _is_as_deployed(facts: Mapping[str, Any], wanted: Wanted, record: Mapping[str, Any]) -> bool:
    files = facts["files"]
    return bool(
        record.get("confirmed")
        and (facts["trial"] is None or facts["trial_confirmed"])
        and facts["boots_default_kernel"]
        and not facts["packages_unfinished"]
        and not facts["kexec_reboots"]
        and not facts["container"]
        and not facts.get("xen_dom0")
        # Whoever holds it, also after its time, is a matter for the module deploy_lock.
        and files.get(wanted.lock) in (None, _EMPTY)
        and all(files.get(path) in allowed for path, allowed in wanted.files.items())
        and all(files.get(path) is not None for path in wanted.present)
    )
