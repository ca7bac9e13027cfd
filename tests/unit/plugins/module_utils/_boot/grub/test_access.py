# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which entries GRUB starts by itself; where grub-emu is, it is asked, too."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Optional

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._boot.grub.entry import parse_menu
from ansible_collections.oslab.kernel.tests.lib import grub_emulator

needs_grub = pytest.mark.skipif(not grub_emulator.PROGRAM, reason=grub_emulator.MISSING)

USERS = "password root secret\n"
ROOT = f'set superusers="root"\n{USERS}'
EXPORTED = f"{ROOT}export superusers\n"


def entry(flags: str = "", name: str = "b") -> str:
    return f"menuentry 'Title {name}' {flags} --id {name} {{\n linux /vmlinuz-{name}\n}}\n"


def submenu(flags: str, inside: str, name: str = "x") -> str:
    return f"submenu 'Title {name}' {flags} --id {name} {{\n{inside}}}\n"


OPEN = "--unrestricted"
# As the entries of the emulation, which replaces lines.
BOOTED = 'echo "BOOTED [${chosen}]"'
# What is chosen, grub.cfg, and whether GRUB asks.
MENUS: dict[str, tuple[str, str, bool]] = {
    "no password": ("b", entry(), False),
    "users without superusers": ("b", entry("--users a"), False),
    "restricted": ("b", ROOT + entry(), True),
    "unrestricted": ("b", ROOT + entry(OPEN), False),
    "superusers after the entries": ("b", entry() + ROOT, True),
    "users count more": ("b", ROOT + entry(f"--users a {OPEN}"), True),
    "users count more, after": ("b", ROOT + entry(f"{OPEN} --users=a"), True),
    "no users": ("b", ROOT + entry("--users ''"), True),
    "no users count more": ("b", ROOT + entry(f"{OPEN} --users=''"), True),
    "superusers that are none": ("b", "set superusers=\n" + entry(), True),
    "superusers without quotes": ("b", "set superusers=root\n" + entry(), True),
    "superusers in single quotes": ("b", "set superusers='root a'\n" + entry(), True),
    "superusers in odd quotes": ("b", "set super'users'=root\n" + entry(), True),
    "superusers without set": ("b", "superusers=root\n" + entry(), True),
    "several commands": ("b", "true; set superusers=root; true\n" + entry(), True),
    "set in a condition": ("b", "if true; then set superusers=r; fi\n" + entry(), True),
    "set by eval": ("b", 'eval "set superusers=r"\n' + entry(), True),
    "exported only": ("b", "export superusers\n" + entry(), True),
    "taken back": ("b", ROOT + "unset superusers\n" + entry(), False),
    "taken back in a function": (
        "b",
        ROOT + "function f {\nunset superusers\n}\n" + entry(),
        True,
    ),
    "taken back where it is not": (
        "b",
        ROOT + "if false; then\nunset superusers\nfi\n" + entry(),
        True,
    ),
    "a comment after an entry": (
        "b",
        "menuentry a {\n true\n} # end\n" + ROOT + entry(),
        True,
    ),
    "a command after an entry": ("b", "menuentry a {\n true\n}; superusers=r\n" + entry(), True),
    "an entry's end in its last line": ("b", "menuentry a {\n true; }\n" + ROOT + entry(), True),
    "braces in an entry": (
        "b",
        'menuentry a {\n echo "}" \\} ${x} # }\n superusers=r\n}\n' + entry(),
        False,
    ),
    "a command before a function": (
        "b",
        "superusers=r; function f {\n true\n}\n" + entry(),
        True,
    ),
    "a comment": ("b", "# set superusers=root\ntrue # superusers=a\n" + entry(), False),
    "a message": ("b", 'echo "superusers=root"\n' + entry(), False),
    "quoted option": ("b", ROOT + entry("'--unrestricted'"), False),
    "double quoted option": ("b", ROOT + entry('"--unrestricted"'), False),
    "the value of another option": ("b", ROOT + entry("--class --unrestricted"), True),
    "a cut option": ("b", ROOT + entry("--unrestr"), True),
    "an argument": ("b", ROOT + "menuentry b --id b -- --unrestricted {\n linux /x\n}\n", True),
    "in the title": ("b", ROOT + "menuentry 'x --unrestricted' --id b {\n linux /x\n}\n", True),
    "one line": ("b", ROOT + f"menuentry b --id b {OPEN} {{ {BOOTED}; }}\n", False),
    "continued line": (
        "b",
        ROOT + "menuentry b \\\n --unrestricted --id b {\n linux /x\n}\n",
        False,
    ),
    "only the entry": ("x>b", EXPORTED + submenu("", entry(OPEN)), True),
    "only the entry, not exported": ("x>b", ROOT + submenu("", entry(OPEN)), True),
    "only the submenu": ("x>b", EXPORTED + submenu(OPEN, entry()), True),
    "only the submenu, not exported": ("x>b", ROOT + submenu(OPEN, entry()), False),
    "submenu and entry": ("x>b", EXPORTED + submenu(OPEN, entry(OPEN)), False),
    "submenu with users": ("x>b", EXPORTED + submenu(f"{OPEN} --users a", entry(OPEN)), True),
    "exported before": ("x>b", "export superusers\n" + ROOT + submenu(OPEN, entry()), True),
    "taken back and set again": (
        "x>b",
        EXPORTED + "unset superusers\n" + ROOT + submenu(OPEN, entry()),
        False,
    ),
    "nested": ("x>y>b", EXPORTED + submenu(OPEN, submenu(OPEN, entry(OPEN), "y")), False),
    "nested, the inner": ("x>y>b", EXPORTED + submenu(OPEN, submenu("", entry(OPEN), "y")), True),
    "nested, the outer": ("x>y>b", EXPORTED + submenu("", submenu(OPEN, entry(OPEN), "y")), True),
    "nested, the entry": ("x>y>b", EXPORTED + submenu(OPEN, submenu(OPEN, entry(), "y")), True),
    "after a submenu": ("b", EXPORTED + submenu("", entry("", "a")) + entry(OPEN), False),
    "authenticate in the entry": (
        "b",
        ROOT + entry(OPEN).replace(" linux", " authenticate\n linux"),
        True,
    ),
    "authenticate without superusers": (
        "b",
        entry().replace(" linux", " authenticate\n linux"),
        False,
    ),
    "authenticate before the menu": ("b", f"{ROOT}authenticate\n" + entry(OPEN), True),
}


def asks(
    chosen: str,
    config: str,
    files: Optional[Mapping[str, str]] = None,
    environment: Optional[Mapping[str, str]] = None,
) -> bool:
    menu = parse_menu(config, files, environment)
    found = menu.resolve(chosen)
    assert found
    assert found.path == chosen
    return menu.question(found) != ""


@pytest.mark.parametrize("name", MENUS)
def test_who_is_asked(name: str) -> None:
    chosen, config, expected = MENUS[name]
    assert asks(chosen, config) is expected


@needs_grub
def test_grub_asks_the_same() -> None:
    wrong = {}
    for name, (chosen, config, expected) in MENUS.items():
        answer = grub_emulator.boot(f'set default="{chosen}"\n{config}')
        if answer != (grub_emulator.ASKS if expected else chosen):
            wrong[name] = answer
    assert wrong == {}


def test_a_variable_may_be_anything() -> None:
    """Not followed: GRUB may ask, so it is taken for one that does."""
    for flags in ("$flags", '"$flags"', f"{OPEN} $flags", f"{OPEN} a$flags"):
        assert asks("b", ROOT + entry(flags)), flags
    assert not asks("b", ROOT + entry(f'{OPEN} --class "$distributor"'))
    assert not asks("b", ROOT + entry(OPEN).replace("--id", '"${menuentry_id_option}"'))


FILES: dict[str, tuple[str, dict[str, str], dict[str, str], bool]] = {
    "custom.cfg": (
        "{}if [ -f  ${{config_directory}}/custom.cfg ]; then\n"
        "  source ${{config_directory}}/custom.cfg\nfi\n",
        {"custom.cfg": ROOT},
        {},
        True,
    ),
    "another file": ("{}. $prefix/users.cfg\n", {"users.cfg": ROOT}, {}, True),
    "a file that is not read": ("{}", {"users.cfg": ROOT}, {}, False),
    "a file that takes it back": (
        ROOT + '{}source "${{prefix}}/users.cfg"\n',
        {"users.cfg": "unset superusers\n"},
        {},
        False,
    ),
    "the environment block": ("load_env\n{}", {}, {"superusers": "root"}, True),
    "a block that is not read": ("{}", {}, {"superusers": "root"}, False),
    "a file below": ("source ${{prefix}}/d/u.cfg\n{}", {"d/u.cfg": ROOT}, {}, True),
    "a file below, harmless": ("source $prefix//d/./u.cfg\n{}", {"d/u.cfg": "true\n"}, {}, False),
    "a file that reads another": (
        "source ${{config_directory}}/custom.cfg\n{}",
        {"custom.cfg": "source ${config_directory}/u.cfg\n", "u.cfg": ROOT},
        {},
        True,
    ),
    "a file read in an entry first": (
        "menuentry a {{\n source $prefix/u.cfg\n}}\n{}source $prefix/u.cfg\n",
        {"u.cfg": ROOT},
        {},
        True,
    ),
    "a file read in a function first": (
        "function f {{\nsource $prefix/u.cfg\n}}\n{}unset superusers\nsource $prefix/u.cfg\n",
        {"u.cfg": ROOT},
        {},
        True,
    ),
    "a file that GRUB cannot read hides nothing": (
        "source $prefix/u.cfg\n" + ROOT + "{}",
        {"u.cfg": "menuentry a {\n"},
        {},
        True,
    ),
    "a file named after grub.cfg": (
        "source ${{config_file}}.users\n{}",
        {"grub.cfg.users": ROOT},
        {},
        True,
    ),
    "a file by another variable": (
        "set d=$prefix\nsource $d/u.cfg\n{}",
        {"u.cfg": ROOT},
        {},
        True,
    ),
    "a file of another prefix": (
        "set prefix=$prefix/d\nsource $prefix/u.cfg\n{}",
        {"u.cfg": "true\n", "d/u.cfg": ROOT},
        {},
        True,
    ),
    "a file above": ("source $prefix/d/../u.cfg\n{}", {"u.cfg": ROOT, "d/x": ""}, {}, True),
    "a file of a loop": (
        "for f in $prefix/u.cfg; do source $f; done\n{}",
        {"u.cfg": ROOT},
        {},
        True,
    ),
    "a command of a variable": ("s=source\n$s $prefix/u.cfg\n{}", {"u.cfg": ROOT}, {}, True),
    "a name of a variable": ("set a=super\nset ${{a}}users=root\n{}", {}, {}, True),
    "a name of a variable, without set": ("a=super\n${{a}}users=root\n{}", {}, {}, True),
    "eval": ('set a=super\neval "set ${{a}}users=root"\n{}', {}, {}, True),
    "another block": (
        "load_env -f ${{prefix}}/x.env superusers\n{}",
        {"x.env": "# GRUB Environment Block\nsuperusers=root\n".ljust(1024, "#")},
        {},
        True,
    ),
    "another menu": (
        "{}configfile ${{prefix}}/c.cfg\n",
        {"c.cfg": f"timeout=0\n{ROOT}{entry()}"},
        {},
        True,
    ),
    "another menu, of another entry": (
        "{}menuentry a --id a {{\n configfile ${{prefix}}/c.cfg\n}}\n",
        {"c.cfg": ROOT + entry()},
        {},
        False,
    ),
    "a file of another entry": (
        "{}menuentry a --id a {{\n source $unknown\n}}\n",
        {},
        {},
        False,
    ),
}


@pytest.mark.parametrize("name", FILES)
def test_what_is_set_elsewhere(name: str) -> None:
    text, files, environment, expected = FILES[name]
    config = 'set default="b"\n' + text.format(entry())
    assert asks("b", config, files, environment) is expected
    if grub_emulator.PROGRAM:
        answer = grub_emulator.boot(config, environment, files)
        assert answer == (grub_emulator.ASKS if expected else "b")


# As grub-btrfs has it.
SNAPSHOTS = "if [ -e x ]; then\necho\nelse\n{}fi\n".format(
    submenu("", "    configfile ${prefix}/c.cfg\n", "snapshots")
)
OTHER_MENU = f"timeout=0\n{ROOT}{entry()}"


@pytest.mark.parametrize(
    ("default", "config", "expected"),
    [
        # GRUB runs it when somebody opens that submenu.
        ("b", entry() + SNAPSHOTS, False),
        ("x>b", SNAPSHOTS + submenu("", entry()), False),
        ("x>b", submenu("", "configfile ${prefix}/c.cfg\n" + entry()), True),
        # Behind the entry: all of a submenu is run before one in it is started.
        ("x>b", submenu("", entry() + "configfile ${prefix}/c.cfg\n"), True),
        ("x>y>b", submenu("", "configfile ${prefix}/c.cfg\n" + submenu("", entry(), "y")), True),
        ("x>b", submenu("", SNAPSHOTS + entry()), False),
    ],
)
def test_another_menu_in_a_submenu(default: str, config: str, expected: bool) -> None:
    text, files = f'set default="{default}"\n{config}', {"c.cfg": OTHER_MENU}
    assert asks(default, text, files) is expected
    if grub_emulator.PROGRAM:
        answer = grub_emulator.boot(text, {}, files)
        assert (answer != default) is expected, answer


def test_a_file_by_its_whole_name(tmp_path: Path) -> None:
    """Of which file system that is hangs on a variable."""
    (tmp_path / "u.cfg").write_text(ROOT)
    config = f'set default="b"\nsource (host){tmp_path}/u.cfg\n' + entry()
    assert asks("b", config)
    assert asks("b", config.replace("(host)", ""))
    if grub_emulator.PROGRAM:
        assert grub_emulator.boot(config) == grub_emulator.ASKS


def test_what_is_not_followed_is_named() -> None:
    menu = parse_menu("### BEGIN /etc/grub.d/07_x ###\nsource (hd0)/u.cfg\n" + entry())
    assert menu.question(menu.entries[0]) == (
        "whether GRUB would start it by itself is unknown: /etc/grub.d/07_x has `source "
        "(hd0)/u.cfg`, which is not followed. Remove that line, or put what it runs into "
        "/etc/grub.d/40_custom in its place, and run update-grub."
    )


def test_files_that_read_themselves_or_too_many() -> None:
    files = {"u.cfg": "source $prefix/v.cfg\n", "v.cfg": "source $prefix/u.cfg\n"}
    assert asks("b", "source $prefix/u.cfg\n" + entry(), files)
    # Each reads the next one twice.
    chain = {f"{n}.cfg": f"source $prefix/{n + 1}.cfg\n" * 2 for n in range(40)}
    assert asks("b", "source $prefix/0.cfg\n" + entry(), chain)


@pytest.mark.parametrize(
    ("timeouts", "waits"),
    [
        ("", False),
        ("set timeout=5\n", False),
        ("set timeout=-1\n", True),
        ("if false; then\nset timeout=-1\nelse\nset timeout=5\nfi\n", False),
        ('set timeout=5\nset timeout="-1"\n', True),
        ("set timeout=-1\nset timeout=5\n", False),
        ("set timeout=\n", True),
        ("set timeout=x\n", True),
        ("set timeout=5s\n", False),
        ("timeout=99999999999999999999\n", True),
        ("timeout=4294967295\n", True),
        ("set timeout=5\nunset timeout\n", True),
        ("unset timeout\nset timeout=5\n", False),
        ("set timeout=5\nif false; then\nunset timeout\nfi\n", False),
        ("set timeout=5\nset x=-1\nset timeout=$x\n", True),
        ("set x=1\nset timeout=$x\n", False),
        ('set timeout=5\nset timeout="${timeout}"\n', False),
        ("set timeout=5\nfunction t {\n set timeout=-1\n}\nt\n", True),
        ("set timeout=5\nif true; then\nset timeout=5\nelse\nset timeout=-1\nfi\n", False),
    ],
)
def test_a_menu_that_waits_for_ever(timeouts: str, waits: bool) -> None:
    config = f"{timeouts}set default=b\n{entry()}"
    assert asks("b", config) is waits
    if grub_emulator.PROGRAM:
        assert grub_emulator.boot(config) == (grub_emulator.WAITS if waits else "b")


def test_a_menu_whose_block_says_to_wait() -> None:
    config = "load_env\nset default=b\n" + entry()
    assert asks("b", config, {}, {"timeout": "-1"})
    assert not asks("b", config, {}, {"timeout": "1"})


@pytest.mark.parametrize(
    "config", ["read x\n" + entry(), entry().replace(" linux", " read x\n linux")]
)
def test_a_line_that_waits_for_a_word(config: str) -> None:
    assert asks("b", config)
    if grub_emulator.PROGRAM:
        with pytest.raises(AssertionError):
            grub_emulator.boot("set default=b\n" + config)


# Ubuntu's header, with GRUB_RECORDFAIL_TIMEOUT and GRUB_TIMEOUT.
AFTER_A_FAILURE = """\
if [ -s $prefix/grubenv ]; then
  load_env
fi
if [ "${recordfail}" = 1 ] ; then
  set timeout=%s
else
  if [ x$feature_timeout_style = xy ] ; then
    set timeout_style=menu
    set timeout=%s
  # Fallback normal timeout code in case the timeout_style feature is
  # unavailable.
  else
    set timeout=%s
  fi
fi
"""


@pytest.mark.parametrize("failed", [False, True])
@pytest.mark.parametrize(
    ("after_failure", "usual"), [("30", "5"), ("-1", "5"), ("30", "-1"), ("-1", "-1")]
)
def test_a_menu_that_waits_after_a_boot_that_failed(
    after_failure: str, usual: str, failed: bool
) -> None:
    config = AFTER_A_FAILURE % (after_failure, usual, usual) + "set default=b\n" + entry()
    environment = {"recordfail": "1"} if failed else {}
    waits = (after_failure if failed else usual) == "-1"
    assert asks("b", config, {}, environment) is waits
    if grub_emulator.PROGRAM:
        answer = grub_emulator.boot(config, environment)
        assert answer == (grub_emulator.WAITS if waits else "b")


def test_what_ends_the_waiting_is_named() -> None:
    config = AFTER_A_FAILURE % ("-1", "5", "5") + entry()
    menu = parse_menu(config, {}, {"recordfail": "1"})
    assert "Set GRUB_RECORDFAIL_TIMEOUT in /etc/default/grub" in menu.question(menu.entries[0])
    menu = parse_menu(AFTER_A_FAILURE % ("30", "-1", "-1") + entry())
    assert "Set GRUB_TIMEOUT in /etc/default/grub" in menu.question(menu.entries[0])


def test_the_remedy_and_the_files_are_named() -> None:
    config = (
        "### BEGIN /etc/grub.d/01_users ###\n"
        f"{EXPORTED}### END /etc/grub.d/01_users ###\n"
        f"### BEGIN /etc/grub.d/10_linux ###\n{submenu('', entry() + entry(OPEN, 'c'))}"
        "### END /etc/grub.d/10_linux ###\n"
    )
    menu = parse_menu(config)
    closed, opened = (menu.question(e) for e in menu.entries)
    assert opened == (
        "GRUB would ask for a user name before it boots this: superusers is set "
        "(/etc/grub.d/01_users), and the submenu 'Title x' around its entry has no --unrestricted. "
        "Set GRUB_DISABLE_SUBMENU=y in /etc/default/grub, and run update-grub."
    )
    assert "and its entry 'Title b' has no --unrestricted. Set GRUB_DISABLE_SUBMENU=y" in closed
    assert "to CLASS in /etc/grub.d/10_linux), and run update-grub." in closed
    users = parse_menu(ROOT + entry(f"{OPEN} --users a"))
    assert "has --users, which counts more" in users.question(users.entries[0])
