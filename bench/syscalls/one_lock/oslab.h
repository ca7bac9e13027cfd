/* SPDX-License-Identifier: GPL-2.0 */
/*
 * For the benchmark only, instead of files/kernel/syscalls/oslab_internal.h:
 * counting as a first version often does it, with one lock for all CPUs and
 * one reading of the clock for each call.
 */
#ifndef _LINUX_OSLAB_H
#define _LINUX_OSLAB_H

#include <uapi/linux/oslab.h>

struct task_struct;

enum oslab_usage_id {
	OSLAB_USAGE_OPEN,
	OSLAB_USAGE_READ,
	OSLAB_USAGE_WRITE,
	OSLAB_USAGE_FORK,
};

#include <linux/sched.h>
#include <linux/spinlock.h>
#include <linux/timekeeping.h>

extern spinlock_t oslab_usage_lock;
extern struct syscall_usage_user oslab_usage[OSLAB_USAGE_ENTRIES];

static __always_inline void oslab_count(enum oslab_usage_id id)
{
	u64 now = ktime_get_ns();
	unsigned long flags;

	spin_lock_irqsave(&oslab_usage_lock, flags);
	oslab_usage[id].count++;
	oslab_usage[id].last_timestamp_ns = now;
	spin_unlock_irqrestore(&oslab_usage_lock, flags);
}

static __always_inline void oslab_count_clone(u64 flags)
{
	if (!(flags & CLONE_THREAD))
		oslab_count(OSLAB_USAGE_FORK);
}

void oslab_read_mem_snapshot(struct mem_snapshot *snap);
void oslab_read_syscall_usage(struct syscall_usage_user *usage);
int oslab_read_io_stats(struct task_struct *task, struct io_stats_user *stats);

#endif /* _LINUX_OSLAB_H */
