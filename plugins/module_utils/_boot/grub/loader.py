# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GRUB: its entries are in grub.cfg, its choices in its environment block."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Callable, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._boot.fsfreeze import flush
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import booted as grub_booted
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import entry as grub_entry
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import (
    settings as grub_settings,
)
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import trial as grub_trial
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.booted import Booted
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.entry import Entry, GrubError
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.image import image
from ansible_collections.oslab.kernel.plugins.module_utils._boot.kexec import Image
from ansible_collections.oslab.kernel.plugins.module_utils._boot.loader import (
    TRIAL,
    Choice,
    LoaderError,
    Plan,
    Request,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common import atomic_file
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Runner


class Grub:
    """It and its menu, as they are now."""

    name = "grub"

    def __init__(
        self,
        run: Runner,
        config: str,
        environment: str,
        custom: str,
        booted: Optional[Booted] = None,
        settings: str = grub_settings.DEFAULTS,
        place: str = "",
    ) -> None:
        """`place`: why nothing may be written where its files are; '' if it may."""
        self._run = run
        self._config = config
        self._environment = environment
        self._custom = custom
        self._booted = booted or Booted()
        self._settings = Path(settings)
        self._place = place
        try:
            self._state = grub_entry.read_state(run, config, environment, custom)
        except GrubError as error:
            raise GrubError(place or str(error)) from error

    @property
    def honours_default(self) -> bool:
        return self._state.menu.honours_saved and not self._state.menu.overridden[1]

    @property
    def default_problem(self) -> str:
        return grub_entry.overruled(self._state, self._config) or self._settings_problem()

    def _settings_problem(self) -> str:
        found = grub_settings.winner(self._run, self._settings)
        return found.problem if found else ""

    @property
    def trial_problem(self) -> str:
        return (
            self._place
            or grub_entry.unwritable(self._state)
            or grub_entry.unread(self._state, self._config)
        )

    def entry_command(self, release: str) -> str:
        del release  # of all of them at once
        return grub_entry.ENTRY_COMMAND

    def releases(self) -> list[str]:
        running = self._booted_entry(self._booted.release)
        return list(
            dict.fromkeys([*self._state.menu.releases(), *([running.release] if running else [])])
        )

    def release_of(self, entry: str) -> str:
        return self._state.menu.release_of(entry)

    def entry_problem(self, release: str) -> str:
        try:
            chosen = self._default_entry(release)
        except LoaderError as error:
            return str(error)
        asked = [entry for entry in (chosen, self._state.menu.find(release)) if entry]
        return next(filter(None, map(self._state.menu.question, asked)), "")

    def _default_entry(self, release: str) -> Optional[Entry]:
        """The entry of a kernel that becomes the default: that which was booted, if it runs.

        Raises GrubError if that cannot be the default.
        """
        menu, running = self._state.menu, bool(release) and release == self._booted.release
        default = grub_entry.default_of(self._state)
        booted = grub_booted.entry(menu, self._booted, default) if running else None
        return booted or menu.find(release)

    def _booted_entry(self, release: str) -> Optional[Entry]:
        try:
            return self._default_entry(release)
        except LoaderError:
            return None

    def plan(self, request: Request) -> Plan:
        state, kind, release = self._state, request.state, request.release
        predict = request.predict and kind != "present"
        entry = state.menu.find(release) if predict else None
        if kind == "default":
            entry = self._default_entry(release)
        if release and not predict and not entry:
            entry = grub_entry.require_entry(state, self._config, release)
        if self._place and kind in ("once", "default") and not predict:
            raise GrubError(self._place)
        if not predict:
            grub_entry.require_working(
                state, self._config, kind, request.arguments, self._settings_problem
            )
        path = entry.choice if entry else ""
        chosen = TRIAL if kind == "once" and request.arguments else path
        if kind == "restored":
            chosen = grub_entry.restored(state, request.entry)
        changes = (
            {}
            if kind == "present"
            else grub_entry.wanted_variables(
                state, kind, chosen or (f"(the entry of {release})" if release else "")
            )
        )
        text = grub_entry.wanted_custom(state, kind, entry, request.arguments)
        if entry and kind in ("once", "default"):
            grub_entry.require_unattended(state, kind, entry, grub_trial.find(text))
        steps: list[Callable[[], object]] = []
        if text != state.custom:
            steps.append(functools.partial(self._write_custom, text))
        chosen_steps: list[Callable[[], object]] = []
        if changes:
            chosen_steps.append(functools.partial(self._write_variables, changes))
        if changes and kind in ("once", "default") and request.flush:
            # What is chosen, then the choice: after a power cut GRUB sees the old choice or the new
            # one, and finds the kernel of either.
            flushed = functools.partial(flush, Path(self._environment).parent)
            chosen_steps = [flushed, *chosen_steps, flushed]
        # The entry is there before it is chosen, and until another one is.
        steps = [*steps, *chosen_steps] if kind == "once" else [*chosen_steps, *steps]
        after = {**state.environment, **changes}
        return Plan(
            self._choice(state.environment, state.custom),
            self._choice(after, text),
            path,
            "",
            steps,
        )

    @staticmethod
    def _choice(variables: dict[str, str], custom: str) -> Choice:
        return Choice(variables.get("saved_entry", ""), variables.get("next_entry", ""), custom)

    def _write_custom(self, text: str) -> None:
        custom = Path(self._custom)
        if text.strip():
            mode = Path(self._config).stat().st_mode & 0o777 | 0o200
            atomic_file.write(custom, text, mode)
        else:
            atomic_file.remove(custom)

    def _write_variables(self, changes: dict[str, str]) -> None:
        grub_entry.write_variables(self._run, self._state, self._environment, changes)

    def image(self, release: str, arguments: Sequence[str]) -> Image:
        found = grub_entry.require_entry(self._state, self._config, release)
        return image(found.body, arguments)
