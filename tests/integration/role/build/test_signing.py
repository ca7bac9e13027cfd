# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The role build with a key for the modules, on the fake tree; and what preflight says of keys."""

from __future__ import annotations

import json
import os
import resource
import shlex
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._build import (
    module_signature,
    signatures,
    signing_key,
)
from ansible_collections.oslab.kernel.tests.lib import signing_keys as made

# What the role config sets with a key.
OPTIONS = """CONFIG_MODULE_SIG=y
# CONFIG_MODULE_SIG_ALL is not set
CONFIG_MODULE_SIG_KEY="certs/oslab-signing-key.pem"
"""


@pytest.fixture
def pem(tmp_path):
    return made.pair(tmp_path / "mine")


@pytest.fixture
def signed(role, pem):
    """A tree whose configuration asks for signatures, and the key."""
    config = role.tree / ".config"
    text = config.read_text().replace("# CONFIG_XFS_FS is not set", "CONFIG_XFS_FS=m")
    config.write_text(text + OPTIONS)
    subprocess.run(["make", "-s", "olddefconfig"], cwd=role.tree, check=True)
    role.variables["build_module_signing_key"] = str(pem)
    return role


def files(package: Path):
    with (
        subprocess.Popen(
            ["dpkg-deb", "--fsys-tarfile", str(package)], stdout=subprocess.PIPE
        ) as process,
        tarfile.open(fileobj=process.stdout, mode="r|") as tar,
    ):
        for member in tar:
            if member.isfile():
                content = tar.extractfile(member)
                assert content is not None
                yield member.name, content.read()


def packaged(role):
    found = {}
    for package in role.result["packages"].values():
        found.update(files(Path(role.result["store"]) / package["file"]))
    return found


def test_every_module_is_signed_and_the_key_is_nowhere(signed, pem, monkeypatch):
    monkeypatch.setenv("ANSIBLE_DEBUG", "1")  # prints all that it can
    run = signed.run("-vvv", "--diff")
    assert run.status == 0, run.output
    certificate = signing_key.parse(pem.read_text(), "x").certificate
    assert signed.result["manifest"]["signers"] == {"modules": certificate.public()}
    everything = packaged(signed)
    modules = {name: content for name, content in everything.items() if name.endswith(".ko")}
    assert any("extra/oslab/hello_mod.ko" in name for name in modules)
    assert len(modules) > 1
    for content in modules.values():
        module_signature.check(content, certificate)

    secrets = made.secrets(pem)
    for secret in secrets:
        assert secret not in run.output.encode()
        assert not [name for name, content in everything.items() if secret in content]
    for path in signed.directory.rglob("*"):
        assert not (path.is_symlink() and "/fd/" in str(path.readlink())), path
        if path.is_file() and path.parent != pem.parent:
            content = path.read_bytes()
            assert not any(secret in content for secret in secrets), path

    # The same key again: nothing to do. Another one: another build.
    assert signed.run().recap("changed") == 0
    first = signed.result["build_id"]
    other = made.pair(pem.parent, "other")
    run = signed.run(build_module_signing_key=str(other))
    assert run.status == 0, run.output
    assert signed.result["build_id"] != first


# --- the way to the builder ---------------------------------------------------------------------


@pytest.fixture
def on_disk(tmp_path, monkeypatch, signed, pem):
    """What Ansible has on the builder's disk whenever it starts a program there, by file."""
    remote, seen = tmp_path / "remote", tmp_path / "seen"
    remote.mkdir()
    seen.mkdir()
    python = tmp_path / "python"
    python.write_text(
        f'#!/bin/sh\ncp -r "{remote}" "{seen}/$$" || exit 1\nexec /usr/bin/python3 "$@"\n'
    )
    python.chmod(0o755)
    monkeypatch.setenv("ANSIBLE_REMOTE_TEMP", str(remote))
    monkeypatch.delenv("ANSIBLE_PIPELINING", raising=False)
    signed.variables["ansible_python_interpreter"] = str(python)

    def find():
        files = [path for path in (*seen.rglob("*"), *remote.rglob("*")) if path.is_file()]
        assert any(seen.iterdir())
        secrets = made.secrets(pem)
        return [path for path in files if any(one in path.read_bytes() for one in secrets)]

    return find


@pytest.mark.parametrize("pipelining", [True, False])
def test_the_key_touches_no_disk_with_or_without_pipelining(signed, on_disk, pipelining):
    run = signed.run(ansible_pipelining=pipelining)
    assert run.status == 0, run.output
    assert on_disk() == []
    assert "signers" in signed.result["manifest"]


def test_files_that_ansible_keeps_would_hold_the_key(signed, on_disk, monkeypatch):
    monkeypatch.setenv("ANSIBLE_KEEP_REMOTE_FILES", "1")
    run = signed.run()
    assert on_disk() == []
    assert run.status != 0
    output = " ".join(run.output.split())
    assert "build_module_signing_key names a private key, but keep_remote_files is set" in output
    assert not (signed.tree / "vmlinux").exists()


def become_through(path, *lines):
    """A program that is called as sudo is, and the variables that have it called."""
    path.write_text(
        "\n".join(
            ["#!/bin/sh", *lines, 'while [ "$1" != /bin/sh ]; do shift; done', 'exec "$@"', ""]
        )
    )
    path.chmod(0o755)
    return {"ansible_become": True, "ansible_become_exe": str(path)}


def test_the_key_reaches_a_builder_through_sudo(signed, on_disk, tmp_path, monkeypatch):
    monkeypatch.setenv("ANSIBLE_BECOME_ALLOW_SAME_USER", "1")
    used = tmp_path / "sudo.used"
    run = signed.run(**become_through(tmp_path / "sudo", f"echo >>{used}"))
    assert run.status == 0, run.output
    assert used.exists()
    assert on_disk() == []


@pytest.mark.parametrize("way", ["requiretty", "su"])
def test_a_way_to_the_builder_that_needs_a_file_is_refused(
    signed, on_disk, tmp_path, monkeypatch, way
):
    monkeypatch.setenv("ANSIBLE_BECOME_ALLOW_SAME_USER", "1")
    if way == "su":
        become = {"ansible_become": True, "ansible_become_method": "su"}
        expected = "become_method su cannot do without"
    else:
        # As sudo does with requiretty, where a module comes by standard input.
        refuse = "echo 'sudo: sorry, you must have a tty to run sudo' >&2; exit 1"
        stat = 'case "$*" in *"read -r line"*) ' + refuse + ";; esac"
        become = become_through(tmp_path / "sudo", stat)
        expected = "you must have a tty to run sudo"
    run = signed.run(**become)
    assert run.status != 0
    output = " ".join(run.output.split())
    assert expected in output
    assert "build_module_signing_key names a private key, but" in output
    assert on_disk() == []
    assert not (signed.tree / "vmlinux").exists()


@pytest.fixture
def openssl(tmp_path, monkeypatch):
    """Have other lines run where a module is signed; `openssl "$@"` is the program."""
    real = str(shutil.which("openssl"))

    def make(*lines):
        programs = tmp_path / "programs"
        programs.mkdir()
        body = [f'openssl() {{ "{real}" "$@"; }}', '[ "$1" = cms ] || exec ' + real + ' "$@"']
        script = programs / "openssl"
        script.write_text("\n".join(["#!/bin/bash", *body, *lines, ""]))
        script.chmod(0o755)
        monkeypatch.setenv("PATH", f"{programs}:{os.environ['PATH']}")

    return make


def test_no_core_dump_holds_the_key(signed, openssl, tmp_path):
    """Not of a program that signs either."""
    found = tmp_path / "limit"
    argv = [sys.executable, "-c", "import resource as r; print(r.getrlimit(r.RLIMIT_CORE)[0])"]
    openssl(f"{shlex.join(argv)} >> {found}", 'openssl "$@"')
    before = resource.getrlimit(resource.RLIMIT_CORE)
    if before[1] == 0:
        pytest.skip("no process of this one may dump core")
    resource.setrlimit(resource.RLIMIT_CORE, (before[1], before[1]))
    try:
        run = signed.run()
    finally:
        resource.setrlimit(resource.RLIMIT_CORE, before)
    assert run.status == 0, run.output
    # With 0 the kernel still starts a program that takes dumps.
    assert set(found.read_text().split()) == {"1"}


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('echo other | openssl "$@"', "its signature is not that of this content"),
        ("echo no luck >&2; exit 3", "openssl ended with status 3: no luck"),
    ],
)
def test_a_module_that_was_not_signed_is_not_stored(signed, openssl, line, message):
    openssl(line)
    run = signed.run()
    assert run.status != 0
    assert message in " ".join(run.output.split())
    assert signed.builds() == []


def test_the_kernels_build_signs_nothing(signed, pem):
    """It has the certificate, and no key, so that others can repeat it."""
    script = signed.tree / "scripts/sign-file"
    script.write_text("#!/bin/sh\nexit 1\n")
    seen = signed.directory / "seen"
    makefile = signed.tree / "Makefile"
    rule = f"\n\t$(Q)cp certs/oslab-signing-key.pem {seen}"
    line = 'echo "  LD      vmlinux"'
    makefile.write_text(makefile.read_text().replace(f"\t@{line}", f"\t@{line}{rule}"))
    run = signed.run()
    assert run.status == 0, run.output
    certificate = signing_key.parse(pem.read_text(), "x").certificate
    assert signing_key.read_certificate(seen.read_text()) == certificate
    about = signed.result["signatures"]
    document = signatures.parse((Path(signed.result["store"]) / about["file"]).read_text())
    modules = {name for name in packaged(signed) if name.endswith(".ko")}
    assert {f"./{name}" for name in document.files} == modules
    assert sorted(about["unsigned"]) == [
        "linux-image-6.12.0-49-usac1",
        "linux-modules-oslab-6.12.0-49-usac1",
    ]


def test_a_vault_keeps_the_key(signed, pem):
    password = pem.with_name("password")
    password.write_text("x\n")
    vault = str(Path(sys.executable).with_name("ansible-vault"))
    argv = [vault, "encrypt", "--vault-password-file", str(password), str(pem)]
    subprocess.run(argv, check=True, capture_output=True)
    assert "PRIVATE" not in pem.read_text()
    pem.chmod(0o644)  # as a checkout has it
    run = signed.run("--vault-password-file", str(password))
    assert run.status == 0, run.output
    assert "signers" in signed.result["manifest"]


def test_a_configuration_that_would_have_a_key_made(role):
    config = role.tree / ".config"
    config.write_text(config.read_text() + "CONFIG_MODULE_SIG=y\n")
    subprocess.run(["make", "-s", "olddefconfig"], cwd=role.tree, check=True)
    run = role.run()
    assert run.status != 0
    assert "would make a key of its own" in " ".join(run.output.split())
    assert not (role.tree / "vmlinux").exists()


# --- preflight ----------------------------------------------------------------------------------


@pytest.fixture
def preflight(tmp_path, playbook):
    """Preflight of a builder that is a target too, with the facts `info`; web2 has `other`."""
    target = {"ansible.builtin.set_fact": {"kernel_target_info": "{{ info }}"}}
    second = {
        "ansible.builtin.add_host": {"name": "web2", "kernel_target_info": "{{ other }}"},
        "when": "other is defined",
    }
    found = {"ansible.builtin.debug": {"msg": "FOUND {{ preflight_secure_boot | to_json }} ENDS"}}
    look = {
        "ansible.builtin.import_role": {
            "name": "oslab.kernel.preflight",
            "tasks_from": "secure_boot.yml",
        }
    }
    play = {
        "hosts": "builder",
        "gather_facts": False,
        "vars": {"preflight_roles": ["build"], "preflight_targets": ["builder", "web2"]},
        "roles": ["oslab.kernel.preflight"],
        "tasks": [target, second, look, found],
    }
    book = tmp_path / "preflight.json"
    book.write_text(json.dumps([play]))

    def run(**variables):
        info = {"release": "6.1.0", "secure_boot": True, "trusted_certificates": []}
        done = playbook(str(book), **{"info": info, **variables})
        return done.status, " ".join(done.output.split())

    return run


def test_preflight_of_keys(preflight, pem, tmp_path):
    status, output = preflight(info={}, build_image_signing_key=str(pem))
    assert status == 0, output
    wrong = tmp_path / "wrong.pem"
    wrong.write_text(pem.read_text().replace("PRIVATE", "ENCRYPTED PRIVATE"))
    wrong.chmod(0o600)
    status, output = preflight(info={}, build_module_signing_key=str(wrong))
    assert status != 0
    assert "build_module_signing_key: the private key is encrypted" in output
    status, output = preflight(info={}, build_image_signing_key="nowhere.pem")
    assert status != 0
    assert "build_image_signing_key: cannot read nowhere.pem" in output


def test_preflight_of_a_key_that_others_can_read(preflight, pem):
    pem.chmod(0o644)
    for variable in ("build_module_signing_key", "build_image_signing_key"):
        status, output = preflight(info={}, **{variable: str(pem)})
        assert status != 0
        assert f"{variable}: {pem} on the control node holds a private key" in output
        assert f"chmod 0600 {pem}" in output


def test_preflight_of_files_that_ansible_keeps(preflight, pem, monkeypatch):
    monkeypatch.setenv("ANSIBLE_KEEP_REMOTE_FILES", "1")
    status, output = preflight(info={}, build_image_signing_key=str(pem))
    assert status != 0
    assert "build_image_signing_key names a private key, but keep_remote_files is set" in output
    # Without a key there is nothing to hide.
    status, output = preflight(info={})
    assert status == 0, output


def test_preflight_of_targets(preflight, pem):
    status, output = preflight()
    assert status != 0
    assert "builder enforces Secure Boot" in output
    assert "Name a key in build_image_signing_key" in output
    status, output = preflight(build_image_signing_key=str(pem))
    assert status != 0
    assert "Enrol it there" in output
    certificate = signing_key.parse(pem.read_text(), "x").certificate
    known = [{"sha256": certificate.sha256, "subject": certificate.subject}]
    info = {"release": "6.1.0", "secure_boot": True, "trusted_certificates": known}
    status, output = preflight(build_image_signing_key=str(pem), info=info)
    assert status == 0, output


def test_a_target_that_refuses_stops_no_other(preflight):
    """The builder itself is one: it still builds."""
    plain = {"release": "6.1.0", "secure_boot": False, "trusted_certificates": None}
    status, output = preflight(other=plain)
    assert status == 0, output
    assert "Left out of this deployment" in output
    assert "builder enforces Secure Boot" in output
    assert "Name a key in build_image_signing_key" in output
    found = json.loads(output.partition("FOUND ")[2].partition(" ENDS")[0].replace("\\", ""))
    assert list(found["refused"]) == ["builder"]
    assert found["accepting"] == ["web2"]


@pytest.mark.parametrize("odd", ["nonsense", {"release": "6.1", "secure_boot": True}, {}])
def test_an_answer_that_makes_no_sense_stops_no_other(preflight, pem, odd):
    """Such as a list of certificates that is none."""
    other = {**odd, "trusted_certificates": [5]} if isinstance(odd, dict) and odd else odd
    info = {"release": "6.1.0", "secure_boot": False}
    status, output = preflight(info=info, other=other, build_image_signing_key=str(pem))
    assert status == 0, output
    assert ("web2 enforces Secure Boot" in output) is bool(isinstance(odd, dict) and odd)


def test_targets_that_all_refuse_stop_the_build(preflight):
    secure = {"release": "6.1.0", "secure_boot": True, "trusted_certificates": []}
    status, output = preflight(other=secure)
    assert status != 0
    assert "builder enforces Secure Boot" in output
    assert "web2 enforces Secure Boot" in output
