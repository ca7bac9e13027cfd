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
	seq_printf(m, "total_kb: %llu\n", snap.total_kb);
	seq_printf(m, "free_kb: %llu\n", snap.free_kb);
	seq_printf(m, "available_kb: %llu\n", snap.available_kb);
	seq_printf(m, "buffers_kb: %llu\n", snap.buffers_kb);
	seq_printf(m, "cached_kb: %llu\n", snap.cached_kb);
	seq_printf(m, "shmem_kb: %llu\n", snap.shmem_kb);
	seq_printf(m, "slab_kb: %llu\n", snap.slab_kb);
	seq_printf(m, "active_kb: %llu\n", snap.active_kb);
	seq_printf(m, "inactive_kb: %llu\n", snap.inactive_kb);
	seq_printf(m, "swap_total_kb: %llu\n", snap.swap_total_kb);
	seq_printf(m, "swap_free_kb: %llu\n", snap.swap_free_kb);
	seq_printf(m, "timestamp_ns: %llu\n", snap.timestamp_ns);
	return 0;
}

static int __init capture_mem_init(void)
{
	return oslab_proc_create(PROC_NAME);
}

static void __exit capture_mem_exit(void)
{
	remove_proc_entry(PROC_NAME, NULL);
}

module_init(capture_mem_init);
module_exit(capture_mem_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Memory figures of capture_memory_snapshot() in /proc/" PROC_NAME);
