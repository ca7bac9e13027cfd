// SPDX-License-Identifier: GPL-2.0
/*
 * capture_memory_snapshot(snap): the main figures of /proc/meminfo in one
 * call, without formatting them.
 *
 * Returns 0, or -EFAULT if snap cannot be written.
 */
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/mm.h>
#include <linux/mmzone.h>
#include <linux/oslab.h>
#include <linux/string.h>
#include <linux/swap.h>
#include <linux/syscalls.h>
#include <linux/timekeeping.h>
#include <linux/uaccess.h>
#include <linux/vmstat.h>

static u64 pages_to_kb(unsigned long pages)
{
	return (u64)pages << (PAGE_SHIFT - 10);
}

/**
 * oslab_read_mem_snapshot - take the figures that /proc/meminfo would show
 * @snap: filled completely
 *
 * Each figure is made as meminfo_proc_show() makes the field of its name.
 * Like there, they are read one after the other and not all at one moment.
 */
void oslab_read_mem_snapshot(struct mem_snapshot *snap)
{
	struct sysinfo i = {};
	long cached;

	si_meminfo(&i);
	si_swapinfo(&i);

	/* The parts are read apart and may not fit together for a moment. */
	cached = global_node_page_state(NR_FILE_PAGES) -
		 total_swapcache_pages() - i.bufferram;
	if (cached < 0)
		cached = 0;

	memset(snap, 0, sizeof(*snap));
	snap->total_kb = pages_to_kb(i.totalram);
	snap->free_kb = pages_to_kb(i.freeram);
	snap->available_kb = pages_to_kb(si_mem_available());
	snap->buffers_kb = pages_to_kb(i.bufferram);
	snap->cached_kb = pages_to_kb(cached);
	snap->shmem_kb = pages_to_kb(i.sharedram);
	snap->slab_kb =
		pages_to_kb(global_node_page_state_pages(NR_SLAB_RECLAIMABLE_B) +
			    global_node_page_state_pages(NR_SLAB_UNRECLAIMABLE_B));
	snap->active_kb = pages_to_kb(global_node_page_state(NR_ACTIVE_ANON) +
				      global_node_page_state(NR_ACTIVE_FILE));
	snap->inactive_kb =
		pages_to_kb(global_node_page_state(NR_INACTIVE_ANON) +
			    global_node_page_state(NR_INACTIVE_FILE));
	snap->swap_total_kb = pages_to_kb(i.totalswap);
	snap->swap_free_kb = pages_to_kb(i.freeswap);
	snap->timestamp_ns = ktime_get_ns();
}
EXPORT_SYMBOL_GPL(oslab_read_mem_snapshot);

SYSCALL_DEFINE1(capture_memory_snapshot, struct mem_snapshot __user *, snap)
{
	struct mem_snapshot figures;

	oslab_read_mem_snapshot(&figures);

	return copy_to_user(snap, &figures, sizeof(figures)) ? -EFAULT : 0;
}
