// SPDX-License-Identifier: GPL-2.0
/*
 * track_syscall_usage(buf, size): how often each tracked syscall was called
 * since boot, and when last.
 *
 * size is the number of entries that buf holds. Returns the number of entries
 * written; in this order of checks: -EINVAL if size is too small for all of
 * them, -EFAULT if buf cannot be written.
 *
 * A call counts when it is made, whether it succeeds or not:
 *
 *   open   open, openat, openat2, creat
 *   read   read
 *   write  write
 *   fork   fork, vfork, and clone or clone3 without CLONE_THREAD; of a clone3
 *          whose arguments cannot be read it is not known what it asks for,
 *          so it does not count
 *
 * by tasks of every mode (64-bit, 32-bit). The counting is in those syscalls
 * themselves (oslab_count() in <linux/oslab.h>); work that the kernel does for
 * itself by the same inner functions does not come by there.
 */
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/oslab.h>
#include <linux/percpu.h>
#include <linux/string.h>
#include <linux/syscalls.h>
#include <linux/time64.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>

#include <asm/msr.h>
#include <asm/tsc.h>

#if CONFIG_GCC_VERSION && CONFIG_GCC_VERSION < 70000
#error "oslab_usage_read_clock() needs __no_caller_saved_registers: GCC 7 or clang"
#endif

DEFINE_PER_CPU_ALIGNED(struct oslab_usage_cpu, oslab_usage) = {
	.base_tsc = BIT_ULL(63),	/* far away: the first call reads the clock */
};

static const char * const usage_names[OSLAB_USAGE_ENTRIES] = {
	[OSLAB_USAGE_OPEN]	= "open",
	[OSLAB_USAGE_READ]	= "read",
	[OSLAB_USAGE_WRITE]	= "write",
	[OSLAB_USAGE_FORK]	= "fork",
};

/**
 * oslab_usage_read_clock - read CLOCK_MONOTONIC, and keep it for the next calls
 *
 * The slow path of oslab_usage_clock(), once per CPU and OSLAB_USAGE_SPAN;
 * preemption is off. notrace, because the tracers that catch a function's
 * return do not keep the registers that the caller relies on.
 */
u64 __no_caller_saved_registers notrace oslab_usage_read_clock(void)
{
	struct oslab_usage_cpu *here = this_cpu_ptr(&oslab_usage);
	u64 before, now, cycles;

	before = rdtsc_ordered();
	now = ktime_get_ns();
	cycles = rdtsc_ordered() - before;

	/* The last times may have been some ns ahead; never go back. */
	now = max(now, here->base_ns +
		       ((OSLAB_USAGE_SPAN * here->ns_per_cycle) >> 32));

	/*
	 * If it took long (an interrupt, or the hypervisor ran something else),
	 * it is not known which cycle the time belongs to: it is good for this
	 * call only.
	 */
	if (cycles < OSLAB_USAGE_SPAN / 256) {
		here->base_tsc = before + cycles / 2;
		here->base_ns = now;
		/* With an unknown rate the time stands still for the span. */
		here->ns_per_cycle =
			tsc_khz ? div_u64((u64)NSEC_PER_MSEC << 32, tsc_khz) : 0;
	}

	return now;
}

/**
 * oslab_read_syscall_usage - add up what all CPUs counted
 * @usage: OSLAB_USAGE_ENTRIES entries, filled completely
 *
 * CPUs that are offline now keep what they counted. No lock: calls that are
 * made meanwhile are in or not, each on its own.
 */
void oslab_read_syscall_usage(struct syscall_usage_user *usage)
{
	int cpu, i;

	memset(usage, 0, OSLAB_USAGE_ENTRIES * sizeof(*usage));
	for (i = 0; i < OSLAB_USAGE_ENTRIES; i++)
		strscpy(usage[i].name, usage_names[i], sizeof(usage[i].name));

	for_each_possible_cpu(cpu) {
		const struct oslab_usage_cpu *here = per_cpu_ptr(&oslab_usage, cpu);

		for (i = 0; i < OSLAB_USAGE_ENTRIES; i++) {
			usage[i].count += READ_ONCE(here->counter[i].count);
			smp_rmb(); /* pairs with oslab_count() */
			usage[i].last_timestamp_ns =
				max(usage[i].last_timestamp_ns,
				    READ_ONCE(here->counter[i].last_ns));
		}
	}

	/* A first call may have left its time but not yet its count. */
	for (i = 0; i < OSLAB_USAGE_ENTRIES; i++)
		if (!usage[i].count)
			usage[i].last_timestamp_ns = 0;
}
EXPORT_SYMBOL_GPL(oslab_read_syscall_usage);

SYSCALL_DEFINE2(track_syscall_usage, struct syscall_usage_user __user *, buf,
		int, size)
{
	struct syscall_usage_user usage[OSLAB_USAGE_ENTRIES];

	if (size < OSLAB_USAGE_ENTRIES)
		return -EINVAL;

	oslab_read_syscall_usage(usage);
	if (copy_to_user(buf, usage, sizeof(usage)))
		return -EFAULT;

	return OSLAB_USAGE_ENTRIES;
}
