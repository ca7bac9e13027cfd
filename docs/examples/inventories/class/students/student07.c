// SPDX-License-Identifier: GPL-2.0
/*
 * add_three(a, b, c): the sum.
 */
#include <linux/syscalls.h>

SYSCALL_DEFINE3(add_three, long, a, long, b, long, c)
{
	return a + b + c;
}
