// SPDX-License-Identifier: GPL-2.0
/*
 * The figures of get_io_throttle(): those of /proc/PID/io, of the whole
 * process, whatever became of its threads.
 */
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"

static int null_fd, zero_fd;
static char buffer[4096];

static void same_as_proc(const char *what, pid_t pid)
{
	struct io_stats_user reported, shown;
	long returned = throttle(pid, &reported);
	int error = proc_io(pid, &shown);

	ok(!returned && !error && !memcmp(&reported, &shown, sizeof(reported)),
	   "%s: as /proc/PID/io: rchar %llu, wchar %llu, syscr %llu, syscw %llu, read %llu, written %llu",
	   what, reported.rchar, reported.wchar, reported.syscr, reported.syscw,
	   reported.read_bytes, reported.write_bytes);
}

/* --- what one's own calls add ------------------------------------------------ */

static void test_own(void)
{
	struct io_stats_user before, after;

	throttle(getpid(), &before);
	syscall(SYS_write, null_fd, buffer, 5);
	syscall(SYS_write, null_fd, buffer, 7);
	syscall(SYS_read, zero_fd, buffer, 11);
	syscall(SYS_read, -1, buffer, 13); /* a call, of no byte */
	throttle(getpid(), &after);
	expect("bytes written between", 12, after.wchar - before.wchar);
	expect("writes", 2, after.syscw - before.syscw);
	expect("bytes read", 11, after.rchar - before.rchar);
	/* As /proc/PID/io: a bad descriptor is none. */
	expect("reads", 1, after.syscr - before.syscr);
}

/* --- a stopped process --------------------------------------------------- */

#define WRITES	10
#define ENDED	3
#define WAITING	2

static pthread_barrier_t barrier;

static void *work_and_end(void *unused)
{
	int i;

	for (i = 0; i < WRITES; i++) {
		syscall(SYS_write, null_fd, buffer, 5);
		syscall(SYS_read, zero_fd, buffer, 3);
	}
	return unused;
}

static void *work_and_wait(void *unused)
{
	work_and_end(NULL);
	pthread_barrier_wait(&barrier);
	for (;;)
		pause();
	return unused;
}

static void work_in_threads(const char *unused)
{
	pthread_t threads[ENDED + WAITING];
	int i;

	(void)unused;
	pthread_barrier_init(&barrier, NULL, WAITING + 1);
	for (i = 0; i < ENDED; i++)
		pthread_create(&threads[i], NULL, work_and_end, NULL);
	for (i = 0; i < ENDED; i++)
		pthread_join(threads[i], NULL);
	for (i = ENDED; i < ENDED + WAITING; i++)
		pthread_create(&threads[i], NULL, work_and_wait, NULL);
	pthread_barrier_wait(&barrier);
	work_and_end(NULL);
}

/* Bytes that go to a disk and come from there, if there is one to write on. */
static void work_on_disk(const char *directory)
{
	char path[256];
	int fd = open("/dev/ram0", O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		snprintf(path, sizeof(path), "%s/oslab-selftest.%d", directory, getpid());
		fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
		unlink(path);
	}
	if (fd < 0)
		return;
	pwrite(fd, buffer, sizeof(buffer), 0);
	fsync(fd);
	posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
	pread(fd, buffer, sizeof(buffer), 0);
	close(fd);
}

/* Returns once the child has stopped. */
static pid_t start_stopped(void (*work)(const char *), const char *directory)
{
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (work)
			work(directory);
		raise(SIGSTOP);
		_exit(0);
	}
	waitpid(pid, NULL, WUNTRACED);
	return pid;
}

static void test_stopped(void)
{
	const int each = (ENDED + WAITING + 1) * WRITES;
	struct io_stats_user first, again;
	pid_t idle = start_stopped(NULL, NULL);
	pid_t pid = start_stopped(work_in_threads, NULL);

	same_as_proc("a stopped process that did nothing", idle);
	throttle(idle, &first);
	expect("it wrote, in calls", 0, first.syscw);
	end_child(idle);

	same_as_proc("a stopped process with 3 dead threads, 2 waiting", pid);
	throttle(pid, &first);
	expect("all its threads wrote, in calls", each, first.syscw);
	expect("in bytes", each * 5, first.wchar);
	expect("and read, in calls", each, first.syscr);
	expect("in bytes", each * 3, first.rchar);
	expect("throttle(id of another thread)", 0, throttle(other_thread(pid), &again));
	ok(!memcmp(&again, &first, sizeof(again)), "a thread's id stands for its process");

	/* Killed threads hand over their figures; nobody has waited yet. */
	kill(pid, SIGKILL);
	waitid(P_PID, pid, NULL, WEXITED | WNOWAIT);
	same_as_proc("the same as a zombie", pid);
	throttle(pid, &again);
	ok(!memcmp(&again, &first, sizeof(again)), "a zombie keeps all its figures");
	waitpid(pid, NULL, 0);
	expect("throttle(waited for)", -ESRCH, throttle(pid, &again));
}

static void test_disk(const char *directory)
{
	pid_t pid = start_stopped(work_on_disk, directory);
	struct io_stats_user reported = {};

	throttle(pid, &reported);
	if (reported.read_bytes || reported.write_bytes)
		same_as_proc("a stopped process that used a disk", pid);
	else
		skip("no disk to write on");
	end_child(pid);
}

/* --- a process whose first thread has ended ----------------------------------- */

static void *stop_the_process(void *unused)
{
	usleep(100000);
	work_and_end(NULL);
	raise(SIGSTOP);
	return unused;
}

static void test_without_first_thread(void)
{
	struct io_stats_user reported;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		pthread_t thread;

		work_and_end(NULL);
		pthread_create(&thread, NULL, stop_the_process, NULL);
		pthread_exit(NULL);
	}
	waitpid(pid, NULL, WUNTRACED);
	same_as_proc("a process whose first thread ended", pid);
	throttle(pid, &reported);
	ok(reported.wchar >= 2 * WRITES * 5, "it has the figures of both: wchar %llu",
	   reported.wchar);
	expect("throttle(its other thread's id)", 0, throttle(other_thread(pid), &reported));
	end_child(pid);
}

/* --- exec ------------------------------------------------------------------- */

/* A process keeps its figures when it runs another program. */
static void test_exec(char *const *argv)
{
	struct io_stats_user before = {}, reported;
	pid_t pid;
	int fds[2];

	fflush(stdout);
	if (pipe2(fds, O_CLOEXEC))
		return;
	pid = fork();
	if (!pid) {
		char *const again[] = { argv[0], argv[1], argv[2], argv[3], "--stop", NULL };

		work_and_end(NULL);
		throttle(getpid(), &before);
		syscall(SYS_write, fds[1], &before, sizeof(before));
		execv("/proc/self/exe", again);
		_exit(1);
	}
	waitpid(pid, NULL, WUNTRACED);
	same_as_proc("a process that ran exec", pid);
	throttle(pid, &reported);
	if (read(fds[0], &before, sizeof(before)) != sizeof(before))
		before.wchar = -1ULL;
	ok(reported.wchar >= before.wchar, "it keeps what it wrote before: wchar %llu",
	   reported.wchar);
	end_child(pid);
	close(fds[0]);
	close(fds[1]);
}

/* --- threads that end all the time ------------------------------------------- */

static void *write_five(void *unused)
{
	syscall(SYS_write, null_fd, buffer, 5);
	return unused;
}

#define IDLE_THREADS	100	/* in front of the others, so that adding up takes long */

/* Neither missed nor counted twice in the moment when a thread ends. */
static void test_ending_threads(void)
{
	struct io_stats_user now, last = {};
	int n, back = 0, uneven = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		pthread_t threads[4];
		size_t i;

		for (i = 0; i < IDLE_THREADS; i++)
			pthread_create(&threads[0], NULL, wait_forever, NULL);
		for (;;) {
			for (i = 0; i < ARRAY_SIZE(threads); i++)
				pthread_create(&threads[i], NULL, write_five, NULL);
			for (i = 0; i < ARRAY_SIZE(threads); i++)
				pthread_join(threads[i], NULL);
		}
	}
	for (n = 0; n < 1000000 && last.syscw < 1000; n++) {
		throttle(pid, &now);
		back += now.wchar < last.wchar || now.syscw < last.syscw;
		/* Bytes and calls are counted one after the other, by each of four. */
		uneven += now.wchar > now.syscw * 5 + 4 * 5 || now.syscw * 5 > now.wchar + 4 * 5;
		last = now;
	}
	ok(last.syscw >= 1000, "%llu threads wrote and ended meanwhile", last.syscw);
	ok(!back, "in %d readings no figure went back (%d did)", n, back);
	ok(!uneven, "bytes and calls fit together (%d did not)", uneven);
	end_child(pid);
}

int main(int argc, char **argv)
{
	const char *directory = argc > 4 ? argv[4] : "/var/tmp";

	if (argc > 4 && !strcmp(argv[4], "--stop")) {
		raise(SIGSTOP);
		return 0;
	}
	begin(argc, argv, "[DIRECTORY]");
	if (skip_without_throttle())
		return finish();
	null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	zero_fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	test_own();
	test_stopped();
	test_disk(directory);
	test_without_first_thread();
	test_exec(argv);
	test_ending_threads();
	return finish();
}
