# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import ipaddress
import pwd
from pathlib import Path

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._repository.server import (
    Address,
    ServerError,
    bracketed,
    check_passable,
    check_root,
    check_user,
    is_local,
    is_loopback,
    listen,
    url_problem,
)

OWN = {ipaddress.ip_address(text) for text in ("127.0.0.1", "192.0.2.10", "2001:db8::1")}


def local(address: Address) -> bool:
    return address in OWN


@pytest.mark.parametrize(
    ("host", "wanted"),
    [
        ("builder.example.org", "builder.example.org"),
        ("192.0.2.10", "192.0.2.10"),
        ("2001:db8::1", "[2001:db8::1]"),
        ("[2001:db8::1]", "[2001:db8::1]"),
    ],
)
def test_an_address_in_a_url(host: str, wanted: str) -> None:
    assert bracketed(host) == wanted


@pytest.mark.parametrize(
    ("url", "socket", "check"),
    [
        ("http://192.0.2.10:8090", "192.0.2.10:8090", "http://192.0.2.10:8090"),
        ("http://[2001:db8::1]:8090", "[2001:db8::1]:8090", "http://[2001:db8::1]:8090"),
        ("http://127.0.0.1:8090", "127.0.0.1:8090", "http://127.0.0.1:8090"),
        ("http://localhost:8090", "127.0.0.1:8090", "http://127.0.0.1:8090"),
    ],
)
def test_it_listens_only_where_targets_reach_it(url: str, socket: str, check: str) -> None:
    found = listen(url, 8090, "", local)
    assert (found.sockets, found.check_url, found.notice) == ((socket,), check, "")


@pytest.mark.parametrize(
    ("url", "sockets"),
    [
        ("http://builder.example.org:8090", ("0.0.0.0:8090",)),
        ("http://198.51.100.1:8090", ("0.0.0.0:8090",)),
        ("http://[2001:db8::2]:8090", ("0.0.0.0:8090", "[::]:8090")),
        # Another server of this host stands before it.
        ("http://192.0.2.10/kernel", ("0.0.0.0:8090",)),
        ("http://cacher.example.org:3142/builder.example.org:8090", ("0.0.0.0:8090",)),
        ("s3://bucket/kernel", ("0.0.0.0:8090",)),
        ("file:///srv/mirror", ("0.0.0.0:8090",)),
    ],
)
def test_it_says_when_it_listens_on_all_addresses(url: str, sockets: tuple[str, ...]) -> None:
    found = listen(url, 8090, "", local)
    assert (found.sockets, found.check_url) == (sockets, "http://127.0.0.1:8090")
    assert url in found.notice
    assert "publish_listen_address" in found.notice


@pytest.mark.parametrize(
    ("wanted", "socket", "check"),
    [
        ("0.0.0.0", "0.0.0.0:80", "http://127.0.0.1:80"),
        ("::", "[::]:80", "http://[::1]:80"),
        ("[::]", "[::]:80", "http://[::1]:80"),
        ("2001:db8::1", "[2001:db8::1]:80", "http://[2001:db8::1]:80"),
        ("[2001:db8::1]", "[2001:db8::1]:80", "http://[2001:db8::1]:80"),
        ("192.0.2.10", "192.0.2.10:80", "http://192.0.2.10:80"),
    ],
)
def test_the_users_address_is_taken_without_a_notice(wanted: str, socket: str, check: str) -> None:
    found = listen("http://builder.example.org", 80, wanted, local)
    assert (found.sockets, found.check_url, found.notice) == ((socket,), check, "")


@pytest.mark.parametrize(
    "wanted", ["eth0", "localhost", "192.0.2.10:80", "fe80::1%eth0", "1.2.3.4; root /", "[::"]
)
def test_what_is_no_address_is_refused(wanted: str) -> None:
    with pytest.raises(ServerError, match=r"^publish_listen_address is '.*should be an IP address"):
        listen("http://builder.example.org", 80, wanted, local)


@pytest.mark.parametrize(
    "url",
    [
        "http://2001:db8::1:8090",
        "http://[2001:db8::1:8090",
        "http://builder:port",
        "http://",
        "http://builder:80 90",
        "http://builder:80\nTrusted: yes",
    ],
)
def test_a_url_that_no_client_can_read_is_refused(url: str) -> None:
    with pytest.raises(ServerError, match=r"^publish_url is .*in brackets"):
        listen(url, 8090, "", local)


def test_addresses_of_this_host() -> None:
    assert is_local(ipaddress.ip_address("127.0.0.1"))
    # For documentation: nobody's.
    assert not is_local(ipaddress.ip_address("192.0.2.77"))
    assert not is_local(ipaddress.ip_address("2001:db8::77"))


@pytest.mark.parametrize("uid", [0, 33])
def test_root_is_refused_by_any_of_its_names(uid: int) -> None:
    def find(name: str) -> pwd.struct_passwd:
        return pwd.struct_passwd((name, "x", uid, uid, "", "/", "/bin/sh"))

    if uid:
        check_user("toor", find)
        return
    with pytest.raises(ServerError, match=r"^publish_server_user is 'toor', which is root; "):
        check_user("toor", find)


def test_the_users_of_this_host() -> None:
    check_user("www-data")
    with pytest.raises(ServerError, match="which is root"):
        check_user("root")
    with pytest.raises(ServerError, match="should be a user of the builder"):
        check_user("nobody-of-that-name")


@pytest.mark.parametrize(
    "path", ["/srv/a b", "/srv/a;b", "/srv/$HOME", "/srv/%i", "srv", "/srv/a\n"]
)
def test_a_path_that_the_configuration_would_misread_is_refused(path: str) -> None:
    check_root("/var/lib/oslab-kernel/repository_2.x")
    with pytest.raises(ServerError, match=r"^publish_root is "):
        check_root(path)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("LOCALHOST.", True),
        ("ip6-localhost", True),
        ("box.localhost", True),
        ("127.0.1.1", True),
        ("::1", True),
        ("[::1]", True),
        ("::ffff:127.0.0.1", True),
        ("0.0.0.0", True),
        ("[::]", True),
        ("127.1", True),
        ("127.0.1", True),
        ("0", True),
        ("0x7f000001", True),
        ("2130706433", True),
        ("::1%lo", True),
        ("fe80::1%eth0", False),
        ("10.1", False),
        ("12a", False),
        ("999999999999", False),
        ("192.0.2.10", False),
        ("2001:db8::1", False),
        ("localhost.example.org", False),
        ("builder", False),
        ("", False),
    ],
)
def test_an_address_that_leads_each_host_to_itself(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


LOCAL = {"ansible_connection": "local"}


@pytest.mark.parametrize(
    ("builder", "targets", "far"),
    [
        (("localhost", {}), {"web1": {}}, ["web1"]),
        (("localhost", LOCAL), {"web1": {}, "web2": {"ansible_host": "::1"}}, ["web1"]),
        (("build", {"ansible_host": "127.0.0.1"}), {"web1": {}}, ["web1"]),
        (("build", {"ansible_host": "::1"}), {"web1": {}}, ["web1"]),
        # A port of this machine that leads to a VM.
        (("localhost", LOCAL), {"vm": {"ansible_host": "127.0.0.1", "ansible_port": 2222}}, ["vm"]),
        (
            ("vm1", {"ansible_host": "127.0.0.1", "ansible_port": 2221}),
            {"vm2": {"ansible_host": "127.0.0.1", "ansible_port": 2222}, "vm1": {}},
            ["vm2"],
        ),
        # They reach it, or need not.
        (("build", {}), {"web1": {}}, []),
        (("build", {"ansible_host": "192.0.2.1"}), {"web1": {}}, []),
        (("localhost", {}), {"localhost": {}}, []),
        (("localhost", LOCAL), {"me": LOCAL}, []),
        (("localhost", {}), {"web1": {"install_transport": "copy"}}, []),
        (("localhost", {}), {}, []),
    ],
)
def test_targets_that_cannot_reach_the_repository(builder, targets, far) -> None:
    name, variables = builder
    hostvars = {name: variables, **{key: targets[key] for key in targets if key != name}}
    problem = url_problem("", 8090, name, list(targets), hostvars)
    assert all(host in problem for host in far)
    assert bool(problem) == bool(far)
    if problem:
        assert "Set publish_url to http://ADDRESS:8090" in problem
    # Where the user says it himself, it may be a tunnel.
    assert url_problem("http://localhost:8090", 8090, name, list(targets), hostvars) == ""


@pytest.mark.parametrize("host", ["fe80::1%eth0", "[fe80::1%eth0]", "fe80::1", "a%b", "a b"])
def test_a_builder_whose_address_makes_no_url(host: str) -> None:
    hostvars = {"build": {"ansible_host": host}, "web1": {}, "web2": {"install_transport": "copy"}}
    problem = url_problem("", 8090, "build", ["web1", "web2"], hostvars)
    assert f"The builder build is known here as {host}, " in problem
    assert "web1 " in problem
    assert "web2 " not in problem
    assert "Set publish_url to http://ADDRESS:8090" in problem
    assert url_problem("http://192.0.2.1:8090", 8090, "build", ["web1"], hostvars) == ""
    assert url_problem("", 8090, "build", ["build"], hostvars) != ""
    assert url_problem("", 8090, "build", ["web2"], hostvars) == ""


def test_a_fleet_that_cannot_reach_it_fits_a_screen() -> None:
    names = [f"web{number}" for number in range(500)]
    problem = url_problem(
        "", 8090, "localhost", names, {name: {} for name in (*names, "localhost")}
    )
    assert "web4 and 495 more would" in problem


def test_an_address_without_brackets_is_refused_whoever_serves() -> None:
    problem = url_problem("http://2001:db8::1:8090", 8090, "build", ["web1"], {"build": {}})
    assert "publish_url" in problem
    assert "in brackets" in problem
    assert url_problem("http://[2001:db8::1]:8090", 8090, "build", ["web1"], {"build": {}}) == ""


def test_a_directory_that_the_server_cannot_pass_is_named(tmp_path: Path) -> None:
    """As a run with umask 077 of an older release, or a hardened /srv, leaves it."""
    shut = tmp_path / "shut"
    (shut / "below").mkdir(parents=True)
    asked = []

    def run(argv):
        asked.append(argv)
        assert argv[:5] == ["runuser", "-u", "www-data", "--", "test"]
        return Result(int(str(shut) in argv[-1]))

    with pytest.raises(
        ServerError, match=rf"'www-data'.*cannot enter {shut}, .*chmod o\+x {shut}\)"
    ):
        check_passable(str(shut / "below/none/repository"), "www-data", run)
    asked.clear()
    # The role makes these, or gives them their mode.
    check_passable(str(shut), "www-data", run)
    check_passable(str(tmp_path / "a/b/repository"), "www-data", run)
    assert [argv[-1] for argv in asked] == [str(tmp_path), str(tmp_path)]
