# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The kernel arguments of netconsole, from what `ip -json -batch -` prints."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.filter.netconsole_arguments import (
    netconsole_arguments,
)
from ansible_collections.oslab.kernel.plugins.plugin_utils import netconsole, variable_forms

NEIGHBOURS = [
    {"dst": "192.0.2.1", "dev": "ens3", "lladdr": "52:54:00:12:34:56", "state": ["REACHABLE"]},
    {"dst": "192.0.2.254", "dev": "ens3", "lladdr": "52:54:00:AA:bb:cc", "state": ["STALE"]},
    {"dst": "2001:db8::1", "dev": "ens3", "lladdr": "52:54:00:12:34:56", "state": ["STALE"]},
]


def output(*route: dict[str, Any], neighbours: Any = NEIGHBOURS) -> str:
    return f"{json.dumps(route)}\n{json.dumps(neighbours)}\n"


def near(to: str = "192.0.2.1", source: str = "192.0.2.7") -> dict[str, Any]:
    return {"dst": to, "dev": "ens3", "prefsrc": source, "flags": [], "uid": 0, "cache": []}


FAR = {**near("198.51.100.9"), "gateway": "192.0.2.254"}


@pytest.mark.parametrize(
    ("said", "receiver", "wanted"),
    [
        (
            output(near()),
            "192.0.2.1",
            "6665@192.0.2.7/ens3,6666@192.0.2.1/52:54:00:12:34:56",
        ),
        (
            output(FAR),
            "198.51.100.9:514",
            "6665@192.0.2.7/ens3,514@198.51.100.9/52:54:00:aa:bb:cc",
        ),
        (
            output(near("2001:db8::1", "2001:db8::7")),
            "[2001:db8::1]:514",
            "6665@2001:db8::7/ens3,514@2001:db8::1/52:54:00:12:34:56",
        ),
        # It was not talked to lately.
        (
            output(near("192.0.2.9")),
            "192.0.2.9",
            "6665@192.0.2.7/ens3,6666@192.0.2.9/ff:ff:ff:ff:ff:ff",
        ),
    ],
)
def test_the_arguments(said: str, receiver: str, wanted: str) -> None:
    found = netconsole_arguments(said, receiver)
    assert found["problem"] == ""
    assert found["arguments"] == [f"netconsole.netconsole={wanted}", "modules_load=netconsole"]
    assert f"@{found['source']}/" in wanted


@pytest.mark.parametrize(
    ("said", "problem"),
    [
        ("[]\n[]\n", "no route"),
        (output({**near(), "dev": "lo"}), "the host itself"),
        (output({**near(), "type": "local"}), "the host itself"),
        (output({**FAR, "gateway": "192.0.2.77"}), "does not know its router 192.0.2.77"),
        # What a host may say to get an argument of its own to its kernel.
        (output({**near(), "dev": "x init=/bin/sh"}), "no device"),
        (output({**near(), "prefsrc": "1 init=/bin/sh"}), "does not appear to be"),
        (output({**near(), "prefsrc": "fe80::1%x init=/bin/sh"}), "a percent sign"),
        ('RTNETLINK answers: Network is unreachable"', "Expecting value"),
        ("{}", "no route"),
    ],
)
def test_a_host_that_cannot_send(said: str, problem: str) -> None:
    found = netconsole_arguments(said, "192.0.2.1")
    assert (found["arguments"], problem in found["problem"]) == ([], True), found


def test_a_strange_hardware_address_is_none() -> None:
    odd = [{"dst": "192.0.2.1", "lladdr": "00 init=/bin/sh"}]
    [argument, _load] = netconsole_arguments(output(near(), neighbours=odd), "192.0.2.1")[
        "arguments"
    ]
    assert argument.endswith("/ff:ff:ff:ff:ff:ff")


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://192.0.2.1:8090", "192.0.2.1"),
        ("http://[2001:db8::1]/", "2001:db8::1"),
        ("http://127.0.0.1/", "127.0.0.1"),
    ],
)
def test_the_builder(url: str, address: str) -> None:
    found = netconsole_arguments("", "builder", url)
    assert (found["address"], found["port"], found["problem"]) == (address, 6666, "")


@pytest.mark.parametrize(
    "url",
    [
        *("http://builder.example.org:8090", "", "file:///srv"),
        *("http://224.0.0.1:8090", "http://0.0.0.0/", "http://[fe80::1%x]/"),
    ],
)
def test_a_builder_without_an_address(url: str) -> None:
    assert "not named by an IP address" in netconsole_arguments("", "builder", url)["problem"]


@pytest.mark.parametrize(
    "value", ["", "builder", "192.0.2.1", "192.0.2.1:514", "2001:db8::1", "[2001:db8::1]:514"]
)
def test_a_value(value: str) -> None:
    assert netconsole.problem(value) == ""
    assert variable_forms.problems("trial_netconsole", value) == []


@pytest.mark.parametrize(
    "value",
    [
        *("web1", "192.0.2.1:0", "192.0.2.1:99999", "192.0.2.1/24", "1.2.3.4 init=/bin/sh"),
        # A line of its own for a command that root runs.
        *("2001:db8::1:", "fe80::1%x\nlink del eth0", "fe80::1%eth0", "[fe80::1%eth0]:514"),
        # No machine, many machines, or the host itself.
        *("0.0.0.0", "::", "127.0.0.1", "127.0.0.1:514", "::1", "[::1]:514", "224.0.0.1"),
        *("ff02::1", "255.255.255.255", "::ffff:127.0.0.1"),
    ],
)
def test_a_value_that_is_none(value: str) -> None:
    [problem] = variable_forms.problems("trial_netconsole", value)
    assert "it has to be an IP address, with a port or without, 'builder' or empty" in problem
