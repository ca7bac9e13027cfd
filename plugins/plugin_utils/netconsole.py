# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel arguments that make a host send its messages to a receiver, by the host's own route.

netconsole asks nobody: its packets have the addresses that the argument names
(Documentation/networking/netconsole.rst). So these are what the host has at the time.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Mapping
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from ansible_collections.oslab.kernel.plugins.module_utils._common import bounded_read, plain_text
from ansible_collections.oslab.kernel.plugins.module_utils._evidence.netconsole import (
    PORT,
    SOURCE_PORT,
)

#: In place of an address: the builder of the deployment receives.
BUILDER = "builder"
# To all of the network: the receiver has not been talked to lately.
_BROADCAST = "ff:ff:ff:ff:ff:ff"
_HARDWARE = re.compile(r"(?:[0-9a-f]{2}:){5}[0-9a-f]{2}")
_DEVICE = re.compile(r"[A-Za-z0-9_.-]{1,15}")
_RECEIVER = re.compile(r"\[?([0-9A-Fa-f.:]{2,45}?)\]?(?::(\d{1,5}))?")


class Receiver(NamedTuple):
    address: str
    port: int


def _address(text: str, *, loopback: bool = False) -> str:
    """Of one machine, by default another one. Raises ValueError.

    It becomes a word of a command and of a kernel's command line. Python accepts any text after a
    percent sign, as the name of a device.
    """
    if "%" in text:
        raise ValueError("it has a percent sign: the host finds the device by its own route")
    address = ipaddress.ip_address(text)
    if address.is_loopback:
        if loopback:
            return str(address)
        raise ValueError("that is the host itself")
    if address.is_unspecified or address.is_multicast or address.is_reserved:
        raise ValueError("that is no address of one machine")
    return str(address)


def parse(value: str) -> Receiver:
    """Of `ADDRESS`, `ADDRESS:PORT` or `[ADDRESS]:PORT`. Raises ValueError."""
    try:
        ipaddress.ip_address(value)
    except ValueError:
        pass
    else:
        return Receiver(_address(value), PORT)
    found = _RECEIVER.fullmatch(value)
    if not found:
        raise ValueError("it is no IP address")
    address = _address(found[1])
    if ":" in address and not value.startswith("["):
        raise ValueError("an IPv6 address with a port has to be in brackets")
    port = int(found[2] or PORT)
    if not 0 < port < 65536:
        raise ValueError("the port has to be 1 to 65535")
    return Receiver(address, port)


def problem(value: str) -> str:
    """Why it is not what trial_netconsole may be; empty if it is, or is empty."""
    if not value or value == BUILDER:
        return ""
    try:
        parse(value)
    except ValueError as error:
        return str(error)
    return ""


def receiver(value: str, repository_url: str) -> Receiver:
    """Of trial_netconsole; the builder's address is that of its repository. Raises ValueError."""
    if value != BUILDER:
        return parse(value)
    try:
        host = urlsplit(repository_url).hostname or ""
        # A host that is its own builder has its trial boot without netconsole.
        return Receiver(_address(host, loopback=True), PORT)
    except ValueError:
        raise ValueError(
            f"the builder's repository, {plain_text.shown(repository_url)!r}, is not named by an "
            "IP address of one machine"
        ) from None


def _entries(line: str) -> list[Mapping[str, Any]]:
    value = bounded_read.parse_json(line)
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def arguments(output: str, to: Receiver) -> tuple[list[str], str]:
    """The kernel arguments, and the host's address in them.

    `output` is that of `ip -json -batch -` for `route get ADDRESS` and `neighbour show`, a line
    of JSON for each. Raises ValueError if the host cannot send to this receiver.
    """
    found = [_entries(line) for line in bounded_read.lines(output.strip()) if line.strip()]
    if not found or not found[0]:
        raise ValueError("the host has no route there")
    route = found[0][0]
    device, source = str(route.get("dev", "")), str(route.get("prefsrc", ""))
    if device == "lo" or route.get("type") == "local":
        raise ValueError("that is the host itself")
    if not _DEVICE.fullmatch(device):
        raise ValueError("the host names no device of its route there")
    own = _address(source)
    hop = str(route.get("gateway") or to.address)
    neighbours = {
        str(one.get("dst")): str(one.get("lladdr", "")).lower()
        for part in found[1:]
        for one in part
    }
    hardware = neighbours.get(hop, "")
    if not _HARDWARE.fullmatch(hardware):
        if route.get("gateway"):
            raise ValueError(f"the host does not know its router {plain_text.shown(hop)}")
        hardware = _BROADCAST
    target = f"{SOURCE_PORT}@{own}/{device},{to.port}@{to.address}/{hardware}"
    # Where netconsole is a module, systemd loads it.
    return [f"netconsole.netconsole={target}", "modules_load=netconsole"], own
