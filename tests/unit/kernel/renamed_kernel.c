// SPDX-License-Identifier: GPL-2.0
/*
 * Preloaded, it stands between a program and the kernel, as one with another
 * UTS_SYSNAME would answer: RENAMED_SYSNAME, in uname() and in syscall().
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>

long syscall(long number, ...)
{
	static long (*kernel)(long number, ...);
	const char *sysname = getenv("RENAMED_SYSNAME");
	long argument[6], result;
	va_list list;

	va_start(list, number);
	for (int i = 0; i < 6; i++)
		argument[i] = va_arg(list, long);
	va_end(list);
	if (!kernel)
		*(void **)&kernel = dlsym(RTLD_NEXT, "syscall");
	result = kernel(number, argument[0], argument[1], argument[2], argument[3], argument[4],
			argument[5]);
	if (number == SYS_uname && !result && sysname) {
		struct utsname *name = (struct utsname *)argument[0];

		strncpy(name->sysname, sysname, sizeof(name->sysname) - 1);
	}
	return result;
}

int uname(struct utsname *name)
{
	return (int)syscall(SYS_uname, name);
}
