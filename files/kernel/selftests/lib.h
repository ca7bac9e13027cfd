/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the test programs share: TAP on standard output, the three syscalls,
 * differences of the counters, and processes to try things on.
 *
 * Each program is called with the three syscalls' numbers:
 *
 *   PROGRAM CAPTURE TRACK THROTTLE [ARGUMENT...]
 *
 * A THROTTLE with a minus says that the kernel was built without it.
 */
#ifndef OSLAB_SELFTESTS_LIB_H
#define OSLAB_SELFTESTS_LIB_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/types.h>

#include "../syscalls/oslab.h"

#define __printf(a, b)	__attribute__((__format__(printf, a, b)))

#define ARRAY_SIZE(array)	(sizeof(array) / sizeof((array)[0]))
#define CANARY			0xa5
#define NOBODY			65534
#define NSEC_PER_SEC		1000000000ULL

/* --- TAP -------------------------------------------------------------- */

/* Reads the numbers; ends the program if they are not there. */
void begin(int argc, char **argv, const char *arguments);
/* Prints the plan. Returns what main() is to return. */
int finish(void);

__printf(2, 3)
void ok(bool good, const char *format, ...);
__printf(1, 2)
void skip(const char *format, ...);
__printf(1, 2)
void note(const char *format, ...);
/* The results of syscalls: values, or errors by their names. */
void expect(const char *what, long expected, long actual);

/* --- the syscalls: the value, or minus the error ----------------------- */

extern long nr_capture, nr_track, nr_throttle;
/* The kernel keeps no figures of I/O (TASK_IO_ACCOUNTING): ENOSYS is right. */
extern bool throttle_off;
/* Skips, and says why. */
bool skip_without_throttle(void);

long result(long value);
long capture(void *snap);
long track(void *buf, long size);
long throttle(long pid, void *io);

/* The same as functions of one pointer that ask for all, about oneself. */
struct call {
	const char *name;
	long (*function)(void *buffer);
	size_t size;	/* bytes that it writes */
	long success;	/* what it returns then */
};

#define CALLS	3
extern const struct call calls[CALLS];
/* How many of them the kernel has. */
extern int calls_there;

__u64 now_ns(void);

/* --- counters, by differences ----------------------------------------- */

enum { OPEN, READ, WRITE, FORK };

extern const char entry_names[OSLAB_USAGE_ENTRIES][OSLAB_NAME_LEN];

/*
 * Does work() several times and tests that the counters rise each time by what
 * it should count. Somebody else who is awake can only add to a counter: so what
 * is too little fails at once. An attempt counts for nothing if something is
 * counted right before or after it, when nothing should be, or if it counts too
 * much while another process made calls. Of the others all
 * have to be exact, but for one or two of many: somebody may be at work just
 * then. The test's line says how many there were, and if it fails, who is at work.
 */
void counts(const char *what, void (*work)(void),
	    const __u64 expected[OSLAB_USAGE_ENTRIES]);
void counts_one(const char *what, void (*work)(void), int entry, __u64 times);

/* How often something is tried that others may disturb. */
#define ATTEMPTS	12

/*
 * Until nothing has counted for a while, or it is no use to wait. Even with
 * all services frozen there is one that works by fits: the first process reads
 * a file for each of them just because they were frozen.
 */
void wait_for_rest(void);

/*
 * Who else is at work: asked by a syscall that does not count itself. Those that
 * begin and end meanwhile are not seen.
 */
void tell_who(void);

/* --- processes -------------------------------------------------------- */

/* Ends the child at once; in the parent, waits for it. */
void reap(long pid);
/* Runs function(argument) in a child; its result must be from 0 to -254. */
long in_child(long (*function)(void *argument), void *argument);
/* Gives up all rights, for good. */
void become_nobody(void);
/* The same, but keeps CAP_SYS_PTRACE. */
void become_tracer(void);
/* A child that does nothing until it is killed. */
pid_t start_idle(void);
/* The same, with a pid that is nobody's now. */
pid_t fork_as(pid_t pid);
/* A thread that does nothing. */
void *wait_forever(void *unused);
/* The id of a thread of the process that is not its first one. */
long other_thread(pid_t pid);
void end_child(pid_t pid);

/* --- files ------------------------------------------------------------- */

/* Returns false, with errno, if it cannot be written completely. */
bool write_file(const char *path, const char *text);
/* Reads once; returns bytes, terminated with NUL, or minus the error. */
long read_file(const char *path, char *text, size_t size);
/* The number behind "KEY:" in such a file, or -1. */
long long value_in(const char *text, const char *key);
/* The fields of /proc/PID/io. Returns 0 or minus the error. */
int proc_io(pid_t pid, struct io_stats_user *io);

#endif /* OSLAB_SELFTESTS_LIB_H */
