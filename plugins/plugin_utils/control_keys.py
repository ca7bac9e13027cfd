# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Signing keys of the user's: files on the control node, and their way to the builder."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from collections.abc import Iterator
from datetime import datetime, timezone
from pathlib import Path
from typing import Any, Optional

from ansible import constants
from ansible.errors import AnsibleActionFail, AnsibleError
from ansible.plugins.action import ActionBase
from ansible.plugins.loader import lookup_loader
from ansible_collections.oslab.kernel.plugins.module_utils._build import signing_key
from ansible_collections.oslab.kernel.plugins.module_utils._build.signing_key import SigningKey
from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text
from ansible_collections.oslab.kernel.plugins.plugin_utils import control_files

# A file that ansible-vault has encrypted begins with it. Others may read such a file.
VAULT = b"$ANSIBLE_VAULT;"
# A shell reads a line of its standard input and tells its length.
PROBE = 'read -r line && echo "${#line}"'


class Secret(str):
    """A text that does not show itself where arguments are printed, as with ANSIBLE_DEBUG."""

    def __repr__(self) -> str:
        return "'(secret)'"


# --- files -------------------------------------------------------------------------------------


def exposure(path: str, place: str, mode: int, owner: int, user: int) -> Optional[str]:
    """Why a file with a private key is not private, and what to do.

    :param place: the host on which it is, in words.
    :param mode: of the file, as `os.stat` has it.
    :param owner: uid of its owner.
    :param user: uid of who reads it.
    """
    if owner not in (user, 0):
        return (
            f"{path} on {place} holds a private key and belongs to the user with the ID {owner}; "
            f"it has to belong to who reads it (ID {user}) or to root: "
            f"chown {user} {path}"
        )
    permissions = stat.S_IMODE(mode)
    if permissions & 0o077:
        return (
            f"{path} on {place} holds a private key and has the mode {permissions:04o}, with which "
            "others than its owner may read or change it; it has to be 0600: "
            f"chmod 0600 {path}, and make a new key if somebody else may have read this one"
        )
    return None


def _open(path: Path) -> tuple[os.stat_result, bytes]:
    """Status and content of the same file, whatever its name means a moment later."""

    def without_waiting(name: str, flags: int) -> int:
        return os.open(name, flags | os.O_NONBLOCK)  # a pipe would wait for its writer

    with open(path, "rb", opener=without_waiting) as stream:
        status = os.fstat(stream.fileno())
        if not stat.S_ISREG(status.st_mode):
            raise AnsibleError("it is not a file")
        return status, stream.read()


def read(action: ActionBase, path: str, variable: str, task_vars: dict[str, Any]) -> SigningKey:
    """The key of a file, which ansible-vault may have encrypted.

    Refused (AnsibleActionFail) if it is of no use, or if others could read it.
    """
    problem = None
    try:
        found = Path(control_files.find(action, path, task_vars))
        status, content = _open(found)
        if content.startswith(VAULT):
            # The lookup knows vaults in every release of Ansible.
            lookup = lookup_loader.get(
                "ansible.builtin.file", loader=action._loader, templar=action._templar
            )
            (text,) = lookup.run([str(found)], variables=task_vars)
        else:
            text = content.decode("utf-8", errors="replace")
            mode, owner = status.st_mode, status.st_uid
            problem = exposure(str(found), "the control node", mode, owner, os.geteuid())
    except (AnsibleError, OSError) as error:
        raise AnsibleActionFail(
            f"{variable}: cannot read {path} on the control node: {error}"
        ) from None
    if problem:
        raise AnsibleActionFail(f"{variable}: {problem}")
    try:
        return signing_key.parse(str(text), variable, datetime.now(timezone.utc))
    except signing_key.SigningKeyError as error:
        raise AnsibleActionFail(f"{error} (the file is {path})") from None


def check_on_host(
    action: ActionBase, path: str, variable: str, task_vars: dict[str, Any], host: str
) -> None:
    """Refuse (AnsibleActionFail) a private key's file of the host that others could read there."""
    file = action._execute_remote_stat(path, all_vars=task_vars, follow=True, checksum=False)
    if not file["exists"]:
        raise AnsibleActionFail(
            f"{variable} is {path}, and {host} has no such file: bring it there, with mode 0600"
        )
    # It belongs to whom the tasks of this play run as.
    process = action._execute_remote_stat(
        "/proc/self", all_vars=task_vars, follow=True, checksum=False
    )
    problem = exposure(path, host, int(file["mode"], 8), file["uid"], process["uid"])
    if problem:
        raise AnsibleActionFail(f"{variable}: {problem}")


# --- the way to the builder --------------------------------------------------------------------


def refuse_kept_files(variable: str) -> None:
    """Refuse (AnsibleActionFail) to send a key where Ansible keeps all that it sends."""
    if constants.DEFAULT_KEEP_REMOTE_FILES:
        raise AnsibleActionFail(
            f"{variable} names a private key, but keep_remote_files is set "
            "(ANSIBLE_KEEP_REMOTE_FILES or ansible.cfg), with which Ansible leaves what it sends, "
            "so the key, in a file on the builder: unset it"
        )


@contextlib.contextmanager
def only_by_pipe(action: ActionBase, variable: str, host: str) -> Iterator[None]:
    """Have modules reach the host by the connection's standard input alone, as long as this lasts.

    Without pipelining Ansible writes a module with its arguments into a file on the host. Here it
    is switched on, whatever is configured; and tried, with a text that is no secret. Raises
    AnsibleActionFail where that is not possible.
    """
    refuse_kept_files(variable)
    connection = action._connection
    with contextlib.ExitStack() as stack:
        if not action._is_pipelining_enabled("new"):
            with contextlib.suppress(AnsibleError, KeyError):  # not all connections can do it
                before = connection.get_option("pipelining")
                connection.set_option("pipelining", True)
                stack.callback(connection.set_option, "pipelining", before)
        become = f" and become_method {connection.become.name}" if connection.become else ""
        way = f"the connection {connection.transport}{become}"
        if not action._is_pipelining_enabled("new"):
            raise AnsibleActionFail(
                f"{variable} names a private key, but Ansible would have to write it into a file "
                f"on {host}, because {way} cannot do without: reach {host} by ssh or local, and "
                "with become_method sudo"
            )
        problem = _not_piped(action)
        if problem:
            raise AnsibleActionFail(
                f"{variable} names a private key, but {way} does not bring it to {host} by "
                f"standard input ({problem}): log in there as root, or let the user do without a "
                "terminal (in sudoers: Defaults:USER !requiretty; without -tt in ssh's arguments)"
            )
        yield


def _not_piped(action: ActionBase) -> Optional[str]:
    """What keeps a line from getting to a program on the host, and there only."""
    line = f"oslab.kernel {secrets.token_hex(8)}"
    try:
        result = action._low_level_execute_command(PROBE, in_data=f"{line}\n".encode())
    except AnsibleError as error:
        return _end(str(error))
    out, err = str(result["stdout"]), str(result["stderr"])
    if line in out + err:
        return "a terminal repeats what is sent"
    if result["rc"] != 0 or out.split()[-1:] != [str(len(line))]:
        return _end(f"{out} {err}") or f"status {result['rc']}"
    return None


def _end(text: str) -> str:
    """The end of what a host said, in one line, without what a terminal would obey."""
    return plain_text.escape(" ".join(text.split()))[-300:]
