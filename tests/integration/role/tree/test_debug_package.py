# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""build_debug_package alone, from the playbook to the store."""

from __future__ import annotations

import json

TAGS = ("--tags", "source,version,patch,config,build")


def builds(tmp_path):
    """Names of the packages in the store, build by build."""
    found = (tmp_path / "work/store").glob("*/build.json")
    return sorted(sorted(json.loads(path.read_text())["packages"]) for path in found)


def test_one_variable_makes_the_package_of_debug_symbols(playbook, fake_tarball, tmp_path):
    base = "CONFIG_MODULES=y\nCONFIG_NET=y\nCONFIG_DEBUG_INFO_NONE=y\n"
    (tmp_path / "base.config").write_text(base)
    given = {
        "source_provider": "file",
        "source_file": str(fake_tarball),
        "source_version": "6.12",
        "config_base": str(tmp_path / "base.config"),
        "build_modules_source": "",
        "build_tools_source": "",
        "build_min_free_gib": 1,
    }
    run = playbook("build.yml", *TAGS, build_debug_package=True, **given)
    assert run.status == 0, run.output
    image = "linux-image-6.12.0-49-usac1"
    headers = "linux-headers-6.12.0-49-usac1"
    assert builds(tmp_path) == [[headers, image, f"{image}-dbg", "linux-libc-dev"]]

    # Without it there are no symbols and no package of them, and it is another build.
    run = playbook("build.yml", *TAGS, **given)
    assert run.status == 0, run.output
    assert builds(tmp_path) == [
        [headers, image, f"{image}-dbg", "linux-libc-dev"],
        [headers, image, "linux-libc-dev"],
    ]
    config = tmp_path / "work/trees/file-6.12/linux/.config"
    assert "CONFIG_DEBUG_INFO=y" not in config.read_text()
