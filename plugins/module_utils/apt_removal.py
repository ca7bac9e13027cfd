# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which packages can be removed from a host without others that need them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Callable

from ansible_collections.oslab.kernel.plugins.module_utils import apt_simulation, program_output

#: argv → exit status, stdout, stderr
Runner = Callable[[Sequence[str]], "tuple[int, str, str]"]

_SIMULATE = ("apt-get", "--simulate", "--option", "APT::Get::AutomaticRemove=false", "remove")


class AptError(Exception):
    """apt could not say it; the text has its reason."""


def _taken_along(run: Runner, names: Sequence[str], packages: Sequence[str]) -> list[str]:
    code, out, err = run([*_SIMULATE, *names])
    if code != 0:
        raise AptError(
            f"apt cannot simulate the removal of {', '.join(names)}: "
            f"{program_output.told(out, err)}"
        )
    return [name for name in apt_simulation.removed(out) if name not in packages]


def sort_out(run: Runner, packages: Sequence[str]) -> tuple[list[str], dict[str, list[str]]]:
    """Those of `packages` that can be removed together; for each other what would go with it.

    Raises AptError.
    """
    if not packages or not _taken_along(run, packages, packages):
        return [*packages], {}
    removable: list[str] = []
    refused = {}
    for name in packages:
        # With those before it: a package may need any one of several.
        others = _taken_along(run, [*removable, name], packages)
        if others:
            refused[name] = others
        else:
            removable.append(name)
    return removable, refused
