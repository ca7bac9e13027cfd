# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""THE SEAM: what a simulated target does with what Ansible sends it. Nothing else is simulated.

sshd runs this program for each command of each session, whatever was asked for. A module is not
run: the name of it and its arguments are read from what Ansible has sent, and the answer has the
shape and the size of a real machine's (answers.json), with what differs from host to host. So no
package is installed and nothing is rebooted; that the host "runs" another kernel after a reboot is
a word in its state. Commands that are no modules, for Ansible's temporary files, do run: as
nobody, in the host's own directory.

    target.py WORK     WORK/hosts/ADDRESS/state.json is the state of the host with that address
"""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import sys
import time
from pathlib import Path
from typing import Any, Callable

NOBODY = 65534
INTERPRETER = "/usr/bin/python3"
SFTP = "/usr/lib/openssh/sftp-server"
_MODULE = re.compile(r"^module_fqn=(.+),$", re.MULTILINE)
_ARGUMENTS = re.compile(r"^params=(.+),$", re.MULTILINE)
_COMMAND = re.compile(rf"{INTERPRETER}(?: ([^ ]+/AnsiballZ_\w+\.py))? && sleep 0")


class Target:
    """One host."""

    def __init__(self, work: Path, address: str) -> None:
        self.home = work / "hosts" / address
        self.settings = json.loads((work / "settings.json").read_text(encoding="utf-8"))
        self.answers = json.loads((work / "answers.json").read_text(encoding="utf-8"))
        self.file = self.home / "state.json"
        self.state: dict[str, Any] = {"boots": 0, "release": "", "down_until": 0}
        self.state.update(files={})
        if self.file.exists():
            self.state = json.loads(self.file.read_text(encoding="utf-8"))

    def save(self) -> None:
        part = self.file.with_suffix(".part")
        part.write_text(json.dumps(self.state), encoding="utf-8")
        part.replace(self.file)

    # The machine --------------------------------------------------------------------------------

    @property
    def new(self) -> bool:
        """Whether the new kernel runs."""
        return bool(self.state["release"])

    def boot_id(self) -> str:
        digits = hashlib.md5(f"{self.home.name} {self.state['boots']}".encode()).hexdigest()
        return "-".join((digits[:8], digits[8:12], digits[12:16], digits[16:20], digits[20:]))

    def reboot(self) -> None:
        self.state["boots"] += 1
        self.state["release"] = self.settings["release"]
        self.state["down_until"] = time.time() + self.settings["reboot_seconds"]
        self.save()

    # The modules --------------------------------------------------------------------------------

    def answer(self, module: str, arguments: dict[str, Any]) -> dict[str, Any]:
        special: dict[str, Callable[[dict[str, Any]], dict[str, Any]]] = {
            "deploy_lock": lambda given: {"held": given.get("state") == "held"},
            "host_kernel_info": self._host_kernel_info,
            "boot_entry": self._boot_entry,
            "kexec_load": lambda _given: {"changed": True, "loaded": True, "reason": ""},
            "apt": self._apt,
            "apt_removal_info": lambda given: {
                "removable": given.get("packages") or [],
                "refused": {},
            },
            "apt_transaction": self._apt_transaction,
            "apt_update": lambda _given: {"updated": True},
            "config_files": self._config_files,
            "command": self._command,
            "find": self._find,
            "stat": self._stat,
            "systemd_service": self._systemd,
            "kernel_files": self._kernel_files,
            "kernel_modules": self._modules,
            "ping": lambda given: {"ping": given.get("data", "pong")},
            "setup": self._plain("setup"),
            "syscall_info": self._syscall_info,
            "trial_evidence_info": lambda _given: {
                **{"records": [], "journal": None, "timer": ""},
                **{"failed_before": [], "complaints_before": []},
                "kept_by": {"journal": True, "pstore": "", "kdump": False},
            },
        }
        if module not in special:
            return {"failed": True, "msg": f"the seam has no answer of the module {module}"}
        given = {"invocation": {"module_args": arguments}}
        return {"changed": False, **given, **special[module](arguments)}

    def _plain(self, name: str) -> Callable[[dict[str, Any]], dict[str, Any]]:
        return lambda _arguments: dict(self.answers[name])

    def _host_kernel_info(self, arguments: dict[str, Any]) -> dict[str, Any]:
        known = dict(self.answers["host_kernel_info"]["new" if self.new else "stock"])
        files = {name: self.state["files"].get(name) for name in arguments.get("files") or []}
        # A second run installs nothing.
        packages = dict.fromkeys(self.answers["packages"], self.settings["version"])
        installed = packages if self.state.get("installed") else {}
        wanted = arguments.get("packages") or []
        confirmed = bool((self.state.get("record") or {}).get("confirmed"))
        return {
            **known,
            "boots_default_kernel": confirmed if arguments.get("default_kernel") else None,
            "modules_as_wanted": bool(self.state.get("modules"))
            if arguments.get("modules")
            else None,
            "kernel_log": known["kernel_log"] if arguments.get("kernel_log") else None,
            "health": known["health"] if arguments.get("health") else None,
            "boot_id": self.boot_id(),
            "time": int(time.time()),
            "uptime": 1,
            "files": files,
            "packages": {name: version for name, version in installed.items() if name in wanted},
            "oslab_packages": installed if wanted else {},
            "install_record": self.state.get("record"),
            "trial": self.state["release"] if self.state["boots"] == 1 else None,
            "trial_confirmed": "/run/oslab-trial.confirmed" in self.state["files"],
        }

    def _boot_entry(self, arguments: dict[str, Any]) -> dict[str, Any]:
        known = dict(self.answers["boot_entry"])
        return {**known, "changed": bool(arguments.get("state")) and not self.new}

    def _apt(self, _arguments: dict[str, Any]) -> dict[str, Any]:
        self.state["installed"] = True
        self.save()
        return dict(self.answers["apt"])

    def _apt_transaction(self, arguments: dict[str, Any]) -> dict[str, Any]:
        installed = arguments.get("state", "present") == "present"
        if installed and not arguments.get("_ansible_check_mode"):
            self.state["installed"] = True
            self.save()
        return {
            "changed": True,
            "packages": arguments["packages"],
            "left_out": {},
            "brought": [],
        }

    def _command(self, arguments: dict[str, Any]) -> dict[str, Any]:
        argv = [*(arguments.get("argv") or []), *(arguments.get("_raw_params") or "").split()]
        known = self.answers["command"].get(argv[0], {"stdout": ""})
        result = {"rc": 0, "stderr": "", "cmd": argv, "delta": "0:00:00.1", **known}
        lines = {"stdout_lines": result["stdout"].splitlines(), "stderr_lines": []}
        return {**result, **lines, "changed": True}

    def _find(self, arguments: dict[str, Any]) -> dict[str, Any]:
        names = arguments.get("patterns") or []
        paths = arguments.get("paths") or []
        # The program that reboots, or what the installation has left in /boot.
        files = [
            {**self.answers["found"], "path": f"{paths[0]}/{name}"}
            for name in names
            if "*" not in name
        ]
        return {"files": files, "matched": len(files), "examined": 9, "skipped_paths": {}}

    def _stat(self, arguments: dict[str, Any]) -> dict[str, Any]:
        """Only directories are asked for: those that a file was written to."""
        path = Path(arguments["path"])
        if any(path in Path(name).parents for name in self.state["files"]):
            return {"stat": {**self.answers["stat"], "isreg": False, "isdir": True}}
        return {"stat": {"exists": False}}

    def _config_files(self, arguments: dict[str, Any]) -> dict[str, Any]:
        wanted = {
            one["path"]: hashlib.sha256(one["content"].encode()).hexdigest()
            for one in arguments.get("files") or []
        }
        changed = [
            path for path, sha256 in wanted.items() if self.state["files"].get(path) != sha256
        ]
        self.state["files"].update(wanted)
        for one in arguments.get("files") or []:
            if one["path"].endswith("/install.json"):
                self.state["record"] = json.loads(one["content"])
        gone = [path for path in arguments.get("absent") or [] if path in self.state["files"]]
        for path in gone:
            del self.state["files"][path]
        self.save()
        return {"paths": [*changed, *gone], "changed": bool(changed or gone)}

    def _systemd(self, _arguments: dict[str, Any]) -> dict[str, Any]:
        return {**self.answers["systemd_service"], "changed": self.state["boots"] < 2}

    def _modules(self, _arguments: dict[str, Any]) -> dict[str, Any]:
        changed = not self.state.get("modules")
        self.state["modules"] = True
        self.save()
        return {**self.answers["kernel_modules"], "changed": changed}

    def _kernel_files(self, arguments: dict[str, Any]) -> dict[str, Any]:
        if not arguments.get("files"):
            return {"failed": True, "msg": "the builder's list did not come along"}
        return dict(self.answers["kernel_files"])

    def _syscall_info(self, arguments: dict[str, Any]) -> dict[str, Any]:
        known = dict(self.answers["syscall_info"])
        baseline = (self.state.get("record") or {}).get("kernel_log")
        known["kernel_log"] = {**known["kernel_log"], "baseline": baseline}
        # As on a host: it compares with what the role trial has left there.
        recorded = "/var/lib/oslab-kernel/health.json" in self.state["files"]
        if not (recorded and arguments.get("health")):
            known["health"] = None
        listed = (arguments.get("files") or {}).get("files")
        files = dict(self.answers["kernel_files"]) if listed else None
        now = {"boot_id": self.boot_id(), "boot_time": 1, "time": int(time.time()), "trial": {}}
        return {**known, "files": files, **now}


def run_module(target: Target, sent: str) -> None:
    module, arguments = _MODULE.search(sent), _ARGUMENTS.search(sent)
    if not module or not arguments:
        raise SystemExit("this is no module as ansible-core 2.19 sends it")
    name = str(ast.literal_eval(module[1])).rpartition(".")[2]
    given = json.loads(ast.literal_eval(arguments[1]))["ANSIBLE_MODULE_ARGS"]
    shown = {key: value for key, value in given.items() if not key.startswith("_ansible_")}
    time.sleep(target.settings["module_seconds"])
    print(json.dumps(target.answer(name, shown)))


def main() -> None:
    work = Path(sys.argv[1])
    address = os.environ["SSH_CONNECTION"].split()[2]
    command = os.environ.get("SSH_ORIGINAL_COMMAND", "")
    if os.geteuid() == 0:
        os.setgroups([])
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    target = Target(work, address)
    os.chdir(target.home)
    os.environ.update(HOME=str(target.home), PATH="/usr/bin:/bin")
    if time.time() < target.state["down_until"]:
        sys.exit(255)
    module = _COMMAND.search(command)
    if module:
        run_module(target, Path(module[1]).read_text() if module[1] else sys.stdin.read())
    elif "/bin/systemctl" in command and "reboot" in command:
        target.reboot()
    elif "/proc/sys/kernel/random/boot_id" in command:
        print(target.boot_id())
    elif "sftp" in command:
        os.execv(SFTP, [SFTP])
    else:
        os.execv("/bin/sh", ["/bin/sh", "-c", command])


if __name__ == "__main__":
    main()
