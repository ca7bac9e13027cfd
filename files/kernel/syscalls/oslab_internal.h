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

#include <linux/bits.h>
#include <linux/cache.h>
#include <linux/compiler_attributes.h>
#include <linux/jump_label.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/sched.h>

#include <asm/asm.h>
#include <asm/msr.h>
#include <asm/tsc.h>

struct oslab_usage_counter {
	unsigned long count;
	u64 last_ns;
};

/*
 * All that a CPU needs to count a call, in two cache lines of its own, so that
 * CPUs never wait for each other.
 */
struct oslab_usage_cpu {
	/* written by each call: 4 entries of 16 bytes, a line */
	struct oslab_usage_counter counter[OSLAB_USAGE_ENTRIES];

	/* the last reading of the clock, and how to go on from it */
	u64 base_tsc ____cacheline_aligned;
	u64 base_ns;
	u64 ns_per_cycle;	/* 32.32 fixed point */

	/* the same where oslab_usage_read_clock() has to look each time */
	u64 slow_tsc;
	u64 slow_span;		/* cycles */
	unsigned long slow_tick;	/* jiffies */
};

DECLARE_PER_CPU_ALIGNED(struct oslab_usage_cpu, oslab_usage);

/* On, a call costs a no-op for it; off, a jump over the counting. */
DECLARE_STATIC_KEY_TRUE(oslab_usage_enabled);

/* For so many cycles (87 us at 3 GHz) a reading of the clock is good. */
#define OSLAB_USAGE_SPAN	BIT(18)

u64 __no_caller_saved_registers oslab_usage_read_clock(void);

/*
 * value OP= a member of this CPU's oslab_usage, in one instruction each, but under
 * KASAN and KCSAN. Without named address spaces (6.8 and older, or by clang) an
 * accessor can only load.
 */
#ifdef CONFIG_CC_HAS_NAMED_AS
#define oslab_here_sub(value, member)	((value) -= __this_cpu_read(oslab_usage.member))
#define oslab_here_mul(value, member)	((value) *= __this_cpu_read(oslab_usage.member))
#define oslab_here_add(value, member)	((value) += __this_cpu_read(oslab_usage.member))
#else
#define oslab_here_sub(value, member)	oslab_here_asm("subq", value, member)
#define oslab_here_mul(value, member)	oslab_here_asm("imulq", value, member)
#define oslab_here_add(value, member)	oslab_here_asm("addq", value, member)
#define oslab_here_asm(instruction, value, member)		\
	asm(instruction " " __percpu_arg(1) ", %0"		\
	    : "+r" (value) : "m" (oslab_usage.member) : "cc")
#endif

/*
 * CLOCK_MONOTONIC for a quarter of the instructions of reading it: the last reading,
 * not older than OSLAB_USAGE_SPAN, and the cycles since then.
 *
 * The TSC is used for that short time only, on its own CPU, and while the
 * kernel trusts it: then the time is wrong by what CLOCK_MONOTONIC and the TSC
 * drift apart in a span. That is 9 ns at 100 ppm, and 9 us while the clock is
 * slewed by 10 %. For other TSCs and slow clocks: oslab_usage_read_clock().
 *
 * A plain rdtsc() will do, as in sched_clock(): on its way to here the call
 * has come far enough from what the program did before.
 */
static __always_inline u64 oslab_usage_clock(void)
{
	u64 cycles, high, now;

	/* rdtsc(), put together in %rax: one instruction less. */
	asm volatile("rdtsc" : "=a" (cycles), "=d" (high));
	oslab_here_sub(cycles, base_tsc);
	cycles += high << 32;
	if (likely(cycles < OSLAB_USAGE_SPAN)) {
		now = cycles;
		oslab_here_mul(now, ns_per_cycle);
		now >>= 32;
		oslab_here_add(now, base_ns);
		return now;
	}

	/* Keeps the registers: else each call would save them for this one. */
	asm volatile("call %c[read_clock]"
		     : "=a" (now), ASM_CALL_CONSTRAINT
		     : [read_clock] "i" (oslab_usage_read_clock) : "memory");
	return now;
}

/**
 * oslab_count - count one call of a syscall, on its way in
 * @id: which entry it belongs to
 *
 * For syscall bodies only: not for interrupts. Preemption is off because the
 * clock is the CPU's own, and so that a task that is scheduled away in between
 * cannot put an older time over a newer one. The time goes first, so that a
 * reader who sees the call counted also sees when it was.
 */
static __always_inline void oslab_count(enum oslab_usage_id id)
{
	if (!static_branch_likely(&oslab_usage_enabled))
		return;

	preempt_disable();
	this_cpu_write(oslab_usage.counter[id].last_ns, oslab_usage_clock());
	smp_wmb(); /* pairs with oslab_read_syscall_usage() */
	this_cpu_inc(oslab_usage.counter[id].count);
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
