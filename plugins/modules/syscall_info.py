#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Call the custom kernel's syscalls and compare their answers with what the system reports."""

from __future__ import annotations

DOCUMENTATION = r"""
module: syscall_info
short_description: Call the custom syscalls of the running kernel and check their answers
version_added: 0.1.0
description:
  - Calls C(capture_memory_snapshot), C(track_syscall_usage) and C(get_io_throttle) by number, with
    nothing but Python and C(ctypes) on the host, and returns typed values.
  - Compares every value with the system's own, C(/proc/meminfo), C(/proc/PID/io), a counted
    workload, the kernel log and the C(/proc) entries of the kernel modules.
  - A kernel without the syscalls is an answer (RV(supported=false)), not an error.
  - Any other syscall is called once, with all arguments 0, unless the manifest says that it must
    not be (C(verify_call) of the role C(patch)). It has passed with any answer but C(ENOSYS), which
    a kernel gives for a number that it does not have.
  - Only numbers from the manifest or from O(numbers) are called, only those from 337 to 511, and
    the first call of each is made in a child process, so that a number that belongs to another
    syscall harms nothing but that child. It has 30 seconds.
options:
  manifest:
    description:
      - The manifest that the kernel's image package installed; it names the syscalls' numbers.
      - Where this is not given, C(/lib/modules/RELEASE/oslab-kernel.json) of the running release.
    type: path
  numbers:
    description:
      - Syscall names and their numbers, over those of the manifest.
      - A number must lie between 337 and 511.
    type: dict
    default: {}
  pid:
    description:
      - The process whose I/O is read by C(get_io_throttle); the module's own if not given.
    type: int
  expected:
    description:
      - What the host is supposed to run. What is empty or left out is taken from the manifest.
    type: dict
    default: {}
    suboptions:
      release:
        description: What C(uname -r) must say.
        type: str
      sysname:
        description: What C(uname -s) must say.
        type: str
      banner:
        description: The boot message; each of its lines must stand literally in the kernel log.
        type: str
      build_id:
        description: The build id that the manifest must name, or the first digits of it.
        type: str
      proc_entries:
        description:
          - Entries of C(/proc) that must be there, such as V(capture_mem). Each is that of a kernel
            module of the collection.
        type: list
        elements: str
      calls:
        description: Calls with arguments, and what they must answer.
        type: list
        elements: dict
        version_added: "0.3.0"
        suboptions:
          name:
            description: Name of the syscall, one of the manifest or of O(numbers).
            type: str
            required: true
          arguments:
            description: At most six integers of 64 bits.
            type: list
            elements: int
            default: []
          returns:
            description: What it must return. One of this and O(expected.calls[].error) is given.
            type: int
          error:
            description: The error that it must give, such as V(EINVAL).
            type: str
  workload:
    description:
      - How many times to open, read, write and fork in order to compare the counters; V(0) does
        not.
    type: int
    default: 0
  compare:
    description: Whether to compare anything, or only to return values.
    type: bool
    default: true
  proc_entries:
    description: Whether to look at the C(/proc) entries of the kernel modules that are loaded.
    type: bool
    default: true
  boot_timeout:
    description:
      - With O(kernel_log=true) or O(health), in an unconfirmed trial boot, wait at most so many
        seconds until systemd has done the boot and everything that O(health.required) names is
        back. V(0) looks once.
    type: int
    default: 0
    version_added: "0.3.0"
  kernel_log:
    description: Whether to read the kernel's log of this boot.
    type: bool
    default: false
    version_added: "0.3.0"
  health:
    description:
      - In an unconfirmed trial boot, compare the host with what it was before, by
        C(/var/lib/oslab-kernel/health.json). Left out, nothing is compared.
      - As long as something is lost that O(health.required) names, the module looks again,
        within O(boot_timeout).
    type: dict
    version_added: "0.3.0"
    suboptions:
      required:
        description: Kinds of which a loss is worth waiting for, such as V(mount) and V(unit).
        type: list
        elements: str
        default: []
      allowed:
        description: Regular expressions of what may be lost, without waiting for it.
        type: list
        elements: str
        default: []
  files:
    description:
      - Compare what is installed with the list of a build, too, as
        M(oslab.kernel.kernel_files) does. A host is asked once instead of twice. Nothing is
        compared if another build runs.
    type: dict
    version_added: "0.3.0"
    suboptions:
      files_path:
        description: >-
          Where M(oslab.kernel.build_files_info) has kept the list on the control node. The list has
          its build id.
        type: path
        required: true
      files:
        description: The list itself. The action plugin reads it.
        type: dict
      ignore:
        description: As the option C(ignore) of M(oslab.kernel.kernel_files).
        type: list
        elements: str
        default: []
notes:
  - Moving values are read before and after the call and the answer must lie between. Memory may
    swing by 256 KiB beyond that; it is compared up to ten times, the workload up to five times.
  - The boot message is looked for in C(/dev/kmsg), then in the journal of this boot. Where neither
    reaches back to the start of the boot the check's RV(checks[].ok) is null, which is no failure.
attributes:
  check_mode:
    description: Can run in check mode and return what it would otherwise.
    support: full
    details:
      - The module changes nothing and does the same in both modes.
  diff_mode:
    description: Returns details on what has changed.
    support: none
  action:
    description: >-
      Has a corresponding action plugin, which makes texts safe to print and reads
      O(files.files_path).
    support: full
    details:
      - Nothing changes.
author:
  - oslab.kernel contributors (@oslab)
"""

EXAMPLES = r"""
- name: Read and check everything
  oslab.kernel.syscall_info:
    workload: 200
  register: syscalls

- name: Only the values, of one process
  oslab.kernel.syscall_info:
    pid: 1
    compare: false

- name: Insist on a release and on loaded modules
  oslab.kernel.syscall_info:
    expected:
      release: 6.8.0-49-usac1
      proc_entries: [capture_mem, track_syscalls]
"""

RETURN = r"""
supported:
  description: Whether all the syscalls that have a number and were called answer as they should.
  returned: success
  type: bool
reason:
  description: Why RV(supported) is false; empty otherwise.
  returned: success
  type: str
  sample: no manifest at /lib/modules/6.1.0-40-amd64/oslab-kernel.json
release:
  description: What C(uname -r) says.
  returned: success
  type: str
sysname:
  description: What C(uname -s) says.
  returned: success
  type: str
machine:
  description: What C(uname -m) says.
  returned: success
  type: str
boot_id:
  description: The identity of this boot.
  returned: success
  type: str
boot_time:
  description: When this boot began, in seconds since 1970; null if the kernel does not report it.
  returned: success
  type: int
time:
  description: The host's clock, in seconds since 1970.
  returned: success
  type: int
trial:
  description:
    - What is known of the last deployment.
    - C(state) is V(none) if none is recorded, V(pending) if its kernel waits for the trial boot,
      V(unconfirmed) in the trial boot, V(confirmed), or V(fallback) if another kernel runs.
    - C(downtime) is how long the host was down at the trial boot, in seconds, and C(confirmed_time)
      when the kernel was confirmed, in seconds since 1970; null if that is not recorded.
  returned: success
  type: dict
manifest:
  description: The manifest; null if there is none.
  returned: success
  type: dict
manifest_path:
  description: Where the manifest was looked for.
  returned: success
  type: str
syscalls:
  description: By name, each syscall that has a number.
  returned: success
  type: dict
  contains:
    supported:
      description:
        - Whether it answers as it should; for a syscall that this module does not know, whether it
          is there. Null if it was not called, RV(syscalls[].detail) says why.
      type: bool
    number:
      description: Its number.
      type: int
    returned:
      description: What it returned, V(-1) on errors; null if it was not called.
      type: int
    errno:
      description: The error's number, V(0) if there was none.
      type: int
    errno_name:
      description: The error's name such as C(ENOSYS); null if there was none.
      type: str
    detail:
      description: Why C(supported) is not true.
      type: str
    result:
      description:
        - The values; null on errors.
        - C(capture_memory_snapshot) gives a dictionary of sizes in KiB and C(timestamp_ns).
        - C(track_syscall_usage) gives a list of C(name), C(count) and C(last_timestamp_ns).
        - C(get_io_throttle) gives a dictionary of the fields of C(/proc/PID/io) and C(pid).
        - Times are nanoseconds of C(CLOCK_MONOTONIC).
      type: raw
    after:
      description:
        - The values once more, after the workload and all comparisons; null without O(compare=true)
          and for syscalls that this module does not know.
      type: raw
      version_added: "0.3.0"
proc_entries:
  description: By name, each C(/proc) entry.
  returned: O(proc_entries=true)
  type: dict
  contains:
    module:
      description: The kernel module that makes it.
      type: str
    loaded:
      description: Whether that module is loaded.
      type: bool
    present:
      description: Whether the entry is there.
      type: bool
checks:
  description: Every comparison.
  returned: success
  type: list
  elements: dict
  contains:
    name:
      description: What was compared.
      type: str
    ok:
      description: Whether it agrees; null if the system can no longer tell.
      type: bool
    expected:
      description: What the system says, C(LOW..HIGH) where it moved.
      type: raw
    actual:
      description: What was read.
      type: raw
    tolerance:
      description: How far beyond RV(checks[].expected) is allowed; null for not at all.
      type: str
    detail:
      description: Where the expectation comes from.
      type: str
failed_checks:
  description: Names of the checks whose C(ok) is false.
  returned: success
  type: list
  elements: str
files:
  description: >-
    What M(oslab.kernel.kernel_files) returns; V(null) without O(files), or if another build runs.
  returned: success
  type: dict
kernel_log:
  description:
    - What the kernel has complained of since the boot, by C(/dev/kmsg) and, where its ring buffer
      has lost the beginning, the journal; V(null) without O(kernel_log=true).
    - C(complaints) are groups with C(kind), C(name), C(count), C(seconds) after the boot and the
      first C(lines). The most severe ones are reported; C(dropped) is the number of the others.
    - C(complete) says whether the log begins with the boot and lacks nothing, C(problem) why it
      could not be read, and C(tainted) is the number in C(/proc/sys/kernel/tainted).
    - C(baseline) is what the role C(oslab.kernel.install) has recorded of the log of the kernel
      that ran before this one was installed; V(null) if it has not.
  returned: success
  type: dict
health:
  description:
    - What has changed on the host since the boot before the trial boot; V(null) without O(health),
      and in any other than an unconfirmed trial boot.
    - C(changes) are C(kind), C(name), C(before), C(now) and C(state) of each. V(lost) is what
      worked and that each boot has to bring back, V(gone) what need not come back, the others are
      V(changed) and V(new). C(dropped) is the number of those that are not reported.
    - C(unread) are kinds that could be read before and cannot be now, or for which the record had
      no room, C(problem) why nothing could be compared, C(release) the kernel that ran before,
      C(age) how many seconds ago that was recorded, C(system) what C(systemctl is-system-running)
      says (empty without systemd) and C(seconds) how long all took.
  returned: success
  type: dict
"""

from typing import Any, Optional

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._build.package_files import ListError
from ansible_collections.oslab.kernel.plugins.module_utils._common import name_forms
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Runner, module_runner
from ansible_collections.oslab.kernel.plugins.module_utils._verify import expected_calls, installed
from ansible_collections.oslab.kernel.plugins.module_utils._verify.checks import proc_entry_problem
from ansible_collections.oslab.kernel.plugins.module_utils._verify.syscalls import AbiError
from ansible_collections.oslab.kernel.plugins.module_utils._verify.system import System
from ansible_collections.oslab.kernel.plugins.module_utils._verify.verification import (
    Options,
    gather,
)


def argument_spec() -> dict:
    return {
        "manifest": {"type": "path"},
        "numbers": {"type": "dict", "default": {}},
        "pid": {"type": "int"},
        "expected": {
            "type": "dict",
            "default": {},
            "options": {
                "release": {"type": "str"},
                "sysname": {"type": "str"},
                "banner": {"type": "str"},
                "build_id": {"type": "str"},
                "proc_entries": {"type": "list", "elements": "str"},
                "calls": {
                    "type": "list",
                    "elements": "dict",
                    "options": {
                        "name": {"type": "str", "required": True},
                        "arguments": {"type": "list", "elements": "int", "default": []},
                        "returns": {"type": "int"},
                        "error": {"type": "str"},
                    },
                },
            },
        },
        "workload": {"type": "int", "default": 0},
        "compare": {"type": "bool", "default": True},
        "proc_entries": {"type": "bool", "default": True},
        "boot_timeout": {"type": "int", "default": 0},
        "kernel_log": {"type": "bool", "default": False},
        "health": {
            "type": "dict",
            "options": {
                "required": {"type": "list", "elements": "str", "default": []},
                "allowed": {"type": "list", "elements": "str", "default": []},
            },
        },
        "files": {
            "type": "dict",
            "options": {
                "files_path": {"type": "path", "required": True},
                "files": {"type": "dict"},
                "ignore": {"type": "list", "elements": "str", "default": []},
            },
        },
    }


def compared(
    run: Runner, files: Optional[dict[str, Any]], manifest: Optional[dict[str, Any]]
) -> Optional[dict[str, Any]]:
    """What is installed of the running build; None if it is not that of the list.

    Raises ListError and OSError.
    """
    listed = (files or {}).get("files") or {}
    build_id = str(listed.get("build_id") or "")
    if not files or not manifest or not build_id or manifest.get("build_id") != build_id:
        return None
    return installed.gather(run, build_id, listed, None, "", 0, files["ignore"])


def main() -> None:
    module = AnsibleModule(argument_spec=argument_spec(), supports_check_mode=True)
    params = module.params
    # Out of the parameters, because these are sent back with the result.
    files = params.pop("files")
    if params["workload"] < 0:
        module.fail_json(msg=f"workload must be 0 or more calls, not {params['workload']}")
    if params["pid"] is not None and params["pid"] < 1:
        module.fail_json(msg=f"pid must be a process id, 1 or more, not {params['pid']}")
    expected = params["expected"] or {}
    build_id = expected.get("build_id") or ""
    if build_id and not name_forms.BUILD_ID.fullmatch(build_id):
        module.fail_json(
            msg=f"the build id is {build_id!r}: it has to be 12 to 64 hexadecimal digits"
        )
    for name in expected.get("proc_entries") or []:
        problem = proc_entry_problem(name)
        if problem:
            module.fail_json(msg=f"expected.proc_entries has {name!r}: {problem}")
    for entry in expected.get("calls") or []:
        problem = expected_calls.problem(entry)
        if problem:
            module.fail_json(msg=f"expected.calls has {entry['name']!r}: {problem}")

    # A program that is not installed is as good as an empty answer.
    run = module_runner(module, required=False)
    system = System(run)
    try:
        result = gather(Options(**{name: params[name] for name in Options._fields}), system)
        result["files"] = compared(run, files, result["manifest"])
    except (AbiError, ListError) as error:
        module.fail_json(msg=str(error))
    except OSError as error:
        module.fail_json(msg=f"the host cannot be read as far as the checks need: {error}")
    module.exit_json(changed=False, **result)


if __name__ == "__main__":
    main()
