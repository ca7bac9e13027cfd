// SPDX-License-Identifier: GPL-2.0
/*
 * get_io_throttle(pid, udata): the I/O of a process since it started, as
 * /proc/PID/io shows it: all its threads, those that ended included. A
 * thread's id stands for its process.
 *
 * Returns 0; in this order of checks: -EINVAL if pid is not positive, -ESRCH
 * if the caller's pid namespace has no such process (a zombie that nobody has
 * waited for is one), -EPERM unless ptrace_may_access() lets the caller read
 * the process (PTRACE_MODE_READ_FSCREDS), -EFAULT if udata cannot be written.
 *
 * That is the check of reading /proc/PID/io. The mode 0400 of the file is not
 * looked at: it would keep a process from its own figures after setresuid(),
 * and callers out who have CAP_SYS_PTRACE and are not root.
 *
 * CONFIG_GET_IO_THROTTLE must depend on CONFIG_TASK_IO_ACCOUNTING: without it
 * the kernel does not keep these figures.
 */
#include <linux/compiler.h>
#include <linux/export.h>
#include <linux/kernel.h>
#include <linux/oslab.h>
#include <linux/pid.h>
#include <linux/ptrace.h>
#include <linux/rcupdate.h>
#include <linux/rwsem.h>
#include <linux/sched.h>
#include <linux/sched/signal.h>
#include <linux/sched/task.h>
#include <linux/seqlock.h>
#include <linux/string.h>
#include <linux/syscalls.h>
#include <linux/uaccess.h>

static u64 read_figure(const u64 *figure)
{
	/* Its thread changes it without a lock and without a mark. */
	return data_race(READ_ONCE(*figure));
}

static void add_figures(const struct task_io_accounting *more,
			struct task_io_accounting *acct)
{
	acct->rchar += read_figure(&more->rchar);
	acct->wchar += read_figure(&more->wchar);
	acct->syscr += read_figure(&more->syscr);
	acct->syscw += read_figure(&more->syscw);
	acct->read_bytes += read_figure(&more->read_bytes);
	acct->write_bytes += read_figure(&more->write_bytes);
}

static void add_up(struct signal_struct *sig, struct task_io_accounting *acct)
{
	struct task_struct *thread;

	memset(acct, 0, sizeof(*acct));
	add_figures(&sig->ioac, acct); /* threads that ended */
	__for_each_thread(sig, thread)
		add_figures(&thread->ioac, acct);
}

/*
 * A thread that ends moves its figures to signal->ioac and leaves the list
 * under stats_lock: with the lock, or if nobody had it meanwhile, none is
 * missed or counted twice.
 */
static void sum_process_io(struct signal_struct *sig,
			   struct task_io_accounting *acct)
{
	unsigned long flags;
	unsigned int seq;

	rcu_read_lock();
	seq = read_seqbegin(&sig->stats_lock);
	add_up(sig, acct);
	if (read_seqretry(&sig->stats_lock, seq)) {
		read_seqlock_excl_irqsave(&sig->stats_lock, flags);
		add_up(sig, acct);
		read_sequnlock_excl_irqrestore(&sig->stats_lock, flags);
	}
	rcu_read_unlock();
}

/**
 * oslab_read_io_stats - the figures of /proc/PID/io, if current may have them
 * @task: any thread of the process; the caller holds a reference
 * @stats: filled completely on success
 *
 * Returns 0, -EPERM if current has no PTRACE_MODE_READ_FSCREDS to @task, or
 * -EINTR if it was killed while it waited for an exec of @task to finish. May
 * sleep.
 */
int oslab_read_io_stats(struct task_struct *task, struct io_stats_user *stats)
{
	struct signal_struct *sig = task->signal;
	struct task_io_accounting acct;
	int ret;

	/* An exec may change what the caller is allowed to see of the task. */
	ret = down_read_killable(&sig->exec_update_lock);
	if (ret)
		return ret;

	if (ptrace_may_access(task, PTRACE_MODE_READ_FSCREDS))
		sum_process_io(sig, &acct);
	else
		ret = -EPERM;

	up_read(&sig->exec_update_lock);
	if (ret)
		return ret;

	memset(stats, 0, sizeof(*stats));
	stats->rchar = acct.rchar;
	stats->wchar = acct.wchar;
	stats->syscr = acct.syscr;
	stats->syscw = acct.syscw;
	stats->read_bytes = acct.read_bytes;
	stats->write_bytes = acct.write_bytes;
	return 0;
}
EXPORT_SYMBOL_GPL(oslab_read_io_stats);

SYSCALL_DEFINE2(get_io_throttle, int, pid, struct io_stats_user __user *, udata)
{
	struct io_stats_user stats;
	struct task_struct *task;
	int ret;

	if (pid <= 0)
		return -EINVAL;

	task = find_get_task_by_vpid(pid);
	if (!task)
		return -ESRCH;

	ret = oslab_read_io_stats(task, &stats);
	put_task_struct(task);
	if (ret)
		return ret;

	return copy_to_user(udata, &stats, sizeof(stats)) ? -EFAULT : 0;
}
