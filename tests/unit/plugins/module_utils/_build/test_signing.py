# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A build with keys: what is refused, where they are meanwhile, what is looked at in the end."""

from __future__ import annotations

import gzip
import lzma
import os
import subprocess
import sys
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import signing, signing_key
from ansible_collections.oslab.kernel.plugins.module_utils._build.plan import Options, make_plan
from ansible_collections.oslab.kernel.plugins.module_utils._build.signing import Keys, SigningError
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.tests.lib import signing_keys as made
from ansible_collections.oslab.kernel.tests.lib.module_process import COLLECTIONS

ROOT = Path(__file__).resolve().parents[5]

SIGNED = {
    "CONFIG_EFI_STUB": "y",
    "CONFIG_MODULES": "y",
    "CONFIG_MODULE_SIG": "y",
    "CONFIG_MODULE_SIG_ALL": "y",
    "CONFIG_MODULE_SIG_KEY": '"certs/oslab-signing-key.pem"',
}
UNSIGNED = {**SIGNED, "CONFIG_MODULE_SIG_ALL": "n", "CONFIG_MODULE_SIG_KEY": '""'}


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
        {"CONFIG_MODULE_SIG_ALL": "n"},
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


def cat(path):
    """As make and sign-file read it: from another process."""
    return subprocess.run(["cat", str(path)], capture_output=True, check=True).stdout.decode()


def test_where_the_keys_are(key, tmp_path):
    tree, work = tmp_path / "linux", tmp_path / "linux.build"
    (tree / "certs").mkdir(parents=True)
    work.mkdir()
    link = tree / "certs/oslab-signing-key.pem"
    with signing.at_hand(Keys(module=key, image=key), tree, work, 1700000000):
        assert signing_key.parse(cat(link), "x") == key
        assert cat(work / "image-key.pem") == cat(link)
        assert (link.stat().st_mode & 0o777, int(link.stat().st_mtime)) == (0o600, 1700000000)
        # On no file system: nothing of it is there but the link.
        assert str(link.readlink()).startswith(f"/proc/{os.getpid()}/fd/")
        assert "2023-11-14 22:13:20" in (work / "sign-image.mk").read_text()
    assert not link.is_symlink()
    assert not (work / "image-key.pem").is_symlink()


def test_they_are_gone_with_the_process_however_it_ends(key, pem, tmp_path):
    (tmp_path / "certs").mkdir()
    program = (
        "import os, signal, sys; from pathlib import Path\n"
        "from ansible_collections.oslab.kernel.plugins.module_utils._build import signing as b,"
        " signing_key as k\n"
        f"key = k.parse(Path({str(pem)!r}).read_text(), 'x')\n"
        f"with b.at_hand(b.Keys(module=key), Path({str(tmp_path)!r}), Path('/'), 0):\n"
        "    os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(COLLECTIONS)}
    done = subprocess.run([sys.executable, "-c", program], env=environment, check=False)
    assert done.returncode == -9
    link = tmp_path / "certs/oslab-signing-key.pem"
    assert link.is_symlink()
    assert not link.exists()
    # The next build takes its place.
    with signing.at_hand(Keys(module=key), tmp_path, tmp_path, 0):
        assert signing_key.parse(cat(link), "x") == key


def test_another_key_is_built_in_though_it_is_no_newer(key, tmp_path):
    (tmp_path / "certs").mkdir()
    extracted = tmp_path / "certs/signing_key.x509"
    for content, stays in (
        (key.certificate.encoded, True),
        (b"another one's", False),
        (b"", False),
    ):
        extracted.write_bytes(content)
        with signing.at_hand(Keys(module=key), tmp_path, tmp_path, 0):
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
