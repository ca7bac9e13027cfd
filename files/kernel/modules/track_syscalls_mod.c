// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/track_syscalls: what track_syscall_usage() answers, as text.
 *
 * One line per entry, in the syscall's order (open, read, write, fork):
 *
 *   NAME: count=N last_timestamp_ns=T
 *
 * T is ns of CLOCK_MONOTONIC, 0 while N is 0.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/oslab.h>

#include "oslab_proc.h"

#define PROC_NAME	"track_syscalls"

static int oslab_show(struct seq_file *m, void *v)
{
	struct syscall_usage_user usage[OSLAB_USAGE_ENTRIES];
	int i;

	oslab_read_syscall_usage(usage);
	for (i = 0; i < OSLAB_USAGE_ENTRIES; i++)
		seq_printf(m, "%s: count=%llu last_timestamp_ns=%llu\n",
			   usage[i].name, usage[i].count,
			   usage[i].last_timestamp_ns);
	return 0;
}

static int __init track_syscalls_init(void)
{
	return oslab_proc_create(PROC_NAME, oslab_show);
}

static void __exit track_syscalls_exit(void)
{
	remove_proc_entry(PROC_NAME, NULL);
}

module_init(track_syscalls_init);
module_exit(track_syscalls_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Syscall counters of track_syscall_usage() in /proc/" PROC_NAME);
