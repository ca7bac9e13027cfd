// SPDX-License-Identifier: GPL-2.0
/*
 * Whose figures get_io_throttle() gives to whom: every kind of pid, asked for
 * by root, by somebody else, and from another pid namespace. The answer is the
 * one that /proc/PID/io gives, but for the mode of that file.
 */
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"

#define KTHREADD	2

static struct io_stats_user io;

static long ask_as_nobody(void *pid)
{
	become_nobody();
	return throttle(*(pid_t *)pid, &io);
}

static long ask_as_nobody_at_null(void *pid)
{
	become_nobody();
	return throttle(*(pid_t *)pid, NULL);
}

/* /proc says EACCES for some of it, already at open(). */
static long proc_as_nobody(void *pid)
{
	struct io_stats_user shown;
	int error;

	become_nobody();
	error = proc_io(*(pid_t *)pid, &shown);
	return error == -EACCES ? -EPERM : error == -ENOENT ? -ESRCH : error;
}

/* As root and as nobody, who gets what /proc gives. */
static void test_pid(const char *what, pid_t pid, long as_root, long as_nobody)
{
	char text[128];

	snprintf(text, sizeof(text), "%s, asked by root", what);
	expect(text, as_root, throttle(pid, &io));
	snprintf(text, sizeof(text), "%s, asked by somebody else", what);
	expect(text, as_nobody, in_child(ask_as_nobody, &pid));
	snprintf(text, sizeof(text), "%s, /proc/PID/io for somebody else", what);
	expect(text, as_nobody, in_child(proc_as_nobody, &pid));
}

static pid_t start_zombie(void)
{
	pid_t pid = fork();

	if (!pid)
		_exit(0);
	waitid(P_PID, pid, NULL, WEXITED | WNOWAIT);
	return pid;
}

static pid_t make_dead(void)
{
	pid_t pid = fork();

	reap(pid);
	return pid;
}

static pid_t start_nobodys(bool dumpable)
{
	pid_t pid;
	int fds[2];
	char byte;

	if (pipe(fds))
		return -1;
	pid = fork();
	if (!pid) {
		become_nobody();
		prctl(PR_SET_DUMPABLE, dumpable);
		if (write(fds[1], "", 1) == 1)
			for (;;)
				pause();
	}
	if (read(fds[0], &byte, 1) != 1)
		return -1;
	close(fds[0]);
	close(fds[1]);
	return pid;
}

static void test_kinds(void)
{
	pid_t child = start_idle(), zombie = start_zombie(), dead = make_dead();
	pid_t nobodys = start_nobodys(true), secretive = start_nobodys(false);
	pthread_t thread;

	pthread_create(&thread, NULL, wait_forever, NULL);
	test_pid("own", getpid(), 0, -EPERM);
	test_pid("a thread of one's own", other_thread(getpid()), 0, -EPERM);
	test_pid("a child", child, 0, -EPERM);
	test_pid("process 1", 1, 0, -EPERM);
	test_pid("a kernel thread", KTHREADD, 0, -EPERM);
	test_pid("another user's process", nobodys, 0, 0);
	test_pid("another user's process that is not dumpable", secretive, 0, -EPERM);
	test_pid("a zombie", zombie, 0, -EPERM);
	test_pid("a dead process", dead, -ESRCH, -ESRCH);

	expect("dead, NULL: process first", -ESRCH, throttle(dead, NULL));
	expect("another's, NULL: rights first", -EPERM,
	       in_child(ask_as_nobody_at_null, &child));
	expect("nobody's own kind, NULL", -EFAULT,
	       in_child(ask_as_nobody_at_null, &nobodys));
	end_child(child);
	end_child(zombie);
	end_child(nobodys);
	end_child(secretive);
}

/* --- what only the mode of /proc/PID/io refuses --------------------------------- */

static long ask(void *pid)
{
	return throttle(*(pid_t *)pid, &io);
}

/* It is still root's to read, not this user's. */
static long ask_oneself_as_nobody(void *unused)
{
	pid_t own = getpid();

	become_nobody();
	(void)unused;
	return ask(&own);
}

static long proc_of_oneself_as_nobody(void *unused)
{
	pid_t own = getpid();

	become_nobody();
	(void)unused;
	return proc_io(own, &io);
}

static long ask_as_tracer(void *pid)
{
	become_tracer();
	return ask(pid);
}

static long proc_as_tracer(void *pid)
{
	become_tracer();
	return proc_io(*(pid_t *)pid, &io);
}

static void test_mode_of_file(void)
{
	pid_t child = start_idle();

	expect("own, after setresuid", 0, in_child(ask_oneself_as_nobody, NULL));
	expect("own, after setresuid, /proc/PID/io", -EACCES,
	       in_child(proc_of_oneself_as_nobody, NULL));
	expect("root's process, asked with CAP_SYS_PTRACE alone", 0,
	       in_child(ask_as_tracer, &child));
	expect("root's process, /proc/PID/io with CAP_SYS_PTRACE alone", -EACCES,
	       in_child(proc_as_tracer, &child));
	end_child(child);
}

/* --- a pid that is used again ------------------------------------------------ */

static void test_again(void)
{
	struct io_stats_user before = {}, after = {};
	pid_t pid = fork();
	char byte;

	if (!pid) {
		int i;

		for (i = 0; i < 100; i++)
			syscall(SYS_read, 0, &byte, 0);
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(pid, NULL, WUNTRACED);
	throttle(pid, &before);
	end_child(pid);
	expect("a pid that was", -ESRCH, throttle(pid, &after));
	if (fork_as(pid) != pid) {
		skip("a pid cannot be chosen: %s", strerror(errno));
		return;
	}
	expect("the same pid, another process", 0, throttle(pid, &after));
	ok(before.syscr == 100 && after.syscr == 0,
	   "it has figures of its own: %llu reads, before %llu", after.syscr, before.syscr);
	end_child(pid);
}

/* --- pid namespaces ------------------------------------------------------- */

static pid_t outer;

static long ask_inside(void *unused)
{
	static struct io_stats_user first, own;
	pid_t child;
	long error;

	(void)unused;
	if (getpid() != 1)
		return -250;
	/* Process 1 here, and no other. */
	error = throttle(1, &own);
	if (error)
		return error;
	throttle(getpid(), &first);
	if (memcmp(&own, &first, sizeof(own)))
		return -251;
	child = start_idle();
	error = throttle(child, &own);
	end_child(child);
	if (error)
		return error;
	return throttle(outer, &own) == -ESRCH ? 0 : -252;
}

static long enter_and_ask(void *unused)
{
	if (unshare(CLONE_NEWPID))
		return -254;
	return in_child(ask_inside, unused);
}

/* A process 1 of elsewhere has another id here, and its figures with it. */
static void test_from_outside(void)
{
	int fds[2];
	pid_t pid, first = 0;

	fflush(stdout);
	if (pipe(fds))
		return;
	pid = fork();
	if (!pid) {
		struct clone_args args = {
			.flags = CLONE_NEWPID | CLONE_PARENT_SETTID,
			.exit_signal = SIGCHLD,
			.parent_tid = (unsigned long)&first,
		};

		if (!syscall(SYS_clone3, &args, sizeof(args)))
			for (;;)
				pause();
		syscall(SYS_write, fds[1], &first, sizeof(first));
		waitpid(first, NULL, 0);
		_exit(0);
	}
	if (read(fds[0], &first, sizeof(first)) != sizeof(first))
		first = -1;
	ok(first > 1, "process 1 of another namespace is %d here", first);
	if (first > 1) {
		test_pid("it", first, 0, -EPERM);
		kill(first, SIGKILL);
	}
	waitpid(pid, NULL, 0);
	close(fds[0]);
	close(fds[1]);
}

int main(int argc, char **argv)
{
	long error;

	begin(argc, argv, "");
	if (skip_without_throttle())
		return finish();
	test_kinds();
	test_mode_of_file();
	test_again();

	outer = getpid();
	error = in_child(enter_and_ask, NULL);
	if (error == -254) {
		skip("no pid namespaces");
		return finish();
	}
	expect("in a new pid namespace: 1 is one's own, outer ids are nobody's", 0, error);
	test_from_outside();
	return finish();
}
