# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The tree as a whole: idempotence, return to stock, nothing half-done."""

from __future__ import annotations

import json
import subprocess

import pytest
from ansible_collections.oslab.kernel.plugins.module_utils._patch import apply as patching
from ansible_collections.oslab.kernel.plugins.module_utils._patch import edits
from ansible_collections.oslab.kernel.tests.lib.kernel_trees import run

PATCH = """\
From: someone
Subject: [PATCH] a change

--- a/kernel/sys_ni.c
+++ b/kernel/sys_ni.c
@@ -1,1 +1,2 @@
+/* patched */
 {first}
"""

BAD_PATCH = PATCH.replace("1,1 +1,2", "1 +1").replace(" {first}", "-no such line")


def call(name):
    return edits.Syscall(name, f"{name}.c", f"SYSCALL_DEFINE0({name})\n", name.upper())


def plan(**changes):
    wanted = {
        "sysname": "My Linux",
        "banner": "Hello\n",
        "syscalls": [call("one"), call("two")],
        "headers": {"include/linux/mine.h": "/* mine */\n"},
    }
    return patching.Plan(**{**wanted, **changes})


def contents(tree):
    """Every file but the state, with its text."""
    return {
        str(path.relative_to(tree)): path.read_bytes()
        for path in tree.rglob("*")
        if path.is_file() and ".oslab" not in path.parts
    }


@pytest.fixture
def sys_ni_patch(fakelinux):
    first = (fakelinux / "kernel/sys_ni.c").read_text().splitlines()[0]
    return patching.PatchFile("change.patch", PATCH.format(first=first))


def test_second_run_changes_nothing(fakelinux, sys_ni_patch):
    first = patching.apply(fakelinux, plan(patches=[sys_ni_patch]), run)
    assert {"init/main.c", "kernel/one.c", "kernel/sys_ni.c"} <= set(first.changed)
    stamps = {path: path.stat().st_mtime_ns for path in fakelinux.rglob("*")}
    second = patching.apply(fakelinux, plan(patches=[sys_ni_patch]), run)
    assert second.changed == []
    assert second.state == first.state
    assert stamps == {path: path.stat().st_mtime_ns for path in fakelinux.rglob("*")}


def test_other_values_leave_what_a_fresh_run_would(fakelinux, tmp_path, sys_ni_patch):
    fresh = tmp_path / "fresh"
    subprocess.run(["cp", "-a", fakelinux, fresh], check=True)
    patching.apply(fakelinux, plan(patches=[sys_ni_patch]), run)
    other = plan(
        sysname="Other", banner="", syscalls=[call("three")], headers={"include/linux/b.h": "\n"}
    )
    changed = patching.apply(fakelinux, other, run)
    straight = patching.apply(fresh, other, run)
    assert contents(fakelinux) == contents(fresh)
    assert changed.state == straight.state
    assert not (fakelinux / "kernel/one.c").exists()


def test_empty_plan_returns_to_stock(fakelinux):
    stock = contents(fakelinux)
    patching.apply(fakelinux, plan(), run)
    patching.apply(fakelinux, patching.Plan("Linux", ""), run)
    stock.pop(edits.INSTALL)  # the manifest's rule is always there
    assert contents(fakelinux).items() >= stock.items()
    assert len(contents(fakelinux)) == len(stock) + 1


def test_check_mode_tells_and_touches_nothing(fakelinux):
    stock = contents(fakelinux)
    preview = patching.apply(fakelinux, plan(), run, check=True)
    assert contents(fakelinux) == stock
    assert not (fakelinux / ".oslab").exists()
    assert preview.changed == patching.apply(fakelinux, plan(), run).changed
    assert 'UTS_SYSNAME "My Linux"' in preview.after
    assert 'UTS_SYSNAME "Linux"' in preview.before


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"syscalls": [call("read")]}, "already has a syscall 'read'"),
        ({"headers": {"include/linux/uts.h": "\n"}}, "already has this file"),
        ({"headers": {"../x.h": "\n"}}, "out of the tree"),
        ({"patches": [patching.PatchFile("bad.patch", BAD_PATCH)]},
         "bad.patch does not apply"),
        ({"patches": [patching.PatchFile("out.patch", "+++ b/../x\n")]}, "out of the tree"),
        ({"patches": [patching.PatchFile("text.patch", "hello\n")]}, "git format-patch"),
        ({"patches": [patching.PatchFile("rm.patch", "--- a/Kbuild\n+++ /dev/null\n")]},
         "rm.patch removes a file"),
        ({"patches": [patching.PatchFile("mv.patch", "diff --git a/x b/y\nsimilarity index 9%\n"
                                         "rename from x\nrename to y\n")]}, "renames"),
    ],
)  # fmt: skip
def test_refusal_leaves_the_tree_alone(fakelinux, changes, message):
    stock = contents(fakelinux)
    with pytest.raises(edits.EditError, match=message):
        patching.apply(fakelinux, plan(**changes), run)
    assert contents(fakelinux) == stock
    assert not (fakelinux / ".oslab").exists()


TWO_FILES = """\
--- a/kernel/groups.c
+++ b/kernel/groups.c
@@ -1 +1,2 @@
+/* fine */
 {first}
--- a/kernel/sys_ni.c
+++ b/kernel/sys_ni.c
@@ -1 +1,2 @@
+/* fine */
 {second}
@@ -3 +4 @@ somewhere
-no such line
+/* not fine */
"""


def test_the_first_hunk_that_fails_is_named(fakelinux):
    first, second = (
        (fakelinux / "kernel" / name).read_text().splitlines()[0]
        for name in ("groups.c", "sys_ni.c")
    )
    text = TWO_FILES.format(first=first, second=second)
    stock = contents(fakelinux)
    message = (
        r"two\.patch does not apply to this tree: hunk 2 of kernel/sys_ni\.c "
        r"\(@@ -3 \+4 @@ somewhere\) finds no place near line \d+; nothing was changed"
    )
    with pytest.raises(edits.EditError, match=message):
        patching.apply(fakelinux, plan(patches=[patching.PatchFile("two.patch", text)]), run)
    assert contents(fakelinux) == stock
    missing = patching.PatchFile("new.patch", text.replace("groups", "nothing"))
    with pytest.raises(edits.EditError, match=r"the tree has no file kernel/nothing\.c;"):
        patching.apply(fakelinux, plan(patches=[missing]), run)


FUZZY = """\
--- a/kernel/sys_ni.c
+++ b/kernel/sys_ni.c
@@ -1,5 +1,6 @@
 /* another first line */
 {lines[1]}
 {lines[2]}
+/* patched */
 {lines[3]}
 {lines[4]}
"""


def fuzzy(tree, **changes):
    """A patch whose first line of context is not the tree's."""
    lines = (tree / "kernel/sys_ni.c").read_text().splitlines()
    return patching.PatchFile("fuzzy.patch", FUZZY.format(lines=lines), **changes)


def test_a_context_that_differs_is_refused_unless_the_user_allows_it(fakelinux):
    stock = contents(fakelinux)
    message = "fuzzy.patch does not apply .*; nothing was changed.* set patch_fuzz to 1 or 2"
    with pytest.raises(edits.EditError, match=message):
        patching.apply(fakelinux, plan(patches=[fuzzy(fakelinux)]), run)
    assert contents(fakelinux) == stock
    patching.apply(fakelinux, plan(patches=[fuzzy(fakelinux)], fuzz=2), run)
    assert "/* patched */" in (fakelinux / "kernel/sys_ni.c").read_text()


def test_of_the_collection_s_patches_every_line_of_context_counts(fakelinux):
    stock = contents(fakelinux)
    with pytest.raises(edits.EditError, match=r"fuzzy\.patch does not apply") as caught:
        patching.apply(fakelinux, plan(patches=[fuzzy(fakelinux, own=False)], fuzz=2), run)
    assert "patch_fuzz" not in str(caught.value)
    assert contents(fakelinux) == stock


HOOK = """\
--- a/kernel/fork.c
+++ b/kernel/fork.c
@@ -{line},3 +{line},4 @@ SYSCALL_DEFINE0(fork)
 {{
+\toslab_count(OSLAB_USAGE_FORK);
 \treturn 1;
 }}
"""


def hooked(tree, first, second):
    """A file of two functions with the same body, and a patch for `fork` that knows lines only."""
    bodies = "".join(
        f"SYSCALL_DEFINE0({name})\n{{\n\treturn 1;\n}}\n\n" for name in (first, second)
    )
    (tree / "kernel/fork.c").write_text(bodies)
    return [patching.PatchFile("count.patch", HOOK.format(line=7), own=False)]


def test_a_hook_in_another_function_is_refused(fakelinux):
    patches = hooked(fakelinux, "fork", "vfork")
    stock = contents(fakelinux)
    message = (
        r"count\.patch .* kernel/fork\.c: 'oslab_count\(OSLAB_USAGE_FORK\);' belongs in "
        r"SYSCALL_DEFINE0\(fork\), but is in SYSCALL_DEFINE0\(vfork\); nothing was changed"
    )
    for check in (True, False):
        with pytest.raises(edits.EditError, match=message):
            patching.apply(fakelinux, plan(patches=patches), run, check=check)
        assert contents(fakelinux) == stock


def test_a_hook_in_its_function_is_taken(fakelinux):
    patching.apply(fakelinux, plan(patches=hooked(fakelinux, "vfork", "fork")), run)
    assert "SYSCALL_DEFINE0(fork)\n{\n\toslab" in (fakelinux / "kernel/fork.c").read_text()


def test_a_patch_that_is_there_twice(fakelinux, sys_ni_patch):
    with pytest.raises(edits.EditError, match=r"has what it does to kernel/sys_ni\.c already"):
        patching.apply(fakelinux, plan(patches=[sys_ni_patch, sys_ni_patch]), run)


def test_a_killed_run_is_finished_by_the_next(fakelinux, monkeypatch):
    write, count = patching._write, iter(range(99))

    def killed(path, text):
        if ".oslab" not in path.parts and next(count) == 3:
            raise KeyboardInterrupt
        write(path, text)

    monkeypatch.setattr(patching, "_write", killed)
    with pytest.raises(KeyboardInterrupt):
        patching.apply(fakelinux, plan(), run)
    monkeypatch.setattr(patching, "_write", write)
    patching.apply(fakelinux, plan(), run)
    once = contents(fakelinux)
    assert patching.apply(fakelinux, plan(), run).changed == []
    patching.apply(fakelinux, patching.Plan("Linux", ""), run)
    patching.apply(fakelinux, plan(), run)
    assert contents(fakelinux) == once


def test_hand_made_changes_are_undone(fakelinux):
    patching.apply(fakelinux, plan(), run)
    wanted = contents(fakelinux)
    (fakelinux / "include/linux/uts.h").write_text("lost\n")
    assert patching.apply(fakelinux, plan(), run).changed == ["include/linux/uts.h"]
    assert contents(fakelinux) == wanted


def test_state_names_what_the_tree_carries(fakelinux, sys_ni_patch):
    patching.apply(fakelinux, plan(patches=[sys_ni_patch]), run)
    state = json.loads((fakelinux / ".oslab/patch.json").read_text())
    assert state["sysname"] == "My Linux"
    assert list(state["syscalls"]) == ["one", "two"]
    assert state["patches"] == [{"name": "change.patch", "sha256": sys_ni_patch.sha256}]


def test_a_patch_may_touch_the_makefile_without_losing_extraversion(fakelinux):
    makefile = fakelinux / "Makefile"
    first = makefile.read_text().splitlines()[0]
    text = PATCH.replace("kernel/sys_ni.c", "Makefile").replace("/* patched */", "# patched")
    patches = [patching.PatchFile("make.patch", text.format(first=first))]
    lines = makefile.read_text().splitlines(keepends=True)
    makefile.write_text(
        "".join("EXTRAVERSION = -x\n" if x.startswith("EXTRAVERSION") else x for x in lines)
    )
    patching.apply(fakelinux, plan(patches=patches), run)
    assert "# patched\n" in makefile.read_text()
    assert "EXTRAVERSION = -x\n" in makefile.read_text()
    assert patching.apply(fakelinux, plan(patches=patches), run).changed == []


@pytest.mark.parametrize("created", [["../victim"], ["/etc/victim"], ["a/../../victim"], "x", [5]])
def test_a_state_that_leads_out_of_the_tree(fakelinux, created):
    """What is not wanted any more is removed."""
    victim = fakelinux.parent / "victim"
    victim.write_text("mine")
    (fakelinux / ".oslab").mkdir()
    (fakelinux / ".oslab/patch.json").write_text(json.dumps({"created": created}))
    with pytest.raises(edits.EditError, match="not in the tree"):
        patching.apply(fakelinux, plan(), run)
    assert victim.read_text() == "mine"


@pytest.mark.parametrize("text", ["", "[]", "[" * 5000, '{"created": NaN}'])
def test_a_state_that_is_none(fakelinux, text):
    (fakelinux / ".oslab").mkdir()
    (fakelinux / ".oslab/patch.json").write_text(text)
    with pytest.raises(edits.EditError, match="cannot be read"):
        patching.apply(fakelinux, plan(), run)


def test_a_symbol_that_the_tree_has_is_refused_and_an_added_one_is_not(fakelinux):
    assert patching.apply(fakelinux, plan(), run).changed
    assert patching.apply(fakelinux, plan(), run).changed == []
    before = contents(fakelinux)
    keys = edits.Syscall("one", "one.c", "SYSCALL_DEFINE0(one)\n", "KEYS")
    with pytest.raises(edits.EditError, match="'KEYS' is already defined in init/Kconfig"):
        patching.apply(fakelinux, plan(syscalls=[keys]), run)
    assert contents(fakelinux) == before
