// SPDX-License-Identifier: GPL-2.0
/*
 * Values of the arguments that are not pointers, the order of the checks, and
 * who may call.
 */
#include <limits.h>
#include <string.h>
#include <unistd.h>

#include "lib.h"

#define UNMAPPED	((void *)0x10)

static void test_size(void)
{
	static const struct {
		const char *what;
		long size;
		long expected;
	} sizes[] = {
		{ "size 0", 0, -EINVAL },
		{ "size 1", 1, -EINVAL },
		{ "size 3", 3, -EINVAL },
		{ "size 4", 4, 4 },
		{ "size 5", 5, 4 },
		{ "size INT_MAX", INT_MAX, 4 },
		{ "size -1", -1, -EINVAL },
		{ "size INT_MIN", INT_MIN, -EINVAL },
		/* An int: the rest of the register says nothing. */
		{ "size 4, rest of the register set", 0x7fffffff00000004, 4 },
		{ "size 3, rest of the register set", 0x100000003, -EINVAL },
	};
	struct syscall_usage_user usage[6];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(sizes); i++) {
		char text[64];
		unsigned char *rest = (unsigned char *)usage;
		size_t j;

		memset(usage, CANARY, sizeof(usage));
		snprintf(text, sizeof(text), "track(%s)", sizes[i].what);
		expect(text, sizes[i].expected, track(usage, sizes[i].size));
		j = sizes[i].expected > 0 ? 4 * sizeof(usage[0]) : 0;
		while (j < sizeof(usage) && rest[j] == CANARY)
			j++;
		ok(j == sizeof(usage), "%s writes %s", text,
		   sizes[i].expected > 0 ? "four entries and no fifth" : "nothing");
	}
	expect("track(unmapped, size 3): size first", -EINVAL, track(UNMAPPED, 3));
	expect("track(NULL, size -1): size first", -EINVAL, track(NULL, -1));
	expect("track(unmapped, size 4)", -EFAULT, track(UNMAPPED, 4));
	expect("track(unmapped, size INT_MAX)", -EFAULT, track(UNMAPPED, INT_MAX));
}

static void test_names(void)
{
	struct syscall_usage_user usage[OSLAB_USAGE_ENTRIES];
	int i;

	memset(usage, CANARY, sizeof(usage));
	track(usage, OSLAB_USAGE_ENTRIES);
	for (i = 0; i < OSLAB_USAGE_ENTRIES; i++) {
		ok(!memcmp(usage[i].name, entry_names[i], OSLAB_NAME_LEN),
		   "entry %d is %s, and zeros to the end of the name", i, entry_names[i]);
		ok(usage[i].count && usage[i].last_timestamp_ns &&
		   usage[i].last_timestamp_ns <= now_ns(),
		   "%s was called since boot, in the past", entry_names[i]);
	}
}

static void test_pid(void)
{
	static const struct {
		const char *what;
		long pid;
		long expected;
	} pids[] = {
		{ "pid 0", 0, -EINVAL },
		{ "pid -1", -1, -EINVAL },
		{ "pid INT_MIN", INT_MIN, -EINVAL },
		{ "pid INT_MAX", INT_MAX, -ESRCH },
		{ "pid 0, rest of the register set", 0x100000000, -EINVAL },
	};
	struct io_stats_user io, canary;
	char text[64];
	size_t i;

	memset(&canary, CANARY, sizeof(canary));
	if (throttle_off) {
		memset(&io, CANARY, sizeof(io));
		expect("throttle(own), which is not built in", -ENOSYS, throttle(getpid(), &io));
		ok(!memcmp(&io, &canary, sizeof(io)), "it writes nothing");
		expect("throttle(pid 0), which is not built in", -ENOSYS, throttle(0, NULL));
		return;
	}
	for (i = 0; i < ARRAY_SIZE(pids); i++) {
		memset(&io, CANARY, sizeof(io));
		snprintf(text, sizeof(text), "throttle(%s)", pids[i].what);
		expect(text, pids[i].expected, throttle(pids[i].pid, &io));
		ok(!memcmp(&io, &canary, sizeof(io)), "%s writes nothing", text);
		snprintf(text, sizeof(text), "throttle(%s, unmapped): pid first",
			 pids[i].what);
		expect(text, pids[i].expected, throttle(pids[i].pid, UNMAPPED));
	}
	expect("throttle(own)", 0, throttle(getpid(), &io));
	expect("throttle(own, rest of the register set)", 0,
	       throttle(getpid() | 0x7fffffffL << 32, &io));
	expect("throttle(own, unmapped)", -EFAULT, throttle(getpid(), UNMAPPED));
}

static long call_it(void *argument)
{
	static char answer[256];
	const struct call *call = argument;
	long returned;

	become_nobody();
	returned = call->function(answer);
	return returned == call->success ? 0 : returned;
}

int main(int argc, char **argv)
{
	char text[64];
	int i;

	begin(argc, argv, "");
	test_size();
	test_names();
	test_pid();
	for (i = 0; i < calls_there; i++) {
		snprintf(text, sizeof(text), "%s without any rights", calls[i].name);
		expect(text, 0, in_child(call_it, (void *)&calls[i]));
	}
	return finish();
}
