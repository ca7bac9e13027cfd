/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * What the three syscalls hand to user space.
 *
 * Every field has the same size and offset for 64-bit and 32-bit callers
 * (hence __u64 and not unsigned long), and no structure has padding.
 */
#ifndef _UAPI_LINUX_OSLAB_H
#define _UAPI_LINUX_OSLAB_H

#include <linux/types.h>

/* Length of syscall_usage_user.name, the final NUL included. */
#define OSLAB_NAME_LEN		16

/* Entries that track_syscall_usage() writes: open, read, write, fork. */
#define OSLAB_USAGE_ENTRIES	4

/*
 * Filled by capture_memory_snapshot(). Sizes in KiB, each as the field of
 * /proc/meminfo that it is named after; read one after the other, as there.
 */
struct mem_snapshot {
	__u64 total_kb;
	__u64 free_kb;
	__u64 available_kb;
	__u64 buffers_kb;
	__u64 cached_kb;
	__u64 shmem_kb;
	__u64 slab_kb;
	__u64 active_kb;
	__u64 inactive_kb;
	__u64 swap_total_kb;
	__u64 swap_free_kb;
	__u64 timestamp_ns;	/* after the last; CLOCK_MONOTONIC, outside any time namespace */
};

/* One entry of track_syscall_usage(). */
struct syscall_usage_user {
	char name[OSLAB_NAME_LEN];	/* always NUL-terminated */
	__u64 count;			/* calls since boot */
	__u64 last_timestamp_ns;	/* CLOCK_MONOTONIC; 0 while count is 0 */
};

/* Filled by get_io_throttle(): the whole process, as in /proc/PID/io. */
struct io_stats_user {
	__u64 rchar;
	__u64 wchar;
	__u64 syscr;
	__u64 syscw;
	__u64 read_bytes;
	__u64 write_bytes;
};

#endif /* _UAPI_LINUX_OSLAB_H */
