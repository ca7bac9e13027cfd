// SPDX-License-Identifier: GPL-2.0
#include <ctype.h>
#include <dirent.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "lib.h"
#include "modlib.h"

struct module modules[MOST_MODULES] = {
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

int module_count = KNOWN_MODULES;

static const char *module_directory = ".";

static bool is_known(const char *name)
{
	int i;

	for (i = 0; i < module_count; i++)
		if (!strcmp(modules[i].name, name))
			return true;
	return false;
}

static void add_module(const char *name)
{
	size_t length = strlen(name);
	char *path;

	if (length > 4 && !strcmp(name + length - 4, "_mod"))
		length -= 4;
	if (asprintf(&path, "/proc/%.*s", (int)length, name) < 0)
		abort();
	modules[module_count].name = name;
	modules[module_count].path = path;
	module_count++;
}

void find_modules(const char *directory)
{
	DIR *entries = opendir(directory);
	struct dirent *entry;

	module_directory = directory;
	while (entries && (entry = readdir(entries))) {
		const char *end = strrchr(entry->d_name, '.');
		char *name;

		if (!end || strcmp(end, ".ko"))
			continue;
		name = strndup(entry->d_name, end - entry->d_name);
		if (!name)
			abort();
		if (is_known(name))
			free(name);
		else if (module_count < MOST_MODULES)
			add_module(name);
		else
			ok(false, "more than %d modules: raise MOST_MODULES", MOST_MODULES);
	}
	if (entries)
		closedir(entries);
}

bool is_built(int module)
{
	return module != IO_THROTTLE || !throttle_off;
}

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

	for (i = 0; i < module_count; i++)
		unload(i);
}

static bool is_keyed_lines(const char *text)
{
	const char *line, *end, *colon;

	for (line = text; *line; line = end + 1) {
		end = strchr(line, '\n');
		colon = strstr(line, ": ");
		if (!end || !colon || colon == line || colon > end)
			return false;
	}
	return line != text;
}

bool has_shape(int module, const char *text)
{
	const char *shape = modules[module].shape;

	if (!shape)
		return is_keyed_lines(text);
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
