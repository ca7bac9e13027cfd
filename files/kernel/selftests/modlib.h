/* SPDX-License-Identifier: GPL-2.0 */
/*
 * Loading the four modules and reading their files, without any program that
 * does it.
 */
#ifndef OSLAB_SELFTESTS_MODLIB_H
#define OSLAB_SELFTESTS_MODLIB_H

#include <stdbool.h>
#include <stddef.h>

enum { CAPTURE_MEM, TRACK_SYSCALLS, IO_THROTTLE, SYSTEM_STATS, MODULES };

struct module {
	const char *name;
	const char *path;	/* its file */
	const char *shape;	/* the text, with N for numbers and / for the path */
};

extern const struct module modules[MODULES];

/* Where the .ko are. */
extern const char *module_directory;

/* 0 or minus the error. */
long load(int module, const char *parameters);
long unload(int module);
void unload_all(void);

bool has_shape(int module, const char *text);

#endif /* OSLAB_SELFTESTS_MODLIB_H */
