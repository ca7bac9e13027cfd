# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a host takes from the repository: the role's tasks, with an apt on a root of its own."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest

VERSION, NEWER = "6.12.0-oslab1.0123456789ab", "6.12.0-oslab1.ffffffffffff"
RELEASE = "6.12.0-test"
IMAGE, FOREIGN, TOOLS = f"linux-image-{RELEASE}", "totally-new-tool", "oslab-kernel-tools"
PACKAGES = [IMAGE, TOOLS]

PLAY = [
    {
        "name": "Configure",
        "hosts": "kernel_builders",
        "gather_facts": False,
        "tasks": [
            {
                "name": "Configure the repository",
                "ansible.builtin.include_role": {
                    "name": "oslab.kernel.{{ wanted_role }}",
                    "tasks_from": "{{ wanted_tasks }}",
                },
            }
        ],
    }
]


def package(repository, name, version, depends=""):
    """As the fixture makes them, with a dependency."""
    path = Path(repository.package(version, name))
    if not depends:
        return str(path)
    tree = path.parent / "unpacked"
    shutil.rmtree(tree, ignore_errors=True)
    subprocess.run(["dpkg-deb", "--raw-extract", path, tree], check=True)
    with (tree / "DEBIAN/control").open("a") as control:
        control.write(f"Depends: {depends}\n")
    argv = ["dpkg-deb", "--root-owner-group", "--build", str(tree), str(path)]
    subprocess.run(argv, check=True, stdout=subprocess.DEVNULL)
    return str(path)


class Host:
    """A root for apt, of a host that has a distribution's repository, too."""

    def __init__(self, client, playbook, book, distribution_url, distribution_key):
        self.client, self.playbook, self.book = client, playbook, book
        self.etc = client.root / "etc/apt"
        self.source = self.etc / "sources.list.d/oslab-kernel.sources"
        self.preferences = self.etc / "preferences.d/00-oslab-kernel"
        self.url, self.key, self.fingerprint, self.tools = "", "", "", ""
        for path in (self.source, self.preferences):
            path.parent.mkdir()
        text = client.config.read_text().replace(str(client.source), "/dev/null")
        parts = 'SourceParts "/dev/null"'
        assert parts in text
        client.config.write_text(text.replace(parts, f'SourceParts "{self.source.parent}"'))
        lines = "\n".join(f" {line or '.'}" for line in distribution_key.strip().splitlines())
        (self.source.parent / "distribution.sources").write_text(
            f"Types: deb\nURIs: {distribution_url}\nSuites: stable\nComponents: main\n"
            f"Signed-By:\n{lines}\n"
        )
        client.source.unlink()
        assert client.get("update").returncode == 0

    def sums(self):
        paths = (self.source, self.preferences)
        names = [str(path) for path in paths if path.exists()]
        made = subprocess.run(["sha256sum", *names], capture_output=True, text=True, check=True)
        sums = {line.split()[1]: line.split()[0] for line in made.stdout.splitlines()}
        return {str(path): sums.get(str(path)) for path in paths}

    def indexes(self):
        answer = subprocess.run(
            ["apt-config", "shell", "FOUND", "Dir::State::lists/d"],
            env={**os.environ, "APT_CONFIG": str(self.client.config)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        return list(Path(answer.split("'")[1]).glob("*InRelease"))

    def run(self, tasks, *options, role="install", **variables):
        return self.playbook(
            str(self.book),
            *options,
            wanted_role=role,
            wanted_tasks=tasks,
            install_source_file=str(self.source),
            install_preferences_file=str(self.preferences),
            install_host_facts={"files": self.sums()},
            install_release=RELEASE,
            install_version=VERSION,
            install_packages=PACKAGES,
            install_lock_timeout=5,
            **{
                "install_missing": PACKAGES,
                "install_repository_url": self.url,
                "install_repository_key": self.key,
                **variables,
            },
        )

    def policy(self, name):
        output = subprocess.run(
            ["apt-cache", "policy", name],
            env={**os.environ, "LC_ALL": "C", "APT_CONFIG": str(self.client.config)},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        return next(line.split()[1] for line in output.splitlines() if "Candidate:" in line)

    def install(self, path):
        """As dpkg records it."""
        argv = ["dpkg-deb", "--field", path]
        fields = subprocess.run(argv, capture_output=True, text=True, check=True).stdout
        status = fields.replace("Version:", "Status: install ok installed\nVersion:")
        (self.client.root / "status").write_text(status + "\n")

    def installs(self, *names):
        done = self.client.get("--simulate", "install", *names)
        lines = [line.split() for line in done.stdout.splitlines()]
        return sorted(words[1] for words in lines if words[:1] == ["Inst"]), done.stdout


@pytest.fixture
def host(repository, playbook, client_of, serve, tmp_path, monkeypatch, short_path):
    # As whoever holds the repository's key can publish it.
    ours = [
        package(repository, IMAGE, VERSION, depends=FOREIGN),
        *(package(repository, name, VERSION) for name in (TOOLS, FOREIGN)),
        *(package(repository, name, NEWER) for name in (TOOLS, "bash")),
    ]
    assert repository.publish(*ours, name="lab")["changed"]
    (short_path / "distribution").mkdir()
    other = type(repository)(short_path / "distribution")
    assert other.publish(package(other, "bash", "1"), label="distribution")["changed"]
    book = tmp_path / "play.json"
    book.write_text(json.dumps(PLAY))
    with serve(repository.public) as url, serve(other.public) as distribution_url:
        client = client_of(url, repository.key.public)
        monkeypatch.setenv("APT_CONFIG", str(client.config))
        distribution = distribution_url.replace("127.0.0.1", "localhost")
        made = Host(client, playbook, book, distribution, other.key.public)
        made.url, made.key = url, repository.key.public
        made.fingerprint, made.tools = repository.key.fingerprint, ours[1]
        yield made
    other.key.close()


def test_nothing_but_the_kernels_packages_can_be_installed(host):
    first = host.run("repository/configure")
    assert first.status == 0, first.output
    assert host.policy(FOREIGN) == "(none)"
    # The distribution's, though the repository has a newer one.
    assert host.policy("bash") == "1"
    # Not as a dependency either.
    found, output = host.installs(f"{IMAGE}={VERSION}")
    assert found == []
    assert f"Depends: {FOREIGN}" in output
    # Ours can, and a newer build is no update of it.
    assert host.policy(TOOLS) == VERSION
    assert host.installs(f"{TOOLS}={VERSION}")[0] == [TOOLS]
    assert host.preferences.stat().st_mode & 0o777 == 0o644
    again = host.run("repository/configure")
    assert again.recap("changed") == 0, again.output


@pytest.mark.parametrize(
    "setting",
    [
        'Acquire::GzipIndexes "true";',
        'APT::Architectures { "amd64"; "i386"; };',
    ],
)
def test_it_holds_whatever_the_settings_of_apt(host, setting):
    with host.client.config.open("a") as config:
        config.write(f"{setting}\n")
    first = host.run("repository/configure")
    assert first.status == 0, first.output
    assert host.policy(FOREIGN) == "(none)"
    assert host.policy("bash") == "1"
    assert host.installs(f"{TOOLS}={VERSION}")[0] == [TOOLS]
    host.install(host.tools)
    upgrade = host.client.get("--simulate", "dist-upgrade").stdout
    assert "0 upgraded" in upgrade, upgrade


def test_a_default_release_that_is_called_as_the_suite(host):
    """It counts more than pins of all packages."""
    with host.client.config.open("a") as config:
        config.write('APT::Default-Release "stable";\n')
    run = host.run("repository/configure")
    assert run.recap("failed") == 1
    output = " ".join(run.output.split())
    assert "the priority 990, although" in output
    assert "APT::Default-Release (`apt-config dump`) names it by its suite" in output
    assert not host.source.exists()
    assert not host.preferences.exists()


def test_an_installed_package_stays_in_its_version(host):
    assert host.run("repository/configure").status == 0
    host.install(host.tools)
    upgrade = host.client.get("--simulate", "dist-upgrade").stdout
    assert "0 upgraded" in upgrade, upgrade


def test_a_repository_on_the_same_host_as_others(host):
    """By the host's name the distribution's packages would be pinned, too."""
    host.url = host.url.replace("127.0.0.1", "localhost")
    run = host.run("repository/configure")
    assert run.status == 0, run.output
    assert host.policy(FOREIGN) == "(none)"
    assert host.policy("bash") == "1"


def test_pins_that_do_not_hold(host):
    (host.etc / "preferences").write_text("Package: *\nPin: release a=stable\nPin-Priority: 900\n")
    run = host.run("repository/configure")
    assert run.recap("failed") == 1
    assert f"builder: apt gives {host.url} the priority 900" in run.output
    # As it was: nothing of the repository can be installed.
    assert not host.source.exists()
    assert not host.preferences.exists()
    without = host.run("repository/configure", install_repository_pin=False)
    assert without.status == 0, without.output
    assert not host.preferences.exists()


def test_the_pins_go_with_the_repository(host):
    assert host.run("repository/configure").status == 0
    both = host.indexes()
    run = host.run("repository/remove", role="remove")
    assert run.status == 0, run.output
    assert not host.source.exists()
    assert not host.preferences.exists()
    # The distribution's stays.
    assert 0 < len(host.indexes()) < len(both)
    assert host.run("repository/remove", role="remove").recap("changed") == 0


def test_another_key_is_not_taken_silently(host, other_key):
    assert host.run("repository/configure").status == 0
    before = host.source.read_text()
    run = host.run("repository/configure", install_repository_key=other_key.public)
    assert run.recap("failed") == 1
    assert f"builder trusts {host.fingerprint}" in run.output
    assert f"install_repository_key is {other_key.fingerprint}" in run.output
    assert "install_replace_repository_key" in run.output
    assert host.source.read_text() == before
    checked = host.run("repository/configure", "--check", install_repository_key=other_key.public)
    assert checked.recap("failed") == 1
    # By name, the repository is signed by that one meanwhile.
    named = host.run(
        "repository/configure",
        install_repository_key=other_key.public,
        install_replace_repository_key=True,
        install_missing=[],
    )
    assert named.status == 0, named.output
    assert host.source.read_text() != before


def test_the_same_key_at_another_address(host):
    assert host.run("repository/configure").status == 0
    host.url = host.url.replace("127.0.0.1", "localhost") + "/"
    run = host.run("repository/configure")
    assert run.status == 0, run.output
    assert host.policy(FOREIGN) == "(none)"
    assert host.run("repository/configure").recap("changed") == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"install_repository_url": "http://one\nTrusted: yes"},
        {"install_repository_url": 'http://one"two'},
        {"install_repository_suite": "stable\nTrusted: yes"},
        {"install_repository_component": "main non-free"},
    ],
)
def test_values_that_would_change_the_source(host, wrong):
    run = host.run("repository/configure", **wrong)
    assert run.recap("failed") == 1
    assert not host.source.exists()
    (name,) = wrong
    assert f"{name} (" in run.output
