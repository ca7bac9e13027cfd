// SPDX-License-Identifier: GPL-2.0
/*
 * The modules loaded and unloaded many times under readers that never stop.
 * Unloads them first, and leaves them unloaded.
 *
 *   reload CAPTURE TRACK THROTTLE DIRECTORY [TIMES]
 */
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"
#include "modlib.h"

#define DEFAULT_TIMES	200
#define WARM_UP		20	/* caches of the kernel fill meanwhile */
#define LEAK_KB		512	/* a page of each load; what is smaller is looked for below */

/* Each of its own; looked at when the readers have ended. */
static struct seen {
	unsigned long whole, gone, ended_amid, torn;
	int other;		/* some error that is none of these */
} *seen;

#define MOST_READERS	(MOST_MODULES + 1)	/* one more sets the parameter */
#define PARAMETER	"/sys/module/io_throttle_mod/parameters/pid"

static bool *stop;

/*
 * Opens, reads in small pieces and in large ones, goes back and again. When
 * the module goes, reading ends: with EIO, never in the middle of a piece.
 */
static void read_file_of(int module, struct seen *mine)
{
	char text[4096];
	unsigned int round = 0;

	while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) {
		size_t piece = round++ % 3 ? sizeof(text) - 1 : 50;
		int fd = open(modules[module].path, O_RDONLY | O_CLOEXEC);
		size_t total = 0;
		long length;
		int times;

		if (fd < 0 && errno == ESRCH && module == IO_THROTTLE)
			continue;	/* the process that it shows has ended */
		if (fd < 0) {
			mine->gone++;
			if (errno != ENOENT)
				mine->other = errno;
			sched_yield();
			continue;
		}
		for (times = 0; times < 5; times++) {
			total = 0;
			lseek(fd, 0, SEEK_SET);
			do {
				length = result(read(fd, text + total,
						     total + piece < sizeof(text) ? piece :
						     sizeof(text) - 1 - total));
				total += length > 0 ? length : 0;
			} while (length > 0);
			text[total] = '\0';
			pread(fd, text + total, 1, 3);
			text[total] = '\0';
			if (length == -EIO || length == -ENODEV) {
				mine->ended_amid++;
				break;
			}
			/* The process that it shows may have ended. */
			if (length == -ESRCH && module == IO_THROTTLE)
				continue;
			if (length < 0)
				mine->other = -length;
			else if (has_shape(module, text))
				mine->whole++;
			else
				mine->torn++;
		}
		close(fd);
	}
}

/* Processes that start, are shown, and end; and in turn one that stays. */
static void set_parameter(struct seen *mine)
{
	unsigned int round = 0;

	while (!__atomic_load_n(stop, __ATOMIC_RELAXED)) {
		char number[16];
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		snprintf(number, sizeof(number), "%d", round++ % 2 ? getpid() : pid);
		if (write_file(PARAMETER, number))
			mine->whole++;
		else
			mine->gone++;
		waitpid(pid, NULL, 0);
	}
}

static long long kernel_memory_kb(void)
{
	char text[8192];
	long length;
	int fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);

	length = read(fd, text, sizeof(text) - 1);
	close(fd);
	text[length > 0 ? length : 0] = '\0';
	return value_in(text, "SUnreclaim") + value_in(text, "VmallocUsed") +
	       value_in(text, "Percpu");
}

/* --- a pid that is kept ---------------------------------------------------- */

#define PIDS_SHOWN	20
#define LIMIT_FILE	"/proc/sys/user/max_pid_namespaces"
#define LIMIT_MOST	2000
#define SETTLE_MS	30000	/* namespaces end some time after their last pid */

/*
 * A struct pid that io_throttle_mod does not give back is 200 bytes, which no
 * figure of memory shows. But it keeps the pid namespace of its process, and the
 * kernel counts those: it makes no more than the limit says. So each process
 * here has a namespace of its own, and the limit is used to count them.
 */
static pid_t start_in_namespace(void)
{
	struct clone_args args = {
		.flags = CLONE_NEWPID,
		.exit_signal = SIGCHLD,
	};
	long pid = syscall(SYS_clone3, &args, sizeof(args));

	if (!pid)
		for (;;)
			pause();
	return result(pid);
}

static bool set_limit(int limit)
{
	char text[16];

	snprintf(text, sizeof(text), "%d", limit);
	return write_file(LIMIT_FILE, text);
}

/* Those that exist: with that many as the limit the next is refused, with one more not. */
static int count_namespaces(void)
{
	int limit;

	for (limit = 0; limit < LIMIT_MOST; limit++) {
		pid_t pid;

		if (!set_limit(limit))
			return -1;
		pid = start_in_namespace();
		if (pid > 0) {
			end_child(pid);
			return limit - 1;
		}
		if (pid != -ENOSPC)
			return -1;
	}
	return -1;
}

/* The least that is seen until the time is over, or no more than wanted. */
static int least_namespaces(int wanted, int milliseconds)
{
	__u64 end = now_ns() + milliseconds * (NSEC_PER_SEC / 1000);
	int least = count_namespaces();

	while (least > wanted && now_ns() < end) {
		int now;

		usleep(200000);
		now = count_namespaces();
		least = now < least ? now : least;
	}
	return least;
}

static long open_as_nobody(void *path)
{
	become_nobody();
	return open(path, O_RDONLY | O_CLOEXEC) < 0 ? -errno : 0;
}

/*
 * Loaded with one process's pid, given another's, read, and unloaded. Also opened
 * in vain: by nobody, who may not see the process, and when that has ended.
 */
static int show_pids(void)
{
	char text[512], number[16];
	int failed = 0, n;

	for (n = 0; n < PIDS_SHOWN; n++) {
		pid_t first = start_in_namespace(), second = start_in_namespace();

		snprintf(text, sizeof(text), "pid=%d", first);
		failed += first < 0 || second < 0 || load(IO_THROTTLE, text);
		failed += read_file(modules[IO_THROTTLE].path, text, sizeof(text)) <= 0;
		snprintf(number, sizeof(number), "%d", second);
		failed += !write_file(PARAMETER, number);
		failed += read_file(modules[IO_THROTTLE].path, text, sizeof(text)) <= 0;
		failed += in_child(open_as_nobody, (void *)modules[IO_THROTTLE].path) != -EPERM;
		if (second > 0)
			end_child(second);
		failed += open(modules[IO_THROTTLE].path, O_RDONLY | O_CLOEXEC) >= 0 ||
			  errno != ESRCH;
		failed += unload(IO_THROTTLE) != 0;
		if (first > 0)
			end_child(first);
	}
	return failed;
}

static void test_no_pid_is_kept(void)
{
	char limit[32];
	int before, after, failed;

	if (read_file(LIMIT_FILE, limit, sizeof(limit)) <= 0) {
		skip("whether a pid is kept: no " LIMIT_FILE);
		return;
	}
	/* Those that earlier tests left may be about to end. */
	before = least_namespaces(0, 3000);
	if (before < 0) {
		skip("whether a pid is kept: pid namespaces cannot be counted");
		write_file(LIMIT_FILE, limit);
		return;
	}
	write_file(LIMIT_FILE, limit);
	failed = show_pids();
	after = least_namespaces(before, SETTLE_MS);
	write_file(LIMIT_FILE, limit);
	ok(!failed, "%d pids were shown, each in a pid namespace of its own (%d failed)",
	   2 * PIDS_SHOWN, failed);
	ok(after >= 0 && after <= before,
	   "none of them is kept: %d pid namespaces before, %d after", before, after);
}

/* KASAN frees memory later: what it holds back grows, to a part of all memory. */
static bool has_kasan(void)
{
	FILE *file = fopen("/proc/kallsyms", "re");
	bool found = false;
	char line[512];

	while (file && !found && fgets(line, sizeof(line), file))
		found = strstr(line, " kasan_report");
	if (file)
		fclose(file);
	return found;
}

static void report(int times, int failed, long long leaked)
{
	struct seen sum = {};
	int built = 0, i;

	for (i = 0; i < module_count; i++) {
		if (!is_built(i))
			continue;
		built++;
		sum.torn += seen[i].torn;
		sum.other = seen[i].other ? seen[i].other : sum.other;
		ok(seen[i].whole && seen[i].gone,
		   "%s was read %lu times whole; %lu times it was not there, %lu times it went",
		   modules[i].path, seen[i].whole, seen[i].gone, seen[i].ended_amid);
	}
	ok(!failed, "%d times loaded and unloaded, all %d (%d failed)", times, built, failed);
	ok(!sum.torn, "no text was torn (%lu were)", sum.torn);
	ok(!sum.other, "no error but those of a file that goes (%s)",
	   sum.other ? strerror(sum.other) : "none");
	if (is_built(IO_THROTTLE))
		ok(seen[module_count].whole,
		   "the parameter was set %lu times, %lu times not there",
		   seen[module_count].whole, seen[module_count].gone);
	if (times < DEFAULT_TIMES)
		skip("whether memory leaks: %d loads are too few, it takes %d", times,
		     DEFAULT_TIMES);
	else if (has_kasan())
		skip("whether memory leaks: KASAN keeps what is freed; kmemleak looks there");
	else
		ok(leaked < LEAK_KB, "the kernel's memory grew by %lld KiB after the first %d",
		   leaked, WARM_UP);
}

int main(int argc, char **argv)
{
	int times = DEFAULT_TIMES, failed = 0, i, n;
	pid_t readers[MOST_READERS];
	long long before = 0;

	begin(argc, argv, "DIRECTORY [TIMES]");
	find_modules(argc > 4 ? argv[4] : ".");
	if (argc > 5)
		times = atoi(argv[5]);
	unload_all();
	seen = mmap(NULL, MOST_READERS * sizeof(*seen) + sizeof(*stop), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	stop = (bool *)(seen + MOST_READERS);
	for (i = 0; i <= module_count; i++) {
		readers[i] = fork();
		if (!readers[i]) {
			if (i < module_count)
				read_file_of(i, &seen[i]);
			else
				set_parameter(&seen[i]);
			_exit(0);
		}
	}

	/* Else it would wait for the readers most of the time. */
	setpriority(PRIO_PROCESS, 0, -20);
	for (n = 0; n < times; n++) {
		char parameter[32];
		pid_t pid = fork();

		if (!pid)
			_exit(0);
		if (n == WARM_UP)
			before = kernel_memory_kb();
		if (n && n % 50 == 0)
			note("%d times", n);
		snprintf(parameter, sizeof(parameter), "pid=%d", pid);
		for (i = 0; i < module_count; i++)
			if (is_built(i))
				failed += load(i, i == IO_THROTTLE ? parameter : "") != 0;
		waitpid(pid, NULL, 0);
		usleep(n % 5 * 1000);
		for (i = 0; i < module_count; i++)
			if (is_built(i))
				failed += unload(i) != 0;
	}
	__atomic_store_n(stop, true, __ATOMIC_RELAXED);
	for (i = 0; i <= module_count; i++)
		waitpid(readers[i], NULL, 0);
	report(times, failed, times > WARM_UP ? kernel_memory_kb() - before : 0);
	unload_all();
	if (!skip_without_throttle())
		test_no_pid_is_kept();
	return finish();
}
