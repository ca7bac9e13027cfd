// SPDX-License-Identifier: GPL-2.0
/*
 * Programs of the other ABIs: i386 (-m32), by both of its entries, and x32. What
 * they call counts; the three syscalls are there for x32 and not for i386. Skipped
 * where the compiler could not make them, or the kernel does not run them.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "abi.h"
#include "lib.h"

/* Put in by the Makefile; empty if the compiler made none. */
#define PROGRAM(name)							\
	asm(".section .rodata\n"					\
	    ".globl " #name "_start, " #name "_end\n"			\
	    #name "_start:\n"						\
	    ".incbin \"" ABI_DIRECTORY "/" #name ".elf\"\n"		\
	    #name "_end:\n"						\
	    ".previous\n")

PROGRAM(i386);
PROGRAM(x32);

static const char *numbers[3];
static int program_fd;
static const char *program_mode;
static int output_fd = -1;

/* Its status, or minus the signal. */
static int run_program(void)
{
	static char * const nothing[] = { NULL };
	const char *argv[6] = { "abi", program_mode, numbers[0], numbers[1], numbers[2] };
	pid_t pid = vfork();
	int status;

	if (!pid) {
		if (output_fd >= 0)
			dup2(output_fd, 1);
		syscall(SYS_execveat, program_fd, "", argv, nothing, AT_EMPTY_PATH);
		_exit(ABI_NO_EXEC);
	}
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -WTERMSIG(status);
}

static void count_program(void)
{
	run_program();
}

static bool ask(struct abi_answer *answer)
{
	int ends[2];
	bool good;

	if (pipe(ends))
		return false;
	output_fd = ends[1];
	good = !run_program();
	output_fd = -1;
	close(ends[1]);
	good = read(ends[0], answer, sizeof(*answer)) == sizeof(*answer) && good;
	close(ends[0]);
	return good;
}

static bool untouched(const unsigned char *bytes, size_t size)
{
	while (size && bytes[size - 1] == ABI_CANARY)
		size--;
	return !size;
}

static void expect_of(const char *abi, const char *what, long expected, long actual)
{
	char text[128];

	snprintf(text, sizeof(text), "%s: %s", abi, what);
	expect(text, expected, actual);
}

static void test_absent(const char *abi, const struct abi_answer *answer)
{
	expect_of(abi, "capture", -ENOSYS, answer->capture);
	expect_of(abi, "track", -ENOSYS, answer->track);
	expect_of(abi, "throttle", -ENOSYS, answer->throttle);
	expect_of(abi, "track(size 3)", -ENOSYS, answer->bad_size);
	ok(untouched(answer->memory, sizeof(answer->memory)) &&
	   untouched(answer->usage, sizeof(answer->usage)) &&
	   untouched(answer->io, sizeof(answer->io)), "%s: nothing is written", abi);
}

static void test_present(const char *abi, const struct abi_answer *answer)
{
	struct syscall_usage_user usage[OSLAB_USAGE_ENTRIES];
	struct mem_snapshot theirs, ours;
	int i, named = 0;

	expect_of(abi, "capture", 0, answer->capture);
	expect_of(abi, "capture(unmapped)", -EFAULT, answer->bad_pointer);
	expect_of(abi, "track", OSLAB_USAGE_ENTRIES, answer->track);
	expect_of(abi, "track(size 3)", -EINVAL, answer->bad_size);

	capture(&ours);
	memcpy(&theirs, answer->memory, sizeof(theirs));
	ok(theirs.total_kb == ours.total_kb && theirs.swap_total_kb == ours.swap_total_kb &&
	   theirs.timestamp_ns < ours.timestamp_ns,
	   "%s: capture's fields are where a 64-bit program has them", abi);
	memcpy(usage, answer->usage, sizeof(usage));
	for (i = 0; i < OSLAB_USAGE_ENTRIES; i++)
		named += !memcmp(usage[i].name, entry_names[i], OSLAB_NAME_LEN) &&
			 usage[i].count && usage[i].last_timestamp_ns <= now_ns();
	ok(named == OSLAB_USAGE_ENTRIES, "%s: so are those of track (%d of %d)", abi, named,
	   OSLAB_USAGE_ENTRIES);

	expect_of(abi, "throttle(1)", throttle_off ? -ENOSYS : 0, answer->throttle);
	expect_of(abi, "throttle(-1)", throttle_off ? -ENOSYS : -EINVAL, answer->bad_pid);
	ok(untouched(answer->io, sizeof(answer->io)) == throttle_off,
	   "%s: throttle writes %s", abi, throttle_off ? "nothing" : "its figures");
}

static void test(const char *abi, const char *start, const char *end, bool present,
		 const char *ask_mode, const char *count_mode)
{
	static const __u64 expected[OSLAB_USAGE_ENTRIES] = {
		[OPEN] = ABI_OPENS, [READ] = ABI_READS, [WRITE] = ABI_WRITES,
		[FORK] = ABI_FORKS + 1,
	};
	struct abi_answer answer = {};
	int status;

	if (start == end) {
		skip("%s: the compiler makes no such programs", abi);
		return;
	}
	program_fd = memfd_create("abi", MFD_CLOEXEC);
	if (write(program_fd, start, end - start) != end - start) {
		ok(false, "%s: the program cannot be written", abi);
		return;
	}
	program_mode = count_mode;
	status = run_program();
	if (status == ABI_NO_EXEC) {
		skip("%s: this kernel runs no such programs", abi);
	} else if (status == ABI_NO_VDSO) {
		skip("%s: the kernel maps no such entry", abi);
	} else {
		char text[64];

		expect_of(abi, "a program runs to its end", 0, status);
		snprintf(text, sizeof(text), "%s: a program", abi);
		counts(text, count_program, expected);
		program_mode = ask_mode;
		if (!ask(&answer))
			ok(false, "%s: a program that asks answers", abi);
		else if (present)
			test_present(abi, &answer);
		else
			test_absent(abi, &answer);
	}
	close(program_fd);
}

int main(int argc, char **argv)
{
	static char third[16];

	begin(argc, argv, "");
	numbers[0] = argv[1];
	numbers[1] = argv[2];
	/* Without the sign that says that it is not there. */
	snprintf(third, sizeof(third), "%ld", nr_throttle);
	numbers[2] = third;

	test("i386", i386_start, i386_end, false, "ask", "count");
	test("i386 by its vDSO", i386_start, i386_end, false, "ask-vdso", "count-vdso");
	test("x32", x32_start, x32_end, true, "ask", "count");
	return finish();
}
