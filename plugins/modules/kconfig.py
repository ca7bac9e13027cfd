#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: a kernel's .config, with what Kconfig kept of the wishes."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: kconfig
short_description: Make a kernel's .config and check what Kconfig made of the options
description:
  - Makes C(.config) of a kernel tree from a base configuration, the modules that are to stay and
    options, with the tree's own C(make olddefconfig), which never asks anything.
  - Works in a scratch directory; C(.config) is written once, and only if its content changes.
    (The tree's Kconfig programs are compiled in the tree on the first call, in check mode too.)
  - An option that no Kconfig file of the tree defines is refused before anything is written. An
    option or required symbol that does not have its value in the end is an error that names it,
    the value that it has and the reason where one can be found.
  - The syscalls that M(oslab.kernel.kernel_patch) has added to the tree are switched on. One that
    is not in the end, because what it depends on is not, is an error that says so.
  - The same input always gives the same file.
version_added: "0.1.0"
author: oslab.kernel contributors (@oslab)
options:
  tree:
    description: Top of the kernel's source tree.
    type: path
    required: true
  base:
    description: Configuration to start from; empty for C(.config) of the tree.
    type: path
    default: ""
  base_origin:
    description:
      - Whose configuration O(base) is.
      - Of a V(target)'s only what is on, off or a module and numbers count, and a few strings of
        a known form. It cannot name a file or a program, put out a protection that Kconfig has on
        by default, or overrule the kernel's command line. What is left out has its default, unless
        O(options) or O(optional) set it.
      - A V(user)'s counts as it is.
      - Whoever's it is, no string of the result may have a character that C(make) or a shell takes
        for more than text, such as C($), C(;) or a quote.
    type: str
    choices: [user, target]
    default: user
  lsmod:
    description:
      - Names of the modules that stay modules, as C(lsmod) lists them; all others of the base are
        switched off (C(localmodconfig)).
      - Empty leaves all modules of the base.
    type: list
    elements: str
    default: []
  keep:
    description:
      - Modules that must stay, besides O(lsmod), loaded or not. One that the base has built in is
        there. One that it does not have is switched on, with what it depends on, but without what
        opens a kernel, such as C(EXPERT) and symbols for debugging; one where that does not help is
        in RV(modules_disabled). One that the base has and that gets lost is an error.
    type: list
    elements: str
    default: []
  options:
    description:
      - Symbol, without C(CONFIG_), to value. V(y), V(n), V(m) or a boolean; a text for a string
        symbol (quoted as its type asks for, V(false) means empty); a number for int and hex.
      - A member of a choice that is set to V(y) puts the other members out.
    type: dict
    default: {}
  options_extra:
    description:
      - As O(options), over which they win. An inventory's options stay, where others are added by
        somebody who runs a playbook.
    type: dict
    default: {}
  optional:
    description:
      - As O(options), which win over it; but a symbol that the tree does not define is left out,
        and one that does not take its value is reported in RV(not_taken).
    type: dict
    default: {}
  fragments:
    description:
      - Files on the control node with lines as in C(.config), such as the kernel's own
        C(kernel/configs/*.config). Found as patches are, in the role's directory as well.
      - Their options count as O(optional), over which they win; of several files the last wins.
      - Read by the action plugin.
    type: list
    elements: str
    default: []
  required:
    description: Symbols and the values that they must have in the end; they are not set.
    type: dict
    default: {}
  make_args:
    description:
      - Arguments for C(make), such as C(CC=gcc-12). Must be the build's, since the configuration
        records the compiler.
    type: list
    elements: str
    default: []
  root:
    description:
      - Directory of a build root, as M(oslab.kernel.build_root) returns it, in which the tree's
        programs run. Must be the build's, for the same reason.
      - Without it they are the builder's own.
    type: path
attributes:
  check_mode:
    description: Computes the configuration and leaves C(.config) alone.
    support: full
  diff_mode:
    description: Shows the symbols that change; without C(.config), against the base.
    support: full
  action:
    description: Has a corresponding action plugin, which makes messages safe to print.
    support: full
requirements: [make, perl, flex, bison, a C compiler]
"""

EXAMPLES = r"""
- name: Configure for the modules that are loaded on the targets
  oslab.kernel.kconfig:
    tree: /var/lib/oslab-kernel/trees/linux-6.8/linux
    base: /var/lib/oslab-kernel/trees/linux-6.8/inputs/base.config
    base_origin: target
    lsmod: [ext4, virtio_blk, virtio_net]
    keep: [nvme, usbhid]
    options:
      DEFAULT_HOSTNAME: lab
      NR_CPUS: 16
    optional:
      SYSTEM_TRUSTED_KEYS: ""
    required:
      TASK_IO_ACCOUNTING: y
"""

RETURN = r"""
kernelrelease:
  description: Release that a kernel of this tree and configuration has.
  returned: when the tree is there
  type: str
  sample: 6.12.117-49-usac1
config_sha256:
  description: Checksum of the configuration.
  returned: when the tree is there
  type: str
counts:
  description: How many symbols are C(y) and C(m).
  returned: when the tree is there
  type: dict
  sample: {"y": 1650, "m": 62}
changed_symbols:
  description: Names of the symbols that differ from the former C(.config), or from the base.
  returned: when the tree is there
  type: list
  elements: str
not_taken:
  description: Symbols of O(optional) and O(fragments) without their value, with the reason.
  returned: when the tree is there
  type: list
  elements: str
base_refused:
  description:
    - Symbols of a target's O(base) that do not have its value, because a target may not set them.
  returned: when the tree is there
  type: list
  elements: str
modules_unknown:
  description: Modules of O(lsmod) and O(keep) that no Makefile of the tree builds.
  returned: when the tree is there
  type: list
  elements: str
modules_disabled:
  description: Modules of O(lsmod) and O(keep) that the tree knows and the configuration has off.
  returned: when the tree is there
  type: list
  elements: str
"""

import os
import platform
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Optional

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._build import environment
from ansible_collections.oslab.kernel.plugins.module_utils._build.identity import InputError
from ansible_collections.oslab.kernel.plugins.module_utils._common import (
    atomic_file,
    kernel_config,
    kernel_makefile,
    plain_text,
    tree_records,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result, module_runner
from ansible_collections.oslab.kernel.plugins.module_utils._kconfig import base as kconfig_base
from ansible_collections.oslab.kernel.plugins.module_utils._kconfig import config, stamp
from ansible_collections.oslab.kernel.plugins.module_utils._kconfig.tree import KconfigTree
from ansible_collections.oslab.kernel.plugins.module_utils._patch import record
from ansible_collections.oslab.kernel.plugins.module_utils._source import workdir

#: Of what Kconfig did not accept, how many sentences fit a screen, and where all of them are.
SHOWN = 12


def base_text(module: AnsibleModule, tree: Path) -> str:
    base = Path(module.params["base"]) if module.params["base"] else tree / ".config"
    if not base.is_file():
        if module.check_mode:
            module.exit_json(changed=True, msg=f"{tree}/.config would be made from {base}")
        module.fail_json(msg=f"the base configuration {base} is not there")
    return base.read_text(encoding="utf-8", errors="replace")


def runner(module: AnsibleModule, where: environment.Environment) -> config.FullRunner:
    """Of programs that read and write the tree."""
    programs = where.runner(module_runner(module, required=False))

    def run(
        argv: Sequence[str],
        cwd: Optional[Path] = None,
        environment: Optional[Mapping[str, str]] = None,
    ) -> Result:
        # Of a make that called us, or of somebody's shell; both would change the result.
        for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS", "KCONFIG_CONFIG", "KCONFIG_ALLCONFIG"):
            os.environ.pop(name, None)
        return programs(argv, cwd, environment)

    return run


def configure(
    module: AnsibleModule,
    tree: Path,
    given: str,
    syscalls: Mapping[str, str],
    where: environment.Environment,
) -> tuple[dict[str, Any], str, list[str]]:
    """The return values, the text of the configuration, and what makes it unusable."""
    params = module.params
    arch = config.architecture(params["make_args"], platform.machine())
    base = given
    refused: dict[str, str] = {}
    if params["base_origin"] == "target":
        try:
            base, refused = kconfig_base.from_target(given)
        except ValueError as error:
            module.fail_json(msg=f"the base configuration {params['base']}: {error}")
    with tempfile.TemporaryDirectory(dir=module.tmpdir) as directory:
        scratch = Path(directory)
        run = runner(module, where.also_writing(scratch))
        try:
            config.check_modules([*params["lsmod"], *params["keep"]])
            known = KconfigTree(tree, arch)
            wanted = config.check_wanted(
                known,
                params["options"],
                params["optional"],
                params["required"],
                syscalls,
                params["options_extra"],
            )
            request = config.Request(
                tree, base, params["lsmod"], params["keep"], params["make_args"]
            )
            configurator = config.Configurator(request, known, run, scratch, arch)
            outcome = configurator.configure(wanted)
            version = configurator.make("-s", "kernelversion").split()[-1]
        except config.KconfigError as error:
            module.fail_json(msg=plain_text.wrapped(str(error)))
        values = kernel_config.parse(outcome.text)
        pahole = config.check_pahole(values, run, scratch)
    local = config.make_variable(params["make_args"], "LOCALVERSION") or ""
    result = {
        "kernelrelease": kernel_makefile.release(
            tree, version, values.get("LOCALVERSION", ""), local
        ),
        "config_sha256": config.sha256(outcome.text),
        "counts": {level: list(values.values()).count(level) for level in ("y", "m")},
        "not_taken": outcome.not_taken,
        "base_refused": config.set_aside(known, refused, values),
        "modules_unknown": outcome.modules_unknown,
        "modules_disabled": outcome.modules_disabled,
    }
    return result, outcome.text, [*outcome.failed, *([pahole] if pahole else [])]


def refusal(failed: Sequence[str], rest: Optional[Path]) -> str:
    """What makes the configuration unusable. What does not fit a screen goes to the file `rest`."""
    lines = ["Kconfig did not accept:", *failed[:SHOWN]]
    if len(failed) > SHOWN:
        more = f"and {len(failed) - SHOWN} more"
        if rest is not None:
            workdir.make(rest.parent)
            atomic_file.write(rest, "\n".join(failed) + "\n", 0o644)
            more += f"; all of them are in {rest} on the builder"
        lines.append(more)
    return "\n".join(lines)


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "tree": {"type": "path", "required": True},
            "base": {"type": "path", "default": ""},
            "base_origin": {"type": "str", "choices": ["user", "target"], "default": "user"},
            "lsmod": {"type": "list", "elements": "str", "default": []},
            "keep": {"type": "list", "elements": "str", "default": []},
            "options": {"type": "dict", "default": {}},
            "options_extra": {"type": "dict", "default": {}},
            "optional": {"type": "dict", "default": {}},
            "fragments": {"type": "list", "elements": "str", "default": []},
            "required": {"type": "dict", "default": {}},
            "make_args": {"type": "list", "elements": "str", "default": []},
            "root": {"type": "path"},
        },
        supports_check_mode=True,
    )
    os.umask(workdir.UMASK)  # make compiles Kconfig's programs in the tree
    params = module.params
    tree = Path(params["tree"]).absolute()
    if not (tree / "Kconfig").is_file():
        if module.check_mode:
            module.exit_json(changed=True, msg=f"{tree}/.config would be made")
        module.fail_json(msg=f"{tree} is not a kernel tree: there is no Kconfig in it")

    root = Path(params["root"]) if params["root"] else None
    try:
        where = environment.read(root, writable=[tree])
    except InputError as error:
        if module.check_mode:
            module.exit_json(changed=True, msg=f"{tree}/.config would be made ({error})")
        module.fail_json(msg=str(error))
    run = runner(module, where)
    try:
        syscalls = {call.kconfig: call.name for call in record.added(tree)}
    except record.RecordError as error:
        module.fail_json(msg=str(error))
    base = base_text(module, tree)
    target = tree / ".config"
    before = target.read_text(encoding="utf-8") if target.is_file() else None

    def output(argv: Sequence[str]) -> str:
        return run(argv, tree, {"LC_ALL": "C"}).out

    if root is None:
        del params["root"]  # a configuration that was made before there was this option counts
    # A base of its own is part of what the result comes from; without one, .config is the base.
    inputs = {
        **params,
        "syscalls": syscalls,
        "base": config.sha256(base) if params["base"] else "",
    }
    # Sets, which come in another order each time when a playbook joins lists.
    inputs.update({name: sorted(set(params[name])) for name in ("lsmod", "keep")})
    mark = stamp.fingerprint(tree, inputs, params["make_args"], output)
    known = stamp.load(tree, mark, config.sha256(before or ""))
    if known is not None:
        module.exit_json(**{**known, "changed": False, "changed_symbols": []})

    result, text, failed = configure(module, tree, base, syscalls, where)
    reference = base if before is None else before
    result["changed"] = before != text
    result["changed_symbols"] = sorted(config.differences(reference, text))
    if failed:
        rest = None if module.check_mode else tree / tree_records.KCONFIG_REFUSED
        module.fail_json(msg=plain_text.wrapped(refusal(failed, rest)), changed=False)
    if not module.check_mode:
        if result["changed"]:
            atomic_file.write(target, text, 0o644)
        stamp.save(tree, mark, result)
    old, new = config.diff_texts(reference, text)
    header = str(target) if before is not None else f"{params['base']} (the base)"
    module.exit_json(
        diff={"before": old, "after": new, "before_header": header, "after_header": str(target)},
        **result,
    )


if __name__ == "__main__":
    main()
