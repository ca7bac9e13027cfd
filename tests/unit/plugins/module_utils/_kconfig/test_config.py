# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The text of a .config, values as users write them, and the run on the fake tree."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._common import kernel_config
from ansible_collections.oslab.kernel.plugins.module_utils._common.run import Result
from ansible_collections.oslab.kernel.plugins.module_utils._kconfig import config
from ansible_collections.oslab.kernel.plugins.module_utils._kconfig.tree import KconfigTree, Symbol
from ansible_collections.oslab.kernel.tests.lib.kernel_trees import run

BASE = """\
CONFIG_NET=y
CONFIG_EXT4_FS=m
CONFIG_XFS_FS=m
CONFIG_VIRTIO_BLK=m
CONFIG_NVME_CORE=m
# CONFIG_USB_HID is not set
CONFIG_SND_DUMMY=m
CONFIG_DEBUG_KERNEL=y
CONFIG_DEBUG_INFO_NONE=y
"""


# --- text ------------------------------------------------------------------------------------


def test_set_values_replaces_and_appends() -> None:
    text = "CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_AA=y\n"
    assert config.set_values(text, {"B": "m", "A": "n", "C": '"x"'}) == (
        'CONFIG_AA=y\nCONFIG_B=m\n# CONFIG_A is not set\nCONFIG_C="x"\n'
    )


def test_diff_has_only_what_differs() -> None:
    before, after = "CONFIG_A=y\nCONFIG_B=m\nCONFIG_S=1\n", "CONFIG_A=y\n# CONFIG_C is not set\n"
    assert config.differences(before, after) == {"B": ("m", None), "S": ("1", None)}
    assert config.diff_texts(before, after) == (
        "CONFIG_B=m\nCONFIG_S=1\n",
        "# CONFIG_B is not set\n# CONFIG_S is not set\n",
    )


# --- values ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("bool", True, "y"),
        ("bool", False, "n"),
        ("bool", "Y", "y"),
        ("tristate", "m", "m"),
        ("tristate", True, "y"),
        ("string", "n", '"n"'),
        ("string", "", '""'),
        ("string", False, '""'),
        ("string", "a (b) c=1,2", '"a (b) c=1,2"'),
        ("string", 5, '"5"'),
        ("int", 64, "64"),
        ("int", "-1", "-1"),
        ("hex", 4096, "0x1000"),
        ("hex", "0xFF", "0xff"),
        ("hex", "ff", "0xff"),
    ],
)
def test_to_value(kind: str, value: Any, expected: str) -> None:
    assert config.to_value(Symbol("X", kind), value) == expected


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("bool", "m"),
        ("bool", 1),
        ("bool", ""),
        ("tristate", "maybe"),
        ("string", True),
        ("string", "a\nCONFIG_EVIL=y"),
        ("string", None),
        ("int", "many"),
        ("int", True),
        ("int", [1]),
        ("hex", "0xzz"),
    ],
)
def test_to_value_refuses(kind: str, value: Any) -> None:
    with pytest.raises(config.KconfigError, match=r"^X"):
        config.to_value(Symbol("X", kind), value)


@pytest.mark.parametrize(
    ("kind", "wanted", "got", "expected"),
    [
        ("bool", "n", None, True),
        ("bool", "y", None, False),
        ("string", '""', None, True),
        ("string", '"a"', '"b"', False),
        ("hex", "0x10", "0x0010", True),
        ("int", "8", "9", False),
        ("int", "8", "", False),
    ],
)
def test_same(kind: str, wanted: str, got: str | None, expected: bool) -> None:
    assert config.same(Symbol("X", kind), wanted, got) is expected


# --- modules ---------------------------------------------------------------------------------


def test_module_symbols(tmp_path: Path) -> None:
    (tmp_path / "drivers").mkdir()
    (tmp_path / "drivers" / "Makefile").write_text(
        "my-name := thing\n"
        "obj-$(CONFIG_NVME_CORE)\t+= nvme-core.o \\\n\tnvme-extra.o dir/\n"
        "obj-$(CONFIG_A) += both.o\nobj-$(CONFIG_B) += both.o\n"
        "obj-$(CONFIG_C) += $(my-name).o\n"
        "my-obj-$(CONFIG_D) += part.o\n"
        "nvme-core-y := core.o\n"
    )
    (tmp_path / "tools").mkdir()
    (tmp_path / "tools" / "Makefile").write_text("obj-$(CONFIG_TOOL) += tool.o\n")
    assert config.module_symbols(tmp_path) == {
        "nvme_core": ["NVME_CORE"],
        "nvme_extra": ["NVME_CORE"],
        "both": ["A", "B"],
        "thing": ["C"],
        "part": ["D"],
    }


# --- the whole, on the fake tree -------------------------------------------------------------


class Bench:
    def __init__(self, tree: Path, scratch: Path) -> None:
        self.tree, self.scratch = tree, scratch

    def configure(
        self,
        base: str = BASE,
        *,
        options: Mapping[str, Any] | None = None,
        optional: Mapping[str, Any] | None = None,
        required: Mapping[str, Any] | None = None,
        **request: Any,
    ) -> config.Outcome:
        known = KconfigTree(self.tree, "x86")
        wanted = config.check_wanted(known, options or {}, optional or {}, required or {})
        request_ = config.Request(self.tree, base, **request)
        return config.Configurator(request_, known, run, self.scratch, "x86").configure(wanted)


@pytest.fixture
def bench(fakelinux: Path, tmp_path: Path) -> Bench:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    return Bench(fakelinux, scratch)


def modules(outcome: config.Outcome) -> set[str]:
    return {name for name, value in kernel_config.parse(outcome.text).items() if value == "m"}


def test_without_a_list_all_modules_stay(bench: Bench) -> None:
    outcome = bench.configure()
    assert {"EXT4_FS", "XFS_FS", "SND_DUMMY"} <= modules(outcome)
    assert outcome.failed == []
    assert not (bench.tree / ".config").exists()


def test_only_listed_modules_stay(bench: Bench) -> None:
    outcome = bench.configure(lsmod=["ext4", "virtio_blk", "out_of_tree"])
    assert modules(outcome) == {"EXT4_FS", "VIRTIO_BLK", "VIRTIO"}
    assert outcome.modules_unknown == ["out_of_tree"]


def test_kept_modules_stay_and_come(bench: Bench) -> None:
    # One that the base has as a module, one that it does not have.
    outcome = bench.configure(lsmod=["ext4"], keep=["nvme-core", "usbhid"])
    assert modules(outcome) == {"EXT4_FS", "NVME_CORE", "USB_HID"}
    assert outcome.modules_disabled == []


def test_a_loaded_module_that_the_base_has_not_stays_off(bench: Bench) -> None:
    outcome = bench.configure(lsmod=["ext4", "usbhid"])
    assert modules(outcome) == {"EXT4_FS"}
    assert outcome.modules_disabled == ["usbhid"]
    assert outcome.failed == []


def test_a_module_that_streamlining_loses_is_given_back(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    def loses(self: config.Configurator, text: str) -> str:
        return config.set_values(text, {"NVME_CORE": "n", "XFS_FS": "n"})

    monkeypatch.setattr(config.Configurator, "streamline", loses)
    outcome = bench.configure(lsmod=["ext4", "xfs"], keep=["nvme_core"])
    assert {"NVME_CORE", "XFS_FS"} <= modules(outcome)


@pytest.mark.parametrize("builtin", ["VIRTIO_BLK", "NVME_CORE"])
def test_what_is_built_in_is_kept(bench: Bench, builtin: str) -> None:
    """A module of another host that the base has built in is there already."""
    base = config.set_values(BASE, {builtin: "y"})
    outcome = bench.configure(base, lsmod=["ext4"], keep=["virtio_blk", "nvme_core"])
    assert kernel_config.parse(outcome.text)[builtin] == "y"
    assert outcome.failed == outcome.modules_disabled == outcome.modules_unknown == []


def add_driver(bench: Bench, name: str, kconfig_text: str) -> None:
    for file, text in (
        ("Kconfig", f"\nconfig {name}\n\t{kconfig_text}\n"),
        ("Makefile", f"obj-$(CONFIG_{name}) += {name.lower()}.o\n"),
    ):
        path = bench.tree / "drivers" / file
        path.write_text(path.read_text() + text)


@pytest.mark.parametrize(
    ("definition", "base", "expected"),
    [
        ('bool "A core"', "y", "y"),
        ('bool "A core"', "n", "y"),
        # These follow from others, which have to come themselves.
        ("bool", "n", "n"),
        ('tristate "A core"\n\tdepends on NOT_THERE', "n", "n"),
        ('tristate "A core"\n\tdepends on !NET', "n", "n"),
    ],
)
def test_what_cannot_be_a_module_is_no_error(
    bench: Bench, definition: str, base: str, expected: str
) -> None:
    add_driver(bench, "CORE", definition)
    text = BASE + kernel_config.line("CORE", base) + "\n"
    outcome = bench.configure(text, lsmod=["ext4"], keep=["core"])
    assert kernel_config.parse(outcome.text).get("CORE", "n") == expected
    assert outcome.failed == []
    assert outcome.modules_disabled == (["core"] if expected == "n" else [])


@pytest.mark.parametrize(
    "depends",
    [
        "NET",
        "NET && EXT4_FS",
        "(NOT_THERE || NET) && !NOT_THERE",
        "NOT_THERE || (NET && !NOT_THERE)",
        "MIDDLE",
        "NET = y || MIDDLE",
        # A symbol that is on already.
        "SND_DUMMY || NET",
    ],
)
def test_a_kept_module_brings_what_it_depends_on(bench: Bench, depends: str) -> None:
    """The base is that of a host without such a disk, and has no driver of its kind."""
    add_driver(bench, "MIDDLE", 'tristate "Middle"\n\tdepends on NET')
    add_driver(bench, "DISK", f'tristate "Disk"\n\tdepends on {depends}')
    base = config.set_values(BASE, {"NET": "n", "SND_DUMMY": "y" if "SND" in depends else "n"})
    outcome = bench.configure(base, lsmod=["ext4"], keep=["disk"])
    values = kernel_config.parse(outcome.text)
    assert values["DISK"] == "m"
    assert ("MIDDLE" in modules(outcome)) == ("MIDDLE" in depends)
    assert values["NET"] == ("n" if "SND" in depends else "y")
    assert outcome.modules_disabled == outcome.failed == []


def test_a_kept_module_that_follows_from_others(bench: Bench) -> None:
    """As xhci_pci: without a prompt, on wherever what it depends on is on."""
    add_driver(bench, "HCD", 'tristate "Host controllers"\n\tdepends on NET')
    add_driver(bench, "HCD_PCI", "tristate\n\tdepends on HCD\n\tdefault y")
    base = config.set_values(BASE, {"NET": "n"})
    outcome = bench.configure(base, lsmod=["ext4"], keep=["hcd_pci"])
    assert {"HCD", "HCD_PCI"} <= modules(outcome)
    assert outcome.modules_disabled == []


@pytest.mark.parametrize("switch", ["EXPERT", "COMPILE_TEST", "DEBUG_DISK"])
def test_no_module_brings_what_opens_a_kernel(bench: Bench, switch: str) -> None:
    """Any target may ask for any module; it cannot have all others debug it."""
    add_driver(bench, switch, 'bool "Not for a target to switch on"')
    add_driver(bench, "DISK", f'tristate "Disk"\n\tdepends on {switch}')
    outcome = bench.configure(lsmod=["ext4"], keep=["disk"])
    assert kernel_config.parse(outcome.text).get(switch, "n") == "n"
    assert outcome.modules_disabled == ["disk"]


def test_the_user_s_word_is_stronger_than_a_kept_module(bench: Bench) -> None:
    base = config.set_values(BASE, {"NET": "n"})
    outcome = bench.configure(base, lsmod=["ext4"], keep=["virtio_net"], options={"NET": "n"})
    assert kernel_config.parse(outcome.text)["NET"] == "n"
    assert outcome.modules_disabled == ["virtio_net"]
    assert outcome.failed == []


def test_a_kept_module_that_cannot_stay_is_an_error(bench: Bench) -> None:
    base = BASE + "CONFIG_VIRTIO_NET=m\n"
    assert "VIRTIO_NET" in modules(bench.configure(base))
    # NET goes after the first pass, so the module that depended on it was there and is lost.
    original = config.Configurator.streamline

    def loses_net(self: config.Configurator, text: str) -> str:
        return config.set_values(original(self, text), {"NET": "n"})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(config.Configurator, "streamline", loses_net)
        outcome = bench.configure(base, lsmod=["ext4"], keep=["virtio_net"])
    assert outcome.failed == [
        "module virtio_net, which must be kept: VIRTIO_NET was m, is n: depends on NET (NET=n)"
    ]


@pytest.mark.parametrize(
    ("optional", "base"),
    [
        ({"VIRTIO_NET": "n"}, BASE + "CONFIG_VIRTIO_NET=m\n"),
        ({"VIRTIO_NET": "n"}, BASE),
        ({"NET": "n"}, BASE + "CONFIG_VIRTIO_NET=m\n"),
    ],
)
def test_a_kept_module_that_a_fragment_leaves_out_is_an_error(
    bench: Bench, optional: dict[str, str], base: str
) -> None:
    outcome = bench.configure(base, lsmod=["ext4"], keep=["virtio_net"], optional=optional)
    assert len(outcome.failed) == 1
    assert "module virtio_net, which must be kept: VIRTIO_NET is n" in outcome.failed[0]
    assert "config_fragments leaves it out, and config_options can set it" in outcome.failed[0]

    own_word = bench.configure(
        base, lsmod=["ext4"], keep=["virtio_net"], optional=optional, options=optional
    )
    assert own_word.failed == []


def test_the_user_s_own_option_is_not_laid_to_a_fragment(bench: Bench) -> None:
    base = config.set_values(BASE, {"NET": "n"})
    outcome = bench.configure(
        base,
        lsmod=["ext4"],
        keep=["virtio_net"],
        optional={"VIRTIO_NET": "m"},
        options={"NET": "n"},
    )
    assert outcome.modules_disabled == ["virtio_net"]
    assert outcome.failed == []


def test_options_of_every_type(bench: Bench) -> None:
    options = {
        "CONFIG_PM": True,
        "EXT4_FS": "y",
        "SND_DUMMY": "n",
        "NR_CPUS": 8,
        "PHYSICAL_START": "0x2000000",
        "DEFAULT_HOSTNAME": "a b",
    }
    outcome = bench.configure(options=options)
    values = kernel_config.parse(outcome.text)
    assert outcome.failed == []
    assert [values[n] for n in ("PM", "EXT4_FS", "SND_DUMMY")] == ["y", "y", "n"]
    assert values["NR_CPUS"] == "8"
    assert values["PHYSICAL_START"] == "0x2000000"
    assert values["DEFAULT_HOSTNAME"] == '"a b"'


def test_options_win_over_the_list_of_modules(bench: Bench) -> None:
    assert "XFS_FS" in modules(bench.configure(lsmod=["ext4"], options={"XFS_FS": "m"}))


def test_an_option_wins_over_optional_in_a_choice(bench: Bench) -> None:
    outcome = bench.configure(
        optional={"DEBUG_INFO_NONE": "y"},
        options={"DEBUG_INFO_DWARF_TOOLCHAIN_DEFAULT": "y"},
    )
    assert outcome.failed == []
    values = kernel_config.parse(outcome.text)
    assert values["DEBUG_INFO"] == "y"
    assert values["DEBUG_INFO_NONE"] == "n"


def test_every_unknown_name_is_refused(bench: Bench) -> None:
    with pytest.raises(config.KconfigError) as error:
        bench.configure(options={"EXT4": "y", "ZZZ": "y", "PM": "m"}, required={"QQQ": "y"})
    text = str(error.value)
    assert (
        "config_options EXT4: no Kconfig file of this tree defines it (did you mean EXT4_FS" in text
    )
    assert "config_options ZZZ" in text
    assert "config_required QQQ" in text
    assert "PM is of type bool" in text


def test_extra_options_are_added_and_win_and_are_reported_by_their_variable(bench: Bench) -> None:
    known = KconfigTree(bench.tree, "x86")
    options = {"NR_CPUS": 8, "PM": "n"}
    wanted = config.check_wanted(known, options, {}, {}, extra={"CONFIG_PM": "y"})
    assert wanted.options == {"NR_CPUS": "8", "PM": "y"}
    assert [wanted.variable(name) for name in options] == ["config_options", "config_options_extra"]
    with pytest.raises(config.KconfigError) as error:
        config.check_wanted(known, {}, {}, {}, extra={"ZZZ": "y", "KEYS": "maybe"})
    assert "config_options_extra ZZZ: no Kconfig file" in str(error.value)
    assert "config_options_extra KEYS is of type bool: 'maybe'" in str(error.value)


def test_an_unknown_optional_symbol_is_left_out(bench: Bench) -> None:
    outcome = bench.configure(optional={"NEWER_THAN_THIS_TREE": "y", "PM": "y"})
    assert kernel_config.parse(outcome.text)["PM"] == "y"
    assert outcome.not_taken == []


def test_each_symbol_that_did_not_take_is_named(bench: Bench) -> None:
    outcome = bench.configure(
        options={"NET": "n", "INET": "y", "NR_CPUS": 9999, "VIRTIO": "n"},
        optional={"FREEZER": "y"},
        required={"NET": "y", "TASK_XACCT": "y", "MODULES": "y"},
    )
    assert outcome.failed == [
        "config_options INET: wanted y, got n: depends on NET (NET=n)",
        "config_options NR_CPUS: wanted 9999, got 64: its range is 2 512",
        "config_options VIRTIO: wanted n, got m: selected by VIRTIO_BLK",
        "config_required NET: wanted y, got n: config_options sets it to n",
        "config_required TASK_XACCT: wanted y, got n: depends on TASKSTATS (TASKSTATS=n)",
    ]
    assert outcome.not_taken == [
        "FREEZER: wanted y, got n: it cannot be set by hand, it follows from others"
    ]


def test_make_args_reach_kconfig(bench: Bench, tmp_path: Path) -> None:
    compiler = tmp_path / "othercc"
    compiler.write_text("#!/bin/sh\necho Other C 99\n")
    compiler.chmod(0o755)
    outcome = bench.configure(make_args=[f"CC={compiler}"])
    assert kernel_config.parse(outcome.text)["CC_VERSION_TEXT"] == '"Other C 99"'


def test_a_failing_make_shows_its_words(bench: Bench) -> None:
    (bench.tree / "net" / "Kconfig").write_text("nonsense\n")
    with pytest.raises(config.KconfigError, match="syntax error: nonsense"):
        bench.configure()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (Result(127, "", "not found"), "needs pahole, which is not there"),
        (Result(0, "v1.15\n", ""), "pahole is 1.15: install"),
        (Result(0, "v1.24\n", ""), None),
    ],
)
def test_pahole(tmp_path: Path, answer: Result, expected: str | None) -> None:
    found = config.check_pahole({"DEBUG_INFO_BTF": "y"}, lambda *_: answer, tmp_path)
    assert (found is None) if expected is None else (expected in str(found))
    assert config.check_pahole({"DEBUG_INFO_BTF": "n"}, lambda *_: answer, tmp_path) is None


def test_of_a_choice_only_the_wanted_member_is_left_on(bench: Bench) -> None:
    known = KconfigTree(bench.tree, "x86")
    request = config.Request(bench.tree, "")
    configurator = config.Configurator(request, known, run, bench.scratch, "x86")
    wanted = config.Wanted(
        optional={"DEBUG_INFO_NONE": "y"}, options={"DEBUG_INFO_DWARF_TOOLCHAIN_DEFAULT": "y"}
    )
    # Which of two the real Kconfig would take differs between versions.
    assert configurator.apply("CONFIG_DEBUG_INFO_NONE=y\n", wanted) == (
        "# CONFIG_DEBUG_INFO_NONE is not set\nCONFIG_DEBUG_INFO_DWARF_TOOLCHAIN_DEFAULT=y\n"
    )
