# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A build that signs its modules and its image with keys of the user's.

The private keys are in the memory of the build and nowhere else: make, sign-file and sbsign read
them from descriptors of the process that carries the build out, which are gone when it is, killed
or not. In the tree and beside it there are only links to them.
"""

from __future__ import annotations

import contextlib
import gzip
import lzma
import os
import resource
import subprocess
import tarfile
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._build import (
    deb,
    module_signature,
    signing_key,
)
from ansible_collections.oslab.kernel.plugins.module_utils._build.signing_key import SigningKey
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    locale_environment,
    output_summary,
)

# MODULE_SIG_KEY, as the role config sets it. It is not the name for which kbuild makes a key.
KEY_FILE = "certs/oslab-signing-key.pem"
GENERATED = "certs/signing_key.pem"
# What kbuild takes out of the key, to build it into the image.
EXTRACTED = "certs/signing_key.x509"

IMAGE_PROGRAMS = ("faketime", "sbsign", "sbverify")

# With these a kernel loads signed modules only.
FORCING = {
    "CONFIG_MODULE_SIG_FORCE": "MODULE_SIG_FORCE",
    "CONFIG_LOCK_DOWN_KERNEL_FORCE_INTEGRITY": "LOCK_DOWN_KERNEL_FORCE_INTEGRITY",
    "CONFIG_LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY": "LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY",
}

# Make reads this before any makefile of the kernel's. To make the image package, `bindeb-pkg`
# asks the target image_name which file to put into it: it gets the signed one, made at that
# moment, and the tree's own image stays as it is. sbsign writes down when it signed, so its clock
# stands still.
SIGN_IMAGE = """image_name: KBUILD_IMAGE := {signed}
image_name: oslab-signed-image
.PHONY: oslab-signed-image
oslab-signed-image:
	@new={signed}.$$$$ && faketime -f '{time}' sbsign --key {key} --cert {key} \\
		--output $$new arch/x86/boot/bzImage >&2 && mv $$new {signed}
"""


class SigningError(Exception):
    """What was built is not signed as it should be."""


@dataclass(frozen=True)
class Keys:
    """Of the modules and of the image; the same one may serve both."""

    module: Optional[SigningKey] = None
    image: Optional[SigningKey] = None

    def stated(self) -> dict[str, Any]:
        """What the manifest says of them, which the build id covers; nothing without a key."""
        used = {"modules": self.module, "image": self.image}
        signers = {name: key.certificate.public() for name, key in used.items() if key}
        return {"signers": signers} if signers else {}

    def toolchain(self) -> list[str]:
        """Programs whose versions count."""
        used = {"openssl": self.module, "sbsign": self.image}
        return [name for name, key in used.items() if key]

    def programs(self) -> list[str]:
        return list(IMAGE_PROGRAMS) if self.image else []


NO_KEYS = Keys()


# --- before anything is compiled ---------------------------------------------------------------


def refusal(config: Mapping[str, str], keys: Keys) -> Optional[str]:
    """Why this configuration cannot be built with these keys, or without any."""

    def on(symbol: str) -> bool:
        return config.get(f"CONFIG_{symbol}") == "y"

    if keys.image and not on("EFI_STUB"):
        return (
            "build_image_signing_key is set, but an image that EFI firmware starts needs "
            "EFI_STUB: set EFI and EFI_STUB to y in config_options"
        )
    if not on("MODULES") or not (on("MODULE_SIG") or on("IMA_APPRAISE_MODSIG")):
        if keys.module:
            return (
                "build_module_signing_key is set, but the configuration signs no modules: run the "
                "role config with config_module_signing: true, as playbooks/build.yml does"
            )
        return None
    key_file = config.get("CONFIG_MODULE_SIG_KEY", "").strip('"')
    if keys.module:
        return None if key_file == KEY_FILE and on("MODULE_SIG_ALL") else _not_wired(key_file)
    return _without_key(config, keys, key_file)


def _not_wired(key_file: str) -> str:
    return (
        "build_module_signing_key is set, but the configuration does not sign with it "
        f"(MODULE_SIG_ALL, and MODULE_SIG_KEY, which is '{key_file}'): take both out of "
        "config_options and run the role config with config_module_signing: true, as "
        "playbooks/build.yml does"
    )


def _without_key(config: Mapping[str, str], keys: Keys, key_file: str) -> Optional[str]:
    forcing = [name for symbol, name in FORCING.items() if config.get(symbol) == "y"]
    if forcing:
        return (
            f"the configuration has {' and '.join(forcing)}, so its kernel loads no module that "
            "is not signed, and no key is given: name one in build_module_signing_key, or set "
            "it to n in config_options"
        )
    if keys.image and config.get("CONFIG_LOCK_DOWN_IN_EFI_SECURE_BOOT") == "y":
        return (
            "the configuration has LOCK_DOWN_IN_EFI_SECURE_BOOT, so under Secure Boot its kernel "
            "loads no module that is not signed: name a key in build_module_signing_key as well "
            "(it may be the one of build_image_signing_key), or set it to n in config_options"
        )
    if key_file == GENERATED:
        return (
            f"MODULE_SIG_KEY is {GENERATED}, for which the kernel's build would make a key of its "
            "own, another one each time: name a key in build_module_signing_key, or set "
            'MODULE_SIG_KEY to "" and MODULE_SIG_ALL to n in config_options (the role config does '
            "so by itself)"
        )
    if key_file or config.get("CONFIG_MODULE_SIG_ALL") == "y":
        return (
            f"the configuration signs modules with MODULE_SIG_KEY '{key_file}', and the build "
            "would not know by whom: name the key's file in build_module_signing_key instead"
        )
    return None


# --- while it is built -------------------------------------------------------------------------


def refuse_core_dumps() -> None:
    """Of this process, whose memory holds keys, and of those that it starts: they are files.

    One byte is too little for a file, and the only limit at which the kernel starts no program
    that takes dumps, such as apport. With 0 it starts it.
    """
    _soft, hard = resource.getrlimit(resource.RLIMIT_CORE)
    limit = 1 if hard == resource.RLIM_INFINITY else min(1, hard)
    resource.setrlimit(resource.RLIMIT_CORE, (limit, hard))


@contextlib.contextmanager
def _in_memory(link: Path, key: SigningKey, when: int) -> Iterator[None]:
    """The key, to be read through `link` by this user's programs as long as this process lives."""
    descriptor = os.memfd_create("oslab-signing-key", os.MFD_CLOEXEC)
    try:
        os.fchmod(descriptor, 0o600)
        os.write(descriptor, key.text.encode())
        # Make would think that it has changed, and link the kernel anew.
        os.utime(descriptor, (when, when))
        link.unlink(missing_ok=True)
        link.symlink_to(f"/proc/{os.getpid()}/fd/{descriptor}")
        yield
    finally:
        link.unlink(missing_ok=True)
        os.close(descriptor)


def _paths(work: Path) -> tuple[Path, Path, Path]:
    return work / "sign-image.mk", work / "image-key.pem", work / "vmlinuz.signed"


def environment(keys: Keys, work: Path) -> dict[str, str]:
    return {"MAKEFILES": str(_paths(work)[0])} if keys.image else {}


@contextlib.contextmanager
def at_hand(keys: Keys, tree: Path, work: Path, epoch: int) -> Iterator[None]:
    """Provide the keys where the build looks for them, and remove them afterwards."""
    with contextlib.ExitStack() as stack:
        if keys.module:
            extracted = tree / EXTRACTED
            # By its time alone make would not notice another key.
            if extracted.is_file() and extracted.read_bytes() != keys.module.certificate.encoded:
                extracted.unlink()
            stack.enter_context(_in_memory(tree / KEY_FILE, keys.module, epoch))
        if keys.image:
            makefile, link, signed = _paths(work)
            when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(epoch))
            rules = SIGN_IMAGE.format(time=when, key=link, signed=signed)
            makefile.write_text(rules, encoding="utf-8")
            stack.callback(signed.unlink, missing_ok=True)
            stack.enter_context(_in_memory(link, keys.image, epoch))
        yield


# --- when it is built --------------------------------------------------------------------------


def _module(name: str, content: bytes) -> bytes:
    """The module in a file, which may be compressed."""
    if name.endswith(".xz"):
        return lzma.decompress(content)
    if name.endswith(".gz"):
        return gzip.decompress(content)
    if name.endswith(".zst"):
        argv = ["zstd", "--decompress", "--stdout", "--quiet"]
        done = subprocess.run(
            argv,
            input=content,
            capture_output=True,
            env=locale_environment(),
            check=False,
        )
        if done.returncode != 0:
            raise SigningError(
                f"{name}: {' '.join(argv)} failed ({done.returncode}): "
                f"{output_summary('', done.stderr.decode(errors='replace'))}"
            )
        return done.stdout
    return content


def check_module(name: str, content: bytes, key: SigningKey) -> None:
    try:
        module_signature.check(_module(name, content), key.certificate)
    except module_signature.SignatureError as error:
        raise SigningError(f"{name} should be signed with build_module_signing_key: {error}") from (
            error
        )


def check_image(content: bytes, key: SigningKey, work: Path) -> None:
    image, certificate = work / "vmlinuz.packaged", work / "image-certificate.pem"
    image.write_bytes(content)
    certificate.write_text(signing_key.pem("CERTIFICATE", key.certificate.encoded))
    argv = ["sbverify", "--cert", str(certificate), str(image)]
    done = subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        env=locale_environment(),
        check=False,
    )
    if done.returncode != 0:
        output = done.stdout.decode(errors="replace").strip()
        raise SigningError(
            f"the image should be signed with build_image_signing_key, but {' '.join(argv)} said: "
            f"{output[-500:]}"
        )
    image.unlink()


def _check_tar(stream: IO[bytes], keys: Keys, work: Path) -> None:
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        for member in tar:
            name = member.name.lstrip("./")
            is_module = "lib/modules/" in name and ".ko" in Path(name).suffixes
            is_image = name.startswith("boot/vmlinuz-")
            content = tar.extractfile(member) if member.isfile() else None
            if content is None:
                continue
            if is_module and keys.module:
                check_module(name, content.read(), keys.module)
            if is_image and keys.image:
                check_image(content.read(), keys.image, work)


def check_packages(packages: Iterable[Path], keys: Keys, work: Path) -> None:
    """Every module and the image: kbuild goes on where it cannot sign a module from outside."""
    if not (keys.module or keys.image):
        return
    for package in packages:
        name = package.name.split("_")[0]
        if name.endswith("-dbg") or not name.startswith(("linux-image-", "linux-modules-")):
            continue
        try:
            with deb.contents(package) as stream:
                _check_tar(stream, keys, work)
        except deb.PackageError as error:
            raise SigningError(str(error)) from error
        except (OSError, lzma.LZMAError, subprocess.SubprocessError) as error:
            raise SigningError(f"{package} cannot be read: {error}") from error
