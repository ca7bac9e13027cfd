#!/usr/bin/env python3
# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Build a small signed kernel, look for the private keys, and boot it where signatures count.

    run.py [--source TARBALL] [--again]

The role `build` makes the packages, twice in two places: with the keys, and without them, by the
signatures of the first build. Both must be the same. Every module and the image are checked with
openssl and sbverify. No part of a private key may be in a package, in the store, in the working
files, in the tree or in what Ansible says.

Then two machines in QEMU: one that loads signed modules only (module.sig_enforce=1), with good
modules and spoilt ones; one whose firmware enforces Secure Boot and trusts one key, with the image
as it was packaged, without its signature, and signed by another key. With --again both builds are
taken as they are. The exit status is 0 if all is well.
"""

from __future__ import annotations

import argparse
import base64
import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[3] / "collections"))

from ansible_collections.oslab.kernel.plugins.module_utils._common import cpio
from ansible_collections.oslab.kernel.tests.integration.reproduce import run as reproduce
from ansible_collections.oslab.kernel.tests.lib import kernel_trees, own_modules
from ansible_collections.oslab.kernel.tests.lib.playbook import PROGRAM
from ansible_collections.oslab.kernel.tests.lib.script import RunError, log_line
from ansible_collections.oslab.kernel.tests.system.faults.firmware import SNAKEOIL

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[2]

CACHE = Path(os.environ.get("OSLAB_CACHE") or Path.home() / ".cache/oslab-kernel")
# The key for tests that the firmware SNAKEOIL trusts.
SNAKEOIL_KEY = Path("/usr/share/ovmf/PkKek-1-snakeoil")
MAGIC = b"~Module signature appended~\n"
# Debian's passphrase of that key, which is no secret.
PASSPHRASE = "pass:snakeoil"

PLAY = """
- hosts: localhost
  connection: local
  gather_facts: false
  roles: [oslab.kernel.build]
  tasks:
    - ansible.builtin.copy:
        content: "{{ build_result | to_json }}"
        dest: "{{ result }}"
        mode: "0644"
"""


def check(good: bool, what: str, details: str = "") -> None:
    log_line(f"{'ok    ' if good else 'WRONG '} {what}")
    if not good:
        raise RunError(details or what)


def run(argv: list[str], cwd: Path | None = None, status: int | None = 0) -> str:
    done = subprocess.run(
        argv, cwd=cwd, capture_output=True, text=True, errors="replace", check=False
    )
    if status is not None and done.returncode != status:
        raise RunError(f"{' '.join(argv)} failed:\n{(done.stdout + done.stderr)[-3000:]}")
    return done.stdout + done.stderr


PROGRAMS = (
    "faketime",
    "modinfo",
    "openssl",
    "qemu-system-x86_64",
    "sbattach",
    "sbsign",
    "sbverify",
)


def have_programs() -> None:
    missing = [name for name in PROGRAMS if not shutil.which(name)]
    if missing or not SNAKEOIL.variables.exists():
        raise RunError(
            f"needed: {', '.join(missing) or SNAKEOIL.variables}; apt install faketime kmod "
            "openssl ovmf qemu-system-x86 sbsigntool"
        )


# --- what is built ------------------------------------------------------------------------------


def make_keys(work: Path) -> dict[str, Path]:
    from ansible_collections.oslab.kernel.tests.lib import signing_keys

    keys = work / "keys"
    shutil.rmtree(keys, ignore_errors=True)
    keys.mkdir(mode=0o700)
    image = keys / "image.pem"
    decrypted = signing_keys.openssl(
        "rsa", "-in", f"{SNAKEOIL_KEY}.key", "-passin", PASSPHRASE
    )  # fmt: skip
    image.write_text(decrypted + Path(f"{SNAKEOIL_KEY}.pem").read_text())
    image.chmod(0o600)
    return {
        "module": signing_keys.pair(keys, "modules", kind="rsa:4096"),
        "image": image,
        "other": signing_keys.pair(keys, "other"),
    }


def have_tree(source: Path, tree: Path) -> None:
    if (tree / ".config").exists():
        return
    log_line(f"the source is {source}")
    shutil.rmtree(tree, ignore_errors=True)
    reproduce.have_tree(source, tree)
    kernel_trees.patch(tree)
    kernel_trees.configure(tree, [HERE / "small.config"], tree.parent / "wanted.config")


def signed_by(keys: dict[str, Path]) -> dict:
    """Variables of who has the keys."""
    return {
        "build_module_signing_key": str(keys["module"]),
        "build_image_signing_key": str(keys["image"]),
    }


def published(result: dict) -> dict:
    """Variables of who has none, as playbooks/rebuild.yml sets them."""
    store = Path(result["store"])
    texts = {
        name: base64.b64encode((store / result[part]["file"]).read_bytes()).decode()
        for name, part in (("document", "buildinfo"), ("signatures", "signatures"))
    }
    return {"build_published_read": texts}


def build(place: Path, signing: dict, ccache: Path) -> dict:
    """The role, as a playbook runs it; all that Ansible can say goes into a file."""
    variables = {
        "ansible_python_interpreter": sys.executable,
        "build_tree": str(place / "linux"),
        "build_store": str(place / "store"),
        "build_ccache_dir": str(ccache),
        "build_tools_source": "",
        "build_min_free_gib": 2,
        "build_force": True,
        "result": str(place / "result.json"),
        **signing,
    }
    play = place / "play.yml"
    play.write_text(PLAY)
    argv = [PROGRAM, "-vvvv", "--diff", str(play)]
    environment = {**os.environ, "ANSIBLE_COLLECTIONS_PATH": str(ROOT / "collections")}
    environment.update(ANSIBLE_DEBUG="1", ANSIBLE_LOCALHOST_WARNING="false")
    with (place / "ansible.log").open("wb") as log:
        done = subprocess.run(
            [*argv, "--extra-vars", json.dumps(variables)],
            env=environment,
            cwd=ROOT,
            stdout=log,
            stderr=subprocess.STDOUT,
            check=False,
        )
    if done.returncode:
        raise RunError((place / "ansible.log").read_text(errors="replace")[-4000:])
    return json.loads((place / "result.json").read_text())


def package_files(package: Path) -> Iterator[tuple[str, bytes]]:
    argv = ["dpkg-deb", "--fsys-tarfile", str(package)]
    with subprocess.Popen(argv, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        with tarfile.open(fileobj=process.stdout, mode="r|") as tar:
            for member in tar:
                content = tar.extractfile(member) if member.isfile() else None
                if content:
                    yield member.name.lstrip("."), content.read()


def unpack(result: dict) -> dict[str, bytes]:
    """Every file of every package, and what keeps them together."""
    store = Path(result["store"])
    found: dict[str, bytes] = {}
    for package in result["packages"].values():
        for name, content in package_files(store / package["file"]):
            found[f"{package['file']}:{name}"] = content
    return found


# --- signatures ---------------------------------------------------------------------------------


def check_modules(files: dict[str, bytes], key: Path, work: Path) -> dict[str, bytes]:
    modules = {Path(name).name: content for name, content in files.items() if name.endswith(".ko")}
    certificate = work / "certificate.pem"
    certificate.write_text(run(["openssl", "x509", "-in", str(key)]))
    content, signature = work / "content", work / "signature"
    for name, module in modules.items():
        end = len(module) - len(MAGIC) - 12
        size = int.from_bytes(module[end + 8 : end + 12], "big")
        content.write_bytes(module[: end - size])
        signature.write_bytes(module[end - size : end])
        argv = ["openssl", "cms", "-verify", "-binary", "-inform", "DER", "-in", str(signature)]
        argv += ["-content", str(content), "-certfile", str(certificate), "-nointern", "-noverify"]
        output = run([*argv, "-out", "/dev/null"], status=None)
        check("successful" in output, f"{name} is signed with the key of the modules", output)
        path = work / name
        path.write_bytes(module)
        signer = run(["modinfo", "-F", "signer", str(path)]).strip()
        check(signer == "modules", f"{name}: modinfo knows the signer", signer)
    expected = len(own_modules.MODULES) + 1
    check(len(modules) == expected, "all modules of ours, one of the kernel's", str(list(modules)))
    return modules


def check_image(image: Path, key: Path, other: Path, work: Path) -> None:
    certificates = {}
    for name, file in (("good", key), ("other", other)):
        certificates[name] = work / f"{name}.crt"
        certificates[name].write_text(run(["openssl", "x509", "-in", str(file)]))
    verify = ["sbverify", "--cert", str(certificates["good"])]
    check("OK" in run([*verify, str(image)]), "sbverify accepts the image")
    output = run(["sbverify", "--cert", str(certificates["other"]), str(image)], status=1)
    check("fail" in output.lower(), "and not with another certificate", output)
    spoilt = bytearray(image.read_bytes())
    spoilt[len(spoilt) // 2] ^= 1
    (work / "spoilt").write_bytes(spoilt)
    output = run([*verify, str(work / "spoilt")], status=1)
    check("fail" in output.lower(), "and not with one byte changed", output)


def look_for_secrets(
    keys: dict[str, Path], files: dict[str, bytes], directories: list[Path], since: float
) -> None:
    from ansible_collections.oslab.kernel.tests.lib import signing_keys

    secrets = [*signing_keys.secrets(keys["module"]), *signing_keys.secrets(keys["image"])]
    secrets.append(b"PRIVATE KEY-----\nMII")
    looked = 0
    for name, content in files.items():
        looked += 1
        for secret in secrets:
            check_not(secret in content, f"{name} holds a part of a private key")
    for directory in directories:
        for path in directory.rglob("*"):
            if path.is_symlink():
                target = str(path.readlink())
                check_not("/fd/" in target, f"{path} still points to a key: {target}")
                continue
            # What was there before the build cannot have it.
            if not path.is_file() or path.stat().st_mtime < since:
                continue
            looked += 1
            content = path.read_bytes()
            for secret in secrets:
                check_not(secret in content, f"{path} holds a part of a private key")
    check(looked > 500, f"no part of a private key in {looked} files")


def check_not(bad: bool, what: str) -> None:
    if bad:
        check(False, what)


# --- machines -----------------------------------------------------------------------------------


def boot(argv: list[str], console: Path, done: str, seconds: float) -> str:
    """Start a machine, and take what its serial port says until it has said `done` or is late."""
    console.write_text("")
    common = ["-cpu", "max", "-m", "512", "-nodefaults", "-no-reboot", "-display", "none"]
    command = ["qemu-system-x86_64", *common, *argv, "-serial", f"file:{console}"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as process:
        deadline = time.monotonic() + seconds
        while process.poll() is None and time.monotonic() < deadline:
            time.sleep(0.5)
            if re.search(done, console.read_text(errors="replace")):
                break
        with contextlib.suppress(ProcessLookupError):
            process.kill()
    return console.read_text(errors="replace")


def spoil(modules: dict[str, bytes], tree: Path, keys: dict[str, Path]) -> dict[str, bytes]:
    """The modules as they are, and in front of them others that must not be loaded."""
    good = modules["binfmt_misc.ko"]
    end = len(good) - len(MAGIC) - 12
    content = good[: end - int.from_bytes(good[end + 8 : end + 12], "big")]
    changed = bytearray(good)
    changed[content.index(b"author=") if b"author=" in content else 4000] ^= 1
    other = keys["other"].with_name("other.ko")
    other.write_bytes(content)
    argv = [str(tree / "scripts/sign-file"), "sha512", str(keys["other"]), str(keys["other"])]
    run([*argv, str(other)])
    bad = {"0-unsigned.ko": content, "0-changed.ko": bytes(changed)}
    return {**bad, "0-by-another.ko": other.read_bytes(), **modules}


def check_enforcing(image: Path, modules: dict[str, bytes], work: Path) -> None:
    init = work / "init"
    run(["gcc", "-O2", "-Wall", "-static", "-o", str(init), str(HERE / "init.c")])
    entries = [
        cpio.device("dev/console", 5, 1),
        cpio.file("init", init.read_bytes(), 0o755),
        *(cpio.file(f"modules/{name}", text) for name, text in modules.items()),
    ]
    initrd = work / "initrd"
    initrd.write_bytes(cpio.archive(cpio.with_directories(entries)))
    argv = ["-machine", "q35,accel=tcg", "-kernel", str(image), "-initrd", str(initrd)]
    output = boot(
        [*argv, "-append", "module.sig_enforce=1"], work / "modules.log", "RESULT end", 120
    )
    results = dict(re.findall(r"RESULT (\S+\.ko) (.*?)\r?$", output, re.MULTILINE))
    for name in modules:
        wanted = "loaded" if name[0] != "0" else "Key was rejected|Required key|not available"
        got = results.get(name, "nothing")
        check(bool(re.search(wanted, got)), f"under sig_enforce, {name}: {got}", output[-3000:])


def check_firmware(image: Path, keys: dict[str, Path], work: Path) -> None:
    """OVMF with Secure Boot on; the snakeoil variant trusts the snakeoil key and nothing else."""
    unsigned, other = work / "unsigned.efi", work / "other.efi"
    shutil.copy(image, unsigned)
    run(["sbattach", "--remove", str(unsigned)])
    key = str(keys["other"])
    run(["sbsign", "--key", key, "--cert", key, "--output", str(other), str(unsigned)])
    for name, file, starts in (
        ("as it was packaged", image, True),
        ("without its signature", unsigned, False),
        ("signed by another key", other, False),
    ):
        disk = work / "disk"
        shutil.rmtree(disk, ignore_errors=True)
        (disk / "EFI/BOOT").mkdir(parents=True)
        shutil.copy(file, disk / "EFI/BOOT/BOOTX64.EFI")
        variables = work / "variables.fd"
        shutil.copy(SNAKEOIL.variables, variables)
        argv = ["-machine", "q35,accel=tcg", *SNAKEOIL.arguments(variables)]
        argv += ["-drive", f"if=none,id=disk,format=raw,readonly=on,file=fat:{disk}"]
        argv += ["-device", "virtio-blk-pci,drive=disk"]
        # Without a root disk the kernel ends in a panic, which is far enough.
        done = "Kernel panic" if starts else "Linux version|Access Denied|Security Violation"
        output = boot(argv, work / "firmware.log", done, 180)
        text = re.sub(r"\x1b\[[0-9;=]*[A-Za-z]", "", output)
        if starts:
            good = "UEFI Secure Boot is enabled" in text and "Linux version" in text
            check(good, f"the firmware starts the image {name}", text[-3000:])
        else:
            check(
                "Linux version" not in text and bool(re.search("Access Denied|Violation", text)),
                f"the firmware refuses it {name}",
                text[-3000:],
            )


# --- all of it ----------------------------------------------------------------------------------


def main() -> int:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--source", type=Path, help="a tarball (default: Debian's, in /usr/src)")
    parser.add_argument("--work", type=Path, default=CACHE / "secure-boot", help="(%(default)s)")
    parser.add_argument("--again", action="store_true", help="take the builds as they are")
    options = parser.parse_args()
    work = options.work
    try:
        have_programs()
        work.mkdir(parents=True, exist_ok=True)
        places = [work / "one", work / "two/deeper"]
        started = time.time()
        if options.again:
            keys = {name: work / "keys" / f"{name}.pem" for name in ("image", "other")}
            keys["module"] = work / "keys/modules.pem"
            results = [json.loads((place / "result.json").read_text()) for place in places]
            started = 0
        else:
            keys = make_keys(work)
            results = []
            for place in places:
                place.mkdir(parents=True, exist_ok=True)
                have_tree(options.source or reproduce.find_source(), place / "linux")
                log_line(f"building in {place}")
                signing = published(results[0]) if results else signed_by(keys)
                results.append(build(place, signing, work / "ccache"))
        same = results[0]["packages"] == results[1]["packages"]
        check(same, "the build without the keys is the same")
        signers = results[0]["manifest"]["signers"]
        check(signers["modules"]["subject"].endswith("CN=modules"), f"manifest: {signers}")
        files = unpack(results[0])
        modules = check_modules(files, keys["module"], work)
        image = work / "vmlinuz"
        image.write_bytes(next(c for n, c in files.items() if ":/boot/vmlinuz-" in n))
        check_image(image, keys["image"], keys["other"], work)
        look_for_secrets(keys, files, [*places, Path.home() / ".ansible"], started)
        tree = places[0] / "linux"
        check_enforcing(image, spoil(modules, tree, keys), work)
        check_firmware(image, keys, work)
    except (RunError, kernel_trees.TreeError) as failure:
        print(failure, file=sys.stderr)
        return 1
    log_line("all is well")
    return 0


if __name__ == "__main__":
    sys.exit(main())
