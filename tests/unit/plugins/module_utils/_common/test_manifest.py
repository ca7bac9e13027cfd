# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a kernel's manifest is, and what is read of it."""

from __future__ import annotations

from pathlib import Path

from ansible_collections.oslab.kernel.plugins.module_utils._common import manifest
from ansible_collections.oslab.kernel.plugins.module_utils._verify import syscalls

RELEASE = "6.8.0-49-usac1"


def test_the_self_contained_module_names_the_same_file() -> None:
    assert str(manifest.path(RELEASE)) == syscalls.manifest_path(RELEASE)


def test_it_is_read_from_a_host(tmp_path: Path) -> None:
    assert manifest.read(RELEASE, tmp_path) is None
    place = manifest.path(RELEASE, tmp_path).parent
    place.mkdir(parents=True)
    manifest.write(place, {"release": RELEASE, "banner": "¡Bienvenido!"})
    assert manifest.read(RELEASE, tmp_path) == {"release": RELEASE, "banner": "¡Bienvenido!"}
    assert "¡Bienvenido!" in (place / manifest.NAME).read_text(encoding="utf-8")
    assert list(manifest.find(tmp_path)) == [place / manifest.NAME]
