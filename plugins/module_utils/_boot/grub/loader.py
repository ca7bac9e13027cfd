# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""GRUB: its entries are in grub.cfg, its choices in its environment block.

Where it cannot write that block, it would never forget a one-shot entry. There kexec starts a trial
boot, and the default is pinned: a file of settings names its entry, and grub.cfg is made again.
"""

from __future__ import annotations

import functools
from collections.abc import Sequence
from pathlib import Path
from typing import Callable, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._boot import kexec
from ansible_collections.oslab.kernel.plugins.module_utils._boot.fsfreeze import flush
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import booted as grub_booted
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import config as grub_config
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import entry as grub_entry
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import (
    settings as grub_settings,
)
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub import trial as grub_trial
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.booted import Booted
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.entry import (
    Entry,
    GrubError,
    Menu,
)
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.image import image
from ansible_collections.oslab.kernel.plugins.module_utils._boot.kexec import Image, KexecError
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
        kexec_problem: Callable[[], tuple[str, str]] = kexec.problem,
    ) -> None:
        """`place`: why nothing may be written where its files are; '' if it may. `kexec_problem`
        says why a kernel cannot be started by kexec."""
        self._run = run
        self._config = config
        self._environment = environment
        self._custom = custom
        self._booted = booted or Booted()
        self._settings = Path(settings)
        self._place = place
        self._kexec_problem = kexec_problem
        try:
            self._state = grub_entry.read_state(run, config, environment, custom)
            self._own = grub_settings.present(self._settings)
        except GrubError as error:
            raise GrubError(place or str(error)) from error
        except OSError as error:
            raise GrubError(f"{error.filename}: {error.strerror}; see what is there.") from error

    @property
    def _pins(self) -> bool:
        """Whether its default is pinned."""
        return bool(self._state.read_only)

    @property
    def _pin(self) -> str:
        """The entry that is pinned; '' for none."""
        return grub_settings.pinned(self._own) if self._pins else ""

    @property
    def honours_default(self) -> bool:
        menu = self._state.menu
        if menu.overridden[1]:
            return False
        if not self._pins:
            return menu.honours_saved
        # GRUB would boot a one-shot entry, whoever has chosen it, again and again.
        once = self._state.environment.get("next_entry")
        return bool(self._pin) and menu.default == self._pin and not once

    @property
    def default_problem(self) -> str:
        return grub_entry.overruled(self._state.menu, self._config) or self._settings_problem()

    def _settings_problem(self, entry: str = "") -> str:
        pin = entry or self._pin or "the entry of the fallback kernel"
        wanted = pin if self._pins else grub_settings.SAVED
        found = grub_settings.winner(self._run, self._settings, wanted)
        return found.problem if found else ""

    @property
    def trial_problem(self) -> str:
        if self._place or not self._pins:
            return self._place or grub_entry.unread(self._state, self._config)
        why, remedy = self._kexec_problem()
        told = f"{why}. {remedy}" if why else self._image_problem()
        if not told:
            return ""
        return (
            f"{self.needs_kexec}. So kexec has to start the trial boot, and {told}. "
            f"{grub_entry.another_way()}"
        )

    def _image_problem(self) -> str:
        """Why kexec could not start a kernel of this menu, and what to do.

        Its entries are of one form.
        """
        try:
            for release in self._state.menu.releases()[:1]:
                self.image(release, ())
        except KexecError as error:
            return str(error)
        return ""

    @property
    def needs_kexec(self) -> str:
        return grub_entry.unwritable(self._state)

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
            grub_entry.require_working(state, self._config, kind, request.arguments)
        path = entry.choice if entry else ""
        chosen = TRIAL if kind == "once" and request.arguments else path
        if kind == "restored":
            chosen = grub_entry.restored(state, request.entry)
        named = chosen or (f"(the entry of {release})" if release else "")
        changes = {} if kind == "present" else grub_entry.wanted_variables(state, kind, named)
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
        after = {**state.environment, **changes}
        settings = self._own
        if kind == "default":
            settings = self._wanted_settings(named)
            if self._is_unsettled(named, settings):
                made = functools.partial(self._make, settings, named, request.flush, after)
                self._require_settings(named, request)
                # A menu that looks at the choice comes after the choice.
                chosen_steps.append(made)
        # The entry is there before it is chosen, and until another one is.
        steps = [*steps, *chosen_steps] if kind == "once" else [*chosen_steps, *steps]
        return Plan(
            self._choice(state.environment, state.custom, self._own),
            self._choice(after, text, "" if kind == "restored" else settings),
            path,
            "",
            steps,
        )

    def _choice(self, variables: dict[str, str], custom: str, settings: Optional[str]) -> Choice:
        pin = grub_settings.pinned(settings) if self._pins else ""
        default = pin or variables.get("saved_entry", "")
        return Choice(default, variables.get("next_entry", ""), custom, settings or "")

    # What decides the default ---------------------------------------------------------------------

    def _wanted_settings(self, entry: str) -> str:
        """What our file of settings has to have, so that this entry is the default."""
        try:
            return grub_settings.text(entry if self._pins else "")
        except ValueError as error:
            raise GrubError(
                f"The entry '{entry}' cannot be named in {grub_settings.own(self._settings)}. Give "
                "it an option --id of letters, digits and dashes, and run update-grub."
            ) from error

    def _looks(self, menu: Menu, entry: str) -> bool:
        """Whether the header of a menu takes it for the default, or looks where that is chosen."""
        return menu.default == entry if self._pins else menu.honours_saved

    def _is_unsettled(self, entry: str, settings: str) -> bool:
        return self._own != settings or not self._looks(self._state.menu, entry)

    def _require_settings(self, entry: str, request: Request) -> None:
        problem = "" if request.predict else self._settings_problem(entry)
        if problem:
            raise GrubError(problem)

    def _make(self, text: str, entry: str, flushes: bool, environment: dict[str, str]) -> None:
        """Make grub.cfg of all settings, then write ours; if that fails, both are as before.

        In this order: a grub.cfg that somebody makes after a power cut has the default of before.
        """

        def flush_all() -> None:
            if flushes:
                flush(Path(self._environment).parent)

        check = functools.partial(self._menu_problem, entry, environment)
        own = grub_settings.own(self._settings)
        own.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        atomic_file.write(own, grub_settings.changing(self._own), 0o644)
        chosen = grub_settings.chosen(grub_settings.pinned(text))
        settle = functools.partial(atomic_file.write, own, text, 0o644)
        try:
            config = Path(self._config)
            grub_config.make(self._run, config, check, flush_all, chosen, settle=settle)
        except BaseException:
            if self._own is None:
                atomic_file.remove(own)
            else:
                atomic_file.write(own, self._own, 0o644)
            raise

    def _menu_problem(self, entry: str, environment: dict[str, str], made: str) -> str:
        """Why what was made may not become grub.cfg; '' if GRUB boots the entry by default then."""
        known = {grub_entry.CUSTOM: self._state.custom} if self._custom else {}
        menu = grub_entry.read_menu(made, self._config, known, environment)
        found = menu.resolve(entry)
        overruled = grub_entry.overruled(menu, self._config)
        if found and self._looks(menu, entry) and not overruled:
            return menu.question(found)
        return overruled or (
            f"{grub_config.PROGRAM} makes a menu that does not boot '{entry}' by default: it sets "
            f"default to '{menu.default}', {'with' if found else 'without'} that entry in it. "
            f"{self._config} is as it was. See which program in /etc/grub.d does that."
        )

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
