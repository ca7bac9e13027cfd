// SPDX-License-Identifier: GPL-2.0
/*
 * The three syscalls as a caller sees them: every error code and its order,
 * what is written and what is not, and what counts. TAP on standard output.
 *
 *   oslab_abi CAPTURE TRACK THROTTLE     (their numbers)
 *
 * Needs root, /proc, a kernel with CONFIG_IA32_EMULATION for the 32-bit part
 * (skipped without), and for exact counts a machine on which nothing else runs.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* From the kernel's installed headers, or in a checkout from beside. */
#if __has_include(<linux/oslab.h>)
#include <linux/oslab.h>
#else
#include "../syscalls/oslab.h"
#endif

#define NOBODY	65534
#define CANARY	0xa5

static long nr_capture, nr_track, nr_throttle;
static int tests, failures;

__attribute__((format(printf, 2, 3)))
static void ok(bool good, const char *format, ...)
{
	va_list args;

	failures += !good;
	printf("%sok %d ", good ? "" : "not ", ++tests);
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
}

/* The result as the kernel gave it: the value, or minus the error. */
static long result(long value)
{
	return value == -1 ? -errno : value;
}

static void expect(const char *what, long expected, long actual)
{
	ok(expected == actual, "%s: expected %ld, got %ld", what, expected, actual);
}

static long capture(void *snap)
{
	return result(syscall(nr_capture, snap));
}

static long track(void *buf, long size)
{
	return result(syscall(nr_track, buf, size));
}

static long throttle(long pid, void *io)
{
	return result(syscall(nr_throttle, pid, io));
}

/* --- pointers ---------------------------------------------------------- */

static char *page;	/* writable, followed by one that is not mapped */
static size_t page_size;

static void make_pages(void)
{
	page_size = sysconf(_SC_PAGESIZE);
	page = mmap(NULL, 2 * page_size, PROT_READ | PROT_WRITE,
		    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	munmap(page + page_size, page_size);
}

static void test_pointers(const char *name, long (*call)(void *), size_t size)
{
	char text[64];
	size_t i;

	snprintf(text, sizeof(text), "%s(NULL)", name);
	expect(text, -EFAULT, call(NULL));
	snprintf(text, sizeof(text), "%s(unmapped)", name);
	expect(text, -EFAULT, call(page + page_size));
	snprintf(text, sizeof(text), "%s(kernel address)", name);
	expect(text, -EFAULT, call((void *)0xffffffff81000000UL));
	snprintf(text, sizeof(text), "%s(not canonical)", name);
	expect(text, -EFAULT, call((void *)0x8000000000000000UL));
	snprintf(text, sizeof(text), "%s(one byte short of the page)", name);
	expect(text, -EFAULT, call(page + page_size - size + 1));
	snprintf(text, sizeof(text), "%s(last bytes of the page)", name);
	ok(call(page + page_size - size) >= 0, "%s", text);

	mprotect(page, page_size, PROT_READ);
	snprintf(text, sizeof(text), "%s(read-only)", name);
	expect(text, -EFAULT, call(page));
	mprotect(page, page_size, PROT_READ | PROT_WRITE);

	memset(page, CANARY, page_size);
	call(page + 1); /* not aligned */
	for (i = size + 1; i < page_size; i++)
		if ((unsigned char)page[i] != CANARY)
			break;
	ok(i == page_size && (unsigned char)page[0] == CANARY,
	   "%s writes its %zu bytes and no others", name, size);
}

/* --- memory ------------------------------------------------------------ */

static long long meminfo(const char *key)
{
	long long value = -1;
	char line[256];
	FILE *file = fopen("/proc/meminfo", "re");

	while (file && fgets(line, sizeof(line), file))
		if (!strncmp(line, key, strlen(key)) && line[strlen(key)] == ':')
			value = atoll(line + strlen(key) + 1);
	if (file)
		fclose(file);
	return value;
}

static void test_memory(void)
{
	static const struct {
		const char *key;
		size_t offset;
		long long drift; /* KiB */
	} fields[] = {
		{ "MemTotal", offsetof(struct mem_snapshot, total_kb), 0 },
		{ "MemFree", offsetof(struct mem_snapshot, free_kb), 1024 },
		{ "MemAvailable", offsetof(struct mem_snapshot, available_kb), 1024 },
		{ "Buffers", offsetof(struct mem_snapshot, buffers_kb), 64 },
		{ "Cached", offsetof(struct mem_snapshot, cached_kb), 64 },
		{ "Shmem", offsetof(struct mem_snapshot, shmem_kb), 64 },
		{ "Slab", offsetof(struct mem_snapshot, slab_kb), 1024 },
		{ "Active", offsetof(struct mem_snapshot, active_kb), 256 },
		{ "Inactive", offsetof(struct mem_snapshot, inactive_kb), 256 },
		{ "SwapTotal", offsetof(struct mem_snapshot, swap_total_kb), 0 },
		{ "SwapFree", offsetof(struct mem_snapshot, swap_free_kb), 0 },
	};
	struct mem_snapshot snap;
	struct timespec now;
	size_t i;

	expect("capture_memory_snapshot", 0, capture(&snap));
	for (i = 0; i < sizeof(fields) / sizeof(fields[0]); i++) {
		long long want = meminfo(fields[i].key);
		long long have = *(__u64 *)((char *)&snap + fields[i].offset);

		ok(llabs(have - want) <= fields[i].drift, "%s %lld, /proc/meminfo %lld",
		   fields[i].key, have, want);
	}
	clock_gettime(CLOCK_MONOTONIC, &now);
	ok(snap.timestamp_ns && now.tv_sec * 1000000000ULL + now.tv_nsec - snap.timestamp_ns <
	   10000000000ULL, "timestamp_ns is CLOCK_MONOTONIC");
}

/* --- counting ---------------------------------------------------------- */

enum { OPEN, READ, WRITE, FORK };

static const char * const names[] = { "open", "read", "write", "fork" };

/* Calls between here and there, by difference. */
static struct syscall_usage_user before[OSLAB_USAGE_ENTRIES];

static void start_counting(void)
{
	track(before, OSLAB_USAGE_ENTRIES);
}

static void counted(const char *what, int entry, unsigned long long expected)
{
	struct syscall_usage_user now[OSLAB_USAGE_ENTRIES];
	int i;

	track(now, OSLAB_USAGE_ENTRIES);
	for (i = 0; i < OSLAB_USAGE_ENTRIES; i++) {
		unsigned long long more = now[i].count - before[i].count;
		unsigned long long want = i == entry ? expected : 0;

		if (more != want) {
			ok(false, "%s: %s counted %llu, expected %llu", what, names[i], more, want);
			return;
		}
	}
	if (expected && now[entry].last_timestamp_ns <= before[entry].last_timestamp_ns) {
		ok(false, "%s: last_timestamp_ns did not move", what);
		return;
	}
	ok(true, "%s counts %llu of %s", what, expected, names[entry]);
}

static void test_track(void)
{
	struct syscall_usage_user usage[5];
	int i;

	expect("track(size 0)", -EINVAL, track(usage, 0));
	expect("track(size 3)", -EINVAL, track(usage, 3));
	expect("track(size -1)", -EINVAL, track(usage, -1));
	expect("track(size INT_MIN)", -EINVAL, track(usage, INT_MIN));
	expect("track(NULL, size 3): size first", -EINVAL, track(NULL, 3));
	memset(usage, CANARY, sizeof(usage));
	expect("track(size 4)", 4, track(usage, 4));
	expect("track(size 5)", 4, track(usage, 5));
	expect("track(size INT_MAX)", 4, track(usage, INT_MAX));
	ok((unsigned char)usage[4].name[0] == CANARY, "a fifth entry is left alone");
	for (i = 0; i < OSLAB_USAGE_ENTRIES; i++) {
		char want[OSLAB_NAME_LEN] = "";

		strcpy(want, names[i]);
		ok(!memcmp(want, usage[i].name, sizeof(want)), "entry %d is %s, padded with 0",
		   i, want);
	}
}

static int make_process(void *unused)
{
	(void)unused;
	_exit(0);
}

static void *make_nothing(void *unused)
{
	return unused;
}

static void reap(long pid)
{
	if (!pid)
		_exit(0);
	waitpid(pid, NULL, __WALL);
}

static void test_counting(void)
{
	struct open_how how = { .flags = O_RDONLY };
	struct clone_args args = { .exit_signal = SIGCHLD };
	struct clone_args thread_args = { .flags = CLONE_THREAD };
	static char stack[65536];
	pthread_t thread;
	char byte;
	int zero, null, i;

	start_counting();
	zero = syscall(SYS_open, "/dev/zero", O_RDONLY);
	counted("open", OPEN, 1);
	start_counting();
	null = syscall(SYS_openat, AT_FDCWD, "/dev/null", O_WRONLY);
	counted("openat", OPEN, 1);
	start_counting();
	close(syscall(SYS_openat2, AT_FDCWD, "/dev/null", &how, sizeof(how)));
	counted("openat2", OPEN, 1);
	start_counting();
	close(syscall(SYS_creat, "/dev/null", 0600));
	counted("creat", OPEN, 1);
	start_counting();
	syscall(SYS_open, NULL, 0);
	syscall(SYS_openat2, AT_FDCWD, NULL, NULL, 0);
	counted("open and openat2 that fail", OPEN, 2);

	start_counting();
	for (i = 0; i < 1000; i++)
		syscall(SYS_read, zero, &byte, 1);
	counted("read", READ, 1000);
	start_counting();
	syscall(SYS_read, -1, &byte, 1);
	counted("read that fails", READ, 1);
	start_counting();
	for (i = 0; i < 1000; i++)
		syscall(SYS_write, null, &byte, 1);
	counted("write", WRITE, 1000);
	start_counting();
	for (i = 0; i < 1000; i++)
		getppid();
	counted("getppid", READ, 0);

	start_counting();
	reap(syscall(SYS_fork));
	counted("fork", FORK, 1);
	start_counting();
	reap(vfork());
	counted("vfork", FORK, 1);
	start_counting();
	reap(clone(make_process, stack + sizeof(stack), CLONE_VM | SIGCHLD, NULL));
	counted("clone", FORK, 1);
	start_counting();
	reap(syscall(SYS_clone3, &args, sizeof(args)));
	counted("clone3", FORK, 1);
	start_counting();
	pthread_create(&thread, NULL, make_nothing, NULL);
	pthread_join(thread, NULL);
	counted("a thread", FORK, 0);
	start_counting();
	syscall(SYS_clone, CLONE_THREAD, NULL, NULL, NULL, 0);
	syscall(SYS_clone3, &thread_args, sizeof(thread_args));
	syscall(SYS_clone3, NULL, sizeof(args));
	counted("threads that fail, unreadable clone3", FORK, 0);

	close(zero);
	close(null);
}

#define PROCESSES	8
#define CALLS		20000

static void test_parallel(void)
{
	pid_t pids[PROCESSES];
	sigset_t set;
	int i, n;
	char byte;

	/* The children wait for a signal, which counts as nothing. */
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	sigprocmask(SIG_BLOCK, &set, NULL);
	for (i = 0; i < PROCESSES; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			sigwaitinfo(&set, NULL);
			for (n = 0; n < CALLS; n++)
				syscall(SYS_read, -1, &byte, 1);
			_exit(0);
		}
	}
	start_counting();
	for (i = 0; i < PROCESSES; i++)
		kill(pids[i], SIGUSR1);
	for (i = 0; i < PROCESSES; i++)
		waitpid(pids[i], NULL, 0);
	counted("8 processes at once", READ, (unsigned long long)PROCESSES * CALLS);
}

/* --- 32-bit entry ------------------------------------------------------- */

static long int80(long nr, long a, long b, long c, long d, long e)
{
	long value;

	asm volatile("int $0x80" : "=a" (value)
		     : "0" (nr), "b" (a), "c" (b), "d" (c), "S" (d), "D" (e)
		     : "memory", "r8", "r9", "r10", "r11");
	return (int)value;
}

static sigjmp_buf no_int80;

static void on_segv(int signal)
{
	siglongjmp(no_int80, signal);
}

static void test_ia32(void)
{
	char *low = mmap(NULL, page_size, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	long address = (long)low;
	int fd;

	signal(SIGSEGV, on_segv);
	if (sigsetjmp(no_int80, 1)) {
		printf("ok %d # SKIP no 32-bit entry in this kernel\n", ++tests);
		return;
	}
	int80(20, 0, 0, 0, 0, 0); /* getpid */
	signal(SIGSEGV, SIG_DFL);

	strcpy(low, "/dev/zero");
	memset(low + 64, 0, sizeof(struct open_how));
	start_counting();
	fd = int80(5, address, O_RDWR, 0, 0, 0);
	counted("32-bit open", OPEN, 1);
	start_counting();
	close(int80(295, AT_FDCWD, address, O_RDONLY, 0, 0));
	counted("32-bit openat", OPEN, 1);
	start_counting();
	close(int80(437, AT_FDCWD, address, address + 64, sizeof(struct open_how), 0));
	counted("32-bit openat2", OPEN, 1);
	start_counting();
	close(int80(8, address, 0600, 0, 0, 0));
	counted("32-bit creat", OPEN, 1);
	start_counting();
	int80(3, fd, address + 64, 1, 0, 0);
	counted("32-bit read", READ, 1);
	start_counting();
	int80(4, fd, address + 64, 1, 0, 0);
	counted("32-bit write", WRITE, 1);
	start_counting();
	reap(int80(2, 0, 0, 0, 0, 0));
	counted("32-bit fork", FORK, 1);
	start_counting();
	reap(int80(120, SIGCHLD, 0, 0, 0, 0));
	counted("32-bit clone", FORK, 1);
	start_counting();
	int80(120, CLONE_THREAD, 0, 0, 0, 0); /* refused, but asks for a thread */
	counted("32-bit clone of a thread", FORK, 0);
	close(fd);
}

/* --- I/O ---------------------------------------------------------------- */

static bool same_as_proc(long pid)
{
	static const char * const keys[] = {
		"rchar", "wchar", "syscr", "syscw", "read_bytes", "write_bytes",
	};
	__u64 io[6], want[6] = {};
	char path[64], line[128];
	FILE *file;
	int i;

	snprintf(path, sizeof(path), "/proc/%ld/io", pid);
	file = fopen(path, "re");
	if (!file)
		return false;
	while (fgets(line, sizeof(line), file))
		for (i = 0; i < 6; i++)
			if (!strncmp(line, keys[i], strlen(keys[i])))
				want[i] = strtoull(strchr(line, ':') + 1, NULL, 10);
	fclose(file);
	return !throttle(pid, io) && !memcmp(io, want, sizeof(io));
}

static int done[2];

static void *write_and_end(void *fd)
{
	int i;

	for (i = 0; i < 10; i++)
		syscall(SYS_write, *(int *)fd, "12345", 5);
	return NULL;
}

static void *write_and_stay(void *fd)
{
	write_and_end(fd);
	syscall(SYS_write, done[1], "", 1);
	for (;;)
		pause();
	return NULL;
}

/* A process with a thread that wrote and ended and one that wrote and waits. */
static pid_t start_threaded(void)
{
	int null = open("/dev/null", O_WRONLY | O_CLOEXEC);
	pid_t pid = fork();
	pthread_t thread;

	if (!pid) {
		pthread_create(&thread, NULL, write_and_end, &null);
		pthread_join(thread, NULL);
		pthread_create(&thread, NULL, write_and_stay, &null);
		for (;;)
			pause();
	}
	close(null);
	return pid;
}

/* The id of the one thread that is not the first. */
static long other_thread(pid_t pid)
{
	char path[64];
	long tid;

	for (tid = pid + 1; tid < pid + 1000; tid++) {
		snprintf(path, sizeof(path), "/proc/%d/task/%ld", pid, tid);
		if (!access(path, F_OK))
			return tid;
	}
	return -1;
}

/* Calls throttle() that is nobody, and gives back its result. */
static long as_nobody(long pid, void *io)
{
	pid_t child = fork();
	int status;

	if (!child) {
		if (setresgid(NOBODY, NOBODY, NOBODY) || setresuid(NOBODY, NOBODY, NOBODY))
			_exit(255);
		_exit(-throttle(pid, io));
	}
	waitpid(child, &status, 0);
	return -WEXITSTATUS(status);
}

#define KTHREADD	2

static void test_throttle(void)
{
	struct io_stats_user io, first;
	char byte;
	pid_t pid, dead, zombie;
	int status;

	expect("throttle(pid 0)", -EINVAL, throttle(0, &io));
	expect("throttle(pid -1)", -EINVAL, throttle(-1, &io));
	expect("throttle(pid INT_MIN)", -EINVAL, throttle(INT_MIN, &io));
	expect("throttle(pid 0, NULL): pid first", -EINVAL, throttle(0, NULL));
	expect("throttle(pid INT_MAX)", -ESRCH, throttle(INT_MAX, &io));
	expect("throttle(own)", 0, throttle(getpid(), &io));

	dead = fork();
	reap(dead);
	expect("throttle(dead)", -ESRCH, throttle(dead, &io));
	expect("throttle(dead, NULL): process first", -ESRCH, throttle(dead, NULL));

	zombie = fork();
	if (!zombie)
		_exit(0);
	waitid(P_PID, zombie, NULL, WEXITED | WNOWAIT);
	expect("throttle(zombie)", 0, throttle(zombie, &io));
	ok(same_as_proc(zombie), "a zombie: as /proc/PID/io");
	waitpid(zombie, NULL, 0);

	expect("throttle(kernel thread) as root", 0, throttle(KTHREADD, &io));
	expect("throttle(kernel thread) as nobody", -EPERM,
	       as_nobody(KTHREADD, &io));
	expect("throttle(another's) as nobody", -EPERM, as_nobody(getpid(), &io));
	expect("throttle(another's, NULL) as nobody: rights first", -EPERM,
	       as_nobody(getpid(), NULL));
	expect("throttle(own, NULL)", -EFAULT, throttle(getpid(), NULL));

	if (pipe(done))
		return;
	pid = start_threaded();
	if (read(done[0], &byte, 1) != 1)
		return;
	usleep(50000);
	ok(same_as_proc(pid), "threads, one of them dead: as /proc/PID/io");
	throttle(pid, &first);
	expect("they wrote, with the byte that says so", 101, first.wchar);
	expect("in as many calls", 21, first.syscw);
	expect("throttle(id of the other thread)", 0, throttle(other_thread(pid), &io));
	ok(!memcmp(&io, &first, sizeof(io)), "a thread's id stands for its process");
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);

	/* In a new pid namespace, this process has no id; its pid 1 has. */
	pid = fork();
	if (!pid) {
		pid_t outer = getpid(), child;

		if (unshare(CLONE_NEWPID))
			_exit(77);
		child = fork();
		if (!child)
			_exit(throttle(1, &io) == 0 &&
			      throttle(outer, &io) == -ESRCH ? 0 : 1);
		waitpid(child, &status, 0);
		_exit(WEXITSTATUS(status));
	}
	waitpid(pid, &status, 0);
	if (WEXITSTATUS(status) == 77)
		printf("ok %d # SKIP no pid namespaces\n", ++tests);
	else
		ok(WEXITSTATUS(status) == 0, "ids are those of the caller's pid namespace");
}

static long call_track(void *buf)
{
	return track(buf, OSLAB_USAGE_ENTRIES);
}

static long call_throttle(void *io)
{
	return throttle(getpid(), io);
}

int main(int argc, char **argv)
{
	static char buffer[1 << 16];

	if (argc != 4) {
		fprintf(stderr, "Usage: %s CAPTURE TRACK THROTTLE\n", argv[0]);
		return 2;
	}
	nr_capture = atol(argv[1]);
	nr_track = atol(argv[2]);
	nr_throttle = atol(argv[3]);

	/* Nothing is printed, and so written, in the middle of counting. */
	setvbuf(stdout, buffer, _IOFBF, sizeof(buffer));
	printf("TAP version 13\n");
	make_pages();
	test_pointers("capture", capture, sizeof(struct mem_snapshot));
	test_pointers("track", call_track, OSLAB_USAGE_ENTRIES * sizeof(struct syscall_usage_user));
	test_pointers("throttle", call_throttle, sizeof(struct io_stats_user));
	fflush(stdout);
	test_memory();
	test_track();
	fflush(stdout);
	test_counting();
	test_parallel();
	test_ia32();
	fflush(stdout);
	test_throttle();
	printf("1..%d\n", tests);
	return failures ? 1 : 0;
}
