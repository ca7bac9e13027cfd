// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common.h"

static struct syscall_usage_user before[OSLAB_USAGE_ENTRIES], now[OSLAB_USAGE_ENTRIES];

static long call(long number, int pid)
{
	(void)pid;
	memcpy(before, now, sizeof(before));
	return syscall(number, now, OSLAB_USAGE_ENTRIES);
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
			printf(", \"per_second\": %.3f",
			       rate(before[i].count, now[i].count, moment));
		else if (moment)
			printf(", \"per_second\": null");
		printf("}");
	}
}

static void print_head(void)
{
	printf("%9s", "seconds");
	for (int i = 0; i < OSLAB_USAGE_ENTRIES; i++)
		printf(" %12s/s", now[i].name);
	printf("\n");
}

static void print_row(const struct moment *moment)
{
	if (!moment->interval_ns)
		return;
	printf("%9.2f", (double)moment->elapsed_ns / 1e9);
	for (int i = 0; i < OSLAB_USAGE_ENTRIES; i++)
		printf(" %14.1f", rate(before[i].count, now[i].count, moment));
	printf("\n");
}

static const struct program program = {
	.name = "track_syscall_usage",
	.summary = "how often programs open, read, write and fork",
	.description =
		"       Prints how many calls of each kind all programs together have made since\n"
		"       boot, as the kernel's syscall track_syscall_usage() counts them. A call\n"
		"       counts when it is made, also one that fails: \"open\" is open, openat,\n"
		"       openat2 and creat; \"read\" is read; \"write\" is write; \"fork\" is fork,\n"
		"       vfork, and clone and clone3 unless they make a thread.\n",
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
	.good = OSLAB_USAGE_ENTRIES,
	.call = call,
	.explain = explain,
	.print = print,
	.print_json = print_json,
	.print_head = print_head,
	.print_row = print_row,
};

int main(int argc, char **argv)
{
	return run(&program, argc, argv);
}
