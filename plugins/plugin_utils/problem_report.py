# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""All that is wrong before a run, in one message that fits a screen."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Collection, Sequence

from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text
from ansible_collections.oslab.kernel.plugins.plugin_utils.variable_types import without_account

#: Sentences that are shown, and how many letters of all of them; the rest is in a file.
SHOWN = 10
LETTERS = 1500
_HOSTS = 3


class Problems:
    """Sentences, each with the hosts of which it is true."""

    def __init__(self) -> None:
        self._hosts: dict[str, list[str]] = {}

    def add(self, sentence: str, host: str = "") -> None:
        plain = without_account(plain_text.escape(" ".join(sentence.split())))
        hosts = self._hosts.setdefault(plain, [])
        if host and host not in hosts:
            hosts.append(host)

    def sentences(self, everybody: Collection[str] = ()) -> list[str]:
        """The hosts are named where it is not true of all."""
        return [
            f"{sentence} [{named(hosts)}]" if hosts and len(hosts) < len(everybody) else sentence
            for sentence, hosts in self._hosts.items()
        ]


def named(hosts: Sequence[str]) -> str:
    more = len(hosts) - _HOSTS
    return ", ".join(hosts[:_HOSTS]) + (f" and {more} more hosts" if more > 0 else "")


def _written(lines: Sequence[str]) -> str:
    """A new file, of the user's alone, in the directory for temporary ones."""
    number, path = tempfile.mkstemp(prefix="oslab-kernel-", suffix=".txt")
    with os.fdopen(number, "w", encoding="utf-8") as stream:
        stream.write("\n".join(lines) + "\n")
    return path


def message(sentences: Sequence[str], notes: Sequence[str] = ()) -> str:
    """What is shown. If it is not all, a file has the rest and is named.

    :param notes: lines below.
    """
    shown: list[str] = []
    for sentence in sentences[:SHOWN]:
        if shown and sum(map(len, shown)) + len(sentence) > LETTERS:
            break
        cut_off = plain_text.cut(sentence, LETTERS)
        shown.append(f"- {plain_text.wrapped(cut_off, plain_text.WIDTH - 2)}")
    count = len(sentences)
    lines = [
        f"Nothing was done. {count} {'thing is' if count == 1 else 'things are'} wrong:",
        *shown,
    ]
    cut = any(len(sentence) > LETTERS for sentence in sentences[: len(shown)])
    if count > len(shown) or cut:
        path = _written([f"- {sentence}" for sentence in sentences])
        lines.append(f"All of it is in {path} on the control node.")
    return "\n".join([*lines, *notes])
