// SPDX-License-Identifier: GPL-2.0
/*
 * The first and only program of the debug kernel: runs the commands of /tests,
 * one per line, with their output on the second serial port, looks for leaks,
 * and ends the machine. The kernel's log has the first port to itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../../../files/kernel/syscalls/oslab.h"

#define KMEMLEAK	"/sys/kernel/debug/kmemleak"
#define MIN_AGE		6	/* seconds; kmemleak passes over what is younger than 5 */
#define ARGUMENTS	16
#define OFF		"track_syscall_usage.enabled=0"
#define SWITCH		"/sys/module/track_syscall_usage/parameters/enabled"

static void mount_all(void)
{
	mkdir("/proc", 0755);
	mkdir("/sys", 0755);
	mkdir("/dev", 0755);
	mkdir("/tmp", 01777);
	mount("proc", "/proc", "proc", 0, NULL);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	mount("devtmpfs", "/dev", "devtmpfs", 0, NULL);
	mount("tmpfs", "/tmp", "tmpfs", 0, NULL);
	mount("debugfs", "/sys/kernel/debug", "debugfs", 0, NULL);
}

/* The only moment of a machine's life when nothing has forked yet. */
static void test_before_any_fork(long nr_track)
{
	struct syscall_usage_user usage[OSLAB_USAGE_ENTRIES] = {};

	syscall(nr_track, usage, OSLAB_USAGE_ENTRIES, 0, 0, 0, 0);
	printf("# start first\nTAP version 13\n");
	printf("%sok 1 fork is 0 before any, and so is its time (%llu, %llu)\n",
	       usage[3].count || usage[3].last_timestamp_ns ? "not " : "",
	       (unsigned long long)usage[3].count,
	       (unsigned long long)usage[3].last_timestamp_ns);
	printf("1..1\n# end 0 first\n");
}

static bool said_at_boot(const char *parameter)
{
	char line[4096] = "";
	FILE *file = fopen("/proc/cmdline", "re");

	if (!file)
		return false;
	if (!fgets(line, sizeof(line), file))
		line[0] = '\0';
	fclose(file);
	return strstr(line, parameter);
}

/* Until here much was opened, read and written. Switches it on for the other tests. */
static void test_off_since_boot(long nr_track)
{
	struct syscall_usage_user usage[OSLAB_USAGE_ENTRIES] = {};
	int written = -1, counted = 0, fd, i;

	syscall(nr_track, usage, OSLAB_USAGE_ENTRIES, 0, 0, 0, 0);
	for (i = 0; i < OSLAB_USAGE_ENTRIES; i++)
		counted += usage[i].count || usage[i].last_timestamp_ns;
	fd = open(SWITCH, O_WRONLY | O_CLOEXEC);
	if (fd >= 0) {
		written = write(fd, "1", 1);
		close(fd);
	}
	printf("# start off\nTAP version 13\n");
	printf("%sok 1 nothing is counted since a boot with " OFF " (%d of %d are)\n",
	       counted ? "not " : "", counted, OSLAB_USAGE_ENTRIES);
	printf("%sok 2 it can be switched on\n", written == 1 ? "" : "not ");
	printf("1..2\n# end 0 off\n");
}

static void run(char *line)
{
	static const char blanks[] = { ' ', '\n', '\0' };
	char *arguments[ARGUMENTS + 1], *word;
	int status, count = 0;
	pid_t pid;

	for (word = strtok(line, blanks); word && count < ARGUMENTS; word = strtok(NULL, blanks))
		arguments[count++] = word;
	if (!count)
		return;
	arguments[count] = NULL;
	printf("# start %s\n", arguments[0]);
	fflush(stdout);
	setenv("OSLAB_ALONE", "1", 1);
	pid = fork();
	if (!pid) {
		execv(arguments[0], arguments);
		_exit(127);
	}
	waitpid(pid, &status, 0);
	printf("# end %d %s\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status),
	       arguments[0]);
	fflush(stdout);
}

static void kmemleak(const char *command)
{
	int fd = open(KMEMLEAK, O_WRONLY);

	if (fd < 0)
		return;
	write(fd, command, strlen(command));
	close(fd);
}

/* What is found twice was not just on its way from one place to another. */
static void look_for_leaks(void)
{
	char line[512];
	FILE *file;
	int lines = 0;

	if (access(KMEMLEAK, F_OK))
		return;
	printf("# start kmemleak\nTAP version 13\n");
	sleep(MIN_AGE);
	kmemleak("scan");
	sleep(MIN_AGE);
	kmemleak("scan");
	file = fopen(KMEMLEAK, "r");
	while (file && fgets(line, sizeof(line), file)) {
		printf("# %s", line);
		lines++;
	}
	printf("%sok 1 kmemleak finds nothing\n1..1\n# end 0 kmemleak\n",
	       file && !lines ? "" : "not ");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	char line[512];
	FILE *tests;

	mount_all();
	if (!freopen("/dev/ttyS1", "w", stdout))
		return 1;
	if (argc > 1)
		test_before_any_fork(atol(argv[1]));
	if (argc > 1 && said_at_boot(OFF))
		test_off_since_boot(atol(argv[1]));
	kmemleak("scan");
	kmemleak("clear");
	tests = fopen("/tests", "re");
	while (tests && fgets(line, sizeof(line), tests))
		run(line);
	look_for_leaks();
	printf("# done\n");
	fflush(stdout);
	sync();
	reboot(RB_AUTOBOOT);
	return 0;
}
