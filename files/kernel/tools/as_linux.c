// SPDX-License-Identifier: GPL-2.0
/*
 * Preloaded by oslab-as-linux: uname() of the C library, with the stock name of
 * the system. All other fields are the kernel's.
 *
 * No C library is linked, so that no version of one is asked for: syscall() is
 * that of the program. Static programs and /proc show the kernel's own name.
 */
#define _GNU_SOURCE
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

int uname(struct utsname *name)
{
	static const char stock[sizeof(name->sysname)] = "Linux";

	if (syscall(SYS_uname, name) < 0)
		return -1;
	memcpy(name->sysname, stock, sizeof(stock));
	return 0;
}
