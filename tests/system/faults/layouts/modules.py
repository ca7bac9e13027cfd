# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What the kernel needs to read the disks of a layout, and the lab's has not.

It was configured after machines with plain disks. The modules are made in its own tree, of which
the packages were made, with these options switched on: only what they touch is compiled. The tree
stays as it is, as all is written to a layer over it.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

from ansible_collections.oslab.kernel.tests.system.faults.modules import ModulesError

# Mounts end with the namespace. The paths of the tree are in the record of what was compiled.
_SCRIPT = r"""
set -e
tree=$1; place=$2; compiler=$3; shift 3
mount -t overlay overlay -o "lowerdir=$tree,upperdir=$place/upper,workdir=$place/layer" "$tree"
cd "$tree"
sort modules.order >"$place/before"
sort Module.symvers >"$place/symbols-before"
for option; do ./scripts/config --module "$option"; done
# A menu is none.
./scripts/config --enable MD
make -s CC="$compiler" olddefconfig
for option; do
    grep -q "^CONFIG_$option=[my]" .config || { echo "$option was not switched on" >&2; exit 1; }
done
nice -n 15 make -s -j1 CC="$compiler" modules
release="$(cat include/config/kernel.release)"
target="$place/root/lib/modules/$release/updates"
mkdir -p "$target"
sort modules.order | comm -13 "$place/before" - | sed 's/\.o$/.ko/' >"$place/made"
while read -r module; do cp "$module" "$target/"; done <"$place/made"
strip --strip-debug "$target"/*.ko
# What the modules use has to be in the kernel that was published, or in one of them.
awk '$3 == "vmlinux" { print $2 }' "$place/symbols-before" | sort >"$place/there"
nm --undefined-only "$target"/*.ko | awk 'NF == 2 { print $2 }' | sort -u >"$place/used"
awk '$3 != "vmlinux" { print $2 }' Module.symvers | sort >"$place/modules-have"
lacking="$(sort -u "$place/there" "$place/modules-have" | comm -23 "$place/used" -)"
[ -z "$lacking" ] || { echo "the published kernel lacks:" $lacking >&2; exit 1; }
"""


def _compiler(tree: Path) -> str:
    """As the objects of the tree were compiled: with another, all of them would be again."""
    line = (tree / "init/.main.o.cmd").read_text().partition(":=")[2]
    return line.partition(" -")[0].strip()


def build(tree: Path, options: tuple[str, ...], place: Path) -> Path:
    """A tar of the modules, as they lie below the root directory."""
    shutil.rmtree(place, ignore_errors=True)
    for name in ("upper", "layer"):
        (place / name).mkdir(parents=True)
    argv = ["unshare", "--mount", "sh", "-c", _SCRIPT, "sh", str(tree), str(place)]
    done = subprocess.run(
        [*argv, _compiler(tree), *options], capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise ModulesError(f"{', '.join(options)} do not compile:\n{done.stderr[-2000:]}")
    archive = place / "modules.tar"
    subprocess.run(["tar", "-cf", str(archive), "-C", str(place / "root"), "."], check=True)
    return archive
