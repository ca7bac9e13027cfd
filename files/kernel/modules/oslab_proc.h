/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What the modules have in common: the file in /proc and its mode.
 */
#ifndef OSLAB_PROC_H
#define OSLAB_PROC_H

#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/moduleparam.h>
#include <linux/proc_fs.h>
#include <linux/seq_file.h>

/*
 * Nobody can write to these files, so only bits for reading make sense. At
 * least one: proc_create() makes 0444 of none.
 */
#define OSLAB_MODE_MAX	0444

static umode_t oslab_mode = OSLAB_MODE_MAX;

static int oslab_mode_set(const char *val, const struct kernel_param *kp)
{
	unsigned int mode;

	if (kstrtouint(val, 8, &mode) || !mode || mode & ~OSLAB_MODE_MAX) {
		pr_err("mode=%s: must be octal, with one or more bits of 0444\n", val);
		return -EINVAL;
	}

	oslab_mode = mode;
	return 0;
}

static int oslab_mode_get(char *buffer, const struct kernel_param *kp)
{
	return sysfs_emit(buffer, "%04o\n", oslab_mode);
}

static const struct kernel_param_ops oslab_mode_ops = {
	.set = oslab_mode_set,
	.get = oslab_mode_get,
};

module_param_cb(mode, &oslab_mode_ops, NULL, 0444);
MODULE_PARM_DESC(mode, "permissions of the /proc file, octal, one or more bits of 0444 (default 0444)");

/* A line for a field of a structure of the UAPI header, all of which are u64. */
#define oslab_show_field(m, figures, field) \
	seq_printf(m, #field ": %llu\n", (figures).field)

static inline int oslab_proc_created(const char *name,
				     const struct proc_dir_entry *entry)
{
	if (entry)
		return 0;

	pr_err("cannot create /proc/%s\n", name);
	return -ENOMEM;
}

/* Its files are read by seq_read_iter(), which sendfile() and splice() need. */
static inline int oslab_proc_create(const char *name,
				    int (*show)(struct seq_file *m, void *v))
{
	return oslab_proc_created(name, proc_create_single(name, oslab_mode, NULL, show));
}

#endif /* OSLAB_PROC_H */
