#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: a box for Vagrant's libvirt provider, made once of an image."""

from __future__ import annotations

DOCUMENTATION = r"""
module: vagrant_box
short_description: Make a Vagrant box of a disk image, once per content
description:
  - Boots an image of M(oslab.kernel.qemu_image) once, on an overlay, with a second disk that is a
    tar of files. The image's shell unpacks them and goes on with O(finish), which makes the user
    that Vagrant logs in as. What comes out is packed as a box for the libvirt provider.
  - The box is named after a digest of the image's name and all that is added, and appears by one
    rename. A build that was cut off leaves nothing under that name.
version_added: 0.2.0
author:
  - oslab.kernel contributors (@oslab)
requirements:
  - qemu-system-x86, qemu-utils
attributes:
  check_mode:
    description: Reports that the box would be made, without making it.
    support: full
  diff_mode:
    description: Shows the recipe of a box that is made.
    support: full
options:
  boxes:
    description: Directory below which boxes are kept. Created if missing.
    type: path
    required: true
  name:
    description: First part of the box's name.
    type: str
    default: oslab-kernel
  image:
    description: Directory of the image, as M(oslab.kernel.qemu_image) returns it.
    type: path
    required: true
  overlay:
    description: Directory whose files are laid over the image's root file system.
    type: path
    required: true
  vagrantfile:
    description: File with settings that come with the box.
    type: path
    required: true
  finish:
    description:
      - Path inside the image of a script, from O(overlay), that is init after that.
      - It makes Vagrant's user, prints C(OSLAB-IMAGE-FINISHED) and powers the machine off.
    type: str
    default: /usr/local/sbin/oslab-box-finish
  accel:
    description:
      - Accelerator of the boot.
      - V(auto) takes KVM if it proves itself by booting a kernel, else TCG.
    type: str
    default: auto
    choices: [auto, kvm, tcg]
  boot_timeout:
    description: Seconds that the boot may take.
    type: int
    default: 300
"""

EXAMPLES = r"""
- name: Make a box of the lab's image
  oslab.kernel.vagrant_box:
    boxes: /var/cache/oslab-kernel/boxes
    image: "{{ lab_image.path }}"
    overlay: "{{ role_path }}/files/box"
    vagrantfile: "{{ role_path }}/files/Vagrantfile"
  register: box
"""

RETURN = r"""
id:
  description: Name of the box, which holds the digest of its content.
  type: str
  returned: always
path:
  description: The box.
  type: str
  returned: always
driver:
  description: What works on this host as a C(driver) of Vagrant's libvirt provider.
  type: str
  returned: always
  sample: qemu
driver_reason:
  description: Why this one.
  type: str
  returned: always
seconds:
  description: Seconds that it took.
  type: float
  returned: when not in check mode
"""

from pathlib import Path

from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._lab import qemu, vagrant


def main() -> None:
    """Run the module."""
    module = AnsibleModule(
        argument_spec={
            "boxes": {"type": "path", "required": True},
            "name": {"type": "str", "default": "oslab-kernel"},
            "image": {"type": "path", "required": True},
            "overlay": {"type": "path", "required": True},
            "vagrantfile": {"type": "path", "required": True},
            "finish": {"type": "str", "default": "/usr/local/sbin/oslab-box-finish"},
            "accel": {"type": "str", "default": "auto", "choices": ["auto", "kvm", "tcg"]},
            "boot_timeout": {"type": "int", "default": 300},
        },
        supports_check_mode=True,
    )
    params = module.params
    recipe = vagrant.Recipe(
        name=params["name"],
        image=Path(params["image"]),
        overlay=Path(params["overlay"]),
        vagrantfile=Path(params["vagrantfile"]),
        finish=params["finish"],
    )
    boxes = Path(params["boxes"])
    try:
        accel = vagrant.choose_accel(recipe.image, params["accel"], boxes.parent / "accel.json")
        builder = vagrant.Builder(recipe, boxes, accel, params["boot_timeout"])
        result = builder.result(module.check_mode)
    except (qemu.QemuError, OSError) as exc:
        module.fail_json(msg=str(exc))
    module.exit_json(**result, driver=vagrant.driver(accel), driver_reason=accel.reason)


if __name__ == "__main__":
    main()
