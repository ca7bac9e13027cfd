/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the three programs have in common: options, --help, --watch, messages.
 * Each of them has a syscall to make and ways to print what it answered.
 */
#ifndef OSLAB_TOOLS_COMMON_H
#define OSLAB_TOOLS_COMMON_H

#include <stdbool.h>
#include <stddef.h>

#include "oslab-kernel.h"

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))

/* Exit codes, besides 0. */
#define EXIT_FAILED	1	/* the syscall answered with an error, or output failed */
#define EXIT_USAGE	2	/* wrong arguments */
#define EXIT_MISSING	3	/* the running kernel has no such syscall */

/* One call among those of --watch. */
struct moment {
	unsigned long long number;	/* how many there were before */
	unsigned long long elapsed_ns;	/* since the first */
	unsigned long long interval_ns;	/* since the one before; 0 for the first */
};

/* A number of the answer, and what it was in the answer before. */
struct figure {
	const char *name;
	const __u64 *now, *before;
};

struct program {
	const char *name;	/* of the program and of its syscall */
	const char *summary;	/* texts for --help */
	const char *description;
	const char *output;
	const char *watch;
	const char *examples;
	const struct figure *figures;	/* all that the syscall answers, but times */
	size_t figure_count;
	int width;		/* of a column of rates */
	bool takes_pid;
	long good;		/* what the syscall returns when it succeeds */

	/* Make the call; keep the answer, and the one before. */
	long (*call)(long number, int pid);
	/* What an errno means here, NULL if it means what it always does. */
	const char *(*explain)(int error);
	/* key: value lines */
	void (*print)(void);
	/* The inside of a JSON object; with --watch there is a moment. */
	void (*print_json)(const struct moment *moment);
	/* A line of the table of --watch, and what is above it. */
	void (*print_head)(void);
	void (*print_row)(const struct moment *moment);
};

int run(const struct program *program, int argc, char **argv);

/* Per second, of a counter that rose. */
double rate(const struct figure *figure, const struct moment *moment);

/*
 * The program's figures as lines, as members of a JSON object, and what became
 * of them since the call before: an object, or null after the first call.
 */
void print_figures(void);
void print_json_figures(void);
void print_json_since(const char *key, const struct moment *moment,
		      void (*print_one)(const struct figure *figure,
					const struct moment *moment));
/* A table of rates, for print_head and print_row. */
void print_rates_head(void);
void print_rates(const struct moment *moment);

#endif
