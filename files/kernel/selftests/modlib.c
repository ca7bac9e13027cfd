// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <fcntl.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib.h"
#include "modlib.h"

const struct module modules[MODULES] = {
	[CAPTURE_MEM] = {
		"capture_mem_mod", "/proc/capture_mem",
		"total_kb: N\nfree_kb: N\navailable_kb: N\nbuffers_kb: N\ncached_kb: N\n"
		"shmem_kb: N\nslab_kb: N\nactive_kb: N\ninactive_kb: N\nswap_total_kb: N\n"
		"swap_free_kb: N\ntimestamp_ns: N\n",
	},
	[TRACK_SYSCALLS] = {
		"track_syscalls_mod", "/proc/track_syscalls",
		"open: count=N last_timestamp_ns=N\nread: count=N last_timestamp_ns=N\n"
		"write: count=N last_timestamp_ns=N\nfork: count=N last_timestamp_ns=N\n",
	},
	[IO_THROTTLE] = {
		"io_throttle_mod", "/proc/io_throttle",
		"pid: N\nrchar: N\nwchar: N\nsyscr: N\nsyscw: N\nread_bytes: N\n"
		"write_bytes: N\n",
	},
	[SYSTEM_STATS] = {
		"system_stats", "/proc/system_stats",
		"cpus_online: N\ncpu_user_ms: N\ncpu_nice_ms: N\ncpu_system_ms: N\n"
		"cpu_idle_ms: N\ncpu_iowait_ms: N\ncpu_irq_ms: N\ncpu_softirq_ms: N\n"
		"cpu_steal_ms: N\ncpu_guest_ms: N\ncpu_guest_nice_ms: N\nmem_total_kb: N\n"
		"mem_free_kb: N\nstorage_path: /\nstorage_total_kb: N\nstorage_free_kb: N\n"
		"storage_available_kb: N\n",
	},
};

const char *module_directory = ".";

long load(int module, const char *parameters)
{
	char path[512];
	long error;
	int fd;

	snprintf(path, sizeof(path), "%s/%s.ko", module_directory, modules[module].name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	error = result(syscall(SYS_finit_module, fd, parameters, 0));
	close(fd);
	return error;
}

long unload(int module)
{
	return result(syscall(SYS_delete_module, modules[module].name, O_NONBLOCK));
}

void unload_all(void)
{
	int i;

	for (i = 0; i < MODULES; i++)
		unload(i);
}

bool has_shape(int module, const char *text)
{
	const char *shape = modules[module].shape;

	for (; *shape; shape++) {
		if (*shape != 'N') {
			if (*text++ != *shape)
				return false;
			continue;
		}
		if (!isdigit(*text))
			return false;
		while (isdigit(*text))
			text++;
	}
	return !*text;
}
