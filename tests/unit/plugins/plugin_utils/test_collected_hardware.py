# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils.collected_hardware import unite


def host_info(
    *modules: str, oslab: Any = None, boot_config: Any = "/boot/config-6.1"
) -> dict[str, Any]:
    return {
        "release": "6.1",
        "boot_config": boot_config,
        "boot_config_sha256": "x",
        "modules": list(modules),
        "essential_modules": [f"{module}_core" for module in modules],
        "oslab": oslab,
    }


def run(**targets: Any) -> dict[str, Any]:
    """What hosts have reported in this run; None of one that did not answer."""
    return {
        name: {
            "kernel_target_info": {**info, "boot_id": "no part of it"} if info else {"failed": 1}
        }
        for name, info in targets.items()
    }


def test_modules_of_all_are_united() -> None:
    seen = unite({}, run(a=host_info("x", "y"), b=host_info("z", "y")), ["a", "b"], False)
    assert seen["loaded"] == ["x", "y", "z"]
    assert seen["essential"] == ["x_core", "y_core", "z_core"]
    assert seen["unknown"] == []
    assert seen["captures"] == {"a": host_info("x", "y"), "b": host_info("z", "y")}


def test_what_is_known_stays_until_it_is_to_be_read_anew() -> None:
    known = {"a": host_info("old"), "gone": host_info("other")}
    now = run(a=host_info("new"))
    seen = unite(known, now, ["a"], False)
    assert seen["loaded"] == ["old"]
    assert "gone" in seen["captures"]
    assert unite(known, now, ["a"], True)["loaded"] == ["new"]
    # One that does not answer is known by its earlier report.
    assert unite(known, run(a=None), ["a"], True)["loaded"] == ["old"]


def test_a_target_that_never_told_anything_is_named() -> None:
    seen = unite({}, run(a=host_info("x"), b=None), ["a", "b", "not in the inventory"], False)
    assert seen["unknown"] == ["b", "not in the inventory"]


def test_the_base_is_a_stock_kernel_s_if_there_is_one() -> None:
    ours = host_info("x", oslab={"build_id": "1"})
    bare = host_info("x", boot_config=None)
    order = ["bare", "ours", "stock"]
    assert (
        unite({}, run(bare=bare, ours=ours, stock=host_info()), order, False)["base_host"]
        == "stock"
    )
    assert unite({}, run(bare=bare, ours=ours), order[:2], False)["base_host"] == "ours"
    assert unite({}, run(bare=bare), order[:1], False)["base_host"] == ""


def test_the_base_is_the_first_target_s_in_each_run() -> None:
    """What is known comes in the order of a file's keys, which is not that of the inventory."""
    targets = ["web", "db", "app"]
    first = unite({}, run(web=host_info("x"), db=host_info("y")), targets, False)
    known = dict(sorted(first["captures"].items()))
    second = unite(known, run(app=host_info("z")), targets, False)
    assert first["base_host"] == second["base_host"] == "web"


class Counted(Mapping[str, Any]):
    """Variables of hosts, each of which takes its time."""

    def __init__(self, values: dict[str, Any]) -> None:
        self.values_, self.looks = values, 0

    def __getitem__(self, name: str) -> Any:
        self.looks += 1
        return self.values_[name]

    def __contains__(self, name: object) -> bool:
        return name in self.values_

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_)

    def __len__(self) -> int:
        return len(self.values_)


def test_each_host_is_looked_at_once() -> None:
    names = [f"web{number}" for number in range(500)]
    hosts = Counted(run(**{name: host_info("x") for name in names}))
    unite({}, hosts, names, False)
    assert hosts.looks == len(names)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("modules", ["ext4", "{{ lookup('pipe', 'id') }}"]),
        ("modules", ["ext4 1 0\nxfs"]),
        ("modules", ["../../etc"]),
        ("modules", "ext4"),
        ("modules", [7]),
        ("modules", ["x"] * 10_001),
        ("essential_modules", ["-e", "a" * 65]),
        ("essential_modules", None),
        ("release", "6.1/../../x"),
        ("release", "{{ 1 }}"),
        ("release", 6.1),
        ("boot_config", "/boot/config\n"),
        ("boot_config", "/boot/../etc/shadow"),
        ("boot_config", "config"),
        ("boot_config", "{{ 1 }}"),
        ("boot_config_sha256", ["x"]),
    ],
)
def test_a_target_with_malformed_facts_counts_for_itself_alone(name: str, value: Any) -> None:
    bad = {**host_info("x"), name: value}
    seen = unite({}, run(bad=bad, good=host_info("y")), ["bad", "good"], False)
    assert seen["loaded"] == ["y"]
    assert seen["base_host"] == "good"
    assert seen["unknown"] == []
    assert len(seen["wrong"]) == 1
    assert seen["wrong"][0].startswith(f"bad: its {name} ")
    # The file of what was read before is no way around it.
    again = unite({"bad": bad, "good": host_info("y")}, {}, ["bad", "good"], False)
    assert again["loaded"] == ["y"]
    assert list(again["captures"]) == ["good"]


def test_of_a_manifest_only_that_there_is_one_is_kept() -> None:
    seen = unite({}, run(a=host_info("x", oslab={"release": "{{ 1 }}"})), ["a"], False)
    assert seen["captures"]["a"]["oslab"] is True
