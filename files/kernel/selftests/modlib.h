/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Loading the modules and reading their files, without any program that does
 * it.
 */
#ifndef OSLAB_SELFTESTS_MODLIB_H
#define OSLAB_SELFTESTS_MODLIB_H

#include <stdbool.h>
#include <stddef.h>

/* Those whose text is known here; any other .ko of the directory follows them. */
enum { CAPTURE_MEM, TRACK_SYSCALLS, IO_THROTTLE, SYSTEM_STATS, KNOWN_MODULES };

#define MOST_MODULES	32

struct module {
	const char *name;
	const char *path;	/* its file */
	/* The text, with N for numbers and / for the path; NULL: lines "key: value". */
	const char *shape;
};

extern struct module modules[MOST_MODULES];
extern int module_count;

/*
 * Where the .ko are. NAME_mod.ko and NAME.ko are expected to make /proc/NAME,
 * with a text of lines "key: value".
 */
void find_modules(const char *directory);

/* Not where the kernel lacks the syscall whose answer it shows. */
bool is_built(int module);

/* 0 or minus the error. */
long load(int module, const char *parameters);
long unload(int module);
void unload_all(void);

bool has_shape(int module, const char *text);

#endif /* OSLAB_SELFTESTS_MODLIB_H */
