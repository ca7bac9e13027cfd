# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where the repository's web server listens, who reaches it, and as whom it may run."""

from __future__ import annotations

import contextlib
import ipaddress
import pwd
import re
import socket
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Callable, Union
from urllib.parse import urlsplit

from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Runner

Address = Union[ipaddress.IPv4Address, ipaddress.IPv6Address]
LOOPBACK = ipaddress.ip_address("127.0.0.1")
# It stands in a shell script, a unit of systemd and nginx's configuration, which quote differently.
PLAIN_PATH = re.compile(r"/[A-Za-z0-9._/+@-]*")
# Hosts in the URLs that the role install takes.
URL_HOST = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")
_SHORT = re.compile(r"[0-9a-fx.]+")

LOCAL_NAMES = ("localhost", "localhost.localdomain", "localhost4", "localhost6", "ip6-localhost",
               "ip6-loopback")  # fmt: skip
# Hosts that a message names.
NAMED = 5


class ServerError(Exception):
    """A value that the server cannot run with: what it should be and what to do."""


@dataclass(frozen=True)
class Listen:
    """Where to listen.

    `sockets`: ADDRESS:PORT as nginx reads it, IPv6 in brackets. `check_url`: where this host
    reaches the server. `notice`: why it is all addresses although nobody asked for that, or "".
    """

    sockets: tuple[str, ...]
    check_url: str
    notice: str = ""


def parse_address(text: str) -> Address:
    """An IP address, IPv6 with or without brackets. Raises ValueError if it is none."""
    inner = text[1:-1] if text.startswith("[") and text.endswith("]") else text
    if "%" in inner:
        raise ValueError(f"{text!r} is of one link only")
    return ipaddress.ip_address(inner)


def bracketed(host: str) -> str:
    """A host as it stands in a URL: IPv6 addresses in brackets, all else as it is."""
    try:
        address = parse_address(host)
    except ValueError:
        return host
    return f"[{address}]" if address.version == 6 else str(address)


def is_loopback(host: str) -> bool:
    """Whether the name or address leads every host to itself. "" does not."""
    name = host.lower().rstrip(".")
    if name in LOCAL_NAMES or name.endswith(".localhost"):
        return True
    try:
        address = parse_address(_without_zone(name))
    except ValueError:
        return _is_short_loopback(name)
    mapped = getattr(address, "ipv4_mapped", None) or address
    return bool(mapped.is_loopback or mapped.is_unspecified)


def _without_zone(host: str) -> str:
    """An address of IPv6 without the name of its interface."""
    return re.sub(r"%[^\]]*", "", host)


def _is_short_loopback(host: str) -> bool:
    """Whether it is a loopback address as the C library reads them: 127.1, 0, 0x7f000001."""
    if not _SHORT.fullmatch(host):
        return False
    try:
        address = ipaddress.ip_address(socket.inet_aton(host))
    except OSError:
        return False
    return address.is_loopback or address.is_unspecified


def _unfit(host: str) -> str:
    """Why an address stands in no URL that other hosts can use; "" if it may."""
    try:
        # Without the interface, other hosts cannot tell where it is; with it, it is no URL.
        if parse_address(_without_zone(host)).is_link_local and ":" in host:
            return "which is of one link only"
    except ValueError:
        pass
    return "" if URL_HOST.fullmatch(bracketed(host)) else "which cannot stand in a URL"


def address_of(name: str, variables: Mapping[str, Any]) -> str:
    """Where Ansible finds a host of the inventory."""
    return str(variables.get("ansible_host") or name)


def _on_this_machine(name: str, variables: Mapping[str, Any]) -> bool:
    """Whether it is the control node. A port of a loopback address leads elsewhere, as to a VM."""
    if variables.get("ansible_connection") == "local":
        return True
    port = str(variables.get("ansible_port") or "22")
    return is_loopback(address_of(name, variables)) and port == "22"


def url_problem(
    url: str, port: int, builder: str, targets: Sequence[str], hostvars: Mapping[str, Any]
) -> str:
    """Why targets cannot reach the repository at the address made of the builder's; "" if they can.

    `url` is publish_url, which is believed: it may lead through a tunnel. `hostvars`: name to
    variables of a host, of which those of the connection and install_transport are read.
    """
    own = hostvars.get(builder, {})
    host = address_of(builder, own)
    if url:
        try:
            split_url(url)
        except ServerError as error:
            return str(error)
    itself = is_loopback(host)
    why = "which leads each host to itself" if itself else _unfit(host)
    if url or not why:
        return ""
    near = itself and _on_this_machine(builder, own)
    far = []
    for name in targets:
        about = hostvars.get(name, {})
        same = itself and (name == builder or (near and _on_this_machine(name, about)))
        if not same and about.get("install_transport", "apt") != "copy":
            far.append(name)
    if not far:
        return ""
    return (
        f"The builder {builder} is known here as {host}, {why}: "
        f"{plain_text.few(far, NAMED)} would look for the repository at "
        f"http://{bracketed(host)}:{port} in vain. Set "
        f"publish_url to http://ADDRESS:{port}, with the builder's address in their network, or "
        "install_transport: copy"
    )


def split_url(url: str) -> tuple[str, int]:
    """Host and port of a URL. Raises ServerError if the text has no such form."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname or "", parts.port
        crowded = "[" not in parts.netloc and parts.netloc.rpartition("@")[2].count(":") > 1
    except ValueError:
        host, port, crowded = "", None, True
    if crowded or re.search(r"\s", url) or (parts_of_web(url) and not host):
        raise ServerError(
            f"publish_url is {url!r}; it should be a URL such as http://HOST:8090, with an IPv6 "
            "address in brackets (http://[2001:db8::1]:8090) and without spaces. Correct it."
        )
    return host, port or 80


def parts_of_web(url: str) -> bool:
    return url.startswith(("http:", "https:"))


def is_local(address: Address) -> bool:
    """Whether it is an address of this host. Nothing is sent: the kernel only picks the source."""
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    with contextlib.suppress(OSError), socket.socket(family, socket.SOCK_DGRAM) as trial:
        trial.connect((str(address), 9))
        return ipaddress.ip_address(trial.getsockname()[0]) == address
    return False


def socket_of(address: Address, port: int) -> str:
    return f"{bracketed(str(address))}:{port}"


def check_url(address: Address, port: int) -> str:
    """Where this host reaches a server that listens there."""
    if address.is_unspecified:
        address = ipaddress.ip_address("::1") if address.version == 6 else LOOPBACK
    return f"http://{socket_of(address, port)}"


def listen(url: str, port: int, wanted: str, local: Callable[[Address], bool] = is_local) -> Listen:
    """Where to listen: where the user says, else where targets reach this host, else everywhere.

    `url` is the one that targets use, `wanted` the user's address or nothing. Raises ServerError
    for values that are no URL or no address.
    """
    host, url_port = split_url(url)
    if wanted:
        try:
            address = parse_address(wanted)
        except ValueError:
            raise ServerError(
                f"publish_listen_address is {wanted!r}; it should be an IP address of the builder, "
                "0.0.0.0 or :: for all, or empty for the one in publish_url. Correct it."
            ) from None
        return Listen((socket_of(address, port),), check_url(address, port))
    try:
        named = LOOPBACK if host == "localhost" else parse_address(host)
    except ValueError:
        named = None
    # Behind another port is another server, which may ask this one at any address.
    if named is not None and url_port == port and local(named):
        return Listen((socket_of(named, port),), check_url(named, port))
    everywhere = ("0.0.0.0", "::") if named is not None and named.version == 6 else ("0.0.0.0",)
    addresses = [ipaddress.ip_address(text) for text in everywhere]
    return Listen(
        tuple(socket_of(address, port) for address in addresses),
        check_url(addresses[0], port),
        f"The repository listens on port {port} of all addresses of this host, since {url} does "
        "not name one of them with that port. To narrow that, set publish_listen_address.",
    )


def check_user(name: str, find: Callable[[str], pwd.struct_passwd] = pwd.getpwnam) -> None:
    """Raise ServerError if the server may not run as that user of this host."""
    try:
        found = find(name)
    except KeyError:
        raise ServerError(
            f"publish_server_user is {name!r}; it should be a user of the builder. Create it, or "
            "leave the default, www-data."
        ) from None
    if found.pw_uid == 0:
        raise ServerError(
            f"publish_server_user is {name!r}, which is root; it should be a user without rights, "
            "since whoever breaks into the web server gets them. Leave the default, www-data, and "
            "choose a publish_root that it may enter."
        )


def check_passable(path: str, user: str, run: Runner) -> None:
    """Raise ServerError if the user may not pass what is there of the directories above the path.

    The directory itself gets its mode from the role, as do those that are missing.
    """
    above = [place for place in reversed(Path(path).parents) if place.is_dir()]

    def passes(place: Path) -> bool:
        return run(["runuser", "-u", user, "--", "test", "-x", str(place)])[0] == 0

    if above and not passes(above[-1]):
        shut = next((place for place in above if not passes(place)), above[-1])
        raise ServerError(
            f"The user {user!r} (publish_server_user) cannot enter {shut}, which is above "
            f"publish_root ({path}). Let everybody pass it (chmod o+x {shut}), or choose another "
            "publish_root."
        )


def check_root(path: str) -> None:
    """Raise ServerError if the path cannot stand in the server's configuration."""
    if not PLAIN_PATH.fullmatch(path):
        raise ServerError(
            f"publish_root is {path!r}; it should be an absolute path of letters, digits and "
            "._/+@- only, to be served. Choose another one, or publish_server: none."
        )
