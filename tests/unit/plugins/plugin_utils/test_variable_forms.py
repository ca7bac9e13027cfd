# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ansible_collections.oslab.kernel.plugins.plugin_utils import known_variables, variable_forms
from ansible_collections.oslab.kernel.tests.lib import openpgp_keys

ROOT = Path(__file__).resolve().parents[4]
SUM = "0123456789abcdefABCDEF" + 42 * "0"


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("source_sha256", "abc", "source_sha256 is 'abc': it has to be 64 hexadecimal digits"),
        ("source_sha256", f"{SUM}\n", "it has to be 64"),
        ("source_known_sha256", {"6.1": "abc"}, "source_known_sha256: 6.1 is 'abc': it has to be"),
        ("build_root_mirrors", ["deb http://x/debian"], "build_root_mirrors[0] is"),
        ("build_root_mirrors", ["http://x/debian sid"], "build_root_mirrors[0] is"),
        (
            "build_root_mirrors",
            ["http://x/debian", "https://me:pw@x/debian sid main"],
            "build_root_mirrors[1] cannot be used: it holds a name or a password",
        ),
        ("build_root_suite", "Debian 12", "build_root_suite is"),
        ("source_mirrors", ["kernel.org"], "source_mirrors[0] is 'kernel.org': it has to be an ad"),
        ("source_mirrors", ["https://x", "ftp://x"], "source_mirrors[1] is"),
        ("source_mirrors", ["https://me:pw@x y/"], "//***@x"),
        (
            "source_git_url",
            "https://me:pw@x/y",
            "source_git_url cannot be used: it holds a name or",
        ),
        ("source_git_url", "ext::sh -c x", "it has to be https://HOST/PATH"),
        ("source_git_url", "linux", "absolute path of a repository"),
        (
            "source_git_ref",
            "--upload-pack=x",
            "source_git_ref is '--upload-pack=x': it has to be a",
        ),
        ("source_git_ref", "v6.12^{commit}", "it has to be a tag"),
        ("publish_listen_address", "eth0", "publish_listen_address is 'eth0': it has to be an IP"),
        ("publish_gpg_key", "ABCD", "it has to be a fingerprint, 40 hexadecimal digits"),
        ("build_attestation_gpg_key", "ABCD", "it has to be a fingerprint, 40 hexadecimal digits"),
        ("install_rebuild_keys", ["ada.asc"], "install_rebuild_keys[0] is 'ada.asc': it has to be"),
        ("install_rebuild_keys", ["/nowhere/ada.asc"], "[0] is of no use: /nowhere/ada.asc cannot"),
        ("publish_rollout", [{"percent": 5}], "[0] has to have percent and after_hours"),
        (
            "publish_rollout",
            [{"percent": 5, "after_hours": 1}, {"percent": 5, "after_hours": 2}],
            "[1] has to have a larger percent",
        ),
        ("publish_rollout_stopped", "stop", "'stop': it has to be auto, true or false"),
        ("publish_suite", "Stable", "it has to be lower-case letters"),
        ("install_packages", ["linux-image=1"], "a package's name, without a version"),
        ("trial_reboot", "perhaps", "trial_reboot is 'perhaps': it has to be true, false or ask"),
        ("trial_reboot", 5, "trial_reboot is 5: it has to be true, false or ask"),
        ("trial_health_checks", ["a | b"], "no shell runs it, so '|' would be an argument"),
        (
            "trial_health_checks",
            ["x", "a && b"],
            "trial_health_checks[1] is 'a && b': no shell",
        ),
        ("trial_health_checks", ["a >/dev/null"], "'>/dev/null' would"),
        ("trial_health_checks", ["a 2>&1"], "'2>&1' would"),
        ("trial_health_checks", ["a; b c; d"], "'c;' would"),
        ("trial_health_checks", ["test $(id -u) = 0"], "would be an argument"),
        ("trial_health_checks", ["a 'b"], "No closing quotation"),
        ("modules_list", [{"name": "a b"}], "modules_list[0] ('a b'): name has to be a module's"),
        ("modules_list", [{"name": "x", "params": {"a": "b c"}}], "('x'): params has 'a': 'b c'"),
        ("deploy_gates", [{"name": "x"}], "deploy_gates[0] (x): it has to have one of soak, win"),
        ("deploy_before", "drain.yml", "such as {{ inventory_dir }}/drain.yml"),
        (
            "verify_proc_entries",
            ["x"],
            "verify_proc_entries[0] is 'x': it has to be one of capt",
        ),
        (
            "verify_calls",
            [{"name": "a", "returns": 0}, {"name": "b"}],
            "verify_calls[1] ('b'): it has to have one of returns and error",
        ),
        (
            "verify_log_allowed",
            [{"pattern": "(x", "reason": "y"}],
            "verify_log_allowed[0]: pattern is '(x': missing ), unterminated subpattern",
        ),
        (
            "verify_log_allowed",
            [{"pattern": "x", "reason": "y"}, {"pattern": "a|", "reason": "y"}],
            "verify_log_allowed[1]: pattern is 'a|', which allows everything",
        ),
        (
            "verify_log_allowed",
            [{"pattern": "x", "reason": " "}],
            "verify_log_allowed[0]: reason is empty: say why 'x' is allowed",
        ),
        (
            "verify_health_allowed",
            [{"pattern": "", "reason": "y"}],
            "verify_health_allowed[0]: pattern is '', which allows everything",
        ),
        ("verify_metrics_dir", "metrics", "has to be an absolute path on the host, or empty"),
        ("build_metrics_dir", "~/metrics", "build_metrics_dir is '~/metrics'"),
        ("verify_build_id", "cc30304b36a", "first 12 or more of a build's hexadecimal digits"),
        ("verify_build_id", "CC30304B36A4", "verify_build_id is 'CC30304B36A4'"),
    ],
)
def test_a_wrong_form(name: str, value: Any, message: str) -> None:
    found = "; ".join(variable_forms.problems(name, value))
    assert message in found
    assert found.startswith(name)
    assert "pw" not in found


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("trial_reboot", "ask"),
        ("trial_reboot", "no"),
        ("trial_reboot", False),
        ("source_sha256", SUM),
        ("source_sha256", ""),
        ("build_root_mirrors", ["http://x/debian", "https://x/security x-security main contrib"]),
        ("build_root_suite", "bookworm"),
        ("source_mirrors", ["http://localhost:8000/k", "file:///srv/mirror", "https://[::1]/"]),
        ("source_git_url", ""),
        ("source_git_url", "https://git.kernel.org/pub/scm/linux/kernel/git/torvalds/linux.git"),
        ("source_git_ref", "refs/heads/master"),
        ("publish_rollout", []),
        ("publish_rollout_stopped", "auto"),
        ("publish_rollout_stopped", True),
        ("publish_rollout", [{"percent": 1, "after_hours": 0}, {"percent": 100, "after_hours": 9}]),
        ("publish_listen_address", ""),
        ("publish_listen_address", "::"),
        ("publish_listen_address", "10.0.0.1"),
        ("trial_health_checks", ["systemctl is-active nginx", "sh -c 'a | b; c > d'"]),
        ("trial_health_checks", ['grep -q "a | b" /x', r"find / -exec true {} \;", "find / ;"]),
        ("trial_health_checks", ['awk "{ if ($1 > 5) exit 1 }" /proc/loadavg']),
        ("install_packages", ["linux-image-6.8.0-x", "libstdc++6"]),
        ("modules_list", [{"name": "x", "params": {"mode": "0440", "n": 1}}, {"name": "y"}]),
        ("deploy_gates", [{"name": "x", "soak": 600}, {"name": "y", "command": ["true"]}]),
        ("deploy_before", "/etc/drain.yml"),
        ("deploy_before", ""),
        ("patch_banner", "anything; at | all"),
        ("verify_proc_entries", ["io_throttle", "system_stats"]),
        ("verify_log_allowed", [{"pattern": r"ext4_\w+\+0x", "reason": "known"}]),
        ("verify_build_id", ""),
        ("publish_metrics_dir", ""),
        ("publish_metrics_dir", "/var/lib/prometheus/node-exporter"),
        ("verify_build_id", "cc30304b36a4"),
    ],
)
def test_what_is_no_fault(name: str, value: Any) -> None:
    assert variable_forms.problems(name, value) == []


def test_the_names_and_defaults_are_those_of_the_roles() -> None:
    options = known_variables.collect(ROOT).options
    for name in variable_forms.FORMS:
        default = options[name].get("default", "")
        assert "{{" in str(default) or variable_forms.problems(name, default) == []


@pytest.mark.parametrize("file", ["", "linux.tar.xz", "./linux.tar.xz"])
def test_a_tarball_that_no_builder_finds(file: str) -> None:
    problem = variable_forms.source_file_problem("file", file)
    assert problem.startswith(f"source_file is {file!r}: with source_provider file it has to be")
    assert variable_forms.source_file_problem("kernel_org", file) == ""


@pytest.mark.parametrize("file", ["/srv/linux.tar.xz", "~/linux.tar.xz"])
def test_a_tarball_on_the_builder(file: str) -> None:
    assert variable_forms.source_file_problem("file", file) == ""


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("git", "", "", "tag"), "source_git_url is empty"),
        (("git", "/x", "", "tag"), "source_git_ref is empty"),
        (
            ("git", "/x", "a" * 40, "tag"),
            "source_git_verify is tag, but source_git_ref names a com",
        ),
        (("git", "/x", "refs/heads/x", "tag"), "source_git_verify is tag, but"),
        (("git", "/x", "v6.12", "tag"), ""),
        (("git", "/x", "a" * 40, "none"), ""),
        (("git", "/x", "a..b", "tag"), ""),  # said by its own form
        (("file", "", "", "tag"), ""),
    ],
)
def test_a_commit_that_cannot_be_asked_for(given: tuple[str, ...], message: str) -> None:
    problem = variable_forms.source_git_problem(*given)
    assert problem.startswith(message)
    assert bool(problem) == bool(message)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (("False", "kernel_org", ""), ""),
        (("True", "kernel_org", "kernel.lock"), ""),
        (("True", "distro_package", "kernel.lock"), ""),
        (("True", "kernel_org", ""), "source_series is True, but build_lock is empty"),
        (("yes", "git", "kernel.lock"), "source_series is yes, but source_provider is git"),
    ],
)
def test_a_series_needs_a_lock(given: tuple[str, str, str], message: str) -> None:
    problem = variable_forms.source_series_problem(*given)
    assert problem.startswith(message)
    assert bool(problem) == bool(message)


def test_the_same_key_twice(tmp_path: Path) -> None:
    with openpgp_keys.keys("ada", "bob") as (ada, bob):
        file = tmp_path / "ada.asc"
        file.write_text(ada.public)
        found = variable_forms.problems("install_rebuild_keys", [ada.public, bob.public])
        assert found == []
        found = variable_forms.problems("install_rebuild_keys", [ada.public, bob.public, str(file)])
        same = "install_rebuild_keys[2] is the key of install_rebuild_keys[0], and would count once"
        assert found == [same]
