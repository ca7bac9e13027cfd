# Copyright: (c) 2026, oslab.kernel contributors
# GNU General Public License v3.0+ (see LICENSES/GPL-3.0-or-later.txt or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What is done to a host, and what has to become of it.

Scripts run on the host as root, with RELEASE (the new kernel) and KEEP (a directory of their own).
A fault of the kernel is tied to that release, so that the old one is as good as ever.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Optional

from ansible_collections.oslab.kernel.plugins.plugin_utils.trial_cause import (
    CHECK,
    DEVICE,
    DISK,
    HEALTH,
    INIT,
    INITRD,
    LOADER,
    LOCKUP,
    MODULE,
    NETWORK,
    NOT_REACHED,
    OOPS,
    PANIC,
    ROOT,
    SYSCALL,
    SYSTEMD,
    UNIT,
)
from ansible_collections.oslab.kernel.tests.system.faults.hosts.host import HOSTS

OLD, NEW = "old", "new"
# The packages are there, and nothing was booted; or: nothing of ours is there.
INSTALLED, STOCK = "installed", "stock"
# All is prepared for the trial; the controller was killed when it was to ask for the reboot.
ARMED = "armed"
# The same on a host that has deployed to itself, and is to reboot.
HERE = "here"
# The new kernel runs, confirmed.
DEPLOYED = "confirmed"

# Said on the serial line by what waits for a moment inside the host.
MARK = "FAULT-MOMENT"


@dataclass(frozen=True)
class Moment:
    """When the harness acts: so long after a line of the serial log or of the playbook."""

    pattern: str
    source: str = "controller"
    delay: float = 0.0


@dataclass(frozen=True)
class Fault:
    """One row."""

    name: str
    what: str
    state: str = INSTALLED
    # What may run after the first deployment. After the second, without the fault: the new one.
    expected: tuple[str, ...] = (OLD,)
    inject: str = ""
    heal: str = ""
    # For the first deployment alone.
    variables: Mapping[str, Any] = field(default_factory=dict)
    arguments: tuple[str, ...] = ()
    # What the report has to say.
    message: str = ""
    # What the failure message has to name as the cause: one of these (plugin_utils/trial_cause.py).
    # Empty where nothing can know it, as of a power cut, or the failed task says all.
    cause: tuple[str, ...] = ()
    # What the serial line has to say: that the fault did happen.
    observed: str = ""
    # At the moment: `cut` the power, `kill` the controller, start a `second` one.
    action: str = ""
    moment: Optional[Moment] = None
    # What is done to the repository: package, index, half.
    tamper: str = ""
    # Seconds until the rollback timer of the first deployment ends its trial boot.
    timeout: int = 600
    # It takes little, and no more than a stock host.
    fast: bool = False
    # It is the playbook that sees it, and nobody else would.
    by_playbook: bool = False
    # What runs first, by its name in cases.py, in the place of a deployment.
    case: str = ""
    # What it leaves behind stays when it is taken away.
    stays: bool = False
    # Of hosts.HOSTS; empty for all.
    hosts: tuple[str, ...] = ()

    def wrong_cause(self, named: str) -> list[str]:
        """What is wrong with the cause that the failure message names."""
        if not self.cause or named in self.cause:
            return []
        return [f"the cause is {' or '.join(self.cause)}, and {named or 'none'} is named"]

    @property
    def chained(self) -> bool:
        """Whether another fault may follow on the same host."""
        return self.expected == (OLD,) and not self.stays and not self.case

    @property
    def alone(self) -> bool:
        """Whether the host has to come back from it without a controller."""
        return self.state == INSTALLED and not self.action and not self.by_playbook


# What the rollback timer's script (roles/trial/templates/trial-rollback.j2) prints.
ROLLBACK_TIMER = "rebooting into the fallback kernel"


def unit(command: str, service: str = "Type=oneshot", section: str = "") -> str:
    """A service of the new kernel's boot alone, started as early as there are any."""
    return f"""
cat >/etc/systemd/system/fault.service <<END
[Unit]
DefaultDependencies=no
ConditionKernelVersion=$RELEASE
{section}
[Service]
{service}
ExecStart={command}
TimeoutStartSec=infinity
END
mkdir -p /etc/systemd/system/sysinit.target.wants
ln -s ../fault.service /etc/systemd/system/sysinit.target.wants/fault.service
sync
"""


NO_UNIT = "rm -f /etc/systemd/system/fault.service /etc/systemd/system/*.wants/fault.service"


def module(kind: str) -> dict[str, Any]:
    return {"inject": unit(f"/sbin/insmod /root/fault.ko kind={kind}"), "heal": NO_UNIT}


def replaced(path: str, script: str) -> dict[str, Any]:
    """Change a file; the good one is kept."""
    return {
        "inject": f'file="{path}"\ncp -a "$file" "$KEEP/kept"\n{script}\nsync\n',
        "heal": f'cp -a "$KEEP/kept" "{path}"\nsync\n',
    }


INITRD_FILE = "/boot/initrd.img-$RELEASE"

# An archive behind the initrd: the kernel unpacks one after the other.
PANIC_IN_INITRD = """
size=$(stat -c %s "$file"); truncate -s $(( (size + 511) / 512 * 512 )) "$file"
mkdir -p "$KEEP/more/conf/conf.d"
echo 'echo c >/proc/sysrq-trigger' >"$KEEP/more/conf/conf.d/fault"
cd "$KEEP/more"; find . | cpio --quiet -o -H newc >>"$file"
"""

FILLER = "rm -f /filler /boot/filler; sync"
FILL = "fallocate -l $(( $(df --output=avail -k {0} | tail -n 1) - {1} ))K {2}/filler; sync"

# /boot as many servers have it: a small file system of its own.
SMALL_BOOT = """
mkfs.ext4 -q /dev/vdb; mkdir "$KEEP/boot"; mount /dev/vdb "$KEEP/boot"
cp -a /boot/. "$KEEP/boot/"; umount "$KEEP/boot"; mount /dev/vdb /boot
echo '/dev/vdb /boot ext4 defaults 0 2' >>/etc/fstab
grub-install /dev/vda 2>/dev/null; update-grub 2>/dev/null; sync
"""

PRINT_MARK = f"echo {MARK} >/dev/ttyS0"


def hook(path: str, script: str) -> dict[str, Any]:
    """A program that something calls at the right moment."""
    return {
        "inject": f"cat >{path} <<'END'\n#!/bin/sh\n{script}\nEND\nchmod 755 {path}\nsync\n",
        "heal": f"rm -f {path}\nsync",
    }


IN_INITRAMFS = "/etc/initramfs-tools/hooks/zz-fault"

UNPACKING = """
cat >/root/moment <<'END'
#!/bin/sh
while read -r line; do
    case "$line" in
    "processing: install: linux-image"*) echo FAULT-MOMENT >/dev/ttyS0 ;;
    esac
done
END
chmod 755 /root/moment
echo status-logger=/root/moment >/etc/dpkg/dpkg.cfg.d/fault
sync
"""

FIREWALL = "/bin/sh -c 'ip rule add pref 10 lookup local; ip rule del pref 0; "
FIREWALL += "ip rule add pref 1 ipproto tcp dport 22 blackhole'"

LOCK = """
cat >/root/lock.py <<'END'
import fcntl, time
kept = [open("/var/lib/dpkg/" + name, "w") for name in ("lock-frontend", "lock")]
for file in kept:
    fcntl.lockf(file, fcntl.LOCK_EX)
time.sleep(60)
END
nohup python3 /root/lock.py >/dev/null 2>&1 &
"""

WRONG_NUMBERS = r"""
sed -i -E 's/("get_io_throttle": *)[0-9]+/\1501/' "$file"
"""

BOOTING = Moment("Booting .Trial of", "serial")

# Settings that people have, against the command line of the trial boot.
SYSCTLS = """
cat >/etc/sysctl.d/99-fault.conf <<END
kernel.panic = 0
kernel.panic_on_oops = 0
kernel.softlockup_panic = 0
kernel.panic_on_rcu_stall = 0
kernel.nmi_watchdog = 0
END
"""
NO_SYSCTLS = "rm -f /etc/sysctl.d/99-fault.conf"


def overruled(kind: str) -> dict[str, Any]:
    """The module, some seconds after the host's settings were applied."""
    command = f"/bin/sh -c 'sleep 8; exec /sbin/insmod /root/fault.ko kind={kind}'"
    return {
        "inject": SYSCTLS + unit(command, section="After=systemd-sysctl.service"),
        "heal": f"{NO_UNIT}; {NO_SYSCTLS}",
    }


FAULTS = (
    # --- the kernel, or what it is started with -------------------------------------------------
    Fault(
        "panic",
        "the kernel panics in the initrd, before there is a root file system",
        cause=(PANIC,),
        observed="sysrq triggered crash",
        **replaced(INITRD_FILE, PANIC_IN_INITRD),
    ),
    Fault(
        "panic-late",
        "the kernel panics while services start",
        cause=(PANIC,),
        observed="fault: asked for",
        **module("panic"),
    ),
    Fault(
        "oops",
        "a driver dereferences a null pointer",
        cause=(OOPS,),
        observed="NULL pointer dereference",
        **module("oops"),
    ),
    Fault(
        "panic-overruled",
        "the kernel panics, and sysctl.d says that it is to stand still then",
        cause=(PANIC,),
        observed="fault: asked for",
        **overruled("panic"),
    ),
    Fault(
        "oops-overruled",
        "a driver dereferences a null pointer, and sysctl.d says to go on then",
        cause=(OOPS,),
        observed="NULL pointer dereference",
        **overruled("oops"),
    ),
    # A kernel that may be preempted sees no lockup, but callbacks that wait.
    Fault(
        "cpu-spins",
        "one CPU runs in the kernel for ever",
        cause=(LOCKUP,),
        observed="(?i)rcu.*stall|soft lockup",
        **module("spin"),
    ),
    Fault(
        "cpu-dead",
        "the same with interrupts off",
        cause=(LOCKUP,),
        observed="(?i)rcu.*stall|hard lockup|soft lockup",
        **module("dead"),
    ),
    Fault(
        "init-ends",
        "init ends at once",
        cause=(INIT,),
        observed="Attempted to kill init",
        arguments=("init=/bin/true",),
        fast=True,
    ),
    Fault(
        "systemd-crashes",
        "systemd is killed by a segmentation fault",
        cause=(SYSTEMD,),
        observed="Caught <SEGV>|Crash|crash",
        inject=unit("/bin/kill -SEGV 1"),
        heal=NO_UNIT,
    ),
    Fault(
        "hung-boot",
        "a service before all others never ends",
        cause=(UNIT,),
        observed=ROLLBACK_TIMER,
        inject=unit("/bin/sleep infinity", section="Before=sysinit.target"),
        heal=NO_UNIT,
        timeout=100,
        message="rollback timer",
    ),
    Fault(
        "root-not-found",
        "the kernel's command line names a root that is not there",
        cause=(ROOT,),
        observed="/dev/nowhere does not exist",
        arguments=("root=/dev/nowhere", "rootdelay=5"),
    ),
    Fault(
        "initrd-corrupt",
        "4 MiB of the initrd are noise",
        cause=(INITRD, ROOT, INIT, PANIC, OOPS),
        observed="(?i)unpacking failed|corrupt|Unable to mount root",
        **replaced(
            INITRD_FILE,
            'dd if=/dev/urandom of="$file" bs=1M seek=2 count=4 conv=notrunc status=none',
        ),
    ),
    Fault(
        "initrd-gone",
        "there is no initrd",
        cause=(LOADER,),
        observed="(?i)initrd.* not found",
        **replaced(INITRD_FILE, 'rm "$file"'),
    ),
    Fault(
        "kernel-cut-short",
        "half of the kernel's image is missing",
        cause=(LOADER,),
        # GRUB finds that out, or starts what is there, which dies without a word.
        observed=r"(?is)premature end|error: |Loading Linux ((?!Linux version).)*Booting from",
        **replaced("/boot/vmlinuz-$RELEASE", 'truncate -s 5M "$file"'),
    ),
    # --- what it finds --------------------------------------------------------------------------
    Fault(
        "modules-gone",
        "/lib/modules/RELEASE is not there",
        cause=(NETWORK, NOT_REACHED, UNIT, MODULE, CHECK, DEVICE),
        inject='mv "/lib/modules/$RELEASE" "$KEEP/modules"; sync',
        heal='mv "$KEEP/modules" "/lib/modules/$RELEASE"; sync',
        timeout=100,
        by_playbook=True,
    ),
    Fault(
        "module-removed",
        "one of the four modules is not there",
        cause=(MODULE,),
        # Put back by hand: the index of an address that has changed since is not there.
        inject='file=$(find "/lib/modules/$RELEASE" -name "capture_mem_mod.ko*")\n'
        'echo "$file" >"$KEEP/where"; mv "$file" "$KEEP/"; depmod "$RELEASE"; sync',
        heal='file=$(cat "$KEEP/where"); mv "$KEEP/${file##*/}" "$file"; depmod "$RELEASE"; sync',
        by_playbook=True,
    ),
    Fault(
        "no-network",
        "the network card's driver refuses to load",
        cause=(NETWORK,),
        observed=ROLLBACK_TIMER,
        arguments=("module_blacklist=virtio_net",),
        timeout=100,
        message="rollback timer",
    ),
    Fault(
        "usr-local-away",
        "the same, and what is mounted at /usr/local has nothing in it",
        cause=(NETWORK,),
        observed=ROLLBACK_TIMER,
        arguments=("module_blacklist=virtio_net",),
        inject="echo 'fault /usr/local tmpfs nofail 0 0' >>/etc/fstab; sync",
        heal="sed -i '/^fault /d' /etc/fstab; umount /usr/local || true; sync",
        timeout=100,
        message="rollback timer",
    ),
    Fault(
        "sshd-masked",
        "sshd is not started",
        cause=(NOT_REACHED,),
        observed=ROLLBACK_TIMER,
        arguments=("systemd.mask=ssh.service",),
        timeout=100,
        message="rollback timer",
    ),
    Fault(
        "firewall",
        "packets to port 22 are dropped",
        cause=(NOT_REACHED,),
        observed=ROLLBACK_TIMER,
        inject=unit(FIREWALL),
        heal=NO_UNIT,
        timeout=100,
        message="rollback timer",
    ),
    Fault(
        "syscall-wrong",
        "a syscall does not answer under its number",
        cause=(SYSCALL,),
        **replaced("/lib/modules/$RELEASE/oslab-kernel.json", WRONG_NUMBERS),
        message="checks failed",
        by_playbook=True,
    ),
    Fault(
        "health-check",
        "the user's own check fails",
        cause=(HEALTH,),
        variables={"trial_health_checks": ["/bin/false"], "trial_health_timeout": 5},
        message="health",
        by_playbook=True,
    ),
    # --- no room --------------------------------------------------------------------------------
    Fault(
        "root-full",
        "/ has 100 MiB left",
        cause=(DISK,),
        state=STOCK,
        inject=FILL.format("/", "100 * 1024", ""),
        heal=FILLER,
        message="MiB free",
        fast=True,
    ),
    Fault(
        "root-fills-up",
        "/ is full when dpkg starts to unpack",
        cause=(DISK,),
        state=STOCK,
        stays=True,
        inject=hook(
            "/root/fill",
            "[ -e /filler ] || fallocate -l $(df --output=avail -k / | tail -n 1)K /filler\n"
            "cat /dev/zero >>/filler 2>/dev/null\ntrue",
        )["inject"]
        + "echo pre-invoke=/root/fill >/etc/dpkg/dpkg.cfg.d/fault; sync",
        heal=f"rm -f /etc/dpkg/dpkg.cfg.d/fault /root/fill; {FILLER}",
    ),
    Fault(
        "boot-full",
        "/boot, a small file system, has 10 MiB left",
        cause=(DISK,),
        state=STOCK,
        stays=True,
        inject=SMALL_BOOT + FILL.format("/boot", "10 * 1024", "/boot"),
        heal=FILLER,
        message="MiB free",
    ),
    Fault(
        "boot-fills-up",
        "/boot is full when the initrd is made",
        cause=(DISK,),
        state=STOCK,
        stays=True,
        inject=SMALL_BOOT
        + hook(
            IN_INITRAMFS,
            '[ "$1" = prereqs ] && exit\n'
            "[ -e /boot/filler ] || cat /dev/zero >/boot/filler 2>/dev/null\ntrue",
        )["inject"],
        heal=f"rm -f {IN_INITRAMFS}; {FILLER}",
    ),
    # --- the power is cut -----------------------------------------------------------------------
    Fault(
        "cut-unpack",
        "while the kernel's package is unpacked",
        state=STOCK,
        stays=True,
        inject=UNPACKING,
        heal="rm -f /etc/dpkg/dpkg.cfg.d/fault /root/moment; sync",
        action="cut",
        moment=Moment(MARK, "serial", 2.0),
    ),
    Fault(
        "cut-initramfs",
        "while the initrd is made",
        state=STOCK,
        stays=True,
        **hook(IN_INITRAMFS, f'[ "$1" = prereqs ] && exit\n{PRINT_MARK}'),
        action="cut",
        moment=Moment(MARK, "serial", 3.0),
    ),
    Fault(
        "cut-update-grub",
        "while GRUB's menu is made",
        state=STOCK,
        stays=True,
        **hook(
            "/etc/grub.d/45_fault",
            f"ls /boot/vmlinuz-*-usac* >/dev/null || exit 0\n{PRINT_MARK}\nsleep 5",
        ),
        action="cut",
        moment=Moment(MARK, "serial", 1.0),
    ),
    Fault(
        "cut-before-reboot",
        "when the trial boot is set and the reboot is asked for",
        expected=(OLD, NEW),
        action="cut",
        moment=Moment(r"TASK \[.*Reboot the host", delay=1.0),
    ),
    Fault("cut-boot", "when GRUB starts the trial", action="cut", moment=BOOTING),
    Fault(
        "cut-trial",
        "in the trial, while it is verified",
        action="cut",
        moment=Moment(r"TASK \[.*Read the running kernel and check", delay=0.5),
    ),
    Fault(
        "cut-confirm",
        "when the new default is written",
        expected=(OLD, NEW),
        action="cut",
        moment=Moment(r"TASK \[.*Set the confirmed kernel as the default", delay=0.8),
    ),
    Fault(
        "cut-recorded",
        "when the new default is written and not yet recorded",
        expected=(NEW,),
        action="cut",
        moment=Moment(r"TASK \[.*(Mark this boot as confirmed|Stop the rollback timer)", delay=0.2),
    ),
    # --- who deploys ----------------------------------------------------------------------------
    Fault(
        "controller-dies",
        "ansible-playbook is killed when the trial boots",
        action="kill",
        moment=BOOTING,
        timeout=100,
    ),
    Fault(
        "controller-dies-early",
        "ansible-playbook is killed while packages are installed",
        state=STOCK,
        stays=True,
        action="kill",
        moment=Moment(r"TASK \[.*Install the packages", delay=8.0),
    ),
    Fault(
        "two-controllers",
        "two run at the same time",
        state=STOCK,
        expected=(NEW,),
        action="second",
        message="deployment lock is held by",
        moment=Moment(r"TASK \[.*Gather host state"),
    ),
    # --- where it comes from --------------------------------------------------------------------
    Fault(
        "package-tampered",
        "one byte of the kernel's package differs",
        state=STOCK,
        tamper="package",
        message="Hash|mismatch|corrupt|size",
    ),
    Fault(
        "index-tampered",
        "the index names another sum, under the old signature",
        state=STOCK,
        tamper="index",
        message="(?i)signature|not signed|BADSIG",
        fast=True,
    ),
    Fault(
        "download-ends",
        "the server hangs up in the middle of the kernel's package",
        state=STOCK,
        tamper="half",
        message="Failed to fetch",
    ),
    # --- the host itself ------------------------------------------------------------------------
    Fault(
        "clock-behind",
        "the clock says 2016",
        state=STOCK,
        inject="date -s 2016-02-03 >/dev/null; hwclock --systohc --utc",
        heal="date -s @$NOW >/dev/null; hwclock --systohc --utc",
        message="clock",
    ),
    Fault(
        "clock-ahead",
        "the clock says 2041",
        state=STOCK,
        message="clock",
        inject="date -s 2041-02-03 >/dev/null; hwclock --systohc --utc",
        heal="date -s @$NOW >/dev/null; hwclock --systohc --utc",
    ),
    Fault(
        "grub-read-only",
        "/boot/grub is on btrfs, where GRUB cannot write",
        state=STOCK,
        inject="zcat /root/btrfs.gz >/dev/vdb; modprobe btrfs; mount /dev/vdb /mnt\n"
        "cp -a /boot/grub/. /mnt/; umount /mnt; mount /dev/vdb /boot/grub",
        heal="umount /boot/grub",
        message="environment block",
    ),
    Fault(
        "apt-locked",
        "another apt runs for a minute",
        state=STOCK,
        expected=(NEW,),
        inject=LOCK,
    ),
)


CASES = (
    Fault(
        "rollback",
        "rollback.yml on a host that runs the new kernel",
        state=DEPLOYED,
        case="rollback",
    ),
    Fault(
        "rollback-panics",
        "the same, and the previous kernel panics in its initrd",
        cause=(PANIC,),
        state=DEPLOYED,
        expected=(NEW,),
        case="rollback-panics",
        observed="sysrq triggered crash",
        message="was not rolled back",
        **replaced('$(ls /boot/initrd.img-* | grep -v "$RELEASE")', PANIC_IN_INITRD),
    ),
    Fault(
        "remove",
        "remove.yml: the host is as it was before",
        state=DEPLOYED,
        case="remove",
    ),
    Fault(
        "keep",
        "install_keep=1 on a host with two other kernels of the collection",
        expected=(NEW,),
        case="keep",
        by_playbook=True,
    ),
    Fault(
        "kexec",
        "trials by kexec: one whose health check fails, and a good one",
        expected=(NEW,),
        case="kexec",
        by_playbook=True,
    ),
)
ROWS = (*FAULTS, *CASES)


def in_trial(condition: str, action: str) -> dict[str, Any]:
    """An action in the trial boot, as soon as a condition holds."""
    wait = f"until {condition}; do sleep 0.2; done; {action}"
    return {"inject": unit(f"/bin/sh -c '{wait}'", "Type=simple"), "heal": NO_UNIT}


REPEATED = "pgrep -f ansible-playbook >/dev/null"
RESET = "echo b >/proc/sysrq-trigger"
# A host that is its own control node: what can happen to it, besides rows of FAULTS.
ON_HOST = (
    Fault("good", "nothing is wrong", state=HERE, expected=(NEW,)),
    Fault(
        "run-killed",
        "the run that verifies is killed",
        state=HERE,
        **in_trial(REPEATED, "sleep 10; pkill -KILL -f ansible-playbook"),
    ),
    Fault(
        "run-gone",
        "what runs ansible-playbook is not there",
        state=HERE,
        inject="mv /root/control /root/elsewhere; sync",
    ),
    Fault(
        "unit-masked",
        "the unit that verifies does not start",
        state=HERE,
        arguments=("systemd.mask=oslab-trial-finish.service",),
        observed=ROLLBACK_TIMER,
        timeout=100,
    ),
    Fault(
        "reset-verifying",
        "the machine is reset while it verifies",
        state=HERE,
        **in_trial(REPEATED, f"sleep 20; {RESET}"),
    ),
    Fault(
        "reset-confirmed",
        "the machine is reset as it confirms",
        state=HERE,
        expected=(OLD, NEW),
        **in_trial("[ -e /run/oslab-trial.confirmed ]", RESET),
    ),
)
# Where GRUB cannot write, trial boots are by kexec.
_PINNED = tuple(name for name, host in HOSTS.items() if host.pinned)
_SECURE = tuple(name for name, host in HOSTS.items() if host.signed)
ON_OTHERS = (
    *(
        Fault(
            case,
            "nothing is wrong; then an ordinary reboot",
            expected=(NEW,),
            case=case,
            by_playbook=True,
            hosts=tuple(name for name, host in HOSTS.items() if host.good == case),
        )
        for case in ("confirmed", "confirmed-pinned", "confirmed-secure")
    ),
    Fault(
        "signature-wrong",
        "one byte of the signed image differs",
        cause=(LOADER,),
        observed="(?i)bad shim signature",
        **replaced(
            "/boot/vmlinuz-$RELEASE",
            "printf x | dd of=$file bs=1 seek=3000000 conv=notrunc status=none",
        ),
        hosts=_SECURE,
    ),
    Fault(
        "degraded",
        "one of the mirrors is gone, and nothing else is wrong; then an ordinary reboot",
        expected=(NEW,),
        inject="""
root=$(findmnt -n -o SOURCE /)
mirror=$(mdadm --detail $root | sed -n 's,.* sync  *\\(/dev/.*\\),\\1,p' | tail -1)
mdadm --quiet $root --fail $mirror
""",
        case="confirmed-pinned",
        by_playbook=True,
        hosts=("raid1",),
    ),
    Fault(
        "cut-pinned",
        "when the new default is pinned, and GRUB's menu is made of it",
        action="cut",
        moment=Moment(MARK, "serial", 1.0),
        hosts=_PINNED,
        **hook(
            "/etc/grub.d/45_fault",
            f"grep -q oslab.trial= /proc/cmdline || exit 0\n{PRINT_MARK}\nsleep 5",
        ),
    ),
)
# What is built and loaded on a host by DKMS is no fault of the loader, and any host would do.
_NEWER = "/usr/src/outside-1.0/outside.c"
ON_DKMS = (
    Fault(
        "dkms-confirmed",
        "nothing is wrong: DKMS builds the module while the kernel is installed",
        state=STOCK,
        expected=(NEW,),
        case="confirmed",
        by_playbook=True,
    ),
    Fault(
        "dkms-unbuilt",
        "a module of DKMS does not build for the new kernel",
        state=STOCK,
        inject=f"""
cp {_NEWER} $KEEP/outside.c
printf '#if NEWER\n#error not for this kernel\n#endif\n' >> {_NEWER}
""",
        heal=f"mv $KEEP/outside.c {_NEWER}",
        message="#error not for this kernel",
    ),
    Fault(
        "dkms-unloaded",
        "a module of DKMS does not load in the new kernel",
        inject=f"""
cp {_NEWER} $KEEP/outside.c
sed -i 's/return 0;/return NEWER ? -ENODEV : 0;/' {_NEWER}
dkms remove outside/1.0 -k $RELEASE
dkms install outside/1.0 -k $RELEASE
""",
        heal=f"""
mv $KEEP/outside.c {_NEWER}
dkms remove outside/1.0 -k $RELEASE
dkms install outside/1.0 -k $RELEASE
""",
        message="dkms module outside",
        cause=(MODULE,),
    ),
)
_ALSO_ON_OTHERS = (
    *("panic", "health-check", "no-network", "cut-before-reboot", "cut-trial", "cut-confirm"),
    *("cut-recorded", "rollback", "remove"),
)
_ALSO_ON_HOST = (
    *("panic", "panic-late", "oops", "hung-boot", "systemd-crashes", "root-not-found"),
    *("module-removed", "syscall-wrong"),
)


def chosen(
    names: list[str],
    fast: bool,
    alone: bool,
    here: bool = False,
    host: str = "",
) -> list[Fault]:
    """The rows that are asked for; all if none is.

    :param host: another one than the lab's.
    """
    rows = [fault for fault in ROWS if (fault.alone or not alone) and (fault.fast or not fast)]
    if here:
        rows = [*ON_HOST, *(fault for fault in FAULTS if fault.name in _ALSO_ON_HOST)]
    if host and HOSTS[host].headers:
        rows = list(ON_DKMS)
    elif host:
        rows = [fault for fault in ON_OTHERS if not fault.hosts or host in fault.hosts]
        rows += [fault for fault in ROWS if fault.name in _ALSO_ON_OTHERS]
    known = {fault.name: fault for fault in rows}
    unknown = [name for name in names if name not in known]
    if unknown:
        raise SystemExit(f"no such fault: {', '.join(unknown)}; there are {', '.join(known)}")
    if names:
        return [known[name] for name in names]
    return list(known.values())


def chains(faults: list[Fault]) -> list[list[Fault]]:
    """Those that may follow each other on one host, and each of the others."""
    found: list[list[Fault]] = []
    joined: dict[str, list[Fault]] = {}
    for fault in faults:
        if fault.chained and fault.state in joined:
            joined[fault.state].append(fault)
            continue
        found.append([fault])
        if fault.chained:
            joined[fault.state] = found[-1]
    return found
