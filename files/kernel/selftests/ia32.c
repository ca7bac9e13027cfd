// SPDX-License-Identifier: GPL-2.0
/*
 * A caller by the 32-bit entry counts like any other, with the numbers and
 * the pointers of i386. Skipped where the kernel has no such entry.
 */
#include <fcntl.h>
#include <linux/openat2.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "lib.h"

/* Their numbers there. */
enum {
	I386_FORK = 2, I386_READ = 3, I386_WRITE = 4, I386_OPEN = 5, I386_CREAT = 8,
	I386_GETPID = 20, I386_CLONE = 120, I386_PREAD64 = 180, I386_VFORK = 190,
	I386_OPENAT = 295, I386_CLONE3 = 435, I386_OPENAT2 = 437,
};

static long int80(long nr, long a, long b, long c, long d)
{
	long value;

	asm volatile("int $0x80" : "=a" (value)
		     : "0" (nr), "b" (a), "c" (b), "d" (c), "S" (d), "D" (0)
		     : "memory", "r8", "r9", "r10", "r11");
	return (int)value;
}

/* The child ends before it could run on in its parent's frame. */
static long int80_vfork(void)
{
	long value;

	asm volatile("int $0x80\n\t"
		     "testl %%eax, %%eax\n\t"
		     "jnz 1f\n\t"
		     "movl $1, %%eax\n\t"	/* exit */
		     "xorl %%ebx, %%ebx\n\t"
		     "int $0x80\n"
		     "1:" : "=a" (value)
		     : "0" (I386_VFORK)
		     : "memory", "rbx", "r8", "r9", "r10", "r11", "cc");
	return (int)value;
}

#define AREA	4096

/* Below 4 GiB, where 32-bit pointers reach. */
static struct low {
	char path[64];
	struct open_how how;
	struct clone_args args, thread_args;
	char byte;
	char answer[512];
} *low;

static int zero_fd, fd;

static long at(const void *pointer)
{
	return (long)pointer;
}

static void do_open(void)
{
	close(int80(I386_OPEN, at(low->path), O_RDWR, 0, 0));
}

static void do_openat(void)
{
	close(int80(I386_OPENAT, AT_FDCWD, at(low->path), O_RDWR, 0));
}

static void do_openat2(void)
{
	close(int80(I386_OPENAT2, AT_FDCWD, at(low->path), at(&low->how),
		    sizeof(low->how)));
}

static void do_creat(void)
{
	close(int80(I386_CREAT, at(low->path), 0600, 0, 0));
}

static void fail_to_open(void)
{
	int80(I386_OPEN, 0, O_RDONLY, 0, 0);
	int80(I386_OPENAT, AT_FDCWD, 0, O_RDONLY, 0);
	int80(I386_OPENAT2, AT_FDCWD, at(low->path), 0, 0);
	int80(I386_CREAT, 0, 0, 0, 0);
}

static void do_read(void)
{
	int80(I386_READ, fd, at(&low->byte), 1, 0);
}

static void do_write(void)
{
	int80(I386_WRITE, fd, at(&low->byte), 1, 0);
}

static void do_pread(void)
{
	int80(I386_PREAD64, fd, at(&low->byte), 1, 0);
}

static void do_fork(void)
{
	reap(int80(I386_FORK, 0, 0, 0, 0));
}

static void do_vfork(void)
{
	reap(int80_vfork());
}

static void do_clone(void)
{
	reap(int80(I386_CLONE, SIGCHLD, 0, 0, 0));
}

static void do_clone3(void)
{
	reap(int80(I386_CLONE3, at(&low->args), sizeof(low->args), 0, 0));
}

/* Refused, but they ask for a thread. */
static void fail_to_make_threads(void)
{
	int80(I386_CLONE, CLONE_THREAD, 0, 0, 0);
	int80(I386_CLONE3, at(&low->thread_args), sizeof(low->thread_args), 0, 0);
}

static long has_entry(void *unused)
{
	(void)unused;
	return int80(I386_GETPID, 0, 0, 0, 0) == getpid() ? 0 : -1;
}

/* The three are in the table of 64-bit programs only. */
static void test_not_there(const char *name, long number, long first, long second)
{
	char text[64];
	size_t i;

	memset(low->answer, CANARY, sizeof(low->answer));
	snprintf(text, sizeof(text), "%s by the 32-bit entry", name);
	expect(text, -ENOSYS, int80(number, first, second, 0, 0));
	for (i = 0; i < sizeof(low->answer); i++)
		if ((unsigned char)low->answer[i] != CANARY)
			break;
	ok(i == sizeof(low->answer), "%s writes nothing", text);
}

int main(int argc, char **argv)
{
	begin(argc, argv, "");
	if (in_child(has_entry, NULL)) {
		skip("no 32-bit entry in this kernel");
		return finish();
	}

	low = mmap(NULL, AREA, PROT_READ | PROT_WRITE,
		   MAP_PRIVATE | MAP_ANONYMOUS | MAP_32BIT, -1, 0);
	*low = (struct low){
		.path = "/dev/zero",
		.args.exit_signal = SIGCHLD,
		.thread_args.flags = CLONE_THREAD,
	};
	zero_fd = open("/dev/zero", O_RDWR | O_CLOEXEC);
	fd = zero_fd;

	counts_one("32-bit open", do_open, OPEN, 1);
	counts_one("32-bit openat", do_openat, OPEN, 1);
	counts_one("32-bit openat2", do_openat2, OPEN, 1);
	counts_one("32-bit creat", do_creat, OPEN, 1);
	counts_one("32-bit opens that fail", fail_to_open, OPEN, 4);
	counts_one("32-bit read", do_read, READ, 1);
	counts_one("32-bit write", do_write, WRITE, 1);
	counts_one("32-bit pread", do_pread, READ, 0);
	counts_one("32-bit fork", do_fork, FORK, 1);
	counts_one("32-bit vfork", do_vfork, FORK, 1);
	counts_one("32-bit clone", do_clone, FORK, 1);
	counts_one("32-bit clone3", do_clone3, FORK, 1);
	counts_one("32-bit clone and clone3 of a thread", fail_to_make_threads, FORK, 0);
	fd = -1;
	counts_one("32-bit read that fails", do_read, READ, 1);
	counts_one("32-bit write that fails", do_write, WRITE, 1);

	test_not_there("capture", nr_capture, at(low->answer), 0);
	test_not_there("track", nr_track, at(low->answer), OSLAB_USAGE_ENTRIES);
	test_not_there("throttle", nr_throttle, getpid(), at(low->answer));
	return finish();
}
