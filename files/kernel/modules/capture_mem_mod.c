// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/capture_mem: what capture_memory_snapshot() answers, as text.
 *
 * One "key: value" per line. The keys are the fields of struct mem_snapshot,
 * in its order; their endings are the units (KiB, ns of CLOCK_MONOTONIC):
 *
 *   total_kb free_kb available_kb buffers_kb cached_kb shmem_kb slab_kb
 *   active_kb inactive_kb swap_total_kb swap_free_kb timestamp_ns
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/oslab.h>

#include "oslab_proc.h"

#define PROC_NAME	"capture_mem"

static int oslab_show(struct seq_file *m, void *v)
{
	struct mem_snapshot snap;

	oslab_read_mem_snapshot(&snap);
	oslab_show_field(m, snap, total_kb);
	oslab_show_field(m, snap, free_kb);
	oslab_show_field(m, snap, available_kb);
	oslab_show_field(m, snap, buffers_kb);
	oslab_show_field(m, snap, cached_kb);
	oslab_show_field(m, snap, shmem_kb);
	oslab_show_field(m, snap, slab_kb);
	oslab_show_field(m, snap, active_kb);
	oslab_show_field(m, snap, inactive_kb);
	oslab_show_field(m, snap, swap_total_kb);
	oslab_show_field(m, snap, swap_free_kb);
	oslab_show_field(m, snap, timestamp_ns);
	return 0;
}

static int __init capture_mem_init(void)
{
	return oslab_proc_create(PROC_NAME, oslab_show);
}

static void __exit capture_mem_exit(void)
{
	remove_proc_entry(PROC_NAME, NULL);
}

module_init(capture_mem_init);
module_exit(capture_mem_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Memory figures of capture_memory_snapshot() in /proc/" PROC_NAME);
