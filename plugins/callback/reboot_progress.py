# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A line for each host at the bottom of the terminal, while hosts reboot."""

from __future__ import annotations

import atexit
import os
import shutil
import signal
import threading
from typing import Any, Optional

from ansible import constants
from ansible.plugins.callback import CallbackBase
from ansible_collections.oslab.kernel.plugins.plugin_utils import reboot_states
from ansible_collections.oslab.kernel.plugins.plugin_utils.screen_bottom import (
    ScreenBottom,
    usable,
)

DOCUMENTATION = r"""
name: reboot_progress
type: aggregate
short_description: Show the state of each host that reboots
version_added: 0.3.0
description:
  - While the action M(oslab.kernel.throttled_reboot) reboots hosts, the last lines of the
    terminal show each host with its state, the time since its reboot began and its wave. A third of
    the lines is used; the hosts that do not fit are counted in the last one.
  - Without a terminal, and under C(ansible-runner), which AWX and C(ansible-navigator) use, this
    does nothing. The action prints a line for each change of state there, as it does without this
    plugin.
requirements:
  - C(oslab.kernel.reboot_progress) in C(callbacks_enabled).
author:
  - oslab.kernel contributors (@oslab)
"""

ACTION = "oslab.kernel.throttled_reboot"
#: Between two looks at the states.
SECONDS = 1.0
_STDOUT = 1


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "oslab.kernel.reboot_progress"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._play, self._wave = "", 0
        self._place = reboot_states.directory(str(constants.DEFAULT_LOCAL_TMP))
        self._drawer: Optional[threading.Thread] = None
        self._ended = threading.Event()
        self._process = os.getpid()
        self._signal_before: Any = signal.SIG_DFL
        if not usable(_STDOUT, os.environ):
            self.disabled = True
            return
        # Whatever ends the run: the text has to scroll over the whole terminal again.
        atexit.register(self._stop)

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """Called once for each batch of `serial`."""
        self._stop()
        name = str(play.get_name())
        self._wave = self._wave + 1 if name == self._play else 1
        self._play = name

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        del is_conditional
        if task.action == ACTION and not task.check_mode:
            self._start()
        elif self._drawer and not self._rebooting():
            self._stop()

    def v2_playbook_on_stats(self, stats: Any) -> None:
        del stats
        self._stop()

    def _rebooting(self) -> bool:
        """With another strategy than `linear` the hosts of a play are at different tasks."""
        return any(
            state.state not in reboot_states.ENDED for state in reboot_states.read(self._place)
        )

    def _start(self) -> None:
        if self._drawer:
            return
        self._place.mkdir(mode=0o700, exist_ok=True)
        self._ended.clear()
        # It has no lock that a worker could inherit: it reads files, and writes by os.write.
        self._drawer = threading.Thread(target=self._draw, daemon=True)
        self._drawer.start()
        # SIGTERM ends a program without what `atexit` has.
        before = signal.signal(signal.SIGTERM, self._terminate)
        self._signal_before = signal.SIG_DFL if before is None else before

    def _terminate(self, number: int, frame: Any) -> None:
        del frame
        if os.getpid() == self._process:  # a worker has no terminal to clean
            self._stop()
        signal.signal(number, self._signal_before)
        signal.raise_signal(number)

    def _stop(self) -> None:
        if not self._drawer:
            return
        self._ended.set()
        self._drawer.join()
        self._drawer = None
        signal.signal(signal.SIGTERM, self._signal_before)
        shutil.rmtree(self._place, ignore_errors=True)

    def _draw(self) -> None:
        bottom = ScreenBottom(_STDOUT)
        try:
            while not self._ended.wait(SECONDS):
                states, height = reboot_states.read(self._place), bottom.height()
                if states and height > 1:
                    bottom.draw(reboot_states.lines(states, self._wave, height, bottom.width()))
        except OSError:  # the terminal is gone, and the run has to go on
            return
        finally:
            bottom.close()
