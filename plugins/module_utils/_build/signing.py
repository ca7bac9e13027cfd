# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The image and the modules of a build, signed with keys of the user's or by published signatures.

The kernel's build has the certificate of the modules' key alone, which it builds into the image. It
makes packages without signatures. Then each signature is made as a detached one, and attached by
`attach`. The private keys are in the memory of this process and nowhere else: openssl and sbsign
read them from its descriptors, which are gone when it is, killed or not.
"""

from __future__ import annotations

import contextlib
import lzma
import os
import resource
import subprocess
import tarfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, Any, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._build import (
    attach,
    deb,
    module_file,
    module_signature,
    signing_key,
)
from ansible_collections.oslab.kernel.plugins.module_utils._build.signatures import Signatures
from ansible_collections.oslab.kernel.plugins.module_utils._build.signing_key import (
    Certificate,
    SigningKey,
)
from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import (
    LOCALE,
    FullRunner,
    locale_environment,
    output_summary,
)

# MODULE_SIG_KEY, as the role config sets it. It is not the name for which kbuild makes a key.
KEY_FILE = "certs/oslab-signing-key.pem"
GENERATED = "certs/signing_key.pem"
# What kbuild takes out of the file, to build it into the image.
EXTRACTED = "certs/signing_key.x509"

IMAGE_PROGRAMS = ("faketime", "sbattach", "sbsign", "sbverify")

# With these a kernel loads signed modules only.
FORCING = {
    "CONFIG_MODULE_SIG_FORCE": "MODULE_SIG_FORCE",
    "CONFIG_LOCK_DOWN_KERNEL_FORCE_INTEGRITY": "LOCK_DOWN_KERNEL_FORCE_INTEGRITY",
    "CONFIG_LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY": "LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY",
}


class SigningError(Exception):
    """What was built is not signed as it should be."""


@dataclass(frozen=True)
class Keys:
    """Of the modules and of the image; the same one may serve both.

    `published`: signatures that are attached instead of new ones, with the certificates of those
    who made them. No key is needed then.
    """

    module: Optional[SigningKey] = None
    image: Optional[SigningKey] = None
    published: Optional[Signatures] = None

    def certificate(self, kind: str) -> Optional[Certificate]:
        """Of who signs: `image` or `modules`. None if nobody signs it."""
        if self.published:
            return self.published.certificates.get(kind)
        key = {"modules": self.module, "image": self.image}[kind]
        return key.certificate if key else None

    def certificates(self) -> dict[str, Certificate]:
        found = {kind: self.certificate(kind) for kind in ("modules", "image")}
        return {kind: certificate for kind, certificate in found.items() if certificate}

    def stated(self) -> dict[str, Any]:
        """What the manifest says of them, which the build id covers; nothing without a key."""
        signers = {kind: found.public() for kind, found in self.certificates().items()}
        return {"signers": signers} if signers else {}

    def toolchain(self) -> list[str]:
        """Programs whose versions count."""
        used = {"modules": "openssl", "image": "sbsign"}
        return [used[kind] for kind in self.certificates()]

    def programs(self) -> list[str]:
        return list(IMAGE_PROGRAMS) if self.certificate("image") else []


NO_KEYS = Keys()


# --- before anything is compiled ---------------------------------------------------------------


def refusal(config: Mapping[str, str], keys: Keys) -> Optional[str]:
    """Why this configuration cannot be built with these keys, or without any."""

    def on(symbol: str) -> bool:
        return config.get(f"CONFIG_{symbol}") == "y"

    if keys.certificate("image") and not on("EFI_STUB"):
        return (
            "build_image_signing_key is set, but an image that EFI firmware starts needs "
            "EFI_STUB: set EFI and EFI_STUB to y in config_options"
        )
    if not on("MODULES") or not (on("MODULE_SIG") or on("IMA_APPRAISE_MODSIG")):
        if keys.certificate("modules"):
            return (
                "build_module_signing_key is set, but the configuration knows no signatures of "
                "modules: run the role config with config_module_signing: true, as "
                "playbooks/build.yml does"
            )
        return None
    key_file = config.get("CONFIG_MODULE_SIG_KEY", "").strip('"')
    if keys.certificate("modules"):
        wired = key_file == KEY_FILE and not on("MODULE_SIG_ALL")
        return None if wired else _not_wired(key_file)
    return _without_key(config, keys, key_file)


def _not_wired(key_file: str) -> str:
    return (
        "build_module_signing_key is set, but the configuration does not leave the modules to it "
        f"(MODULE_SIG_ALL has to be n; MODULE_SIG_KEY is '{key_file}'): take both out of "
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
    if keys.certificate("image") and config.get("CONFIG_LOCK_DOWN_IN_EFI_SECURE_BOOT") == "y":
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
def certificate_at_hand(keys: Keys, tree: Path, epoch: int) -> Iterator[None]:
    """The modules' certificate where kbuild looks for it, to build it in. No key is needed there.

    :param epoch: its time, in seconds since 1970: by a newer one make would link the kernel anew.
    """
    certificate = keys.certificate("modules")
    if certificate is None:
        yield
        return
    extracted, file = tree / EXTRACTED, tree / KEY_FILE
    # By its time alone make would not notice another certificate.
    if extracted.is_file() and extracted.read_bytes() != certificate.encoded:
        extracted.unlink()
    try:
        # A link of a build with an older version of this collection is in the way.
        file.unlink(missing_ok=True)
        file.write_text(signing_key.pem("CERTIFICATE", certificate.encoded), encoding="ascii")
        file.chmod(0o644)
        os.utime(file, (epoch, epoch))
        yield
    finally:
        file.unlink(missing_ok=True)


# --- signatures --------------------------------------------------------------------------------


@contextlib.contextmanager
def _in_memory(key: SigningKey) -> Iterator[str]:
    """The path of the key for this user's programs, as long as this process lives."""
    descriptor = os.memfd_create("oslab-signing-key", os.MFD_CLOEXEC)
    try:
        os.fchmod(descriptor, 0o600)
        os.write(descriptor, key.text.encode())
        yield f"/proc/{os.getpid()}/fd/{descriptor}"
    finally:
        os.close(descriptor)


def _output(what: str, argv: Sequence[str], content: Optional[bytes] = None) -> bytes:
    given: dict[str, Any] = {"stdin": subprocess.DEVNULL} if content is None else {"input": content}
    # Nothing of a user's settings, such as OPENSSL_CONF. faketime has its time in the zone.
    environment = {"PATH": os.environ.get("PATH", os.defpath), "TZ": "UTC", **LOCALE}
    done = subprocess.run(argv, capture_output=True, env=environment, check=False, **given)
    if done.returncode != 0:
        raise SigningError(
            f"{what} was not signed: {argv[0]} ended with status {done.returncode}: "
            f"{output_summary('', done.stderr.decode(errors='replace'))}"
        )
    return done.stdout


def _sign_module(name: str, path: Path, key: str, digest: str) -> bytes:
    """As `sign-file -d` makes it: it names its key by issuer and number, and has no time."""
    module = module_file.unpack(name, path.read_bytes())
    argv = ["openssl", "cms", "-sign", "-signer", key, "-inkey", key, "-md", digest, "-binary"]
    argv += ["-noattr", "-nocerts", "-nosmimecap", "-outform", "DER"]
    return _output(name, argv, module)


def _sign_image(name: str, path: Path, key: str, epoch: int) -> bytes:
    """sbsign writes down when it signed, so its clock stands still."""
    when = time.strftime("%Y-%m-%d %H:%M:%S", time.gmtime(epoch))
    made = path.with_name(f"{path.name}.oslab-signature")
    argv = ["faketime", "-f", when, "sbsign", "--key", key, "--cert", key]
    try:
        _output(name, [*argv, "--detached", "--output", str(made), str(path)])
        return made.read_bytes()
    finally:
        made.unlink(missing_ok=True)


def sign(
    unpacked: attach.Unpacked, keys: Keys, digest: str, epoch: int, jobs: int
) -> dict[str, bytes]:
    """The detached signatures of a package's files, by their paths in it.

    :param digest: CONFIG_MODULE_SIG_HASH, by which openssl knows it.
    :param epoch: when the image is said to be signed, in seconds since 1970.
    :param jobs: how many programs run at once.

    Raises SigningError and ModuleFileError.
    """
    with contextlib.ExitStack() as stack:
        module_key = stack.enter_context(_in_memory(keys.module)) if keys.module else ""
        image_key = stack.enter_context(_in_memory(keys.image)) if keys.image else ""

        def one(path: Path) -> tuple[str, bytes]:
            name = unpacked.relative(path)
            if attach.is_image(name):
                return name, _sign_image(name, path, image_key, epoch)
            return name, _sign_module(name, path, module_key, digest)

        with ThreadPoolExecutor(max(jobs, 1)) as pool:
            files = unpacked.signable(image=bool(keys.image), modules=bool(keys.module))
            return dict(pool.map(one, list(files)))


@dataclass(frozen=True)
class Settings:
    """How a build signs. `digest`, `epoch`, `jobs`: as in `sign`; `work`: a directory."""

    build_id: str
    digest: str
    epoch: int
    jobs: int
    work: Path


def sign_packages(
    packages: Iterable[Path],
    keys: Keys,
    settings: Settings,
    run: FullRunner,
    environment: Mapping[str, str],
) -> Optional[Signatures]:
    """Sign packages that were made without signatures, in place. None without keys.

    Raises SigningError, AttachError and ModuleFileError.
    """
    if not keys.certificates():
        return None
    made: dict[str, bytes] = dict(keys.published.files) if keys.published else {}
    unsigned = {}
    for package in sorted(packages):
        if not attach.has_signable(package):
            continue
        checksum = bounded_read.sha256(package)
        unpacked = attach.unpack(package, settings.work / "signed", run)
        if not keys.published:
            made.update(sign(unpacked, keys, settings.digest, settings.epoch, settings.jobs))
        if attach.attach(unpacked, made, run):
            unsigned[package.name.split("_")[0]] = checksum
            attach.repack(unpacked, run, environment)
    if keys.published:
        # The published document, with the checksums that were found here.
        return replace(keys.published, unsigned=unsigned)
    return Signatures(settings.build_id, keys.certificates(), unsigned, made)


def are_for(published: Signatures, made: Signatures) -> bool:
    """Whether published signatures are of the very packages that were made here."""
    return published.unsigned == made.unsigned


# --- when it is built --------------------------------------------------------------------------


def check_module(name: str, content: bytes, certificate: Certificate) -> None:
    try:
        module_signature.check(module_file.unpack(name, content), certificate)
    except module_signature.SignatureError as error:
        raise SigningError(f"{name} should be signed with build_module_signing_key: {error}") from (
            error
        )


def check_image(content: bytes, certificate: Certificate, work: Path) -> None:
    image, file = work / "vmlinuz.packaged", work / "image-certificate.pem"
    image.write_bytes(content)
    file.write_text(signing_key.pem("CERTIFICATE", certificate.encoded))
    argv = ["sbverify", "--cert", str(file), str(image)]
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
    modules, image = keys.certificate("modules"), keys.certificate("image")
    with tarfile.open(fileobj=stream, mode="r|") as tar:
        for member in tar:
            name = member.name[2:] if member.name.startswith("./") else member.name
            content = tar.extractfile(member) if member.isfile() else None
            if content is None:
                continue
            if module_file.is_module(name) and modules:
                check_module(name, content.read(), modules)
            if attach.is_image(name) and image:
                check_image(content.read(), image, work)


def check_packages(packages: Iterable[Path], keys: Keys, work: Path) -> None:
    """Every module and the image: what is stored must not be refused by a host that asks for it."""
    if not keys.certificates():
        return
    for package in filter(attach.has_signable, packages):
        try:
            with deb.contents(package) as stream:
                _check_tar(stream, keys, work)
        except (deb.PackageError, module_file.ModuleFileError) as error:
            raise SigningError(str(error)) from error
        except (OSError, lzma.LZMAError, subprocess.SubprocessError) as error:
            raise SigningError(f"{package} cannot be read: {error}") from error
