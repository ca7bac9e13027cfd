// SPDX-License-Identifier: GPL-2.0
/*
 * The first process of a machine that is there to show the tools: runs each line
 * of /commands and prints it and its exit code. Words before a command:
 *
 *   nobody   run it as that user
 *   3s       interrupt it after three seconds
 *
 * LOAD in it is the number of a process that works a little, several times a second.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <grp.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define WORDS	16

/* 50 times a second: two opens, three reads of 1000 bytes, one write of 500; a fork. */
static void load(void)
{
	const struct timespec pause = { .tv_nsec = 20000000 };
	static char buffer[1000];

	for (;;) {
		int in = open("/dev/zero", O_RDONLY), out = open("/dev/null", O_WRONLY);
		int bytes = 0;

		for (int i = 0; i < 3; i++)
			bytes += (int)read(in, buffer, sizeof(buffer));
		bytes += (int)write(out, buffer, sizeof(buffer) / 2);
		close(in);
		close(out);
		if (bytes && !fork())
			_exit(0);
		wait(NULL);
		nanosleep(&pause, NULL);
	}
}

static void run(char *line, pid_t worker)
{
	char *argv[WORDS + 1] = { NULL }, number[16];
	int words = 0, first = 0, status;
	unsigned int seconds = 0;
	bool nobody = false;
	pid_t child;

	snprintf(number, sizeof(number), "%d", worker);
	for (char *word = strtok(line, " \n"); word && words < WORDS; word = strtok(NULL, " \n"))
		argv[words++] = strcmp(word, "LOAD") ? word : number;
	if (words > 1 && argv[0][1] == 's')
		seconds = (unsigned int)atoi(argv[first++]);
	if (words > 1 && !strcmp(argv[first], "nobody")) {
		nobody = true;
		first++;
	}
	printf("%s", nobody ? "nobody$" : "#");
	for (int i = first; i < words; i++)
		printf(" %s", argv[i]);
	printf("\n");

	child = fork();
	if (!child) {
		if (nobody && (setgroups(0, NULL) || setgid(65534) || setuid(65534)))
			_exit(99);
		execvp(argv[first], argv + first);
		perror(argv[first]);
		_exit(99);
	}
	if (seconds) {
		sleep(seconds);
		kill(child, SIGINT);
	}
	waitpid(child, &status, 0);
	if (WIFEXITED(status))
		printf("exit status %d\n", WEXITSTATUS(status));
	else
		printf("killed by signal %d\n", WTERMSIG(status));
}

int main(void)
{
	char line[256];
	FILE *commands;
	pid_t worker;

	mount("proc", "/proc", "proc", 0, NULL);
	mount("dev", "/dev", "devtmpfs", 0, NULL);
	dup2(open("/dev/console", O_RDWR), 0);
	dup2(0, 1);
	dup2(0, 2);
	setvbuf(stdout, NULL, _IONBF, 0);
	setenv("PATH", "/usr/bin", 1);
	worker = fork();
	if (!worker)
		load();
	printf("\nBEGIN\n");
	commands = fopen("/commands", "re");
	while (commands && fgets(line, sizeof(line), commands))
		run(line, worker);
	printf("END\n");
	sync();
	reboot(RB_POWER_OFF);
}
