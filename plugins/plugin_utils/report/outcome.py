# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""How a run ended on a host, why, and what to do, by what the run left among the host's variables.

The table of the fleet and the report have this from here.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple, Optional

from ansible_collections.oslab.kernel.plugins.module_utils._common import plain_text
from ansible_collections.oslab.kernel.plugins.plugin_utils import kernel_choice

DEPLOY, VERIFY, ROLLBACK = RUNS = ("deploy", "verify", "rollback")


class Kind(NamedTuple):
    """`passed` is None where the run has no verdict on the host."""

    words: str
    passed: Optional[bool]
    remedy: str = ""


_RETRY = "then run this again"
#: What asks for somebody first.
KINDS = {
    "not_confirmed": Kind(
        "NOT CONFIRMED",
        False,
        f"Repair the cause, or build another kernel; {_RETRY}. The same build is not tried there "
        "again unless install_retry_failed is true.",
    ),
    "not_rolled_back": Kind("NOT ROLLED BACK", False, f"Repair the cause; {_RETRY}."),
    "checks_failed": Kind(
        "CHECKS FAILED",
        False,
        "Run deploy.yml to install the build again, or rollback.yml to boot the fallback kernel.",
    ),
    "failed": Kind("FAILED", False, f"Repair the cause; {_RETRY}."),
    "no_answer": Kind(
        "NO ANSWER",
        False,
        "Check the host's name, its ssh keys and the network with `ansible HOST -m ping`; "
        f"{_RETRY}.",
    ),
    "lost": Kind(
        "LOST",
        False,
        f"Read what Ansible printed of this host; {_RETRY}. A host in its trial boot reboots into "
        "its fallback kernel by itself.",
    ),
    "no_kernel": Kind("NO KERNEL", False, f"Repair the cause on the builder; {_RETRY}."),
    "excluded": Kind("EXCLUDED", False, f"Repair the cause; {_RETRY}."),
    "not_started": Kind("not started", None),
    "reboot_pending": Kind(
        "reboot pending", None, "Reboot the host. Then run this again, which confirms the kernel."
    ),
    "not_verified": Kind("not verified", None),
    "verified": Kind("verified", True),
    "confirmed": Kind("confirmed", True),
    "rolled_back": Kind("rolled back", True),
    "unchanged": Kind("unchanged", True),
}

_LOG_REMEDY = (
    "Find the cause of the complaint in the kernel or its driver. If it is known and harmless, add "
    "it to verify_log_allowed."
)
_HEALTH_REMEDY = (
    "Enable what is missing in the kernel's configuration, or repair the unit. If the host may "
    "lose it, add it to verify_health_allowed."
)
#: Beginning of the name of a failed check → remedy.
_OF_CHECKS = {"kernel log": _LOG_REMEDY, "health": _HEALTH_REMEDY}
# Registered by playbooks; each has the reason where the host did not answer.
_ASKED = ("verify_result", "verify_files", "trial_lock", "install_host_facts", "kernel_target_info")
# A report of hosts that are worked on is the last one if the run loses all of them.
_LOST = "The outcome of this host is not known: the run lost it, was ended, or still goes on."
_NO_TASK = "The run ended before this host was started."


class Outcome(NamedTuple):
    """Of one host; `kind` is a key of KINDS."""

    kind: str
    cause: str = ""
    remedy: str = ""


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def failures(known: Mapping[str, Any]) -> Optional[list[str]]:
    """A sentence for each failed check; None if the host was not verified."""
    shown = _dict(known.get("verify_shown"))
    found = shown.get("failures")
    return [str(one) for one in found] if isinstance(found, (list, tuple)) else None


def _remedy(failed: Sequence[str]) -> str:
    """Of the first failed check that has one of its own; else empty."""
    remedies = (
        remedy for one in failed for name, remedy in _OF_CHECKS.items() if one.startswith(name)
    )
    return next(remedies, "")


def _unreachable(known: Mapping[str, Any]) -> str:
    """Why the host did not answer when it was asked last; empty if it did."""
    for name in _ASKED:
        asked = _dict(known.get(name))
        if asked.get("unreachable"):
            return plain_text.sentence(asked.get("msg") or "no answer")
    return ""


def _stopped(run: str, known: Mapping[str, Any]) -> Optional[Outcome]:
    """What ends any run; None if nothing did."""
    excluded = _dict(known.get("deploy_excluded"))
    if excluded.get("failed"):
        return Outcome("excluded", str(excluded.get("msg") or ""))
    if known.get("trial_failure"):
        cause = f"{known['trial_failure']} {known.get('trial_outcome') or ''}"
        kind = "not_rolled_back" if run == ROLLBACK else "not_confirmed"
        return Outcome(kind, cause, _remedy(failures(known) or []))
    return None


def _verified(known: Mapping[str, Any]) -> Outcome:
    failed = failures(known)
    if failed:
        cause = plain_text.few(failed, separator="; ")
        return Outcome("checks_failed", cause, _remedy(failed))
    if known.get("verify_failure"):
        reason = _unreachable(known)
        kind = "no_answer" if reason else "failed"
        return Outcome(kind, reason or str(known["verify_failure"]))
    if failed is not None:
        return Outcome("verified")
    if known.get("trial_reboot_pending"):
        return Outcome("reboot_pending", str(known.get("trial_pending_message") or ""))
    if "release" in _dict(known.get("verify_result")):
        return Outcome("not_verified")
    return Outcome("no_answer", _unreachable(known))


def _changed(run: str, known: Mapping[str, Any]) -> Outcome:
    """Of a deployment or a rollback."""
    if known.get("install_current"):
        return Outcome("unchanged")
    if known.get("trial_reboot_pending"):
        return Outcome("reboot_pending", str(known.get("trial_pending_message") or ""))
    if "trial_result" in known:
        if run == ROLLBACK:
            rebooted = _dict(known["trial_result"]).get("rebooted")
            return Outcome("rolled_back" if rebooted else "unchanged")
        return Outcome("confirmed")
    reason = _unreachable(known)
    return Outcome("no_answer", reason) if reason else Outcome("not_started", _NO_TASK)


def without_kernel(builder: str, known: Mapping[str, Any]) -> str:
    """Why a builder has no kernel for its targets in this run; empty if it has one.

    :param known: the variables of the builder.
    """
    if known.get("build_failure"):
        return f"{builder}: the kernel was not built. {known['build_failure']}"
    if kernel_choice.published(known):
        return ""
    return (
        f"No kernel of {builder} is known: the builder failed or does not answer, "
        "or the run was ended or goes on. Read what Ansible printed of it."
    )


def of(
    known: Mapping[str, Any], run: str = VERIFY, *, lost: bool = False, no_kernel: str = ""
) -> Outcome:
    """How the run ended on a host, with a cause and a remedy in one line each.

    Part of what is known is the host's own answer, which may be anything: it counts for this host
    alone.

    :param known: the variables of the host.
    :param run: one of RUNS.
    :param lost: whether Ansible works on the host no more.
    :param no_kernel: why its builder has no kernel for it; empty if it has one.
    """
    found = _stopped(run, known)
    found = found or (_verified(known) if run == VERIFY else _changed(run, known))
    if found.kind == "not_started" and no_kernel:
        found = Outcome("no_kernel", no_kernel)
    if lost and KINDS[found.kind].passed is not False:
        reason = _unreachable(known)
        found = Outcome("no_answer", reason) if reason else Outcome("lost", _LOST)
    remedy = found.remedy or KINDS[found.kind].remedy
    return Outcome(found.kind, plain_text.sentence(found.cause, 2 * plain_text.LENGTH), remedy)
