// SPDX-License-Identifier: GPL-2.0
/*
 * A program of another ABI of x86-64, for abis.c: compiled with -m32 or -mx32,
 * without any library or header of that ABI.
 *
 *   abi ask|count|ask-vdso|count-vdso CAPTURE TRACK THROTTLE
 *
 * ask    calls the three syscalls; writes a struct abi_answer to standard output
 * count  3 opens, 5 reads, 7 writes, 2 forks
 * -vdso  by the entry that the kernel maps (i386); ends with ABI_NO_VDSO without
 */
#include "abi.h"

#ifdef __x86_64__

/* Only one of the two is of this ABI. */
#define NR(x32, i386)	((x32) | 0x40000000 | 0 * (i386))

asm("\t.globl _start\n"
	"_start:\n\t"
	"xorl %ebp, %ebp\n\t"
	"movl %esp, %edi\n\t"
	"andl $-16, %esp\n\t"
	"call run\n");

static int by_vdso(unsigned int entry)
{
	(void)entry;
	return 0;
}

static long make_call(long nr, long a, long b, long c)
{
	register long r10 asm("r10") = 0;
	register long r8 asm("r8") = 0;
	register long r9 asm("r9") = 0;
	long value;

	asm volatile("syscall"
		     : "=a" (value)
		     : "0" (nr), "D" (a), "S" (b), "d" (c), "r" (r10), "r" (r8), "r" (r9)
		     : "rcx", "r11", "memory");
	return value;
}

#else

#define NR(x32, i386)	((i386) | 0 * (x32))

asm("\t.globl _start\n"
	"_start:\n\t"
	"xorl %ebp, %ebp\n\t"
	"movl %esp, %eax\n\t"
	"andl $-16, %esp\n\t"
	"subl $12, %esp\n\t"
	"pushl %eax\n\t"
	"call run\n");

static unsigned int vdso;

static int by_vdso(unsigned int entry)
{
	vdso = entry;
	return entry != 0;
}

static long make_call(long nr, long a, long b, long c)
{
	long value;

	if (vdso)
		asm volatile("call *%[vdso]"
			     : "=a" (value)
			     : "0" (nr), "b" (a), "c" (b), "d" (c), "S" (0), "D" (0),
			       [vdso] "m" (vdso)
			     : "memory", "cc");
	else
		asm volatile("int $0x80"
			     : "=a" (value)
			     : "0" (nr), "b" (a), "c" (b), "d" (c), "S" (0), "D" (0)
			     : "memory");
	return value;
}

#endif

enum {
	READ = NR(0, 3), WRITE = NR(1, 4), OPEN = NR(2, 5), CLOSE = NR(3, 6),
	FORK = NR(57, 2), EXIT = NR(60, 1), WAIT = NR(61, 7),
};

#define AT_SYSINFO	32

static long number(const char *text)
{
	long value = 0;

	while (*text)
		value = value * 10 + *text++ - '0';
	return value;
}

static long to_call(const char *text)
{
	return NR(number(text), number(text));
}

static long at(const void *pointer)
{
	return (unsigned long)pointer;
}

static struct abi_answer answer;

static void ask(char **numbers)
{
	unsigned char *bytes = (void *)&answer;
	long capture = to_call(numbers[0]), track = to_call(numbers[1]);
	long throttle = to_call(numbers[2]);
	unsigned int i;

	for (i = 0; i < sizeof(answer); i++) {
		bytes[i] = ABI_CANARY;
		asm("" : : : "memory");	/* else it becomes a call of memset() */
	}
	answer.bad_pointer = make_call(capture, -16, 0, 0);
	answer.bad_size = make_call(track, at(answer.usage), ABI_ENTRIES - 1, 0);
	answer.bad_pid = make_call(throttle, -1, at(answer.io), 0);
	answer.capture = make_call(capture, at(answer.memory), 0, 0);
	answer.track = make_call(track, at(answer.usage), ABI_ENTRIES, 0);
	answer.throttle = make_call(throttle, ABI_PID, at(answer.io), 0);
	make_call(WRITE, 1, at(&answer), sizeof(answer));
}

static void count(void)
{
	int i;

	for (i = 0; i < ABI_OPENS; i++)
		make_call(CLOSE, make_call(OPEN, at("/dev/null"), 0, 0), 0, 0);
	for (i = 0; i < ABI_READS; i++)
		make_call(READ, -1, 0, 0);
	for (i = 0; i < ABI_WRITES; i++)
		make_call(WRITE, -1, 0, 0);
	for (i = 0; i < ABI_FORKS; i++) {
		long pid = make_call(FORK, 0, 0, 0);

		if (!pid)
			make_call(EXIT, 0, 0, 0);
		make_call(WAIT, pid, 0, 0);
	}
}

/* From the stack: argc, argv, NULL, the environment, NULL, pairs of the kernel's. */
void run(unsigned int *stack)
{
	char **argv = (char **)(stack + 1);
	unsigned int *pair = stack + 1 + stack[0] + 1;
	unsigned int entry = 0;

	while (*pair)
		pair++;
	for (pair++; *pair; pair += 2)
		if (*pair == AT_SYSINFO)
			entry = pair[1];

	/* "ask-vdso", "count-vdso": the last letter tells them. */
	if ((argv[1][3] == '-' || argv[1][5] == '-') && !by_vdso(entry))
		make_call(EXIT, ABI_NO_VDSO, 0, 0);
	if (argv[1][0] == 'a')
		ask(argv + 2);
	else
		count();
	make_call(EXIT, 0, 0, 0);
	/* The kernel runs the program but none of its calls: not to go on for ever. */
	__builtin_trap();
}
