// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <stdio.h>

#include "common.h"

static struct io_stats_user before, now;
static int process;

static const struct figure counters[] = {
#define COUNTER(field)	{ #field, &now.field, &before.field }
	COUNTER(rchar), COUNTER(wchar), COUNTER(syscr), COUNTER(syscw),
	COUNTER(read_bytes), COUNTER(write_bytes),
};

static long call(long number, int pid)
{
	process = pid;
	before = now;
	return oslab_syscall(number, pid, (long)&now);
}

static const char *explain(int error)
{
	switch (error) {
	case EINVAL:
		return "a PID is a number from 1";
	case ESRCH:
		return "no such process in this pid namespace";
	case EPERM:
		return "no ptrace access to it (ptrace(2), PTRACE_MODE_READ_FSCREDS)";
	default:
		return NULL;
	}
}

static void print(void)
{
	printf("pid: %d\n", process);
	print_figures();
}

static void print_rate(const struct figure *counter, const struct moment *moment)
{
	printf("%.3f", rate(counter, moment));
}

static void print_json(const struct moment *moment)
{
	printf("\"pid\": %d, ", process);
	print_json_figures();
	print_json_since("per_second", moment, print_rate);
}

static const struct program program = {
	.name = "get_io_throttle",
	.summary = "how much a process has read and written",
	.description =
		"       Prints the I/O of process PID since it started, as /proc/PID/io shows it\n"
		"       and the kernel's syscall get_io_throttle() gives it: all its threads,\n"
		"       those that ended included. Without PID, of this program itself. The id of\n"
		"       a thread stands for its process. It needs ptrace access to the process of\n"
		"       mode PTRACE_MODE_READ_FSCREDS, see ptrace(2); the mode 0400 of\n"
		"       /proc/PID/io is not looked at.\n",
	.output =
		"       Lines of \"key: number\", or with --json one object with the same keys.\n"
		"       rchar, wchar: bytes that were read and written by syscalls, from caches\n"
		"       and terminals too. syscr, syscw: how many such syscalls. read_bytes,\n"
		"       write_bytes: bytes that storage was made to read and to write.\n",
	.watch =
		"       With --watch: a table of the same per second (bytes or syscalls), a line\n"
		"       for each call but the first; \"seconds\" is since that. With --json the\n"
		"       objects have all figures, and \"per_second\", an object of how fast each\n"
		"       rose since the line above. It ends when the process does.\n",
	.examples =
		"       get_io_throttle --json $$ | jq .write_bytes\n"
		"       get_io_throttle --watch 5 1234\n",
	.figures = counters,
	.figure_count = ARRAY_SIZE(counters),
	.width = 13,
	.takes_pid = true,
	.good = 0,
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
