// SPDX-License-Identifier: GPL-2.0
/* Loads each file of /modules and says what the kernel answered. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

int main(void)
{
	struct dirent *entry;
	char path[512];
	DIR *modules;

	mkdir("/proc", 0755);
	mount("proc", "/proc", "proc", 0, NULL);
	modules = opendir("/modules");
	while (modules && (entry = readdir(modules))) {
		if (entry->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "/modules/%s", entry->d_name);
		int fd = open(path, O_RDONLY | O_CLOEXEC);
		int error = syscall(SYS_finit_module, fd, "", 0) ? errno : 0;

		printf("RESULT %s %s\n", entry->d_name, error ? strerror(error) : "loaded");
		close(fd);
	}
	printf("RESULT end\n");
	fflush(stdout);
	sync();
	reboot(RB_AUTOBOOT);
	return 0;
}
