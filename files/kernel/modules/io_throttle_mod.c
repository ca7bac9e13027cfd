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
 * process to show, in decimal; a thread's id stands for its process. 0, the
 * default, is whoever opens the file. A negative one is refused. The number
 * means the process that has it when it is set, in the pid namespace of
 * whoever sets it: another one that gets the same number later is never shown
 * instead.
 *
 * Which process a descriptor shows is settled when the file is opened, as that
 * of /proc/self/io is: neither setting pid nor passing the descriptor on
 * changes it. Opening and reading fail with ESRCH when that process is gone
 * (or was not there), or is not in the caller's pid namespace, and with EPERM
 * unless get_io_throttle() would show it to the caller. Both are checked: else
 * whoever has no right to it could open the file and have it read by a program
 * that has.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/fs.h>
#include <linux/oslab.h>
#include <linux/pid.h>
#include <linux/sched.h>
#include <linux/sched/task.h>
#include <linux/spinlock.h>

#include "oslab_proc.h"

#define PROC_NAME	"io_throttle"

static struct {
	spinlock_t lock; /* the next two are set and read together */
	struct pid *target; /* of a thread group; NULL for 0, and if nobody had it */
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

/*
 * The process of an id. Its threads come and go, and exec gives the id of the
 * first one to another: only that of the thread group lasts as long as it.
 */
static struct pid *find_process(int number)
{
	struct pid *id = find_get_pid(number);
	struct task_struct *task = get_pid_task(id, PIDTYPE_PID);
	struct pid *process = NULL;

	put_pid(id);
	if (task) {
		process = get_task_pid(task, PIDTYPE_TGID);
		put_task_struct(task);
	}
	return process;
}

static int pid_set(const char *val, const struct kernel_param *kp)
{
	int number;

	if (kstrtoint(val, 10, &number) || number < 0) {
		pr_err("pid=%s: must be the id of a process, or 0 for whoever opens the file\n",
		       val);
		return -EINVAL;
	}

	show_process(number, number ? find_process(number) : NULL);
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
MODULE_PARM_DESC(pid, "process to show, 0 for whoever opens the file (default 0)");

/* The process that a descriptor opened now is to show, or NULL. */
static struct pid *get_shown_process(void)
{
	struct pid *process;
	int number;

	spin_lock(&shown.lock);
	process = get_pid(shown.target);
	number = shown.number;
	spin_unlock(&shown.lock);

	return number ? process : get_task_pid(current, PIDTYPE_TGID);
}

/* What the syscall would answer to the current task. */
static int read_process(struct pid *process, struct io_stats_user *stats)
{
	struct task_struct *task = NULL;
	int ret;

	if (pid_vnr(process))
		task = get_pid_task(process, PIDTYPE_TGID);
	if (!task)
		return -ESRCH;

	ret = oslab_read_io_stats(task, stats);
	put_task_struct(task);
	return ret;
}

static int oslab_show(struct seq_file *m, void *v)
{
	struct pid *process = m->private;
	struct io_stats_user stats;
	int ret;

	ret = read_process(process, &stats);
	if (ret)
		return ret;

	seq_printf(m, "pid: %d\n", pid_vnr(process));
	oslab_show_field(m, stats, rchar);
	oslab_show_field(m, stats, wchar);
	oslab_show_field(m, stats, syscr);
	oslab_show_field(m, stats, syscw);
	oslab_show_field(m, stats, read_bytes);
	oslab_show_field(m, stats, write_bytes);
	return 0;
}

/* Its mode keeps others out of /proc/PID/io at open(); here this has to. */
static int oslab_open(struct inode *inode, struct file *file)
{
	struct pid *process = get_shown_process();
	struct io_stats_user stats;
	int ret;

	ret = read_process(process, &stats);
	if (!ret)
		ret = single_open(file, oslab_show, process);
	if (ret)
		put_pid(process);
	return ret;
}

static int oslab_release(struct inode *inode, struct file *file)
{
	struct seq_file *m = file->private_data;

	put_pid(m->private);
	return single_release(inode, file);
}

static const struct proc_ops io_throttle_ops = {
	.proc_open	= oslab_open,
	.proc_read_iter	= seq_read_iter,
	.proc_lseek	= seq_lseek,
	.proc_release	= oslab_release,
};

static int __init io_throttle_init(void)
{
	return oslab_proc_created(PROC_NAME, proc_create(PROC_NAME, oslab_mode, NULL,
							 &io_throttle_ops));
}

static void __exit io_throttle_exit(void)
{
	remove_proc_entry(PROC_NAME, NULL);
}

module_init(io_throttle_init);
module_exit(io_throttle_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("I/O figures of get_io_throttle() in /proc/" PROC_NAME);
