#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: boot a stored build once, before any host is touched."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: kernel_smoke_test
short_description: Boot a stored build once in a throw-away virtual machine
description:
  - Boots the kernel of a build in the store under QEMU, from an initrd with the build's own
    modules and programs. Calls its syscalls, loads its modules, and judges the kernel's log as the
    role C(verify) judges that of a host.
  - Fails if anything of that is wrong, with the first line of the kernel's complaint, the syscall
    or the module.
  - The outcome is kept in the store. A build that has passed is not tested again.
  - The machine has no network, no disk, 1 GiB of memory, and 90 seconds. KVM is used only if this
    kernel has reached its first program under it; otherwise the machine is emulated.
version_added: "0.3.0"
author: oslab.kernel contributors (@oslab)
options:
  store:
    description: Directory of finished builds.
    type: path
  build_id:
    description: The build. If empty, only whether this host can test a build is checked.
    type: str
    default: ""
  test:
    description:
      - V(auto) skips the test where it cannot be done, and says why. V(true) fails there.
      - V(false) does not test, and returns what the store knows.
    type: str
    choices: [auto, "true", "false"]
    default: auto
  init:
    description: C source of the first program, as in C(files/kernel/smoke/init.c).
    type: str
    default: ""
  work:
    description: Directory for the files of the machine, which are removed afterwards.
    type: path
  root:
    description: >-
      Directory of a build root, as M(oslab.kernel.build_root) returns it, whose compiler makes the
      first program. Without it, this host's does.
    type: path
  allowed:
    description: Complaints of the kernel that fail no test.
    type: list
    elements: dict
    default: []
    suboptions:
      pattern:
        description: Regular expression, which is looked for in the first lines of a complaint.
        type: str
        required: true
      reason:
        description: Why it is allowed.
        type: str
        required: true
attributes:
  check_mode:
    description: Says whether a build would be booted.
    support: full
  diff_mode:
    description: A test has no useful diff.
    support: none
requirements: [qemu-system-x86_64, gcc, dpkg-deb]
seealso:
  - module: oslab.kernel.kernel_build
"""

EXAMPLES = r"""
- name: Boot the build once
  oslab.kernel.kernel_smoke_test:
    store: /var/lib/oslab-kernel/store
    build_id: "{{ kernel_packages.build_id }}"
    init: "{{ lookup('ansible.builtin.file', 'init.c') }}"
    work: /var/lib/oslab-kernel/smoke
"""

RETURN = r"""
smoke_test:
  description:
    - The outcome, with C(result) (V(passed), V(failed) or V(skipped)), C(reason) (what is wrong, or
      why there was no test) and C(accelerator) (V(kvm), V(tcg), or empty if there was no test).
  returned: always
  type: dict
log:
  description: File with all that came over the serial line.
  returned: when the build was booted
  type: str
"""

import os
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple, Optional

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._build import environment
from ansible_collections.oslab.kernel.plugins.module_utils._build import plan as build_plan
from ansible_collections.oslab.kernel.plugins.module_utils._build.identity import InputError
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    module_runner,
    output_summary,
)
from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu
from ansible_collections.oslab.kernel.plugins.module_utils._smoke import boot, contents, record
from ansible_collections.oslab.kernel.plugins.module_utils._smoke.contents import Contents
from ansible_collections.oslab.kernel.plugins.module_utils._smoke.record import Outcome
from ansible_collections.oslab.kernel.plugins.module_utils._source import workdir
from ansible_collections.oslab.kernel.plugins.module_utils._verify.log_verdict import ALLOWED_OPTION

# Seconds that another run may take with a test of the same tree.
WAIT_SECONDS = 300.0
SWITCHED_OFF = "build_smoke_test is false"
COMPILER = "gcc"
FLAGS = ("-std=gnu11", "-O2", "-Wall", "-static", "-s")


class CannotTestError(Exception):
    """Nothing is known of the kernel; the message says what stands in the way."""


CANNOT = (CannotTestError, contents.ContentsError, boot.BootError, qemu.QemuError, OSError)


class Answer(NamedTuple):
    """What the module returns."""

    outcome: Outcome
    changed: bool = False
    failed: bool = False
    msg: str = ""
    log: str = ""


def compile_init(module: AnsibleModule, work: Path) -> bytes:
    """The first program. Raises CannotTestError."""
    source, program = work / "init.c", work / "init"
    qemu.write_file(source, module.params["init"].encode())
    try:
        root = Path(module.params["root"]) if module.params["root"] else None
        where = environment.read(root, writable=[work])
    except InputError as error:
        raise CannotTestError(str(error)) from error
    run = where.runner(module_runner(module, required=False, LC_ALL="C"))
    done = run([COMPILER, *FLAGS, "-o", str(program), str(source)])
    if done.status != 0:
        why = output_summary(done.out, done.err)
        raise CannotTestError(f"the first program of the test does not compile: {why}")
    return program.read_bytes()


def boot_once(module: AnsibleModule, found: Contents, directory: Path) -> tuple[Outcome, bool]:
    """The outcome, which is in the store, too; and whether this call has booted the build."""
    top = Path(module.params["work"])
    workdir.make(top)
    with qemu.locked(top / "smoke.lock", WAIT_SECONDS):
        before = record.read(directory)
        if before is not None and before.result == record.PASSED:
            return before, False  # another run has just tested it
        work = top / "smoke"
        shutil.rmtree(work, ignore_errors=True)
        workdir.make(work)
        try:
            tested = boot.run(found, compile_init(module, work), work, module.params["allowed"])
        finally:
            shutil.rmtree(work, ignore_errors=True)
        outcome = record.of_problems(tested.problems, tested.accelerator.name)
        record.write(directory, outcome, tested.serial)
        return outcome, True


def refused(build: Mapping[str, Any], outcome: Outcome) -> Answer:
    """Of a build that has failed: what is wrong, and what to do."""
    log = str(Path(build["store"]) / record.LOG)
    message = (
        f"{named(build)} fails its smoke test, so it is not published: {outcome.reason}. All that "
        f"it printed is in {log}. Change the build, or set build_smoke_test: false to publish it"
    )
    return Answer(outcome, failed=True, msg=message, log=log)


def named(build: Mapping[str, Any]) -> str:
    return f"Linux {build['release']} ({build['build_id'][:12]})"


def not_tested(
    module: AnsibleModule, why: str, build: Optional[Mapping[str, Any]] = None
) -> Answer:
    """Where nothing can be booted. A build that has failed before is refused all the same."""
    outcome = record.skipped(why)
    if module.params["test"] == "true":
        message = (
            f"build_smoke_test is true, but a build cannot be booted: {outcome.reason}. Change "
            "that, or set build_smoke_test: auto"
        )
        return Answer(outcome, failed=True, msg=message)
    if build is not None:
        directory = Path(build["store"])
        before = record.read(directory)
        if before is not None and before.result == record.FAILED:
            return refused(build, before)
        if not module.check_mode:
            record.write(directory, outcome)
    return Answer(outcome, msg=f"no smoke test: {outcome.reason}")


def not_stored(module: AnsibleModule, store: Path, obstacle: str) -> Answer:
    """Of a build that is not there, as in check mode before it is made."""
    if obstacle:
        return not_tested(module, obstacle)
    if module.check_mode:
        return Answer(record.skipped("check mode"), changed=True, msg="would boot the build once")
    message = f"the store {store} has no build {module.params['build_id']}"
    return Answer(record.skipped(message), failed=True, msg=message)


def test(module: AnsibleModule, build: Mapping[str, Any], obstacle: str) -> Answer:
    """Of a build in the store. Raises what `CANNOT` has."""
    directory = Path(build["store"])
    if obstacle:
        return not_tested(module, obstacle, build)
    found = contents.read(directory, build)
    lacking = contents.lacking(found.config)
    if lacking:
        return not_tested(module, lacking, build)
    if module.check_mode:
        outcome = record.read(directory) or record.skipped("check mode")
        return Answer(outcome, changed=True, msg=f"would boot {named(build)} once")
    outcome, is_new = boot_once(module, found, directory)
    if outcome.result == record.FAILED:
        return refused(build, outcome)
    return Answer(outcome, changed=is_new, log=str(directory / record.LOG))


def known(test: str, directory: Path) -> Optional[Outcome]:
    """What there is to say of a build without a test; None if one has to be done."""
    before = record.read(directory)
    if before is not None and before.result == record.PASSED:
        return before
    if test != "false":
        return None
    # The user takes a build that has failed; the result is returned all the same.
    return before if before and before.result == record.FAILED else record.skipped(SWITCHED_OFF)


def answer(module: AnsibleModule) -> Answer:
    params = module.params
    obstacle = boot.obstacle(shutil.which)
    if not params["build_id"]:
        checked = record.skipped("no build is named")
        return not_tested(module, obstacle) if obstacle else Answer(checked)
    store = Path(os.path.abspath(params["store"]))  # noqa: PTH100 - a link stays one
    outcome = known(params["test"], store / params["build_id"])
    if outcome is not None:
        return Answer(outcome)
    build = build_plan.stored(store, params["build_id"])
    if build is None:
        return not_stored(module, store, obstacle)
    try:
        return test(module, build, obstacle)
    except CANNOT as error:
        return not_tested(module, str(error), build)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "store": {"type": "path"},
            "build_id": {"type": "str", "default": ""},
            "test": {"type": "str", "choices": ["auto", "true", "false"], "default": "auto"},
            "init": {"type": "str", "default": ""},
            "work": {"type": "path"},
            "root": {"type": "path"},
            "allowed": ALLOWED_OPTION,
        },
        supports_check_mode=True,
    )
    os.umask(workdir.UMASK)
    found = answer(module)
    finish = module.fail_json if found.failed else module.exit_json
    texts = {name: text for name, text in (("msg", found.msg), ("log", found.log)) if text}
    finish(changed=found.changed, smoke_test=found.outcome.answer(), **texts)


if __name__ == "__main__":
    main()
