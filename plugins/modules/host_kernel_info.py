#!/usr/bin/python
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Ansible module: what kernel a host runs, and what a kernel for it must have."""

from __future__ import annotations

DOCUMENTATION = r"""
---
module: host_kernel_info
short_description: What kernel a host runs and what a kernel for it must have
description:
  - Reads C(/proc), C(/sys), C(/boot) and C(/lib/modules); changes nothing.
  - Works whatever the system name is that the running kernel reports.
extends_documentation_fragment: [oslab.kernel.attributes.info_module]
version_added: "0.1.0"
author: oslab.kernel contributors (@oslab)
options:
  packages:
    description: Names of the packages whose installed versions are wanted.
    type: list
    elements: str
    default: []
  files:
    description: Small files whose checksums are wanted.
    type: list
    elements: path
    default: []
  default_kernel:
    description: Release of which RV(boots_default_kernel) says whether it boots by default.
    type: str
    default: ""
  kernel_log:
    description: Whether to read the kernel's log of this boot.
    type: bool
    default: false
    version_added: "0.3.0"
  health:
    description: >-
      Whether to describe what works on the host, so that a trial boot can be compared with it.
    type: bool
    default: false
    version_added: "0.3.0"
  modules:
    description: Kernel modules of which RV(modules_as_wanted) says whether they are so.
    type: dict
    version_added: "0.3.0"
    suboptions:
      list:
        description: As the option C(modules) of M(oslab.kernel.kernel_modules).
        type: list
        elements: dict
        required: true
      persistent:
        description: As the option C(persistent) of M(oslab.kernel.kernel_modules).
        type: bool
attributes:
  action:
    description: Has a corresponding action plugin, which checks the form of the answer.
    support: full
"""

EXAMPLES = r"""
- name: Gather host facts of the kernel
  oslab.kernel.host_kernel_info:
  register: kernel_target_info

- name: Stop where the kernel is not ours
  ansible.builtin.assert:
    that: kernel_target_info.oslab is not none
"""

RETURN = r"""
release:
  description: Release of the running kernel, as C(uname -r) prints it.
  returned: always
  type: str
  sample: 6.12.117-49-usac1
sysname:
  description: System name of the running kernel, as C(uname -s) prints it.
  returned: always
  type: str
  sample: Linux
boot_id:
  description: Identifies this boot; another one after each start of the machine.
  returned: always
  type: str
machine:
  description: Hardware name, as C(uname -m) prints it.
  returned: always
  type: str
  sample: x86_64
os_name:
  description: C(PRETTY_NAME) of C(/etc/os-release); empty if it has none.
  returned: always
  type: str
  sample: Debian GNU/Linux 12 (bookworm)
os_id:
  description: C(ID) of C(/etc/os-release); empty if it has none.
  returned: always
  type: str
  sample: debian
os_version_id:
  description: C(VERSION_ID) of C(/etc/os-release); empty if it has none.
  returned: always
  type: str
  sample: "12"
dpkg_architecture:
  description: Architecture of the packages; V(null) without dpkg.
  returned: always
  type: str
  sample: amd64
boot_config:
  description: >-
    Path of the running kernel's configuration in C(/boot); V(null) if it is not there, is no file
    or has more than 16 MiB.
  returned: always
  type: str
boot_config_sha256:
  description: Checksum of that file; V(null) if it is not there.
  returned: always
  type: str
modules:
  description: Sorted names of the loaded modules, C(-) written as C(_).
  returned: always
  type: list
  elements: str
essential_modules:
  description:
    - Sorted names of the modules that disks, mounted filesystems, network, USB and keyboard of this
      host need or could be driven by, with those that these depend on.
    - It does not matter whether they are loaded, or built into the running kernel.
  returned: always
  type: list
  elements: str
oslab:
  description: C(oslab-kernel.json) of the running kernel; V(null) if it is not one of ours.
  returned: always
  type: dict
packages:
  description: Versions of those of O(packages) that are installed, by name.
  returned: always
  type: dict
packages_unfinished:
  description:
    - Packages whose installation was cut short, of all that dpkg knows. Looked at with O(packages).
  returned: always
  type: list
  elements: str
oslab_packages:
  description: >-
    Versions of the packages that this collection has built, by name. Looked at with O(packages).
  returned: always
  type: dict
oslab_releases:
  description: Kernels of this collection that the host has, the one that was installed last first.
  returned: always
  type: list
  elements: str
packages_held:
  description: Packages that are not to be changed. Looked at with O(packages).
  returned: always
  type: list
  elements: str
install_record:
  description: >-
    What the role C(oslab.kernel.install) recorded when it installed a kernel; V(null) if it
    did not. C(failures) has the builds whose trial boot failed on the host; the action plugin adds
    one that nothing could record, because the host hung.
  returned: always
  type: dict
  sample: {"image": "linux-image-6.12=1", "boot_id": "…", "fallback": "6.1.0-38-amd64"}
root_filesystem:
  description: Type of the root file system, as the kernel calls it.
  returned: always
  type: str
  sample: ext4
root_device:
  description: What the root file system is mounted from.
  returned: always
  type: str
  sample: /dev/vda1
efi:
  description: Whether EFI firmware has started the machine; V(false) for a BIOS.
  returned: always
  type: bool
secure_boot:
  description: Whether the firmware enforces Secure Boot; V(null) if it does not tell.
  returned: always
  type: bool
trusted_certificates:
  description: >-
    C(sha256) and C(subject) of the certificates by which the firmware trusts what it starts, from
    its own list (db) and the owner's (MOK); V(null) if neither can be read.
  returned: always
  type: list
  elements: dict
free_kib:
  description: >-
    Free space in KiB in C(/boot), C(/) and RV(loader_directory), as a user without privileges sees
    it.
  returned: always
  type: dict
  sample: {"/boot": 409600, "/": 2097152}
boot_separate:
  description: Whether C(/boot) is a filesystem of its own.
  returned: always
  type: bool
boot_kernel_kib:
  description: >-
    What a kernel takes in C(/boot), in KiB: the largest of each kind of the files that are there.
  returned: always
  type: int
  sample: 33000
initrd_program:
  description: >-
    What makes an initrd for a new kernel, V(update-initramfs) or V(dracut); V(null) without.
  returned: always
  type: str
loader_kernel_kib:
  description: >-
    What a kernel takes besides in RV(loader_directory), in KiB; V(0) where the loader reads
    C(/boot).
  returned: always
  type: int
  sample: 28000
loader_directory:
  description: >-
    Where the boot loader has its own copies of kernels, as the ESP with systemd-boot; V(null) if it
    has none, or that is not mounted.
  returned: always
  type: str
  sample: /boot/efi
boot_loader:
  description: >-
    What loaded the kernel, V(grub) or V(systemd-boot). It is V(grub) where nobody tells, by the
    Boot Loader Interface.
  returned: always
  type: str
  sample: grub
xen_dom0:
  description: Whether the kernel that runs is that of a Xen host, which the hypervisor starts.
  returned: always
  type: bool
kexec_reboots:
  description: >-
    Whether kexec-tools turns each reboot into the start of a kernel that the boot loader was not
    asked for (C(LOAD_KEXEC) in C(/etc/default/kexec)).
  returned: always
  type: bool
reboot_required:
  description: >-
    Packages that ask for a reboot of the host, in C(/run/reboot-required.pkgs); V(null) if no
    reboot is asked for.
  returned: always
  type: list
  elements: str
dkms_modules:
  description: >-
    Modules that are registered with DKMS, as V(NAME/VERSION), with the kernels that each is built
    for.
  returned: always
  type: dict
  sample: {"zfs/2.1.11": ["6.1.0-38-amd64"]}
dkms_automatic:
  description: >-
    Those of them that DKMS builds for each new kernel by itself: with C(AUTOINSTALL), and not for
    some kernels only. None where C(/etc/dkms/no-autoinstall) is.
  returned: always
  type: list
  elements: str
  sample: [zfs/2.1.11]
answered:
  description: When the host answered, in seconds since 1970, by the clock of the control node.
  returned: always, added on the control node
  type: int
time:
  description: The host's clock, in seconds since 1970.
  returned: always
  type: int
uptime:
  description: Seconds since the host booted; 0 if it does not report them.
  returned: always
  type: int
trial:
  description: >-
    Release of the kernel that this very boot tries, as the role C(oslab.kernel.install) had it
    started; V(null) in any other boot.
  returned: always
  type: str
trial_confirmed:
  description: Whether the kernel of this boot was confirmed during it.
  returned: always
  type: bool
trial_report:
  description: >-
    The report of the rollback timer that ended a trial boot; V(null) if it did not.
  returned: always
  type: str
systemd:
  description: Whether systemd runs the host.
  returned: always
  type: bool
systemd_version:
  description: Its version; V(0) where another program runs the host.
  returned: always
  type: int
  sample: 252
watchdogs:
  description: Watchdog devices, as their drivers call them.
  returned: always
  type: list
  elements: str
  sample: [i6300ESB timer]
files:
  description: Path to sha256 of each of O(files); V(null) if it is not there.
  returned: always
  type: dict
boots_default_kernel:
  description: >-
    Whether the boot loader starts O(default_kernel) by default, unattended; V(null) without one.
  returned: always
  type: bool
modules_as_wanted:
  description: >-
    Whether M(oslab.kernel.kernel_modules) would change nothing for O(modules); V(null) without it.
  returned: always
  type: bool
kernel_log:
  description:
    - What the kernel has complained of since the boot, by C(/dev/kmsg) and, where its ring buffer
      has lost the beginning, the journal; V(null) without O(kernel_log=true).
    - C(complaints) are groups with C(kind), C(name), C(count), C(seconds) after the boot and the
      first C(lines). The most severe ones are reported; C(dropped) is the number of the others.
    - C(complete) says whether the log begins with the boot and lacks nothing, C(problem) why it
      could not be read, and C(tainted) is the number in C(/proc/sys/kernel/tainted).
  returned: always
  type: dict
health:
  description:
    - What works on the host, as one line of JSON for C(/var/lib/oslab-kernel/health.json), with
      which M(oslab.kernel.syscall_info) compares the trial boot. It has the C(release), the
      C(boot_id), the C(time) in seconds since 1970 and, by kind, the names of devices, mounts,
      routes, units, sockets and their like.
    - It has less than 256 KiB. C(left_out) are kinds for which there was no room.
    - V(null) without O(health=true).
  returned: always
  type: str
container:
  description: Whether the host is a container, which cannot boot a kernel of its own.
  returned: always
  type: bool
"""


from ansible.module_utils.basic import AnsibleModule
from ansible_collections.oslab.kernel.plugins.module_utils._boot import loaders
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import module_runner
from ansible_collections.oslab.kernel.plugins.module_utils._host import modules_wanted
from ansible_collections.oslab.kernel.plugins.module_utils._host.facts import Host, gather
from ansible_collections.oslab.kernel.plugins.module_utils._verify import health, kernel_log


def main() -> None:
    module = AnsibleModule(
        argument_spec={
            "packages": {"type": "list", "elements": "str", "default": []},
            "files": {"type": "list", "elements": "path", "default": []},
            "default_kernel": {"type": "str", "default": ""},
            "kernel_log": {"type": "bool", "default": False},
            "health": {"type": "bool", "default": False},
            "modules": {
                "type": "dict",
                "options": {
                    "list": {"type": "list", "elements": "dict", "required": True},
                    "persistent": {"type": "bool"},
                },
            },
        },
        supports_check_mode=True,
    )
    params = module.params
    run = module_runner(module, required=False)
    host = Host(run=run)
    facts, warnings = gather(host, params["packages"], params["files"])
    for warning in warnings:
        module.warn(warning)
    wanted = params["default_kernel"]
    boots = loaders.starts_by_default(wanted, run) if wanted else None
    asked = params["modules"]
    modules = modules_wanted.as_wanted(asked["list"], asked["persistent"]) if asked else None
    log = kernel_log.gather() if params["kernel_log"] else None
    record = health.encoded(health.described()) if params["health"] else None
    module.exit_json(
        changed=False,
        boots_default_kernel=boots,
        modules_as_wanted=modules,
        kernel_log=log,
        health=record,
        **facts,
    )


if __name__ == "__main__":
    main()
