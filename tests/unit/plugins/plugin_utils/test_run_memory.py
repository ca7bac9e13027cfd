# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import threading
import time
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils.run_memory import once


class Builder:
    def __init__(self) -> None:
        self.asked = 0

    def answer(self) -> dict[str, Any]:
        self.asked += 1
        time.sleep(0.1)
        return {"number": self.asked}


def test_a_question_is_asked_once(tmp_path: Path) -> None:
    builder = Builder()
    first = once(tmp_path, ["host", "store", "id"], builder.answer)
    assert once(tmp_path, ["host", "store", "id"], builder.answer) == first
    assert first[1] == {"number": 1}
    assert once(tmp_path, ["host", "store", "other id"], builder.answer)[1] == {"number": 2}


def test_those_who_come_meanwhile_wait_for_the_answer(tmp_path: Path) -> None:
    builder, seen = Builder(), []
    threads = [
        threading.Thread(target=lambda: seen.append(once(tmp_path, ["id"], builder.answer)[1]))
        for _number in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [{"number": 1}] * 8


def test_what_could_not_be_asked_is_asked_again(tmp_path: Path) -> None:
    def broken() -> dict[str, Any]:
        raise OSError("no answer")

    with pytest.raises(OSError, match="no answer"):
        once(tmp_path, ["id"], broken)
    assert once(tmp_path, ["id"], Builder().answer)[1] == {"number": 1}


def test_what_only_the_asker_can_use_is_not_kept(tmp_path: Path) -> None:
    # ansible-core's summaries of errors and warnings are no JSON.
    answer = {"failed": True, "msg": "no", "exception": object(), "warnings": [object()]}
    assert once(tmp_path, ["id"], lambda: answer)[1] == answer
    assert once(tmp_path, ["id"], lambda: answer)[1] == {"failed": True, "msg": "no"}
