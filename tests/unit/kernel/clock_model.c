// SPDX-License-Identifier: GPL-2.0
/*
 * track_syscall_usage.c on a machine that is simulated: calls are counted, and their
 * times held against the clock that the machine has.
 *
 *   clock_model [SETTING=NUMBER | run=MICROSECONDS]...
 *
 * Settings are the fields of struct machine. Each run counts calls for so long, as
 * often as `step` says, and prints one line of JSON about them.
 *
 * SOURCE is compiled as it is. The headers that it names are empty, except
 * <linux/oslab.h>: all that they would declare is here. The assembler takes the
 * instruction rdtsc for a macro, so oslab_usage_clock() too is compiled as it is.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <linux/types.h>

/* As in the kernel; and GCC wants it for __no_caller_saved_registers. */
#pragma GCC target("general-regs-only")

typedef __u64 u64;

#define NSEC_PER_MSEC	1000000L
#define NSEC_PER_SEC	1000000000L
#define RDTSC_NS	10

static struct machine {
	u64 khz;	/* of the TSC */
	u64 halts;	/* whether that stands still from one call to the next */
	u64 tsc_khz;	/* what the kernel takes it for */
	u64 unstable;	/* whether the kernel does not trust it */
	u64 rate;	/* ns of CLOCK_MONOTONIC in a ms */
	u64 cost;	/* of reading that, in ns */
	u64 sampled;	/* how much of the cost comes before the time that is read: in % */
	u64 hz;
	u64 step;	/* ns from one call to the next */

	u64 ns;		/* since the machine's start */
	u64 clock;	/* CLOCK_MONOTONIC */
	u64 cycle_part, clock_part;	/* millionths */
	u64 readings;
} m = {
	.khz = 3000000, .tsc_khz = 3000000, .rate = NSEC_PER_MSEC, .cost = 30, .sampled = 50,
	.hz = 1000, .step = 100, .clock = 1ULL << 33,
};

/* Not in the structure: the macro names it. volatile: the compiler does not know. */
volatile u64 machine_tsc = 1ULL << 40;

asm(".macro rdtsc\n"
    "	movl	machine_tsc, %eax\n"
    "	movl	machine_tsc + 4, %edx\n"
    ".endm\n");

static void advance_clock(u64 ns)
{
	m.ns += ns;
	m.clock_part += ns * m.rate;
	m.clock += m.clock_part / 1000000;
	m.clock_part %= 1000000;
}

static void advance(u64 ns)
{
	advance_clock(ns);
	m.cycle_part += ns * m.khz;
	machine_tsc += m.cycle_part / 1000000;
	m.cycle_part %= 1000000;
}

static u64 rdtsc_ordered(void)
{
	u64 tsc;

	advance(RDTSC_NS / 2);
	tsc = machine_tsc;
	advance(RDTSC_NS / 2);
	return tsc;
}

static u64 ktime_get_ns(void)
{
	u64 before = m.cost * m.sampled / 100, now;

	m.readings++;
	advance(before);
	now = m.clock;
	advance(m.cost - before);
	return now;
}

#define jiffies			((unsigned long)(m.ns / (NSEC_PER_SEC / m.hz)))
#define tsc_khz			((unsigned int)m.tsc_khz)
#define check_tsc_unstable()	((int)m.unstable)

#define BIT(n)			(1UL << (n))
#define BIT_ULL(n)		(1ULL << (n))
#define READ_ONCE(x)		(x)
#define max(a, b)		({ __auto_type _a = (a); typeof(b) _b = (b); _a > _b ? _a : _b; })
#define min(a, b)		({ __auto_type _a = (a); typeof(b) _b = (b); _a < _b ? _a : _b; })
#define clamp(x, low, high)	min(max(x, low), high)
#define div_u64(a, b)		((u64)(a) / (b))
#define div64_u64(a, b)		((u64)(a) / (b))
#define likely(x)		__builtin_expect(!!(x), 1)

#undef __always_inline	/* the C library's */
#define __always_inline		inline __attribute__((always_inline))
#define __no_caller_saved_registers	__attribute__((no_caller_saved_registers))
#define ____cacheline_aligned	__attribute__((aligned(64)))
#define notrace
#define __user

#define DECLARE_PER_CPU_ALIGNED(type, name)	extern type name
#define DEFINE_PER_CPU_ALIGNED(type, name)	type name
#define __percpu_arg(n)		"%" #n
#define this_cpu_ptr(pointer)	(pointer)
#define per_cpu_ptr(pointer, cpu)	((void)(cpu), pointer)
#define for_each_possible_cpu(cpu)	for ((cpu) = 0; (cpu) < 1; (cpu)++)
#define __this_cpu_read(member)	(member)
#define this_cpu_write(member, value)	((member) = (value))
#define this_cpu_inc(member)	((member)++)
#define preempt_disable()
#define preempt_enable()
#define local_irq_save(flags)	((flags) = 0)
#define local_irq_restore(flags)	((void)(flags))
#define smp_wmb()
#define smp_rmb()

register unsigned long stack_pointer asm("rsp");
#define ASM_CALL_CONSTRAINT	"+r" (stack_pointer)

#define DECLARE_STATIC_KEY_TRUE(name)	extern bool name
#define DEFINE_STATIC_KEY_TRUE(name)	bool name = true
#define static_branch_likely(key)	(*(key))
#define static_branch_enable(key)	(*(key) = true)
#define static_branch_disable(key)	(*(key) = false)
#define static_key_enabled(key)		(*(key))

struct kernel_param;
struct kernel_param_ops {
	int (*set)(const char *val, const struct kernel_param *kp);
	int (*get)(char *buffer, const struct kernel_param *kp);
};

#define module_param_cb(name, ops, arg, mode)	const struct kernel_param_ops *param_ops = ops
#define kstrtobool(text, on)	(*(on) = *(text) == 'Y', 0)
#define sysfs_emit		sprintf
#define strscpy(to, from, size)	snprintf(to, size, "%s", from)
#define copy_to_user(to, from, size)	(memcpy(to, from, size), 0)
#define EXPORT_SYMBOL_GPL(name)
#define SYSCALL_DEFINE2(name, type1, arg1, type2, arg2)	\
	long sys_##name(type1 arg1, type2 arg2);	\
	long sys_##name(type1 arg1, type2 arg2)
#define EINVAL			22
#define EFAULT			14
#define CLONE_THREAD		0x00010000

#include SOURCE

#undef tsc_khz

static void run(u64 us)
{
	u64 start = m.ns, readings = m.readings, calls = 0, back = 0, fast = 0;
	u64 ahead = 0, behind = 0, last = oslab_usage.counter[OSLAB_USAGE_READ].last_ns;

	while (m.ns - start < us * 1000) {
		u64 before = m.clock, time;

		oslab_count(OSLAB_USAGE_READ);
		time = oslab_usage.counter[OSLAB_USAGE_READ].last_ns;
		calls++;
		back += time < last;
		fast += oslab_usage.base_tsc != NEVER;
		ahead = max(ahead, time > m.clock ? time - m.clock : 0);
		behind = max(behind, time < before ? before - time : 0);
		last = time;
		if (m.halts)
			advance_clock(m.step);
		else
			advance(m.step);
	}
	printf("{\"calls\": %llu, \"ns\": %llu, \"readings\": %llu, \"back\": %llu, ",
	       calls, m.ns - start, m.readings - readings, back);
	printf("\"fast\": %llu, \"ahead\": %llu, \"behind\": %llu}\n", fast, ahead, behind);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		u64 *field;
	} settings[] = {
		{ "khz", &m.khz }, { "halts", &m.halts }, { "tsc_khz", &m.tsc_khz },
		{ "unstable", &m.unstable }, { "rate", &m.rate }, { "cost", &m.cost },
		{ "sampled", &m.sampled }, { "hz", &m.hz }, { "step", &m.step },
	};

	for (int i = 1; i < argc; i++) {
		char *equals = strchr(argv[i], '=');
		u64 number;
		size_t j;

		if (!equals)
			return 2;
		*equals = '\0';
		number = strtoull(equals + 1, NULL, 10);
		if (!strcmp(argv[i], "run")) {
			run(number);
			continue;
		}
		for (j = 0; strcmp(argv[i], settings[j].name); j++)
			if (j + 1 == sizeof(settings) / sizeof(settings[0]))
				return 2;
		*settings[j].field = number;
	}
	return 0;
}
