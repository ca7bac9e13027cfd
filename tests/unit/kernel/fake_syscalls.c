// SPDX-License-Identifier: GPL-2.0
/*
 * Linked with -Wl,--wrap=syscall: syscall number 499 is answered here, all others
 * by the kernel. Its figures rise (falling: the even sizes of memory) by 1000,
 * 2000, ... with each call.
 *
 * FAKE_ERROR   name of the error that it fails with
 * FAKE_GOOD    how many calls are answered before
 * FAKE_RETURN  what it returns instead, with nothing written
 * FAKE_REAPED  the process of a pidfd is gone
 *
 * Ends the program if an argument that the call does not have is not zero.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>

#include <linux/oslab.h>

#define FAKE	499
#define FIRST	(1ULL << 63)

extern char *program_invocation_short_name;
long __real_syscall(long number, ...);

static __u64 counter(int index)
{
	static __u64 values[16];

	if (!values[index])
		values[index] = FIRST;
	return values[index] += 1000ULL * (index + 1);
}

static __u64 size(int index)
{
	static __u64 values[16];

	if (!values[index])
		values[index] = index ? 5000000 : FIRST;
	return values[index] += (index % 2 ? -1000ULL : 1000ULL) * (index + 1);
}

static long usage(struct syscall_usage_user *buf)
{
	static const char *const names[] = { "open", "read", "write", "fork" };

	for (int i = 0; i < OSLAB_USAGE_ENTRIES; i++) {
		memset(&buf[i], 0, sizeof(buf[i]));
		strcpy(buf[i].name, names[i]);
		buf[i].count = counter(i);
		buf[i].last_timestamp_ns = 7;
	}
	return OSLAB_USAGE_ENTRIES;
}

static long fill(__u64 *fields, size_t bytes, __u64 (*next)(int index))
{
	for (size_t i = 0; i < bytes / sizeof(*fields); i++)
		fields[i] = next((int)i);
	return 0;
}

long __wrap_syscall(long number, ...)
{
	const char *error = getenv("FAKE_ERROR"), *returned = getenv("FAKE_RETURN");
	const char *good = getenv("FAKE_GOOD");
	static int calls;
	long word[6];
	va_list args;
	int used;

	va_start(args, number);
	for (int i = 0; i < 6; i++)
		word[i] = va_arg(args, long);
	va_end(args);
	if (number == SYS_pidfd_send_signal && getenv("FAKE_REAPED")) {
		errno = ESRCH;
		return -1;
	}
	if (number != FAKE)
		return __real_syscall(number, word[0], word[1], word[2], word[3], word[4], word[5]);
	used = strstr(program_invocation_short_name, "capture") ? 1 : 2;
	for (int i = used; i < 6; i++) {
		if (word[i]) {
			fprintf(stderr, "argument %d is %#lx\n", i + 1, word[i]);
			exit(99);
		}
	}
	if (good && calls++ < atoi(good))
		error = NULL;
	if (returned)
		return atol(returned);
	for (int i = 1; error && i < 134; i++) {
		const char *name = strerrorname_np(i);

		if (name && !strcmp(name, error)) {
			errno = i;
			return -1;
		}
	}
	if (strstr(program_invocation_short_name, "capture"))
		return fill((__u64 *)word[0], sizeof(struct mem_snapshot), size);
	if (strstr(program_invocation_short_name, "track"))
		return usage((struct syscall_usage_user *)word[0]);
	return fill((__u64 *)word[1], sizeof(struct io_stats_user), counter);
}
