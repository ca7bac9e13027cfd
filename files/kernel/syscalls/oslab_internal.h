/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The kernel side of <uapi/linux/oslab.h>; installed as <linux/oslab.h>.
 *
 * Two readers of it: the syscalls that are counted, which call
 * oslab_count(), and the /proc modules, which show the same figures as the
 * syscalls and therefore call the same functions.
 */
#ifndef _LINUX_OSLAB_H
#define _LINUX_OSLAB_H

#include <uapi/linux/oslab.h>

struct task_struct;

/* Order of the entries of track_syscall_usage(). */
enum oslab_usage_id {
	OSLAB_USAGE_OPEN,
	OSLAB_USAGE_READ,
	OSLAB_USAGE_WRITE,
	OSLAB_USAGE_FORK,
};

#ifdef CONFIG_TRACK_SYSCALL_USAGE

#include <linux/cache.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>
#include <linux/timekeeping.h>

struct oslab_usage_counter {
	unsigned long count;
	u64 last_ns;
};

/*
 * All that a CPU ever writes to count a call: one cache line of its own
 * (4 entries of 16 bytes), so that CPUs never wait for each other.
 */
struct oslab_usage_cpu {
	struct oslab_usage_counter counter[OSLAB_USAGE_ENTRIES];
} ____cacheline_aligned;

DECLARE_PER_CPU_ALIGNED(struct oslab_usage_cpu, oslab_usage);

/* The one place that decides which clock stamps a call. */
static __always_inline u64 oslab_usage_clock(void)
{
	return ktime_get_mono_fast_ns();
}

/**
 * oslab_count - count one call of a syscall, on its way in
 * @id: which entry it belongs to
 *
 * For syscall bodies only: not for interrupts. Preemption is off so that a
 * task that is scheduled away in between cannot put an older time over a
 * newer one. The time goes first, so that a reader who sees the call counted
 * also sees when it was.
 */
static __always_inline void oslab_count(enum oslab_usage_id id)
{
	preempt_disable();
	__this_cpu_write(oslab_usage.counter[id].last_ns, oslab_usage_clock());
	smp_wmb(); /* pairs with oslab_read_syscall_usage() */
	__this_cpu_inc(oslab_usage.counter[id].count);
	preempt_enable();
}

/**
 * oslab_count_clone - count a clone, unless it makes a thread
 * @flags: of the caller
 */
static __always_inline void oslab_count_clone(u64 flags)
{
	if (!(flags & CLONE_THREAD))
		oslab_count(OSLAB_USAGE_FORK);
}

#else

static __always_inline void oslab_count(enum oslab_usage_id id) {}
static __always_inline void oslab_count_clone(u64 flags) {}

#endif /* CONFIG_TRACK_SYSCALL_USAGE */

void oslab_read_mem_snapshot(struct mem_snapshot *snap);
void oslab_read_syscall_usage(struct syscall_usage_user *usage);
int oslab_read_io_stats(struct task_struct *task, struct io_stats_user *stats);

#endif /* _LINUX_OSLAB_H */
