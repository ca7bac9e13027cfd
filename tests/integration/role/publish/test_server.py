# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The web server that the role starts: what it gives out, where it listens and as whom it runs."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import pwd
import shutil
import signal
import socket
import subprocess
import time
from pathlib import Path

import jinja2
import pytest

ROOT = Path(__file__).resolve().parents[4]
ROLE = ROOT / "roles" / "publish"
BUILD_ID = "b" * 64
USER = "www-data"

pytestmark = [
    pytest.mark.skipif(not Path("/usr/sbin/nginx").exists(), reason="nginx is not installed"),
    pytest.mark.skipif(os.geteuid() != 0, reason="it starts a service"),
]


def play(*parts):
    tasks = [
        {
            "name": f"Run {part}",
            "ansible.builtin.include_role": {"name": "oslab.kernel.publish", "tasks_from": part},
        }
        for part in parts
    ]
    return [
        {"name": "Serve", "hosts": "kernel_builders", "gather_facts": False, "tasks": tasks},
    ]


@pytest.fixture
def port(free_port):
    return free_port()


@pytest.fixture
def root(short_path):
    """A repository, and what somebody would like to read through its server."""
    short_path.chmod(0o755)
    root = short_path / "repository"
    public = root / "public"
    (public / "pool").mkdir(parents=True)
    (root / "gnupg").mkdir(mode=0o700)
    (root / "gnupg" / "private.key").write_text("secret")
    (root / "aptly.conf").write_text("beside what is served")
    (public / "pool" / "a.deb").write_bytes(b"0123456789")
    (public / "oslab-kernel.json").write_text(json.dumps({"build_id": BUILD_ID}))
    (public / "conf").symlink_to("../aptly.conf")
    (public / "beside").symlink_to("..")
    (public / "password").symlink_to("/etc/passwd")
    (public / "key").symlink_to("../gnupg/private.key")
    return root


@pytest.fixture
def server(playbook, tmp_path, root, port):
    """Run the role's part that serves, with changes; the service is removed at the end."""
    name = f"oslab-test-{port}"

    def run(*parts, **changes):
        book = tmp_path / "play.json"
        book.write_text(json.dumps(play(*(parts or ("preflight", "server/serve.yml")))))
        variables = {
            "publish_root": str(root),
            "publish_port": port,
            "publish_service_name": name,
            "publish_url": f"http://127.0.0.1:{port}",
            "publish_build": {
                **dict.fromkeys(("release", "version", "store"), "x"),
                "packages": {"x": "x"},
                "build_id": BUILD_ID,
            },
            "publish_result": {"build_id": BUILD_ID},
        }
        return playbook(str(book), **{**variables, **changes})

    yield run
    removed = run("remove_server")
    # Its links for the runlevels stay where there is no systemd.
    subprocess.run(["update-rc.d", name, "remove"], check=False, capture_output=True)
    assert removed.status == 0, removed.output
    assert not Path("/run", name).exists()
    assert not answers(port)


def answers(port, address="127.0.0.1"):
    with socket.socket() as trial:
        return trial.connect_ex((address, port)) == 0


def ask(port, path, method="GET", body=None):
    """The status and the beginning of the answer."""
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    try:
        client.putrequest(method, path, skip_accept_encoding=True)
        if body is not None:
            client.putheader("Content-Length", str(len(body)))
        client.endheaders(body)
        answer = client.getresponse()
        return answer.status, answer.read(4096)
    finally:
        client.close()


def status(pid):
    """What the kernel says of a process."""
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return {name: value.strip() for name, _colon, value in (x.partition(":") for x in lines)}


def processes(root):
    """The server's own, the master first."""
    found = {}
    for directory in Path("/proc").glob("[0-9]*"):
        try:
            found[int(directory.name)] = (
                status(directory.name),
                (directory / "cmdline").read_bytes().decode(errors="replace"),
            )
        except OSError:
            continue
    [master] = [
        pid
        for pid, (_now, command_line) in found.items()
        if f"{root}/nginx/nginx.conf" in command_line
    ]
    workers = [pid for pid, (now, _command_line) in found.items() if now["PPid"] == str(master)]
    assert workers
    return [master, *workers]


def check_answers(port):
    """Files are served, and nothing else can be had."""
    assert ask(port, "/pool/a.deb") == (200, b"0123456789")
    assert ask(port, "/pool/a.deb", "HEAD")[0] == 200
    wanted = {
        # The index has what lies there.
        ("GET", "/"): 403,
        ("GET", "/pool/"): 403,
        # Links, whoever has made them.
        ("GET", "/conf"): 403,
        ("GET", "/beside/aptly.conf"): 404,
        ("GET", "/password"): 403,
        ("GET", "/key"): 403,
        ("GET", "/../gnupg/private.key"): 400,
        ("GET", "/pool/%2e%2e/%2e%2e/gnupg/private.key"): 400,
        ("POST", "/pool/a.deb"): 403,
        ("PUT", "/pool/b.deb"): 403,
        ("DELETE", "/pool/a.deb"): 403,
        ("OPTIONS", "/"): 403,
        ("TRACE", "/"): 405,
    }
    assert {asked: ask(port, asked[1], asked[0])[0] for asked in wanted} == wanted
    assert ask(port, "/pool/a.deb", body=b"x" * 5000)[0] == 413


def check_rights(pids, user=USER):
    """None of its processes has a right that its user does not have, nor a way to get one."""
    uid = str(pwd.getpwnam(user).pw_uid)
    none = "0" * 16
    for pid in pids:
        now = status(pid)
        assert set(now["Uid"].split()) == {uid}
        assert "0" not in now["Gid"].split() + now["Groups"].split()
        assert [now[f"Cap{which}"] for which in ("Inh", "Prm", "Eff", "Bnd", "Amb")] == [none] * 5
        assert now["NoNewPrivs"] == "1"


def test_it_gives_out_files_and_nothing_else_and_runs_without_rights(server, root, port):
    run = server()
    assert run.status == 0, run.output
    assert "of all addresses" not in run.output
    check_answers(port)
    check_rights(processes(root))
    # Who begins a request and does not end it is not waited for.
    with socket.create_connection(("127.0.0.1", port), timeout=25) as slow:
        slow.sendall(b"GET / HTTP/1.1\r\nHost:")
        with contextlib.suppress(ConnectionResetError):
            assert b"200" not in slow.recv(4096)
    again = server()
    assert again.status == 0, again.output
    assert again.recap("changed") == 0, again.output


def test_an_address_that_is_taken_back_is_no_longer_listened_on(server, port):
    run = server(publish_listen_address="0.0.0.0")
    assert run.status == 0, run.output
    # Another of this host's, as a network card's would be.
    assert answers(port, "127.0.0.2")
    run = server(publish_listen_address="127.0.0.1")
    assert run.status == 0, run.output
    assert answers(port)
    assert not answers(port, "127.0.0.2")


def test_all_addresses_are_listened_on_only_with_a_word_about_it(server, port):
    run = server(publish_url=f"http://builder.example.org:{port}")
    assert run.status == 0, run.output
    assert f"listens on port {port} of all addresses" in run.output
    assert "set publish_listen_address" in run.output
    assert answers(port, "127.0.0.2")


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"publish_server_user": "root"}, "publish_server_user is 'root', which is root"),
        ({"publish_listen_address": "eth0"}, "publish_listen_address is 'eth0'"),
        ({"publish_url": "http://2001:db8::1:8090"}, "an IPv6 address in brackets"),
    ],
)
def test_what_the_server_cannot_run_with_is_refused_before_anything_is_done(
    playbook, tmp_path, root, wrong, message
):
    book = tmp_path / "play.json"
    book.write_text(json.dumps(play("preflight")))
    run = playbook(str(book), **{"publish_root": str(root), **wrong})
    assert run.status != 0
    assert message in " ".join(run.output.split())
    assert run.recap("changed") == 0
    assert not (root / "nginx").exists()


# systemd in namespaces of its own, with this machine's network and files, and no unit of it.
TARGET = """[Unit]
DefaultDependencies=no
Wants={name}.service started.service
"""
# Says that systemd runs, and so that it is the server's fault if it does not answer.
STARTED = """[Unit]
DefaultDependencies=no
[Service]
Type=oneshot
ExecStart=/bin/touch {marker}
"""
CONTAINED = """
mount --make-rprivate /
mount -t tmpfs run /run && mkdir /run/systemd
mount -t tmpfs tmp /tmp; mount -t tmpfs tmp /var/tmp
umount -R /sys/fs/cgroup; mount -t tmpfs cgroup /sys/fs/cgroup
mkdir /sys/fs/cgroup/unified /sys/fs/cgroup/systemd
mount -t cgroup2 none /sys/fs/cgroup/unified
mount -t cgroup -o none,name=systemd none /sys/fs/cgroup/systemd
exec env container=test SYSTEMD_UNIT_PATH="$1" /lib/systemd/systemd --system --unit=test.target \
    --show-status=false --log-target=null < /dev/null
"""


def rendered(name, **variables):
    template = jinja2.Environment(trim_blocks=True, undefined=jinja2.StrictUndefined)
    return template.from_string((ROLE / "templates" / name).read_text()).render(variables) + "\n"


@pytest.fixture
def contained(root, port):
    """Start the unit of the role for a repository in a home directory; say where it is."""
    if not Path("/lib/systemd/systemd").exists():
        pytest.skip("systemd is not installed")
    home = Path(f"/root/oslab-test-{port}")
    home.mkdir()
    shutil.copytree(root, home / "repository", symlinks=True)
    name = f"oslab-test-{port}"
    started = []

    def start(number, **changes):
        variables = {
            "publish_root": str(home / "repository"),
            "publish_server_user": USER,
            "publish_service_name": name,
            "publish_runtime_dir": f"/run/{name}",
            "publish_port": number,
            "publish_privileged": number < 1024,
            "publish_listen": {"sockets": [f"127.0.0.1:{number}"]},
            **changes,
        }
        config = home / "repository" / "nginx" / "nginx.conf"
        config.parent.mkdir()
        config.write_text(rendered("nginx.conf.j2", **variables))
        unit = rendered("systemd.service.j2", **variables)
        units = home / "units"
        units.mkdir()
        # Nothing else of this machine's is started.
        unit = unit.replace("[Unit]", "[Unit]\nDefaultDependencies=no")
        unit = "".join(
            line
            for line in unit.splitlines(keepends=True)
            if not line.startswith(("After=", "Wants=", "RequiresMountsFor="))
        )
        (units / f"{name}.service").write_text(unit)
        (units / "test.target").write_text(TARGET.format(name=name))
        marker = home / "started"
        (units / "started.service").write_text(STARTED.format(marker=marker))
        argv = ["unshare", "--mount", "--pid", "--fork", "--cgroup", "--uts", "--kill-child"]
        argv += ["--mount-proc", "sh", "-c", CONTAINED, "sh", str(units)]
        started.append(subprocess.Popen(argv, start_new_session=True))
        deadline = time.monotonic() + 60
        while not answers(number):
            if started[0].poll() is not None or time.monotonic() > deadline:
                assert not marker.exists(), "the unit does not start a server that answers"
                pytest.skip("no systemd can be started in namespaces here")
            time.sleep(0.2)
        return home / "repository"

    yield start
    for process in started:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait(timeout=20)
    shutil.rmtree(home)


def seen(pid, path):
    """Is a path there for a process?"""
    return Path(f"/proc/{pid}/root{path}").exists()


def test_the_unit_serves_and_sees_nothing_beside_it(contained, port):
    repository = contained(port)
    check_answers(port)
    pids = processes(repository)
    check_rights(pids)
    for pid in pids:
        assert status(pid)["Seccomp"] == "2"
        assert seen(pid, repository / "public" / "oslab-kernel.json")
        below = {path.name for path in Path(f"/proc/{pid}/root{repository}").iterdir()}
        assert below == {"public", "nginx"}
        assert [path.name for path in Path(f"/proc/{pid}/root/root").iterdir()] == [
            repository.parent.name
        ]
        mounts = Path(f"/proc/{pid}/mountinfo").read_text().splitlines()
        writable = {x.split()[4] for x in mounts if "ro" not in x.split()[5].split(",")}
        assert not {"/", str(repository), str(repository / "public")} & writable


def test_the_unit_may_listen_where_only_root_may(contained):
    number = next(number for number in range(700, 1000) if not answers(number))
    repository = contained(number)
    bind_service = f"{1 << 10:016x}"
    for pid in processes(repository):
        now = status(pid)
        assert now["Uid"].split()[0] == str(pwd.getpwnam(USER).pw_uid)
        assert (now["CapEff"], now["CapBnd"]) == (bind_service, bind_service)
