// SPDX-License-Identifier: GPL-2.0
/*
 * A kernel whose counters are wrong on purpose, for counts() of the selftests: the
 * program is linked with -Wl,--wrap=syscall, and number 499 is answered here.
 *
 *   fake_counts SCENARIO [EVERY] [MILLISECONDS]
 *
 * less, more   every so many attempts one open too few, too many
 * other        the same as more, while the first process makes a call
 * once         one too many in that attempt alone
 * masked       one too few, and one read of somebody else that hides nothing
 * fits         somebody else reads for a quarter of each second
 * restless     somebody else reads all the time
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lib.h"

#define FAKE	499
#define FAKE_IO	498

static const char *scenario;
static int every, milliseconds, attempt;
static __u64 calls_of_first;
static __u64 made[OSLAB_USAGE_ENTRIES];

long __real_syscall(long number, ...);

/* What somebody else has read until now. */
static __u64 reads_of_others(void)
{
	__u64 now = now_ns() / 1000, second = now % 1000000;

	if (!strcmp(scenario, "restless"))
		return now / 200;
	if (!strcmp(scenario, "fits"))
		return now / 1000000 * 1250 + (second < 250000 ? second : 250000) / 200;
	return 0;
}

long __wrap_syscall(long number, ...)
{
	struct syscall_usage_user *usage;
	long arguments[4];
	va_list list;
	int i;

	va_start(list, number);
	for (i = 0; i < 4; i++)
		arguments[i] = va_arg(list, long);
	va_end(list);
	if (number == FAKE_IO) {
		struct io_stats_user *io = (void *)arguments[1];

		*io = (struct io_stats_user){ .syscr = arguments[0] == 1 ? calls_of_first : 0 };
		return 0;
	}
	if (number != FAKE)
		return __real_syscall(number, arguments[0], arguments[1], arguments[2],
				      arguments[3]);
	usage = (void *)arguments[0];
	for (i = 0; i < OSLAB_USAGE_ENTRIES; i++)
		usage[i].count = made[i];
	usage[READ].count += reads_of_others();
	return OSLAB_USAGE_ENTRIES;
}

static void work(void)
{
	bool other = !strcmp(scenario, "other");
	bool more = other || !strcmp(scenario, "more") || !strcmp(scenario, "once");
	bool wrong = every && ++attempt % every == 0;

	if (!strcmp(scenario, "once"))
		wrong = attempt == every;
	if (milliseconds)
		usleep(milliseconds * 1000);
	made[OPEN] += 5;
	if (wrong)
		made[OPEN] += more ? 1 : -1;
	calls_of_first += wrong && other;
	if (wrong && !strcmp(scenario, "masked"))
		made[READ]++;
}

int main(int argc, char **argv)
{
	char *numbers[] = { argv[0], "499", "499", "498", NULL };

	scenario = argv[1];
	every = argc > 2 ? atoi(argv[2]) : 0;
	milliseconds = argc > 3 ? atoi(argv[3]) : 0;
	begin(4, numbers, "");
	counts_one("work", work, OPEN, 5);
	return finish();
}
