// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/io_throttle: what get_io_throttle() answers for one process, as text.
 *
 * One "key: value" per line. First whose figures they are, then the fields of
 * struct io_stats_user, in its order, as in /proc/PID/io:
 *
 *   pid rchar wchar syscr syscw read_bytes write_bytes
 *
 * Parameter pid, also in /sys/module/io_throttle_mod/parameters/pid: the
 * process to show; 0, the default, is whoever reads. A negative one is
 * refused. The number means the process that has it when it is set, in the
 * pid namespace of whoever sets it: another one that gets the same number
 * later is never shown instead.
 *
 * Reading fails with ESRCH when that process is gone (or was not there), or is
 * not in the reader's pid namespace, and with EPERM for readers who may not
 * read its /proc/PID/io.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/oslab.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/spinlock.h>

#include "oslab_proc.h"

#define PROC_NAME	"io_throttle"

static struct {
	spinlock_t lock; /* the next two are set and read together */
	struct pid *target; /* NULL for 0, and for an id that nobody had */
	int number;
} shown = {
	.lock = __SPIN_LOCK_UNLOCKED(shown.lock),
};

static void show_process(int number, struct pid *target)
{
	struct pid *old;

	spin_lock(&shown.lock);
	old = shown.target;
	shown.target = target;
	shown.number = number;
	spin_unlock(&shown.lock);
	put_pid(old);
}

static int pid_set(const char *val, const struct kernel_param *kp)
{
	int number;

	if (kstrtoint(val, 0, &number) || number < 0) {
		pr_err("pid=%s: must be the id of a process, or 0 for whoever reads\n",
		       val);
		return -EINVAL;
	}

	show_process(number, number ? find_get_pid(number) : NULL);
	return 0;
}

/* Not while the parameter is being set: the kernel locks a module's parameters. */
static int pid_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%d\n", shown.number);
}

/*
 * Called, also if loading failed, when the parameter can no longer be set and
 * there is no file to read: nobody to lock out. And one must not: the module
 * is no longer known by its addresses, which lockdep would have to look up.
 */
static void pid_free(void *arg)
{
	put_pid(shown.target);
}

static const struct kernel_param_ops pid_ops = {
	.set	= pid_set,
	.get	= pid_get,
	.free	= pid_free,
};

module_param_cb(pid, &pid_ops, NULL, 0644);
MODULE_PARM_DESC(pid, "process to show, 0 for whoever reads (default 0)");

/* Returns the task to show and its id for the reader, or NULL. */
static struct task_struct *get_shown_task(pid_t *id)
{
	struct task_struct *task;
	struct pid *target;
	int number;

	spin_lock(&shown.lock);
	target = get_pid(shown.target);
	number = shown.number;
	spin_unlock(&shown.lock);

	if (number) {
		*id = pid_vnr(target);
		task = *id ? get_pid_task(target, PIDTYPE_PID) : NULL;
	} else {
		*id = task_tgid_vnr(current);
		task = get_task_struct(current);
	}

	put_pid(target);
	return task;
}

static int oslab_show(struct seq_file *m, void *v)
{
	struct io_stats_user stats;
	struct task_struct *task;
	pid_t id;
	int ret;

	task = get_shown_task(&id);
	if (!task)
		return -ESRCH;

	ret = oslab_read_io_stats(task, &stats);
	put_task_struct(task);
	if (ret)
		return ret;

	seq_printf(m, "pid: %d\n", id);
	oslab_show_field(m, stats, rchar);
	oslab_show_field(m, stats, wchar);
	oslab_show_field(m, stats, syscr);
	oslab_show_field(m, stats, syscw);
	oslab_show_field(m, stats, read_bytes);
	oslab_show_field(m, stats, write_bytes);
	return 0;
}

static int __init io_throttle_init(void)
{
	return oslab_proc_create(PROC_NAME, oslab_show);
}

static void __exit io_throttle_exit(void)
{
	remove_proc_entry(PROC_NAME, NULL);
}

module_init(io_throttle_init);
module_exit(io_throttle_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("I/O figures of get_io_throttle() in /proc/" PROC_NAME);
