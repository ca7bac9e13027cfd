// SPDX-License-Identifier: GPL-2.0
/*
 * What counts, and as what: each call by itself, from 64-bit programs; and the
 * time of the last one.
 */
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/io_uring.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <linux/seccomp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/syscall.h>
#include <sys/timex.h>
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

/* --- read that is interrupted, denied, or asked for by a ring ------------------ */

#define SIGNALS	10

static int pipe_fds[2];

/* Between the process that reads and the one that interrupts it. */
static struct interruption {
	bool reads;
	int handled;
} *interruption;

static void count_signal(int number)
{
	(void)number;
	__atomic_add_fetch(&interruption->handled, 1, __ATOMIC_RELAXED);
}

static bool is_asleep(int stat_fd)
{
	char text[256];
	ssize_t length = pread(stat_fd, text, sizeof(text) - 1, 0);
	const char *name_end;

	text[length > 0 ? length : 0] = '\0';
	name_end = strrchr(text, ')');
	return name_end && !strncmp(name_end, ") S", 3);
}

/*
 * Sends each signal only when the process waits in read(), so that each restarts
 * it once; then ends the read. Makes no call that counts.
 */
static void interrupt_reads(pid_t pid, int stat_fd)
{
	struct iovec vector = { &byte, 1 };

	for (;;) {
		int before;

		usleep(1000);
		if (!__atomic_load_n(&interruption->reads, __ATOMIC_ACQUIRE) || !is_asleep(stat_fd))
			continue;
		before = __atomic_load_n(&interruption->handled, __ATOMIC_RELAXED);
		if (before == SIGNALS) {
			__atomic_store_n(&interruption->reads, false, __ATOMIC_RELAXED);
			writev(pipe_fds[1], &vector, 1);
			continue;
		}
		kill(pid, SIGALRM);
		while (__atomic_load_n(&interruption->handled, __ATOMIC_RELAXED) == before)
			usleep(1000);
	}
}

/* Returns the process that interrupts; 0 if there is none. */
static pid_t start_interrupting(void)
{
	const struct sigaction restart = { .sa_handler = count_signal, .sa_flags = SA_RESTART };
	int stat_fd = open("/proc/self/stat", O_RDONLY | O_CLOEXEC);
	pid_t reader = getpid(), pid;

	interruption = mmap(NULL, sizeof(*interruption), PROT_READ | PROT_WRITE,
			    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (stat_fd < 0 || interruption == MAP_FAILED || pipe(pipe_fds) ||
	    sigaction(SIGALRM, &restart, NULL))
		return 0;
	fflush(stdout);
	pid = fork();
	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		interrupt_reads(reader, stat_fd);
	}
	close(stat_fd);
	return pid > 0 ? pid : 0;
}

static void do_interrupted_read(void)
{
	interruption->handled = 0;
	__atomic_store_n(&interruption->reads, true, __ATOMIC_RELEASE);
	syscall(SYS_read, pipe_fds[0], &byte, 1);
}

static long deny_open(void *unused)
{
	struct sock_filter steps[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_open, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EXDEV),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = { ARRAY_SIZE(steps), steps };

	(void)unused;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		return -254;
	syscall(SYS_open, "/dev/null", O_RDONLY);
	return -errno;
}

static void do_denied_open(void)
{
	in_child(deny_open, NULL);
}

/* A ring of one request; its two queues are in one mapping. */
static int ring_fd;
static unsigned int *requested, *answered, *taken;

/* Returns false, with errno, if the kernel has no such rings. */
static bool make_ring(void)
{
	struct io_uring_params params = {};
	struct io_uring_sqe *request;
	char *queues;

	ring_fd = syscall(SYS_io_uring_setup, 1, &params);
	if (ring_fd < 0)
		return false;
	queues = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd,
		      IORING_OFF_SQ_RING);
	request = mmap(NULL, sizeof(*request), PROT_READ | PROT_WRITE, MAP_SHARED, ring_fd,
		       IORING_OFF_SQES);
	if (queues == MAP_FAILED || request == MAP_FAILED)
		return false;
	*request = (struct io_uring_sqe){
		.opcode = IORING_OP_READ,
		.fd = zero_fd,
		.addr = (unsigned long)&byte,
		.len = 1,
	};
	*(unsigned int *)(queues + params.sq_off.array) = 0;
	requested = (unsigned int *)(queues + params.sq_off.tail);
	answered = (unsigned int *)(queues + params.cq_off.tail);
	taken = (unsigned int *)(queues + params.cq_off.head);
	return true;
}

static void do_ring(void)
{
	__atomic_store_n(requested, *requested + 1, __ATOMIC_RELEASE);
	syscall(SYS_io_uring_enter, ring_fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0);
	__atomic_store_n(taken, __atomic_load_n(answered, __ATOMIC_ACQUIRE), __ATOMIC_RELEASE);
}

static void test_roundabout_ways(void)
{
	const __u64 only_fork[OSLAB_USAGE_ENTRIES] = { [FORK] = 1 };
	long error = in_child(deny_open, NULL);
	pid_t interrupting = start_interrupting();

	if (interrupting) {
		counts_one("a read that 10 signals restart", do_interrupted_read, READ,
			   SIGNALS + 1);
		end_child(interrupting);
	} else {
		ok(false, "no process to interrupt a read (%s)", strerror(errno));
	}

	if (error == -254)
		skip("no seccomp filters");
	else
		counts("a child whose open seccomp denies", do_denied_open, only_fork);

	if (!make_ring()) {
		skip("no io_uring (%s)", strerror(errno));
		return;
	}
	byte = 1;
	counts_one("a read by io_uring", do_ring, READ, 0);
	ok(*taken && *taken == *requested && !byte, "which was done (%u times)", *taken);
	close(ring_fd);
}

/* --- the switch ------------------------------------------------------------- */

#define SWITCH	"/sys/module/track_syscall_usage/parameters/enabled"

static void do_one_of_each(void);

static void call_while_off(void)
{
	write_file(SWITCH, "0");	/* an open and a write, which are counted */
	do_one_of_each();
	write_file(SWITCH, "1");
}

static void test_switch(void)
{
	const __u64 before_off[OSLAB_USAGE_ENTRIES] = { [OPEN] = 1, [WRITE] = 1 };
	const __u64 all[OSLAB_USAGE_ENTRIES] = { 1, 1, 1, 1 };

	if (access(SWITCH, F_OK)) {
		ok(false, "no " SWITCH);
		return;
	}
	counts("switched off, one of each, switched on", call_while_off, before_off);
	counts("on again", do_one_of_each, all);
	ok(!write_file(SWITCH, "x") && errno == EINVAL, "the switch refuses what is no boolean");
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
	struct clone_args no_signal = { .exit_signal = 0x100 };
	struct clone_args no_tids = { .exit_signal = SIGCHLD, .set_tid_size = 1 };

	syscall(SYS_clone, CLONE_FS | CLONE_NEWNS, NULL, NULL, NULL, 0);
	syscall(SYS_clone3, &args, sizeof(args));
	syscall(SYS_clone3, &no_signal, sizeof(no_signal));
	syscall(SYS_clone3, &no_tids, sizeof(no_tids));
}

static void fail_to_make_threads(void)
{
	struct clone_args args = { .flags = CLONE_THREAD };
	struct clone_args no_signal = { .flags = CLONE_THREAD, .exit_signal = 0x100 };
	struct {
		struct clone_args known;
		__u64 newer;
	} newer = { .newer = 1 };

	syscall(SYS_clone, CLONE_THREAD, NULL, NULL, NULL, 0);
	syscall(SYS_clone3, &args, sizeof(args));
	syscall(SYS_clone3, &no_signal, sizeof(no_signal));
	/* Not known what these ask for. */
	syscall(SYS_clone3, NULL, sizeof(args));
	syscall(SYS_clone3, &args, 8);
	syscall(SYS_clone3, &newer, sizeof(newer));
	syscall(SYS_clone3, &newer, 2 * 4096);
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
 * Somebody else's calls are seen in the counts, and it is tried again. So it is
 * with a time from before: it is old where a hypervisor took the CPU away while
 * the kernel read its clock, which does not happen often. A time after the call
 * has no such reason.
 */
#define MOST_OLD	2

static void test_times(const char *when, unsigned int seconds)
{
	struct syscall_usage_user first[OSLAB_USAGE_ENTRIES], usage[OSLAB_USAGE_ENTRIES],
				  last[OSLAB_USAGE_ENTRIES];
	__u64 before[OSLAB_USAGE_ENTRIES], after[OSLAB_USAGE_ENTRIES];
	bool quiet = false, old = false;
	int i, tried, many_old = 0;

	fflush(stdout);
	for (tried = 0; tried < ATTEMPTS && (!quiet || old) && many_old <= MOST_OLD;
	     tried++) {
		if (tried)
			wait_for_rest();
		track(first, OSLAB_USAGE_ENTRIES);
		for (i = 0; i < OSLAB_USAGE_ENTRIES; i++) {
			before[i] = now_ns();
			one[i]();
			after[i] = now_ns();
		}
		track(usage, OSLAB_USAGE_ENTRIES);
		sleep(seconds);
		track(last, OSLAB_USAGE_ENTRIES);
		for (i = 0, quiet = true, old = false; i < OSLAB_USAGE_ENTRIES; i++) {
			quiet = quiet && usage[i].count == first[i].count + 1 &&
				last[i].count == usage[i].count;
			old = old || last[i].last_timestamp_ns < before[i];
		}
		many_old += old;
	}
	for (i = 0; i < OSLAB_USAGE_ENTRIES; i++) {
		__s64 from_first = last[i].last_timestamp_ns - before[i];
		__s64 to_second = after[i] - last[i].last_timestamp_ns;

		ok(from_first >= 0 && to_second >= 0,
		   "%s, %s: time is %lld ns after the clock before, %lld ns before the one after (attempt %d of %d)",
		   entry_names[i], when, (long long)from_first, (long long)to_second, tried,
		   ATTEMPTS);
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

/*
 * While CLOCK_MONOTONIC is slewed, as far as adjtimex() can: times follow it.
 * The kernel's figure goes on by the TSC between two readings, which are SPAN
 * cycles apart, or up to 0.75 ms where the clock is slow or the TSC not trusted.
 * There it may also be a tick old, as such a TSC may stop. A reading that took
 * long is taken for its end, so it is older by as long.
 */
#define NORMAL_TICK	10000	/* us */
#define SLEW		(NORMAL_TICK / 10)
#define SLEW_SECONDS	2

#define AHEAD_NS	100000

/* Not less than the kernel takes: a syscall reads the same clock. */
static __s64 reading_ns(void)
{
	__u64 start = now_ns();
	struct timespec now;
	int i;

	for (i = 0; i < 1000; i++)
		syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &now);
	return (now_ns() - start) / 1000;
}

static __s64 behind_limit_ns(void)
{
	char name[32];
	long length = read_file("/sys/devices/system/clocksource/clocksource0/current_clocksource",
				name, sizeof(name));

	return (length > 0 && (!strcmp(name, "tsc\n") || !strcmp(name, "kvm-clock\n")) ?
		AHEAD_NS : 2000000) + reading_ns();
}

/* Reads without a pause. Returns how far times were ahead of the clock, and behind. */
static void measure_error(double seconds, __s64 *ahead, __s64 *behind)
{
	__u64 first = now_ns(), before, after;

	*ahead = *behind = 0;
	do {
		struct syscall_usage_user usage[OSLAB_USAGE_ENTRIES];
		__s64 late, early;
		int i;

		for (i = 0; i < 100; i++)
			read_once();
		before = now_ns();
		read_once();
		track(usage, OSLAB_USAGE_ENTRIES);
		after = now_ns();
		early = usage[READ].last_timestamp_ns - after;
		late = before - usage[READ].last_timestamp_ns;
		*ahead = early > *ahead ? early : *ahead;
		*behind = late > *behind ? late : *behind;
	} while (after - first < seconds * NSEC_PER_SEC);
}

static bool set_tick(long tick)
{
	struct timex change = { .modes = ADJ_TICK, .tick = tick };

	return adjtimex(&change) >= 0;
}

/* An emulated CPU may stand still in the middle of it, so the best of three counts. */
static void test_slewed(const char *how, long tick)
{
	__s64 limit = behind_limit_ns(), ahead, behind, ahead_after, behind_after;
	int tried = 0;

	do {
		tried++;
		if (!set_tick(tick)) {
			skip("the clock cannot be slewed (%s)", strerror(errno));
			return;
		}
		measure_error(SLEW_SECONDS, &ahead, &behind);
		set_tick(NORMAL_TICK);
		usleep(20000);
		measure_error(0.1, &ahead_after, &behind_after);
	} while (tried < 3 && (ahead >= AHEAD_NS || behind >= limit ||
			       ahead_after >= AHEAD_NS / 10 || behind_after >= limit / 10));
	ok(ahead < AHEAD_NS && behind < limit,
	   "clock slewed to be %s: times at most %lld ns ahead, %lld ns behind (limits %d and %lld, attempt %d of 3)",
	   how, (long long)ahead, (long long)behind, AHEAD_NS, (long long)limit, tried);
	ok(ahead_after < AHEAD_NS / 10 && behind_after < limit / 10,
	   "and after it: at most %lld ns ahead, %lld ns behind", (long long)ahead_after,
	   (long long)behind_after);
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
static void test_never_backwards(void)
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
	counts_one("clone and clone3 that fail", fail_to_fork, FORK, 4);
	counts_one("10 threads", do_threads, FORK, 0);
	counts_one("child and grandchild, 10 threads each", do_family, FORK, 2);
	counts_one("threads that fail, clone3 that cannot be read",
		   fail_to_make_threads, FORK, 0);
	counts_one("vfork and execve, which reads a file", do_exec, FORK, 1);

	test_roundabout_ways();
	test_switch();

	test_times("at once", 0);
	test_times("read 2 seconds later", 2);
	test_slewed("10 % slower", NORMAL_TICK - SLEW);
	test_slewed("10 % faster", NORMAL_TICK + SLEW);
	test_never_backwards();
	test_time_namespace();
	return finish();
}
