/* SPDX-License-Identifier: GPL-2.0 */
/* What the three programs have in common. */
#ifndef OSLAB_TOOLS_COMMON_H
#define OSLAB_TOOLS_COMMON_H

#include <stdbool.h>
#include <stddef.h>

/* From the kernel's installed headers, or in a checkout from beside. */
#if __has_include(<linux/oslab.h>)
#include <linux/oslab.h>
#else
#include "../syscalls/oslab.h"
#endif

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

/* Exit codes, besides 0. */
#define EXIT_FAILED	1	/* the syscall answered with an error */
#define EXIT_USAGE	2	/* wrong arguments, or no number to call */

struct options {
	const char *syscall;	/* its name, and that of the program */
	const char *operand;	/* name of the one operand, NULL if there is none */
	const char *about;	/* text for --help */
	bool json;
	long number;
	const char *value;	/* of the operand, NULL if not given */
};

/* Reads the command line; does not return if it is wrong or asks for help. */
void parse_options(struct options *opt, int argc, char **argv);

/* Says why the syscall failed; returns the exit code. */
int fail(const struct options *opt);

struct value {
	const char *key;
	unsigned long long number;
};

/* As "key: number" lines, or as a JSON object of integers. */
void print_values(const struct options *opt, const struct value *values, size_t count);

/* A whole number in decimal, or the program ends with a message. */
long parse_number(const char *what, const char *text, long min, long max);

#endif
