// SPDX-License-Identifier: GPL-2.0
/* For the benchmark only, see oslab.h beside it. */
#include <linux/export.h>
#include <linux/oslab.h>
#include <linux/spinlock.h>
#include <linux/string.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>

DEFINE_SPINLOCK(oslab_usage_lock);
struct syscall_usage_user oslab_usage[OSLAB_USAGE_ENTRIES] = {
	{ .name = "open" }, { .name = "read" }, { .name = "write" }, { .name = "fork" },
};

void oslab_read_syscall_usage(struct syscall_usage_user *usage)
{
	unsigned long flags;

	spin_lock_irqsave(&oslab_usage_lock, flags);
	memcpy(usage, oslab_usage, sizeof(oslab_usage));
	spin_unlock_irqrestore(&oslab_usage_lock, flags);
}
EXPORT_SYMBOL_GPL(oslab_read_syscall_usage);

SYSCALL_DEFINE2(track_syscall_usage, struct syscall_usage_user __user *, buf,
		int, size)
{
	struct syscall_usage_user usage[OSLAB_USAGE_ENTRIES];

	if (size < OSLAB_USAGE_ENTRIES)
		return -EINVAL;

	oslab_read_syscall_usage(usage);
	if (copy_to_user(buf, usage, sizeof(usage)))
		return -EFAULT;

	return OSLAB_USAGE_ENTRIES;
}
