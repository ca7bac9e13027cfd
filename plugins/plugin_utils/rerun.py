# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a run of ansible-playbook is repeated later, by nobody at a terminal."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Union

#: Variables of the environment that decide what the same command does.
_NAMES = frozenset(
    # Not USER and LOGNAME: to become root, root would need the means of that user.
    ("HOME", "LANG", "LANGUAGE", "PATH", "PYTHONPATH", "TMPDIR", "VIRTUAL_ENV")
)
_BEGINNINGS = ("ANSIBLE_", "LC_", "OSLAB_", "XDG_CONFIG_", "XDG_DATA_")
_PROXIES = ("http_proxy", "https_proxy", "ftp_proxy", "no_proxy", "all_proxy")

#: Option of the command line by the name that Ansible gives to its values.
_REPEATED = {
    "inventory": "--inventory",
    "extra_vars": "--extra-vars",
    "vault_ids": "--vault-id",
    "vault_password_files": "--vault-password-file",
}
#: What is published stays as it is: nothing is looked up or built in a trial boot.
BUILD_TAGS = ("dependencies", "source", "version", "patch", "config", "build", "publish")
# No files at all, as the pipes of a shell; and files of one boot.
_NO_FILES = ("/dev/", "/proc/")
_SHORT_LIVED = ("/tmp/", "/run/", "/var/run/")
_SINGLE = {
    "subset": "--limit",
    "connection": "--connection",
    "become_method": "--become-method",
    "forks": "--forks",
}
_SWITCHES = {"become": "--become", "diff": "--diff", "force_handlers": "--force-handlers"}


def problem(
    program: str,
    options: Mapping[str, Any],
    variables: Mapping[str, str],
    directory: Union[str, Path],
) -> str:
    """Why the run cannot be repeated after a reboot without a person; empty if it can.

    :param program: the path of the running program.
    :param options: its options, as in C(ansible.context.CLIARGS).
    :param variables: its environment.
    :param directory: where it runs.
    """
    if Path(program).name != "ansible-playbook":
        return f"it was started by {Path(program).name or 'another program'}, not ansible-playbook"
    prompts = [
        one
        for one in options.get("vault_ids") or ()
        # ansible.parsing.vault: a label, and where the password is from.
        if str(one).rpartition("@")[2] in ("prompt", "prompt_ask_vault_pass")
    ]
    if options.get("ask_vault_pass") or prompts:
        return "it asks for the password of a vault: name a file, with --vault-password-file"
    files = list(_files(options, variables, directory))
    for what, path in files:
        if path.startswith(_NO_FILES):
            return f"{what} is not a file"
    for what, path in files:
        if os.path.realpath(path).startswith(_SHORT_LIVED):
            return f"{what} ({path}) is in a directory that the next boot may find empty"
    return ""


def _files(
    options: Mapping[str, Any], variables: Mapping[str, str], directory: Union[str, Path]
) -> Iterator[tuple[str, str]]:
    """What the command reads: what it is, and its path."""

    def path(value: object) -> str:
        return str(Path(directory, Path(str(value)).expanduser()))

    yield "its directory", str(directory)
    for book in options.get("args") or ():
        yield "its playbook", path(book)
    for one in options.get("inventory") or ():
        # A list of hosts is no path.
        if "," not in str(one):
            yield "its inventory", path(one)
    for one in options.get("extra_vars") or ():
        if str(one).startswith("@"):
            yield "its file of extra variables", path(str(one)[1:])
    vaults = [str(one).rpartition("@")[2] for one in options.get("vault_ids") or ()]
    vaults += [str(one) for one in options.get("vault_password_files") or ()]
    given = variables.get("ANSIBLE_VAULT_PASSWORD_FILE", "")
    for one in [*vaults, *([given] if given else [])]:
        yield "its vault's password", path(one)


def _words(options: Mapping[str, Any]) -> Iterator[str]:
    for name, option in _REPEATED.items():
        for value in options.get(name) or ():
            yield from (option, str(value))
    tags = [str(tag) for tag in options.get("tags") or ()]
    if tags and tags != ["all"]:
        yield from ("--tags", ",".join(tags))
    skipped = dict.fromkeys([*map(str, options.get("skip_tags") or ()), *BUILD_TAGS])
    yield from ("--skip-tags", ",".join(skipped))
    for name, option in _SINGLE.items():
        if options.get(name):
            yield from (option, str(options[name]))
    for name, option in _SWITCHES.items():
        if options.get(name):
            yield option


def argv(python: str, program: str, options: Mapping[str, Any]) -> list[str]:
    """The command of the same run, without a build. It asks for no password: root repeats it."""
    books = [str(book) for book in options.get("args") or ()]
    return [python, program, *_words(options), *books]


def environment(variables: Mapping[str, str]) -> dict[str, str]:
    """The part of the environment that the command needs."""
    return {
        name: value
        for name, value in sorted(variables.items())
        if name in _NAMES or name.startswith(_BEGINNINGS) or name.lower() in _PROXIES
    }


def script(words: Sequence[str], directory: Union[str, Path], variables: Mapping[str, str]) -> str:
    """Lines of a shell script that runs the command there, with these variables alone."""
    # Root may run it, and has to leave no files of its own among those of a user.
    given = {**variables, "PYTHONDONTWRITEBYTECODE": "1"}
    settings = [f"{name}={value}" for name, value in given.items()]
    run = shlex.join(["/usr/bin/env", "-i", *settings, *words])
    return f"cd {shlex.quote(str(directory))} || exit\nexec {run}\n"
