#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: a configured kernel tree as Debian packages."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: kernel_build
short_description: Build a configured kernel tree into Debian packages
description:
  - Builds image, headers and libc headers with the kernel's own C(bindeb-pkg), then modules and
    programs of one's own, and keeps the packages in a store under the hash of all that went in.
  - What the store has already is not compiled again.
  - While it compiles, a line every twenty seconds says how far it is and how long it will take.
  - A build that is interrupted or killed is continued by the next call. Only complete builds
    appear in the store.
version_added: "0.1.0"
author: oslab.kernel contributors (@oslab)
options:
  tree:
    description:
      - Top of the kernel's source tree, with a C(.config) and a C(.oslab/source.json).
      - Working files, the log among them, are kept beside it, in a directory of its name with
        C(.build) appended.
    type: path
    required: true
  store:
    description: Directory of finished builds.
    type: path
    required: true
  jobs:
    description: >-
      How many compilers run at once; V(0) for one per CPU, but no more than one per 512 MiB of free
      memory.
    type: int
    default: 0
  ccache:
    description: Whether objects are kept, and taken, by C(ccache).
    type: bool
    default: true
  ccache_dir:
    description: Where C(ccache) keeps them. Without it, among the working files.
    type: path
  ccache_size:
    description: How much C(ccache) may keep, as it writes sizes.
    type: str
    default: 5G
  ccache_preprocess:
    description:
      - Whether it also takes an object where a header differs, and the preprocessor makes the same
        of the source. Does not change the build id.
    type: bool
    default: false
    version_added: "0.3.0"
  reuse:
    description:
      - Whether the first build of a tree begins with what was made in another one, C(*/NAME) beside
        its directory, that was built to the end, of the same source and with the same programs.
        Then make makes again what differs. Does not change the build id.
    type: bool
    default: true
    version_added: "0.3.0"
  ccache_remote:
    description:
      - A storage that several builders' C(ccache) share, as it writes them, such as
        V(http://cache.example.org/) or V(redis://cache.example.org). Does not change the build id.
    type: str
    default: ''
  distribute:
    description:
      - Program that has other machines compile. C(ccache) is asked first. The packages are the
        same, and so is the build id.
    type: str
    default: ''
    choices: ['', distcc, icecc]
  distribute_hosts:
    description:
      - C(distcc)'s list of hosts. Those that do not answer are done without; one whose compiler is
        another is refused.
    type: str
    default: ''
  modules_source:
    description: Directory of kernel modules to build and package; none if empty.
    type: path
  tools_source:
    description:
      - Directory of programs to build and package; none if empty. With a C(Makefile), its goals
        C(all) and C(install) are made with C(CC), C(LDFLAGS), C(KHDR_INCLUDES), C(DESTDIR),
        C(PREFIX) and C(PYTHON_MODULE) (a Python module that calls the syscalls, to be installed);
        without one, each C(.c) file becomes a program in C(/usr/bin).
    type: path
  make_args:
    description: More arguments for C(make), such as V(KCFLAGS=-g).
    type: list
    elements: str
    default: []
  debug_package:
    description:
      - Whether the debug symbols are packaged, as C(linux-image-RELEASE-dbg). The configuration has
        to make them (C(CONFIG_DEBUG_INFO)).
    type: bool
    default: false
  compression:
    description:
      - Compression of the packages. V(xz) is read by every tool and takes longer; another one makes
        another build.
    type: str
    choices: [zstd, xz]
    default: zstd
  root:
    description:
      - Directory of a build root, as M(oslab.kernel.build_root) returns it. All programs of the
        build run in it, without a network and as an unprivileged user; they can write to the
        directory that O(tree) is in and to O(ccache_dir) only.
      - Without it they are the builder's own. A build root is part of the build id.
      - There it can neither sign nor have other machines compile.
    type: path
  force:
    description: Build what the store has already.
    type: bool
    default: false
  module_signing_key:
    description:
      - PEM file on the control node with the RSA key that signs the modules, and its certificate.
        The action plugin of this name reads it and hands its text to the builder, where it stays
        in the memory of the build. The packages are made without signatures first. Those of the
        modules and of the image are made as detached ones, and attached in a second step.
      - The configuration has to name it, as the role C(config) does with
        C(config_module_signing). Without a key, a configuration that has modules signed is refused.
    type: str
    default: ""
  image_signing_key:
    description: >-
      Such a file with the key that signs the image for Secure Boot, by C(sbsign). It may be the
      same one.
    type: str
    default: ""
  state:
    description:
      - V(present) builds. V(planned) only reads all inputs and returns RV(plan).
    type: str
    choices: [present, planned]
    default: present
  locked:
    description:
      - What a lock says of RV(plan). Where the inputs differ from it the module fails, before
        anything is compiled, and names each line.
      - Empty for no lock.
    type: dict
    default: {}
  lock:
    description: Name of the lock's file, for that message.
    type: str
    default: ""
  published:
    description:
      - A C(.buildinfo), or the description of a repository, in base64. If the inputs make another
        build than that, the module fails, before anything is compiled, and names those that differ.
      - Empty for any build.
    type: str
    default: ""
  kernel:
    description: Name of the builder, whose kernel counts if O(published) has those of several.
    type: str
    default: ""
  signatures:
    description:
      - The detached signatures of O(published), in base64, if it names any. They are attached to
        the packages that are made here, so that no key is needed. The certificate of the modules'
        key, which is built into the image, is taken from them.
      - Without it, and with a key, signatures are made.
    type: str
    default: ""
  detach:
    description:
      - Return as soon as the build is under way, with RV(job). The action plugin of this name
        does so in order to show the progress. A build that nobody waits for stops within a minute.
    type: bool
    default: false
attributes:
  check_mode:
    description: Says from the inputs whether it would compile.
    support: full
  diff_mode:
    description: Packages have no useful diff.
    support: none
  action:
    description: Shows the progress.
    support: full
requirements: [make, gcc, bc, bison, flex, dpkg-dev, debhelper, rsync]
"""

EXAMPLES = r"""
- name: Build the kernel
  oslab.kernel.kernel_build:
    tree: /var/lib/oslab-kernel/trees/kernel_org-6.8/linux
    store: /var/lib/oslab-kernel/store
    ccache_dir: /var/lib/oslab-kernel/ccache
  register: kernel_packages
"""

RETURN = r"""
build_result:
  description:
    - The build, with C(release) (what C(uname -r) will say), C(version) (of all packages),
      C(build_id), C(store) (its directory), C(packages) (name to C(file) in that directory,
      C(sha256) and C(size) in bytes), C(signatures) (of a signed build C(file) and C(sha256) of
      its detached signatures, and C(unsigned), package to C(sha256) before they were attached),
      C(files) (C(file) and C(sha256) of the list of all that they
      install, for M(oslab.kernel.kernel_files)), C(buildinfo) (the same of Debian's record of what
      the build was made of), C(gnu_build_id) (of the image), C(manifest) (what
      the image package carries as C(oslab-kernel.json)), C(compiled) (V(false) if the store had
      it), C(ended) (when it was built, in seconds since 1970) and C(duration) (how many seconds it
      took).
  returned: when the build is there
  type: dict
build_id:
  description: Hash of everything that goes into the build.
  returned: when all inputs are there
  type: str
plan:
  description:
    - C(build), all that the build id is made of; C(source), with C(version), C(sha256),
      C(signed_by) and C(commit) of a git repository; C(environment), with C(toolchain) or C(root).
  returned: with O(state=planned), when all inputs are there
  type: dict
ended:
  description: When the build failed, in seconds since 1970.
  returned: when a build failed
  type: int
duration:
  description: How many seconds it took until then.
  returned: when a build failed
  type: float
log:
  description: Path of all that the build said.
  returned: when something was built
  type: str
job:
  description: C(directory) and C(build_id) of the build that is under way.
  returned: with O(detach), while it is under way
  type: dict
"""

import dataclasses
import os
from pathlib import Path
from typing import Any, Callable, Optional

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._build import (
    environment,
    lock_lines,
    published,
    remote_compilation,
    run,
    signatures,
    signing,
    signing_key,
)
from ansible_collections.oslab.kernel.plugins.module_utils._build import plan as build_plan
from ansible_collections.oslab.kernel.plugins.module_utils._build.identity import InputError
from ansible_collections.oslab.kernel.plugins.module_utils._build.job import Job
from ansible_collections.oslab.kernel.plugins.module_utils._build.plan import Plan
from ansible_collections.oslab.kernel.plugins.module_utils._build.run import Build
from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import module_runner
from ansible_collections.oslab.kernel.plugins.module_utils._source import workdir


def signing_keys(
    module: AnsibleModule, params: dict[str, Any], expected: dict[str, Any]
) -> signing.Keys:
    """By what this build is signed: published signatures, keys, or nothing."""
    texts = {name: params.pop(f"{name}_signing_key") for name in ("module", "image")}
    if expected["signatures"]:
        return published_signatures(module, expected)
    if any(texts.values()):
        signing.refuse_core_dumps()
    try:
        found = {
            name: signing_key.parse(text, f"build_{name}_signing_key")
            for name, text in texts.items()
            if text
        }
    except signing_key.SigningKeyError as error:
        module.fail_json(msg=str(error))
    return signing.Keys(module=found.get("module"), image=found.get("image"))


def published_signatures(module: AnsibleModule, expected: dict[str, Any]) -> signing.Keys:
    try:
        wanted = published.decode(expected["published"], expected["kernel"])
        checksum = wanted.signatures.get("sha256", "")
        found = signatures.matching(expected["signatures"], checksum)
    except published.PublishedError as error:
        module.fail_json(msg=str(error))
    except signatures.SignaturesError as error:
        module.fail_json(
            msg=f"the detached signatures of the published build cannot be used: {error}"
        )
    return signing.Keys(published=found)


def check_places(module: AnsibleModule, options: build_plan.Options) -> None:
    # In check mode, too: a missing input may come later in the run, another owner does not.
    try:
        build_plan.check_places(options, os.geteuid())
    except InputError as error:
        module.fail_json(msg=str(error))


def check_inputs(module: AnsibleModule, plan: Plan, expected: dict[str, Any]) -> None:
    """Fail if the lock, or what was published, is of another build."""
    if module.check_mode:
        return  # the tree may be of an earlier run
    if expected["locked"]:
        found = lock_lines.differences(expected["locked"], build_plan.lockable(plan))
        differing = lock_lines.binding(found)
        if differing:
            message = lock_lines.refusal(expected["lock"], differing)
            module.fail_json(msg=plain_text.wrapped(message))
    if expected["published"]:
        check_published(module, expected["published"], expected["kernel"], plan)


def check_published(module: AnsibleModule, document: str, kernel: str, plan: Plan) -> None:
    try:
        wanted = published.decode(document, kernel)
    except published.PublishedError as error:
        module.fail_json(msg=str(error))
        return
    if wanted.build_id != plan.build_id:
        lines = lock_lines.listed(wanted.other_inputs(plan.manifest))
        head = f"The inputs are not those of the published build {wanted.build_id[:12]}:"
        unknown = "- nothing that the document names; other variables or another collection"
        module.fail_json(msg=plain_text.wrapped("\n".join([head, *(lines or [unknown])])))


def in_root(options: build_plan.Options, root: Optional[Path]) -> build_plan.Options:
    """The same in the build root. Raises InputError if there is none."""
    if root is None:
        return options
    # bindeb-pkg writes the packages beside the tree.
    cache = [options.ccache_dir] if options.ccache and options.ccache_dir else []
    where = environment.read(
        root,
        writable=[options.tree.parent, *cache],
        # The .buildinfo has the checksums of what is about to be stored.
        readable=[options.store],
        temporary=options.work / run.TEMPORARY,
    )
    return dataclasses.replace(options, environment=where)


def check_workers(module: AnsibleModule, options: build_plan.Options) -> build_plan.Options:
    """Leave out the workers that do not answer."""
    if options.remote.program != remote_compilation.DISTCC:
        return options

    try:
        hosts, silent = remote_compilation.usable_hosts(
            options.remote, module_runner(module, required=False, LC_ALL="C")
        )
    except remote_compilation.RemoteError as error:
        module.fail_json(msg=str(error))
    workdir.make(remote_compilation.directory(options.work))
    if silent:
        module.warn(f"these of build_distribute_hosts do not compile: {', '.join(silent)}")
    return dataclasses.replace(options, remote=dataclasses.replace(options.remote, hosts=hosts))


def start(job: Job, plan: Plan, replan: Callable[[], Plan], facts: dict[str, Any]) -> None:
    """The build, in a process of its own."""
    broken_off = job.broken_off()
    build = Build(plan, job, os.environ)
    options, epoch = plan.options, plan.inputs.source_date_epoch

    def work() -> dict[str, Any]:
        with signing.certificate_at_hand(options.keys, options.tree, epoch):
            return build.run(replan, broken_off=broken_off)

    job.start(work, facts)


def acquire(module: AnsibleModule, job: Job, plan: Plan, facts: dict[str, Any]) -> None:
    """Acquire the tree, unless the same build is under way already."""
    if job.acquire():
        return
    options, status = plan.options, job.status()
    if job.left_behind():
        job.kill()
        acquired = job.acquire()
    else:
        under_way = status.get("state", "ended") != "ended"
        same = under_way and status.get("build_id") == plan.build_id and not options.force
        acquired = same or job.wait_until_left()
    if not acquired:
        module.fail_json(
            msg=f"{options.tree} is being built by {job.holder()}: wait for it, or end it",
            **facts,
        )


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "tree": {"type": "path", "required": True},
            "store": {"type": "path", "required": True},
            "jobs": {"type": "int", "default": 0},
            "ccache": {"type": "bool", "default": True},
            "ccache_dir": {"type": "path"},
            "ccache_size": {"type": "str", "default": "5G"},
            "ccache_preprocess": {"type": "bool", "default": False},
            "reuse": {"type": "bool", "default": True},
            # It may hold a password.
            "ccache_remote": {"type": "str", "default": "", "no_log": True},
            "distribute": {"type": "str", "default": "", "choices": ["", "distcc", "icecc"]},
            "distribute_hosts": {"type": "str", "default": ""},
            "modules_source": {"type": "path"},
            "tools_source": {"type": "path"},
            "make_args": {"type": "list", "elements": "str", "default": []},
            "debug_package": {"type": "bool", "default": False},
            "compression": {
                "type": "str",
                "choices": list(build_plan.COMPRESSIONS),
                "default": build_plan.COMPRESSIONS[0],
            },
            "root": {"type": "path"},
            "force": {"type": "bool", "default": False},
            "module_signing_key": {"type": "str", "default": "", "no_log": True},
            "image_signing_key": {"type": "str", "default": "", "no_log": True},
            "state": {"type": "str", "choices": ["present", "planned"], "default": "present"},
            "locked": {"type": "dict", "default": {}},
            "lock": {"type": "str", "default": ""},
            "published": {"type": "str", "default": ""},
            "kernel": {"type": "str", "default": ""},
            "signatures": {"type": "str", "default": ""},
            "detach": {"type": "bool", "default": False},
        },
        supports_check_mode=True,
    )
    os.umask(workdir.UMASK)
    params = dict(module.params)
    detach, state = params.pop("detach"), params.pop("state")
    names = ("locked", "lock", "published", "kernel", "signatures")
    expected = {name: params.pop(name) for name in names}
    for name in ("tree", "store", "ccache_dir", "modules_source", "tools_source", "root"):
        params[name] = Path(os.path.abspath(params[name])) if params[name] else None  # noqa: PTH100
    if params["jobs"] < 0:
        module.fail_json(msg=f"build_jobs is {params['jobs']}: give a number of jobs, or 0")
    params["keys"] = signing_keys(module, params, expected)
    params["remote"] = remote_compilation.Remote(
        program=params.pop("distribute"),
        hosts=params.pop("distribute_hosts"),
        ccache_remote=params.pop("ccache_remote"),
    )
    root = params.pop("root")
    options = build_plan.Options(**params)
    check_places(module, options)

    def plan_now() -> Plan:
        return build_plan.make_plan(options, module_runner(module, required=False, LC_ALL="C"))

    try:
        options = in_root(options, root)
        plan = plan_now()
    except InputError as error:
        if module.check_mode:
            message = f"would build a kernel ({error})"
            module.exit_json(changed=state == "present", msg=message)
        module.fail_json(msg=str(error))

    if state == "planned":
        module.exit_json(changed=False, plan=build_plan.lockable(plan))
    check_inputs(module, plan, expected)
    facts: dict[str, Any] = {"build_id": plan.build_id, "release": plan.inputs.release}
    result = None if options.force else build_plan.stored(options.store, plan.build_id)
    if result:
        module.exit_json(changed=False, build_result=build_plan.contract(result), **facts)
    find = options.environment.find
    problem = build_plan.refusal(plan, find) or remote_compilation.problem(
        options.remote, options.ccache, find
    )
    if module.check_mode:
        message = f"would build {plan.inputs.release} as {plan.version}"
        module.exit_json(changed=True, msg=message, **facts)
    if problem:
        module.fail_json(msg=problem, **facts)
    options = check_workers(module, options)
    plan = dataclasses.replace(plan, options=options)

    job = Job(options.work)
    log = str(options.work / "build.log")
    acquire(module, job, plan, facts)
    if job.lock_fd >= 0:
        start(job, plan, plan_now, facts)
    if detach:
        job_facts = {"directory": str(options.work), "build_id": plan.build_id}
        module.exit_json(changed=True, job=job_facts, log=log, **facts)
    outcome = job.wait() or {"failed": True, "msg": f"the build vanished; see {log}"}
    finish = module.fail_json if outcome.pop("failed", False) else module.exit_json
    finish(**{**facts, "log": log, **outcome})


if __name__ == "__main__":
    main()
