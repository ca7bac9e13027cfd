# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What distributions and products do differently, as tables: a new quirk is often one word here."""

from __future__ import annotations

#: Files of /etc/default/grub.d in use that set GRUB_DEFAULT after ours, and how each is overridden.
#: settings.py has the remedy for other files.
REMEDIES = {
    "xen.cfg": "set XEN_OVERRIDE_GRUB_DEFAULT=0 there",
    "proxmox-kpin.cfg": "run `proxmox-boot-tool kernel unpin`",
}

#: Commands that only look at `superusers`, or say who may answer. Any other one that names the
#: variable is taken for one that sets it.
HARMLESS = ("[", "[[", "test", "echo", "password", "password_pbkdf2", "save_env", "menuentry")

#: Commands that give variables values which are not known here.
GIVES = ("for", "read", "search", "probe", "regexp", "load_env", "smbios", "cmosread")

#: Commands that run a text that is not here, or another menu.
UNKNOWN = (
    "eval",
    "configfile",
    "normal",
    "legacy_source",
    "legacy_configfile",
    "extract_entries_source",
    "extract_entries_configfile",
    "extract_legacy_entries_source",
    "extract_legacy_entries_configfile",
    "extract_syslinux_entries_source",
    "extract_syslinux_entries_configfile",
    "syslinux_source",
    "syslinux_configfile",
)
