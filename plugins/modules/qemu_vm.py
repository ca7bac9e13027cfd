#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: one QEMU virtual machine."""

from __future__ import annotations

DOCUMENTATION = r"""
module: qemu_vm
short_description: Start, stop or delete a QEMU virtual machine
description:
  - Keeps a virtual machine whose whole state is one directory. Its disk is an overlay on an image
    made by M(oslab.kernel.qemu_image), which stays as it is.
  - The machine runs on after Ansible has ended. Its ssh server is reached at a port of 127.0.0.1;
    C(ssh -F DIRECTORY/ssh_config NAME) logs in as root, with the host key known beforehand.
  - The machine reaches services on this host's loopback address at 10.0.2.2.
  - Values that differ from those of a running machine take effect at its next start, another
    O(image) when the machine is made anew; they are returned as RV(pending).
version_added: 0.1.0
author:
  - oslab.kernel contributors (@oslab)
requirements:
  - qemu-system-x86, qemu-utils, openssh-client
attributes:
  check_mode:
    description: Reports the change of state without making it.
    support: full
  diff_mode:
    description: Shows the state before and after.
    support: full
options:
  name:
    description: Name of the machine, also its host name.
    type: str
    required: true
  directory:
    description: Directory of the machine. Created if missing, removed by O(state=absent).
    type: path
    required: true
  state:
    description:
      - V(started) makes the machine if it does not exist, starts it, and waits for its ssh server.
      - V(stopped) presses its power button, and pulls the plug after O(shutdown_timeout).
      - V(absent) ends it and deletes its directory.
    type: str
    default: started
    choices: [started, stopped, absent]
  image:
    description: Directory of an image, as M(oslab.kernel.qemu_image) returns it.
    type: path
  memory:
    description: Memory in MiB.
    type: int
    default: 2048
  cpus:
    description: Number of virtual CPUs.
    type: int
    default: 2
  accel:
    description:
      - V(auto) takes KVM only if it proves itself by booting the image's kernel within seconds,
        else TCG. The verdict is kept until this host boots again.
    type: str
    default: auto
    choices: [auto, kvm, tcg]
  ssh_port:
    description: Port of 127.0.0.1 that leads to the machine's ssh server. V(0) chooses a free one.
    type: int
    default: 0
  watchdog:
    description: Watchdog device, which resets the machine.
    type: str
    default: none
    choices: [none, i6300esb]
  disk:
    description:
      - What the disk hangs on. The image's kernel and initrd must have the driver, V(virtio_blk),
        V(virtio_scsi), V(vmw_pvscsi) or V(ata_piix).
    type: str
    default: virtio-blk
    choices: [virtio-blk, virtio-scsi, pvscsi, ide]
  network:
    description:
      - The network card. Debian's kernel for clouds has no driver for V(e1000).
    type: str
    default: virtio-net
    choices: [virtio-net, vmxnet3, e1000]
  boot_timeout:
    description: Seconds from the start until the ssh server must answer.
    type: int
    default: 240
  shutdown_timeout:
    description: Seconds that the machine may take to power off.
    type: int
    default: 60
"""

EXAMPLES = r"""
- name: Start a machine
  oslab.kernel.qemu_vm:
    name: lab-vm
    directory: /var/cache/oslab-kernel/vms/lab-vm
    image: "{{ image.path }}"

- name: Delete the VM
  oslab.kernel.qemu_vm:
    name: lab-vm
    directory: /var/cache/oslab-kernel/vms/lab-vm
    state: absent
"""

RETURN = r"""
vm:
  description: The machine.
  type: dict
  returned: always, on failure too
  contains:
    state: {description: "V(started), V(stopped) or V(absent).", type: str, returned: always}
    pid: {description: Process id of QEMU, type: int, returned: when started}
    ssh_port: {description: Port on 127.0.0.1., type: int, returned: when it was ever started}
    ssh_config: {description: Path of its ssh configuration., type: str, returned: always}
    ssh_command: {description: Command that logs in., type: str, returned: always}
    serial_log: {description: Path of the log of its serial line., type: str, returned: always}
    accel: {description: V(kvm) or V(tcg)., type: str, returned: when it was ever started}
    accel_reason: {description: Why this one., type: str, returned: when it was ever started}
    command: {description: QEMU's command line., type: str, returned: when it was ever started}
    hardware: {description: Values of the last start., type: dict, returned: when ever started}
pending:
  description: Wanted values that are not in effect yet.
  type: dict
  returned: when O(state=started)
boot_seconds:
  description: Seconds until the ssh server answered.
  type: float
  returned: when O(state=started)
stopped_by:
  description: V(powerdown) for a clean shutdown, V(quit) or V(kill) when the plug was pulled.
  type: str
  returned: when it was stopped
"""

from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._lab.qemu import QemuError
from ansible_collections.oslab.kernel.plugins.module_utils._lab.vm import (
    DISK_DEVICES,
    NETWORK_DEVICES,
    Machine,
    Spec,
)


def ensure(module: AnsibleModule, machine: Machine, result: dict[str, Any]) -> None:
    """Change the machine to the wanted state."""
    wanted = module.params["state"]
    before = machine.state()
    if wanted == "absent":
        result["changed"] = machine.exists()
    else:
        result["changed"] = before != wanted and (before, wanted) != ("absent", "stopped")
    if result["changed"]:
        result["diff"] = {"before": {"state": before}, "after": {"state": wanted}}
    if module.check_mode:
        return
    if wanted == "absent" and result["changed"]:
        machine.delete()
    elif wanted == "stopped" and before == "started":
        result["stopped_by"] = machine.stop()
        if result["stopped_by"] != "powerdown":
            module.warn(f"{machine.spec.name} did not power off by itself; its plug was pulled")
    elif wanted == "started":
        if before != "started":
            machine.create()
            machine.start()
        result["boot_seconds"] = round(machine.wait(), 1)
        result["pending"] = machine.pending()
        if "image" in result["pending"]:
            module.warn(
                f"{machine.spec.name} is on another image; to have this one, delete it "
                "(state=absent) and start it again"
            )


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "name": {"type": "str", "required": True},
            "directory": {"type": "path", "required": True},
            "state": {
                "type": "str",
                "default": "started",
                "choices": ["started", "stopped", "absent"],
            },
            "image": {"type": "path"},
            "memory": {"type": "int", "default": 2048},
            "cpus": {"type": "int", "default": 2},
            "accel": {"type": "str", "default": "auto", "choices": ["auto", "kvm", "tcg"]},
            "ssh_port": {"type": "int", "default": 0},
            "watchdog": {"type": "str", "default": "none", "choices": ["none", "i6300esb"]},
            "disk": {"type": "str", "default": "virtio-blk", "choices": list(DISK_DEVICES)},
            "network": {"type": "str", "default": "virtio-net", "choices": list(NETWORK_DEVICES)},
            "boot_timeout": {"type": "int", "default": 240},
            "shutdown_timeout": {"type": "int", "default": 60},
        },
        required_if=[("state", "started", ("image",))],
        supports_check_mode=True,
    )
    params = module.params
    machine = Machine(
        Spec(
            name=params["name"],
            # One spelling for one directory: the process is found by it.
            directory=Path(params["directory"]).absolute(),
            image=Path(params["image"]).absolute() if params["image"] else None,
            memory=params["memory"],
            cpus=params["cpus"],
            accel=params["accel"],
            ssh_port=params["ssh_port"],
            watchdog=params["watchdog"],
            disk=params["disk"],
            network=params["network"],
            boot_seconds=params["boot_timeout"],
            shutdown_seconds=params["shutdown_timeout"],
        )
    )
    result: dict[str, Any] = {"changed": False}
    try:
        if module.check_mode:
            ensure(module, machine, result)
        else:
            with machine.locked():
                ensure(module, machine, result)
    except (QemuError, OSError) as exc:
        module.fail_json(msg=str(exc), vm=machine.describe(), **result)
    module.exit_json(vm=machine.describe(), **result)


if __name__ == "__main__":
    main()
