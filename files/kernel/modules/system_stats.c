// SPDX-License-Identifier: GPL-2.0
/*
 * /proc/system_stats: CPU, memory and storage totals. Works on any kernel.
 *
 * One "key: value" per line; the endings of the keys are the units:
 *
 *   cpus_online
 *   cpu_user_ms cpu_nice_ms cpu_system_ms cpu_idle_ms cpu_iowait_ms
 *   cpu_irq_ms cpu_softirq_ms cpu_steal_ms cpu_guest_ms cpu_guest_nice_ms
 *                      sums over all CPUs since boot, as the line "cpu" of
 *                      /proc/stat (user and nice include guest time)
 *   mem_total_kb mem_free_kb
 *                      KiB, as MemTotal and MemFree of /proc/meminfo
 *   storage_path       the directory that the next lines are about
 *   storage_total_kb storage_free_kb storage_available_kb
 *                      KiB of its filesystem, as statfs(2): all, free, and
 *                      free for unprivileged users
 *
 * Parameter path: that directory (default "/"), absolute. Whoever opens the
 * file and whoever reads it has to get to it, with their own rights, root
 * directory and mounts; else that fails with the error that statfs(2) would
 * give. Both are checked: else whoever may not could open the file and have it
 * read by a program that may.
 */
#define pr_fmt(fmt) KBUILD_MODNAME ": " fmt

#include <linux/cpumask.h>
#include <linux/fs.h>
#include <linux/kernel_stat.h>
#include <linux/math64.h>
#include <linux/mm.h>
#include <linux/namei.h>
#include <linux/path.h>
#include <linux/statfs.h>
#include <linux/tick.h>
#include <linux/time64.h>

#include "oslab_proc.h"

#define PROC_NAME	"system_stats"

static char *path = "/";
module_param(path, charp, 0444);
MODULE_PARM_DESC(path, "directory whose filesystem is shown (default /)");

static const char * const cpu_keys[NR_STATS] = {
	[CPUTIME_USER]		= "cpu_user_ms",
	[CPUTIME_NICE]		= "cpu_nice_ms",
	[CPUTIME_SYSTEM]	= "cpu_system_ms",
	[CPUTIME_IDLE]		= "cpu_idle_ms",
	[CPUTIME_IOWAIT]	= "cpu_iowait_ms",
	[CPUTIME_IRQ]		= "cpu_irq_ms",
	[CPUTIME_SOFTIRQ]	= "cpu_softirq_ms",
	[CPUTIME_STEAL]		= "cpu_steal_ms",
	[CPUTIME_GUEST]		= "cpu_guest_ms",
	[CPUTIME_GUEST_NICE]	= "cpu_guest_nice_ms",
};

/* As /proc/stat prints them. */
static const enum cpu_usage_stat cpu_order[] = {
	CPUTIME_USER, CPUTIME_NICE, CPUTIME_SYSTEM, CPUTIME_IDLE,
	CPUTIME_IOWAIT, CPUTIME_IRQ, CPUTIME_SOFTIRQ, CPUTIME_STEAL,
	CPUTIME_GUEST, CPUTIME_GUEST_NICE,
};

/*
 * A CPU that sleeps without ticks accounts its idle time only when it wakes
 * up; the tick code knows how long it has slept until now.
 */
static u64 sleep_time(u64 accounted, u64 (*get_us)(int cpu, u64 *now), int cpu)
{
	u64 us = cpu_online(cpu) ? get_us(cpu, NULL) : -1ULL;

	return us == -1ULL ? accounted : us * NSEC_PER_USEC;
}

static void show_cpu(struct seq_file *m)
{
	u64 total[NR_STATS] = {};
	int cpu, i;

	for_each_possible_cpu(cpu) {
		struct kernel_cpustat stat;

		kcpustat_cpu_fetch(&stat, cpu);
		stat.cpustat[CPUTIME_IDLE] =
			sleep_time(stat.cpustat[CPUTIME_IDLE],
				   get_cpu_idle_time_us, cpu);
		stat.cpustat[CPUTIME_IOWAIT] =
			sleep_time(stat.cpustat[CPUTIME_IOWAIT],
				   get_cpu_iowait_time_us, cpu);
		for (i = 0; i < NR_STATS; i++)
			total[i] += stat.cpustat[i];
	}

	seq_printf(m, "cpus_online: %u\n", num_online_cpus());
	for (i = 0; i < ARRAY_SIZE(cpu_order); i++)
		seq_printf(m, "%s: %llu\n", cpu_keys[cpu_order[i]],
			   div_u64(total[cpu_order[i]], NSEC_PER_MSEC));
}

static void show_memory(struct seq_file *m)
{
	struct sysinfo i = {};

	si_meminfo(&i);
	seq_printf(m, "mem_total_kb: %llu\n",
		   (u64)i.totalram << (PAGE_SHIFT - 10));
	seq_printf(m, "mem_free_kb: %llu\n",
		   (u64)i.freeram << (PAGE_SHIFT - 10));
}

static int get_storage(struct kstatfs *st)
{
	struct path dir;
	int ret;

	ret = kern_path(path, LOOKUP_FOLLOW | LOOKUP_DIRECTORY, &dir);
	if (ret)
		return ret;

	ret = vfs_statfs(&dir, st);
	path_put(&dir);
	return ret;
}

static u64 blocks_to_kb(const struct kstatfs *st, u64 blocks)
{
	return mul_u64_u32_shr(blocks, st->f_frsize, 10);
}

static int show_storage(struct seq_file *m)
{
	struct kstatfs st;
	int ret;

	ret = get_storage(&st);
	if (ret)
		return ret;

	seq_puts(m, "storage_path: ");
	seq_escape(m, path, "\n\\");
	seq_putc(m, '\n');
	seq_printf(m, "storage_total_kb: %llu\n", blocks_to_kb(&st, st.f_blocks));
	seq_printf(m, "storage_free_kb: %llu\n", blocks_to_kb(&st, st.f_bfree));
	seq_printf(m, "storage_available_kb: %llu\n", blocks_to_kb(&st, st.f_bavail));
	return 0;
}

static int oslab_show(struct seq_file *m, void *v)
{
	show_cpu(m);
	show_memory(m);
	return show_storage(m);
}

static int oslab_open(struct inode *inode, struct file *file)
{
	struct kstatfs st;
	int ret;

	ret = get_storage(&st);
	return ret ? ret : single_open(file, oslab_show, NULL);
}

static const struct proc_ops system_stats_ops = {
	.proc_open	= oslab_open,
	.proc_read_iter	= seq_read_iter,
	.proc_lseek	= seq_lseek,
	.proc_release	= single_release,
};

static int __init system_stats_init(void)
{
	struct kstatfs st;
	int ret;

	ret = path[0] == '/' ? get_storage(&st) : -EINVAL;
	if (ret) {
		pr_err("path=%s: must be an absolute path of a directory (error %d)\n",
		       path, ret);
		return ret;
	}

	return oslab_proc_created(PROC_NAME, proc_create(PROC_NAME, oslab_mode, NULL,
							 &system_stats_ops));
}

static void __exit system_stats_exit(void)
{
	remove_proc_entry(PROC_NAME, NULL);
}

module_init(system_stats_init);
module_exit(system_stats_exit);

MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("CPU, memory and storage totals in /proc/" PROC_NAME);
