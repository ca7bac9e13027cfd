// SPDX-License-Identifier: GPL-2.0
/*
 * Each figure of capture_memory_snapshot() against the field of /proc/meminfo
 * that it is named after, read before and after: at rest, with memory of each
 * kind taken and given back, while it comes and goes, with swap and without.
 *
 * A figure is right where it lies between the two readings. A figure that is
 * off by a page for another reason shows at rest, where both are the same: there
 * 95 of 100 rounds have to agree, and all of them for sizes that are fixed.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/swap.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"

#define MIB		(1024UL * 1024)
#define SIZE		(24 * MIB)
#define ROUNDS		100
#define AT_REST		95	/* of 100 rounds, with nothing that changes memory */
#define CHANGING	90	/* while something does, or may still write */
#define SWAP_SIZE	(60 * MIB)	/* less than half of it is used */

enum {
	TOTAL, FREE, AVAILABLE, BUFFERS, CACHED, SHMEM, SLAB, ACTIVE, INACTIVE,
	SWAP_TOTAL, SWAP_FREE, FIELDS
};

static const char * const keys[FIELDS] = {
	"MemTotal", "MemFree", "MemAvailable", "Buffers", "Cached", "Shmem", "Slab",
	"Active", "Inactive", "SwapTotal", "SwapFree",
};

struct figures {
	long long kb[FIELDS];
};

static int meminfo_fd;

static void read_meminfo(struct figures *figures)
{
	char text[8192];
	long length = pread(meminfo_fd, text, sizeof(text) - 1, 0);
	int i;

	text[length > 0 ? length : 0] = '\0';
	for (i = 0; i < FIELDS; i++)
		figures->kb[i] = value_in(text, keys[i]);
}

static void read_snapshot(struct figures *figures)
{
	struct mem_snapshot snap;

	memset(&snap, CANARY, sizeof(snap));
	capture(&snap);
	*figures = (struct figures){ {
		snap.total_kb, snap.free_kb, snap.available_kb, snap.buffers_kb,
		snap.cached_kb, snap.shmem_kb, snap.slab_kb, snap.active_kb,
		snap.inactive_kb, snap.swap_total_kb, snap.swap_free_kb,
	} };
}

static bool between(long long value, long long one, long long other)
{
	return one < other ? one <= value && value <= other :
			     other <= value && value <= one;
}

/* What nothing but hotplug and swapon() changes: both readings are the same, always. */
static bool is_fixed(int field)
{
	return field == TOTAL || field == SWAP_TOTAL;
}

/*
 * Now and then a figure goes up and comes back between the readings: then it is
 * off, in one round. At rest that is rare, and a figure that is made wrongly is
 * wrong in most rounds; so few may disagree. Sizes that are fixed never may.
 */
static void compare_often(const char *when, int rounds, int percent)
{
	long long low[FIELDS], high[FIELDS], worst[FIELDS] = {};
	struct figures before, snap, after;
	int right[FIELDS] = {};
	int i, n;

	for (n = 0; n < rounds; n++) {
		read_meminfo(&before);
		read_snapshot(&snap);
		read_meminfo(&after);
		for (i = 0; i < FIELDS; i++) {
			long long value = snap.kb[i];

			if (!n || value < low[i])
				low[i] = value;
			if (!n || value > high[i])
				high[i] = value;
			if (between(value, before.kb[i], after.kb[i])) {
				right[i]++;
			} else {
				long long off = llabs(value - before.kb[i]);

				worst[i] = off > worst[i] ? off : worst[i];
			}
		}
	}
	for (i = 0; i < FIELDS; i++) {
		int needed = is_fixed(i) ? rounds : rounds * percent / 100;

		ok(right[i] >= needed,
		   "%s: %s %lld to %lld KiB, as /proc/meminfo in %d of %d, %d needed (else off by %lld)",
		   when, keys[i], low[i], high[i], right[i], rounds, needed, worst[i]);
	}
}

static void compare(const char *when)
{
	wait_for_rest();
	compare_often(when, ROUNDS, AT_REST);
}

/* Pages of swap are written, and slabs given back, some time later. */
static void compare_changing(const char *when)
{
	compare_often(when, ROUNDS, CHANGING);
}

/* What a figure of the snapshot did while something was done to memory. */
static struct figures reference;

static void start_change(void)
{
	read_snapshot(&reference);
}

static void changed(const char *what, int field, long long at_least_kb)
{
	struct figures now;
	long long change;

	read_snapshot(&now);
	change = now.kb[field] - reference.kb[field];
	ok(at_least_kb < 0 ? change <= at_least_kb : change >= at_least_kb,
	   "%s: %s by %+lld KiB", what, keys[field], change);
}

static void in_use_changed(const char *what, long long at_least_kb)
{
	struct figures now;
	long long change;

	read_snapshot(&now);
	change = now.kb[ACTIVE] + now.kb[INACTIVE] -
		 reference.kb[ACTIVE] - reference.kb[INACTIVE];
	ok(at_least_kb < 0 ? change <= at_least_kb : change >= at_least_kb,
	   "%s: Active and Inactive by %+lld KiB", what, change);
}

/* --- kinds of memory ------------------------------------------------------ */

#define MOST	((long long)(SIZE / 1024 * 9 / 10))

static void test_anonymous(void)
{
	char *memory;

	start_change();
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	/* Not MemFree: the lists of each CPU can take and give that much. */
	in_use_changed("24 MiB of memory taken", MOST);
	compare("with 24 MiB taken");
	start_change();
	munmap(memory, SIZE);
	in_use_changed("given back", -MOST);
	compare_changing("given back");
}

static void test_shared(void)
{
	char *memory;

	start_change();
	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		      MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	changed("24 MiB of shared memory taken", SHMEM, MOST);
	changed("which is in files", CACHED, MOST);
	compare("with 24 MiB shared");
	munmap(memory, SIZE);
}

static void test_slab(void)
{
	static int pipes[400][2];
	size_t i;

	start_change();
	for (i = 0; i < ARRAY_SIZE(pipes); i++)
		if (pipe(pipes[i]))
			break;
	changed("800 open files", SLAB, 100);
	compare("with 800 open files");
	while (i--) {
		close(pipes[i][0]);
		close(pipes[i][1]);
	}
}

/* --- memory that comes and goes ------------------------------------------- */

/* Grows page by page and is given back at once, most of the time growing. */
static void come_and_go(void)
{
	for (;;) {
		char *memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
				    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		size_t at;

		madvise(memory, SIZE, MADV_NOHUGEPAGE);
		for (at = 0; at < SIZE; at += 4096)
			memory[at] = 1;
		munmap(memory, SIZE);
	}
}

static void test_coming_and_going(void)
{
	pid_t pid = fork();

	if (!pid)
		come_and_go();
	compare_often("while memory comes and goes", 20 * ROUNDS, CHANGING);
	end_child(pid);
}

/* --- swap ------------------------------------------------------------------ */

#define SWAP_FILE	"oslab-selftest.swap"
#define SWAP_DISK	"/dev/ram0"

static bool make_swap(const char *path, int flags)
{
	static char page[4096];
	size_t pages = SWAP_SIZE / sizeof(page), i;
	int fd = open(path, flags | O_RDWR | O_CLOEXEC, 0600);

	if (fd < 0)
		return false;
	memset(page, 0, sizeof(page));
	for (i = 1; i < pages; i++)
		if (pwrite(fd, page, sizeof(page), i * sizeof(page)) != sizeof(page))
			break;
	/* Version 1, its last page; no bad ones. */
	*(__u32 *)(page + 1024) = 1;
	*(__u32 *)(page + 1028) = i - 1;
	memcpy(page + sizeof(page) - 10, "SWAPSPACE2", 10);
	if (pwrite(fd, page, sizeof(page), 0) != sizeof(page) || fsync(fd)) {
		close(fd);
		return false;
	}
	close(fd);
	return i > 256;
}

/* In a file where files can hold swap, else on a RAM disk if there is one. */
static const char *start_swap(const char *directory)
{
	static char file[256];
	int error;

	snprintf(file, sizeof(file), "%s/" SWAP_FILE, directory);
	if (make_swap(file, O_CREAT | O_TRUNC) && !swapon(file, 0))
		return file;
	error = errno;
	unlink(file);
	if (make_swap(SWAP_DISK, 0) && !swapon(SWAP_DISK, 0))
		return SWAP_DISK;
	skip("no swap: %s in %s (%s) and none on %s (%s)", SWAP_FILE, directory,
	     strerror(error), SWAP_DISK, strerror(errno));
	return NULL;
}

/* What a child has in swap too stays there when it is read: it is in both. */
static void read_back(const char *memory)
{
	pid_t pid = start_idle();
	char text[8192];
	size_t at, sum = 0;

	for (at = 0; at < SIZE; at += 4096)
		sum += memory[at];
	ok(sum == SIZE / 4096, "memory read from swap is what it was");
	text[pread(meminfo_fd, text, sizeof(text) - 1, 0)] = '\0';
	note("SwapCached is %lld KiB", value_in(text, "SwapCached"));
	compare_changing("with memory in swap and read");
	end_child(pid);
}

static void test_swap(const char *directory)
{
	const char *swap;
	char *memory;

	start_change();
	swap = start_swap(directory);
	if (!swap)
		return;
	note("swap is on %s", swap);
	changed("swap on", SWAP_TOTAL, SWAP_SIZE / 1024 / 2);
	changed("swap on", SWAP_FREE, SWAP_SIZE / 1024 / 2);
	compare("with swap");

	memory = mmap(NULL, SIZE, PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	madvise(memory, SIZE, MADV_NOHUGEPAGE);
	memset(memory, 1, SIZE);
	start_change();
	if (madvise(memory, SIZE, MADV_PAGEOUT)) {
		skip("memory cannot be sent to swap");
	} else {
		changed("memory sent to swap", SWAP_FREE, -1024);
		compare_changing("with memory in swap");
		read_back(memory);
		memset(memory, 2, SIZE);
		compare_changing("with memory written again");
	}
	munmap(memory, SIZE);

	start_change();
	expect("swap off", 0, result(swapoff(swap)));
	changed("swap off", SWAP_TOTAL, -(long long)SWAP_SIZE / 1024 / 2);
	compare("without swap");
	if (strcmp(swap, SWAP_DISK))
		unlink(swap);
}

static void test_time(void)
{
	struct mem_snapshot first, second;
	__u64 before = now_ns(), after;

	capture(&first);
	capture(&second);
	after = now_ns();
	ok(before <= first.timestamp_ns && first.timestamp_ns <= second.timestamp_ns &&
	   second.timestamp_ns <= after,
	   "timestamp_ns lies between readings of CLOCK_MONOTONIC around it");
}

int main(int argc, char **argv)
{
	begin(argc, argv, "[DIRECTORY]");
	meminfo_fd = open("/proc/meminfo", O_RDONLY | O_CLOEXEC);
	test_time();
	compare("at rest");
	test_anonymous();
	test_shared();
	test_slab();
	test_coming_and_going();
	test_swap(argc > 4 ? argv[4] : "/var/tmp");
	return finish();
}
