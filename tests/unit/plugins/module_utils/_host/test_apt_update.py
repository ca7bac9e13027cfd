# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which source fails and why; which package apt may not install, and by which file."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._host import apt_update
from ansible_collections.oslab.kernel.plugins.module_utils._host.apt_update import AptError

# As apt 2.6 prints it.
OUT = """\
Hit:1 http://example.org/debian bookworm InRelease
Err:2 http://127.0.0.1:9/debian bookworm InRelease
  Could not connect to 127.0.0.1:9 (127.0.0.1). - connect (111: Connection refused)
Err:3 http://no-such-host.invalid/debian bookworm InRelease
  Could not resolve 'no-such-host.invalid'
Ign:4 http://example.org/debian nosuchsuite InRelease
Err:5 http://example.org/debian nosuchsuite Release
  404  Not Found [IP: 203.0.113.80 80]
Reading package lists...
"""
ERR = """\
E: The repository 'http://example.org/debian nosuchsuite Release' does not have a Release file.
E: Some index files failed to download. They have been ignored, or old ones used instead.
"""
LOCKED = "E: Could not get lock /var/lib/apt/lists/lock. It is held by process 7 (apt-get)\n"
POLICY = """\
linux-image-6.12:
  Installed: (none)
  Candidate: (none)
  Version table:
     2 -1
        500 http://kernel.example/debian stable/main amd64 Packages
 *** 1 -1
        100 /var/lib/dpkg/status
make:
  Installed: 4.3
  Candidate: 4.3
  Version table:
 *** 4.3 500
        500 http://example.org/debian bookworm/main amd64 Packages
"""
PIN = "Explanation: no kernels\nPackage: foo linux-image-*\nPin: release *\nPin-Priority: -1\n"


class Apt:
    """Answers of its programs, one after the other for an update."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.updates: list[Result] = [Result(0)]
        self.asked: list[Sequence[str]] = []
        self.policy = POLICY
        self.proxies = ""

    def __call__(self, argv: Sequence[str]) -> Result:
        self.asked.append(argv)
        if argv[:2] == ["apt-get", "update"]:
            return self.updates.pop(0) if len(self.updates) > 1 else self.updates[0]
        if argv[0] == "apt-config":
            if "Acquire::http::Proxy" in argv:
                return Result(0, self.proxies)
            place = self.directory
            return Result(0, f"FILE='{place}/preferences'\nPARTS='{place}/preferences.d/'\n")
        if argv[0] == "dpkg-query":
            known = "make 4 install ok installed\ngcc 12 deinstall ok config-files\n"
            return Result(1, known, "no packages found matching x")
        return Result(0, self.policy)


@pytest.fixture
def apt(tmp_path: Path) -> Apt:
    (tmp_path / "preferences.d").mkdir()
    return Apt(tmp_path)


def update(apt: Apt, source: str = "", lock_seconds: float = 60) -> list[float]:
    slept: list[float] = []
    apt_update.update(apt, source, lock_seconds, slept.append)
    return slept


def test_each_source_that_fails_is_named_with_the_reason() -> None:
    assert apt_update.failures(OUT, ERR) == [
        "http://127.0.0.1:9/debian bookworm InRelease: Could not connect to 127.0.0.1:9 "
        "(127.0.0.1). - connect (111: Connection refused)",
        "http://no-such-host.invalid/debian bookworm InRelease: "
        "Could not resolve 'no-such-host.invalid'",
        "http://example.org/debian nosuchsuite Release: 404 Not Found [IP: 203.0.113.80 80]",
    ]


@pytest.mark.parametrize(
    ("out", "err", "message"),
    [
        ("", "E: Malformed entry 1 in list file /a.list (Suite)\n", "Malformed entry 1 in list"),
        ("", "", "no output"),
        ("killed", "", "killed"),
    ],
)
def test_what_fails_before_anything_is_fetched(out: str, err: str, message: str) -> None:
    assert message in apt_update.failures(out, err)[0]


def test_it_fails_at_the_first_attempt(apt: Apt) -> None:
    apt.updates = [Result(100, OUT + "Err:6 http://x\n  gone\n", ERR)]
    with pytest.raises(AptError) as error:
        update(apt)
    assert len(apt.asked) == 1
    assert "apt cannot fetch the index of packages: http://127.0.0.1:9/" in str(error.value)
    assert "; and 1 more. Check the network" in str(error.value)


def test_a_lock_is_waited_for(apt: Apt) -> None:
    apt.updates = [Result(100, "", LOCKED), Result(100, "", LOCKED), Result(0)]
    assert update(apt) == [5, 5]
    apt.updates = [Result(100, "", LOCKED)]
    with pytest.raises(AptError, match=r"held apt's lock for 10 s .*process 7"):
        update(apt, lock_seconds=10)


def test_one_source_alone(apt: Apt) -> None:
    update(apt, source="/a.sources")
    assert "Dir::Etc::SourceList=/a.sources" in apt.asked[0]
    assert "Dir::Etc::SourceParts=/dev/null" in apt.asked[0]


@pytest.mark.parametrize(
    ("proxies", "variables", "message"),
    [
        (
            "HTTP='http://u:secret@proxy.example:3128/'\n",
            {},
            "proxy.example:3128 (Acquire::http::Proxy)",
        ),
        ("HTTPS='http://proxy.example/'\n", {}, "proxy.example (Acquire::https::Proxy)"),
        (
            "AUTO='/usr/bin/auto-apt-proxy'\n",
            {},
            "that /usr/bin/auto-apt-proxy names (Acquire::http::Proxy-Auto-",
        ),
        (
            "",
            {"http_proxy": "http://u:secret@proxy.example:3128"},
            "proxy.example:3128 (http_proxy)",
        ),
        # apt's own configuration counts more.
        ("HTTP='DIRECT'\n", {"http_proxy": "http://proxy.example"}, ""),
        ("HTTP='http://a'\n", {"http_proxy": "http://b"}, "the proxy a (Acquire"),
        ("", {"http_proxy": ""}, ""),
        ("", {}, ""),
    ],
)
def test_a_proxy_between_host_and_repository_is_named(
    apt: Apt,
    monkeypatch: pytest.MonkeyPatch,
    proxies: str,
    variables: dict[str, str],
    message: str,
) -> None:
    for name in ("http_proxy", "https_proxy"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    apt.updates, apt.proxies = [Result(100, OUT, ERR)], proxies
    with pytest.raises(AptError) as error:
        update(apt, source="/a.sources")
    text = str(error.value)
    assert ("apt goes through the proxy" in text) is bool(message)
    assert message in text
    assert "secret" not in text


def test_a_package_that_is_pinned_away(apt: Apt) -> None:
    (apt.directory / "preferences.d/10-theirs").write_text(
        f"Package: libc6\nPin: release *\nPin-Priority: -9\n  \n{PIN}"
    )
    (apt.directory / "preferences.d/ours.pref").write_text(PIN.replace("-1", "1"))
    (apt.directory / "preferences.d/not.read").write_text(PIN)
    with pytest.raises(AptError) as error:
        apt_update.check_pins(apt, ["make", "linux-image-6.12=2"])
    assert "forbid to install linux-image-6.12 (priority -1)" in str(error.value)
    there = f"'Package: foo linux-image-*' in {apt.directory}/preferences.d/10-theirs (-1)"
    assert there in str(error.value)
    assert "libc6" not in str(error.value)
    assert "ours.pref" not in str(error.value)
    assert "not.read" not in str(error.value)


@pytest.mark.parametrize("packages", ["*", "src:linux", "/^linux-/", "linux-image-6.12"])
def test_records_that_may_cover_it(apt: Apt, packages: str) -> None:
    (apt.directory / "preferences").write_text(PIN.replace("foo linux-image-*", packages))
    with pytest.raises(AptError, match=r"'Package: .*' in .*/preferences "):
        apt_update.check_pins(apt, ["linux-image-6.12"])


def test_what_apt_may_install_or_does_not_know_is_no_matter_of_pins(apt: Apt) -> None:
    apt_update.check_pins(apt, ["make", "make=4.3", "no-such-package", "linux-image-6.12=3"])
    apt.policy = POLICY.replace("     2 -1", "     2 1")
    apt_update.check_pins(apt, ["linux-image-6.12=2", "linux-image-6.12"])
    with pytest.raises(AptError, match="no file that could be read"):
        apt_update.check_pins(apt, ["linux-image-6.12=1"])
    asked = len(apt.asked)
    apt_update.check_pins(apt, [])
    assert len(apt.asked) == asked


def test_what_is_installed(apt: Apt) -> None:
    assert apt_update.installed(apt, ["make"])
    assert not apt_update.installed(apt, ["make", "gcc"])
    assert not apt_update.installed(apt, [])


def test_the_age_of_the_index(tmp_path: Path) -> None:
    assert apt_update.age(tmp_path, 5) == float("inf")
    (tmp_path / "lists").mkdir()
    now = (tmp_path / "lists").stat().st_mtime
    assert apt_update.age(tmp_path, now + 7) == 7
