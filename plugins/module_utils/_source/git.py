# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Run git: with no settings of a user or a host, no hook, no prompt, and a limit of time.

A repository on the builder in which somebody works is only read, through `git upload-pack`. It
runs as the owner of that repository, whose settings and hooks then have no rights but his.
"""

from __future__ import annotations

import os
import signal
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common.plain_text import shown
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    LOCALE,
    output_summary,
)
from ansible_collections.oslab.kernel.plugins.module_utils._source.git_names import Address

MOST = 1 << 20  # bytes of an answer; a tag or a commit has some KiB
END = 10  # seconds to end in
# So many times as long a server may be silent that makes a pack of 80 000 files.
SILENCE = 10
# The tree of a commit as it is: an attribute in it could leave files out, put the name of a tag or
# a date into others, and run programs.
ATTRIBUTES = "* -export-ignore -export-subst -filter -ident -text -eol -working-tree-encoding\n"
TOP = "linux"  # directory in an archive

# In a file, not by `-c`: what git starts for a repository on the same machine gets it as well.
# `gc` and `maintenance` would go on in the background.
_SETTINGS = """\
[core]
	hooksPath = /dev/null
	attributesFile = /dev/null
	excludesFile = /dev/null
	fsmonitor = false
[credential]
	helper =
[fetch]
	recurseSubmodules = false
	writeCommitGraph = false
[gc]
	auto = 0
[http]
	lowSpeedLimit = 1
	lowSpeedTime = {silence}
[maintenance]
	auto = false
[protocol]
	version = 2
[safe]
	directory = *
[submodule]
	recurse = false
[tar]
	umask = 0022
"""
_KEPT = ("PATH", "SSL_CERT_FILE", "SSL_CERT_DIR", "TMPDIR",
         "http_proxy", "https_proxy", "all_proxy", "no_proxy",
         "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY")  # fmt: skip


class GitError(Exception):
    """git failed, or took too long; the message says what to do."""


@dataclass(frozen=True)
class Answer:
    status: int
    out: bytes
    err: str

    @property
    def text(self) -> str:
        return self.out.decode("utf-8", "replace")

    @property
    def reason(self) -> str:
        """Why it failed, for a message."""
        return shown(output_summary("", self.err, lines=3), 300)


def environment(home: Path, protocol: str, inherited: Mapping[str, str]) -> dict[str, str]:
    """The whole environment of git. `protocol`: the only one that it may use."""
    kept = {name: inherited[name] for name in _KEPT if name in inherited}
    return {
        **kept,
        **LOCALE,
        "HOME": str(home),
        "XDG_CONFIG_HOME": str(home),
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_CONFIG_GLOBAL": str(home / "config"),
        "GIT_ATTR_NOSYSTEM": "1",
        "GIT_CEILING_DIRECTORIES": str(home.parent),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_ASKPASS": "/bin/false",
        "SSH_ASKPASS": "/bin/false",
        # It overrules protocol.file.allow and the like.
        "GIT_ALLOW_PROTOCOL": protocol,
        "GIT_LFS_SKIP_SMUDGE": "1",
        "GIT_NO_LAZY_FETCH": "1",
        "GIT_NO_REPLACE_OBJECTS": "1",
        "GIT_OPTIONAL_LOCKS": "0",
    }


def as_owner(path: Path, uid: int) -> list[str]:
    """The words before a command that reads somebody's repository; none for our own and root's.

    Raises GitError if it is another user's and we cannot become that user.
    """
    try:
        inside = path / ".git"
        found = (inside if inside.exists() else path).stat()
    except OSError as error:
        raise GitError(
            f"source_git_url {shown(str(path))}: it cannot be read: {error.strerror}"
        ) from error
    if found.st_uid in (uid, 0):
        return []
    if uid != 0:
        raise GitError(
            f"source_git_url {shown(str(path))} belongs to another user (uid {found.st_uid}): run "
            "the role as that user or as root (become), which reads it as that user"
        )
    return ["setpriv", f"--reuid={found.st_uid}", f"--regid={found.st_gid}", "--clear-groups"]


class Git:
    """git with a home of its own."""

    def __init__(self, program: str, home: Path, protocol: str) -> None:
        self._program, self._home = program, home
        self._environment = environment(home, protocol, os.environ)

    def start(self, words: Sequence[str], before: Sequence[str], out: int, err: IO[bytes]) -> _Run:
        return subprocess.Popen(
            [*before, self._program, *words],
            cwd=self._home,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=out,
            stderr=err,
            start_new_session=True,
        )

    def run(self, words: Sequence[str], seconds: float, before: Sequence[str] = ()) -> Answer:
        """Raises GitError if it takes longer, or answers with more than MOST bytes."""
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            process = self.start(words, before, out.fileno(), err)
            try:
                status = process.wait(seconds)
            except subprocess.TimeoutExpired:
                raise GitError(
                    f"git {_verb(words)} was ended after {seconds:.0f} seconds (source_timeout, "
                    "source_git_timeout): raise the limit, or take a nearer repository"
                ) from None
            finally:
                end(process)
            out.seek(0)
            data = out.read(MOST + 1)
            err.seek(max(0, err.seek(0, os.SEEK_END) - MOST))
            answer = Answer(status, data, err.read().decode("utf-8", "replace"))
        if len(data) > MOST:
            raise GitError(f"git {_verb(words)} answers with more than {MOST} bytes")
        return answer

    def required(self, words: Sequence[str], seconds: float) -> Answer:
        """Raises GitError if it fails."""
        answer = self.run(words, seconds)
        if answer.status != 0:
            raise GitError(f"git {_verb(words)} failed: {answer.reason}")
        return answer

    @contextmanager
    def archive(self, repository: Path, commit: str, seconds: float) -> Iterator[IO[bytes]]:
        """The files of a commit as a tar stream. Raises GitError if git fails."""
        words = (f"--git-dir={repository}", "archive", "--format=tar", f"--prefix={TOP}/", commit)
        with tempfile.TemporaryFile() as err:
            process = self.start(words, (), subprocess.PIPE, err)
            if process.stdout is None:
                raise AssertionError("stdout is a pipe")
            timer = threading.Timer(seconds, end, (process,))
            timer.daemon = True
            timer.start()
            try:
                yield process.stdout
            except BaseException as error:
                process.stdout.close()
                reason = _failure(process, err)
                if reason and isinstance(error, Exception):
                    raise GitError(reason) from error
                raise
            else:
                process.stdout.read()
                reason = _failure(process, err)
                if reason:
                    raise GitError(reason)
            finally:
                timer.cancel()
                end(process)
                process.stdout.close()


_Run = subprocess.Popen  # of bytes


def _verb(words: Sequence[str]) -> str:
    return next((word for word in words if not word.startswith("-")), "")


def _failure(process: _Run[bytes], err: IO[bytes]) -> str:
    """Why an archive is not whole; empty if it is, or if nobody wanted the rest of it."""
    try:
        status = process.wait(END)
    except subprocess.TimeoutExpired:
        return ""
    if status in (0, -signal.SIGPIPE, 128 + signal.SIGPIPE):
        return ""
    err.seek(0)
    text = err.read(MOST).decode("utf-8", "replace")
    why = "it was ended" if status < 0 else shown(output_summary("", text, lines=3), 300)
    return (
        f"git archive failed: {why}. If this repeats, remove the directory 'git' in "
        "source_workdir, which is fetched again"
    )


def end(process: _Run[bytes]) -> None:
    """End it and all that it has started; nothing if it has ended."""
    if process.poll() is not None:
        return
    with suppress(OSError):
        os.killpg(process.pid, signal.SIGKILL)
    with suppress(subprocess.TimeoutExpired):
        process.wait(END)


@contextmanager
def private(program: str, source: Optional[Address], seconds: int) -> Iterator[Git]:
    """git for one address, or for none. `seconds` in which a server should answer."""
    with tempfile.TemporaryDirectory(prefix="oslab-git-") as name:
        home = Path(name)
        # The owner of another repository reads the settings as well; there is no secret in them.
        home.chmod(0o755)
        settings = home / "config"
        settings.write_text(_SETTINGS.format(silence=SILENCE * seconds), encoding="utf-8")
        settings.chmod(0o644)
        yield Git(program, home, source.protocol if source else "none")


def uncommitted(git: Git, path: Path, uid: int, seconds: float) -> Optional[int]:
    """How many files of a work tree are not as they were committed; None if nobody can say."""
    try:
        before = as_owner(path, uid)
        words = [
            *("-c", "core.fsmonitor=false", "-c", "core.untrackedCache=false"),
            *("-c", "core.hooksPath=/dev/null", "-C", str(path)),
        ]
        bare = git.run([*words, "rev-parse", "--is-bare-repository"], seconds, before)
        if bare.text.strip() == "true":
            return 0
        status = ("status", "--porcelain", "--ignore-submodules=all", "--untracked-files=normal")
        found = git.run([*words, *status], seconds, before)
    except GitError:
        return None
    return len(found.text.splitlines()) if found.status == 0 else None
