/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * The three syscalls as functions, for C and C++ programs:
 *
 *	struct mem_snapshot snap;
 *
 *	if (oslab_capture_memory_snapshot(&snap) < 0)
 *		perror("capture_memory_snapshot");
 *
 * Like libc's own they return -1 and set errno. Structures and constants are
 * those of the kernel's <linux/oslab.h>.
 *
 * Numbers differ between kernels, so none is compiled in: each is looked up
 * once in /lib/modules/RELEASE/oslab-kernel.json of the kernel that runs. Where
 * that names none, and for callers that are not 64-bit x86-64, errno is ENOSYS.
 */
#ifndef OSLAB_KERNEL_H
#define OSLAB_KERNEL_H

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#if !__has_include(<linux/oslab.h>)
#error "no <linux/oslab.h>: install the linux-libc-dev that was built with the kernel"
#endif
#include <linux/oslab.h>

#if defined(__STRICT_ANSI__) && !defined(__cplusplus)
long syscall(long number, ...);	/* -std=c99 and the like hide it */
#endif

/*
 * Only these are called: lower numbers are other syscalls in every kernel, 512
 * to 547 belong to the x32 ABI.
 */
#define OSLAB_NUMBER_MIN	337
#define OSLAB_NUMBER_MAX	511

#define OSLAB_PATH_LEN		128

/* Where the running kernel's manifest is. Returns path. */
static inline const char *oslab_manifest_path(char path[OSLAB_PATH_LEN])
{
	struct utsname uts;

	uname(&uts);
	snprintf(path, OSLAB_PATH_LEN, "/lib/modules/%.64s/oslab-kernel.json", uts.release);
	return path;
}

/* Reads a JSON string whose quote was read. Is it this text? */
static inline int oslab_json_string_is(FILE *json, const char *text)
{
	size_t length = strlen(text), at = 0;
	int same = 1, c;

	while ((c = getc(json)) != '"' && c != EOF) {
		same = same && at < length && c == text[at];
		at++;
		if (c == '\\')	/* no name has one: whatever follows, it is not the text */
			(void)getc(json);
	}
	return same && at == length;
}

/* The first character that is not white space. */
static inline int oslab_json_next(FILE *json)
{
	int c;

	do {
		c = getc(json);
	} while (c == ' ' || c == '\t' || c == '\n' || c == '\r');
	return c;
}

/* The number of a syscall in a manifest: that of "syscalls": {NAME: number}; -1 if it has none. */
static inline long oslab_number_in(FILE *manifest, const char *name)
{
	int depth = 0, inside = 0, found, c;
	long number;

	while ((c = getc(manifest)) != EOF) {
		if (c == '{' || c == '[') {
			depth++;
		} else if (c == '}' || c == ']') {
			depth--;
		} else if (c == '"') {
			found = oslab_json_string_is(manifest, depth == 1 ? "syscalls" : name);
			c = oslab_json_next(manifest);
			if (c != ':') {		/* a value */
				ungetc(c, manifest);
			} else if (depth == 1) {
				inside = found;
			} else if (depth == 2 && inside && found) {
				if (fscanf(manifest, "%ld", &number) != 1 ||
				    number < OSLAB_NUMBER_MIN || number > OSLAB_NUMBER_MAX)
					return -1;
				return number;
			}
		}
	}
	return -1;
}

/*
 * The number of a syscall in the running kernel, or -1 with errno: ENOENT and
 * the like if the manifest cannot be read, ENOSYS if it has no such number.
 */
static inline long oslab_syscall_number(const char *name)
{
#if defined(__x86_64__) && !defined(__ILP32__)
	char path[OSLAB_PATH_LEN];
	long number;
	FILE *manifest;

	manifest = fopen(oslab_manifest_path(path), "re");
	if (!manifest)
		return -1;
	number = oslab_number_in(manifest, name);
	fclose(manifest);
	if (number < 0)
		errno = ENOSYS;
	return number;
#else
	(void)name;
	errno = ENOSYS;
	return -1;
#endif
}

/* The same, remembered; what was not found is looked for again. */
static inline long oslab_known_number(const char *name, long *known)
{
	long number = __atomic_load_n(known, __ATOMIC_RELAXED);

	if (number)
		return number;
	number = oslab_syscall_number(name);
	if (number < 0)
		errno = ENOSYS;
	else
		__atomic_store_n(known, number, __ATOMIC_RELAXED);
	return number;
}

/*
 * All registers of arguments are set, so that a syscall that takes more than
 * these, by a wrong number or in another kernel, never acts on what was left in
 * them.
 */
static inline long oslab_syscall(long number, long first, long second)
{
	return syscall(number, first, second, 0L, 0L, 0L, 0L);
}

/* 0, or -1 and EFAULT. */
static inline int oslab_capture_memory_snapshot(struct mem_snapshot *snap)
{
	static long known;
	long number = oslab_known_number("capture_memory_snapshot", &known);

	return number < 0 ? -1 : (int)oslab_syscall(number, (long)snap, 0);
}

/*
 * size: how many entries buf holds. Returns how many were written
 * (OSLAB_USAGE_ENTRIES), or -1 and EINVAL if size is smaller, EFAULT.
 */
static inline int oslab_track_syscall_usage(struct syscall_usage_user *buf, int size)
{
	static long known;
	long number = oslab_known_number("track_syscall_usage", &known);

	return number < 0 ? -1 : (int)oslab_syscall(number, (long)buf, size);
}

/*
 * 0, or -1 and EINVAL if pid is not positive, ESRCH if there is no such process
 * in the caller's pid namespace, EPERM without ptrace access to it (ptrace(2),
 * PTRACE_MODE_READ_FSCREDS), EFAULT.
 */
static inline int oslab_get_io_throttle(int pid, struct io_stats_user *udata)
{
	static long known;
	long number = oslab_known_number("get_io_throttle", &known);

	return number < 0 ? -1 : (int)oslab_syscall(number, pid, (long)udata);
}

#endif /* OSLAB_KERNEL_H */
