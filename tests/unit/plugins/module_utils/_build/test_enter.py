# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Devices that can be written to and not be changed. Here a file stands for one."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from ansible_collections.oslab.kernel.plugins.module_utils._build import enter
from ansible_collections.oslab.kernel.tests.lib.namespaces import needs_mounts

# In a process of its own, since it gets other mounts.
CODE = """
import runpy, sys, os
found = runpy.run_path(sys.argv[1])
found["protect"]([sys.argv[2]])
try:
    os.chmod(sys.argv[2], 0o600)
except OSError as error:
    print(error.strerror)
"""


@needs_mounts
def test_a_mode_cannot_be_changed(tmp_path):
    device = tmp_path / "null"
    device.touch(mode=0o644)
    argv = [sys.executable, "-c", CODE, enter.__file__, str(device)]
    done = subprocess.run(argv, capture_output=True, text=True, check=True)
    assert done.stdout == "Read-only file system\n"
    assert device.stat().st_mode & 0o777 == 0o644
    device.chmod(0o600)  # the mounts of this process are the same


@needs_mounts
def test_it_becomes_the_program():
    argv = [sys.executable, "-I", enter.__file__, "sh", "-c", "echo $$ > /dev/null; echo $1", "x"]
    done = subprocess.run([*argv, "a b"], capture_output=True, text=True, check=True)
    assert done.stdout == "a b\n"


@needs_mounts
def test_a_failure_is_said():
    argv = [sys.executable, "-I", enter.__file__, "/nonexistent"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith("the build root cannot be entered: ")


def test_without_the_right_to_mount():
    if os.geteuid() == 0:
        code = "import os, sys; os.setuid(65534); os.execv(sys.argv[1], sys.argv[1:])"
        prefix = [sys.executable, "-c", code]
    else:
        prefix = []
    # Not below pytest's own directory, which others cannot enter.
    with tempfile.TemporaryDirectory() as directory:
        Path(directory).chmod(0o755)
        script = Path(directory, "enter.py")
        script.write_bytes(Path(enter.__file__).read_bytes())
        script.chmod(0o644)
        argv = [*prefix, "/usr/bin/python3", "-I", str(script), "true"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "Operation not permitted" in done.stderr
