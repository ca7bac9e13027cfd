// SPDX-License-Identifier: GPL-2.0
#include <limits.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common.h"

#define FIELD(name)	{ #name, io.name }

int main(int argc, char **argv)
{
	struct options opt = {
		.syscall = "get_io_throttle",
		.operand = "PID",
		.about = "Prints the I/O of a process since it started, as /proc/PID/io does;\n"
			 "without PID, of this one.",
	};
	struct io_stats_user io;
	int pid;

	parse_options(&opt, argc, argv);
	pid = opt.value ? (int)parse_number("PID", opt.value, 1, INT_MAX) : getpid();
	if (syscall(opt.number, pid, &io) < 0)
		return fail(&opt);

	const struct value values[] = {
		{ "pid", pid }, FIELD(rchar), FIELD(wchar), FIELD(syscr),
		FIELD(syscw), FIELD(read_bytes), FIELD(write_bytes),
	};

	print_values(&opt, values, ARRAY_SIZE(values));
	return 0;
}
