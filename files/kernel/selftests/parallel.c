// SPDX-License-Identifier: GPL-2.0
/*
 * Exact counts on all CPUs at once: N processes that make M calls each add
 * N * M, also while CPUs go offline and come back.
 */
#include <fcntl.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"

#define PROCESSES	8
#define ROUNDS		2000	/* of each process; each is one open, read, write */
#define FORK_EVERY	50	/* rounds */
#define TURNS_MIN	4	/* of CPUs, for the test to mean anything */

static int processes = PROCESSES;
static int rounds = ROUNDS;
static int null_fd;
static int cpus;	/* online; asking opens and reads a file */

static void calls_of_one(void)
{
	char byte;
	int i;

	for (i = 0; i < rounds; i++) {
		close(syscall(SYS_open, "/dev/null", O_RDONLY));
		syscall(SYS_read, -1, &byte, 1);
		syscall(SYS_write, null_fd, &byte, 1);
		if (i % FORK_EVERY == 0)
			reap(syscall(SYS_fork));
	}
}

static const __u64 *expected_of(int workers, int forks)
{
	static __u64 expected[OSLAB_USAGE_ENTRIES];

	expected[OPEN] = (__u64)workers * rounds;
	expected[READ] = (__u64)workers * rounds;
	expected[WRITE] = (__u64)workers * rounds;
	expected[FORK] = (__u64)workers * rounds / FORK_EVERY + forks;
	return expected;
}

static void in_processes(void)
{
	pid_t pids[PROCESSES];
	int i;

	for (i = 0; i < processes; i++) {
		pids[i] = fork();
		if (!pids[i]) {
			calls_of_one();
			_exit(0);
		}
	}
	for (i = 0; i < processes; i++)
		waitpid(pids[i], NULL, 0);
}

static void *thread(void *unused)
{
	calls_of_one();
	return unused;
}

static void in_threads(void)
{
	pthread_t threads[PROCESSES];
	int i;

	for (i = 0; i < processes; i++)
		pthread_create(&threads[i], NULL, thread, NULL);
	for (i = 0; i < processes; i++)
		pthread_join(threads[i], NULL);
}

/* Each sends itself to another CPU all the time. */
static void wandering(void)
{
	int i;

	for (i = 0; i < processes; i++) {
		if (!fork()) {
			int all = rounds, n;

			rounds = FORK_EVERY;
			for (n = 0; n < all / rounds; n++) {
				cpu_set_t set;

				CPU_ZERO(&set);
				CPU_SET((i + n) % cpus, &set);
				sched_setaffinity(0, sizeof(set), &set);
				calls_of_one();
			}
			_exit(0);
		}
	}
	for (i = 0; i < processes; i++)
		wait(NULL);
}

/* --- CPUs that come and go ------------------------------------------------ */

static int cpu_fds[64];
static int movable;

static void find_cpus(void)
{
	long all = sysconf(_SC_NPROCESSORS_CONF), cpu;
	char path[80];

	for (cpu = 0; cpu < all && movable < (int)ARRAY_SIZE(cpu_fds); cpu++) {
		snprintf(path, sizeof(path), "/sys/devices/system/cpu/cpu%ld/online", cpu);
		cpu_fds[movable] = open(path, O_RDWR | O_CLOEXEC);
		if (cpu_fds[movable] >= 0)
			movable++;
	}
}

static struct shared {
	bool stop;
	int turns;
} *shared;

/* pwrite() is counted as nothing. Returns whether the CPU went. */
static bool set_cpu(int fd, const char *online)
{
	int tries;

	for (tries = 0; tries < 1000; tries++) {
		if (pwrite(fd, online, 1, 0) == 1)
			return true;
		if (errno != EBUSY)
			return false;
		usleep(1000);
	}
	return false;
}

static void turn_cpus(void)
{
	int i = 0;

	while (!__atomic_load_n(&shared->stop, __ATOMIC_RELAXED)) {
		shared->turns += set_cpu(cpu_fds[i], "0");
		set_cpu(cpu_fds[i], "1");
		i = (i + 1) % movable;
	}
}

static void with_turning_cpus(void)
{
	pid_t turner;

	shared->stop = false;
	shared->turns = 0;
	turner = fork();
	if (!turner) {
		turn_cpus();
		_exit(0);
	}
	in_processes();
	__atomic_store_n(&shared->stop, true, __ATOMIC_RELAXED);
	waitpid(turner, NULL, 0);
}

static void test_hotplug(void)
{
	struct syscall_usage_user all[OSLAB_USAGE_ENTRIES], fewer[OSLAB_USAGE_ENTRIES];
	int i, kept = 0, offline = 0;

	find_cpus();
	if (!movable) {
		skip("no CPU can go offline here");
		return;
	}
	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	/* A turn takes longer than the rounds of before. */
	rounds *= 2;
	counts("8 processes while CPUs go offline and online", with_turning_cpus,
	       expected_of(processes, processes + 1));
	ok(shared->turns >= TURNS_MIN, "CPUs went offline and online %d times meanwhile",
	   shared->turns);

	/* What a CPU has counted stays when it goes. */
	track(all, OSLAB_USAGE_ENTRIES);
	for (i = 0; i < movable; i++)
		offline += set_cpu(cpu_fds[i], "0");
	track(fewer, OSLAB_USAGE_ENTRIES);
	for (i = 0; i < movable; i++)
		set_cpu(cpu_fds[i], "1");
	for (i = 0; i < OSLAB_USAGE_ENTRIES; i++)
		kept += fewer[i].count >= all[i].count;
	ok(kept == OSLAB_USAGE_ENTRIES && offline == movable,
	   "with %d of %d CPUs offline nothing is lost", offline, movable);
}

int main(int argc, char **argv)
{
	begin(argc, argv, "");
	null_fd = open("/dev/null", O_WRONLY | O_CLOEXEC);
	cpus = sysconf(_SC_NPROCESSORS_ONLN);
	note("%d CPUs", cpus);

	counts("8 processes at once", in_processes, expected_of(processes, processes));
	counts("8 threads at once", in_threads, expected_of(processes, 0));
	counts("8 processes that change the CPU", wandering,
	       expected_of(processes, processes));
	test_hotplug();
	return finish();
}
