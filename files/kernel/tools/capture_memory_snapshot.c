// SPDX-License-Identifier: GPL-2.0
#include <sys/syscall.h>
#include <unistd.h>

#include "common.h"

#define FIELD(name)	{ #name, snap.name }

int main(int argc, char **argv)
{
	struct options opt = {
		.syscall = "capture_memory_snapshot",
		.about = "Prints the memory figures of /proc/meminfo, in KiB, and when they were\n"
			 "read (CLOCK_MONOTONIC).",
	};
	struct mem_snapshot snap;

	parse_options(&opt, argc, argv);
	if (syscall(opt.number, &snap) < 0)
		return fail(&opt);

	const struct value values[] = {
		FIELD(total_kb), FIELD(free_kb), FIELD(available_kb),
		FIELD(buffers_kb), FIELD(cached_kb), FIELD(shmem_kb),
		FIELD(slab_kb), FIELD(active_kb), FIELD(inactive_kb),
		FIELD(swap_total_kb), FIELD(swap_free_kb), FIELD(timestamp_ns),
	};

	print_values(&opt, values, ARRAY_SIZE(values));
	return 0;
}
