// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>

#include "common.h"

static struct mem_snapshot before, now;

static const struct figure sizes[] = {
#define SIZE(field)	{ #field, &now.field, &before.field }
	SIZE(total_kb), SIZE(free_kb), SIZE(available_kb), SIZE(buffers_kb),
	SIZE(cached_kb), SIZE(shmem_kb), SIZE(slab_kb), SIZE(active_kb),
	SIZE(inactive_kb), SIZE(swap_total_kb), SIZE(swap_free_kb),
};

static long call(long number, int pid)
{
	(void)pid;
	before = now;
	return oslab_syscall(number, (long)&now, 0);
}

static void print(void)
{
	print_figures();
	printf("timestamp_ns: %llu\n", now.timestamp_ns);
}

static long long change(__u64 from, __u64 to)
{
	return (long long)(to - from);
}

static void print_change(const struct figure *size, const struct moment *moment)
{
	(void)moment;
	printf("%lld", change(*size->before, *size->now));
}

static void print_json(const struct moment *moment)
{
	print_json_figures();
	printf(", \"timestamp_ns\": %llu", now.timestamp_ns);
	print_json_since("change", moment, print_change);
}

static void print_head(void)
{
	printf("%9s %9s %9s %9s %9s %9s %9s %9s\n", "seconds", "available", "change",
	       "free", "cached", "shmem", "slab", "swap_free");
}

static void print_row(const struct moment *moment)
{
	printf("%9.2f %9llu ", (double)moment->elapsed_ns / 1e9, now.available_kb);
	if (moment->interval_ns)
		printf("%+9lld", change(before.available_kb, now.available_kb));
	else
		printf("%9s", "-");
	printf(" %9llu %9llu %9llu %9llu %9llu\n", now.free_kb, now.cached_kb, now.shmem_kb,
	       now.slab_kb, now.swap_free_kb);
}

static const char *explain(int error)
{
	(void)error;
	return NULL;
}

static const struct program program = {
	.name = "capture_memory_snapshot",
	.summary = "the machine's memory figures by one syscall",
	.description =
		"       Prints the figures that /proc/meminfo has, as the kernel's syscall\n"
		"       capture_memory_snapshot() gives them: by one call, and not as text that\n"
		"       has to be parsed. The kernel reads them one after the other, as\n"
		"       /proc/meminfo does, and they go on changing meanwhile: two of them may\n"
		"       not fit together exactly.\n",
	.output =
		"       Lines of \"key: number\", or with --json one object with the same keys.\n"
		"       Sizes are in KiB, each that of the field of /proc/meminfo in brackets:\n"
		"       total_kb (MemTotal), free_kb (MemFree), available_kb (MemAvailable),\n"
		"       buffers_kb (Buffers), cached_kb (Cached), shmem_kb (Shmem), slab_kb\n"
		"       (Slab), active_kb (Active), inactive_kb (Inactive), swap_total_kb\n"
		"       (SwapTotal), swap_free_kb (SwapFree). timestamp_ns is when the last was\n"
		"       read: CLOCK_MONOTONIC, in nanoseconds, outside any time namespace.\n",
	.watch =
		"       With --watch: a table of sizes in KiB, a line for each call. \"seconds\"\n"
		"       is since the first call, \"change\" how much more is available than in\n"
		"       the line above. With --json the objects have all figures, and \"change\",\n"
		"       an object of what each size rose by in KiB since the line above.\n",
	.examples =
		"       capture_memory_snapshot --json | jq .available_kb\n"
		"       capture_memory_snapshot --watch 5\n",
	.figures = sizes,
	.figure_count = ARRAY_SIZE(sizes),
	.good = 0,
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
