// SPDX-License-Identifier: GPL-2.0
/*
 * The first program of a kernel's smoke test: does the steps that are listed in
 * /steps, one a line, its words separated by tabs, and ends the machine.
 *
 *     show PATH                 print a file
 *     run PROGRAM [ARGUMENT]... run a program
 *     call NUMBER               make a syscall whose arguments are all 0
 *     load PATH                 load a kernel module
 *
 * What comes of them goes into the kernel's log, so that one serial line has
 * both in their order, and no line of one breaks one of the other:
 *
 *     oslab-smoke: begin STEP
 *     oslab-smoke: out STEP TEXT
 *     oslab-smoke: end STEP HOW NUMBER    HOW is exit, signal or late
 *     oslab-smoke: done
 *
 * STEP counts from 0. Each step has a process and a time of its own.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdbool.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define STEP_SECONDS	20	/* of the guest's clock */
#define WORDS		16
#define LINE		800	/* the kernel's log takes some more */
#define LINES		200	/* of one step */

static int kmsg = -1;

__attribute__((format(printf, 1, 2)))
static void report(const char *format, ...)
{
	char line[LINE + 64] = "<6>oslab-smoke: ";
	size_t used = strlen(line);
	va_list args;
	int length;

	va_start(args, format);
	length = vsnprintf(line + used, sizeof(line) - used, format, args);
	va_end(args);
	if (length < 0)
		return;
	if (write(kmsg, line, strlen(line)) < 0)
		dprintf(STDERR_FILENO, "%s\n", line);
}

/* --- what a step does, in a process of its own; returns its exit status --- */

static int failed(const char *what)
{
	int error = errno;

	printf("%s: %s (%s)\n", what, strerror(error), strerrorname_np(error));
	return 1;
}

static int show(const char *path)
{
	char text[4096];
	ssize_t size;
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return failed(path);
	while ((size = read(fd, text, sizeof(text))) > 0)
		fwrite(text, 1, (size_t)size, stdout);
	return size < 0 ? failed(path) : 0;
}

static int run(char **words)
{
	execv(words[0], words);
	return failed(words[0]);
}

static int call(const char *number)
{
	long returned;

	errno = 0;
	returned = syscall(atol(number), 0, 0, 0, 0, 0, 0);
	printf("%ld %d\n", returned, returned == -1 ? errno : 0);
	return 0;
}

/* Whether the kernel has a module, as one of its own or loaded before. */
static bool is_there(const char *path)
{
	const char *name = strrchr(path, '/');
	char place[PATH_MAX];
	size_t length;

	snprintf(place, sizeof(place), "/sys/module/%s", name ? name + 1 : path);
	length = strlen(place);
	if (length > 3 && !strcmp(place + length - 3, ".ko"))
		place[length - 3] = 0;
	for (char *mark = place; (mark = strchr(mark, '-'));)
		*mark = '_';
	return !access(place, F_OK);
}

static int load(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int error;

	if (fd < 0)
		return failed(path);
	if (!syscall(SYS_finit_module, fd, "", 0))
		return 0;
	/* A module itself may refuse so, as what it registers is taken. */
	error = errno;
	if (error == EEXIST && is_there(path))
		return 0;
	errno = error;
	return failed(path);
}

static int step(char **words)
{
	if (!words[0] || !words[1])
		return 2;
	if (!strcmp(words[0], "show"))
		return show(words[1]);
	if (!strcmp(words[0], "run"))
		return run(words + 1);
	if (!strcmp(words[0], "call"))
		return call(words[1]);
	if (!strcmp(words[0], "load"))
		return load(words[1]);
	return 2;
}

/* --- the steps, one after the other --------------------------------------- */

static time_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec;
}

/* How a child ended. One that sleeps in the kernel and takes no signal is left behind. */
static bool ended(pid_t child, time_t until, int *status)
{
	const struct timespec pause = { .tv_nsec = 5000000 };

	while (waitpid(child, status, WNOHANG) != child) {
		if (now() >= until)
			return false;
		nanosleep(&pause, NULL);
	}
	return true;
}

static void report_output(int number, int fd)
{
	FILE *output = fdopen(fd, "r");
	char *line = NULL;
	size_t room = 0;
	int lines;

	for (lines = 0; output && lines < LINES && getline(&line, &room, output) >= 0; lines++) {
		line[strcspn(line, "\n")] = '\0';
		report("out %d %.*s", number, LINE, line);
	}
	free(line);
	if (output)
		fclose(output);
}

/* The output is in a file, so that nobody waits for a child that neither ends nor prints. */
static void do_step(int number, char **words)
{
	int output = open("/tmp/output", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	time_t until = now() + STEP_SECONDS;
	int status = 0;
	pid_t child;
	int code;

	report("begin %d", number);
	child = fork();
	if (!child) {
		dup2(output, STDOUT_FILENO);
		dup2(output, STDERR_FILENO);
		code = step(words);
		fflush(stdout);
		/* Not exit: that sets back the position in /steps, which the parent reads on. */
		_exit(code);
	}
	if (child < 0) {
		report("end %d exit 1", number);
		close(output);
		return;
	}
	if (!ended(child, until, &status)) {
		kill(child, SIGKILL);
		ended(child, now() + 2, &status);
		report("end %d late 0", number);
		close(output);
		return;
	}
	lseek(output, 0, SEEK_SET);
	report_output(number, output);
	if (WIFSIGNALED(status))
		report("end %d signal %d", number, WTERMSIG(status));
	else
		report("end %d exit %d", number, WEXITSTATUS(status));
}

int main(void)
{
	char *words[WORDS + 1], *line = NULL, *word, *rest;
	int number = 0, count;
	size_t room = 0;
	FILE *steps;

	mkdir("/proc", 0755);
	mkdir("/tmp", 0700);
	mount("proc", "/proc", "proc", 0, NULL);
	mkdir("/sys", 0700);
	mount("sysfs", "/sys", "sysfs", 0, NULL);
	kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	steps = fopen("/steps", "re");
	if (!steps)
		return 1;
	while (getline(&line, &room, steps) >= 0) {
		line[strcspn(line, "\n")] = '\0';
		count = 0;
		for (word = strtok_r(line, "\t", &rest); word && count < WORDS;
		     word = strtok_r(NULL, "\t", &rest))
			words[count++] = word;
		words[count] = NULL;
		do_step(number++, words);
	}
	report("done");
	sync();
	reboot(RB_AUTOBOOT);
	return 1;
}
