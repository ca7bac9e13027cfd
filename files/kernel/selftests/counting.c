// SPDX-License-Identifier: GPL-2.0
/*
 * What counts, and as what: each call by itself, from 64-bit programs; and the
 * time of the last one.
 */
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"

#define MANY	1000

static int zero_fd, null_fd;
static char byte;

/* --- open ---------------------------------------------------------------- */

static void do_open(void)
{
	close(syscall(SYS_open, "/dev/null", O_RDONLY));
}

static void do_openat(void)
{
	close(syscall(SYS_openat, AT_FDCWD, "/dev/null", O_RDONLY));
}

static void do_openat2(void)
{
	struct open_how how = { .flags = O_RDONLY };

	close(syscall(SYS_openat2, AT_FDCWD, "/dev/null", &how, sizeof(how)));
}

static void do_creat(void)
{
	close(syscall(SYS_creat, "/dev/null", 0600));
}

static void fail_to_open(void)
{
	syscall(SYS_open, NULL, 0);
	syscall(SYS_open, "/no/such/file", O_RDONLY);
	syscall(SYS_openat, -1, "relative", O_RDONLY);
	syscall(SYS_openat2, AT_FDCWD, NULL, NULL, 0);
	syscall(SYS_creat, "/no/such/file", 0600);
}

/* --- read and write --------------------------------------------------------- */

static void do_read(void)
{
	int i;

	for (i = 0; i < MANY; i++)
		syscall(SYS_read, zero_fd, &byte, 1);
}

static void do_write(void)
{
	int i;

	for (i = 0; i < MANY; i++)
		syscall(SYS_write, null_fd, &byte, 1);
}

static void fail_to_read(void)
{
	syscall(SYS_read, -1, &byte, 1);
	syscall(SYS_read, zero_fd, NULL, 1);
	syscall(SYS_read, zero_fd, NULL, 0);
}

static void fail_to_write(void)
{
	syscall(SYS_write, -1, &byte, 1);
	syscall(SYS_write, zero_fd, NULL, 0);
}

/* Relatives that are syscalls of their own. */
static void do_others(void)
{
	struct iovec vector = { &byte, 1 };
	off_t offset = 0;

	getppid();
	pread(zero_fd, &byte, 1, 0);
	pwrite(null_fd, &byte, 1, 0);
	readv(zero_fd, &vector, 1);
	writev(null_fd, &vector, 1);
	preadv2(zero_fd, &vector, 1, 0, 0);
	pwritev2(null_fd, &vector, 1, 0, 0);
	sendfile(null_fd, zero_fd, &offset, 1);
	close(memfd_create("selftest", 0));
	close(dup(null_fd));
}

/* --- fork --------------------------------------------------------------- */

static char stack[65536];

static int end(void *unused)
{
	(void)unused;
	_exit(0);
}

static void *nothing(void *unused)
{
	return unused;
}

static void do_fork(void)
{
	reap(syscall(SYS_fork));
}

static void do_vfork(void)
{
	reap(vfork());
}

static void do_clone(void)
{
	reap(clone(end, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL));
}

static void do_clone_vfork(void)
{
	reap(clone(end, stack + sizeof(stack), CLONE_VM | CLONE_VFORK | SIGCHLD, NULL));
}

static void do_clone3(void)
{
	struct clone_args args = { .exit_signal = SIGCHLD };

	reap(syscall(SYS_clone3, &args, sizeof(args)));
}

static void do_threads(void)
{
	pthread_t threads[10];
	size_t i;

	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_create(&threads[i], NULL, nothing, NULL);
	for (i = 0; i < ARRAY_SIZE(threads); i++)
		pthread_join(threads[i], NULL);
}

/* A child of a child, and both with threads. */
static void do_family(void)
{
	pid_t child = fork(), grandchild;

	if (!child) {
		do_threads();
		grandchild = fork();
		if (!grandchild) {
			do_threads();
			_exit(0);
		}
		reap(grandchild);
		_exit(0);
	}
	reap(child);
}

static void fail_to_fork(void)
{
	struct clone_args args = { .flags = CLONE_FS | CLONE_NEWNS };

	syscall(SYS_clone, CLONE_FS | CLONE_NEWNS, NULL, NULL, NULL, 0);
	syscall(SYS_clone3, &args, sizeof(args));
}

static void fail_to_make_threads(void)
{
	struct clone_args args = { .flags = CLONE_THREAD };

	syscall(SYS_clone, CLONE_THREAD, NULL, NULL, NULL, 0);
	syscall(SYS_clone3, &args, sizeof(args));
	/* Not known what these ask for. */
	syscall(SYS_clone3, NULL, sizeof(args));
	syscall(SYS_clone3, &args, 8);
}

/* --- by the kernel itself ------------------------------------------------- */

static int junk_fd;

/* The kernel reads what is to be run before it finds that it is no program. */
static void do_exec(void)
{
	static char * const none[] = { NULL };
	pid_t pid = vfork();

	if (!pid) {
		syscall(SYS_execveat, junk_fd, "", none, none, AT_EMPTY_PATH);
		_exit(0);
	}
	reap(pid);
}

/* --- time ---------------------------------------------------------------- */

static void read_once(void)
{
	syscall(SYS_read, zero_fd, &byte, 1);
}

static void write_once(void)
{
	syscall(SYS_write, null_fd, &byte, 1);
}

static void do_one_of_each(void)
{
	do_open();
	read_once();
	write_once();
	do_fork();
}

static void (* const one[OSLAB_USAGE_ENTRIES])(void) = {
	do_open, read_once, write_once, do_fork,
};

/*
 * Each time lies between a clock reading before the last call and one after.
 * Somebody else's later call would be seen in the count, and is tried again.
 */
static void test_times(const char *when, unsigned int seconds)
{
	struct syscall_usage_user usage[OSLAB_USAGE_ENTRIES], last[OSLAB_USAGE_ENTRIES];
	__u64 before[OSLAB_USAGE_ENTRIES], after[OSLAB_USAGE_ENTRIES];
	bool quiet = false;
	int i, tried;

	fflush(stdout);
	for (tried = 0; tried < ATTEMPTS && !quiet; tried++) {
		if (tried)
			wait_for_rest();
		for (i = 0; i < OSLAB_USAGE_ENTRIES; i++) {
			before[i] = now_ns();
			one[i]();
			after[i] = now_ns();
		}
		track(usage, OSLAB_USAGE_ENTRIES);
		sleep(seconds);
		track(last, OSLAB_USAGE_ENTRIES);
		for (i = 0, quiet = true; i < OSLAB_USAGE_ENTRIES; i++)
			quiet = quiet && usage[i].count == last[i].count &&
				last[i].last_timestamp_ns <= after[i];
	}
	for (i = 0; i < OSLAB_USAGE_ENTRIES; i++) {
		__s64 from_first = last[i].last_timestamp_ns - before[i];
		__s64 to_second = after[i] - last[i].last_timestamp_ns;

		ok(from_first >= 0 && to_second >= 0,
		   "%s, %s: time is %lld ns after the clock before, %lld ns before the one after",
		   entry_names[i], when, (long long)from_first, (long long)to_second);
	}
	if (!quiet)
		tell_who();
}

/* Times are of the machine, wherever the caller's own clock stands. */
#define AHEAD	1000	/* seconds */

static long ask_ahead(void *machine_now)
{
	struct syscall_usage_user usage[OSLAB_USAGE_ENTRIES];
	struct mem_snapshot snap;
	__u64 before = *(__u64 *)machine_now, limit = before + AHEAD / 2 * NSEC_PER_SEC;

	if (now_ns() < limit)
		return -250;
	do_one_of_each();
	track(usage, OSLAB_USAGE_ENTRIES);
	capture(&snap);
	if (snap.timestamp_ns < before || snap.timestamp_ns > limit)
		return -251;
	return usage[FORK].last_timestamp_ns < before ||
	       usage[FORK].last_timestamp_ns > limit ? -252 : 0;
}

static long enter_and_ask(void *machine_now)
{
	char offset[32];

	snprintf(offset, sizeof(offset), "monotonic %d 0", AHEAD);
	if (unshare(CLONE_NEWTIME) || !write_file("/proc/self/timens_offsets", offset))
		return -254;
	return in_child(ask_ahead, machine_now);
}

static void test_time_namespace(void)
{
	__u64 now = now_ns();
	long error = in_child(enter_and_ask, &now);

	if (error == -254)
		skip("no time namespaces");
	else
		expect("in a time namespace 1000 seconds ahead, the machine's times", 0, error);
}

#define READERS	2

static bool stop;

static void *call_all(void *unused)
{
	while (!__atomic_load_n(&stop, __ATOMIC_RELAXED))
		do_one_of_each();
	return unused;
}

/* While others call, counts and times never go back and are never to come. */
static void test_no_way_back(void)
{
	struct syscall_usage_user usage[OSLAB_USAGE_ENTRIES], before[OSLAB_USAGE_ENTRIES];
	int i, n, back = 0, early = 0, late = 0;
	pthread_t threads[READERS];

	for (i = 0; i < READERS; i++)
		pthread_create(&threads[i], NULL, call_all, NULL);
	track(before, OSLAB_USAGE_ENTRIES);
	for (n = 0; n < 3000; n++) {
		__u64 now;

		track(usage, OSLAB_USAGE_ENTRIES);
		now = now_ns();
		for (i = 0; i < OSLAB_USAGE_ENTRIES; i++) {
			back += usage[i].count < before[i].count;
			early += usage[i].last_timestamp_ns < before[i].last_timestamp_ns;
			late += usage[i].last_timestamp_ns > now;
		}
		memcpy(before, usage, sizeof(before));
	}
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (i = 0; i < READERS; i++)
		pthread_join(threads[i], NULL);
	ok(!back, "in %d readings under load no count went back (%d did)", n, back);
	ok(!early, "no time went back (%d did)", early);
	ok(!late, "no time was in the future (%d were)", late);
}

int main(int argc, char **argv)
{
	begin(argc, argv, "");
	zero_fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	junk_fd = memfd_create("selftest", 0);
	pwrite(junk_fd, "no program", 10, 0);

	counts_one("open", do_open, OPEN, 1);
	counts_one("openat", do_openat, OPEN, 1);
	counts_one("openat2", do_openat2, OPEN, 1);
	counts_one("creat", do_creat, OPEN, 1);
	counts_one("5 ways to fail to open", fail_to_open, OPEN, 5);

	counts_one("read", do_read, READ, MANY);
	counts_one("read that fails, of nothing", fail_to_read, READ, 3);
	counts_one("write", do_write, WRITE, MANY);
	counts_one("write that fails, of nothing", fail_to_write, WRITE, 2);
	counts_one("pread, readv, sendfile and others", do_others, READ, 0);

	counts_one("fork", do_fork, FORK, 1);
	counts_one("vfork", do_vfork, FORK, 1);
	counts_one("clone", do_clone, FORK, 1);
	counts_one("clone as vfork", do_clone_vfork, FORK, 1);
	counts_one("clone3", do_clone3, FORK, 1);
	counts_one("clone and clone3 that fail", fail_to_fork, FORK, 2);
	counts_one("10 threads", do_threads, FORK, 0);
	counts_one("child and grandchild, 10 threads each", do_family, FORK, 2);
	counts_one("threads that fail, clone3 that cannot be read",
		   fail_to_make_threads, FORK, 0);
	counts_one("vfork and execve, which reads a file", do_exec, FORK, 1);

	test_times("at once", 0);
	test_times("read 2 seconds later", 2);
	test_no_way_back();
	test_time_namespace();
	return finish();
}
