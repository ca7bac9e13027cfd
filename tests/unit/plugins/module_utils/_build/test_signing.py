# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A build with keys: what is refused, how packages are signed, what is looked at in the end."""

from __future__ import annotations

import gzip
import lzma
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import (
    signatures,
    signing,
    signing_key,
)
from ansible_collections.oslab.kernel.plugins.module_utils._build.plan import Options, make_plan
from ansible_collections.oslab.kernel.plugins.module_utils._build.signing import Keys, SigningError
from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.tests.lib import signing_keys as made
from ansible_collections.oslab.kernel.tests.lib.module_process import COLLECTIONS

ROOT = Path(__file__).resolve().parents[5]

SIGNED = {
    "CONFIG_EFI_STUB": "y",
    "CONFIG_MODULES": "y",
    "CONFIG_MODULE_SIG": "y",
    "CONFIG_MODULE_SIG_ALL": "n",
    "CONFIG_MODULE_SIG_KEY": '"certs/oslab-signing-key.pem"',
}
UNSIGNED = {**SIGNED, "CONFIG_MODULE_SIG_KEY": '""'}


@pytest.fixture(scope="module")
def pem(tmp_path_factory):
    return made.pair(tmp_path_factory.mktemp("keys"))


@pytest.fixture(scope="module")
def key(pem):
    return signing_key.parse(pem.read_text(), "x")


def refused(config, keys):
    return signing.refusal(config, keys) or ""


def test_good_configurations(key):
    assert not refused(SIGNED, Keys(module=key, image=key))
    for config in (UNSIGNED, {"CONFIG_MODULES": "y"}, {**SIGNED, "CONFIG_MODULES": "n"}, {}):
        assert not refused(config, Keys())
    assert not refused(UNSIGNED, Keys(image=key))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"CONFIG_MODULE_SIG_KEY": '"certs/signing_key.pem"'}, "make a key of its own"),
        (
            {"CONFIG_MODULE_SIG_KEY": '"certs/signing_key.pem"', "CONFIG_MODULE_SIG_ALL": "y"},
            "make a key of its own",
        ),
        ({"CONFIG_MODULE_SIG_ALL": "y"}, "would not know by whom"),
        ({"CONFIG_MODULE_SIG_KEY": '"/root/mine.pem"'}, "would not know by whom"),
        ({"CONFIG_MODULE_SIG_KEY": '"pkcs11:token=x"'}, "would not know by whom"),
        ({"CONFIG_MODULE_SIG_KEY": '"certs/oslab-signing-key.pem"'}, "would not know by whom"),
        ({"CONFIG_MODULE_SIG_FORCE": "y"}, "has MODULE_SIG_FORCE"),
        ({"CONFIG_LOCK_DOWN_KERNEL_FORCE_INTEGRITY": "y"}, "FORCE_INTEGRITY"),
        ({"CONFIG_LOCK_DOWN_KERNEL_FORCE_CONFIDENTIALITY": "y"}, "FORCE_CONFIDENTIALITY"),
    ],
)
def test_without_a_key(changed, message, key):
    assert message in refused({**UNSIGNED, **changed}, Keys())
    assert "build_module_signing_key" in refused({**UNSIGNED, **changed}, Keys())


def test_a_kernel_that_makes_a_key_without_signing_modules_itself():
    """IMA's own use of the signatures has the key made too."""
    config = {"CONFIG_MODULES": "y", "CONFIG_IMA_APPRAISE_MODSIG": "y"}
    config["CONFIG_MODULE_SIG_KEY"] = '"certs/signing_key.pem"'
    assert "make a key of its own" in refused(config, Keys())


@pytest.mark.parametrize(
    "changed",
    [
        {"CONFIG_MODULE_SIG": "n"},
        {"CONFIG_MODULES": "n"},
        {"CONFIG_MODULE_SIG_ALL": "y"},
        {"CONFIG_MODULE_SIG_KEY": '"certs/signing_key.pem"'},
    ],
)
def test_a_key_that_the_configuration_does_not_use(changed, key):
    assert "config_module_signing" in refused({**SIGNED, **changed}, Keys(module=key))


def test_an_image(key):
    assert "EFI_STUB" in refused({**UNSIGNED, "CONFIG_EFI_STUB": "n"}, Keys(image=key))
    # Under Secure Boot such a kernel loads no module, and its drivers are modules.
    locked = {"CONFIG_LOCK_DOWN_IN_EFI_SECURE_BOOT": "y"}
    assert "build_module_signing_key" in refused({**UNSIGNED, **locked}, Keys(image=key))
    assert not refused({**UNSIGNED, **locked}, Keys())
    assert not refused({**SIGNED, **locked}, Keys(module=key, image=key))


def test_what_the_manifest_says(key):
    assert Keys().stated() == {}
    stated = Keys(module=key, image=key).stated()
    assert stated["signers"]["modules"] == stated["signers"]["image"] == key.certificate.public()
    assert "PRIVATE" not in repr(Keys(module=key))


def test_whose_key_it_is_makes_another_build(key, tmp_path):
    (tmp_path / ".oslab").mkdir()
    (tmp_path / ".oslab/source.json").write_text('{"sha256": "s", "source_date_epoch": 1}')
    (tmp_path / "Makefile").write_text("VERSION = 6\nPATCHLEVEL = 12\nSUBLEVEL = 1\n")
    (tmp_path / ".config").write_text("CONFIG_MODULES=y\n")

    def plan(keys, **changed):
        def run(argv, cwd=None, environment=None):
            return Result(0, changed.get(argv[0], "version 1"))

        return make_plan(Options(tree=tmp_path, store=tmp_path, keys=keys), run)

    signed = plan(Keys(module=key, image=key))
    assert signed.manifest["signers"]["image"]["sha256"] == key.certificate.sha256
    ids = {plan(keys).build_id for keys in (Keys(), Keys(module=key), Keys(image=key))}
    assert len({*ids, signed.build_id}) == 4
    # What the programs are by which it is signed, and nothing of the private key.
    assert plan(Keys(module=key, image=key), sbsign="version 2").build_id != signed.build_id
    other = signing_key.SigningKey(key.certificate, "another text")
    assert plan(Keys(module=other, image=other)).build_id == signed.build_id
    assert "PRIVATE" not in repr(signed)


def test_kbuild_has_the_certificate_alone(key, tmp_path):
    tree = tmp_path / "linux"
    (tree / "certs").mkdir(parents=True)
    file = tree / "certs/oslab-signing-key.pem"
    # What a killed build of an older version has left.
    file.symlink_to("/proc/1/fd/99")
    with signing.certificate_at_hand(Keys(module=key, image=key), tree, 1700000000):
        assert signing_key.read_certificate(file.read_text()) == key.certificate
        assert "PRIVATE" not in file.read_text()
        assert (file.stat().st_mode & 0o777, int(file.stat().st_mtime)) == (0o644, 1700000000)
    assert not file.exists()
    with signing.certificate_at_hand(Keys(image=key), tree, 0):
        assert not file.exists()


def test_a_key_is_gone_with_the_process_however_it_ends(key, pem):
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from ansible_collections.oslab.kernel.plugins.module_utils._build import signing as b,"
        " signing_key as k\n"
        f"key = k.parse(Path({str(pem)!r}).read_text(), 'x')\n"
        "with b._in_memory(key) as path:\n"
        "    print(path, 'PRIVATE' in Path(path).read_text(), flush=True)\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(COLLECTIONS)}
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, check=False, stdout=subprocess.PIPE
    )
    assert done.returncode == -9
    path, had_it = done.stdout.decode().split()
    assert had_it == "True"
    assert path.startswith("/proc/")
    assert not Path(path).exists()


def test_another_certificate_is_built_in_though_it_is_no_newer(key, tmp_path):
    (tmp_path / "certs").mkdir()
    extracted = tmp_path / "certs/signing_key.x509"
    for content, stays in (
        (key.certificate.encoded, True),
        (b"another one's", False),
        (b"", False),
    ):
        extracted.write_bytes(content)
        with signing.certificate_at_hand(Keys(module=key), tmp_path, 0):
            assert extracted.exists() is stays


# --- packages -----------------------------------------------------------------------------------


def package(directory, name, files):
    root = directory / name
    for path, content in files.items():
        (root / path).parent.mkdir(parents=True, exist_ok=True)
        (root / path).write_bytes(content)
    (root / "DEBIAN").mkdir()
    (root / "DEBIAN/control").write_text(
        f"Package: {name}\nVersion: 1\nArchitecture: all\nMaintainer: x <x@x>\nDescription: x\n"
    )
    deb = directory / f"{name}_1_all.deb"
    subprocess.run(["dpkg-deb", "--build", str(root), str(deb)], check=True, capture_output=True)
    return deb


@pytest.fixture(scope="module")
def module(pem, tmp_path_factory):
    path = tmp_path_factory.mktemp("module") / "x.ko"
    path.write_bytes(b"\x7fELF" + bytes(5000))
    script = ROOT / "tests/fixtures/fakelinux/scripts/sign-file"
    subprocess.run([sys.executable, str(script), "sha256", str(pem), str(path)], check=True)
    return path.read_bytes()


def run(argv, cwd=None, environment=None):
    done = subprocess.run(argv, cwd=cwd, env=environment, capture_output=True, check=False)
    return Result(done.returncode, done.stdout.decode(), done.stderr.decode())


def sign(directory, packages, keys):
    """As a build does it."""
    directory.mkdir()
    settings = signing.Settings("1" * 64, "sha256", 1700000000, 2, directory)
    environment = {**os.environ, "SOURCE_DATE_EPOCH": "1700000000", "KDEB_COMPRESS": "gzip"}
    return signing.sign_packages(packages, keys, settings, run, environment)


def zstd(content):
    argv = ["zstd", "--quiet", "--stdout"]
    return subprocess.run(argv, input=content, capture_output=True, check=True).stdout


@pytest.mark.parametrize(
    ("suffix", "compress"),
    [("", bytes), (".xz", lzma.compress), (".gz", gzip.compress), (".zst", zstd)],
)
def test_every_module_is_looked_at(tmp_path, module, key, suffix, compress):
    good = f"lib/modules/6/extra/oslab/a.ko{suffix}"
    deb = package(tmp_path, "linux-modules-oslab-6", {good: compress(module)})
    signing.check_packages([deb], Keys(module=key), tmp_path)
    bad = f"usr/lib/modules/6/kernel/b.ko{suffix}"
    deb = package(tmp_path, "linux-image-6", {good: compress(module), bad: compress(module[:500])})
    signing.check_packages([deb], Keys(), tmp_path)
    with pytest.raises(SigningError, match=r"b\.ko.*build_module_signing_key: it has no signature"):
        signing.check_packages([deb], Keys(module=key), tmp_path)


def test_symbols_for_a_debugger_are_no_modules(tmp_path, key):
    deb = package(tmp_path, "linux-image-6-dbg", {"usr/lib/debug/lib/modules/6/b.ko": b"x"})
    signing.check_packages([deb], Keys(module=key), tmp_path)


def test_a_damaged_package(tmp_path, key):
    deb = tmp_path / "linux-image-6_1_all.deb"
    deb.write_bytes(b"!<arch>\nnothing")
    with pytest.raises(SigningError):
        signing.check_packages([deb], Keys(module=key), tmp_path)


def test_an_image_that_sbverify_refuses(tmp_path, key, monkeypatch):
    programs = tmp_path / "bin"
    programs.mkdir()
    verify = programs / "sbverify"
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    deb = package(tmp_path, "linux-image-6", {"boot/vmlinuz-6": b"MZ"})
    for status in (0, 1):
        verify.write_text(f"#!/bin/sh\ngrep -q CERTIFICATE $2 && echo said; exit {status}\n")
        verify.chmod(0o755)
        if status == 0:
            signing.check_packages([deb], Keys(image=key), tmp_path)
            continue
        with pytest.raises(SigningError, match="said"):
            signing.check_packages([deb], Keys(image=key), tmp_path)


# --- signatures ---------------------------------------------------------------------------------

MODULES = {
    "lib/modules/6/kernel/a.ko": b"\x7fELF a",
    "lib/modules/6/kernel/b.ko.xz": lzma.compress(b"\x7fELF b"),
    "lib/modules/6/modules.order": b"kernel/a.ko\n",
}


@pytest.fixture
def unsigned(tmp_path):
    """Packages, and a way to have them as they were in another directory."""
    made = [
        package(tmp_path, "linux-image-6", MODULES),
        package(tmp_path, "linux-modules-oslab-6", {"lib/modules/6/extra/c.ko": b"\x7fELF c"}),
        package(tmp_path, "oslab-kernel-tools", {"usr/bin/x": b"x"}),
        package(tmp_path, "linux-image-6-dbg", {"usr/lib/debug/lib/modules/6/a.ko": b"x"}),
    ]

    def copies(name):
        place = tmp_path / name
        place.mkdir()
        return [Path(shutil.copy(path, place)) for path in made]

    return copies


def contents(packages):
    return {path.name: path.read_bytes() for path in packages}


def test_who_has_no_key_makes_the_same_packages(tmp_path, unsigned, key):
    before, holder, stranger = unsigned("before"), unsigned("holder"), unsigned("stranger")
    signed = sign(tmp_path / "one", holder, Keys(module=key))
    changed = {name for name, data in contents(holder).items() if data != contents(before)[name]}
    assert changed == {"linux-image-6_1_all.deb", "linux-modules-oslab-6_1_all.deb"}
    signing.check_packages(holder, Keys(module=key), tmp_path)
    assert sorted(signed.files) == [
        "lib/modules/6/extra/c.ko",
        "lib/modules/6/kernel/a.ko",
        "lib/modules/6/kernel/b.ko.xz",
    ]
    assert signed.unsigned == {
        path.name.split("_")[0]: bounded_read.sha256(path)
        for path in before
        if path.name in changed
    }
    assert "PRIVATE" not in signed.encode()

    published = signatures.parse(signed.encode())
    again = sign(tmp_path / "two", stranger, Keys(published=published))
    assert contents(stranger) == contents(holder)
    assert again.encode() == signed.encode()
    assert signing.are_for(published, again)


def test_the_key_makes_the_same_signatures_again(tmp_path, unsigned, key):
    one = sign(tmp_path / "one", unsigned("holder"), Keys(module=key))
    assert sign(tmp_path / "two", unsigned("again"), Keys(module=key)).encode() == one.encode()


def test_signatures_of_other_packages(tmp_path, unsigned, key):
    """They are attached all the same, so that a comparison can name what differs."""
    signed = sign(tmp_path / "one", unsigned("holder"), Keys(module=key))
    other = tmp_path / "other"
    other.mkdir()
    changed = package(other, "linux-image-6", {"lib/modules/6/kernel/a.ko": b"\x7fELF other"})
    keys = Keys(published=signatures.parse(signed.encode()))
    again = sign(tmp_path / "two", [changed], keys)
    assert again
    assert not signing.are_for(signatures.parse(signed.encode()), again)
    with pytest.raises(SigningError, match="not that of this content"):
        signing.check_packages([changed], keys, tmp_path)


def test_a_program_that_cannot_sign(tmp_path, unsigned, key, monkeypatch):
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "openssl").write_text("#!/bin/sh\necho no luck >&2; exit 3\n")
    (programs / "openssl").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    with pytest.raises(SigningError, match=r"a\.ko was not signed: openssl .* 3: no luck"):
        sign(tmp_path / "one", unsigned("x"), Keys(module=key))


def test_the_zone_of_the_builder_makes_no_difference(tmp_path, key, monkeypatch):
    """The time of an image's signature is in it."""
    programs = tmp_path / "bin"
    programs.mkdir()
    (programs / "faketime").write_text('#!/bin/sh\necho "$2 in $TZ" >&2; exit 3\n')
    (programs / "faketime").chmod(0o755)
    monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    deb = package(tmp_path, "linux-image-6", {"boot/vmlinuz-6": b"MZ"})
    with pytest.raises(SigningError, match="3: 2023-11-14 22:13:20 in UTC"):
        sign(tmp_path / "one", [deb], Keys(image=key))


@pytest.mark.skipif(not shutil.which("sbsign"), reason="sbsigntool is not installed")
def test_an_image_too(tmp_path, key):
    plain, image = tmp_path / "plain", tmp_path / "image"
    plain.write_bytes(bytes(range(256)) * 40)
    script = ROOT / "tests/fixtures/fakelinux/scripts/efi_image.py"
    subprocess.run([sys.executable, script, image, plain], check=True)
    for name in ("holder", "stranger"):
        (tmp_path / name).mkdir()
    files = {"boot/vmlinuz-6": image.read_bytes()}
    holder, stranger = (
        [package(tmp_path / name, "linux-image-6", files)] for name in ("holder", "stranger")
    )
    signed = sign(tmp_path / "one", holder, Keys(image=key))
    signing.check_packages(holder, Keys(image=key), tmp_path)
    published = signatures.parse(signed.encode())
    sign(tmp_path / "two", stranger, Keys(published=published))
    assert contents(stranger) == contents(holder)
    assert published.certificates["image"] == key.certificate
    # When it says that it was signed: at the time of the source.
    assert b"231114221320Z" in published.files["boot/vmlinuz-6"]
