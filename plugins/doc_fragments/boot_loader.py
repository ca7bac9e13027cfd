# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of modules that look at the host's boot loader."""

from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  loader:
    description:
      - The boot loader. V(auto) is V(systemd-boot) where that has started the kernel that runs, as
        C(LoaderInfo) says, and V(grub) everywhere else.
      - Name it where several kernels are booted one after the other, of which one may be unable to
        read the firmware's variables.
    type: str
    choices: [auto, grub, systemd-boot]
    default: auto
  config:
    description: GRUB's configuration.
    type: path
    default: /boot/grub/grub.cfg
  environment:
    description: GRUB's environment block.
    type: path
    default: /boot/grub/grubenv
  custom:
    description:
      - Where C(41_custom) lets O(config) look for entries. What others have put there stays.
    type: path
    default: /boot/grub/custom.cfg
  settings:
    description:
      - The settings of C(grub-mkconfig), which also reads the files in the directory of this name
        with C(.d) behind it.
    type: path
    default: /etc/default/grub
  boot:
    description:
      - Where the partition with systemd-boot's entries is mounted. By default C(bootctl) is asked
        for it.
    type: path
  variables:
    description: Where the firmware's variables are mounted.
    type: path
    default: /sys/firmware/efi/efivars
"""
