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
 *   fork   fork, vfork, and clone or clone3 without CLONE_THREAD; a clone3
 *          whose arguments the kernel does not take, because they cannot be
 *          read or because of their size or of what is behind those that it
 *          knows, does not count: what it asks for is not known
 *
 * by tasks of every mode (64-bit, 32-bit). The counting is in those syscalls
 * themselves (oslab_count() in <linux/oslab.h>). So what does not get there
 * does not count: calls that seccomp denies, requests of io_uring, and what
 * the kernel does for itself by the same inner functions. A call that a signal
 * interrupted and the kernel restarts gets there again, and counts again.
 *
 * Counting can be switched off: track_syscall_usage.enabled=0 at boot, or in
 * /sys/module/track_syscall_usage/parameters/enabled. What was counted stays.
 */
#include <linux/bits.h>
#include <linux/compiler.h>
#include <linux/cpumask.h>
#include <linux/export.h>
#include <linux/irqflags.h>
#include <linux/jiffies.h>
#include <linux/jump_label.h>
#include <linux/kernel.h>
#include <linux/kstrtox.h>
#include <linux/math64.h>
#include <linux/minmax.h>
#include <linux/moduleparam.h>
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

#define SLOW_SPANS	64	/* so many times as long as it took is a slow reading good */
#define LEAST_SPANS	16	/* and at least so many times, however long that is */
#define QUICK		(OSLAB_USAGE_SPAN / SLOW_SPANS)	/* cycles of a quick reading */
#define NEVER		BIT_ULL(63)	/* a TSC that is far away: each call reads the clock */

DEFINE_PER_CPU_ALIGNED(struct oslab_usage_cpu, oslab_usage) = {
	.base_tsc = NEVER,
};

DEFINE_STATIC_KEY_TRUE(oslab_usage_enabled);

static int enabled_set(const char *val, const struct kernel_param *kp)
{
	bool on;
	int ret;

	ret = kstrtobool(val, &on);
	if (ret)
		return ret;

	if (on)
		static_branch_enable(&oslab_usage_enabled);
	else
		static_branch_disable(&oslab_usage_enabled);
	return 0;
}

static int enabled_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%c\n",
			  static_key_enabled(&oslab_usage_enabled) ? 'Y' : 'N');
}

static const struct kernel_param_ops enabled_ops = {
	.set = enabled_set,
	.get = enabled_get,
};

module_param_cb(enabled, &enabled_ops, NULL, 0644);

static const char * const usage_names[OSLAB_USAGE_ENTRIES] = {
	[OSLAB_USAGE_OPEN]	= "open",
	[OSLAB_USAGE_READ]	= "read",
	[OSLAB_USAGE_WRITE]	= "write",
	[OSLAB_USAGE_FORK]	= "fork",
};

/* The newest time that this CPU has noted. */
static u64 last_time(const struct oslab_usage_cpu *here)
{
	u64 last = 0;
	int i;

	for (i = 0; i < OSLAB_USAGE_ENTRIES; i++)
		last = max(last, here->counter[i].last_ns);
	return last;
}

/*
 * How fast the time is to go on after a reading, as 32.32 fixed point.
 *
 * Times never go back. If the last one was ahead of the clock, which is slewed
 * or has a TSC that runs faster than tsc_khz says, time goes slower for the
 * span, and ends it where it would if it had not been ahead. So the error does
 * not add up, and is gone two spans after its cause.
 */
static u64 ns_per_cycle(u64 span, u64 ahead_ns)
{
	u64 rate, span_ns;

	if (!tsc_khz)
		return 0;	/* time stands still for the span */

	rate = div_u64((u64)NSEC_PER_MSEC << 32, tsc_khz);
	if (!ahead_ns)
		return rate;

	span_ns = (span * rate) >> 32;
	return ahead_ns < span_ns ? div64_u64((span_ns - ahead_ns) << 32, span) : 0;
}

/*
 * In cycles: 0.75 ms. In it a slew of 10 %, as far as adjtimex() can, makes less
 * than 0.1 ms. A TSC that is r times as fast as tsc_khz says makes 1 - 1/r of it.
 */
static u64 longest_span(void)
{
	return max(tsc_khz / 4 * 3, (unsigned int)OSLAB_USAGE_SPAN);
}

/**
 * oslab_usage_read_clock - read CLOCK_MONOTONIC, and keep it for the next calls
 *
 * The slow path of oslab_usage_clock(), once per CPU and OSLAB_USAGE_SPAN;
 * preemption is off. notrace, because the tracers that catch a function's
 * return do not keep the registers that the caller relies on.
 *
 * Each call comes by here where the kernel does not trust the TSC, and where
 * reading the clock takes long, as with the one HPET that all CPUs queue for.
 * There a reading is good for SLOW_SPANS times as long as it took, but not for
 * longer than longest_span(), which a reading of more than 12 us reaches, unless
 * that is less than LEAST_SPANS times as long (47 us). And never beyond its tick:
 * a TSC may stop while the CPU sleeps, and then the time is too old, by less than
 * a tick. So a CPU spends at most 6 % of its time on readings, 2.4 % if they take
 * up to 12 us; if they take more than 30 us, one reading a tick comes on top, as
 * the tick's end cuts a span short.
 *
 * Interrupts are off for each reading: one in the middle would make the clock
 * seem slow, and put its time to a wrong TSC. A hypervisor or the firmware can
 * still take the CPU away. So a reading that took long is tried again, and one
 * that still does is taken for its end: its time is then too old, by less than
 * it took, and never in the future.
 */
u64 __no_caller_saved_registers notrace oslab_usage_read_clock(void)
{
	struct oslab_usage_cpu *here = this_cpu_ptr(&oslab_usage);
	unsigned long tick = jiffies;
	u64 tsc = rdtsc_ordered();
	u64 cycles, last, now, span;
	unsigned long flags;
	int tries;

	cycles = tsc - here->slow_tsc;
	if (cycles < here->slow_span && tick == here->slow_tick)
		return here->base_ns + ((cycles * here->ns_per_cycle) >> 32);

	/* Once is enough where the last one already took long. */
	for (tries = 0; tries < 2; tries++) {
		local_irq_save(flags);
		tsc = rdtsc_ordered();
		now = ktime_get_ns();
		cycles = rdtsc_ordered() - tsc;
		local_irq_restore(flags);
		if (cycles <= QUICK || here->slow_span > OSLAB_USAGE_SPAN)
			break;
	}
	tsc += cycles <= QUICK ? cycles / 2 : cycles;

	span = clamp(cycles * SLOW_SPANS, (u64)OSLAB_USAGE_SPAN,
		     max(longest_span(), cycles * LEAST_SPANS));
	if (span == OSLAB_USAGE_SPAN && !check_tsc_unstable()) {
		here->base_tsc = tsc;
		here->slow_span = 0;
	} else {
		here->base_tsc = NEVER;
		here->slow_tsc = tsc;
		here->slow_span = span;
		here->slow_tick = tick;
	}

	last = last_time(here);
	here->ns_per_cycle = ns_per_cycle(span, last > now ? last - now : 0);
	here->base_ns = max(now, last);
	return here->base_ns;
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
