#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: a Debian disk image for QEMU, built once per recipe."""

from __future__ import annotations

DOCUMENTATION = r"""
module: qemu_image
short_description: Build a bootable Debian disk image from packages, once per recipe
description:
  - Installs Debian into a directory with C(mmdebstrap), puts it on an ext4 file system inside a
    disk with an MBR, and starts the disk once, directly by its kernel, so that it installs its own
    GRUB.
  - The directory of the finished image is named after a digest of the recipe and appears by one
    rename. A build that was cut off leaves nothing under that name, and the next run starts it
    again.
  - What Debian's archive holds on a given day is not part of the digest. Raise O(serial) for a
    fresh build.
version_added: 0.1.0
author:
  - oslab.kernel contributors (@oslab)
requirements:
  - mmdebstrap, debian-archive-keyring, e2fsprogs, qemu-system-x86, qemu-utils
  - root, when the image has to be built
attributes:
  check_mode:
    description: Reports that the image would be built, without building it.
    support: full
  diff_mode:
    description: Shows the recipe of an image that is built.
    support: full
options:
  images:
    description: Directory below which images are kept. Created if missing.
    type: path
    required: true
  name:
    description: First part of the image's name.
    type: str
    default: lab
  suite:
    description: Debian suite to install.
    type: str
    default: bookworm
  variant:
    description: The C(mmdebstrap) variant to start from.
    type: str
    default: apt
    choices: [apt, minbase, important]
  packages:
    description:
      - Packages to install besides.
      - One kernel, C(grub-pc) and C(initramfs-tools) must be among them.
    type: list
    elements: str
    required: true
  overlay:
    description: Directory whose files are laid over the new root file system.
    type: path
    required: true
  customize:
    description: Executable, called on this host with the new root directory and O(overlay).
    type: path
    required: true
  finish:
    description:
      - Path inside the image of the script that is init in the first boot.
      - It installs the boot loader, prints C(OSLAB-IMAGE-FINISHED) and powers the machine off.
    type: str
    default: /usr/local/sbin/oslab-image-finish
  size:
    description: Size of the disk, in MiB. It takes only what is written to it.
    type: int
    default: 6144
  serial:
    description: Part of the recipe without a meaning. Another number makes another image.
    type: int
    default: 1
  mirrors:
    description: Mirrors as C(mmdebstrap) takes them. Empty leaves the choice to it.
    type: list
    elements: str
    default: []
  apt_options:
    description: Options for apt during the build, such as a proxy.
    type: list
    elements: str
    default: []
  accel:
    description:
      - Accelerator of the first boot.
      - V(auto) takes KVM if it proves itself by booting a kernel, else TCG.
    type: str
    default: auto
    choices: [auto, kvm, tcg]
  boot_timeout:
    description: Seconds that the first boot may take.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: Build the image of the lab machines
  oslab.kernel.qemu_image:
    images: /var/cache/oslab-kernel/images
    packages: [linux-image-amd64, grub-pc, initramfs-tools, systemd-sysv, openssh-server, python3]
    overlay: "{{ role_path }}/files/rootfs"
    customize: "{{ role_path }}/files/customize"
  become: true
"""

RETURN = r"""
id:
  description: Name of the image, which holds the digest of its recipe.
  type: str
  returned: always
path:
  description:
    - Directory of the image.
    - In it are C(disk.qcow2), C(vmlinuz), C(initrd.img) and C(packages.txt).
  type: str
  returned: always
log:
  description: Log of the build.
  type: str
  returned: always
accel:
  description: Accelerator that the first boot used, and why.
  type: dict
  returned: when the image was built
  contains:
    name: {description: V(kvm) or V(tcg)., type: str, returned: always}
    reason: {description: Why this one., type: str, returned: always}
seconds:
  description: Seconds that the build took.
  type: float
  returned: when the image was built
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._lab import image, qemu


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "images": {"type": "path", "required": True},
            "name": {"type": "str", "default": "lab"},
            "suite": {"type": "str", "default": "bookworm"},
            "variant": {
                "type": "str",
                "default": "apt",
                "choices": ["apt", "minbase", "important"],
            },
            "packages": {"type": "list", "elements": "str", "required": True},
            "overlay": {"type": "path", "required": True},
            "customize": {"type": "path", "required": True},
            "finish": {"type": "str", "default": "/usr/local/sbin/oslab-image-finish"},
            "size": {"type": "int", "default": 6144},
            "serial": {"type": "int", "default": 1},
            "mirrors": {"type": "list", "elements": "str", "default": []},
            "apt_options": {"type": "list", "elements": "str", "default": []},
            "accel": {"type": "str", "default": "auto", "choices": ["auto", "kvm", "tcg"]},
            "boot_timeout": {"type": "int", "default": 300},
        },
        supports_check_mode=True,
    )
    params = module.params
    images = Path(params["images"])
    recipe = image.Recipe(
        name=params["name"],
        suite=params["suite"],
        variant=params["variant"],
        packages=tuple(params["packages"]),
        size_mib=params["size"],
        serial=params["serial"],
        overlay=Path(params["overlay"]),
        customize=Path(params["customize"]),
        finish=params["finish"],
    )
    builder = image.Builder(
        recipe=recipe,
        directory=images,
        mirrors=tuple(params["mirrors"]),
        apt_options=tuple(params["apt_options"]),
        accel=params["accel"],
        verdicts=images.parent / "accel.json",
        boot_seconds=params["boot_timeout"],
    )
    try:
        result = {**builder.result(module.check_mode), "log": str(builder.beside(".log"))}
    except (qemu.QemuError, OSError) as exc:
        module.fail_json(msg=str(exc))
    if builder.used_accel is not None:
        result["accel"] = {"name": builder.used_accel.name, "reason": builder.used_accel.reason}
    module.exit_json(**result)


if __name__ == "__main__":
    main()
