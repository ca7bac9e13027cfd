// SPDX-License-Identifier: GPL-2.0
/*
 * Random calls of the three syscalls by an unprivileged user, from threads of
 * which others unmap, protect and map again what is written to, and with
 * processes that start and end all the time.
 *
 *   fuzz CAPTURE TRACK THROTTLE [CALLS [SEED]]
 *
 * Each result must be one that the interface knows. In memory of a thread's
 * own, filled with a canary, all is looked at: what the structure does not
 * reach is untouched, after an error too, and what was written is not the
 * kernel's memory: names are padded with zeros, and no word is an address.
 * A seed gives the same calls again; how the threads race is chance.
 */
#include <limits.h>
#include <linux/sched.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"

#define CALLERS		4
#define PAGE		4096UL
#define AREA		(4 * PAGE)	/* shared by all, and raced for */
#define DEFAULT_CALLS	200000UL

enum kind { MEMORY, USAGE, IO, KINDS };

struct caller {
	__u64 random;
	unsigned long todo;
	char *pages;				/* two of its own */
	/* What was seen. */
	unsigned long returned[KINDS][2];	/* well, with an error */
	unsigned long unknown, beyond, leaked;
	char first[160];			/* complaint */
};

static char *area;
static pid_t children[4];
static bool stop;

static bool stopped(void)
{
	return __atomic_load_n(&stop, __ATOMIC_RELAXED);
}

static __u64 next(struct caller *caller)
{
	caller->random ^= caller->random << 13;
	caller->random ^= caller->random >> 7;
	caller->random ^= caller->random << 17;
	return caller->random;
}

__printf(2, 3)
static void complain(struct caller *caller, const char *format, ...)
{
	va_list args;

	if (*caller->first)
		return;
	va_start(args, format);
	vsnprintf(caller->first, sizeof(caller->first), format, args);
	va_end(args);
}

/* --- arguments -------------------------------------------------------------- */

static int random_size(struct caller *caller)
{
	static const int sizes[] = {
		0, 1, 3, 4, 5, 16, -1, -4, INT_MIN, INT_MAX, INT_MIN + 4, 1 << 30,
	};
	__u64 random = next(caller);

	return random & 1 ? sizes[(random >> 8) % ARRAY_SIZE(sizes)] :
	       random & 2 ? 4 : (int)(random >> 32);
}

static int random_pid(struct caller *caller)
{
	__u64 random = next(caller);

	switch (random & 7) {
	case 0:
		return getpid();
	case 1:
		return syscall(SYS_gettid);
	case 2:
		return (random >> 8) % 3; /* 0, init, a kernel thread */
	case 3:
	case 4:
		return __atomic_load_n(&children[(random >> 8) % ARRAY_SIZE(children)],
				       __ATOMIC_RELAXED);
	case 5:
		return getpid() + (int)((random >> 8) % 64);
	case 6:
		return -(int)((random >> 8) % 1000);
	default:
		return random >> 32;
	}
}

/* Nobody's, the kernel's, the raced one; never one's own memory. */
static char *random_pointer(struct caller *caller)
{
	__u64 random = next(caller);

	switch (random & 7) {
	case 0:
		return (char *)(uintptr_t)((random >> 8) % PAGE);
	case 1:
		return (char *)(uintptr_t)(random >> 8 | 0xffff800000000000);
	case 2:
		return (char *)(uintptr_t)(0xffffffff80000000 + (random >> 34));
	case 3:
		return (char *)(uintptr_t)(0x7ffffffff000 + (random >> 8) % 256 - 128);
	case 4:
		return (char *)(uintptr_t)(0x800000000000 + (random >> 20));
	default:
		return area + (random >> 8) % (AREA + 2 * PAGE) - PAGE;
	}
}

/* --- what may come back -------------------------------------------------------- */

static long call(enum kind kind, char *pointer, int number)
{
	switch (kind) {
	case MEMORY:
		return capture(pointer);
	case USAGE:
		return track(pointer, number);
	default:
		return throttle(number, pointer);
	}
}

static bool is_known(enum kind kind, long returned, int number)
{
	switch (kind) {
	case MEMORY:
		return returned == 0 || returned == -EFAULT;
	case USAGE:
		return number < OSLAB_USAGE_ENTRIES ? returned == -EINVAL :
		       returned == OSLAB_USAGE_ENTRIES || returned == -EFAULT;
	default:
		return number <= 0 ? returned == -EINVAL :
		       returned == 0 || returned == -EFAULT || returned == -ESRCH ||
		       returned == -EPERM;
	}
}

static void see_result(struct caller *caller, enum kind kind, long returned, char *pointer,
		       int number)
{
	caller->returned[kind][returned < 0]++;
	if (!is_known(kind, returned, number)) {
		caller->unknown++;
		complain(caller, "kind %d, pointer %p, number %d: returned %ld", kind,
			 pointer, number, returned);
	}
}

/* Figures are far below, addresses of the kernel all above. */
static bool is_figure(__u64 word)
{
	return word < 1ULL << 56;
}

static bool is_clean(enum kind kind, const char *answer, size_t size)
{
	struct syscall_usage_user usage[OSLAB_USAGE_ENTRIES];
	__u64 words[sizeof(struct mem_snapshot) / sizeof(__u64)];
	size_t i;

	if (kind != USAGE) {
		memcpy(words, answer, size);
		for (i = 0; i < size / sizeof(words[0]); i++)
			if (!is_figure(words[i]))
				return false;
		return true;
	}
	memcpy(usage, answer, sizeof(usage));
	for (i = 0; i < OSLAB_USAGE_ENTRIES; i++)
		if (memcmp(usage[i].name, entry_names[i], OSLAB_NAME_LEN) ||
		    !is_figure(usage[i].count) || !is_figure(usage[i].last_timestamp_ns))
			return false;
	return true;
}

/* --- calls ------------------------------------------------------------------- */

/* Where others race, only the result says something. */
static void call_anywhere(struct caller *caller)
{
	enum kind kind = next(caller) % calls_there;
	int number = kind == USAGE ? random_size(caller) : random_pid(caller);
	char *pointer = random_pointer(caller);

	see_result(caller, kind, call(kind, pointer, number), pointer, number);
}

/*
 * In own memory: a page, a second one that is at times not to be written. Only
 * what lies around the structure is filled and looked at.
 */
#define AROUND	256

static void call_at_home(struct caller *caller, const char *canaries)
{
	enum kind kind = next(caller) % calls_there;
	int number = kind == USAGE ? random_size(caller) : random_pid(caller);
	bool half = next(caller) % 8 == 0; /* takes long */
	size_t size = calls[kind].size;
	size_t offset = PAGE - AROUND + next(caller) % (2 * AROUND - size);
	size_t start = PAGE - AROUND, end = half ? PAGE : PAGE + AROUND;
	size_t from = offset < end ? offset : end;
	size_t to = offset + size < end ? offset + size : end;
	char *pages = caller->pages;
	long returned;

	memset(pages + start, CANARY, end - start);
	if (half)
		mprotect(pages + PAGE, PAGE, PROT_READ);
	returned = call(kind, pages + offset, number);
	if (half)
		mprotect(pages + PAGE, PAGE, PROT_READ | PROT_WRITE);
	see_result(caller, kind, returned, pages + offset, number);

	/* Some other error than EFAULT: nothing was to be written at all. */
	if (returned < 0 && returned != -EFAULT)
		to = from;
	if (memcmp(pages + start, canaries, from - start) ||
	    memcmp(pages + to, canaries, end - to)) {
		caller->beyond++;
		complain(caller, "kind %d, page offset %zu, number %d, returned %ld: wrote beyond",
			 kind, offset, number, returned);
	}
	if (returned >= 0 && (offset + size > end || !is_clean(kind, pages + offset, size))) {
		caller->leaked++;
		complain(caller, "kind %d, number %d: an answer that is none", kind, number);
	}
}

static void *make_calls(void *argument)
{
	struct caller *caller = argument;
	char canaries[2 * AROUND];

	memset(canaries, CANARY, sizeof(canaries));
	while (caller->todo--) {
		if (next(caller) & 1)
			call_anywhere(caller);
		else
			call_at_home(caller, canaries);
	}
	return NULL;
}

/* --- those that race ------------------------------------------------------------ */

static void *race(void *argument)
{
	static const int protections[] = {
		PROT_NONE, PROT_READ, PROT_READ | PROT_WRITE, PROT_READ | PROT_WRITE,
	};
	struct caller *caller = argument;

	while (!stopped()) {
		__u64 random = next(caller);
		char *page = area + (random >> 8) % (AREA / PAGE) * PAGE;

		if (random & 1)
			mprotect(page, PAGE, protections[(random >> 4) % 4]);
		else if (random & 2)
			munmap(page, PAGE);
		else
			mmap(page, PAGE, PROT_READ | PROT_WRITE,
			     MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
		/* The callers are to get on. */
		sched_yield();
	}
	return NULL;
}

static void *idle_thread(void *unused)
{
	usleep(500);
	return unused;
}

/* Children that are there, have ended, or are waited for. */
static void *start_and_end(void *argument)
{
	struct caller *caller = argument;

	while (!stopped()) {
		__u64 random = next(caller);
		pid_t *child = &children[(random >> 8) % ARRAY_SIZE(children)];
		pid_t pid;

		if (*child) {
			kill(*child, SIGKILL);
			if (random & 1)
				usleep(random >> 8 & 127);
			waitpid(*child, NULL, 0);
		}
		pid = fork();
		if (!pid) {
			pthread_t thread;

			/* Who waits for the output would wait for it, too. */
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			pthread_create(&thread, NULL, idle_thread, NULL);
			if (random & 2)
				_exit(0);
			for (;;)
				pause();
		}
		__atomic_store_n(child, pid > 0 ? pid : 0, __ATOMIC_RELAXED);
	}
	return NULL;
}

/* -------------------------------------------------------------------------------- */

static void report(const struct caller *all)
{
	struct caller sum = {};
	int i, kind;

	for (i = 0; i < CALLERS; i++) {
		for (kind = 0; kind < KINDS; kind++) {
			sum.returned[kind][0] += all[i].returned[kind][0];
			sum.returned[kind][1] += all[i].returned[kind][1];
		}
		sum.unknown += all[i].unknown;
		sum.beyond += all[i].beyond;
		sum.leaked += all[i].leaked;
		if (*all[i].first)
			note("%s", all[i].first);
	}
	for (kind = 0; (int)kind < calls_there; kind++)
		ok(sum.returned[kind][0] && sum.returned[kind][1],
		   "%s: %lu calls succeeded, %lu did not", calls[kind].name,
		   sum.returned[kind][0], sum.returned[kind][1]);
	ok(!sum.unknown, "every result is one of the interface (%lu are not)", sum.unknown);
	ok(!sum.beyond, "nothing was written beyond the structures (%lu times)", sum.beyond);
	ok(!sum.leaked, "no answer holds what it should not (%lu do)", sum.leaked);
}

int main(int argc, char **argv)
{
	static struct caller all[CALLERS + 3];
	pthread_t threads[ARRAY_SIZE(all)];
	unsigned long total = DEFAULT_CALLS;
	__u64 seed = now_ns();
	size_t i;

	begin(argc, argv, "[CALLS [SEED]]");
	if (argc > 4)
		total = strtoul(argv[4], NULL, 0);
	if (argc > 5)
		seed = strtoull(argv[5], NULL, 0);
	note("%lu calls, seed %llu", total, seed);
	if (!getuid())
		become_nobody();
	ok(getuid(), "the caller is user %d", getuid());

	/* With a page before and one behind that nothing is mapped at. */
	area = mmap(NULL, AREA + 2 * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	area += PAGE;
	/* Before anything is unmapped: they might get a place that is raced for. */
	for (i = 0; i < CALLERS; i++)
		all[i].pages = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	for (i = 0; i < ARRAY_SIZE(all); i++) {
		void *(*work)(void *) = i < CALLERS ? make_calls : i < CALLERS + 2 ? race :
					start_and_end;

		/* Never 0, and far from each other. */
		all[i].random = (seed + i + 1) * 0x9e3779b97f4a7c15 | 1;
		all[i].todo = total / CALLERS;
		pthread_create(&threads[i], NULL, work, &all[i]);
	}
	for (i = 0; i < CALLERS; i++)
		pthread_join(threads[i], NULL);
	__atomic_store_n(&stop, true, __ATOMIC_RELAXED);
	for (; i < ARRAY_SIZE(all); i++)
		pthread_join(threads[i], NULL);
	for (i = 0; i < ARRAY_SIZE(children); i++)
		if (children[i] > 0)
			end_child(children[i]);

	report(all);
	return finish();
}
