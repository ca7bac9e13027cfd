// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common.h"

static struct syscall_usage_user before[OSLAB_USAGE_ENTRIES], now[OSLAB_USAGE_ENTRIES];

static const struct figure counters[OSLAB_USAGE_ENTRIES] = {
	{ now[0].name, &now[0].count, &before[0].count },
	{ now[1].name, &now[1].count, &before[1].count },
	{ now[2].name, &now[2].count, &before[2].count },
	{ now[3].name, &now[3].count, &before[3].count },
};

static long call(long number, int pid)
{
	(void)pid;
	memcpy(before, now, sizeof(before));
	return oslab_syscall(number, (long)now, OSLAB_USAGE_ENTRIES);
}

static const char *explain(int error)
{
	return error == EINVAL ? "the kernel has more counters than this program knows" : NULL;
}

static void print(void)
{
	for (int i = 0; i < OSLAB_USAGE_ENTRIES; i++)
		printf("%s: count=%llu last_timestamp_ns=%llu\n", now[i].name, now[i].count,
		       now[i].last_timestamp_ns);
}

static void print_json(const struct moment *moment)
{
	for (int i = 0; i < OSLAB_USAGE_ENTRIES; i++) {
		printf("%s\"%s\": {\"count\": %llu, \"last_timestamp_ns\": %llu", i ? ", " : "",
		       now[i].name, now[i].count, now[i].last_timestamp_ns);
		if (moment && moment->interval_ns)
			printf(", \"per_second\": %.3f", rate(&counters[i], moment));
		else if (moment)
			printf(", \"per_second\": null");
		printf("}");
	}
}

static const struct program program = {
	.name = "track_syscall_usage",
	.summary = "how often programs open, read, write and fork",
	.description =
		"       Prints how many calls of each kind all programs together have made since\n"
		"       boot, as the kernel's syscall track_syscall_usage() counts them. A call\n"
		"       counts when it is made, also one that fails: \"open\" is open, openat,\n"
		"       openat2 and creat; \"read\" is read; \"write\" is write; \"fork\" is fork,\n"
		"       vfork, and clone and clone3 unless they make a thread. A clone3 whose\n"
		"       arguments cannot be read, or are of a size or have bytes behind them\n"
		"       that this kernel does not know, does not count.\n",
	.output =
		"       Lines of \"name: count=N last_timestamp_ns=N\", or with --json one object\n"
		"       with an object for each name. count is a number of calls;\n"
		"       last_timestamp_ns is when the last was made: CLOCK_MONOTONIC, in\n"
		"       nanoseconds, 0 if there was none.\n",
	.watch =
		"       With --watch: a table of calls per second, a line for each call but the\n"
		"       first; \"seconds\" is since that. With --json the object of each name also\n"
		"       has \"per_second\", the calls per second since the line above. What this\n"
		"       program writes counts as well.\n",
	.examples =
		"       track_syscall_usage --json | jq .fork.count\n"
		"       track_syscall_usage --watch\n",
	.figures = counters,
	.figure_count = OSLAB_USAGE_ENTRIES,
	.width = 14,
	.good = OSLAB_USAGE_ENTRIES,
	.call = call,
	.explain = explain,
	.print = print,
	.print_json = print_json,
	.print_head = print_rates_head,
	.print_row = print_rates,
};

int main(int argc, char **argv)
{
	return run(&program, argc, argv);
}
