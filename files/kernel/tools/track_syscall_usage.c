// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common.h"

int main(int argc, char **argv)
{
	struct options opt = {
		.syscall = "track_syscall_usage",
		.about = "Prints how often open, read, write and fork were called since boot,\n"
			 "and when last (CLOCK_MONOTONIC).",
	};
	struct syscall_usage_user usage[OSLAB_USAGE_ENTRIES];
	long entries;

	parse_options(&opt, argc, argv);
	entries = syscall(opt.number, usage, OSLAB_USAGE_ENTRIES);
	if (entries < 0)
		return fail(&opt);

	for (long i = 0; i < entries; i++) {
		const char *format = opt.json ?
			"%s\"%s\": {\"count\": %llu, \"last_timestamp_ns\": %llu}" :
			"%s%s: count=%llu last_timestamp_ns=%llu\n";

		printf(format, !opt.json ? "" : i ? ", " : "{", usage[i].name,
		       (unsigned long long)usage[i].count,
		       (unsigned long long)usage[i].last_timestamp_ns);
	}
	if (opt.json)
		puts("}");
	return 0;
}
